//! Samples of what has no file of its own.

use super::*;
use crate::panel::{refusal, search, work};

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("refusal", &refusal::Page::of(shell(Role::Operator), refused())),
        sample("work-gone", &work::of_none(shell(Role::Viewer))),
        sample("search", &search::of(shell(Role::Operator), "auto", &seen(0))),
        sample("search-none", &search::of(shell(Role::Operator), HOSTILE, &seen(0))),
    ]
}
