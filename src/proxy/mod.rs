//! The room of routes: what of a home goes to Traefik, what Traefik thinks of it, and what really answers.

mod certificates;
pub mod cli;
mod client;
mod content;
mod deliver;
mod dns;
mod door;
mod judge;
pub mod keep;
mod lan;
mod look;
mod names;
mod place;
mod state;
mod traefik;

pub use door::Door;
pub use state::Grade;

use crate::diag::Diagnostics;
use crate::stacks::home::Home;

/// The hosts of all routes of a home; none where it cannot be read.
pub fn hosts(home: &Home) -> Vec<String> {
    let (Ok(read), Ok(values)) = (home.read(), content::Values::of(home)) else { return Vec::new() };
    let routes = content::resolved(&read.rendered.routes, &values, &mut Diagnostics::default());
    names::hosts(&routes).into_iter().map(str::to_owned).collect()
}
