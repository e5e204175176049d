//! Cookies: read as a browser writes them (RFC 6265, 5.4), and set in the one way that Hearth sets any.

use axum::http::{HeaderMap, HeaderValue, header};

/// Every value of a cookie, in order. A browser has one of a `__Host-` name: more were put there by somebody else.
pub fn cookies<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(own, _)| *own == name).map(|(_, value)| value)
}

/// The value of a cookie; `None` also where it is there twice.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = cookies(headers, name);
    found.next().filter(|_| found.next().is_none())
}

/// Sets a cookie of this host alone, over TLS, out of reach of scripts, not sent along by another site's form. `lasts`: seconds; `None` takes
/// it away.
pub fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str, lasts: Option<i64>) {
    let lasts = lasts.unwrap_or(0).max(0);
    let text = format!("{name}={value}; Path=/; Max-Age={lasts}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(mut value) = HeaderValue::try_from(text) {
        value.set_sensitive(true);
        headers.append(header::SET_COOKIE, value);
    }
}
