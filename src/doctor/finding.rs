//! What was found: a grade, a sentence, and how it is put right.

use std::fmt;
use std::path::Path;

use crate::diag::Severity;
use crate::stacks::home::{Refused, STACKS};

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Ok,
    /// Worth knowing; nothing is wrong.
    Note,
    /// It works, and will surprise; or it cannot be judged from here.
    Warning,
    /// Something does not work.
    Problem,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Grade::Ok => "ok",
            Grade::Note => "note",
            Grade::Warning => "warning",
            Grade::Problem => "problem",
        })
    }
}

/// What it is about, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    Home,
    Docker,
    Traefik,
    Ports,
    Names,
    Certificates,
    Clock,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub about: About,
    /// A stable name of what was looked at, as `port-held`.
    pub check: &'static str,
    pub grade: Grade,
    /// One sentence, without a final stop.
    pub words: String,
    /// Commands, or what to change; each stands alone. Several are ways to choose from, or steps, and say so.
    pub fix: Vec<String>,
    /// The exit code where this ends the looking: the engine's own.
    pub exit: Option<u8>,
}

impl Finding {
    fn new(grade: Grade, about: About, check: &'static str, words: impl Into<String>) -> Finding {
        Finding { about, check, grade, words: words.into(), fix: Vec::new(), exit: None }
    }
    pub fn ok(about: About, check: &'static str, words: impl Into<String>) -> Finding {
        Finding::new(Grade::Ok, about, check, words)
    }
    pub fn note(about: About, check: &'static str, words: impl Into<String>) -> Finding {
        Finding::new(Grade::Note, about, check, words)
    }
    pub fn warning(about: About, check: &'static str, words: impl Into<String>) -> Finding {
        Finding::new(Grade::Warning, about, check, words)
    }
    pub fn problem(about: About, check: &'static str, words: impl Into<String>) -> Finding {
        Finding::new(Grade::Problem, about, check, words)
    }
    pub fn fix(mut self, fix: impl Into<String>) -> Finding {
        self.fix.push(fix.into());
        self
    }
}

/// A home that cannot be read, with the first mistake in its place.
pub fn unread(refused: &Refused) -> Finding {
    let first = refused.diagnostics.0.iter().find(|d| d.severity == Severity::Error);
    let why = first.map_or("its files hold mistakes", |d| d.title.as_str());
    let place = first.and_then(|d| d.place).map(|span| {
        let path = refused.sources.get(span.file).path.as_path();
        let folder = path.parent().and_then(Path::file_name).filter(|name| *name == STACKS);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = folder.map_or(String::new(), |_| format!("{STACKS}/"));
        format!(" ({folder}{name}:{})", span.line)
    });
    let words = format!("the home cannot be read: {why}{}", place.unwrap_or_default());
    let finding = Finding::problem(About::Home, "home-unread", words);
    let hints = first.map(|d| d.hints.clone()).unwrap_or_default();
    Finding { fix: hints, ..finding }.fix("see every mistake in its place: hearth config -q")
}

/// 0 where nothing is worse than a warning; the engine's code where it cannot be asked (6 not reachable, 4 not allowed); else 1.
pub fn exit_code(findings: &[Finding]) -> u8 {
    let own = findings.iter().find_map(|f| f.exit);
    let worst = findings.iter().map(|f| f.grade).max().unwrap_or(Grade::Ok);
    own.unwrap_or(u8::from(worst == Grade::Problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_worst() {
        let warning = Finding::warning(About::Clock, "clock", "x");
        let problem = Finding::problem(About::Ports, "port-held", "x");
        let engine = Finding { exit: Some(6), ..Finding::problem(About::Docker, "engine", "x") };
        assert_eq!(exit_code(&[]), 0);
        assert_eq!(exit_code(std::slice::from_ref(&warning)), 0);
        assert_eq!(exit_code(&[warning, problem.clone()]), 1);
        assert_eq!(exit_code(&[problem, engine]), 6);
    }
}
