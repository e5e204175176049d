//! What a stack said before: who changed it, when and why; any version against now; and back to it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::super::diff::{Diff, diff};
use super::super::refusal;
use super::super::shell::Shell;
use super::super::words::{Moment, part};
use super::super::{Panel, page};
use super::forms::after_save;
use super::{definition, read};
use crate::auth::accounts::Auth;
use crate::auth::who::Admin;
use crate::stacks::json::stacks as calls;
use crate::stacks::json::versions::{self as api, Restore, Version, Which};
use crate::web::lang::filters;
use crate::web::list::Page as Listed;
use crate::web::over_or_new;
use crate::web::read::{Form, Json, Path, Query};

/// All versions, a page of them.
#[derive(Debug, Template)]
#[template(path = "panel/stacks/history.html")]
pub struct History {
    pub shell: Shell,
    pub name: String,
    pub rows: Vec<Row>,
    pub in_git: bool,
    /// Where older ones are.
    pub older: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub path: String,
    pub who: String,
    pub when: Option<Moment>,
    /// The first line of the message, and the others.
    pub message: String,
    pub more: String,
    pub id: String,
}

fn row(name: &str, version: &Version, now: time::OffsetDateTime) -> Row {
    let (first, more) = version.message.split_once('\n').unwrap_or((&version.message, ""));
    Row {
        path: format!("/stacks/{}/history/{}", part(name), part(&version.id)),
        who: version.who.clone(),
        when: Moment::read(&version.at, now),
        message: first.trim().to_owned(),
        more: more.trim().to_owned(),
        id: version.id.chars().take(10).collect(),
    }
}

pub async fn list(
    who: Admin,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/stacks/{}/history", part(&name)), "/stacks");
    match api::list(who, State(panel.api.clone()), Path(name.clone()), Query(which)).await {
        Ok(axum::Json(all)) => {
            let in_git = api::in_git(&panel.api).await;
            page(&headers, &of_all(shell, &name, &all, in_git, panel.clock.now()))
        }
        Err(refused) => refusal::page_of_none(shell, &headers, refused).await,
    }
}

pub fn of_all(shell: Shell, name: &str, all: &Listed<Version>, in_git: bool, now: time::OffsetDateTime) -> History {
    let rows = all.items.iter().map(|one| row(name, one, now)).collect();
    let older = all.next.as_ref().map(|next| format!("/stacks/{}/history?after={}", part(name), part(next)));
    History { shell, name: name.to_owned(), rows, in_git, older }
}

/// One version against what stands there now.
#[derive(Debug, Template)]
#[template(path = "panel/stacks/version.html")]
pub struct One {
    pub shell: Shell,
    pub name: String,
    pub row: Row,
    pub diff: Diff,
    /// Of what stands there now; empty where nothing does.
    pub etag: String,
    /// It was deleted with this version.
    pub is_gone: bool,
    pub action: String,
    pub editor: String,
}

pub async fn one(
    who: Admin,
    State(panel): State<Panel>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/stacks/{}/history/{}", part(&name), part(&id));
    let shell = panel.shell(&who, &headers, &path, "/stacks");
    let whole = match api::one(who.clone(), State(panel.api.clone()), Path((name.clone(), id))).await {
        Ok(axum::Json(whole)) => whole,
        Err(refused) => return refusal::page_of_none(shell, &headers, refused).await,
    };
    let (etag, now) = match calls::one(who, State(panel.api.clone()), Path(name.clone())).await {
        Ok(answer) => definition(answer).await,
        Err(_) => (String::new(), String::new()),
    };
    page(&headers, &of_one(shell, &name, &whole, &now, etag, panel.clock.now()))
}

pub fn of_one(shell: Shell, name: &str, whole: &api::Whole, now: &str, etag: String, at: time::OffsetDateTime) -> One {
    let row = row(name, &whole.version, at);
    One {
        shell,
        name: name.to_owned(),
        diff: diff(whole.text.as_deref().unwrap_or_default(), now),
        etag,
        is_gone: whole.text.is_none(),
        action: row.path.clone(),
        editor: format!("/stacks/{}?version={}", part(name), part(&whole.version.id)),
        row,
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    etag: String,
    #[serde(default)]
    message: String,
    /// `plan`: and on to what it would do.
    #[serde(default)]
    act: String,
}

/// Back to it.
pub async fn restore(
    who: Admin,
    State(panel): State<Panel>,
    auth: State<Arc<Auth>>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let path = format!("/stacks/{}/history/{}", part(&name), part(&id));
    let shell = panel.shell(&who, &headers, &path, "/stacks");
    let over = over_or_new(&typed.etag);
    let body = Json(Restore { message: typed.message });
    match api::restore(who.clone(), State(panel.api.clone()), auth, Path((name.clone(), id)), over, body).await {
        Ok(answer) => {
            let saved = read(answer).await.1;
            let id = saved["version"].as_str().unwrap_or("same");
            after_save(who, &panel, &headers, shell, (&name, id), typed.act == "plan").await
        }
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}
