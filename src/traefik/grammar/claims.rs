//! Labels that take a host which is somebody else's already: that of a route, or Hearth's own.

use super::Container;
use crate::diag::{Diagnostic, Span};
use crate::traefik::rule::{self, Host, Protocol, Reach};
use crate::traefik::{Entry, Route};

/// Where the labels of a container reach a host of another service's route, or the panel's. `routes` are resolved. A rule that
/// names the host is always told; one for many hosts only where it would win. What a regular expression fits is not looked for.
pub fn claims(all: &[Container<'_>], routes: &[Route], panel: Option<&str>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for container in all {
        for (protocol, routing, kind) in container.labels.protocols() {
            let Some(kind) = kind else { continue };
            for (name, router) in &routing.routers {
                let own = |route: &Route| route.name == *name && route.service == container.name;
                if routes.iter().any(own) {
                    continue;
                }
                let path = [protocol, "routers", name.as_str(), "rule"];
                let Some(text) = router.rule() else { continue };
                let Ok(rule) = rule::parse(text, kind) else { continue };
                let priority = router.priority().filter(|n| *n != 0).unwrap_or(text.len() as i64);
                let reach = rule::reach::of(&rule);
                let Some((host, first)) = taken(container.name, kind, &reach, priority, routes, panel) else {
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
    service: &str,
    kind: Protocol,
    reach: &[Reach],
    priority: i64,
    routes: &'r [Route],
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
    routes.iter().filter(|route| route.service != service).find_map(|route| {
        let Entry::Web { hosts, .. } = &route.entry else { return None };
        let its = route.priorities().0.unwrap_or(route.rule().len() as u64);
        let wins = u64::try_from(priority).is_ok_and(|priority| priority > its);
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
    d.hint("name another host in the rule; where it is for many hosts, give it a lower priority")
}
