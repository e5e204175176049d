//! The API over plain HTTP, for programs on this machine.
//!
//! Nothing of it leaves the machine, so nothing has to be encrypted, and a program need not trust the home's CA first. It is somebody by a token alone:
//! no cookie counts here, and a page in a browser has nothing to gain from it.

use std::net::IpAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tower_service::Service;

use crate::routes;
use crate::web::Caller;

/// Asks `secure` for what a program of this machine may have, `plain` for all else.
pub fn first(secure: Router, plain: Router) -> Router {
    Router::new().fallback(move |mut request: Request| {
        let (mut secure, mut plain) = (secure.clone(), plain.clone());
        async move {
            let near = is_near(&request);
            if near {
                request.headers_mut().remove(header::COOKIE);
            }
            let answered = if near { secure.call(request).await } else { plain.call(request).await };
            answered.unwrap_or_else(|never| -> Response { never.into_response() })
        }
    })
}

/// From a loopback address, to one (a name that a page elsewhere has made to mean this machine is none), and for a program.
fn is_near(request: &Request) -> bool {
    let path = request.uri().path();
    let caller = request.extensions().get::<Caller>();
    (path == routes::HEALTH || path.starts_with(routes::API))
        && caller.is_some_and(|caller| {
            caller.address.to_canonical().is_loopback() && caller.host.as_deref().is_some_and(is_loopback)
        })
}

/// Whether a `Host` is `localhost` or a loopback address, with any port or none.
fn is_loopback(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    bare.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderMap;
    use axum::routing::any;
    use http_body_util::BodyExt;

    use super::*;

    async fn ask(address: &str, host: Option<&str>, path: &str) -> String {
        let said = |headers: HeaderMap| async move { format!("api, cookie: {}", headers.contains_key("cookie")) };
        let secure = Router::new().fallback(any(said));
        let plain = Router::new().fallback(any(|| async { "away" }));
        let mut request = Request::get(path).header("cookie", "__Host-hearth=x").body(Body::empty()).unwrap();
        let host = host.map(str::to_owned);
        request.extensions_mut().insert(Caller { address: address.parse().unwrap(), https: false, host });
        let answer = first(secure, plain).call(request).await.unwrap();
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn programs_on_this_machine_need_no_tls_and_are_nobody_by_a_cookie() {
        for (address, host) in [
            ("127.0.0.1", "127.0.0.1:8480"),
            ("127.9.8.7", "LocalHost"),
            ("::1", "[::1]:8480"),
            ("::ffff:127.0.0.1", "localhost:8480"),
        ] {
            assert_eq!(ask(address, Some(host), "/api/v1/auth/me").await, "api, cookie: false", "{address} {host}");
        }
        assert_eq!(ask("127.0.0.1", Some("localhost"), "/health").await, "api, cookie: false");
    }

    #[tokio::test]
    async fn hostile_06_what_comes_from_elsewhere_or_by_another_name_is_sent_to_https() {
        for (address, host, path) in [
            ("192.168.1.7", Some("127.0.0.1:8480"), "/api/v1/info"),
            ("127.0.0.1", Some("evil.example"), "/api/v1/info"),
            ("127.0.0.1", Some("127.0.0.1.evil.example"), "/api/v1/info"),
            ("127.0.0.1", Some("localhost.evil.example:8480"), "/api/v1/info"),
            ("127.0.0.1", Some("192.168.1.5"), "/api/v1/info"),
            ("127.0.0.1", None, "/api/v1/info"),
            ("127.0.0.1", Some("localhost"), "/login"),
            ("127.0.0.1", Some("localhost"), "/"),
            ("127.0.0.1", Some("localhost"), "/apis"),
        ] {
            assert_eq!(ask(address, host, path).await, "away", "{address} {host:?} {path}");
        }
    }
}
