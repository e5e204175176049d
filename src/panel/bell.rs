//! What happened while nobody looked, with the bell that counts it.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::form::Fields;
use super::refusal;
use super::shell::Shell;
use super::words::{Mark, Moment};
use super::{Panel, page};
use crate::auth::table::guard::As;
use crate::auth::who::User;
use crate::notices::Notices;
use crate::notices::json::{self as calls, Notification, Read, Which};
use crate::web::lang::filters;
use crate::web::list;
use crate::web::read::{Form, Json, Query};

const EACH: u16 = 50;

#[derive(Debug, Template)]
#[template(path = "panel/notices/page.html")]
pub struct Page {
    pub shell: Shell,
    pub all: Vec<One>,
    /// Where the next ones are.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct One {
    pub id: i64,
    pub mark: Mark,
    /// The name of the words that say what happened.
    pub key: &'static str,
    pub subject: String,
    pub words: String,
    pub path: String,
    pub when: Option<Moment>,
    pub times: i64,
    pub read: bool,
}

/// The bell above every page.
#[derive(Template)]
#[template(path = "panel/notices/bell.html")]
pub struct BellPart<'a> {
    pub shell: &'a Shell,
}

#[derive(Debug, Default, Deserialize)]
pub struct From_ {
    #[serde(default)]
    after: Option<String>,
}

pub async fn list(
    who: User,
    State(panel): State<Panel>,
    State(notices): State<Notices>,
    Query(from): Query<From_>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, "/notifications", "/notifications");
    let which = Which { limit: Some(EACH), after: from.after, ..Which::default() };
    match calls::list(who, State(notices), Query(which)).await {
        Ok(axum::Json(found)) => page(&headers, &of(shell, found, panel.clock.now())),
        Err(refused) => refusal::page(shell, &headers, refused.into_response()).await,
    }
}

pub fn of(shell: Shell, found: list::Page<Notification>, now: OffsetDateTime) -> Page {
    let one = |one: Notification| {
        let (mark, key) = said(&one.kind);
        One {
            id: one.id,
            mark,
            key,
            when: Moment::read(&one.last, now),
            subject: one.subject,
            words: one.words,
            path: one.path,
            times: one.times,
            read: one.read,
        }
    };
    let next = found.next.map(|after| format!("/notifications?after={after}"));
    Page { shell, all: found.items.into_iter().map(one).collect(), next }
}

fn said(kind: &str) -> (Mark, &'static str) {
    match kind {
        "work-failed" => (Mark::of("failed", "state-failed"), "notices-work-failed"),
        "service-failed" => (Mark::of("failed", "state-failed"), "notices-service-failed"),
        "service-restarting" => (Mark::of("restarting", "state-restarting"), "notices-service-restarting"),
        "service-unhealthy" => (Mark::of("unhealthy", "state-unhealthy"), "notices-service-unhealthy"),
        "certificate-ends" => (Mark::of("warning", "notices-warning"), "notices-certificate"),
        "disk-full" => (Mark::of("warning", "notices-warning"), "notices-disk"),
        "signed-in-elsewhere" => (Mark::of("warning", "notices-warning"), "notices-signed-in"),
        _ => (Mark::of("off", "notices-warning"), "notices-other"),
    }
}

/// Marks one as read, or all; or opens one, which is reading it.
pub async fn act(
    who: User,
    State(panel): State<Panel>,
    State(notices): State<Notices>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let shell = panel.shell(&who, &headers, "/notifications", "/notifications");
    let asked = Read { ids: fields.number::<i64>("id").map(|id| vec![id]) };
    let answer = match calls::mark(who, State(notices), Json(asked)).await {
        Ok(_) => Redirect::to("/notifications").into_response(),
        Err(refused) => refusal::page(shell, &headers, refused.into_response()).await,
    };
    As::of("notices.mark", answer)
}
