//! Time as an argument: whoever needs the hour takes a [`Clock`], so that tests own it.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Tells the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock; the only place that asks it.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// `2026-11-24T14:16:22Z`, to the second.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

/// How long ago `then` was at `now`, in the largest unit that says enough: `3 minutes ago`, `2 days ago`.
pub fn ago(then: OffsetDateTime, now: OffsetDateTime) -> String {
    let (n, unit) = since(then, now);
    let unit = match unit {
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
    };
    format!("{} ago", super::wording::count(n as usize, unit))
}

/// What [`ago`] counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

/// How many of the largest unit that says enough lie between `then` and `now`.
pub fn since(then: OffsetDateTime, now: OffsetDateTime) -> (u64, Unit) {
    let seconds = (now - then).whole_seconds().max(0).unsigned_abs();
    match seconds {
        0..=59 => (seconds, Unit::Second),
        60..=3599 => (seconds / 60, Unit::Minute),
        3600..=86_399 => (seconds / 3600, Unit::Hour),
        _ => (seconds / 86_400, Unit::Day),
    }
}

/// Reads RFC 3339, as somebody writes a moment.
pub fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// As [`moment`], of what the Engine says; its zero time (`0001-01-01T00:00:00Z`) and empty text are `None`.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    moment(text).filter(|at| at.year() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_their_largest_unit() {
        let now = parse("2026-11-24T12:00:00Z").unwrap();
        for (then, words) in [
            ("2026-11-24T11:59:59Z", "1 second ago"),
            ("2026-11-24T11:55:00Z", "5 minutes ago"),
            ("2026-11-24T09:00:00Z", "3 hours ago"),
            ("2026-11-20T12:00:00Z", "4 days ago"),
        ] {
            assert_eq!(ago(parse(then).unwrap(), now), words);
        }
        assert_eq!(parse("0001-01-01T00:00:00Z"), None);
    }
}
