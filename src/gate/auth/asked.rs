//! A request as Traefik tells of it. Whatever else stands there, a client may have written: it is not looked at.

use std::net::IpAddr;

use axum::http::header::{ACCEPT, AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::traefik::Access;
use crate::traefik::forward::cookie::{self, Cookies};
use crate::traefik::forward::{AUTH, host};

/// What Traefik's own address for gate says: which key, which access, which route where that has paths of its own.
pub struct Question<'u> {
    pub key: &'u str,
    pub access: Access,
    pub route: Option<&'u str>,
}

impl<'u> Question<'u> {
    /// Traefik asks as its file says, so anything else is nobody's question.
    pub fn of(uri: &'u Uri) -> Option<Question<'u>> {
        let key = uri.path().strip_prefix(AUTH)?;
        let query = uri.query()?.strip_prefix("p=")?;
        let (access, route) = match query.split_once("&r=") {
            Some((access, route)) => (access, Some(route)),
            None => (query, None),
        };
        Some(Question { key, access: access.parse().ok()?, route })
    }
}

/// The client's request.
pub struct Asked<'h> {
    headers: &'h HeaderMap,
    /// As routes have it.
    pub host: Option<String>,
    /// Path and query.
    pub uri: &'h str,
    /// Traefik's peer.
    pub address: Option<IpAddr>,
    pub cookies: Cookies,
}

impl<'h> Asked<'h> {
    pub fn of(headers: &'h HeaderMap) -> Asked<'h> {
        let said = |name: &str| one(headers, name).and_then(|value| value.to_str().ok());
        Asked {
            host: said("x-forwarded-host").and_then(host::normal),
            uri: said("x-forwarded-uri").unwrap_or("/"),
            // A list would hold what somebody else says.
            address: said("x-forwarded-for").and_then(|text| text.trim().parse().ok()),
            cookies: cookie::part(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes)),
            headers,
        }
    }

    /// A person's browser that goes to a page of its own: only there a redirect leads somewhere.
    pub fn is_navigation(&self) -> bool {
        let is = |name: &str, wanted: &str| match self.headers.get(name) {
            None => true,
            Some(value) => value == wanted,
        };
        self.said("x-forwarded-method") == Some("GET")
            && self.said("x-forwarded-proto") == Some("https")
            && self.headers.get(ACCEPT).is_some()
            && crate::web::wants_html(self.headers)
            && is("sec-fetch-mode", "navigate")
            && is("sec-fetch-dest", "document")
    }

    /// Whether words for it are a page.
    pub fn reads_html(&self) -> bool {
        matches!(self.said("x-forwarded-method"), Some("GET" | "HEAD")) && crate::web::wants_html(self.headers)
    }

    /// The one token that stands in `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&'h str> {
        let (scheme, token) = one(self.headers, AUTHORIZATION.as_str())?.to_str().ok()?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    }

    /// All that stands in `Authorization`.
    pub fn authorizations(&self) -> impl Iterator<Item = &'h HeaderValue> {
        self.headers.get_all(AUTHORIZATION).iter()
    }

    fn said(&self, name: &str) -> Option<&'h str> {
        one(self.headers, name).and_then(|value| value.to_str().ok())
    }
}

/// A header that stands there once; of two nobody knows which is meant.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    all.next().is_none().then_some(first)
}
