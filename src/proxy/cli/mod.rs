//! The room's face on the terminal.

pub mod routes;

use crate::cli::Out;
use crate::command::Global;
use crate::diag::Diagnostics;
use crate::proxy::place::MOUNTED;
use crate::proxy::{content, names, once};
use crate::spec::Mode;
use crate::stacks::cli as stacks;
use crate::stacks::home::Home;

/// After a command that changed certificates: Traefik gets them, where it has a home's file at all.
pub fn refresh(global: &Global, out: &Out) {
    let Ok(Some(home)) = Home::find(global.home.as_deref(), &out.cwd) else { return };
    if home.config.mode != Mode::Domain || !home.dir.join(MOUNTED).is_dir() {
        return;
    }
    let environment = std::env::vars().collect();
    // What cannot be done now is done by the next `hearth up`, or by `hearth serve`.
    let _ = stacks::start(async {
        once(&home, &environment).await;
        Ok(())
    });
}

/// The hosts of all routes of a home; none where it cannot be read.
pub fn hosts(home: &Home) -> Vec<String> {
    let (Ok(read), Ok(values)) = (home.read(), content::Values::of(home)) else { return Vec::new() };
    let routes = content::resolved(&read.rendered.routes, &values, &mut Diagnostics::default());
    names::hosts(&routes).into_iter().map(str::to_owned).collect()
}
