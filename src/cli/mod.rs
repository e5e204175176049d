//! The terminal: output, colour, progress, questions and exit codes. Knows no room.

pub mod ask;
mod behalf;
pub mod output;
pub mod owner;
pub mod progress;
pub mod table;
pub mod terminal;

pub use behalf::{Behalf, Ear};
pub use output::{ColorArg, Out, Tone};

use crate::diag::{Diagnostic, Diagnostics, Kind};

/// Something to do that `--check` found.
pub const FOUND: u8 = 10;

/// How a command ends when it does not end well.
#[derive(Debug)]
pub enum Failure {
    /// Something to tell; the first error's kind is the exit code.
    Told(Diagnostics),
    /// Everything was said already; only the code is left.
    Code(u8),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::Told(diagnostic.into())
    }
}
impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Failure::Told(diagnostics)
    }
}
impl From<crate::engine::EngineError> for Failure {
    fn from(error: crate::engine::EngineError) -> Self {
        Failure::Told((*error.diagnostic).into())
    }
}

/// What every command gives: nothing, or how it failed.
pub type Done = Result<(), Failure>;

/// Runs a command that speaks to the engine or a database. One thread is enough: the work is theirs.
pub fn start(work: impl Future<Output = Done>) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| {
        Failure::from(
            Diagnostic::error("cli.no-runtime", format!("the system gives no event queue ({e})")).kind(Kind::Failed),
        )
    })?;
    runtime.block_on(work)
}
