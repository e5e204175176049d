//! Setting up an app with codes in a browser, by name and password: also before the first login, for who gets in with a second factor only.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Told;
use super::forms::{Pages, back, page, place};
use crate::auth::accounts::Credentials;
use crate::auth::table::guard::SignedIn;
use crate::auth::who::Anyone;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::web::read::Form;
use crate::web::{Caller, Refusal, cookie, set_cookie};

/// The browser's own between the password and the app's first code.
const BEGUN: &str = "__Host-hearth-factor";

#[derive(Debug, Default, Template)]
#[template(path = "auth/factor.html")]
pub struct Factor {
    pub place: String,
    pub username: String,
    /// The app's code is asked for.
    pub confirming: bool,
    /// What the app is set up with: shown once.
    pub shown: Option<Shown>,
    /// Recovery codes: it is done.
    pub codes: Vec<String>,
    pub told: Option<Told>,
}

/// What an app is set up with.
#[derive(Debug, Default)]
pub struct Shown {
    /// A QR code, an `<svg>` element.
    pub svg: String,
    /// The same for typing.
    pub key: String,
}

pub async fn show(Anyone(who): Anyone, Extension(caller): Extension<Caller>) -> Response {
    let username = who.map(|who| who.name.clone()).unwrap_or_default();
    page(StatusCode::OK, Factor { place: place(&caller), username, ..Factor::default() })
}

#[derive(Deserialize)]
pub struct Begins {
    username: String,
    password: String,
}

pub async fn begin(
    Anyone(who): Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    Form(Begins { username, password }): Form<Begins>,
) -> Response {
    let password = Secret::new(password);
    let begun = pages.auth.begin_factor_as(&username, &password, caller.address, who.as_deref()).await;
    let (user, set) = match begun {
        Ok(begun) => begun,
        Err(told) => return back(told, |told| Factor { place: place(&caller), username, told, ..Factor::default() }),
    };
    let Some(half) = pages.halves.put(Credentials { username, password, otp: None }, &*pages.random) else {
        let d = Diagnostic::error("auth.busy", "too many people are signing in").kind(Kind::Unavailable);
        return Refusal(d.hint("try again in some minutes")).into_response();
    };
    let shown = Shown { svg: set.svg.expose().to_owned(), key: set.key.expose().to_owned() };
    let asked = Factor { place: place(&caller), confirming: true, shown: Some(shown), ..Factor::default() };
    let mut answer = page(StatusCode::OK, asked);
    set_cookie(answer.headers_mut(), BEGUN, half.expose(), Some(super::halves::SECONDS));
    (SignedIn::of(&user), answer).into_response()
}

#[derive(Deserialize)]
pub struct Confirms {
    otp: String,
}

pub async fn confirm(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(Confirms { otp }): Form<Confirms>,
) -> Response {
    let begun = cookie(&headers, BEGUN);
    let Some(who) = begun.and_then(|begun| pages.halves.get(begun)) else {
        let d = Diagnostic::error("auth.too-late", "that took too long: begin anew").kind(Kind::Unauthenticated);
        return back(d, |told| Factor { place: place(&caller), told, ..Factor::default() });
    };
    let confirmed = pages.auth.confirm_factor_as(&who.username, &who.password, &otp, caller.address).await;
    let (user, codes) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(told) => {
            return back(told, |told| Factor { place: place(&caller), confirming: true, told, ..Factor::default() });
        }
    };
    begun.into_iter().for_each(|begun| pages.halves.end(begun));
    let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    let mut answer = page(StatusCode::OK, Factor { place: place(&caller), codes, ..Factor::default() });
    set_cookie(answer.headers_mut(), BEGUN, "", None);
    (SignedIn::of(&user), answer).into_response()
}
