//! Works: what was begun from elsewhere, how it goes, and its end.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::bare;
use crate::auth::who::{Identity, Operator, Viewer};
use crate::base::clock::rfc3339;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::works::Work;
use crate::web::Refusal;
use crate::web::events::{self, Held, Message};
use crate::web::list::{self, Page};
use crate::web::read::{Path, Query};

/// A long verb, as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Work)]
pub struct Shown {
    pub id: String,
    /// `up`, `down`, `apply`, ...
    verb: &'static str,
    /// Who asked, and how they had shown who they are: `ann (session)`.
    who: String,
    /// What would have to be typed for the same.
    command: String,
    began: String,
    #[schema(required)]
    ended: Option<String>,
    state: State_,
    /// The exit code that the command would have had.
    #[schema(required)]
    exit_code: Option<u8>,
    /// Somebody has cancelled it: what has begun is finished or taken back.
    cancelled: bool,
    /// Number of its last event so far.
    last_event: u64,
    /// Why it failed: an error as elsewhere.
    #[schema(required, value_type = Option<Object>)]
    error: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WorkState)]
pub enum State_ {
    Running,
    Done,
    Failed,
    Interrupted,
}

impl Shown {
    pub fn of(work: &Work) -> Shown {
        let end = work.end();
        Shown {
            id: work.id.clone(),
            verb: work.asked.verb,
            who: work.asked.who.clone(),
            command: work.asked.command.clone(),
            began: rfc3339(work.began),
            ended: end.as_ref().map(|end| rfc3339(end.at)),
            state: match end.as_ref().map(|end| end.outcome) {
                None => State_::Running,
                Some("done") => State_::Done,
                Some("interrupted") => State_::Interrupted,
                Some(_) => State_::Failed,
            },
            exit_code: end.as_ref().map(|end| end.code),
            cancelled: work.is_cancelled(),
            last_event: work.last(),
            error: end.and_then(|end| end.error),
        }
    }
}

crate::order! { By of Shown, true:
    Began "began" => |one| one.id.as_str().into(),
    Verb "verb" => |one| one.verb.into(),
    Who "who" => |one| one.who.as_str().into(),
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
    /// In which order.
    #[param(inline)]
    sort: Option<Sort>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<State_>,
    /// Only of this verb: `up`, `down`, `apply`, ...
    verb: Option<String>,
}

/// Works of this server: all that run, and the last fifty that have ended. What is final stands in the history.
#[utoipa::path(get, path = "/api/v1/works", params(Which), responses((status = 200, body = Page<Shown>)))]
pub async fn list(_: Viewer, State(api): State<Api>, Query(which): Query<Which>) -> Result<Json<Page<Shown>>, Refusal> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let all = api.works.list().into_iter().map(|work| Shown::of(&work));
    let fits = |one: &Shown| {
        which.state.is_none_or(|state| one.state == state) && which.verb.as_ref().is_none_or(|verb| one.verb == verb)
    };
    Ok(Json(asked.page(all.filter(fits).collect(), |one| one.id.clone())))
}

/// One work.
#[utoipa::path(get, path = "/api/v1/works/{id}", params(("id" = String, Path)), responses((status = 200, body = Shown)))]
pub async fn one(_: Viewer, State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Shown>, Refusal> {
    Ok(Json(Shown::of(&*find(&api, &id)?)))
}

/// Ends a work in order: what has begun is finished or taken back, nothing new begins. Of one that has ended nothing changes.
#[utoipa::path(post, path = "/api/v1/works/{id}/cancel", params(("id" = String, Path)), responses((status = 200, body = Shown)))]
pub async fn cancel(_: Operator, State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Shown>, Refusal> {
    let work = find(&api, &id)?;
    work.cancel();
    Ok(Json(Shown::of(&work)))
}

/// Where to begin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct From_ {
    /// The number of the last event that is known already; the header `Last-Event-ID` counts before it.
    after: Option<u64>,
}

/// The events of a work from any of them on, until its end: server-sent events whose ids are their numbers. `missed` says that older ones are forgotten.
#[utoipa::path(get, path = "/api/v1/works/{id}/events", params(("id" = String, Path), From_),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn events(
    who: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(from): Query<From_>,
    headers: HeaderMap,
    held: Held,
) -> Result<Response, Refusal> {
    let work = find(&api, &id)?;
    let said = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let after = said.or(from.after).unwrap_or(0);
    let messages = stream::unfold(Some(((*who).clone(), work, after, Vec::new().into_iter())), next);
    Ok(events::answer(messages, held, api.end_of(&who)))
}

type Watching = Option<(Identity, Arc<Work>, u64, std::vec::IntoIter<Message>)>;

async fn next(state: Watching) -> Option<(Message, Watching)> {
    let (who, work, mut after, mut ready) = state?;
    let mut watch = work.watch();
    loop {
        if let Some(message) = ready.next() {
            after = message.id.unwrap_or(after);
            return Some((message, Some((who, work, after, ready))));
        }
        // Seen before the look: what comes after it wakes.
        watch.borrow_and_update();
        let (events, ended) = work.after(after);
        if events.is_empty() && ended {
            return None;
        }
        let gap = events.first().map(|first| first.number).filter(|first| *first > after + 1);
        let missed = gap.map(|first| Message {
            id: None,
            name: "missed".into(),
            data: format!("{{\"event\":\"missed\",\"from\":{},\"to\":{}}}", after + 1, first - 1).into(),
        });
        let all =
            events.into_iter().map(|e| Message { id: Some(e.number), name: e.name, data: bare::event(e.data, &who) });
        ready = missed.into_iter().chain(all).collect::<Vec<_>>().into_iter();
        if ready.len() == 0 && watch.changed().await.is_err() {
            return None;
        }
    }
}

fn find(api: &Api, id: &str) -> Result<Arc<Work>, Diagnostic> {
    api.works.get(id).ok_or_else(|| {
        let d = Diagnostic::error("works.unknown", "this server knows no such work").kind(Kind::NotFound);
        d.hint("how those ended that it knows no longer is in the audit log: GET /api/v1/audit?action=works.end")
    })
}
