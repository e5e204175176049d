//! How devices come to trust the local CA: a page with steps for each, and the root in the forms that they take.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::local::LocalCa;
use super::profile;
use crate::auth::who::Anyone;
use crate::diag::{Diagnostic, Kind};
use crate::web::lang::{Lang, filters};
use crate::web::read::Path;
use crate::web::{Refusal, STYLE};

/// The CA as it is now: there may be a new one while the server runs.
pub type Trust = Arc<dyn Fn() -> Arc<LocalCa> + Send + Sync>;

/// What a token of a challenge is answered with; `None`: nobody waits for it.
pub type Challenge = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

#[derive(Template)]
#[template(path = "certs/trust.html")]
struct Page {
    style: &'static str,
    /// The fingerprint in lines of readable groups.
    lines: Vec<Vec<String>>,
    ends: String,
}

/// How devices come to trust the local CA.
pub async fn trust(_: Anyone, State(trust): State<Trust>) -> Response {
    let ca = trust();
    let page = Page { style: STYLE, lines: groups(&ca.fingerprint()), ends: ca.root_ends().date().to_string() };
    match page.render_with_values(&Lang::spoken()) {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The root as most systems take it.
pub async fn pem(_: Anyone, State(trust): State<Trust>) -> Response {
    file("application/x-x509-ca-cert", "hearth-ca.crt", trust().root_pem().to_owned().into_bytes())
}

/// The root as Android takes it.
pub async fn der(_: Anyone, State(trust): State<Trust>) -> Response {
    file("application/x-x509-ca-cert", "hearth-ca.der", trust().root_der().to_vec())
}

/// The root as Apple's devices take it.
pub async fn mobileconfig(_: Anyone, State(trust): State<Trust>) -> Response {
    let profile = profile::of(&trust());
    file("application/x-apple-aspen-config", "hearth-ca.mobileconfig", profile.into_bytes())
}

/// What a public CA asks for, to see that a name is ours (RFC 8555, 8.3).
pub async fn challenge(_: Anyone, State(challenge): State<Challenge>, Path(token): Path<String>) -> Response {
    match challenge(&token) {
        Some(answer) => ([(header::CONTENT_TYPE, "text/plain")], answer).into_response(),
        None => {
            let d = Diagnostic::error("web.not-found", "no certificate is being asked for with this token");
            Refusal(d.kind(Kind::NotFound)).into_response()
        }
    }
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
