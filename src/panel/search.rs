//! The search: services, profiles, pages, works, and what can be done with them.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::shell::Shell;
use super::words::{Mark, part, service_path};
use super::{Panel, page};
use crate::auth::who::{Role, Viewer};
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
    let stack = |name: &str| Found {
        kind: "search-stack",
        name: name.to_owned(),
        path: if shell.role == Role::Admin { format!("/stacks/{}", part(name)) } else { "/stacks".into() },
        mark: None,
        more: seen.titles.get(name).cloned().unwrap_or_default(),
    };
    let place = |(name, path, more, _): (&str, &str, &str, Role)| Found {
        kind: "search-page",
        name: lang.say(name).into(),
        path: path.into(),
        mark: None,
        more: lang.say(more).into(),
    };
    let pages = [
        ("home-title", "/", "search-home", Role::Viewer),
        ("works-title", "/works", "search-works", Role::Viewer),
        ("routes-title", "/routes", "search-routes", Role::Viewer),
        ("stacks-title", "/stacks", "search-stacks", Role::Viewer),
        ("search-new-stack", "/stacks/new", "search-new-stack-words", Role::Admin),
        ("variables-title", "/variables", "search-variables", Role::Admin),
        ("search-images", "/images", "search-images-words", Role::Viewer),
        ("search-volumes", "/volumes", "search-volumes-words", Role::Viewer),
        ("search-networks", "/networks", "search-networks-words", Role::Viewer),
        ("found-title", "/found", "search-found-words", Role::Viewer),
        ("doctor-title", "/doctor", "search-doctor", Role::Viewer),
        ("people-title", "/people", "search-people", Role::Admin),
        ("search-add-person", "/people/new", "search-add-person-words", Role::Admin),
        ("search-groups", "/groups", "search-groups-words", Role::Admin),
        ("search-invitations", "/invitations", "search-invitations-words", Role::Admin),
        ("audit-title", "/audit", "search-audit", Role::Viewer),
        ("settings-title", "/settings", "search-settings", Role::Admin),
        ("notices-title", "/notifications", "search-notices", Role::Viewer),
        ("about-title", "/about", "search-about", Role::Viewer),
        ("panel-mine", "/services", "search-mine", Role::Viewer),
        ("panel-account", "/account", "search-account", Role::Viewer),
        ("panel-password", "/password", "search-password", Role::Viewer),
        ("panel-guide", "/docs/guide", "search-guide", Role::Viewer),
        ("search-api-title", "/docs", "search-api", Role::Viewer),
        ("search-errors-title", "/docs/errors", "search-errors", Role::Viewer),
        ("search-trust-title", "/trust", "search-trust", Role::Viewer),
    ];
    let pages = pages.into_iter().filter(|(.., role)| *role == Role::Viewer || shell.role == Role::Admin);
    let stacks: BTreeSet<&str> = seen.services.iter().filter_map(|one| one.stack.as_deref()).collect();
    let profiles = seen.profiles.iter().map(profile);
    seen.all().map(service).chain(profiles).chain(stacks.into_iter().map(stack)).chain(pages.map(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        // Every page of the menu, and none that would be refused.
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            let shell = || samples::shell(role);
            for entry in shell().nav().iter().filter(|entry| entry.path != "/search") {
                let all = everything(&shell(), &samples::seen(3));
                assert!(all.iter().any(|one| one.path == entry.path), "{role:?}: {}", entry.path);
            }
            let new = of(shell(), "new stack", &samples::seen(3)).found;
            assert_eq!(new.iter().any(|one| one.path == "/stacks/new"), role == Role::Admin);
        }
        assert!(find("stack").found.iter().any(|one| one.kind == "search-stack"));
    }
}
