//! Standard output is for data, standard error for everything said about it.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::Behalf;
use crate::diag::{Diagnostic, Severity, Sources, text};
use crate::engine::{self, EngineError, Host};

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorArg {
    #[default]
    Auto,
    Always,
    Never,
}

/// Where a command writes, and how.
#[derive(Debug, Clone)]
pub struct Out {
    pub color: bool,
    /// Whether standard error is a terminal: bars and questions need one.
    pub terminal: bool,
    pub json: bool,
    /// The command changes something: it goes on even if nobody reads what it prints.
    pub acts: bool,
    pub cwd: PathBuf,
    /// Whether it has changed something, or was refused to: see [`Out::acting`].
    acted: Arc<AtomicBool>,
    /// `None`: it runs for whoever is at the terminal of this process.
    pub behalf: Option<Behalf>,
}

/// The few colours in use; each also told by a word or shape.
#[derive(Debug, Clone, Copy)]
pub enum Tone {
    Good,
    Warn,
    Bad,
    Strong,
    Dim,
}

impl Out {
    /// Colour follows `--color`, else NO_COLOR (no-color.org), else whether a person is looking.
    pub fn new(color: ColorArg, no_color: bool, cwd: PathBuf) -> Out {
        let terminal = io::stderr().is_terminal();
        let color = match color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => io::stdout().is_terminal() && terminal && !no_color,
        };
        Out { color, terminal, json: false, acts: false, cwd, acted: Arc::default(), behalf: None }
    }

    /// For somebody elsewhere: everything is told to them, as JSON where there is a form for it.
    pub fn on_behalf(behalf: Behalf, cwd: PathBuf) -> Out {
        Out { color: false, terminal: false, json: true, acts: true, cwd, acted: Arc::default(), behalf: Some(behalf) }
    }

    /// From here on something is changed, or it is about to be refused: this command belongs into the audit log.
    pub fn acting(&self) {
        self.acted.store(true, Ordering::Relaxed);
    }

    pub fn has_acted(&self) -> bool {
        self.acted.load(Ordering::Relaxed)
    }

    /// The environment by which the engine and the state of projects are found: this process's, unless another is handed in.
    pub fn environment(&self) -> BTreeMap<String, String> {
        match &self.behalf {
            Some(behalf) => (*behalf.environment).clone(),
            None => {
                let text = |s: std::ffi::OsString| s.into_string().ok();
                std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect()
            }
        }
    }

    /// The engine that is meant: by the environment, or the one in memory that was handed in.
    pub async fn engine(&self) -> Result<Arc<dyn Host>, EngineError> {
        let double = self.behalf.as_ref().and_then(|behalf| behalf.double.as_ref());
        engine::connect(&self.environment(), double).await
    }

    pub fn json(mut self, json: bool) -> Out {
        self.json = json;
        self
    }

    pub fn acts(mut self) -> Out {
        self.acts = true;
        self
    }

    pub fn paint(&self, tone: Tone, words: &str) -> String {
        let code = match tone {
            _ if !self.color => return words.to_string(),
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Dim => "2",
        };
        format!("\x1b[{code}m{words}\x1b[0m")
    }

    /// A line of data. A closed pipe ends a program that only shows things quietly, as it does other tools.
    pub fn line(&self, words: impl AsRef<str>) {
        let words = words.as_ref();
        if let Some(behalf) = &self.behalf {
            return behalf.ear.words(words);
        }
        match self.json {
            true => self.text(&format!("{}\n", plain_json(words))),
            false => self.text(&format!("{words}\n")),
        }
    }

    pub fn text(&self, words: &str) {
        self.bytes(words.as_bytes());
    }

    /// Data as it is.
    pub fn bytes(&self, bytes: &[u8]) {
        if let Some(behalf) = &self.behalf {
            return behalf.ear.words(&String::from_utf8_lossy(bytes));
        }
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            if self.acts {
                return;
            }
            let code = if error.kind() == io::ErrorKind::BrokenPipe { 0 } else { 1 };
            std::process::exit(code);
        }
    }

    /// An event of the work: one line of JSON.
    pub fn event(&self, value: &Value) {
        match &self.behalf {
            Some(behalf) => behalf.ear.event(value),
            None => self.line(value.to_string()),
        }
    }

    /// A JSON document, indented.
    pub fn value(&self, value: &Value) {
        if let Some(behalf) = &self.behalf {
            return behalf.ear.value(value);
        }
        self.text(&format!("{}\n", plain_json(&serde_json::to_string_pretty(value).unwrap_or_default())));
    }

    /// Words about the work, on standard error.
    pub fn say(&self, words: impl AsRef<str>) {
        if let Some(behalf) = &self.behalf {
            return behalf.ear.words(words.as_ref());
        }
        let _ = writeln!(io::stderr().lock(), "{}", words.as_ref());
    }

    /// A diagnostic on standard error: one JSON line with `--json`, else text with its snippet.
    pub fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        if let Some(behalf) = &self.behalf {
            return behalf.ear.diagnostic(diagnostic, sources);
        }
        if self.json {
            let mut value = text::to_json(diagnostic, sources);
            value["title"] = diagnostic.whole().into();
            return self.say(plain_json(&value.to_string()));
        }
        let shown = text::render(diagnostic, sources, &self.cwd);
        let (head, rest) = shown.split_once(": ").unwrap_or((&shown, ""));
        let tone = match diagnostic.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Warn,
        };
        self.say(format!("{}: {}", self.paint(tone, head), rest.trim_end_matches('\n')));
    }
}

/// JSON that a terminal may show too: what JSON allows in a text and a terminal acts on is written as `\uXXXX`, which
/// means the same.
fn plain_json(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match c != '\n' && text::is_unsafe(c) {
            true => out.push_str(&format!("\\u{:04x}", c as u32)),
            false => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_move_the_cursor_and_means_the_same() {
        let value = serde_json::json!({"a": "\u{9b}2J\u{7f}\u{202e}\u{1b}é\n"});
        let shown = plain_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(shown.chars().all(|c| c == '\n' || !text::is_unsafe(c)), "{shown:?}");
        assert!(shown.contains('é'));
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
