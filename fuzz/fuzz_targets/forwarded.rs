//! Any text as the headers of a request, one a line: who asks is the peer of the connection, and behind the proxy what that itself has said last; no header
//! by which anybody claims something reaches a handler.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::routing::any;
use axum::{Extension, Router};
use hearth::web::{self, Caller, Limits, Manner};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
});

/// What a handler sees, in headers of its answer.
async fn seen(Extension(caller): Extension<Caller>, request: Request) -> [(&'static str, String); 3] {
    let claims = request.headers().keys().map(|name| name.as_str().replace('_', "-"));
    let claims = claims.filter(|name| {
        name.starts_with("x-forwarded-") || name.starts_with("remote-") || ["forwarded", "x-real-ip"].contains(&name.as_str())
    });
    [("peer", caller.address.to_string()), ("https", caller.https.to_string()), ("claims", claims.collect::<Vec<_>>().join(" "))]
}

fuzz_target!(|text: &str| {
    let mut last_for = None;
    let mut last_proto = None;
    let lines: Vec<(HeaderName, HeaderValue)> = text
        .lines()
        .take(50)
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            // Often met are those that count.
            let name = match name {
                "f" => "x-forwarded-for",
                "p" => "x-forwarded-proto",
                "h" => "x-forwarded-host",
                "_" => "x_forwarded_for",
                name => name,
            };
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        })
        .collect();
    for (name, value) in &lines {
        let Ok(value) = value.to_str() else { continue };
        let last = value.rsplit(',').next().map(|last| last.trim().to_owned());
        match name.as_str() {
            "x-forwarded-for" => last_for = last,
            "x-forwarded-proto" => last_proto = last,
            _ => {}
        }
    }
    for behind_proxy in [false, true] {
        let manner = Manner { behind_proxy, tls: true, ..Manner::default() };
        let router = web::dress(Router::new().fallback(any(seen)), manner, &Limits::default());
        let mut request = Request::builder().uri("/x").body(Body::empty()).expect("a good request");
        lines.iter().for_each(|(name, value)| drop(request.headers_mut().append(name.clone(), value.clone())));
        let answer = RUNTIME.block_on(router.oneshot(request)).expect("it is answered");
        if answer.status() != StatusCode::OK {
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
            continue;
        }
        let said = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(said("claims"), "");
        let proxys: Option<IpAddr> = last_for.as_deref().and_then(|text| text.parse().ok());
        let peer = match proxys {
            Some(address) if behind_proxy => address.to_canonical(),
            _ => IpAddr::from([0, 0, 0, 0]),
        };
        assert_eq!(said("peer"), peer.to_string());
        let https = !behind_proxy || matches!(last_proto.as_deref(), Some("https" | "wss"));
        assert_eq!(said("https"), https.to_string());
    }
});
