//! The page at `/`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::json;
use crate::auth::page::{Services, Tile};
use crate::auth::who::{Anyone, Identity, Role};
use crate::base::wording;
use crate::proxy::Ways;
use crate::web::wants_html;

/// For programs a word that it runs; for people their services, or the way to sign in.
pub async fn index(Anyone(who): Anyone, State(ways): State<Arc<Ways>>, headers: HeaderMap) -> Response {
    let mut answer = match (wants_html(&headers), who) {
        (false, _) => json::index().into_response(),
        (true, None) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/login")]).into_response(),
        (true, Some(who)) => services(&who, ways).await,
    };
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, cookie"));
    answer
}

async fn services(who: &Identity, ways: Arc<Ways>) -> Response {
    let tile =
        |way: crate::proxy::Mine| Tile { title: wording::sentence(&way.service), about: way.about, url: way.url };
    let page = Services {
        name: who.name.clone(),
        role: who.role.word(),
        services: ways.of(who).await.into_iter().map(tile).collect(),
        operates: matches!(who.role, Role::Operator | Role::Admin),
    };
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Browsers ask for it by themselves; there is none.
pub async fn no_icon(_: Anyone) -> StatusCode {
    StatusCode::NO_CONTENT
}
