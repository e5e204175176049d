//! An app with codes in a browser: set up by name and password, also before the first login, for who gets in with a second factor only; and afterwards new
//! recovery codes, or away with it, by a code of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::forms::{Pages, back, page, to};
use super::halves::SECONDS_TO_SET_UP;
use super::keys::Desk;
use super::{Home, Told};
use crate::auth::accounts::{Credentials, Enrolment};
use crate::auth::table::guard::SignedIn;
use crate::auth::who::{Anyone, User};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::web::read::Form;
use crate::web::{Caller, Refusal, cookie, set_cookie};

/// The browser's own between the password and the app's first code.
const BEGUN: &str = "__Host-hearth-factor";

#[derive(Debug, Default, Template)]
#[template(path = "auth/factor.html")]
pub struct Factor {
    pub place: Home,
    pub username: String,
    /// The app's code is asked for.
    pub confirming: bool,
    /// What the app is set up with: shown once.
    pub shown: Option<Shown>,
    /// Recovery codes: it is done.
    pub codes: Vec<String>,
    /// They are in place of others.
    pub renewed: bool,
    /// There is one already.
    pub on: bool,
    pub told: Option<Told>,
}

/// What an app is set up with.
#[derive(Debug, Default)]
pub struct Shown {
    /// A QR code, an `<svg>` element.
    pub svg: String,
    /// The same for typing, in groups of four.
    pub key: String,
}

impl From<Enrolment> for Shown {
    fn from(set: Enrolment) -> Shown {
        let groups: Vec<&[u8]> = set.key.expose().as_bytes().chunks(4).collect();
        let groups: Vec<_> = groups.into_iter().map(String::from_utf8_lossy).collect();
        Shown { svg: set.svg.expose().to_owned(), key: groups.join(" ") }
    }
}

pub async fn show(
    Anyone(who): Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let on = match &who {
        Some(who) => pages.auth.factor(who.user).await.is_ok_and(|factor| factor.on),
        None => false,
    };
    let username = who.map(|who| who.name.clone()).unwrap_or_default();
    page(StatusCode::OK, Factor { place: pages.place(&caller), username, on, ..Factor::default() })
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
        Err(told) => {
            return back(told, |told| Factor { place: pages.place(&caller), username, told, ..Factor::default() });
        }
    };
    let who = Credentials { username, password, otp: None };
    let Some(half) = pages.halves.put(who, SECONDS_TO_SET_UP, &*pages.random) else {
        let d = Diagnostic::error("auth.busy", "too many people are signing in").kind(Kind::Unavailable);
        return Refusal(d.hint("try again in some minutes")).into_response();
    };
    let asked = Factor { place: pages.place(&caller), confirming: true, shown: Some(set.into()), ..Factor::default() };
    let mut answer = page(StatusCode::OK, asked);
    set_cookie(answer.headers_mut(), BEGUN, half.expose(), Some(SECONDS_TO_SET_UP));
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
        let d = Diagnostic::error("auth.too-late", "that took too long, or your browser kept no cookie: begin anew")
            .kind(Kind::Unauthenticated);
        return back(d, |told| Factor { place: pages.place(&caller), told, ..Factor::default() });
    };
    let confirmed = pages.auth.confirm_factor_as(&who.username, &who.password, &otp, caller.address).await;
    let (user, codes) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(told) => {
            // A wrong code says that the password was right once more: the app can be set up with the same secret still.
            let shown = match told.code == "auth.wrong-code" {
                true => pages.auth.begun_factor(&who.username).await.ok().flatten().map(Shown::from),
                false => None,
            };
            return back(told, |told| Factor {
                place: pages.place(&caller),
                confirming: true,
                shown,
                told,
                ..Factor::default()
            });
        }
    };
    begun.into_iter().for_each(|begun| pages.halves.end(begun));
    let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    let mut answer = page(StatusCode::OK, Factor { place: pages.place(&caller), codes, ..Factor::default() });
    set_cookie(answer.headers_mut(), BEGUN, "", None);
    (SignedIn::of(&user), answer).into_response()
}

/// Other recovery codes in place of those until now, from /account.
pub async fn new_codes(
    who: User,
    State(pages): State<Arc<Pages>>,
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Form(Confirms { otp }): Form<Confirms>,
) -> Response {
    let made = match who.in_person() {
        Ok(()) => pages.auth.new_codes(who.user, &otp, caller.address).await,
        Err(told) => Err(told),
    };
    match made {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
            page(StatusCode::OK, Factor { place: pages.place(&caller), codes, renewed: true, ..Factor::default() })
        }
        Err(told) => desk.refused(&who, &caller, told).await,
    }
}

/// Away with it, from /account.
pub async fn turn_off(
    who: User,
    State(pages): State<Arc<Pages>>,
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Form(Confirms { otp }): Form<Confirms>,
) -> Response {
    let done = match who.in_person() {
        Ok(()) => pages.auth.remove_own_factor(who.user, &otp, caller.address).await,
        Err(told) => Err(told),
    };
    match done {
        Ok(()) => to("/account"),
        Err(told) => desk.refused(&who, &caller, told).await,
    }
}
