//! Diagnostics of what runs in the background, where nobody reads a terminal.

use super::{Diagnostic, Severity};

/// Writes one into the log: its title, code and first way out.
pub fn log(d: &Diagnostic) {
    let hint = d.hints.first().map(String::as_str).unwrap_or_default();
    match d.severity {
        Severity::Error => tracing::error!(code = d.code, hint, "{}", d.title),
        _ => tracing::warn!(code = d.code, hint, "{}", d.title),
    }
}
