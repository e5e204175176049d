//! How devices come to trust the local CA: a page with steps for each, and the root in the forms that they take.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::local::LocalCa;
use super::profile;
use crate::web::STYLE;

/// The CA as it is now: there may be a new one while the server runs.
pub type Trust = Arc<dyn Fn() -> Arc<LocalCa> + Send + Sync>;

#[derive(Template)]
#[template(path = "certs/trust.html")]
struct Page {
    style: &'static str,
    /// The fingerprint in lines of readable groups.
    lines: Vec<Vec<String>>,
    ends: String,
}

/// `/trust` and what it offers for download; for plain HTTP too.
pub fn router(trust: Trust) -> Router {
    Router::new()
        .route("/trust", get(page))
        .route("/trust/hearth-ca.crt", get(pem))
        .route("/trust/hearth-ca.der", get(der))
        .route("/trust/hearth-ca.mobileconfig", get(mobileconfig))
        .with_state(trust)
}

async fn page(State(trust): State<Trust>) -> Response {
    let ca = trust();
    let page = Page { style: STYLE, lines: groups(&ca.fingerprint()), ends: ca.root_ends().date().to_string() };
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn pem(State(trust): State<Trust>) -> Response {
    file("application/x-x509-ca-cert", "hearth-ca.crt", trust().root_pem().to_owned().into_bytes())
}

async fn der(State(trust): State<Trust>) -> Response {
    file("application/x-x509-ca-cert", "hearth-ca.der", trust().root_der().to_vec())
}

async fn mobileconfig(State(trust): State<Trust>) -> Response {
    let profile = profile::of(&trust());
    file("application/x-apple-aspen-config", "hearth-ca.mobileconfig", profile.into_bytes())
}

fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    let headers: [(HeaderName, HeaderValue); 2] =
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}

/// `AB:CD:...` in lines of four groups of two bytes each.
pub fn groups(fingerprint: &str) -> Vec<Vec<String>> {
    let bytes: Vec<&str> = fingerprint.split(':').collect();
    let groups: Vec<String> = bytes.chunks(2).map(|pair| pair.concat()).collect();
    groups.chunks(4).map(<[String]>::to_vec).collect()
}
