//! What Traefik is told: routes as container labels ([`labels`]) and as one generated file ([`file`]), the flags that it starts
//! with ([`statics`]). Pure.
//!
//! Names of objects follow one rule ([`name`]). Of each route both say the same: the label makes it work while a container runs, the
//! file answers in its place while none does.

pub mod file;
pub mod forward;
pub mod grammar;
pub mod labels;
pub mod name;
pub mod route;
pub mod rule;
pub mod statics;

pub use route::{Access, Door, Entry, Route, Target};

#[cfg(test)]
mod tests;
