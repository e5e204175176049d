//! The room of routes: what of a home goes to Traefik, what Traefik thinks of it, and what really answers.

mod certificates;
mod content;
mod door;
mod judge;
mod lan;
mod names;
mod place;

pub use door::Door;
