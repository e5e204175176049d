//! The pages side: what a browser gets where a service cannot answer, and one line of text for everybody else.
//!
//! Traefik sends here, with the header [`ROUTE_HEADER`], what asks for a service whose own route is gone for now; `/closed`, `/refused`,
//! `/parameters` and `/unknown` are asked for by its other routes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;
use tracing::error;

use super::show::{self, Inspected};
use super::view::View;
use super::words::{self, Seen, Who, Words};
use crate::base::clock;
use crate::engine::docker::reader::Unread;
use crate::traefik::file::{GATE_HEADER, PARAMETERS_PAGE, PROFILE_HEADER, ROUTE_HEADER};
use crate::web;
use crate::web::lang::{self, Lang, filters};

/// Seconds until a page looks again.
const AGAIN: u64 = 5;
/// How it does: not by `refresh`, which at an address with a `#` only goes to that place of the page that is there. That is for browsers
/// without scripts.
const LOOK_AGAIN: &str = "setTimeout(() => location.reload(), 5000);";
/// How long a look at a service serves, and how many services are remembered.
const KEPT: (Duration, usize) = (Duration::from_secs(1), 256);
/// Looks at once, and containers of one service.
const LOOKS: usize = 4;
const CONTAINERS: usize = 16;

/// What is known about a service: how it is called, and its containers.
#[derive(Debug)]
struct Known {
    title: Option<String>,
    service: Option<String>,
    all: Vec<Seen>,
}

struct Pages {
    view: Arc<View>,
    looks: Semaphore,
    kept: Mutex<HashMap<String, (Instant, Arc<Known>)>>,
}

/// The service for one listener.
pub fn router(view: Arc<View>) -> Router {
    let pages = Pages { view, looks: Semaphore::new(LOOKS), kept: Mutex::default() };
    Router::new().fallback(answer).with_state(Arc::new(pages))
}

/// Answers in the browser's language.
async fn answer(pages: State<Arc<Pages>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    lang::speaking(Lang::of(&headers), answered(pages, method, uri, &headers)).await
}

async fn answered(State(pages): State<Arc<Pages>>, method: Method, uri: Uri, headers: &HeaderMap) -> Response {
    let host = host(headers, &uri);
    let (status, words) = match headers.get(ROUTE_HEADER).map(|route| route.to_str().unwrap_or_default()) {
        // An application may have any path, so the header decides alone where there is one.
        Some(route) if !route.is_empty() => {
            let profile = headers.get(PROFILE_HEADER).and_then(|profile| profile.to_str().ok());
            let profile = profile.filter(|profile| !profile.is_empty() && named(profile)).map(str::to_owned);
            (StatusCode::SERVICE_UNAVAILABLE, pages.waiting(route, profile, host.as_deref()).await)
        }
        _ => match uri.path() {
            "/closed" => (StatusCode::FORBIDDEN, words::closed()),
            "/refused" => (StatusCode::FORBIDDEN, words::refused()),
            PARAMETERS_PAGE => (StatusCode::BAD_REQUEST, words::parameters()),
            _ => (StatusCode::NOT_FOUND, words::unknown(host.as_deref())),
        },
    };
    page(status, &words, host.as_deref(), reads_html(&method, headers))
}

impl Pages {
    /// `whose`: a service of the home, or `project/service` of another project; `profile`: by what it is turned on.
    async fn waiting(&self, whose: &str, profile: Option<String>, host: Option<&str>) -> Words {
        let (project, service) = match whose.split_once('/') {
            Some((project, service)) => (Some(project), service),
            None => (None, whose),
        };
        let elsewhere = project.filter(|project| named(project)).map(str::to_owned);
        let known = match named(service) && project.is_none_or(named) {
            true => self.look(whose, project.unwrap_or(&self.view.project), service).await,
            false => Ok(Arc::new(Known { title: None, service: None, all: Vec::new() })),
        };
        let fallback = || host.map_or_else(|| Lang::spoken().say("gate-this-service").into_owned(), str::to_owned);
        match known {
            Ok(known) => {
                let title = known.title.clone().or_else(|| known.service.clone()).unwrap_or_else(fallback);
                let who = Who { title, service: known.service.clone(), project: elsewhere, profile };
                words::service(&who, &known.all, self.view.now())
            }
            Err(why) => {
                error!("a waiting page without the engine: {why}");
                words::unseen(&Who { title: fallback(), service: None, project: None, profile: None })
            }
        }
    }

