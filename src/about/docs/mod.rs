//! The API as a person reads it, at `/docs`, and as a program does, at `/api/v1/openapi.json`; both from one description. And what the codes of
//! refusals mean.

mod errors;
mod read;

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use crate::auth::who::Anyone;
use crate::web::STYLE;

/// Made once from the table of routes.
pub struct Docs {
    json: Bytes,
    page: Bytes,
    errors: Bytes,
}

#[derive(Template)]
#[template(path = "about/docs.html")]
struct Page {
    style: &'static str,
    version: &'static str,
    subjects: Vec<read::Subject>,
}

#[derive(Template)]
#[template(path = "about/errors.html")]
struct Errors {
    style: &'static str,
    intro: Vec<String>,
    all: Vec<errors::Explained>,
}

impl Docs {
    /// `api`: OpenAPI as JSON.
    pub fn new(api: &Value) -> Docs {
        let page = Page { style: STYLE, version: super::json::VERSION, subjects: read::subjects(api) };
        let (intro, all) = errors::all();
        let errors = Errors { style: STYLE, intro, all };
        // Rendering into memory fails only where a value cannot be written, and these are texts.
        let text = |page: askama::Result<String>| Bytes::from(page.unwrap_or_default());
        Docs { json: Bytes::from(api.to_string()), page: text(page.render()), errors: text(errors.render()) }
    }
}

/// The API, to read.
pub async fn page(_: Anyone, State(docs): State<Arc<Docs>>) -> Response {
    html(&docs.page)
}

/// What each code of a refusal means.
pub async fn errors(_: Anyone, State(docs): State<Arc<Docs>>) -> Response {
    html(&docs.errors)
}

/// The API, for programs.
pub async fn openapi(_: Anyone, State(docs): State<Arc<Docs>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], docs.json.clone()).into_response()
}

fn html(page: &Bytes) -> Response {
    match page.is_empty() {
        true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        false => Html(page.clone()).into_response(),
    }
}
