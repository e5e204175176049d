//! What containers wrote: the last lines as JSON, or all as they come.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, Schema};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::containers::{failed, find, told};
use crate::auth::who::Viewer;
use crate::diag::Diagnostic;
use crate::engine::EngineError;
use crate::engine::streams::{LogLine, LogOptions};
use crate::stacks::cli::logs::since;
use crate::web::Refusal;
use crate::web::events::{self, Held, Message};
use crate::web::read::{Path, Query};

/// Bytes of one line that are shown, and of all lines of one answer.
const LINE: usize = 16 << 10;
const ALL: usize = 4 << 20;

/// A line that a container wrote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub struct Line {
    /// RFC 3339.
    #[schema(required)]
    pub at: Option<String>,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// What is no UTF-8 is replaced. It may hold escape sequences for terminals.
    pub text: String,
}

impl Line {
    fn of(line: LogLine) -> Line {
        let text = &line.text[..line.text.len().min(LINE)];
        Line {
            at: line.at,
            stream: if line.stderr { "stderr" } else { "stdout" },
            text: String::from_utf8_lossy(text).into_owned(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// There were more than are shown: ask for fewer with `tail`, or from later on with `since`.
    pub cut: bool,
}

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// A project that this home has adopted; none is the home's own.
    pub project: Option<String>,
    /// Only so many of the last lines.
    #[param(minimum = 0, maximum = 10000, default = 100)]
    pub tail: Option<u16>,
    /// From when on: RFC 3339, or as long ago as `10m`, `1h30m`. Empty: from the beginning.
    #[param(schema_with = since_schema)]
    pub since: Option<String>,
}

/// Lines of one answer.
const MOST: u16 = 10_000;

/// How long ago, as `since` takes it: hours, minutes and seconds.
const AGO: &str = "^(?:[0-9]{1,5}h)?(?:[0-9]{1,5}m)?(?:[0-9]{1,5}s)?$";

fn since_schema() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let moment = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let about = "From when on: RFC 3339, or as long ago as `10m`, `1h30m`. Empty: from the beginning.";
    AnyOfBuilder::new().description(Some(about)).item(text().pattern(Some(AGO))).item(moment).into()
}

/// As [`since_schema`] describes it; the command line takes some more.
fn moment(text: &str, now: OffsetDateTime) -> Result<String, Diagnostic> {
    static AGO_: LazyLock<Option<regex::Regex>> = LazyLock::new(|| regex::Regex::new(AGO).ok());
    let ago = AGO_.as_ref().is_some_and(|ago| ago.is_match(text));
    match ago || crate::base::clock::moment(text).is_some() {
        true => since(text, now).map_err(|d| d.field("since")),
        false => Err(Diagnostic::error("cli.bad-value", "`since` is no time")
            .field("since")
            .hint("it is a moment as 2026-11-24T12:00:00Z, or as long ago as 10m or 1h30m")),
    }
}

impl Which {
    fn options(&self, api: &Api, follow: bool) -> Result<LogOptions, Response> {
        let now = api.works.setting().clock.now();
        let when = self.since.as_deref().filter(|when| !when.is_empty());
        let since = when.map(|when| moment(when, now)).transpose().map_err(|d| Refusal(d).within("query"))?;
        let tail = self.tail.unwrap_or(100);
        if tail > MOST {
            let d = Diagnostic::error("cli.bad-value", format!("`tail` is {MOST} lines at most"));
            let d = d.field("tail").hint("for more of them follow the log, or ask `hearth logs`");
            return Err(Refusal(d).within("query"));
        }
        Ok(LogOptions { follow, tail: Some(u64::from(tail)), since, until: None, timestamps: true })
    }
}

/// Lines of a container as they come, for whoever has the permission; `None`: all that there are, and no more.
pub async fn lines(
    _: &Viewer,
    api: &Api,
    id: &str,
    project: Option<&str>,
    which: Option<&Which>,
) -> Result<impl Stream<Item = Result<Line, EngineError>> + Send + Unpin + use<>, Response> {
    let options = match which {
        Some(which) => which.options(api, true)?,
        None => LogOptions { timestamps: true, ..LogOptions::default() },
    };
    let (engine, found) = find(api, project, id).await?;
    let log = engine.logs(&found.id, &options).await.map_err(told)?;
    Ok(log.map(|line| line.map(Line::of)))
}

/// The last lines of a container.
#[utoipa::path(get, path = "/api/v1/containers/{id}/logs", params(("id" = String, Path), Which), responses((status = 200, body = Lines)))]
pub async fn last(
    _: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Lines>, Response> {
    let options = which.options(&api, false)?;
    let (engine, found) = find(&api, which.project.as_deref(), &id).await?;
    let mut log = engine.logs(&found.id, &options).await.map_err(told)?;
    let (mut lines, mut bytes, mut cut) = (Vec::new(), 0, false);
    while let Some(line) = log.next().await {
        let line = Line::of(line.map_err(told)?);
        bytes += line.text.len();
        if bytes > ALL {
            cut = true;
            break;
        }
        lines.push(line);
    }
    Ok(Json(Lines { lines, cut }))
}

/// The last lines of a container, and then those that come: server-sent events named `line`.
#[utoipa::path(get, path = "/api/v1/containers/{id}/logs/stream", params(("id" = String, Path), Which),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn follow(
    who: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    held: Held,
) -> Result<Response, Response> {
    let options = which.options(&api, true)?;
    let (engine, found) = find(&api, which.project.as_deref(), &id).await?;
    let log = engine.logs(&found.id, &options).await.map_err(told)?;
    let message = |line: Result<LogLine, _>| match line {
        Ok(line) => {
            let data = serde_json::to_string(&Line::of(line)).unwrap_or_default();
            Message { id: None, name: "line".into(), data: data.into() }
        }
        Err(error) => failed(&error),
    };
    Ok(events::answer(log.map(message), held, api.end_of(&who)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_how_long_ago() {
        for (text, taken) in [
            ("10m", true),
            ("1h30m", true),
            ("2026-11-24T12:00:00Z", true),
            ("2026-11-24T12:00:00+01:00", true),
            ("m", false),
            ("30m1h", false),
            ("1732449600", false),
            ("10m\n", false),
            ("yesterday", false),
            ("999999h", false),
        ] {
            assert_eq!(
                moment(text, OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000)).is_ok(),
                taken,
                "{text:?}"
            );
        }
    }
}
