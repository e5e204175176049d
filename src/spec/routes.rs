//! The routes of all stacks as Traefik will know them, still with variables; and where two of them want the same.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::Spec;
use super::keys::{self, Listen, Way};
use crate::base::wording;
use crate::compose::short::size;
use crate::compose::tree::Node;
use crate::diag::{Diagnostic, Diagnostics};
use crate::traefik::{Door, Entry, Route, Target, name, statics};

/// The name under which all services of a home are reached; it stands in `.env`.
pub const DOMAIN: &str = "DOMAIN";
/// Hearth's own name under the domain.
pub const PANEL: &str = "panel";
/// As it stands in rendered labels.
const UNDER: &str = "${DOMAIN:?set it in .env, as DOMAIN=example.org}";
/// How Traefik's container reaches the machine itself.
const MACHINE: &str = "host.docker.internal";

/// All routes of a home.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// Routes of services, by service, in the order of stacks.
    pub services: IndexMap<String, Vec<Route>>,
    /// Routes that `hearth.yaml` names.
    pub outside: Vec<Outside>,
}

/// A route to what is not a service of the home.
#[derive(Debug, Clone)]
pub struct Outside {
    pub route: Route,
    /// Project and service, where it leads into another Compose project.
    pub into: Option<(String, String)>,
    /// The network that Traefik joins for it, by its real name.
    pub network: Option<String>,
}

impl Routes {
    pub fn all(&self) -> impl Iterator<Item = &Route> {
        self.services.values().flatten().chain(self.outside.iter().map(|outside| &outside.route))
    }
}

/// Collects the routes of the stacks and of `hearth.yaml`; what two want is told with both places.
pub(super) fn collect(
    spec: &Spec,
    project: &str,
    outside: &[(String, keys::Route)],
    settings: &statics::Settings,
    diagnostics: &mut Diagnostics,
) -> Routes {
    let mut routes = Routes::default();
    for (service, of) in &spec.services {
        let host_network = is_on_machine(spec, service);
        let own: Vec<Route> = of
            .keys
            .routes
            .iter()
            .enumerate()
            .map(|(i, route)| {
                let made = make(name::route(project, service, i), service, route);
                let made = Route { profile: of.profiles.first().cloned(), ..made };
                if host_network { on_machine(made) } else { made }
            })
            .collect();
        if !own.is_empty() {
            routes.services.insert(service.clone(), own);
        }
    }
    for (key, route) in outside {
        // A stack's service may have the same name as a key of hearth.yaml.
        let made = make(name::outside(project, key), key, route);
        let into = match &route.way {
            Way::Project { project, service, .. } => Some((project.clone(), service.clone())),
            _ => None,
        };
        routes.outside.push(Outside { route: made, into, network: route.network.clone() });
    }
    share_hosts(&mut routes);
    names_twice(routes.all(), diagnostics);
    ports_twice(&routes, settings, diagnostics);
    routes
}

fn make(name: String, service: &str, written: &keys::Route) -> Route {
    let entry = match &written.listen {
        Listen::Hosts { hosts, path, strip } => {
            let hosts = hosts.iter().map(|(host, _)| whole(host)).collect();
            // `/` is all that there is.
            let path = path.as_ref().map(|p| p.trim_end_matches('/').to_string()).filter(|p| !p.is_empty());
            Entry::Web { hosts, strip: *strip && path.is_some(), path }
        }
        Listen::Tcp(port) => Entry::Tcp(*port),
        Listen::Udp(port) => Entry::Udp(*port),
    };
    let target = match &written.way {
        Way::Port { port, scheme } | Way::Project { port, scheme, .. } => {
            Target::Container { port: port.clone(), scheme: scheme.clone() }
        }
        Way::Address(address) => Target::Addresses(vec![address.clone()]),
    };
    Route {
        name,
        service: service.to_string(),
        profile: None,
        entry,
        access: written.access.clone(),
        bypass: written.bypass.clone(),
        target,
        timeout: written.timeout.as_deref().map(go_duration),
        request_headers: written.request_headers.clone(),
        response_headers: written.response_headers.clone(),
        sticky: written.sticky,
        health: written.health.clone(),
        rate: written.rate.clone(),
        shares_paths: false,
        beside_login: false,
        span: Some(written.span),
    }
}

/// `media` is under the domain, `@` the domain itself; what has a dot or a variable is whole.
fn whole(host: &str) -> String {
    match host {
        "@" => UNDER.to_string(),
        host if host.contains(['.', '$']) => host.to_string(),
        host => format!("{host}.{UNDER}"),
    }
}

/// Go has no days, which Compose has.
fn go_duration(text: &str) -> String {
    size::duration(text).map_or_else(|_| text.to_string(), |d| format!("{}ms", d.0 / 1_000_000))
}

/// Whether it uses the machine's own network: Traefik then finds it as it finds the machine.
fn is_on_machine(spec: &Spec, service: &str) -> bool {
    let owner = spec.network_owner(service);
    spec.services.get(owner).and_then(|s| s.node.get("network_mode")).and_then(Node::as_str) == Some("host")
}

fn on_machine(mut route: Route) -> Route {
    if let Target::Container { port, scheme } = &route.target {
        route.target = Target::Addresses(vec![route.entry.address(scheme, MACHINE, port)]);
    }
    route
}

