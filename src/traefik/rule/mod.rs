//! Traefik's rule language, version 3: what a request or connection must be like for a router to take it.
//!
//! [`parse`] reads a rule as Traefik 3.7 does (it borrows Go's expressions: `&&` binds stronger than `||`, texts stand in backticks or
//! in double quotes), counts arguments, and checks what they say. A parsed rule prints itself canonically, and tells which hosts and
//! paths it can reach ([`reach`]).

mod check;
mod lexer;
mod parser;
pub mod reach;

use std::fmt;

pub use parser::parse;
pub use reach::{Host, Path, Reach};

/// Which muxer reads the rule: its matchers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Tcp,
}

/// A rule as a tree. An [`Rule::All`] holds no other `All`, an [`Rule::Any`] no other `Any`, a [`Rule::Not`] no other `Not`; both
/// lists hold two rules at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    Is(Matcher),
    Not(Box<Rule>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

/// `Host` and its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    pub name: Name,
    /// At least one, none empty.
    pub arguments: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Host,
    HostRegexp,
    Path,
    PathPrefix,
    PathRegexp,
    Method,
    Header,
    HeaderRegexp,
    Query,
    QueryRegexp,
    ClientIp,
    HostSni,
    HostSniRegexp,
    Alpn,
}

/// A matcher's row: its name as Traefik writes it, the muxers that know it, how few and how many arguments it takes.
struct Row(Name, &'static str, &'static [Protocol], usize, usize);

const HTTP: &[Protocol] = &[Protocol::Http];
const TCP: &[Protocol] = &[Protocol::Tcp];
const ROWS: [Row; 14] = [
    Row(Name::Host, "Host", HTTP, 1, 1),
    Row(Name::HostRegexp, "HostRegexp", HTTP, 1, 1),
    Row(Name::Path, "Path", HTTP, 1, 1),
    Row(Name::PathPrefix, "PathPrefix", HTTP, 1, 1),
    Row(Name::PathRegexp, "PathRegexp", HTTP, 1, 1),
    Row(Name::Method, "Method", HTTP, 1, 1),
    Row(Name::Header, "Header", HTTP, 2, 2),
    Row(Name::HeaderRegexp, "HeaderRegexp", HTTP, 2, 2),
    Row(Name::Query, "Query", HTTP, 1, 2),
    Row(Name::QueryRegexp, "QueryRegexp", HTTP, 1, 2),
    Row(Name::ClientIp, "ClientIP", &[Protocol::Http, Protocol::Tcp], 1, 1),
    Row(Name::HostSni, "HostSNI", TCP, 1, 1),
    Row(Name::HostSniRegexp, "HostSNIRegexp", TCP, 1, 1),
    Row(Name::Alpn, "ALPN", TCP, 1, 1),
];

impl Name {
    pub fn text(self) -> &'static str {
        ROWS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// Why a rule is none: a sentence without a final stop, and where in the text it happens (in characters, from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    pub at: usize,
    pub title: String,
    pub hint: Option<String>,
}

impl RuleError {
    fn new(at: usize, title: impl Into<String>) -> RuleError {
        RuleError { at, title: title.into(), hint: None }
    }
    fn hint(mut self, hint: impl Into<String>) -> RuleError {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name.text())?;
        for (i, argument) in self.arguments.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            match argument.contains(['`', '\r']) {
                false => write!(f, "{comma}`{argument}`")?,
                true => write!(f, "{comma}{}", quoted(argument))?,
            }
        }
        f.write_str(")")
    }
}

/// In double quotes, where backticks cannot hold a text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, rules: &[Rule], sign: &str, bracket: fn(&Rule) -> bool| {
            for (i, rule) in rules.iter().enumerate() {
                f.write_str(if i > 0 { sign } else { "" })?;
                match bracket(rule) {
                    true => write!(f, "({rule})")?,
                    false => write!(f, "{rule}")?,
                }
            }
            Ok(())
        };
        match self {
            Rule::Is(matcher) => write!(f, "{matcher}"),
            Rule::Not(rule) => match **rule {
                Rule::Is(_) => write!(f, "!{rule}"),
                _ => write!(f, "!({rule})"),
            },
            Rule::All(rules) => all(f, rules, " && ", |rule| matches!(rule, Rule::Any(_))),
            Rule::Any(rules) => all(f, rules, " || ", |_| false),
        }
    }
}

#[cfg(test)]
mod tests;
