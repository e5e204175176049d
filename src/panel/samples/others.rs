//! Samples of what has no file of its own.

use super::*;
use crate::panel::{refusal, search};

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("refusal", &refusal::Page::of(shell(Role::Operator), refused())),
        sample("search", &search::of(shell(Role::Operator), "auto", &seen(0))),
        sample("search-none", &search::of(shell(Role::Operator), HOSTILE, &seen(0))),
    ]
}
