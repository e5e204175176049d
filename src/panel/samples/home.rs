//! Samples of the home.

use super::*;
use crate::panel::home::{self, Home};
use crate::stacks::seen::Seen;

fn latest(mark: &str, command: &str) -> home::Latest {
    home::Latest {
        mark: crate::panel::words::Mark::work(mark),
        command: command.into(),
        path: "/works/20261127-1".into(),
        began: crate::panel::words::Moment::of(datetime!(2026-11-27 11:48 UTC), NOW),
    }
}

pub fn home(more: usize) -> Home {
    let mut home = home::of(shell(Role::Admin), &seen(more), &ways(), &[], measured(), NOW);
    home.works =
        vec![latest("running", "up media"), latest("failed", "update sonarr"), latest("done", "up automation")];
    home
}

fn hostile() -> Home {
    let mut seen = seen(0);
    for one in &mut seen.services {
        one.why = Some(HOSTILE.into());
        one.name += HOSTILE;
    }
    seen.profiles.iter_mut().for_each(|one| one.name += HOSTILE);
    let mut shell = shell(Role::Operator);
    shell.home = HOSTILE.into();
    shell.name = HOSTILE.into();
    shell.path = HOSTILE.into();
    let mut home = home::of(shell, &seen, &ways(), &[], measured(), NOW);
    home.works = vec![latest("running", HOSTILE)];
    home
}

fn with(seen: Seen, role: Role) -> Home {
    home::of(shell(role), &seen, &ways(), &[], measured(), NOW)
}

fn well() -> Seen {
    let mut seen = seen(0);
    seen.services.retain(|one| matches!(one.state, Standing::Running | Standing::Off));
    seen
}

fn away() -> Diagnostic {
    Diagnostic::error("engine.unreachable", "Docker does not answer at /var/run/docker.sock")
}

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("home", &home(0)),
        sample("home-well", &with(well(), Role::Operator)),
        sample("home-viewer", &with(seen(0), Role::Viewer)),
        sample("home-empty", &with(Seen { number: 1, name: "casa".into(), ..Seen::default() }, Role::Admin)),
        sample("home-away", &with(Seen { away: Some(away()), ..seen(0) }, Role::Admin)),
        sample("home-hostile", &hostile()),
        sample("home-many", &home(1000)),
    ]
}
