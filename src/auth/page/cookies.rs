//! A way out for a browser that has so many cookies of this domain that its requests are too large: the applications of a home can set some for all of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Home;
use super::forms::{self, Pages};
use crate::auth::who::Anyone;
use crate::diag::{Diagnostic, Kind};
use crate::web::lang::filters;
use crate::web::{Caller, Origin, Refusal};

#[derive(Debug, Template)]
#[template(path = "auth/cookies.html")]
struct Cookies {
    place: Home,
    cleared: bool,
}

/// `GET /cookies`: says what it is about; nothing has happened yet.
pub async fn show(_: Anyone, State(pages): State<Arc<Pages>>, Extension(caller): Extension<Caller>) -> Response {
    forms::page(StatusCode::OK, Cookies { place: pages.place(&caller), cleared: false })
}

/// `POST /cookies`: has the browser forget all cookies of the domain. From this very page only: it signs out of every application.
pub async fn clear(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    Extension(origin): Extension<Origin>,
) -> Response {
    if origin != Origin::Own {
        let d = Diagnostic::error("auth.cross-site", "this did not come from a page of Hearth's").kind(Kind::Denied);
        return Refusal(d.hint("open /cookies and press the button there")).into_response();
    }
    let mut answer = forms::page(StatusCode::OK, Cookies { place: pages.place(&caller), cleared: true });
    let cookies = HeaderValue::from_static("\"cookies\"");
    answer.headers_mut().insert(HeaderName::from_static("clear-site-data"), cookies);
    answer
}
