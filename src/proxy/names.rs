//! Which names a home is reached by, and which certificates that takes.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Diagnostics};
use crate::spec::keys;
use crate::traefik::{Entry, Route};

pub use crate::spec::routes::PANEL;

/// The hosts of all routes, sorted.
pub fn hosts(routes: &[Route]) -> BTreeSet<&str> {
    routes
        .iter()
        .filter_map(|route| match &route.entry {
            Entry::Web { hosts, .. } => Some(hosts),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect()
}

/// The sets of names that one certificate each stands for: one for the domain and all right under it, one for every other zone. A
/// wildcard covers one label only, and right below a top-level name (`internal`) no browser takes one: there the hosts stand themselves.
pub fn sets(domain: &str, routes: &[Route]) -> Vec<Vec<String>> {
    let hosts = hosts(routes);
    let under = |host: &&&str| host.split_once('.').is_some_and(|(_, parent)| parent == domain);
    let first = match domain.contains('.') {
        true => vec![domain.to_string(), format!("*.{domain}")],
        false => {
            let fixed = [domain.to_string(), format!("{PANEL}.{domain}")];
            fixed.into_iter().chain(hosts.iter().filter(under).map(|host| host.to_string())).collect()
        }
    };
    let others = hosts.iter().filter(|host| **host != domain && !under(host));
    std::iter::once(first).chain(others.map(|host| vec![host.to_string()])).collect()
}

/// Names that cannot work, or will surprise.
pub fn judge(domain: &str, routes: &[Route], told: &mut Diagnostics) {
    let zone = |name: &str| name == "local" || name.ends_with(".local");
    if !is_name(domain) || !domain.contains('.') && domain != "localhost" && domain != "internal" {
        let title = format!("DOMAIN in .env is `{domain}`, which is no domain");
        told.push(
            Diagnostic::error("proxy.bad-domain", title)
                .hint("write a name of yours as example.org, or home.arpa where you have none"),
        );
        return;
    }
    if zone(domain) {
        let title = format!(
            "names under `{domain}` are found by mDNS only, which asks no DNS server and knows no names below names"
        );
        told.push(
            Diagnostic::warning("lint.domain-local", title)
                .hint("take home.arpa or internal: both are reserved for homes"),
        );
    }
    for route in routes {
        let Entry::Web { hosts, path, .. } = &route.entry else { continue };
        if let Some(path) = path.as_ref().filter(|path| path.ends_with('/')) {
            let title = format!("the path `{path}` ends with a `/` that comes from a variable");
            let shorter = path.trim_end_matches('/');
            told.push(
                Diagnostic::error("proxy.bad-path", title).at(route.span).hint(format!("make it {shorter} in .env")),
            );
        } else if let Some(path) = path.as_ref().filter(|path| !keys::is_route_path(path)) {
            let title = format!("the path `{path}` holds what no path may");
            told.push(
                Diagnostic::error("proxy.bad-path", title)
                    .at(route.span)
                    .hint("write it as it stands in the browser's address, as /photos"),
            );
        }
        for host in hosts.iter().filter(|host| !is_name(host)) {
            let title = format!("`{host}` is no host name");
            let hint = keys::too_long(host).unwrap_or("write a name, as media or media.example.org".into());
            told.push(Diagnostic::error("proxy.bad-host", title).at(route.span).hint(hint));
        }
        if hosts.iter().any(|host| *host == format!("{PANEL}.{domain}")) {
            let title = format!("{PANEL}.{domain} is Hearth's own name");
            told.push(Diagnostic::error("proxy.panel-host", title).at(route.span).hint("give this route another host"));
        }
    }
}

/// Labels of letters, digits and hyphens (RFC 1123), 253 characters at most.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traefik::{Access, route::tests};

    fn route(host: &str) -> Route {
        tests::route("r", host, None, Access::Public)
    }

    #[test]
    fn one_wildcard_for_the_domain_and_one_certificate_for_each_other_name() {
        let routes = ["media.example.org", "example.org", "a.b.example.org", "photos.example.com"].map(route);
        assert_eq!(
            sets("example.org", &routes),
            [vec!["example.org", "*.example.org"], vec!["a.b.example.org"], vec!["photos.example.com"]]
        );
        let routes = ["media.internal", "a.b.internal"].map(route);
        assert_eq!(
            sets("internal", &routes),
            [vec!["internal", "panel.internal", "media.internal"], vec!["a.b.internal"]]
        );
    }

    #[test]
    fn no_value_of_a_variable_ends_a_rule_and_begins_another() {
        let mut told = Diagnostics::default();
        let path = tests::route("r", "a.example.org", Some("/x`) || Host(`panel.example.org"), Access::Public);
        judge("example.org", &[path, route("b`) || Host(`panel.example.org")], &mut told);
        assert_eq!(told.0.iter().map(|d| d.code).collect::<Vec<_>>(), ["proxy.bad-path", "proxy.bad-host"]);
        // Nor is a path one that no request has.
        for path in ["/a/", "/", "/a/../x", "/..", "/%2E%2e/x", "/a/./b", "/a%2fb", "/a%5C..%5Cb"] {
            let mut told = Diagnostics::default();
            judge("example.org", &[tests::route("r", "a.example.org", Some(path), Access::Public)], &mut told);
            assert_eq!(told.0.iter().map(|d| d.code).collect::<Vec<_>>(), ["proxy.bad-path"], "{path}");
        }
    }

    #[test]
    fn names_that_cannot_work_are_told() {
        let codes = |domain: &str, host: &str| {
            let mut told = Diagnostics::default();
            judge(domain, &[route(host)], &mut told);
            told.0.iter().map(|d| d.code).collect::<Vec<_>>()
        };
        assert_eq!(codes("example.org", "a.example.org"), Vec::<&str>::new());
        assert_eq!(codes("home", "a.home"), ["proxy.bad-domain"]);
        assert_eq!(codes("home.local", "a.home.local"), ["lint.domain-local"]);
        assert_eq!(codes("example.org", "a_b.example.org"), ["proxy.bad-host"]);
        assert_eq!(codes("example.org", "panel.example.org"), ["proxy.panel-host"]);
        assert_eq!(codes("192.168.1.1", "x.org"), ["proxy.bad-domain"]);
    }
}
