//! Labels that take a host which is somebody else's already: that of a route, or Hearth's own.

use super::Container;
use crate::diag::{Diagnostic, Span};
use crate::traefik::route::STAND_IN;
use crate::traefik::rule::{self, Host, Protocol, Reach};
use crate::traefik::{Entry, Route, name};

/// Where the labels of a container reach a host of another service's route, or the panel's. `routes` are resolved. A rule that
/// names the host is always told; one for many hosts where it would win, be it only over what answers while the service is away. What a
/// regular expression fits is not looked for. A route `outside` is nobody's own, though its key may be a service's name.
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
            Host::Any => kind == Protocol::Http,
            Host::Wildcard(base) => parent == Some(base),
            Host::Name(_) | Host::Pattern(_) => false,
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

fn refusal(container: &Container<'_>, router: &str, path: &[&str], host: &str, first: Option<&Route>) -> Diagnostic {
    let whose = match first {
        Some(route) => format!("which is routed to `{}` (access: {})", route.service, route.access),
        None => "which is Hearth's own name".to_string(),
    };
    let title = format!("the router `{router}` of `{}` takes {host}, {whose}", container.name);
    let place: Option<(&str, Option<Span>)> =
        container.places.near(path).map(|place| (place.key.as_str(), place.value_span.or(place.key_span)));
    let mut d = Diagnostic::error("traefik.host-taken", title);
    if let Some((key, span)) = place {
        d = d.at(span).field(key);
    }
    if let Some(span) = first.and_then(|route| route.span) {
        d = d.related(span, "its route stands here");
    }
    d.hint(format!(
        "name another host in the rule; where it is for many hosts, give it the priority {STAND_IN}: below every route, and above the page for unknown hosts"
    ))
}
