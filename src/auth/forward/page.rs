//! The way from the login to a service, and what the panel answers on services' hosts below `/.well-known/hearth/`: the end of a login, and
//! the way out.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, COOKIE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Forward;
use crate::auth::page::Home;
use crate::auth::page::forms::Pages;
use crate::auth::table::guard::{Detail, SignedIn};
use crate::auth::who::{Anyone, By};
use crate::diag::{Diagnostic, Kind};
use crate::traefik::forward::cookie::{self, BEFORE, SESSION};
use crate::traefik::forward::host;
use crate::web::lang::{Lang, filters};
use crate::web::read::Query;
use crate::web::{Caller, Origin, Refusal, STYLE, no_such_page, set_cookie, wants_html};

/// What follows `callback?`.
#[derive(Deserialize)]
pub struct Shown {
    code: Option<String>,
}

/// `GET /.well-known/hearth/callback?code=`: trades the code for a session on this host, and goes to where somebody wanted to.
pub async fn callback(
    _: Anyone,
    State(forward): State<Arc<Forward>>,
    Extension(caller): Extension<Caller>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
) -> Response {
    let Some(host) = own_host(&forward, &caller) else { return no_such_page().await.into_response() };
    let cookies = cookies(&headers);
    let (code, before) = (shown.code.unwrap_or_default(), cookies.before.unwrap_or_default());
    // Without the cookie too it is used up: whoever shows it somewhere else has it from somebody.
    let traded = match code.len() <= cookie::LENGTH {
        true => forward.trade(&code, &host, &before).await,
        false => Ok(None),
    };
    match traded {
        Ok(Some((opened, path))) => {
            let mut answer = StatusCode::FOUND.into_response();
            set_cookie(answer.headers_mut(), SESSION, opened.cookie.expose(), Some(opened.lasts));
            set_cookie(answer.headers_mut(), BEFORE, "", None);
            // `back::path` made it: it stays on this host.
            if let Ok(to) = HeaderValue::try_from(path) {
                answer.headers_mut().insert(LOCATION, to);
            }
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Ok(None) => refused(&headers, &host),
        Err(why) => Refusal(why).into_response(),
    }
}

/// `GET /.well-known/hearth/logout`: to the panel, where the way out is.
pub async fn to_logout(
    _: Anyone,
    State(forward): State<Arc<Forward>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match own_host(&forward, &caller) {
        Some(_) => to_panel(&forward),
        None => no_such_page().await.into_response(),
    }
}

/// `GET /logout` on the panel: a page that asks; nothing has happened yet. A script of a service cannot press its button: it is another site's.
pub async fn ask_logout(
    Anyone(who): Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    if !who.is_some_and(|who| matches!(who.by, By::Session(_))) {
        return (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static("/signed-out"))]).into_response();
    }
    let story = &["auth-out-ask-words"];
    let Home { name, host } = pages.place(&caller);
    let host = host.unwrap_or_default();
    Page { asks: true, home: Some(&name), host: &host, ..Page::of("auth-out-ask", "warn", story) }
        .answer(StatusCode::OK)
}

/// `POST /.well-known/hearth/logout`: where a person has pressed something, ends the session everywhere; else the one on this host, and leads to the panel for
/// all others. Not those too: a script of the service can send what it likes from here, and would sign people out of all services.
pub async fn logout(
    _: Anyone,
    State(forward): State<Arc<Forward>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let Some(host) = own_host(&forward, &caller) else { return no_such_page().await.into_response() };
    if Origin::of(&Method::POST, &headers, &caller) != Origin::Own {
        let d = Diagnostic::error("auth.cross-site", "this did not come from a page of this host").kind(Kind::Denied);
        return Refusal(d.hint("open /.well-known/hearth/logout and sign out there")).into_response();
    }
    let out = match cookies(&headers).session {
        Some(session) if is_pressed(&headers) => forward.sign_out(&session).await,
        Some(session) => forward.leave(&session).await.map(|()| None),
        None => Ok(None),
    };
    let mut answer = match out {
        Err(why) => return Refusal(why).into_response(),
        Ok(Some(who)) => {
            let story = &["auth-out-everywhere-words"];
            let page = Page { again: Some("auth-in-again"), host: &host, ..Page::of("auth-signed-out", "good", story) };
            let mut answer = page.answer(StatusCode::OK);
            answer.extensions_mut().insert(SignedIn { user: who.id, name: who.name });
            answer.extensions_mut().insert(Detail(json!({"everywhere": true, "at": host})));
            answer
        }
        Ok(None) if wants_html(&headers) => to_panel(&forward),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
    };
    set_cookie(answer.headers_mut(), SESSION, "", None);
    answer
}

