//! The page at `/`.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::json;
use crate::web::{STYLE, wants_html};

#[derive(Template)]
#[template(path = "serve/index.html")]
struct Index {
    style: &'static str,
    version: &'static str,
}

pub async fn index(headers: HeaderMap) -> Response {
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
