//! Who is reachable where, by whom, and with what certificate until when.

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
    pub url: String,
    /// Where a browser can go there.
    pub opens: bool,
    pub state: String,
    /// Who may enter, in words.
    pub who: &'static str,
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
    let certificates = certificates.iter().map(|one| certificate(one, now)).collect();
    page(&headers, &of(shell, routes, certificates, now))
}

pub fn of(shell: Shell, routes: Vec<Route>, certificates: Vec<Certificate>, now: OffsetDateTime) -> Page {
    let unguarded = routes.iter().any(|one| one.access.is_none());
    Page { shell, routes: routes.into_iter().map(|one| way(one, now)).collect(), certificates, unguarded }
}

fn way(one: Route, now: OffsetDateTime) -> Way {
    let mark = match (one.working, one.state.as_str()) {
        (Some(true), _) | (None, "on") => Mark { kind: "running", key: "routes-works" },
        (Some(false), "off") | (None, _) => Mark { kind: "off", key: "state-off" },
        (Some(false), _) => Mark { kind: "failed", key: "routes-fails" },
    };
    let (who, group) = match one.access.as_deref() {
        None => ("whoever is at this machine", String::new()),
        Some("public") => ("everybody", String::new()),
        Some("lan") => ("whoever is at home", String::new()),
        Some("lan-or-user") => ("whoever is at home, or signed in", String::new()),
        Some("user") => ("whoever is signed in", String::new()),
        Some("admin") => ("admins", String::new()),
        Some(other) => ("the group", other.trim_start_matches("group:").to_owned()),
    };
    let certificate = one.certificate.as_ref().map(|served| {
        let until = days(&served.expires, now);
        let doubt = served.distrusted_because.as_ref().map(|why| format!(", not believed here: {why}"));
        format!("certificate of {}, {until}{}", served.issuer, doubt.unwrap_or_default())
    });
    Way {
        mark,
        opens: one.url.starts_with("https://") || one.url.starts_with("http://"),
        service: one.service,
        url: one.url,
        state: one.state,
        who,
        group,
        advice: one.advice.unwrap_or_default(),
        certificate: certificate.unwrap_or_default(),
    }
}

/// `30 more days`.
fn days(until: &str, now: OffsetDateTime) -> String {
    match moment(until).map(|at| (at - now).whole_days()) {
        None => String::new(),
        Some(days) if days < 0 => "over".into(),
        Some(0) => "ends today".into(),
        Some(1) => "one more day".into(),
        Some(days) => format!("{days} more days"),
    }
}

pub fn certificate(one: &crate::certs::cli::list::Certificate, now: OffsetDateTime) -> Certificate {
    let mark = match (one.valid, one.last_error.is_some()) {
        (true, false) => Mark { kind: "running", key: "routes-valid" },
        (true, true) => Mark { kind: "unhealthy", key: "routes-not-renewed" },
        (false, _) => Mark { kind: "failed", key: "routes-not-valid" },
    };
    let words = [&one.last_error, &one.served, &one.next].into_iter().flatten().cloned().collect::<Vec<_>>();
    Certificate {
        mark,
        names: one.names.join(", "),
        issuer: one.issuer.clone().unwrap_or_default(),
        until: one.not_after.as_deref().map(|until| days(until, now)).unwrap_or_default(),
        words: words.join("; "),
    }
}
