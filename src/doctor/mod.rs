//! `hearth doctor`: everything that a home stands on and does not own, looked at from here, each finding with its fix.
//!
//! What is found is judged by pure functions over facts, one file a subject; only `look`, `routed` and `cli` ask anybody.
//!
//! | subject | file |
//! |---|---|
//! | grades, findings, exit code | `finding` |
//! | the engine | `docker` |
//! | Traefik | `traefik` |
//! | ports and who holds them | `ports` |
//! | where names lead | `names` |
//! | authorities, challenges over HTTP | `authority` |
//! | the clock | `clock` |
//! | asking all of them | `look`, `routed` |

mod authority;
pub mod cli;
mod clock;
mod docker;
mod finding;
pub mod json;
mod look;
mod names;
mod ports;
mod routed;
mod traefik;

pub use finding::{About, Finding, Grade, exit_code};
pub use look::look;
