//! What answers where no row does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::guard::{Guard, Taken, is_set_up, not_set_up, to_login, told};
use crate::auth::who::{Asking, nobody};
use crate::diag::{Diagnostic, Kind};
use crate::web::{Refusal, wants_html};

/// What the audit calls it.
const NOTHING: &str = "nothing";

/// Where no row is: said only to who is somebody, so that nobody learns what there is by trying. Who tries stands in the audit.
pub(super) async fn nothing_here(guard: Arc<Guard>, request: Request) -> Response {
    let (taken, begun) = (Taken::of(&request), Instant::now());
    match unknown(&request) {
        Some(refusal) => guard.refused(NOTHING, taken, begun, refusal).await,
        None => {
            let mut refusal = crate::web::no_such_page().await.0;
            if request.uri().path().starts_with("/api/") {
                refusal = refusal.hint("/docs on this server lists every call");
            }
            told(refusal, wants_html(request.headers()))
        }
    }
}

/// Where a row is, for other methods: which rows there are stands in `/docs` for everybody.
pub(super) async fn no_such_method(
    guard: Arc<Guard>,
    methods: Arc<BTreeMap<&'static str, Vec<Method>>>,
    request: Request,
) -> Response {
    if !is_set_up(&request) {
        let (taken, begun) = (Taken::of(&request), Instant::now());
        return guard.refused(NOTHING, taken, begun, told(not_set_up(), wants_html(request.headers()))).await;
    }
    let d = Diagnostic::error("web.no-such-method", format!("nothing at this address answers to {}", request.method()));
    let path = request.extensions().get::<MatchedPath>();
    let known = path.and_then(|path| methods.get(path.as_str())).into_iter().flatten();
    let known: Vec<&str> = known.map(Method::as_str).collect();
    let d = d.kind(Kind::Invalid).hint(format!("it answers to {}; /docs shows what it takes", known.join(", ")));
    match wants_html(request.headers()) {
        true => crate::web::page(&d, StatusCode::METHOD_NOT_ALLOWED),
        false => Refusal(d).with(StatusCode::METHOD_NOT_ALLOWED),
    }
}

fn unknown(request: &Request) -> Option<Response> {
    if !is_set_up(request) {
        return Some(told(not_set_up(), wants_html(request.headers())));
    }
    match request.extensions().get::<Asking>() {
        Some(Asking::Somebody(_)) => None,
        Some(Asking::Refused(why)) => Some(Refusal((**why).clone()).into_response()),
        _ if wants_html(request.headers()) => Some(to_login(request)),
        _ => Some(Refusal(nobody()).into_response()),
    }
}
