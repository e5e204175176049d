//! A line of a log as pages show it.

use serde::Serialize;

use crate::panel::ansi::{Part, parts};
use crate::stacks::json::logs;

/// One line.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Line {
    /// RFC 3339; empty where it is not known.
    #[serde(rename = "t")]
    pub at: String,
    /// Classes: `err` for standard error, and the level that it seems to have.
    #[serde(rename = "c")]
    pub class: String,
    #[serde(rename = "p")]
    pub parts: Vec<Part>,
    /// It does not fit what is looked for.
    #[serde(skip)]
    pub hidden: bool,
}

impl Line {
    pub fn of(line: logs::Line) -> Line {
        let parts = parts(&line.text);
        let text: String = parts.iter().map(|part| part.text.as_str()).collect();
        let classes = [(line.stream == "stderr").then_some("err"), level(&text)];
        let class = classes.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Line { at: line.at.unwrap_or_default(), class, parts, hidden: false }
    }

    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }

    /// `2026-11-27 12:00:01.123`.
    pub fn time(&self) -> String {
        self.at.chars().take(23).map(|c| if c == 'T' { ' ' } else { c }).filter(|c| *c != 'Z').collect()
    }

    /// Whether it is one of those that `level` asks for: `info` is all but debug, `warn` is warnings and errors, `stderr` is what came by standard error.
    pub fn is_of(&self, level: &str) -> bool {
        let has = |class: &str| self.class.split(' ').any(|one| one == class);
        match level {
            "info" => !has("debug"),
            "warn" => has("warn") || has("error"),
            "error" => has("error"),
            "stderr" => has("err"),
            _ => true,
        }
    }
}

/// How far into a line its level is looked for.
const HEAD: usize = 160;

/// Words of programs for the level of a line, as a whole word in its beginning.
const LEVELS: [(&str, &[&str]); 4] = [
    ("error", &["error", "err", "fatal", "ftl", "critical", "crit", "panic", "severe", "emerg", "alert", "eror"]),
    ("warn", &["warning", "warn", "wrn"]),
    ("info", &["info", "inf", "notice", "information"]),
    ("debug", &["debug", "dbg", "trace", "trc", "verbose", "fine"]),
];

/// The level that a line seems to have: the first word of it that is one. A guess, since every program writes it in its own way.
pub fn level(text: &str) -> Option<&'static str> {
    let end = text.char_indices().nth(HEAD).map_or(text.len(), |(at, _)| at);
    let words = text[..end].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let known = |word: &str| {
        let is = |name: &&str| word.eq_ignore_ascii_case(name);
        // In the middle of a sentence such a word in small letters is a word of the sentence.
        LEVELS.iter().find(|(_, names)| names.iter().any(&is)).map(|(level, _)| *level)
    };
    words.filter(|word| (3..=11).contains(&word.len())).take(14).find_map(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_a_line_is_guessed_as_programs_write_it() {
        for (text, wanted) in [
            ("2026-11-27T12:00:00Z ERROR cannot open", Some("error")),
            ("[ERR] ffmpeg exited with code 234", Some("error")),
            ("{\"level\":\"warn\",\"msg\":\"error budget\"}", Some("warn")),
            ("time=2026 level=info msg=ok", Some("info")),
            ("[12:00:01 DBG] looked", Some("debug")),
            ("listening on port 80", None),
            ("", None),
            ("terror and warnings_of", None),
        ] {
            assert_eq!(level(text), wanted, "{text}");
        }
    }

    #[test]
    fn hostile_22_a_line_is_text_and_classes_of_ours() {
        let line =
            logs::Line { at: None, stream: "stderr", text: "\u{1b}[31mERROR\u{1b}[0m <script>\u{1b}]0;x\u{7}".into() };
        let line = Line::of(line);
        assert_eq!((line.class.as_str(), line.text().as_str()), ("err error", "ERROR <script>"));
        assert!(line.is_of("error") && line.is_of("stderr") && line.is_of("") && !Line::default().is_of("warn"));
        assert_eq!(serde_json::to_value(&line).unwrap()["p"], serde_json::json!([["a1", "ERROR"], " <script>"]));
    }
}
