//! The room that joins the parts: which project is meant, preview, up, down, history.

pub mod cli;
mod compat;
mod disk;
mod project;

pub use disk::Disk;
pub use project::{Given, Loading};
