//! The room that joins the parts: which project is meant, preview, up, down, history.

pub mod catalogue;
pub mod cli;
mod compat;
mod disk;
pub mod door;
mod history;
pub mod home;
mod interrupt;
mod itself;
pub mod json;
pub mod live;
mod lock;
mod place;
mod power;
mod project;
mod projects;
mod report;
mod run;
mod saved;
pub mod seen;
mod session;
mod sql;
mod target;
pub mod who;
pub mod works;

pub use disk::Disk;
pub use door::{Around, FrontDoor};
pub use home::Home;
pub use place::Place;
pub use project::{Given, Loading};
pub use target::Target;
