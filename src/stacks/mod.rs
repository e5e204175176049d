//! The room that joins the parts: which project is meant, preview, up, down, history.

pub mod catalogue;
mod changes;
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
pub mod storage;
mod target;
mod versions;
pub mod who;
pub mod works;

/// The generation of the Compose that is installed, in words. It may be asked of a program.
pub fn compose_generation(environment: &std::collections::BTreeMap<String, String>) -> Option<&'static str> {
    compat::installed(environment).map(|compat| match compat {
        crate::compose::Compat::V2 => "2",
        crate::compose::Compat::V5 => "5",
    })
}

pub use disk::Disk;
pub use door::{Around, FrontDoor};
pub use home::Home;
pub use place::Place;
pub use project::{Given, Loading};
pub use target::Target;
