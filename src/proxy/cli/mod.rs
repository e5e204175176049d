//! The room's face on the terminal.

pub mod routes;

use crate::args::Global;
use crate::certs::cli::Front;
use crate::certs::shown::Shown;
use crate::cli::Out;
use crate::diag::{Diagnostics, Sources};
use crate::proxy::place::MOUNTED;
use crate::proxy::{Absent, Door, content, look, names, once};
use crate::spec::Mode;
use crate::stacks::cli as stacks;
use crate::stacks::home::Home;

/// After a command that changed certificates: Traefik gets them, where it has a home's file at all.
pub fn refresh(global: &Global, out: &Out) {
    let Ok(Some(home)) = Home::find(global.home.as_deref(), &out.cwd) else { return };
    if home.config.mode != Mode::Domain || !home.dir.join(MOUNTED).is_dir() {
        return;
    }
    let environment = out.environment();
    // What cannot be done now is done by the next `hearth up`, or by `hearth serve`.
    let _ = stacks::start(async {
        let told = once(&home, &environment).await;
        told.0.iter().for_each(|d| out.diagnostic(d, &Sources::default()));
        Ok(())
    });
}

impl Front for Door {
    fn hosts(&self, home: &Home) -> Vec<String> {
        let (Ok(read), Ok(values)) = (home.read(), content::Values::of(home)) else { return Vec::new() };
        let routes =
            content::resolved(&read.rendered.routes, &values, None, Absent::Names, &mut Diagnostics::default());
        names::hosts(&routes).into_iter().map(str::to_owned).collect()
    }

    fn shown(&self, home: &Home) -> Option<Vec<Shown>> {
        let domain = home.domain().ok().flatten().filter(|_| home.config.mode == Mode::Domain)?;
        let mut hosts = self.hosts(home);
        hosts.push(format!("{}.{domain}", names::PANEL));
        let mut shown = Vec::new();
        // Only a system without an event queue fails here, and it was told so by everything before.
        let _ = stacks::start(async {
            shown = look::shown(home, hosts).await;
            Ok(())
        });
        Some(shown)
    }
}