/// Whether a person has pressed something on a page of this host, and the answer fills the window: browsers say so (Fetch Metadata), no script can write it, and a
/// frame or a `fetch` is none.
fn is_pressed(headers: &HeaderMap) -> bool {
    let says = |name: &str, word: &str| headers.get(name).is_some_and(|value| value == word);
    says("sec-fetch-site", "same-origin")
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
        && says("sec-fetch-user", "?1")
}

/// What follows `go?`.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    back: String,
}

/// `GET /go?back=` on the panel: from the login to the service that somebody wanted. A page that goes on by itself, not a redirect: browsers hold the
/// answers to a form to `form-action`, and this is another host.
pub async fn go(Anyone(who): Anyone, State(forward): State<Arc<Forward>>, Query(wanted): Query<Wanted>) -> Response {
    let signed_in = who.as_ref().and_then(|who| match &who.by {
        By::Session(session) => Some((session, who.user)),
        By::Access(_) | By::Token { .. } | By::Terminal => None,
    });
    let Some((session, person)) = signed_in else {
        let to = format!("/login?next=/go%3Fback%3D{}", wanted.back);
        let plain = wanted.back.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let to = HeaderValue::try_from(if plain { to } else { "/login".into() });
        return (StatusCode::SEE_OTHER, to.map(|to| [(LOCATION, to)]).unwrap_or([(LOCATION, HOME)])).into_response();
    };
    let back = forward.back(&wanted.back);
    let host = back.as_ref().map(|back| back.host.clone()).unwrap_or_default();
    match back.and_then(|back| forward.go_back(back, session, person)) {
        Some(to) => {
            let story = &["auth-you-are-in-words"];
            let page = Page { on: Some(&to), host: &host, ..Page::of("auth-you-are-in", "good", story) };
            page.answer(StatusCode::OK)
        }
        None => {
            let story = &["auth-too-long-words"];
            Page { host: "Hearth", again: Some("auth-to-panel"), ..Page::of("auth-too-long", "warn", story) }
                .answer(StatusCode::FORBIDDEN)
        }
    }
}

const HOME: HeaderValue = HeaderValue::from_static("/");

/// To the page of the panel that signs out.
fn to_panel(forward: &Forward) -> Response {
    match forward.panel().and_then(|panel| HeaderValue::try_from(format!("{panel}/logout")).ok()) {
        Some(to) => (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The host, where it is one with a login: on the panel's own, and anywhere else, there is nothing here.
fn own_host(forward: &Forward, caller: &Caller) -> Option<String> {
    let host = caller.host.as_deref().and_then(host::normal)?;
    (caller.https && forward.has(&host)).then_some(host)
}

fn cookies(headers: &HeaderMap) -> cookie::Cookies {
    cookie::part(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes))
}

fn refused(headers: &HeaderMap, host: &str) -> Response {
    if !wants_html(headers) {
        let d = Diagnostic::error(
            "auth.no-such-code",
            "this way from the login was used already, is too old, or is another browser's",
        );
        return Refusal(d.kind(Kind::Denied).hint("open the service again and sign in")).into_response();
    }
    let story = &["auth-other-browser-words"];
    let page = Page { again: Some("auth-try-again"), host, ..Page::of("auth-too-long", "warn", story) };
    page.answer(StatusCode::FORBIDDEN)
}

#[derive(Template)]
#[template(path = "auth/forward.html")]
struct Page<'a> {
    /// The names of its words, as `story` and `again` have them.
    heading: &'a str,
    tone: &'a str,
    story: &'a [&'a str],
    asks: bool,
    /// A link to the first page, in these words.
    again: Option<&'a str>,
    /// Where it goes on to by itself.
    on: Option<&'a str>,
    /// The home's name, where it is the panel's own host.
    home: Option<&'a str>,
    host: &'a str,
    style: &'static str,
}

impl<'a> Page<'a> {
    fn of(heading: &'a str, tone: &'a str, story: &'a [&'a str]) -> Page<'a> {
        Page { heading, tone, story, asks: false, again: None, on: None, home: None, host: "", style: STYLE }
    }

    fn answer(&self, status: StatusCode) -> Response {
        match self.render_with_values(&Lang::spoken()) {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
