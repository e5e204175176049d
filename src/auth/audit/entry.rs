//! One entry, and the note that becomes one.

use std::str::FromStr;

use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::base::clock;
use crate::base::secret::is_secret_name;
use crate::store::FromRow;

/// What of a text is kept, in characters; of the details as JSON, in bytes.
const LONGEST: usize = 300;
const MOST: usize = 4000;

/// Bytes of an entry without its texts: numbers, hash, and what a database adds to a row.
pub(super) const BARE: usize = 180;

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Entry {
    /// 1 for the first, without gaps.
    pub seq: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// [`Author::kind`].
    pub kind: String,
    pub who: String,
    pub user_id: Option<i64>,
    /// The real peer's address, or `terminal`.
    pub source: String,
    /// What was done: `users.create`, `hearth up`.
    pub action: String,
    /// On what: a path, a command line.
    pub object: String,
    /// [`Outcome::word`].
    pub outcome: String,
    /// Milliseconds.
    pub took: i64,
    /// The id of the request that the log has too; empty where there was none.
    pub request: String,
    /// JSON.
    pub detail: String,
    /// SHA-256 over all of it and the hash before, in hex.
    pub hash: String,
}

/// What came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Done,
    /// It goes on behind the answer; an entry of its own tells how it ended.
    Begun,
    /// By permission, limit or rule.
    Refused,
    Failed,
}

impl Outcome {
    pub const ALL: [Outcome; 4] = [Outcome::Done, Outcome::Begun, Outcome::Refused, Outcome::Failed];

    pub fn word(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Begun => "begun",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }
}

impl FromStr for Outcome {
    type Err = ();

    fn from_str(text: &str) -> Result<Outcome, ()> {
        Outcome::ALL.into_iter().find(|outcome| outcome.word() == text).ok_or(())
    }
}

/// Who it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Author {
    /// By a session or as a program that has logged in.
    User { id: i64, name: String },
    /// By an API token of that user; the token's public id.
    Token { id: i64, name: String, token: String },
    /// The command line; who and where in words.
    Terminal(String),
    /// Hearth itself.
    System,
    /// Somebody who has not shown who they are.
    Nobody,
}

impl Author {
    pub const KINDS: [&str; 5] = ["user", "token", "terminal", "system", "nobody"];

    pub fn kind(&self) -> &'static str {
        match self {
            Author::User { .. } => "user",
            Author::Token { .. } => "token",
            Author::Terminal(_) => "terminal",
            Author::System => "system",
            Author::Nobody => "nobody",
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Author::User { name, .. } | Author::Token { name, .. } | Author::Terminal(name) => name,
            Author::System | Author::Nobody => "",
        }
    }

    pub(super) fn user(&self) -> Option<i64> {
        match self {
            Author::User { id, .. } | Author::Token { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// What is to be entered.
#[derive(Debug, Clone)]
pub struct Note {
    pub at: OffsetDateTime,
    pub who: Author,
    pub source: String,
    pub action: String,
    pub object: String,
    pub outcome: Outcome,
    pub took: std::time::Duration,
    pub request: String,
    /// An object, or null. Values under names that look secret are left out, whoever put them there.
    pub detail: Value,
}

impl Note {
    /// Something that Hearth did by itself.
    pub fn of_system(at: OffsetDateTime, action: &str, object: &str, detail: Value) -> Note {
        Note {
            at,
            who: Author::System,
            source: String::new(),
            action: action.into(),
            object: object.into(),
            outcome: Outcome::Done,
            took: std::time::Duration::ZERO,
            request: String::new(),
            detail,
        }
    }

    /// The entry behind `before`, without its hash.
    pub(super) fn entry(&self, before: i64) -> Entry {
        let mut detail = if self.detail.is_null() { json!({}) } else { self.detail.clone() };
        if let (Author::Token { token, .. }, Some(detail)) = (&self.who, detail.as_object_mut()) {
            detail.insert("by".into(), json!(format!("token {token}")));
        }
        without_secrets(&mut detail);
        let mut text = detail.to_string();
        if text.len() > MOST {
            text = json!({"left out": format!("{} bytes of details", text.len())}).to_string();
        }
        Entry {
            seq: before + 1,
            at: milliseconds(self.at),
            kind: self.who.kind().into(),
            who: kept(self.who.name()),
            user_id: self.who.user(),
            source: kept(&self.source),
            action: kept(&self.action),
            object: kept(&self.object),
            outcome: self.outcome.word().into(),
            took: i64::try_from(self.took.as_millis()).unwrap_or(i64::MAX),
            request: kept(&self.request),
            detail: text,
            hash: String::new(),
        }
    }
}

impl Entry {
    /// `2026-11-26T17:00:00.123Z`.
    pub fn time(&self) -> String {
        words(self.at)
    }

    /// Bytes that it counts for: as `sql::beyond` does.
    pub(super) fn size(&self) -> usize {
        let texts = [&self.who, &self.source, &self.action, &self.object, &self.request, &self.detail];
        BARE + texts.map(String::len).iter().sum::<usize>()
    }

    /// As `--json`, exports and the API show it.
    pub fn json(&self) -> Value {
        serde_json::to_value(Shown::from(self)).unwrap_or_default()
    }
}

/// An entry as programs see it.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct Shown {
    /// 1 for the first, without gaps.
    pub seq: i64,
    /// RFC 3339, to the millisecond.
    pub time: String,
    /// `user`, `token`, `terminal`, `system` or `nobody`.
    pub kind: String,
    /// The name of whoever it was; empty for `system` and `nobody`.
    pub who: String,
    /// The account behind it.
    #[schema(required)]
    pub user: Option<i64>,
    /// The connection's address, or `terminal`.
    pub from: String,
    /// `users.add`, `hearth up`.
    pub action: String,
    /// A path, a command line.
    pub object: String,
    /// `done`, `begun` (an entry `works.end` tells how it ended), `refused` or `failed`.
    pub outcome: String,
    /// How long it took.
    pub ms: i64,
    /// The id of the request, as the log and the answer have it.
    pub request: String,
    /// What exactly was done, without secrets.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// SHA-256 over all of it and the hash of the entry before.
    pub hash: String,
}

impl From<&Entry> for Shown {
    fn from(entry: &Entry) -> Shown {
        Shown {
            seq: entry.seq,
            time: entry.time(),
            kind: entry.kind.clone(),
            who: entry.who.clone(),
            user: entry.user_id,
            from: entry.source.clone(),
            action: entry.action.clone(),
            object: entry.object.clone(),
            outcome: entry.outcome.clone(),
            ms: entry.took,
            request: entry.request.clone(),
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
            hash: entry.hash.clone(),
        }
    }
}

/// A time of the database as RFC 3339, to the millisecond.
pub fn words(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    at.map(|at| clock::rfc3339(at).replace('Z', &format!(".{:03}Z", ms.rem_euclid(1000)))).unwrap_or_default()
}

/// As the database has times.
pub fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// A text in one line and of bounded length: what somebody sent must not look like another entry wherever it is shown. PostgreSQL stores no NUL.
fn kept(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c });
    shown.take(LONGEST).collect()
}

fn without_secrets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    Value::String(_) | Value::Number(_) if is_secret_name(name) => *value = json!("(hidden)"),
                    _ => without_secrets(value),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(without_secrets),
        _ => {}
    }
}
