//! The audit log: all of it for admins, one's own acts for everybody else.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, Schema};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use crate::auth::Auth;
use crate::auth::audit::entry::Shown;
use crate::auth::audit::filter::{self, Words};
use crate::auth::audit::{Author, Entry, Filter, Log, Outcome, export, verify};
use crate::auth::table::Doorkeeper;
use crate::auth::who::{Admin, By, Identity, Role, User};
use crate::diag::{Diagnostic, Kind};
use crate::web::list::{self, Page};
use crate::web::read;

macro_rules! asked {
    ($(#[$doc:meta])* $name:ident { $($more:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// What did it.
            #[param(schema_with = kinds)]
            pub kind: Option<String>,
            /// The name of whoever did it; here and in every text a `*` at the end stands for any ending.
            pub who: Option<String>,
            /// The account that did it; whoever is no admin can ask for their own only.
            pub user: Option<i64>,
            /// The address that it came from, or `terminal`.
            pub from: Option<String>,
            /// What was done, as `users.*`.
            pub action: Option<String>,
            /// What it was done to: a path, a command line.
            pub object: Option<String>,
            /// How it ended.
            #[param(schema_with = outcomes)]
            pub outcome: Option<String>,
            /// The id of the request, as the answer's `x-request-id` has it.
            pub request: Option<String>,
            /// From this time on: `2026-11-26`, `2026-11-26T17:00:00Z`, or how long ago, as `24h`.
            #[param(schema_with = since)]
            pub since: Option<String>,
            /// Before this time.
            #[param(schema_with = until)]
            pub until: Option<String>,
            /// Took at least so many milliseconds.
            pub longer: Option<i64>,
            /// Stands somewhere in it: a name, a path, a command.
            pub search: Option<String>,
            /// About this service.
            pub service: Option<String>,
            $($more)*
        }

        impl $name {
            /// What of the log is meant, and may be seen.
            fn filter(&self, who: &Identity, now: i64) -> Result<Filter, Diagnostic> {
                let words = Words {
                    kind: self.kind.clone(),
                    who: self.who.clone(),
                    user: self.user,
                    from: self.from.clone(),
                    action: self.action.clone(),
                    object: self.object.clone(),
                    outcome: self.outcome.clone(),
                    request: self.request.clone(),
                    since: self.since.clone(),
                    until: self.until.clone(),
                    longer: self.longer,
                    search: self.search.clone(),
                    service: self.service.clone(),
                };
                seen_by(who, words.read(now)?, self.who.as_deref())
            }
        }
    };
}

fn words<'a>(about: &str, words: impl IntoIterator<Item = &'a str>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).enum_values(Some(words)).build().into()
}

fn kinds() -> Schema {
    words("What did it.", Author::KINDS)
}

fn outcomes() -> Schema {
    words("How it ended.", Outcome::ALL.map(Outcome::word))
}

fn since() -> Schema {
    point("From this time on: `2026-11-26`, `2026-11-26T17:00:00Z`, or how long ago, as `24h`.")
}

fn until() -> Schema {
    point("Before this time, written as `since` is.")
}

/// What [`filter::time`] reads.
fn point(about: &str) -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let known = |format| text().format(Some(SchemaFormat::KnownFormat(format)));
    AnyOfBuilder::new()
        .description(Some(about))
        .item(known(KnownFormat::Date))
        .item(known(KnownFormat::DateTime))
        .item(text().pattern(Some(filter::AGO)))
        .build()
        .into()
}

asked! {
    /// Which entries.
    Which {
        /// At most so many, 1 to 200.
        #[param(minimum = 1, maximum = 200, default = 50)]
        pub limit: Option<u16>,
        /// `next` of the page before.
        pub after: Option<String>,
    }
}

asked! {
    /// Which entries, and as what.
    Taken {
        /// `jsonl` (one JSON object a line) or `csv`.
        #[param(inline)]
        format: Format,
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AuditFormat)]
pub enum Format {
    #[default]
    Jsonl,
    Csv,
}

/// Whether a name that is asked for is somebody's own; with a `*` at its end, that it begins so.
fn is_own(asked: &str, who: &Identity) -> bool {
    match asked.strip_suffix('*') {
        Some(begin) => who.name.starts_with(begin),
        None => who.name == asked,
    }
}

/// Only an admin sees what others did; with a token only where that is one for an admin's calls.
fn seen_by(who: &Identity, filter: Filter, name: Option<&str>) -> Result<Filter, Diagnostic> {
    let scoped = match &who.by {
        By::Token { scopes, .. } => scopes.iter().any(|scope| scope == "admin"),
        _ => true,
    };
    match filter.user {
        _ if who.role == Role::Admin && scoped => Ok(filter),
        Some(other) if other != who.user => {
            Err(of_others("user", &format!("the account {other}"), &who.user.to_string()))
        }
        _ if name.is_some_and(|name| !is_own(name, who)) => {
            Err(of_others("who", "somebody of another name", &who.name))
        }
        _ => Ok(Filter { user: Some(who.user), ..filter }),
    }
}

