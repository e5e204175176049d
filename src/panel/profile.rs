//! A profile: its services, what it needs, and its switch.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::bell::BellPart;
use super::home::{Card, UsedPart, card_of};
use super::live::{From_, Has, Piece, pieces_when, rows};
use super::refusal;
use super::shell::Shell;
use super::words::part;
use super::{Panel, away, page};
use crate::auth::who::{Operator, Viewer};
use crate::base::{units, wording};
use crate::stacks::cli::profiles::Profile;
use crate::stacks::json::profiles as calls;
use crate::web::Lang;
use crate::web::events::{self, Held};
use crate::web::lang::filters;
use crate::web::read::{Json, Path, Query};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/profile/page.html")]
pub struct Page {
    pub shell: Shell,
    pub name: String,
    /// The engine does not answer: why, and what that means.
    pub away: Option<String>,
    pub on: bool,
    pub card: Card,
    pub facts: Vec<(Cow<'static, str>, String)>,
}

#[derive(Template)]
#[template(path = "panel/profile/head.html")]
struct HeadPart<'a> {
    name: &'a str,
    on: bool,
    card: &'a Card,
}

#[derive(Template)]
#[template(path = "panel/profile/services.html")]
struct ServicesPart<'a> {
    card: &'a Card,
}

pub async fn one(who: Viewer, State(panel): State<Panel>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match shown(&panel, &who, &headers, &name).await {
        Ok((shown, _)) => page(&headers, &shown),
        Err(shell) => unknown(who, &panel, shell, name, &headers).await,
    }
}

/// What changes of it as long as somebody has it open: server-sent events named `parts`.
pub async fn follow(
    who: Viewer,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(from): Query<From_>,
    headers: HeaderMap,
    held: Held,
) -> Response {
    let (watch, end) = (panel.world.watch(), panel.api.end_of(&who));
    let (now, number) = match shown(&panel, &who, &headers, &name).await {
        Ok(shown) => shown,
        Err(shell) => return unknown(who, &panel, shell, name, &headers).await,
    };
    let mut has = Has::default();
    // What was sent with the page is not sent again.
    let begins = from.number != number;
    if !begins {
        has.take(&pieces(&now));
    }
    let make = move || {
        let (panel, who, headers, name) = (panel.clone(), who.clone(), headers.clone(), name.clone());
        // One that is gone stays as it was seen last.
        async move { shown(&panel, &who, &headers, &name).await.map(|(page, _)| pieces(&page)).unwrap_or_default() }
    };
    events::answer_page(pieces_when(watch, has, begins, make), held, end)
}

/// The page as it is now, and the number of the look that it is made from; `Err`: there is none of this name.
async fn shown(panel: &Panel, who: &Viewer, headers: &HeaderMap, name: &str) -> Result<(Page, u64), Shell> {
    let seen = panel.world.now().await;
    let path = format!("/profiles/{}", part(name));
    let mut shell = panel.shell(who, headers, &path, "/");
    let Some(profile) = seen.profiles.iter().find(|one| one.name == name) else { return Err(shell) };
    shell.stream = Some(format!("{path}/live?number={}", seen.number));
    let ways = panel.ways.clone().of(who).await;
    let used = panel.used.of(&seen).await;
    let card = card_of(&seen, profile, &ways, &used, &shell, panel.clock.now());
    let facts = facts(profile, shell.lang);
    let away = away::words(&seen, shell.lang);
    Ok((Page { away, facts, on: profile.on, name: name.to_owned(), card, shell }, seen.number))
}

async fn unknown(who: Viewer, panel: &Panel, shell: Shell, name: String, headers: &HeaderMap) -> Response {
    let refused = calls::one(who, State(panel.api.clone()), Path(name)).await.into_response();
    refusal::page_of_none(shell, headers, refused).await
}

/// The pieces of the page.
fn pieces(page: &Page) -> Vec<Piece> {
    let (lang, card) = (page.shell.lang, &page.card);
    let ids: Vec<&str> = card.rows.iter().map(|row| row.id.as_str()).collect();
    let used = Piece::alone(&format!("{}-used", card.id), &UsedPart { card }, lang);
    let rows = std::iter::once(used).chain(rows(card, lang)).collect();
    vec![
        Piece::alone("bell", &BellPart { shell: &page.shell }, lang),
        away::piece(&page.away, lang),
        Piece::alone("profile-head", &HeadPart { name: &page.name, on: page.on, card }, lang),
        Piece::around("profile-services", &ServicesPart { card }, lang, &(&card.note, ids), rows),
    ]
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
