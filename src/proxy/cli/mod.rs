//! The room's face on the terminal.

pub mod routes;

use crate::diag::Diagnostics;
use crate::proxy::{content, names};
use crate::stacks::home::Home;

/// The hosts of all routes of a home; none where it cannot be read.
pub fn hosts(home: &Home) -> Vec<String> {
    let (Ok(read), Ok(values)) = (home.read(), content::Values::of(home)) else { return Vec::new() };
    let routes = content::resolved(&read.rendered.routes, &values, &mut Diagnostics::default());
    names::hosts(&routes).into_iter().map(str::to_owned).collect()
}