/// Marks the routes of each host of which any route has a path, and of each of which any asks for a login. Labels are made before `.env` is read,
/// so hosts with variables count as the same where any values could make them so.
fn share_hosts(routes: &mut Routes) {
    let (mut parted, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for route in routes.all() {
        let Entry::Web { hosts, path, .. } = &route.entry else { continue };
        if path.is_some() {
            parted.extend(hosts.iter().cloned());
        }
        if route.door() == Door::Login {
            kept.extend(hosts.iter().cloned());
        }
    }
    let outside = routes.outside.iter_mut().map(|outside| &mut outside.route);
    for route in routes.services.values_mut().flatten().chain(outside) {
        let Entry::Web { hosts, .. } = &route.entry else { continue };
        let is_of = |some: &BTreeSet<String>| hosts.iter().any(|host| some.iter().any(|other| may_be_one(host, other)));
        (route.shares_paths, route.beside_login) = (is_of(&parted), is_of(&kept));
    }
}

/// Whether two hosts are the same, or may be with some values of their variables.
fn may_be_one(a: &str, b: &str) -> bool {
    if let (Some(a), Some(b)) = (a.strip_suffix(UNDER), b.strip_suffix(UNDER)) {
        return may_be_one(a, b);
    }
    // What stands before the first variable, and after the last one where it is clear where that ends.
    let ends = |host: &str| {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let (first, last) = (host.find('$')?, host.rfind('$')?);
        let end = host[last..].rfind('}').map_or(host.len(), |at| last + at + 1);
        Some((host[..first].to_string(), host[end..].to_string()))
    };
    let plain = |host: &str| {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        (host.clone(), host)
    };
    let (variable_a, variable_b) = (ends(a), ends(b));
    if variable_a.is_none() && variable_b.is_none() {
        return plain(a).0 == plain(b).0;
    }
    let ((start_a, end_a), (start_b, end_b)) =
        (variable_a.unwrap_or_else(|| plain(a)), variable_b.unwrap_or_else(|| plain(b)));
    (start_a.starts_with(&start_b) || start_b.starts_with(&start_a))
        && (end_a.ends_with(&end_b) || end_b.ends_with(&end_a))
}

/// Tells each route for a host and path that an earlier one has.
pub fn names_twice<'r>(routes: impl Iterator<Item = &'r Route>, diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<(&str, &str), &Route> = BTreeMap::new();
    for route in routes {
        let Entry::Web { hosts, path, .. } = &route.entry else { continue };
        let path = path.as_deref().unwrap_or("/").trim_end_matches('/');
        for host in hosts {
            match names.get(&(host.as_str(), path)) {
                Some(first) => diagnostics.push(wanted_twice(route, first, &shown(host, path))),
                None => drop(names.insert((host, path), route)),
            }
        }
    }
}

fn ports_twice(routes: &Routes, settings: &statics::Settings, diagnostics: &mut Diagnostics) {
    let mut ports: BTreeMap<(u16, bool), &Route> = BTreeMap::new();
    for route in routes.all() {
        let Some((port, udp)) = statics::entry(&route.entry) else { continue };
        if !udp && [settings.http, settings.https].contains(&port) {
            let title = format!("port {port} of this machine is Traefik's own for HTTP");
            diagnostics.push(
                Diagnostic::error("spec.route-twice", title)
                    .at(route.span)
                    .hint("take another port, or route by `host`"),
            );
        } else if !udp && statics::INSIDE.contains(&port) {
            // Traefik would not start, and every route would be gone.
            let title = format!("in its container Traefik has port {port} for itself");
            diagnostics.push(Diagnostic::error("spec.route-twice", title).at(route.span).hint(format!(
                "take another one than {}",
                wording::list(&statics::INSIDE.map(|port| port.to_string()))
            )));
        }
        match ports.get(&(port, udp)) {
            Some(first) => {
                let what = format!("{} port {port}", if udp { "UDP" } else { "TCP" });
                diagnostics.push(wanted_twice(route, first, &what));
            }
            None => drop(ports.insert((port, udp), route)),
        }
    }
}

/// A host as a person wrote it.
fn shown(host: &str, path: &str) -> String {
    format!("{}{path}", host.replace(UNDER, "DOMAIN"))
}

fn wanted_twice(route: &Route, first: &Route, what: &str) -> Diagnostic {
    let title = match route.service == first.service {
        true => format!("`{}` has two routes for {what}", route.service),
        false => format!("{what} is routed twice: to `{}` and to `{}`", first.service, route.service),
    };
    let mut d = Diagnostic::error("spec.route-twice", title).at(route.span);
    if let Some(span) = first.span {
        d = d.related(span, "the first one stands here");
    }
    d.hint("give one of them another host, or a path of its own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_one_where_any_values_make_them_so() {
        let one = |a: &str, b: &str| {
            let (a, b) = (whole(a), whole(b));
            assert_eq!(may_be_one(&a, &b), may_be_one(&b, &a));
            may_be_one(&a, &b)
        };
        for (a, b) in [
            ("a", "a"),
            ("@", "@"),
            ("a.example.org", "A.example.org."),
            ("a.example.org", "a"),
            ("a", "a.$X"),
            ("a.${X}.org", "a.${Y:-${Z}}"),
            ("$X", "@"),
            ("@", "example.org"),
            ("a.$X.org", "a.b.org"),
        ] {
            assert!(one(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("a", "b"),
            ("@", "a"),
            ("a", "aa"),
            ("a.example.org", "b"),
            ("a.example.org", "b.example.org"),
            ("a.${X}.org", "a.${X}.com"),
            ("a.$X", "b.$X"),
        ] {
            assert!(!one(a, b), "{a} {b}");
        }
    }
}
