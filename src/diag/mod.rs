//! Every refusal and warning as data: what is wrong, where, what was expected, and a way out.
//!
//! The terminal, JSON and (later) HTML are views of one [`Diagnostic`]. [`Kind`] is the single table from a mistake
//! to an exit code and an HTTP status.

mod hide;
mod log;
pub mod source;
pub mod text;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

pub use log::{log, log_untold};
pub use source::{FileId, Sources, Span};

/// A stable name such as `compose.unknown-key`. Each is explained in `docs/errors.md` (held by `tests/tidy.rs`).
pub type Code = &'static str;

/// What sort of refusal: decides exit code and HTTP status, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Failed,
    Invalid,
    NotFound,
    /// Nobody has shown who they are, or what was shown does not hold.
    Unauthenticated,
    Denied,
    /// Too often, or too much at once: later it will be taken.
    TooMany,
    Conflict,
    Unavailable,
    Bug,
    Interrupted,
}

impl Kind {
    /// Process exit code (DESIGN section 7).
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Invalid => 2,
            Kind::NotFound => 3,
            Kind::Unauthenticated | Kind::Denied => 4,
            Kind::Conflict => 5,
            Kind::Unavailable | Kind::TooMany => 6,
            Kind::Bug => 70,
            Kind::Interrupted => 130,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Warning,
    Error,
}

/// A line to show, without values whose names say that they are secret, and without passwords in addresses.
pub fn hidden(line: &str) -> String {
    hide::hide(line).text
}

/// One thing to tell a person. `title` is a sentence without a final stop; it never holds a secret's value. Whoever asks over the network may be told all of
/// it but `inside`.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    pub code: Code,
    pub kind: Kind,
    pub severity: Severity,
    pub title: String,
    /// What only the machine's owner is told behind the title, in the terminal and the log: where a database is, and its own words.
    pub inside: Option<String>,
    pub place: Option<Span>,
    /// The field's path, as `services.web.ports[0]`, where there is one.
    pub field: Option<String>,
    /// Other places that matter, each with its part in the story ("first defined here").
    pub related: Vec<(Span, String)>,
    /// What would have been right, and what to do next. Each a sentence.
    pub hints: Vec<String>,
    /// Seconds after which the same would be taken, where that is known.
    pub retry: Option<u64>,
}

impl Diagnostic {
    pub fn error(code: Code, title: impl Into<String>) -> Self {
        Diagnostic {
            code,
            kind: Kind::Invalid,
            severity: Severity::Error,
            title: title.into(),
            inside: None,
            place: None,
            field: None,
            related: Vec::new(),
            hints: Vec::new(),
            retry: None,
        }
    }
    pub fn warning(code: Code, title: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, title) }
    }
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
    pub fn at(mut self, place: impl Into<Option<Span>>) -> Self {
        self.place = place.into();
        self
    }
    /// As [`Diagnostic::at`], where there is no place yet.
    pub fn or_at(mut self, place: impl Into<Option<Span>>) -> Self {
        self.place = self.place.or(place.into());
        self
    }
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }
    pub fn inside(mut self, words: impl Into<String>) -> Self {
        self.inside = Some(words.into());
        self
    }
    /// The title with what is told inside the machine only.
    pub fn whole(&self) -> Cow<'_, str> {
        match &self.inside {
            Some(inside) => Cow::Owned(format!("{} ({inside})", self.title)),
            None => Cow::Borrowed(&self.title),
        }
    }
    pub fn related(mut self, place: Span, story: impl Into<String>) -> Self {
        self.related.push((place, story.into()));
        self
    }
    pub fn retry(mut self, seconds: u64) -> Self {
        self.retry = Some(seconds);
        self
    }
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Several diagnostics, in the order found. Holding an error means the work they belong to has no result.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }
    /// The exit code of the gravest: the first error's kind decides.
    pub fn exit_code(&self) -> u8 {
        self.0.iter().find(|d| d.severity == Severity::Error).map_or(0, |d| d.kind.exit_code())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

/// As whoever asks over the network is told; the log has [`Diagnostic::whole`].
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}
impl std::error::Error for Diagnostic {}
