//! Diagnostics of what runs in the background, where nobody reads a terminal.

use super::{Diagnostic, Kind, Severity};

/// Writes one into the log: its whole title, code and first way out.
pub fn log(d: &Diagnostic) {
    let hint = d.hints.first().map(String::as_str).unwrap_or_default();
    match d.severity {
        Severity::Error => tracing::error!(code = d.code, hint, "{}", d.whole()),
        _ => tracing::warn!(code = d.code, hint, "{}", d.whole()),
    }
}

/// Writes a mistake into the log of which whoever asks is not told all. What is away is told there by whoever looks after it, once.
pub fn log_untold(d: &Diagnostic) {
    if d.inside.is_some() && matches!(d.kind, Kind::Failed | Kind::Bug) {
        log(d);
    }
}
