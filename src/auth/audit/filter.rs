//! Which entries are meant: every field can be asked for.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Author, Outcome};
use crate::base::wording;
use crate::diag::Diagnostic;

/// What a text field has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    Is(String),
    Begins(String),
}

impl Text {
    /// As a person writes it: a `*` at the end stands for any ending.
    pub fn read(text: &str) -> Text {
        match text.strip_suffix('*') {
            Some(begins) => Text::Begins(begins.to_owned()),
            None => Text::Is(text.to_owned()),
        }
    }

    pub fn words(&self) -> &str {
        match self {
            Text::Is(text) | Text::Begins(text) => text,
        }
    }
}

/// All of what is set has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of [`Author::KINDS`].
    pub kind: Option<String>,
    pub who: Option<Text>,
    pub user: Option<i64>,
    pub source: Option<Text>,
    pub action: Option<Text>,
    pub object: Option<Text>,
    pub outcome: Option<Outcome>,
    pub request: Option<Text>,
    /// From this time on, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
    /// Took at least so many milliseconds.
    pub longer: Option<i64>,
    /// Stands somewhere in it, in capitals or small letters.
    pub search: Option<String>,
    /// The service that it was about.
    pub service: Option<String>,
}

/// A filter as a person or a program writes it, field by field.
#[derive(Debug, Clone, Default)]
pub struct Words {
    pub kind: Option<String>,
    pub who: Option<String>,
    pub user: Option<i64>,
    pub from: Option<String>,
    pub action: Option<String>,
    pub object: Option<String>,
    pub outcome: Option<String>,
    pub request: Option<String>,
    pub since: Option<String>,
    pub until: Option<String>,
    pub longer: Option<i64>,
    pub search: Option<String>,
    pub service: Option<String>,
}

impl Words {
    /// What they mean at `now`, in milliseconds since 1970.
    pub fn read(&self, now: i64) -> Result<Filter, Diagnostic> {
        let text = |text: &Option<String>| text.as_deref().map(Text::read);
        let point = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| time(text, now).map_err(|d| d.field(field))).transpose()
        };
        Ok(Filter {
            kind: self.kind.as_deref().map(kind).transpose()?,
            who: text(&self.who),
            user: self.user,
            source: text(&self.from),
            action: text(&self.action),
            object: text(&self.object),
            outcome: self.outcome.as_deref().map(outcome).transpose()?,
            request: text(&self.request),
            since: point("since", &self.since)?,
            until: point("until", &self.until)?,
            longer: self.longer,
            search: self.search.clone(),
            service: self.service.clone(),
        })
    }
}

/// A kind that there is.
pub fn kind(text: &str) -> Result<String, Diagnostic> {
    match Author::KINDS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(unknown("kind", text, &Author::KINDS)),
    }
}

pub fn outcome(text: &str) -> Result<Outcome, Diagnostic> {
    text.parse().map_err(|()| unknown("outcome", text, &Outcome::ALL.map(Outcome::word)))
}

fn unknown(what: &str, text: &str, known: &[&str]) -> Diagnostic {
    Diagnostic::error("audit.bad-filter", format!("`{text}` is no {what} of an entry"))
        .field(what)
        .hint(format!("there are {}", wording::list(known)))
}

/// How long ago, as [`time`] reads it beside a date and a time: the longest that it is written reaches beyond the first year.
pub const AGO: &str = "^[0-9]{1,9}[smhd]$";

/// A point in time as a person writes it, in milliseconds since 1970: `2026-11-26`, `2026-11-26T17:00:00Z`, or how long before `now`: `30m`, `24h`, `7d`.
pub fn time(text: &str, now: i64) -> Result<i64, Diagnostic> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let each: i64 = match unit {
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let digits = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        let number: i64 = if digits { number.parse().ok()? } else { return None };
        now.checked_sub(number * each)
    };
    // Any year that RFC 3339 can write.
    let point = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let point = point(text).or_else(|| point(&format!("{text}T00:00:00Z")));
    point.map(super::entry::milliseconds).or_else(ago).ok_or_else(|| {
        Diagnostic::error("audit.bad-filter", format!("`{text}` is no point in time"))
            .hint("write 2026-11-26, 2026-11-26T17:00:00Z, or how long ago: 30m, 24h, 7d")
    })
}
