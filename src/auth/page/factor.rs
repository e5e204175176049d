//! An app with codes in a browser: set up by name and password, also before the first login, for who gets in with a second factor only. Whoever is signed in has the
//! same within the panel, which draws what is answered here.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::forms::Pages;
use super::halves::SECONDS_TO_SET_UP;
use super::{Home, Told};
use crate::auth::accounts::{Credentials, Enrolment};
use crate::auth::table::guard::SignedIn;
use crate::auth::who::Identity;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::web::lang::filters;
use crate::web::{Caller, Code, Refusal, cookie, retry_after, set_cookie};

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

/// What is answered: a page, and what goes with it.
pub struct Answer {
    status: StatusCode,
    page: Factor,
    /// For the browser to keep, and for how long; nothing: no more.
    keeps: Option<(Secret, Option<i64>)>,
    signed_in: Option<SignedIn>,
    refused: Option<Diagnostic>,
}

impl Answer {
    fn of(page: Factor) -> Answer {
        Answer { status: StatusCode::OK, page, keeps: None, signed_in: None, refused: None }
    }

    /// The page again, with what was wrong.
    fn refused(told: Diagnostic, page: Factor) -> Answer {
        let refusal = Refusal(told);
        let page = Factor { told: Some(refusal.0.clone().into()), ..page };
        Answer { status: refusal.status(), refused: Some(refusal.0), ..Answer::of(page) }
    }

    /// As `draw` draws the page.
    pub fn drawn(self, draw: impl FnOnce(Factor) -> askama::Result<String>) -> Response {
        let mut answer = match draw(self.page) {
            Ok(text) => (self.status, axum::response::Html(text)).into_response(),
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
        if let Some((half, lasts)) = self.keeps {
            set_cookie(answer.headers_mut(), BEGUN, half.expose(), lasts);
        }
        if let Some(refused) = self.refused {
            answer.extensions_mut().insert(Code(refused.code));
            retry_after(&mut answer, &refused);
        }
        if let Some(who) = self.signed_in {
            answer.extensions_mut().insert(who);
        }
        answer
    }
}

pub async fn show(who: Option<&Identity>, pages: &Pages, caller: &Caller) -> Answer {
    let on = match who {
        Some(who) => pages.auth.factor(who.user).await.is_ok_and(|factor| factor.on),
        None => false,
    };
    let username = who.map(|who| who.name.clone()).unwrap_or_default();
    Answer::of(Factor { place: pages.place(caller), username, on, ..Factor::default() })
}

#[derive(Deserialize)]
pub struct Begins {
    username: String,
    password: String,
}

pub async fn begin(who: Option<&Identity>, pages: &Pages, caller: &Caller, asked: Begins) -> Answer {
    let Begins { username, password } = asked;
    let password = Secret::new(password);
    let page = || Factor { place: pages.place(caller), ..Factor::default() };
    let begun = pages.auth.begin_factor_as(&username, &password, caller.address, who).await;
    let (user, set) = match begun {
        Ok(begun) => begun,
        Err(told) => return Answer::refused(told, Factor { username, ..page() }),
    };
    let signed_in = Some(SignedIn { user: user.id, name: user.name.clone() });
    let who = Credentials { username, password, otp: None };
    let Some(half) = pages.halves.put(who, SECONDS_TO_SET_UP, &*pages.random) else {
        let d = Diagnostic::error("auth.busy", "too many people are signing in").kind(Kind::Unavailable);
        return Answer::refused(d.hint("try again in some minutes"), page());
    };
    let asked = Factor { confirming: true, shown: Some(set.into()), ..page() };
    Answer { keeps: Some((half, Some(SECONDS_TO_SET_UP))), signed_in, ..Answer::of(asked) }
}

#[derive(Deserialize)]
pub struct Confirms {
    otp: String,
}

impl Confirms {
    pub fn otp(&self) -> &str {
        &self.otp
    }
}

pub async fn confirm(pages: &Pages, caller: &Caller, headers: &HeaderMap, asked: Confirms) -> Answer {
    let page = || Factor { place: pages.place(caller), ..Factor::default() };
    let begun = cookie(headers, BEGUN);
    let Some(who) = begun.and_then(|begun| pages.halves.get(begun)) else {
        let d = Diagnostic::error("auth.too-late", "that took too long, or your browser kept no cookie: begin anew")
            .kind(Kind::Unauthenticated);
        return Answer::refused(d, page());
    };
    let confirmed = pages.auth.confirm_factor_as(&who.username, &who.password, asked.otp(), caller.address).await;
    let (user, codes) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(told) => {
            // A wrong code says that the password was right once more: the app can be set up with the same secret still.
            let shown = match told.code == "auth.wrong-code" {
                true => pages.auth.begun_factor(&who.username).await.ok().flatten().map(Shown::from),
                false => None,
            };
            return Answer::refused(told, Factor { confirming: true, shown, ..page() });
        }
    };
    begun.into_iter().for_each(|begun| pages.halves.end(begun));
    let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    Answer {
        keeps: Some((Secret::new(""), None)),
        signed_in: Some(SignedIn { user: user.id, name: user.name.clone() }),
        ..Answer::of(Factor { codes, ..page() })
    }
}
