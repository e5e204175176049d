//! The room of routes: what of a home goes to Traefik, what Traefik thinks of it, and what really answers.

mod certificates;
pub mod cli;
mod client;
mod content;
mod deliver;
mod dns;
mod door;
mod judge;
mod keep;
mod lan;
mod look;
mod names;
mod place;
mod state;
mod traefik;

pub use crate::traefik::file::HSTS;
pub use door::Door;
pub use keep::{Found, keep, once};
pub use state::Grade;
