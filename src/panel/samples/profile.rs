//! Samples of a profile.

use super::*;
use crate::panel::{home, profile};

fn page(at: usize, more: usize, role: Role) -> profile::Page {
    let seen = seen(more);
    let one = &seen.profiles[at];
    let shell = shell(role);
    let card = home::card_of(&seen, one, &ways(), &used(), &shell, NOW);
    profile::Page {
        away: None,
        facts: profile::facts(one, shell.lang),
        on: one.on,
        name: one.name.clone(),
        card,
        shell,
    }
}

/// By name.
pub fn all() -> Vec<Sample> {
    let mut hostile = page(0, 0, Role::Operator);
    hostile.name = HOSTILE.into();
    hostile.card.note = HOSTILE.into();
    let mut away = page(1, 0, Role::Viewer);
    away.away = Some(format!("No engine answers. What is shown is from before. {HOSTILE}"));
    let mut empty = page(3, 0, Role::Admin);
    empty.card.rows.clear();
    vec![
        sample("profile", &page(1, 0, Role::Operator)),
        sample("profile-off", &page(3, 0, Role::Viewer)),
        sample("profile-empty", &empty),
        sample("profile-many", &page(4, 1000, Role::Admin)),
        sample("profile-away", &away),
        sample("profile-hostile", &hostile),
    ]
}
