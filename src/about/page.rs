//! Files of pages, and what browsers ask for by themselves.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::auth::who::Anyone;
use crate::web::read::Path;

/// A style sheet or script of pages.
pub async fn file(_: Anyone, Path(file): Path<String>, headers: HeaderMap) -> Response {
    match crate::web::serve_asset(&file, &headers) {
        Some(answer) => answer,
        None => crate::web::no_such_page().await.into_response(),
    }
}

/// Browsers ask for it by themselves; there is none.
pub async fn no_icon(_: Anyone) -> StatusCode {
    StatusCode::NO_CONTENT
}
