//! What Traefik is answered: the request with what is known of who asks, or what the client gets instead.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::Auth;
use super::asked::Asked;
use super::known::{Kept, Rules};
use super::line::Unanswered;
use crate::base::random::bytes;
use crate::gate::pages;
use crate::gate::words::{self, Words};
use crate::traefik::Access;
use crate::traefik::file::GATE_HEADER;
use crate::traefik::forward::back::{self, Back, LASTS};
use crate::traefik::forward::cookie::BEFORE;
use crate::traefik::forward::wire::Grant;
use crate::web::{head, set_cookie};

const USER: HeaderName = HeaderName::from_static("remote-user");
const GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const EMAIL: HeaderName = HeaderName::from_static("remote-email");
const NAME: HeaderName = HeaderName::from_static("remote-name");

/// The beginning of a token of Hearth's: no application ever gets one.
const TOKEN: &[u8] = b"hearth_";

/// The request goes on, with the client's cookies but for ours, and with who they are. `by_token`: their `Authorization` was for us.
pub fn enter(asked: &Asked, who: Option<&Kept>, by_token: bool) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    let headers = answer.headers_mut();
    // One line: what several say is the same (RFC 9113, 8.2.3).
    match &asked.cookies.others[..] {
        [] => {}
        [one] => set(headers, COOKIE, one),
        several => set(headers, COOKIE, &several.join(&b"; "[..])),
    }
    if !by_token {
        for value in asked.authorizations().filter(|value| !has_token(value.as_bytes())) {
            headers.append(AUTHORIZATION, value.clone());
        }
    }
    if let Some(kept) = who {
        let who = &kept.grant;
        set(headers, USER, who.user.as_bytes());
        for (name, value) in [(EMAIL, &who.email), (NAME, &who.title)] {
            if !value.is_empty() {
                set(headers, name, value.as_bytes());
            }
        }
        if !who.groups.is_empty() {
            set(headers, GROUPS, who.groups.join(",").as_bytes());
        }
    }
    answer
}

/// Whether an `Authorization` has a token of ours in it, also as the name or password of `Basic` (RFC 7617).
fn has_token(value: &[u8]) -> bool {
    let within = |bytes: &[u8]| bytes.windows(TOKEN.len()).any(|part| part == TOKEN);
    let basic = value.split_first_chunk::<6>().filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"basic "));
    within(value)
        || basic.and_then(|(_, rest)| STANDARD.decode(rest.trim_ascii()).ok()).is_some_and(|said| within(&said))
}

/// A value that no header can hold is left out: what an application is told is true or nothing.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(name, value);
    }
}

/// A refusal that programs understand, for what cannot be sent to the login.
pub fn sign_in_first(asked: &Asked) -> Response<Body> {
    let mut answer = page(StatusCode::UNAUTHORIZED, &words::sign_in(), asked);
    // RFC 9110, 15.5.2: a 401 names a scheme. Browsers ask nobody for this one.
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Hearth"));
    answer
}

/// To the login and back to `host`, which is a route's.
pub fn to_login(auth: &Auth, rules: &Rules, asked: &Asked, host: &str) -> Response<Body> {
    // One for all of a browser's tabs.
    let (before, new) = match &asked.cookies.before {
        Some(before) => (before.clone(), false),
        None => (URL_SAFE_NO_PAD.encode(bytes::<32>(&*auth.random)), true),
    };
    let back = Back { host: host.to_owned(), path: back::path(asked.uri), state: back::state(&before) };
    let until = auth.clock.now().unix_timestamp() + LASTS;
    let back = back.sign(&rules.doors.signing.0, until);
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::FOUND;
    let headers = answer.headers_mut();
    set(headers, LOCATION, format!("{}/login?next=/go%3Fback%3D{back}", panel(rules)).as_bytes());
    if new {
        set_cookie(headers, BEFORE, &before, Some(LASTS));
    }
    headers.insert(GATE_HEADER, HeaderValue::from_static("1"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Signed in, and not one of those whom the access names.
pub fn not_allowed(rules: &Rules, asked: &Asked, access: &Access, who: &Grant) -> Response<Body> {
    page(StatusCode::FORBIDDEN, &words::not_allowed(access, &who.user, &who.only, &panel(rules)), asked)
}

/// The panel's address, as browsers see it.
fn panel(rules: &Rules) -> String {
    match rules.doors.https {
        443 => format!("https://{}", rules.doors.panel),
        port => format!("https://{}:{port}", rules.doors.panel),
    }
}

/// More than any service is to be sent: mostly cookies that another application has set for the whole domain.
pub fn too_large(headers: &HeaderMap, rules: Option<&Rules>) -> Response<Body> {
    let panel = rules.map(panel);
    let words = words::too_large(&head::largest_cookies(headers), panel.as_deref());
    page(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &words, &Asked::of(headers))
}

/// It could not be decided.
pub fn away(headers: &HeaderMap, _why: Unanswered) -> Response<Body> {
    let mut answer = page(StatusCode::SERVICE_UNAVAILABLE, &words::panel_away(), &Asked::of(headers));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

fn page(status: StatusCode, words: &Words, asked: &Asked) -> Response<Body> {
    pages::page(status, words, asked.host.as_deref(), asked.reads_html())
}
