//! What every request and answer of a door goes through, whatever the router does.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tracing::info;

use super::lang::{self, Lang};
use super::turns::Turns;
use super::{Limits, Refusal, deadline, head, policy};
use crate::diag::{Diagnostic, Kind};

/// How a door behaves besides its limits.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// The other side is a proxy that has shown its certificate: what it says about the client is true.
    pub behind_proxy: bool,
    /// The door speaks TLS.
    pub tls: bool,
    /// `max-age` of HSTS in seconds, 0 for none; can be changed any time. Only where the certificate is one that every browser accepts: with
    /// HSTS nobody can click past a bad one.
    pub hsts: Arc<AtomicU64>,
    /// Paths that are answered at once, however many requests there are.
    pub out_of_turn: &'static [&'static str],
}

/// Who asks: for handlers, in a request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub address: IpAddr,
    /// The client's own connection is encrypted.
    pub https: bool,
    /// The host that the client asked for, with its port where it said one.
    pub host: Option<String>,
}

/// The address at the other end of the connection; the server puts it into each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

struct Dress {
    manner: Manner,
    turns: Turns,
    head: usize,
    body_time: Duration,
}

/// Puts everything around `router` that [`super`] lists.
pub fn dress(router: Router, manner: Manner, limits: &Limits) -> Router {
    let (turns, head, body_time) = (Turns::new(limits), limits.head_bytes, limits.body_time);
    let dress = Arc::new(Dress { manner, turns, head, body_time });
    router
        .layer(RequestBodyLimitLayer::new(limits.body))
        .layer(middleware::from_fn_with_state(limits.body as u64, bounded))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(limits.request, in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(dress, around))
}

/// Refuses in our words what says itself that it is too large.
async fn bounded(State(most): State<u64>, request: Request, next: Next) -> Response {
    let said = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match said.is_some_and(|said| said > most) {
        true => super::read::too_large(),
        false => next.run(request).await,
    }
}

/// Ends what takes too long, in our words.
async fn in_time(State(most): State<Duration>, request: Request, next: Next) -> Response {
    let done = tokio::time::timeout(most, next.run(request)).await;
    done.unwrap_or_else(|_| {
        let title = format!("there was no answer to the request within {} s", most.as_secs_f32());
        let d = Diagnostic::error("web.too-long", title);
        let d = d.hint("what it began may still be done: look before you send it again; the log says more");
        (StatusCode::REQUEST_TIMEOUT, Refusal(d)).into_response()
    })
}

async fn around(State(dress): State<Arc<Dress>>, request: Request, next: Next) -> Response {
    lang::speaking(Lang::of(request.headers()), answered(dress, request, next)).await
}

async fn answered(dress: Arc<Dress>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let refused = match unclear_host(&request) {
        Some(refusal) => Some(Refusal(refusal).with(StatusCode::BAD_REQUEST)),
        None => head::too_large(&request, dress.head),
    };
    let caller = caller(&mut request, &dress.manner);
    let method = request.method().clone();
    // Without the query: it is where tokens and names of files stand.
    let path: String = request.uri().path().chars().take(200).collect();
    let (address, https) = (caller.address, caller.https);
    request.extensions_mut().insert(caller);
    let mut response = match refused {
        Some(refusal) => refusal,
        None if dress.manner.out_of_turn.contains(&request.uri().path()) => next.run(request).await,
        None => match dress.turns.take(address).await {
            Some(_turn) => next.run(request.map(|body| deadline::within(body, dress.body_time))).await,
            None => busy(),
        },
    };
    headers(response.headers_mut(), https, &dress.manner);
    let status = response.status().as_u16();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    info!(target: "hearth::access", %method, path, status, ms, client = %address);
    response
}

/// RFC 9112, 3.2, and RFC 9113, 8.3.1: a request names its host once. Of two whoever is asked, and whoever is in between, may each take
/// another one.
fn unclear_host(request: &Request) -> Option<Diagnostic> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let first = named.next();
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let title = match (first, named.next()) {
        (Some(_), Some(_)) => "the request has more than one `Host`",
        (None, None) if authority.is_none() && request.version() == Version::HTTP_11 => "the request has no `Host`",
        (Some(host), None) if !host.to_str().is_ok_and(|text| text.is_empty() || text.parse::<Authority>().is_ok()) => {
            "the `Host` of the request is no name"
        }
        // Over HTTP/1.1 the address counts, and `Host` is to be passed over.
        (Some(host), None)
            if request.version() == Version::HTTP_2
                && authority.is_some_and(|one| !host.as_bytes().eq_ignore_ascii_case(one.as_bytes())) =>
        {
            "the request has a `Host` other than its address"
        }
        _ => return None,
    };
    Some(Diagnostic::error("web.bad-host", title).hint("name the host once, as in the address"))
}

