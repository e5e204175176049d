//! An app with codes. Who is not signed in yet has it as a page of its own, since it may be what keeps them out; who is, within the panel.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::{Own, refused};
use crate::auth::page::factor::{self, Answer, Begins, Confirms, Factor};
use crate::auth::page::forms::Pages;
use crate::auth::table::guard::As;
use crate::auth::who::{Anyone, User};
use crate::panel::shell::Shell;
use crate::panel::{Panel, page};
use crate::web::lang::filters;
use crate::web::read::Form;
use crate::web::{Caller, Lang};

/// The page within the panel.
#[derive(Debug, Template)]
#[template(path = "panel/account/factor.html")]
pub struct Page {
    pub shell: Shell,
    pub factor: Factor,
}

fn drawn(panel: &Panel, who: &Anyone, headers: &HeaderMap, answer: Answer) -> Response {
    answer.drawn(|factor| match &who.0 {
        Some(who) => {
            let shell = panel.shell(who, headers, "/second-factor", "/account");
            Page { shell, factor }.render_with_values(&Lang::of(headers))
        }
        None => factor.render(),
    })
}

pub async fn show(
    who: Anyone,
    State(panel): State<Panel>,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let answer = factor::show(who.0.as_deref(), &pages, &caller).await;
    drawn(&panel, &who, &headers, answer)
}

pub async fn begin(
    who: Anyone,
    State(panel): State<Panel>,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(asked): Form<Begins>,
) -> Response {
    let answer = factor::begin(who.0.as_deref(), &pages, &caller, asked).await;
    drawn(&panel, &who, &headers, answer)
}

pub async fn confirm(
    who: Anyone,
    State(panel): State<Panel>,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(asked): Form<Confirms>,
) -> Response {
    let answer = factor::confirm(&pages, &caller, &headers, asked).await;
    drawn(&panel, &who, &headers, answer)
}

/// Other recovery codes in place of those until now: shown by the answer, and never again.
pub async fn new_codes(
    who: User,
    own: Own,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(asked): Form<Confirms>,
) -> Response {
    let made = match who.in_person() {
        Ok(()) => own.auth.new_codes(who.user, asked.otp(), caller.address).await,
        Err(told) => Err(told),
    };
    let answer = match made {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
            let shell = own.panel.shell(&who, &headers, "/account", "/account");
            page(&headers, &Page { shell, factor: Factor { codes, renewed: true, ..Factor::default() } })
        }
        Err(told) => own.after(&who, &caller, &headers, "factor", Err(refused(told))).await,
    };
    As::of("second_factor.codes", answer)
}

/// Away with it.
pub async fn turn_off(
    who: User,
    own: Own,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(asked): Form<Confirms>,
) -> Response {
    let done = match who.in_person() {
        Ok(()) => own.auth.remove_own_factor(who.user, asked.otp(), caller.address).await,
        Err(told) => Err(told),
    };
    let answer = own.after(&who, &caller, &headers, "factor", done.map_err(refused)).await;
    As::of("second_factor.off", answer.into_response())
}