    /// The service's containers, from a look that is at most a second old.
    async fn look(&self, whose: &str, project: &str, service: &str) -> Result<Arc<Known>, Unread> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || kept().get(whose).filter(|(at, _)| at.elapsed() < KEPT.0).map(|(_, known)| known.clone());
        if let Some(known) = fresh() {
            return Ok(known);
        }
        // Never closed, so a turn comes; whoever waited for it may find what the one before looked up.
        let _turn = self.looks.acquire().await;
        if let Some(known) = fresh() {
            return Ok(known);
        }
        let ids = self.view.ids_of(project, &[format!("{}={service}", show::SERVICE)]).await?;
        let looks =
            ids.into_iter().take(CONTAINERS).map(|id| async move { self.view.inspected_of(project, &id).await });
        let found: Vec<Option<Inspected>> = stream::iter(looks).buffered(LOOKS).try_collect().await?;
        let known = Arc::new(known(found.into_iter().flatten()));
        let mut kept = kept();
        if kept.len() >= KEPT.1 {
            kept.clear();
        }
        kept.insert(whose.to_owned(), (Instant::now(), known.clone()));
        Ok(known)
    }
}

fn known(found: impl Iterator<Item = Inspected>) -> Known {
    let mut known = Known { title: None, service: None, all: Vec::new() };
    // What `docker compose run` made is not the service.
    for container in found.filter(|c| c.label("com.docker.compose.oneoff") != Some("True")) {
        let title = container.label(show::TITLE).map(|title| title.trim().chars().take(60).collect::<String>());
        known.title = known.title.or(title.filter(|title| !title.is_empty()));
        known.service = known.service.or_else(|| container.label(show::SERVICE).map(str::to_owned));
        known.all.push(Seen {
            health: container.state.health.map(|health| health.status).unwrap_or_default(),
            exit_code: container.state.exit_code,
            started: clock::parse(&container.state.started_at),
            restarts: container.restart_count,
            status: container.state.status,
        });
    }
    known
}

/// A name that a Compose service can have.
fn named(service: &str) -> bool {
    service.len() <= 128 && service.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// The host that was asked for, without a port, where it is one that can be shown.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host())?;
    let host =
        named.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(named, |(h, _)| h);
    let fits = !host.is_empty() && host.len() <= 253;
    (fits && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_[]:".contains(&b))).then(|| host.to_lowercase())
}

/// A person's browser that goes to a page: programs, and what a page itself asks for, get a line of text.
fn reads_html(method: &Method, headers: &HeaderMap) -> bool {
    [Method::GET, Method::HEAD].contains(method) && web::wants_html(headers)
}

#[derive(Template)]
#[template(path = "gate/page.html")]
struct Page<'a> {
    words: &'a Words,
    /// Small words above the heading: the host.
    over: &'a str,
    again: u64,
    style: &'static str,
    script: &'static str,
}

