//! The room's face on the terminal: one file a command, or a few that are alike.

pub mod adopt;
pub mod apply;
pub mod config;
mod deciding;
pub mod down;
pub mod exec;
pub mod history;
pub mod home;
pub mod image;
pub mod lifecycle;
pub mod logs;
pub mod ls;
pub mod mode;
pub mod profiles;
pub mod prune;
pub mod ps;
pub mod up;

pub use crate::cli::start;
use crate::cli::{Failure, Out};
use crate::compose::Loaded;
use crate::compose::model::Project;
use crate::diag::{Severity, Sources};

/// Tells what loading found and gives the project, or ends the command.
pub(super) fn project_of(loaded: Loaded, out: &Out, warnings: bool) -> Result<(Project, Sources), Failure> {
    for d in loaded.diagnostics.0.iter().filter(|d| warnings || d.severity == Severity::Error) {
        out.diagnostic(d, &loaded.sources);
    }
    let code = loaded.diagnostics.exit_code().max(1);
    loaded.project.map(|project| (project, loaded.sources)).ok_or(Failure::Code(code))
}
