//! Variables and secret files of stacks: which there are and whether they are set. A value goes in and never comes out.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Mark, id, part};
use super::{Panel, page};
use crate::auth::table::guard::As;
use crate::auth::who::Admin;
use crate::stacks::json::variables::{self as calls, SecretFile, Variable, is_of_the_home};
use crate::web::Lang;
use crate::web::lang::filters;
use crate::web::read::{Form, Json, Path, Query};

#[derive(Debug, Template)]
#[template(path = "panel/variables.html")]
pub struct Page {
    pub shell: Shell,
    /// What stacks use.
    pub used: Vec<Row>,
    /// What stands in `.env` besides.
    pub others: Vec<Row>,
    pub files: Vec<Row>,
    /// What has just been done, as a sentence.
    pub done: String,
    pub refused: Vec<Told>,
    /// The name that was typed for a new one.
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    pub name: String,
    pub mark: Mark,
    /// Whether it is set, and what that means.
    pub words: String,
    /// Why it is no good value, or what it is for.
    pub why: String,
    pub uses: Vec<String>,
    /// Where a new value goes.
    pub action: String,
    /// Can be taken away.
    pub is_set: bool,
    /// Can be written from here.
    pub own: bool,
}

pub async fn list(who: Admin, State(panel): State<Panel>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/variables", "/stacks");
    let sound = asked.done.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let done = match asked.done.as_str() {
        name if sound && !name.is_empty() => shell.lang.with("variables-written", [("name", name.into())]),
        _ => String::new(),
    };
    shown(who, &panel, shell, &headers, (done, Vec::new(), String::new()), StatusCode::OK).await
}

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// What was written just now.
    #[serde(default)]
    done: String,
}

async fn shown(
    who: Admin,
    panel: &Panel,
    shell: Shell,
    headers: &HeaderMap,
    (done, refused, name): (String, Vec<Told>, String),
    status: StatusCode,
) -> Response {
    match calls::list(who, State(panel.api.clone())).await {
        Ok(axum::Json(all)) => {
            let mut answer = page(headers, &Page { done, refused, name, ..of(shell, &all) });
            if answer.status() == StatusCode::OK {
                *answer.status_mut() = status;
            }
            answer
        }
        Err(why) => refusal::page(shell, headers, why).await,
    }
}

pub fn of(shell: Shell, all: &calls::Variables) -> Page {
    let lang = shell.lang;
    let (used, others): (Vec<&Variable>, Vec<&Variable>) =
        all.variables.iter().partition(|one| !one.services.is_empty() || one.required || one.has_default);
    let rows = |all: Vec<&Variable>| all.into_iter().map(|one| row(lang, one)).collect();
    let files = all.secrets.iter().map(|one| file(lang, one)).collect();
    let (done, refused, name) = (String::new(), Vec::new(), String::new());
    Page { used: rows(used), others: rows(others), files, shell, done, refused, name }
}

fn row(lang: Lang, one: &Variable) -> Row {
    let (kind, key) = match (one.set, one.required, one.has_default) {
        (true, ..) if one.weak.is_some() => ("warning", "variables-weak"),
        (true, ..) => ("done", "variables-set"),
        (false, true, _) => ("problem", "variables-missing"),
        (false, false, true) => ("off", "variables-default"),
        (false, false, false) => ("missing", "variables-unset"),
    };
    let why = match &one.weak {
        Some(why) => lang.with("variables-weak-why", [("why", why.as_str().into())]),
        None => crate::base::wording::sentence(&one.why),
    };
    Row {
        id: format!("variable-{}", id(&one.name)),
        mark: Mark::of(kind, ""),
        words: lang.say(key).into_owned(),
        why,
        uses: one.services.clone(),
        action: format!("/variables/{}", part(&one.name)),
        is_set: one.set,
        own: !is_of_the_home(&one.name),
        name: one.name.clone(),
    }
}

fn file(lang: Lang, one: &SecretFile) -> Row {
    let (kind, key) = if one.set { ("done", "variables-file-there") } else { ("problem", "variables-file-missing") };
    Row {
        id: format!("secret-{}", id(&one.name)),
        mark: Mark::of(kind, ""),
        words: lang.say(key).into_owned(),
        why: one.file.clone(),
        uses: one.services.clone(),
        action: format!("/variables/secrets/{}", part(&one.name)),
        is_set: one.set,
        own: one.own,
        name: one.name.clone(),
    }
}

#[derive(Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    act: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    text: String,
}

/// A new one, by its name.
pub async fn add(who: Admin, panel: State<Panel>, headers: HeaderMap, Form(typed): Form<Typed>) -> Response {
    let name = typed.name.trim().to_owned();
    write(who, panel.0, name, headers, typed, false).await
}

/// Sets one, or takes it away.
pub async fn change(
    who: Admin,
    panel: State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    write(who, panel.0, name, headers, typed, false).await
}

/// Writes a secret's file.
pub async fn change_file(
    who: Admin,
    panel: State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    write(who, panel.0, name, headers, typed, true).await
}

async fn write(who: Admin, panel: Panel, name: String, headers: HeaderMap, typed: Typed, is_file: bool) -> Response {
    let (api, path) = (State(panel.api.clone()), Path(name.clone()));
    let text = Json(calls::Text { text: typed.text.replace("\r\n", "\n") });
    let (call, done) = match (is_file, typed.act.as_str()) {
        (true, _) => ("variables.write_file", calls::write_file(who.clone(), api, path, text).await.map(drop)),
        (false, "unset") => ("variables.unset", calls::unset(who.clone(), api, path).await.map(drop)),
        (false, _) => ("variables.set", calls::set(who.clone(), api, path, text).await.map(drop)),
    };
    let answer = match done {
        Ok(()) => Redirect::to(&format!("/variables?done={}", part(&name))).into_response(),
        Err(refused) => {
            let shell = panel.shell(&who, &headers, "/variables", "/stacks");
            let (status, told) = refusal::read(refused).await;
            shown(who, &panel, shell, &headers, (String::new(), told, typed.name), status).await
        }
    };
    As::of(call, answer)
}
