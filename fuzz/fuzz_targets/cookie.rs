//! Any bytes as the `Cookie` headers of a request, one a line: nothing of ours is left for an application, what is left stays as it is, and gate and panel
//! never take two different sessions out of one request.
#![no_main]

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use hearth::traefik::forward::cookie::{self, SESSION};
use hearth::web;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part))
}

fuzz_target!(|bytes: &[u8]| {
    // `$` stands for our cookie, so that it is met often.
    let ours = format!("{SESSION}={SECRET}");
    let mut text = Vec::new();
    for b in bytes {
        match b {
            b'$' => text.extend_from_slice(ours.as_bytes()),
            b => text.push(*b),
        }
    }
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    let found = cookie::part(lines.iter().copied());
    for left in &found.others {
        assert!(!has(left, b"__host-hearth") && !has(left, b"__secure-hearth"), "{left:?}");
        // Where it stands by its name it is taken out with its value, whatever is around it.
        if !bytes.windows(8).any(|w| SECRET.as_bytes().windows(8).any(|s| s == w)) {
            assert!(!left.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()), "{left:?}");
        }
    }
    let again = cookie::part(found.others.iter().map(Vec::as_slice));
    assert_eq!((&again.others, &again.session, &again.before), (&found.others, &None, &None));
    assert!(found.session.as_deref().is_none_or(cookie::is_value));

    let mut headers = HeaderMap::new();
    for line in &lines {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let gates = cookie::part(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes));
    let panels = web::cookie(&headers, SESSION).filter(|value| cookie::is_value(value));
    if let (Some(gates), Some(panels)) = (&gates.session, panels) {
        assert_eq!(gates, panels);
    }
    // What is set stays one cookie of this host.
    if let Ok(value) = std::str::from_utf8(bytes) {
        let mut set = HeaderMap::new();
        web::set_cookie(&mut set, SESSION, value, Some(60));
        for line in set.get_all(SET_COOKIE) {
            assert!(line.to_str().is_ok_and(|line| line.ends_with("; Secure; HttpOnly; SameSite=Lax")) || !value.is_ascii());
        }
    }
});
