//! Labels that take a host which is somebody else's already: that of a route, or Hearth's own.

use super::Container;
use crate::diag::Diagnostic;
use crate::traefik::route::STAND_IN;
use crate::traefik::rule::{self, Host, Protocol, Reach};
use crate::traefik::{Entry, Route, name};

/// Where the labels of a container reach a host of another service's route, or the panel's. `routes` are resolved. A rule that
/// names the host is always told; one for many hosts, an expression among them, where it would win, be it only over what answers while the
/// service is away; and one for all that comes in clear where HTTP is served. A route `outside` is nobody's own, though its key may be a service's name.
pub fn claims(all: &[Container<'_>], routes: &[Route], outside: &[Route], panel: Option<&str>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for container in all {
        for (protocol, routing, kind) in container.labels.protocols() {
            let Some(kind) = kind else { continue };
            for (name, router) in &routing.routers {
                let path = [protocol, "routers", name.as_str(), "rule"];
                let Some(text) = router.rule() else { continue };
                let Ok(rule) = rule::parse(text, kind) else { continue };
                let priority = router.priority().filter(|n| *n != 0).unwrap_or(text.len() as i64);
                let reach = rule::reach::of(&rule);
                // Hearth's own router, and not only one of its name.
                let ours = |route: &Route| {
                    let is_named = route.service == container.name && name::is_of(name, &route.name);
                    is_named && rule::parse(&route.rule(), kind).is_ok_and(|rule| rule::reach::of(&rule) == reach)
                };
                if routes.iter().any(ours) {
                    continue;
                }
                let clear = kind == Protocol::Tcp && router.tls().is_none();
                let entry = router.entry_points().iter().find(|point| ["web", "websecure"].contains(&point.as_str()));
                if let Some(entry) = entry.filter(|_| clear) {
                    told.push(in_clear(container, name, &path, entry));
                    continue;
                }
                let others = routes.iter().filter(|route| route.service != container.name).chain(outside);
                let Some((host, first)) = taken(others, kind, &reach, priority, panel) else {
                    continue;
                };
                told.push(refusal(container, name, &path, &host, first));
            }
        }
    }
    told
}

/// The first host of somebody else, and the route that has it; `None` for the panel's.
fn taken<'r>(
    mut others: impl Iterator<Item = &'r Route>,
    kind: Protocol,
    reach: &[Reach],
    priority: i64,
    panel: Option<&str>,
) -> Option<(String, Option<&'r Route>)> {
    let names = |host: &str| reach.iter().any(|way| way.host == Host::Name(host.to_string()));
    if let Some(panel) = panel.filter(|panel| names(panel)) {
        return Some((panel.to_string(), None));
    }
    let many = |host: &str| {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        reach.iter().any(|way| match &way.host {
            // Over TCP with TLS a route by name comes first, whatever the priority.
            Host::Any => kind == Protocol::Http,
            Host::Pattern(pattern) => kind == Protocol::Http && matches(pattern, host),
            Host::Wildcard(base) => parent == Some(base),
            Host::Name(_) => false,
        })
    };
    others.find_map(|route| {
        let Entry::Web { hosts, .. } = &route.entry else { return None };
        // At the same priority Traefik takes the router of the file, which the stand-in is.
        let wins = u64::try_from(priority).is_ok_and(|priority| priority > route.priorities().1);
        let host = hosts.iter().find(|host| names(host) || wins && many(host))?;
        Some((host.clone(), Some(route)))
    })
}

/// Whether a host fits an expression, as Traefik tries it: anywhere in the host, in lower case. One that only Go reads may fit all.
fn matches(pattern: &str, host: &str) -> bool {
    /// Far more than a person writes; what is larger takes memory that nobody wants to give.
    const MOST: usize = 1 << 20;
    let made = regex::RegexBuilder::new(pattern).size_limit(MOST).build();
    made.map_or(true, |expression| expression.is_match(host))
}

/// A rule that takes what is in clear on an entry point of HTTP.
fn in_clear(container: &Container<'_>, router: &str, path: &[&str], entry: &str) -> Diagnostic {
    let what = match entry {
        "web" => "the redirect to HTTPS and the answers to certificate authorities",
        _ => "what is not encrypted, where nothing may be in clear",
    };
    let title =
        format!("the router `{router}` of `{}` takes all that comes in clear on `{entry}`: {what}", container.name);
    let d = placed(Diagnostic::error("traefik.host-taken", title), container, path);
    d.hint("give it a port of its own: x-hearth: {route: {tcp: PORT, port: PORT}}")
}

fn placed(d: Diagnostic, container: &Container<'_>, path: &[&str]) -> Diagnostic {
    match container.places.near(path) {
        Some(place) => d.at(place.value_span.or(place.key_span)).field(place.key.clone()),
        None => d,
    }
}

fn refusal(container: &Container<'_>, router: &str, path: &[&str], host: &str, first: Option<&Route>) -> Diagnostic {
    let whose = match first {
        Some(route) => format!("which is routed to `{}` (access: {})", route.service, route.access),
        None => "which is Hearth's own name".to_string(),
    };
    let title = format!("the router `{router}` of `{}` takes {host}, {whose}", container.name);
    let mut d = placed(Diagnostic::error("traefik.host-taken", title), container, path);
    if let Some(span) = first.and_then(|route| route.span) {
        d = d.related(span, "its route stands here");
    }
    d.hint(format!(
        "name another host in the rule; where it is for many hosts, give it the priority {STAND_IN}: below every route, and above the page for unknown hosts"
    ))
}
