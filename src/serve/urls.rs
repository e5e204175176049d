//! Every URL of the server on one page. All of them are for everybody: there is no login yet.
//!
//! | address | plain HTTP | HTTPS | what |
//! |---|---|---|---|
//! | `/` | redirect | yes | a page for browsers, JSON for programs |
//! | `/health`, `/api/v1/info` | redirect | yes | that it runs, and since when |
//! | `/trust`, `/trust/*` | yes | yes | how devices come to trust the local CA |
//! | `/.well-known/acme-challenge/TOKEN` | yes | yes | what a public CA asks for |

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{json, page, state};
use crate::base::net::CHALLENGES;
use crate::certs;
use crate::diag::{Diagnostic, Kind};
use crate::web::{Caller, Refusal, no_such_page};

/// What a token of a challenge is answered with; `None`: nobody waits for it.
pub type Challenge = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What handlers need.
#[derive(Clone)]
pub struct App {
    pub state: Arc<state::State>,
    pub trust: certs::page::Trust,
    pub challenge: Challenge,
}

/// Behind HTTPS.
pub fn secure(app: &App) -> Router {
    let own = Router::new()
        .route("/", get(page::index))
        .route("/health", get(json::health))
        .route("/api/v1/info", get(json::info))
        .with_state(app.state.clone());
    own.merge(both(app)).fallback(no_such_page)
}

/// Whether a name or address, lower case and without a port, is one under which people reach this server.
pub type IsOurs = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// On plain HTTP. `https`: the listener that everything else is sent to.
pub fn plain(app: &App, https: SocketAddr, is_ours: IsOurs) -> Router {
    both(app).fallback(move |request: Request| async move { redirect(&request, https.port(), &*is_ours) })
}

fn both(app: &App) -> Router {
    let challenge =
        Router::new().route(&format!("{CHALLENGES}{{token}}"), get(challenge)).with_state(app.challenge.clone());
    // Browsers ask for it by themselves; there is none.
    let icon = Router::new().route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }));
    challenge.merge(icon).merge(certs::page::router(app.trust.clone()))
}

async fn challenge(State(challenge): State<Challenge>, Path(token): Path<String>) -> Response {
    match challenge(&token) {
        Some(answer) => ([(header::CONTENT_TYPE, "text/plain")], answer).into_response(),
        None => {
            let d = Diagnostic::error("web.not-found", "no certificate is being asked for with this token");
            Refusal(d.kind(Kind::NotFound)).into_response()
        }
    }
}

/// To the same address with HTTPS, where that is ours: anything else in a request is somebody's else, and nobody is sent there. Not for
/// ever: a browser that remembered it would not see that the port has changed.
fn redirect(request: &Request, port: u16, is_ours: &(dyn Fn(&str) -> bool + Send + Sync)) -> Response {
    let host = request.extensions().get::<Caller>().and_then(|caller| caller.host.clone()).unwrap_or_default();
    let Some(name) = name_of(&host) else {
        let d = Diagnostic::error("web.bad-host", "the `Host` of the request is no name");
        return (StatusCode::BAD_REQUEST, Refusal(d.hint("name the host once, as in the address"))).into_response();
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    if !is_ours(&bare) {
        let d = Diagnostic::error("web.unknown-host", format!("this is Hearth, and `{bare}` is no name of it"))
            .hint("ask for this machine by its name or address")
            .hint(format!("where it should be one: server: {{names: [{bare}]}} in hearth.yaml"));
        return (StatusCode::MISDIRECTED_REQUEST, Refusal(d)).into_response();
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
