//! Who is reachable where, by whom, and with what certificate until when.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use time::OffsetDateTime;

use super::refusal;
use super::shell::Shell;
use super::words::Mark;
use super::{Panel, page};
use crate::auth::who::Viewer;
use crate::base::clock::moment;
use crate::certs::json as certificates;
use crate::proxy::json::{self as calls, Route};
use crate::web::Lang;
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::Query;

#[derive(Debug, Template)]
#[template(path = "panel/reach.html")]
pub struct Page {
    pub shell: Shell,
    pub routes: Vec<Way>,
    pub certificates: Vec<Certificate>,
    /// In localhost mode nobody is asked who they are.
    pub unguarded: bool,
}

#[derive(Debug, Clone)]
pub struct Way {
    pub mark: Mark,
    pub service: String,
    /// It is one of the home's, and has a page.
    pub has_page: bool,
    pub url: String,
    /// Where a browser can go there.
    pub opens: bool,
    pub state: String,
    /// Who may enter, in words.
    pub who: Cow<'static, str>,
    pub group: String,
    pub advice: String,
    pub certificate: String,
}

#[derive(Debug, Clone)]
pub struct Certificate {
    pub mark: Mark,
    pub names: String,
    pub issuer: String,
    pub until: String,
    pub words: String,
}

pub async fn show(
    who: Viewer,
    State(panel): State<Panel>,
    State(certs): State<certificates::Api>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, "/routes", "/routes");
    let which = calls::Which { limit: Some(MOST), ..Default::default() };
    let routes = match calls::list(who.clone(), State(panel.api.clone()), Query(which)).await {
        Ok(axum::Json(found)) => found.items,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    let which = certificates::Which { limit: Some(MOST), ..Default::default() };
    let certificates = match certificates::list(who, State(certs), Query(which)).await {
        Ok(axum::Json(found)) => found.items,
        // A home that never had one.
        Err(_) => Vec::new(),
    };
    let now = panel.clock.now();
    let certificates = certificates.iter().map(|one| certificate(one, now, shell.lang)).collect();
    let mut shown = of(shell, routes, certificates, now);
    // Others are of `hearth.yaml`, and lead to what is no service here.
    let seen = panel.world.now().await;
    let known = seen.names();
    shown.routes.iter_mut().for_each(|one| one.has_page = known.contains(one.service.as_str()));
    page(&headers, &shown)
}

pub fn of(shell: Shell, routes: Vec<Route>, certificates: Vec<Certificate>, now: OffsetDateTime) -> Page {
    let unguarded = routes.iter().any(|one| one.access.is_none());
    let routes = routes.into_iter().map(|one| way(one, now, shell.lang)).collect();
    Page { shell, routes, certificates, unguarded }
}

pub fn way(one: Route, now: OffsetDateTime, lang: Lang) -> Way {
    let mark = match (one.working, one.state.as_str()) {
        (Some(true), _) => Mark::of("running", "routes-works"),
        (None, "on") => Mark::of("missing", "routes-untried"),
        (Some(false), "off") | (None, _) => Mark::of("off", "state-off"),
        (Some(false), _) => Mark::of("failed", "routes-fails"),
    };
    let (who, group) = match one.access.as_deref() {
        None => (lang.say("routes-who-machine"), String::new()),
        Some("public") => (lang.say("routes-who-public"), String::new()),
        Some("lan") => (lang.say("routes-who-lan"), String::new()),
        Some("lan-or-user") => (lang.say("routes-who-lan-or-user"), String::new()),
        Some("user") => (lang.say("routes-who-user"), String::new()),
        Some("admin") => (lang.say("routes-who-admin"), String::new()),
        Some(other) => (lang.say("routes-who-group"), other.trim_start_matches("group:").to_owned()),
    };
    let certificate = one.certificate.as_ref().map(|served| {
        let words = [("issuer", served.issuer.as_str().into()), ("until", days(&served.expires, now, lang).into())];
        let certificate = lang.with("routes-certificate-of", words);
        match &served.distrusted_because {
            Some(why) => format!("{certificate}, {}", lang.with("routes-distrusted", [("why", why.as_str().into())])),
            None => certificate,
        }
    });
    Way {
        mark,
        opens: one.url.starts_with("https://") || one.url.starts_with("http://"),
        service: one.service,
        has_page: true,
        url: one.url,
        state: one.state,
        who,
        group,
        advice: one.advice.unwrap_or_default(),
        certificate: certificate.unwrap_or_default(),
    }
}

/// `30 more days`.
fn days(until: &str, now: OffsetDateTime, lang: Lang) -> String {
    match moment(until).map(|at| (at - now).whole_days()) {
        None => String::new(),
        Some(days) if days < 0 => lang.say("routes-over").into(),
        Some(0) => lang.say("routes-ends-today").into(),
        Some(days) => lang.with("routes-more-days", [("count", days.into())]),
    }
}

pub fn certificate(one: &crate::certs::cli::list::Certificate, now: OffsetDateTime, lang: Lang) -> Certificate {
    let mark = match (one.valid, one.last_error.is_some()) {
        (true, false) => Mark::of("running", "routes-valid"),
        (true, true) => Mark::of("unhealthy", "routes-not-renewed"),
        (false, _) => Mark::of("failed", "routes-not-valid"),
    };
    let words = [&one.last_error, &one.served, &one.next].into_iter().flatten().cloned().collect::<Vec<_>>();
    Certificate {
        mark,
        names: one.names.join(", "),
        issuer: one.issuer.clone().unwrap_or_default(),
        until: one.not_after.as_deref().map(|until| days(until, now, lang)).unwrap_or_default(),
        words: words.join("; "),
    }
}
