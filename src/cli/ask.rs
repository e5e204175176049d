//! Questions: only what can lose data asks, and only a terminal can answer.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Out;
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Kind};

/// Asks for a yes. `yes` answers it beforehand; where nobody can be asked, the answer is a refusal that says how to.
pub fn confirm(question: &str, yes: bool, out: &Out) -> Result<(), Diagnostic> {
    if yes {
        return Ok(());
    }
    if out.behalf.is_some() {
        return Err(Diagnostic::error("cli.needs-yes", format!("{question} Nothing was done"))
            .kind(Kind::Denied)
            .field("yes")
            .hint("send it again with \"yes\": true to say so beforehand"));
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Diagnostic::error(
            "cli.needs-yes",
            format!("{question} Nobody is here to answer, so nothing was done"),
        )
        .kind(Kind::Denied)
        .hint("run it again with --yes to say so beforehand"));
    }
    let mut err = io::stderr().lock();
    let _ = write!(err, "{} [y/N] ", visible(question));
    let _ = err.flush();
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Diagnostic::error("cli.declined", "nothing was done").kind(Kind::Denied)),
    }
}