fn of_others(field: &'static str, whose: &str, own: &str) -> Diagnostic {
    let title = format!("what {whose} did is for admins, and you see your own acts");
    let hint = format!("leave `{field}` out, or ask for {own}; an admin's token has to have the scope `admin`");
    Diagnostic::error("auth.not-allowed", title).kind(Kind::Denied).field(field).hint(hint)
}

/// List what was done and refused, the newest first
///
/// An admin sees all of it, everybody else their own acts.
#[utoipa::path(get, path = "/api/v1/audit", params(Which), responses((status = 200, body = Page<Shown>)))]
pub async fn list(
    who: User,
    State(log): State<Log>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<Shown>>, Refused> {
    let limit = list::limit(which.limit)?;
    let before: Option<i64> = list::key(which.after.as_deref())?;
    let found = log.list(&which.filter(&who, log.now())?, before, limit + 1).await?;
    Ok(Json(Page::of(found, limit, |entry| entry.seq).map(|entry| Shown::from(&entry))))
}

/// Take entries out, the oldest first, as JSON lines or CSV
///
/// It gives those that there are as it begins. Texts that a program for tables would take for a formula have an apostrophe before them in the CSV.
#[utoipa::path(get, path = "/api/v1/audit/export", params(Taken),
    responses((status = 200, content((Shown = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn take(
    who: User,
    State(log): State<Log>,
    State(auth): State<Arc<Auth>>,
    read::Query(taken): read::Query<Taken>,
) -> Result<Response, Refused> {
    let filter = taken.filter(&who, log.now())?;
    let last = log.last().await?;
    let (kind, line, header): (&str, fn(&Entry) -> String, &str) = match taken.format {
        Format::Jsonl => ("application/x-ndjson", export::json_line, ""),
        Format::Csv => ("text/csv; charset=utf-8; header=present", export::csv_line, export::HEADER),
    };
    let named = match taken.format {
        Format::Jsonl => "attachment; filename=\"audit.jsonl\"",
        Format::Csv => "attachment; filename=\"audit.csv\"",
    };
    let who = Arc::new((*who).clone());
    let parts = stream::try_unfold((0, Some(header)), move |(after, header)| {
        let (log, auth, filter, who) = (log.clone(), auth.clone(), filter.clone(), who.clone());
        async move {
            let found = log.part(&filter, after, last).await.map_err(|told| std::io::Error::other(told.title))?;
            // Each part is for who may have it then: what has begun to be taken ends with the rights of who takes it.
            if Doorkeeper::still(&*auth, &who).await != Some(true) {
                return Err(std::io::Error::other("whoever asked for it is not signed in any more"));
            }
            let Some(end) = found.last().map(|entry| entry.seq) else {
                // Of nothing there is the header still.
                return Ok(header.filter(|h| !h.is_empty()).map(|h| (Bytes::from(h), (last, None))));
            };
            let mut text = header.unwrap_or_default().to_owned();
            found.iter().for_each(|entry| text.push_str(&line(entry)));
            Ok(Some((Bytes::from(text), (end, None))))
        }
    });
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, Body::from_stream(parts)).into_response())
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Noted {
    /// `NUMBER:HASH`, as an earlier look gave them: also that this entry has this hash.
    #[param(schema_with = noted)]
    noted: Option<String>,
}

fn noted() -> Schema {
    let about = "`NUMBER:HASH`, as an earlier look gave them: also that this entry has this hash.";
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about));
    text.pattern(Some(verify::NOTED)).build().into()
}

/// What a look at the whole chain has found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerified)]
pub struct Looked {
    /// Every entry is as it was written, and none is gone.
    pub sound: bool,
    /// The first thing that is not.
    #[schema(required)]
    pub broken: Option<String>,
    /// The first and the last number, where it is sound.
    #[schema(required)]
    pub first: Option<i64>,
    #[schema(required)]
    pub last: Option<i64>,
    /// The last one's hash: written down elsewhere it shows later that nothing before it was changed.
    #[schema(required)]
    pub hash: Option<String>,
    /// The entry that was noted has the hash that was noted; false where it was cut off with what is old, and nothing can be said of it.
    #[schema(required)]
    pub noted: Option<bool>,
}

/// Look whether every entry is as it was written, and none is gone
#[utoipa::path(get, path = "/api/v1/audit/verify", params(Noted), responses((status = 200, body = Looked)))]
pub async fn look(
    _: Admin,
    State(log): State<Log>,
    read::Query(noted): read::Query<Noted>,
) -> Result<Json<Looked>, Refused> {
    let noted = noted.noted.as_deref().map(verify::noted).transpose()?;
    Ok(Json(match log.verify(noted).await? {
        Ok(sound) => Looked {
            sound: true,
            broken: None,
            first: Some(sound.first),
            last: Some(sound.last),
            noted: noted.map(|(seq, _)| sound.has(seq)),
            hash: Some(sound.hash),
        },
        Err(broken) => {
            Looked { sound: false, broken: Some(broken.to_string()), first: None, last: None, hash: None, noted: None }
        }
    }))
}