pub(super) fn page(status: StatusCode, words: &Words, host: Option<&str>, html: bool) -> Response {
    let page = Page { words, over: host.unwrap_or("Hearth"), again: AGAIN, style: web::STYLE, script: LOOK_AGAIN };
    let html = html.then(|| page.render_with_values(&Lang::spoken()).ok()).flatten();
    let kind = if html.is_some() { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
    let mut answer = (status, html.unwrap_or_else(|| words.line())).into_response();
    let script = if words.again { format!("script-src {}; ", web::source(LOOK_AGAIN)) } else { String::new() };
    let style = web::style_source();
    let policy = format!("default-src 'none'; {script}style-src {style}; base-uri 'none'; form-action 'none'");
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(name) = HeaderName::try_from(GATE_HEADER) {
        headers.insert(name, HeaderValue::from_static("1"));
    }
    // A hash in base64 is a header's text.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(AGAIN));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
    }

    async fn body(answer: Response) -> String {
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn only_a_browser_that_goes_to_a_page_gets_html() {
        let browser = headers(&[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]);
        assert!(reads_html(&Method::GET, &browser) && reads_html(&Method::HEAD, &browser));
        assert!(!reads_html(&Method::POST, &browser));
        assert!(!reads_html(&Method::GET, &headers(&[("accept", "application/json")])));
        assert!(!reads_html(&Method::GET, &headers(&[])));
    }

    #[test]
    fn a_host_is_shown_only_where_it_looks_like_one() {
        let uri = Uri::from_static("/");
        for (sent, shown) in [
            ("Photos.example.test", Some("photos.example.test")),
            ("photos.example.test:8443", Some("photos.example.test")),
            ("[::1]:80", Some("[::1]")),
            ("<script>", None),
            ("a b", None),
            ("", None),
        ] {
            assert_eq!(host(&headers(&[("host", sent)]), &uri).as_deref(), shown, "{sent}");
        }
    }

    #[tokio::test]
    async fn a_page_is_escaped_and_needs_nothing_else() {
        let who = Who { title: "<b>Photos</b>".into(), service: Some("immich".into()), project: None, profile: None };
        let seen = Seen { status: "exited".into(), exit_code: 3, ..Seen::default() };
        let words = words::service(&who, &[seen], clock::parse("2026-11-26T12:00:00Z").unwrap());
        let answer = page(StatusCode::SERVICE_UNAVAILABLE, &words, Some("photos.test"), true);
        assert_eq!(answer.status(), 503);
        assert_eq!(
            (&answer.headers()[RETRY_AFTER], &answer.headers()[CACHE_CONTROL]),
            (&"5".parse().unwrap(), &"no-store".parse().unwrap())
        );
        assert_eq!(answer.headers()[GATE_HEADER], "1", "so that a probe knows it from the service's own");
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(web::style_source()) && policy.contains(&web::source(LOOK_AGAIN)), "{policy}");
        let html = body(answer).await;
        assert!(!html.contains("<b>") && html.contains("Photos") && html.contains("exit code 3"), "{html}");
        assert!(
            html.contains(r#"http-equiv="refresh" content="5""#)
                && html.contains(&format!("<style>{}</style>", web::STYLE))
        );
        assert!(html.contains(&format!("<script>{LOOK_AGAIN}</script>")) && html.matches("<script").count() == 1);
        assert!(LOOK_AGAIN.contains(&format!("{}", AGAIN * 1000)) && !html.contains("src=") && !html.contains("href="));
    }

    #[tokio::test]
    async fn a_page_that_stays_as_it_is_runs_nothing() {
        let answer = page(StatusCode::FORBIDDEN, &words::closed(), None, true);
        assert!(!answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src"));
        let html = body(answer).await;
        assert!(!html.contains("<script") && !html.contains("refresh"), "{html}");
    }

    #[tokio::test]
    async fn programs_get_one_line() {
        let answer = page(StatusCode::FORBIDDEN, &words::closed(), None, false);
        assert!(answer.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
        assert!(answer.headers().get(RETRY_AFTER).is_none());
        let text = body(answer).await;
        assert!(text.starts_with("This address is closed.") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn what_is_known_of_a_service_comes_from_its_containers() {
        let container = |oneoff: &str, title: &str| -> Inspected {
            serde_json::from_value(
                json!({"Id": "c", "RestartCount": 2, "State": {"Status": "running", "StartedAt": "2026-11-26T12:00:00Z",
                "Health": {"Status": "starting"}}, "Config": {"Labels": {"com.docker.compose.service": "immich",
                "com.docker.compose.oneoff": oneoff, "hearth.title": title}}}),
            )
            .unwrap()
        };
        let known =
            known([container("True", "No"), container("False", "  "), container("False", "Photos")].into_iter());
        assert_eq!(
            (known.title.as_deref(), known.service.as_deref(), known.all.len()),
            (Some("Photos"), Some("immich"), 2)
        );
        assert_eq!((known.all[0].health.as_str(), known.all[0].restarts), ("starting", 2));
        assert!(named("immich-server.2_x") && !named("a b") && !named("a/../b") && !named(&"a".repeat(200)));
    }
}
