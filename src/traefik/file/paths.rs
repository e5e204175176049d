//! Paths that a server may read as another path than Traefik does: on hosts where a path is a boundary nobody may use them.

use std::collections::BTreeMap;

use serde_json::json;

use super::Section;
use crate::traefik::route::{Entry, PARAMETERS, PLAIN, Route};

/// Where gate says why a path with a `;` is refused.
pub const PARAMETERS_PAGE: &str = "/parameters";

/// The middleware [`PLAIN`], and what answers for paths with a `;`.
///
/// Servers of Java take path parameters (`;NAME=VALUE` after a part) away before they look for `..`, so that `/x/..;/api` is `/api`
/// to them and begins with `/x` to Traefik. No middleware of Traefik refuses a plain `;`, so a router above all routes takes it.
pub(super) fn add(routes: &[Route], http: &mut Section) {
    // What is not named is denied. Both of these are in names of files, and no server takes them for the end of a path's part.
    let plain = json!({ "allowEncodedQuestionMark": true, "allowEncodedHash": true });
    http.middleware(PLAIN, json!({ "encodedCharacters": plain }));
    let hosts = parted(routes);
    if hosts.is_empty() {
        return;
    }
    let hosts: Vec<String> = hosts.iter().map(|host| format!("Host(`{host}`)")).collect();
    // Hardly a request has one, so that is looked at first.
    let rule = format!("PathRegexp(`;`) && ({})", hosts.join(" || "));
    http.middleware("parameters", json!({ "replacePath": { "path": PARAMETERS_PAGE } }));
    http.router(
        "parameters",
        json!({ "entryPoints": ["websecure"], "rule": rule, "priority": PARAMETERS, "middlewares": ["nameless", "parameters"], "service": "gate", "tls": {} }),
    );
}

/// The hosts on which it matters which path is asked for: not all of their paths are routed with one access.
fn parted(routes: &[Route]) -> Vec<&str> {
    let mut all: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in routes {
        if let Entry::Web { hosts, .. } = &route.entry {
            hosts.iter().for_each(|host| all.entry(host).or_default().push(route));
        }
    }
    let whole = |route: &&Route| matches!(route.entry, Entry::Web { path: None, .. });
    let open = |own: &[&Route]| own.iter().any(whole) && own.iter().all(|r| r.access == own[0].access);
    all.into_iter().filter(|(_, own)| !open(own)).map(|(host, _)| host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traefik::Access;
    use crate::traefik::route::tests::route;

    #[test]
    fn a_host_is_parted_where_a_path_decides_who_enters() {
        let routes = [
            route("a", "same.example.org", None, Access::Lan),
            route("a-1", "same.example.org", Some("/api"), Access::Lan),
            route("b", "two.example.org", None, Access::Public),
            route("b-1", "two.example.org", Some("/admin"), Access::Lan),
            route("c", "part.example.org", Some("/open"), Access::Public),
            route("d", "whole.example.org", None, Access::Public),
        ];
        assert_eq!(parted(&routes), ["part.example.org", "two.example.org"]);
        let mut http = Section::default();
        add(&routes[..2], &mut http);
        assert!(http.routers.is_empty());
        add(&routes, &mut http);
        assert_eq!(
            http.routers["parameters"]["rule"],
            "PathRegexp(`;`) && (Host(`part.example.org`) || Host(`two.example.org`))"
        );
    }
}