fn busy() -> Response {
    let d = Diagnostic::error("web.busy", "too many requests are being answered").kind(Kind::Unavailable);
    let mut response = Refusal(d.hint("try again in a moment")).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

fn panicked(what: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let words = what.downcast_ref::<String>().map(String::as_str).or_else(|| what.downcast_ref::<&str>().copied());
    tracing::error!(what = words.unwrap_or("unknown"), "a request's handler panicked");
    let d = Diagnostic::error("web.bug", "this answer failed because of a mistake in Hearth").kind(Kind::Bug);
    Refusal(d.hint("the log says more; please report it")).into_response()
}

/// What a proxy says about a client, in any spelling that some library would take for it.
fn is_claim(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded-")
        || name.starts_with("remote-")
        || name.starts_with("x-remote-")
        || ["forwarded", "x-real-ip", "x-client-ip", "x-original-url", "x-rewrite-url", "true-client-ip"]
            .contains(&name.as_str())
}

/// Who asks, from the connection or, behind the proxy, from what that says. All such headers are gone then: no handler can believe them.
fn caller(request: &mut Request, manner: &Manner) -> Caller {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    let authority = request.uri().authority().map(|a| a.as_str().to_owned());
    let headers = request.headers_mut();
    let said = |headers: &HeaderMap, name: &str| {
        // The last of several is the proxy's own.
        let all = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
        all.last().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    };
    let mut caller = Caller { address: peer, https: manner.tls, host: authority.or_else(|| said(headers, "host")) };
    if manner.behind_proxy {
        if let Some(address) = said(headers, "x-forwarded-for").and_then(|v| v.parse::<IpAddr>().ok()) {
            caller.address = address.to_canonical();
        }
        caller.https = said(headers, "x-forwarded-proto").is_some_and(|v| v == "https" || v == "wss");
        if let Some(host) = said(headers, "x-forwarded-host") {
            caller.host = Some(host);
        }
    }
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
    caller
}

fn headers(headers: &mut HeaderMap, https: bool, manner: &Manner) {
    const FIXED: [(HeaderName, &str); 7] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    // A page may be stricter or, for what it can be cached, laxer.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(policy::usual);
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let age = manner.hsts.load(Ordering::Relaxed);
    if https
        && age > 0
        && let Ok(value) = HeaderValue::try_from(format!("max-age={age}"))
    {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hostile_20_who_asks_is_the_peer_whatever_a_request_claims(
            lines in proptest::collection::vec(
                (
                    prop_oneof![
                        Just("x-forwarded-for"), Just("X_Forwarded_For"), Just("forwarded"), Just("x-real-ip"), Just("remote-user"), Just("Remote_Groups"),
                        Just("x-forwarded-proto"), Just("x-forwarded-host"), Just("true-client-ip"), Just("x-client-ip"), Just("accept"),
                    ],
                    "[0-9a-f.:, ]{0,24}|https?|[ -~]{0,16}",
                ),
                0..8,
            ),
            behind_proxy: bool,
        ) {
            let peer: IpAddr = [203, 0, 113, 9].into();
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(Peer(peer));
            for (name, value) in &lines {
                request.headers_mut().append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(value).unwrap());
            }
            let asks = caller(&mut request, &Manner { behind_proxy, tls: true, ..Manner::default() });
            prop_assert!(!request.headers().keys().any(is_claim));
            let last = lines.iter().rev().find(|(name, _)| *name == "x-forwarded-for");
            let said = last.and_then(|(_, value)| value.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
            let wanted = if behind_proxy { said.map_or(peer, |said| said.to_canonical()) } else { peer };
            prop_assert_eq!(asks.address, wanted);
            prop_assert!(behind_proxy || asks.https && asks.host.is_none());
        }
    }
}
