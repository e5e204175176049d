//! The Engine's refusals, in its words.

use crate::diag::{Diagnostic, Kind};
use crate::engine::EngineError;

/// The Engine answered and refused.
pub(super) fn refused(status: u16, message: impl Into<String>) -> EngineError {
    let message = message.into();
    let kind = match status {
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        _ => Kind::Failed,
    };
    let diagnostic = Diagnostic::error("engine.refused", message.clone()).kind(kind);
    EngineError { diagnostic: Box::new(diagnostic), detail: message, status: Some(status) }
}

/// No answer.
pub(super) fn unreachable() -> EngineError {
    let title = "the Docker Engine does not answer";
    let diagnostic = Diagnostic::error("engine.unreachable", title).kind(Kind::Unavailable);
    let diagnostic = diagnostic.hint("this one is in memory: a test has taken it away");
    EngineError { diagnostic: Box::new(diagnostic), detail: "connection refused".into(), status: None }
}
