//! Questions: only what can lose data asks, and only a terminal can answer.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Out;
use super::terminal::Raw;
use crate::base::secret::Secret;
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Kind};

/// Asks for a secret, which is not shown, twice; or reads one line of standard input. Never from arguments, which everybody can read.
pub fn secret(question: &str, stdin: bool) -> Result<Secret, Diagnostic> {
    if stdin {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let secret = line.trim_end_matches(['\n', '\r']);
        return match read {
            Ok(_) if !secret.is_empty() => Ok(Secret::new(secret)),
            _ => Err(Diagnostic::error("cli.no-secret", "nothing came from standard input")
                .hint("write the secret there, in one line")),
        };
    }
    let first = hidden(&format!("{question}: "))?;
    let second = hidden("Once more: ")?;
    match first == second {
        true => Ok(first),
        false => Err(Diagnostic::error("cli.no-secret", "the two were not the same").hint("run it again")),
    }
}

/// One line from the terminal that is not shown.
fn hidden(question: &str) -> Result<Secret, Diagnostic> {
    let nobody = || {
        Diagnostic::error("cli.no-secret", "nobody is at a terminal to type it")
            .hint("give it on standard input, in one line, with --stdin")
    };
    let mut err = io::stderr().lock();
    let raw = Raw::enter().ok().flatten().ok_or_else(nobody)?;
    let _ = write!(err, "{}", visible(question));
    let _ = err.flush();
    let typed = typed(io::stdin().lock());
    drop(raw);
    let _ = writeln!(err);
    typed.ok_or_else(|| Diagnostic::error("cli.declined", "nothing was done").kind(Kind::Interrupted))
}

/// What is typed up to the end of the line, as a terminal in raw mode gives it. `None`: it was broken off.
fn typed(from: impl BufRead) -> Option<Secret> {
    let mut line: Vec<u8> = Vec::new();
    for byte in from.bytes() {
        match byte.ok()? {
            b'\r' | b'\n' => return String::from_utf8(line).ok().map(Secret::new),
            // Ctrl-C, Ctrl-D, Escape.
            3 | 4 | 27 => return None,
            // Ctrl-U.
            21 => line.clear(),
            8 | 127 => {
                // All bytes of one character.
                while line.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
            }
            byte => line.push(byte),
        }
    }
    None
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_can_be_mended_and_broken_off() {
        let typed = |text: &str| typed(text.as_bytes()).map(|secret| secret.expose().to_owned());
        assert_eq!(typed("abc\r").as_deref(), Some("abc"));
        assert_eq!(typed("abé\u{7f}c\n").as_deref(), Some("abc"));
        assert_eq!(typed("wrong\u{15}right\r").as_deref(), Some("right"));
        for broken in ["abc\u{3}", "abc\u{4}", "abc", "\u{1b}[A\r"] {
            assert_eq!(typed(broken), None, "{broken:?}");
        }
    }
}
