//! The room of routes: what of a home goes to Traefik, what Traefik thinks of it, and what really answers.

mod adopted;
mod certificates;
pub mod cli;
mod client;
mod content;
mod deliver;
mod dns;
mod door;
mod entrance;
mod filled;
pub mod json;
mod judge;
mod keep;
mod lan;
mod look;
pub mod machine;
mod names;
mod place;
mod state;
mod traefik;
mod tunnels;
mod wake;

pub use crate::traefik::file::HSTS;
pub use adopted::Absent;
pub use certificates::local_root;
pub use client::answers;
pub use content::{Values, own_address, own_addresses, resolved};
pub use door::Door;
pub use entrance::Entrance;
pub use judge::{image_version, too_old};
pub use keep::{Found, keep, once};
pub use look::{api, is_on, leaf, resolve, roots};
pub use names::PANEL;
pub use place::has_file;
pub use state::Grade;
pub use traefik::{Api, Router, sentence};
