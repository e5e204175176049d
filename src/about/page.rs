//! The page at `/`.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::json;
use crate::auth::who::Anyone;
use crate::web::{STYLE, wants_html};

#[derive(Template)]
#[template(path = "about/index.html")]
struct Index {
    style: &'static str,
    version: &'static str,
}

pub async fn index(_: Anyone, headers: HeaderMap) -> Response {
    let mut answer = match wants_html(&headers) {
        false => json::index().into_response(),
        true => match (Index { style: STYLE, version: json::VERSION }).render() {
            Ok(page) => Html(page).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    };
    answer.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    answer
}

/// Browsers ask for it by themselves; there is none.
pub async fn no_icon(_: Anyone) -> StatusCode {
    StatusCode::NO_CONTENT
}
