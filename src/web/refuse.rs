//! A refusal as an HTTP answer.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::diag::{Diagnostic, Kind, Sources, text};

/// A diagnostic to answer with: `{"error": {code, title, ...}, "detail": title}`, and the status of its kind.
#[derive(Debug)]
pub struct Refusal(pub Diagnostic);

impl From<Diagnostic> for Refusal {
    fn from(diagnostic: Diagnostic) -> Refusal {
        Refusal(diagnostic)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.kind {
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Denied => StatusCode::FORBIDDEN,
            Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Unavailable | Kind::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Failed | Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = json!({"error": text::to_json(&self.0, &Sources::default()), "detail": self.0.title});
        (status, Json(body)).into_response()
    }
}

/// For what no route answers.
pub async fn no_such_page() -> Refusal {
    let d = Diagnostic::error("web.not-found", "there is nothing at this address").kind(Kind::NotFound);
    Refusal(d.hint("look at the address"))
}

/// Whether a person's browser asks for a page, not a program for data.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    accepts.flat_map(|v| v.split(',')).any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}
