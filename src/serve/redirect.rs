//! Plain HTTP leads to HTTPS.

use std::net::Ipv6Addr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::diag::Diagnostic;
use crate::web::{Caller, Refusal};

/// Whether a name or address, lower case and without a port, is one under which people reach this server.
pub type IsOurs = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// To the same address with HTTPS, where that is ours: anything else in a request is somebody's else, and nobody is sent there. Not for
/// ever: a browser that remembered it would not see that the port has changed.
pub fn redirect(request: &Request, port: u16, is_ours: &(dyn Fn(&str) -> bool + Send + Sync)) -> Response {
    let host = request.extensions().get::<Caller>().and_then(|caller| caller.host.clone()).unwrap_or_default();
    let Some(name) = name_of(&host) else {
        let d = Diagnostic::error("web.bad-host", "the `Host` of the request is no name");
        return Refusal(d.hint("name the host once, as in the address")).with(StatusCode::BAD_REQUEST);
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    if !is_ours(&bare) {
        let d = Diagnostic::error("web.unknown-host", format!("this is Hearth, and `{bare}` is no name of it"))
            .hint("ask for this machine by its name or address")
            .hint(format!("where it should be one: server: {{names: [{bare}]}} in hearth.yaml"));
        return Refusal(d).with(StatusCode::MISDIRECTED_REQUEST);
    }
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    match HeaderValue::try_from(format!("https://{name}{port}{path}")) {
        Ok(to) if path.starts_with('/') => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// `nas.local` of `nas.local:8480`, `[fd00::1]` of `[fd00::1]:8480`.
fn name_of(host: &str) -> Option<String> {
    let (name, port) = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((inside, rest))) => {
            inside.parse::<Ipv6Addr>().ok()?;
            (format!("[{inside}]"), rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("")))
        }
        Some(None) => return None,
        None => match host.split_once(':') {
            Some((name, port)) => (name.to_owned(), Some(port)),
            None => (host.to_owned(), Some("")),
        },
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let good = name.starts_with('[') || !name.is_empty() && name.chars().all(plain);
    (good && port.is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn to(host: Option<&str>, path: &str, port: u16) -> Option<String> {
        let mut request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let address = Ipv4Addr::LOCALHOST.into();
        request.extensions_mut().insert(Caller { address, https: false, host: host.map(str::to_owned) });
        let ours = ["nas.local", "nas", "fd00::1", "127.0.0.1"];
        let answer = redirect(&request, port, &|name| ours.contains(&name));
        answer.headers().get(header::LOCATION).map(|v| v.to_str().unwrap().to_owned())
    }

    #[test]
    fn plain_http_leads_to_the_same_host_and_nowhere_else() {
        for (host, path, port, expected) in [
            ("nas.local:8480", "/a?b=c", 8443, "https://nas.local:8443/a?b=c"),
            ("nas", "/", 443, "https://nas/"),
            ("[fd00::1]:8480", "/", 8443, "https://[fd00::1]:8443/"),
            ("NAS.local.:8480", "/", 8443, "https://NAS.local.:8443/"),
            ("127.0.0.1", "//evil.example/", 8443, "https://127.0.0.1:8443//evil.example/"),
        ] {
            assert_eq!(to(Some(host), path, port).as_deref(), Some(expected));
        }
        for host in [None, Some(""), Some("a/b"), Some("a@b"), Some("a\\b"), Some("a b"), Some(":80")] {
            assert_eq!(to(host, "/", 8443), None, "{host:?}");
        }
        for host in [
            "evil.example",
            "nas.evil.example",
            "evil.example:8480",
            "nas:80@evil.example",
            "[::1",
            "[fd00::2]",
            "[fd00::1]evil.example",
            "[evil.example]",
            "nas:evil.example",
            "10.0.0.1",
        ] {
            assert_eq!(to(Some(host), "/", 8443), None, "{host}");
        }
    }
}
