//! The way to the provider and back, for browsers. Both are links that a browser follows, so both are GET: the first changes nothing but what the same
//! browser may end, the second ends that once.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Arrived, Back, Oidc, words};
use crate::auth::page::forms::{self, Pages, own_path, signed_in, to};
use crate::auth::page::{Second, Told};
use crate::auth::who::Anyone;
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::web::read::{Form, Query};
use crate::web::{Caller, Refusal, set_cookie, wants_html};

/// The browser's own while somebody is at the provider; and while they still have to show a code of ours.
const BEGUN: &str = "__Host-hearth-oidc";
const HALF: &str = "__Host-hearth-oidc-half";

/// Seconds that both last.
const SECONDS: i64 = 600;

/// Has the browser keep what it must bring back.
pub fn keep_begun(answer: &mut Response, cookie: &Secret) {
    set_cookie(answer.headers_mut(), BEGUN, cookie.expose(), Some(SECONDS));
}

#[derive(Debug, Deserialize)]
pub struct Next {
    /// A path of the panel.
    #[serde(default)]
    next: String,
}

/// To the provider.
pub async fn begin(
    _: Anyone,
    State(oidc): State<Arc<Oidc>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Response {
    // The provider sends back to one address, where the cookie has to be.
    if !oidc.place.is_here(&caller) {
        let next: String = form_urlencoded::byte_serialize(own_path(&next).as_bytes()).collect();
        return match oidc.place.told() {
            Some(origin) => to(&format!("{origin}/login/oidc?next={next}")),
            None => refused(words::elsewhere(), &headers),
        };
    }
    match oidc.begin(own_path(&next), caller.address).await {
        Ok(leaving) => {
            let mut answer = to(&leaving.to);
            keep_begun(&mut answer, &leaving.cookie);
            answer
        }
        Err(told) => refused(told, &headers),
    }
}

/// From the provider.
pub async fn callback(
    Anyone(who): Anyone,
    State(pages): State<Arc<Pages>>,
    State(oidc): State<Arc<Oidc>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Response {
    let cookie = crate::web::cookie(&headers, BEGUN);
    let arrived = oidc.arrive(&back, cookie, who.as_deref(), &forms::from(&caller, &headers)).await;
    let mut answer = match arrived {
        Ok(Arrived::In { session, next, .. }) => signed_in(&session, own_path(&next)),
        Ok(Arrived::Linked) => to("/account"),
        Ok(Arrived::Half { cookie, next }) => {
            let mut answer = forms::page(StatusCode::OK, second_page(&pages, &caller, next, None));
            set_cookie(answer.headers_mut(), HALF, cookie.expose(), Some(SECONDS));
            answer
        }
        Err(told) => refused(told, &headers),
    };
    set_cookie(answer.headers_mut(), BEGUN, "", None);
    answer
}

#[derive(Deserialize)]
pub struct Code {
    otp: String,
    #[serde(default)]
    next: String,
}

/// The code of a second factor, for who signed in at the provider.
pub async fn second(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    State(oidc): State<Arc<Oidc>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(Code { otp, next }): Form<Code>,
) -> Response {
    let cookie = crate::web::cookie(&headers, HALF);
    match oidc.second(cookie, &otp, &forms::from(&caller, &headers)).await {
        Ok((session, next)) => {
            let mut answer = signed_in(&session, own_path(&next));
            set_cookie(answer.headers_mut(), HALF, "", None);
            answer
        }
        Err(told) if told.code == "auth.oidc-begin-again" => refused(told, &headers),
        Err(told) => {
            let status = Refusal(told.clone()).status();
            forms::page(status, second_page(&pages, &caller, next, Some(told.into())))
        }
    }
}

fn second_page(pages: &Pages, caller: &Caller, next: String, told: Option<Told>) -> Second {
    Second { place: pages.place(caller), action: "/login/oidc/second", next, told, ..Second::default() }
}

/// A person reads it as a page.
fn refused(told: Diagnostic, headers: &HeaderMap) -> Response {
    let refusal = Refusal(told);
    match wants_html(headers) {
        true => crate::web::page(&refusal.0, refusal.status()),
        false => refusal.into_response(),
    }
}
