//! Another password of one's own.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::auth::page::forms::{Changed, Changes, Pages, with_session};
use crate::auth::who::{Person, User};
use crate::panel::refusal::Told;
use crate::panel::shell::Shell;
use crate::panel::{Panel, form_page, page};
use crate::web::lang::filters;
use crate::web::read::Form;
use crate::web::{Caller, Refusal};

#[derive(Debug, Template)]
#[template(path = "panel/account/password.html")]
pub struct Page {
    pub shell: Shell,
    pub told: Vec<Told>,
    /// It was changed.
    pub done: Option<Done>,
}

/// What it has ended.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// This browser has a new session.
    pub stays: bool,
    /// Other browsers and programs.
    pub signed_out: usize,
    /// API tokens.
    pub tokens: usize,
}

pub async fn show(who: User, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/password", "/account");
    page(&headers, &Page { shell, told: Vec::new(), done: None })
}

pub async fn change(
    who: Person,
    State(panel): State<Panel>,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(changes): Form<Changes>,
) -> Response {
    let shell = panel.shell(&who, &headers, "/password", "/account");
    match pages.change_password(&who, &caller, &headers, changes).await {
        Ok(Changed { session, signed_out, tokens }) => {
            let done = Done { stays: session.is_some(), signed_out, tokens };
            let answer = page(&headers, &Page { shell, told: Vec::new(), done: Some(done) });
            match session {
                Some(session) => with_session(answer, &session),
                None => answer,
            }
        }
        Err(told) => form_page(&headers, Refusal(told).into_response(), |told| Page { shell, told, done: None }).await,
    }
}
