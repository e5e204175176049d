//! The search: services, profiles, pages, works, and what can be done with them.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::shell::Shell;
use super::words::{Mark, part, service_path};
use super::{Panel, page};
use crate::auth::who::Viewer;
use crate::base::wording;
use crate::stacks::seen::Seen;
use crate::web::lang::filters;
use crate::web::read::Query;

/// Found things that are shown.
const MOST: usize = 50;

#[derive(Debug, Template)]
#[template(path = "panel/search.html")]
pub struct Page {
    pub shell: Shell,
    pub asked: String,
    pub found: Vec<Found>,
    pub more: usize,
    /// What may have been meant, where nothing was found.
    pub near: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The name of its word.
    pub kind: &'static str,
    pub name: String,
    pub path: String,
    pub mark: Option<Mark>,
    /// What is known of it, which is looked through too.
    pub more: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

pub async fn search(
    who: Viewer,
    State(panel): State<Panel>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let seen = panel.world.now().await;
    let shell = panel.shell(&who, &headers, "/search", "");
    page(&headers, &of(shell, asked.q.trim(), &seen))
}

pub fn of(shell: Shell, asked: &str, seen: &Seen) -> Page {
    let lang = shell.lang;
    let all = everything(&shell, seen);
    let words: Vec<String> = asked.split_whitespace().map(str::to_lowercase).collect();
    let rank = |one: &Found| {
        let (name, text) =
            (one.name.to_lowercase(), format!("{} {} {}", lang.say(one.kind), one.name, one.more).to_lowercase());
        let is = words.first().is_some_and(|word| name == *word);
        let begins = words.first().is_some_and(|word| name.starts_with(word.as_str()));
        words.iter().all(|word| text.contains(word.as_str())).then_some((!is, !begins))
    };
    let mut found: Vec<((bool, bool), Found)> = all.iter().filter_map(|one| Some((rank(one)?, one.clone()))).collect();
    found.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.name.cmp(&other.name)));
    let near = match (found.is_empty(), asked) {
        (true, asked) if !asked.is_empty() => wording::nearest(asked, all.iter().map(|one| one.name.as_str())),
        _ => None,
    };
    let more = found.len().saturating_sub(MOST);
    let near = near.map(str::to_owned);
    let found = found.into_iter().take(MOST).map(|(_, one)| one).collect();
    Page { shell, asked: asked.to_owned(), found, more, near }
}

fn everything(shell: &Shell, seen: &Seen) -> Vec<Found> {
    let lang = shell.lang;
    let service = |(project, one): (Option<&str>, &crate::stacks::seen::service::Service)| {
        let mark = Mark::service(one);
        let why = one.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        Found {
            kind: "search-service",
            name: one.name.clone(),
            path: service_path(project, &one.name),
            mark: Some(mark),
            more: format!("{}{why}", lang.say(mark.key)),
        }
    };
    let profile = |one: &crate::stacks::cli::profiles::Profile| Found {
        kind: "search-profile",
        name: one.name.clone(),
        path: format!("/profiles/{}", part(&one.name)),
        mark: None,
        more: match (shell.operates(), one.on) {
            (true, true) => lang.say("search-on-off").into(),
            (true, false) => lang.say("search-off-on").into(),
            (false, true) => lang.say("search-on").into(),
            (false, false) => lang.say("search-off").into(),
        },
    };
    let place = |(name, path, more): (&str, &str, &str)| Found {
        kind: "search-page",
        name: lang.say(name).into(),
        path: path.into(),
        mark: None,
        more: lang.say(more).into(),
    };
    let pages = [
        ("home-title", "/", "search-home"),
        ("works-title", "/works", "search-works"),
        ("routes-title", "/routes", "search-routes"),
        ("doctor-title", "/doctor", "search-doctor"),
        ("panel-mine", "/services", "search-mine"),
        ("panel-account", "/account", "search-account"),
        ("panel-password", "/password", "search-password"),
        ("panel-guide", "/docs/guide", "search-guide"),
        ("search-api-title", "/docs", "search-api"),
        ("search-errors-title", "/docs/errors", "search-errors"),
        ("search-trust-title", "/trust", "search-trust"),
    ];
    seen.all().map(service).chain(seen.profiles.iter().map(profile)).chain(pages.map(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::who::Role;
    use crate::panel::samples;

    #[test]
    fn what_is_called_so_comes_first_and_nothing_found_has_a_nearest_name() {
        let find = |asked: &str| of(samples::shell(Role::Admin), asked, &samples::seen(3));
        assert_eq!(find("JELLYFIN").found[0].path, "/services/jellyfin");
        assert_eq!(find("media").found[0].kind, "search-profile");
        assert!(find("failed").found.iter().any(|one| one.name == "prowlarr"));
        assert_eq!(find("service paperless").found.len(), 0);
        assert_eq!(find("jelyfin").near.as_deref(), Some("jellyfin"));
        assert!(find("").found.len() > 20 && find("").near.is_none());
    }
}
