//! Heads of requests that are too large, told in words: mostly it is cookies, and whoever has them cannot see why nothing answers. Every application of the
//! domain, and on this machine every port, can set some that come here too.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::{Refusal, wants_html};
use crate::diag::Diagnostic;

/// Where a browser's cookies can be cleared: a head of any size that arrives is taken there.
pub const WAY_OUT: &str = "/cookies";

/// Cookies that are named.
const NAMED: usize = 3;

/// Bytes of headers as they are sent.
pub fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// The names of the largest cookies, where they are most of a head; else none.
pub fn largest_cookies(headers: &HeaderMap) -> Vec<String> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    for pair in all.flat_map(|value| value.split(';')) {
        let name = pair.split('=').next().unwrap_or_default().trim();
        *sizes.entry(name).or_default() += pair.len() + 1;
    }
    let mut sizes: Vec<(&str, usize)> = sizes.into_iter().collect();
    if sizes.iter().map(|(_, size)| size).sum::<usize>() * 2 < size(headers) {
        return Vec::new();
    }
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    sizes.into_iter().take(NAMED).map(|(name, _)| name.chars().take(40).collect()).collect()
}

/// Refuses a head that is larger than `most`, if this one is.
pub(super) fn too_large(request: &Request, most: usize) -> Option<Response> {
    let size = size(request.headers()) + request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if size <= most || request.uri().path() == WAY_OUT {
        return None;
    }
    let (size, most) = (size.div_ceil(1024), most / 1024);
    let title = format!("the head of the request has {size} KiB, and at most {most} are taken");
    let d = Diagnostic::error("web.head-too-large", title);
    let d = match &largest_cookies(request.headers())[..] {
        [] => d.hint("send shorter headers, and a shorter address"),
        names => d
            .hint(format!(
                "most of it is cookies, the largest of them: {}; another application of this domain or machine has set them",
                names.join(", ")
            ))
            .hint("delete the cookies of this domain in the browser's settings, or have them cleared at /cookies"),
    };
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    Some(match wants_html(request.headers()) {
        true => super::refuse::page_with(&d, status, Some((WAY_OUT, "web-to-cookies"))),
        false => Refusal(d).with(status),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_largest_cookies_are_named_where_they_are_what_is_too_large() {
        let mut headers = HeaderMap::new();
        assert!(largest_cookies(&headers).is_empty());
        for cookies in [format!("small=1; big={}", "x".repeat(900)), format!("other={}; big=y", "x".repeat(300))] {
            headers.append(header::COOKIE, HeaderValue::try_from(cookies).unwrap());
        }
        assert_eq!(largest_cookies(&headers), ["big", "other", "small"]);
        headers.insert("x-long", HeaderValue::try_from("x".repeat(5000)).unwrap());
        assert!(largest_cookies(&headers).is_empty(), "it is not the cookies");
    }
}
