//! A profile: its services, what it needs, and its switch.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::home::{Card, card_of};
use super::refusal;
use super::shell::Shell;
use super::words::part;
use super::{Panel, page};
use crate::auth::who::{Operator, Viewer};
use crate::base::{units, wording};
use crate::stacks::cli::profiles::Profile;
use crate::stacks::json::profiles as calls;
use crate::web::Lang;
use crate::web::lang::filters;
use crate::web::read::{Json, Path};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/profile.html")]
pub struct Page {
    pub shell: Shell,
    pub name: String,
    pub on: bool,
    pub card: Card,
    pub facts: Vec<(Cow<'static, str>, String)>,
}

pub async fn one(who: Viewer, State(panel): State<Panel>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let seen = panel.world.now().await;
    let shell = panel.shell(&who, &headers, &format!("/profiles/{}", part(&name)), "/");
    let Some(profile) = seen.profiles.iter().find(|one| one.name == name) else {
        let refused = calls::one(who, State(panel.api.clone()), Path(name)).await.into_response();
        return refusal::page(shell, &headers, refused).await;
    };
    let ways = panel.ways.clone().of(&who).await;
    let used = panel.used.of(&seen).await;
    let card = card_of(&seen, profile, &ways, &used, &shell, panel.clock.now());
    page(&headers, &Page { facts: facts(profile, shell.lang), on: profile.on, name, card, shell })
}

pub fn facts(profile: &Profile, lang: Lang) -> Vec<(Cow<'static, str>, String)> {
    let needs: Vec<&String> = profile.needs.iter().collect();
    let amount = units::bytes(profile.memory);
    let memory = match (profile.memory, profile.unlimited) {
        (0, _) => lang.say("profile-memory-open").into(),
        (_, false) => lang.with("profile-memory-most", [("amount", amount.into())]),
        (_, true) => lang.with("profile-memory-some", [("amount", amount.into())]),
    };
    let needs = if needs.is_empty() { lang.say("profile-needs-none").into() } else { wording::list(&needs) };
    vec![
        (lang.say("profile-facts-services"), profile.services.len().to_string()),
        (lang.say("profile-facts-needs"), needs),
        (lang.say("profile-facts-memory"), memory),
    ]
}

/// Records that it is on, where nothing has to be done for it.
pub async fn on(who: Operator, State(panel): State<Panel>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/profiles/{}", part(&name)), "/");
    let done = calls::enable(who, State(panel.api.clone()), Path(name.clone()), Json(Default::default())).await;
    then(shell, &headers, &name, done).await
}

/// The same, off.
pub async fn off(who: Operator, State(panel): State<Panel>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/profiles/{}", part(&name)), "/");
    let done = calls::disable(who, State(panel.api.clone()), Path(name.clone()), Json(Default::default())).await;
    then(shell, &headers, &name, done).await
}

async fn then(shell: Shell, headers: &HeaderMap, name: &str, done: Result<Response, Response>) -> Response {
    match done {
        Ok(_) => Redirect::to(&format!("/profiles/{}", part(name))).into_response(),
        Err(refused) => refusal::page(shell, headers, refused).await,
    }
}
