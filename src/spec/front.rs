//! The front door of domain mode: the stack `core` with Traefik and gate, made to fit the routes of a home, and the labels by which
//! Traefik finds the services.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::networks::Networks;
use super::routes::Routes;
use super::stack::is_traefik_label;
use super::{Resource, Spec, Stack};
use crate::compose::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::traefik::{Route, Target, labels, statics};

/// The built-in stack, and the profile that turns on nothing else.
pub const CORE: &str = "core";
pub const TRAEFIK: &str = "traefik";
pub const GATE: &str = "gate";
/// The image of Hearth itself, which gate runs where `.env` names no other: made of the very program that is running, by no registry known.
pub const OWN_IMAGE: &str = "hearth:local";
/// The variable that tells gate which project it shows.
pub const GATE_PROJECT: &str = "HEARTH_GATE_PROJECT";
/// Where Traefik has the keys of the home's certificates, and its own for Hearth and gate.
pub const CERTIFICATES: &str = statics::DYNAMIC;
/// The label of containers that Traefik sends requests to.
pub const ROUTED: &str = labels::OURS;
/// Its file.
pub(super) const TEXT: &str = include_str!("core.yaml");

/// Names that a home uses itself and that domain mode needs, as diagnostics.
pub(super) fn reserved(spec: &Spec) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for name in [TRAEFIK, GATE] {
        if let Some(service) = spec.services.get(name) {
            let title = format!("in domain mode the service `{name}` is Hearth's own");
            told.push(
                Diagnostic::error("spec.reserved-service", title)
                    .at(service.key)
                    .field(format!("services.{name}"))
                    .hint("give this service another name, or remove it: Hearth brings its own"),
            );
        }
    }
    let own = [CORE.to_string(), gate_network()];
    for (name, service) in &spec.services {
        let joins = match service.node.get("networks").map(|n| &n.value) {
            Some(Value::Seq(items)) => items.iter().filter_map(|n| Some((n.as_str()?, n.span))).collect(),
            Some(Value::Map(map)) => map.0.iter().map(|(key, entry)| (key.as_str(), entry.key)).collect(),
            _ => Vec::new(),
        };
        for (key, span) in joins.into_iter().filter(|(key, _)| own.iter().any(|o| o == key)) {
            let title = format!("in domain mode the network `{key}` is Hearth's own, and `{name}` cannot join it");
            told.push(
                Diagnostic::error("spec.reserved-network", title)
                    .at(span)
                    .field(format!("services.{name}.networks"))
                    .hint("take it out: Traefik joins the network of a stack that has a route"),
            );
        }
    }
    for key in spec.resources.get("networks").into_iter().flat_map(|all| all.keys()).filter(|key| own.contains(key)) {
        let span = spec.resources["networks"][key].key;
        let title = format!("in domain mode the network `{key}` is Hearth's own");
        told.push(
            Diagnostic::error("spec.reserved-network", title)
                .at(span)
                .field(format!("networks.{key}"))
                .hint("give this network another name"),
        );
    }
    if let Some(stack) = spec.stacks.iter().find(|s| s.name == CORE) {
        let title = format!("in domain mode the stack `{CORE}` is Hearth's own");
        told.push(
            Diagnostic::error("spec.reserved-stack", title)
                .at(stack.span)
                .hint("rename the file; its services stay the same"),
        );
    }
    told
}

/// The spec with Traefik and gate in it, for these routes.
pub(super) fn add(spec: &Spec, routes: &Routes, settings: &statics::Settings, project: &str) -> Spec {
    let mut all = spec.clone();
    let Some(core) = &spec.core else { return all };
    let index = all.stacks.len();
    all.stacks.push(Stack { name: CORE.into(), ..core.stacks[0].clone() });
    let profiles = profiles(spec, routes);
    let entries: BTreeSet<(u16, bool)> = routes.all().filter_map(|route| statics::entry(&route.entry)).collect();
    let joins: BTreeSet<&String> = routes.outside.iter().filter_map(|outside| outside.network.as_ref()).collect();
    let networks = all.resources.entry("networks").or_default();
    for name in &joins {
        let span = core.stacks[0].span;
        let mut map = Map::default();
        map.set("external", Node::new(span, Value::Bool(true)));
        map.set("name", Node::str(span, name.as_str()));
        let node = Node::new(span, Value::Map(map));
        networks.insert(outside_key(name), Resource { stack: index, key: span, node });
    }
    for (name, service) in &core.services {
        let mut service = service.clone();
        service.stack = index;
        service.profiles.clone_from(&profiles);
        service.written_profiles.clone_from(&profiles);
        let span = service.key;
        let list = |texts: Vec<String>| {
            Node::new(span, Value::Seq(texts.into_iter().map(|text| Node::str(span, text)).collect()))
        };
        if let Some(map) = service.node.as_map_mut() {
            if name == TRAEFIK {
                if !joins.is_empty() {
                    let keys = std::iter::once(CORE.to_string()).chain(joins.iter().map(|name| outside_key(name)));
                    map.set("networks", list(keys.collect()));
                }
                map.set("command", list(statics::flags(settings, &entries)));
                map.set("ports", list(statics::ports(settings, &entries)));
            } else {
                let mut environment = Map::default();
                environment.set(GATE_PROJECT, Node::str(span, project));
                map.set("environment", Node::new(span, Value::Map(environment)));
            }
        }
        all.services.insert(name.clone(), service);
    }
    all
}

/// The key of the network that Traefik and gate have for themselves.
pub fn gate_network() -> String {
    super::networks::clients_key(GATE)
}

/// Gives gate an address that nobody else can have, and tells it to Traefik. By its name alone anybody on a network of Traefik's could call
/// itself gate, and would then decide over all routes.
pub(super) fn fix_gate(spec: &mut Spec, networks: &mut Networks) {
    let Some(address) = networks.fix(GATE, &gate_network()) else { return };
    let Some(traefik) = spec.services.get_mut(TRAEFIK) else { return };
    let span = traefik.key;
    if let Some(Value::Seq(hosts)) =
        traefik.node.as_map_mut().and_then(|map| map.get_mut("extra_hosts")).map(|n| &mut n.value)
    {
        hosts.push(Node::str(span, format!("{}:{address}", statics::GATE)));
    }
}

/// Tells Traefik where Hearth is when it runs as a container: the last address of a network that nobody else can join. Written down in any
/// case, so that Traefik stays as it is wherever Hearth runs.
pub(super) fn name_hearth(spec: &mut Spec, networks: &Networks) -> Option<std::net::Ipv4Addr> {
    let address = networks.last_address(CORE)?;
    let traefik = spec.services.get_mut(TRAEFIK)?;
    let span = traefik.key;
    let hosts = traefik.node.as_map_mut().and_then(|map| map.get_mut("extra_hosts"))?;
    if let Value::Seq(hosts) = &mut hosts.value {
        hosts.push(Node::str(span, format!("{}:{address}", statics::HEARTH)));
    }
    Some(address)
}

/// The networks that only the front door has.
pub(super) fn own_networks(routes: &Routes) -> Vec<String> {
    let outside = routes.outside.iter().filter_map(|o| o.network.as_deref()).map(outside_key);
    [CORE.to_string(), gate_network()].into_iter().chain(outside).collect()
}

/// The key of a network that is not the home's.
fn outside_key(name: &str) -> String {
    format!("outside-{name}")
}

/// `core`, and every profile that has a route, on or off: turning one on must not make Traefik a new container. None, which is always
/// on, where a routed service is, or something outside Docker has a route.
fn profiles(spec: &Spec, routes: &Routes) -> Vec<String> {
    let routed: Vec<&super::Service> =
        routed(spec, routes).iter().filter_map(|name| spec.services.get(*name)).collect();
    if !routes.outside.is_empty() || routed.iter().any(|service| service.profiles.is_empty()) {
        return Vec::new();
    }
    let others: BTreeSet<&String> = routed.iter().flat_map(|s| &s.profiles).filter(|p| *p != CORE).collect();
    std::iter::once(CORE.to_string()).chain(others.into_iter().cloned()).collect()
}

/// Services that Traefik reaches by their containers' labels.
pub(super) fn routed<'s>(spec: &'s Spec, routes: &Routes) -> Vec<&'s str> {
    let by_label = |name: &&String| {
        let own = routes.services.get(*name).is_some_and(|all| all.iter().any(is_by_label));
        own || spec.services[*name].keys.raw_labels && !raw(&spec.services[*name].node).is_empty()
    };
    spec.services.keys().filter(by_label).map(String::as_str).collect()
}

fn is_by_label(route: &Route) -> bool {
    matches!(route.target, Target::Container { .. })
}

/// The labels to add, by service.
pub(super) fn labels(
    spec: &Spec,
    routes: &Routes,
    networks: &Networks,
    project: &str,
    diagnostics: &mut Diagnostics,
) -> IndexMap<String, Vec<(String, String)>> {
    let mut all = IndexMap::new();
    for name in routed(spec, routes) {
        let service = &spec.services[name];
        let span = routes.services.get(name).and_then(|all| all[0].span).unwrap_or(service.key);
        let Some(key) = networks.reached.get(spec.network_owner(name)) else {
            diagnostics.push(no_network(name, span));
            continue;
        };
        let network = networks.all.get(key).map(|node| real_name(project, key, node)).unwrap_or_default();
        let own: Vec<&Route> = routes.services.get(name).into_iter().flatten().filter(|r| is_by_label(r)).collect();
        let mut labels = labels::of(&own, &network, runs_beside(&service.node));
        let raw = raw(&service.node);
        if !raw.is_empty() {
            let keys: BTreeSet<&str> =
                labels.iter().map(|(key, _)| key.as_str()).chain(raw.iter().map(String::as_str)).collect();
            let ours = labels::ours(keys.into_iter());
            labels.retain(|(key, _)| key != labels::OURS);
            labels.insert(0, (labels::OURS.into(), ours));
        }
        all.insert(name.to_string(), labels);
    }
    all
}

/// Whether a new container of it may run beside the old one: `start-first`, or what only a variable tells.
fn runs_beside(service: &Node) -> bool {
    let order = service.at(&["deploy", "update_config", "order"]).and_then(Node::as_str);
    order.is_some_and(|order| order == "start-first" || order.contains('$'))
}

/// The keys of `traefik.*` labels that the stack itself writes.
fn raw(service: &Node) -> Vec<String> {
    let keys: Vec<String> = match service.get("labels").map(|n| &n.value) {
        Some(Value::Map(map)) => map.0.keys().cloned().collect(),
        Some(Value::Seq(items)) => {
            let texts = items.iter().filter_map(Node::as_str);
            texts.map(|text| text.split('=').next().unwrap_or(text).to_string()).collect()
        }
        _ => Vec::new(),
    };
    keys.into_iter().filter(|key| is_traefik_label(key)).collect()
}

/// The service's labels with these; a mapping stays a mapping.
pub(super) fn with_labels(written: Option<&Node>, added: &[(String, String)], span: Span) -> Node {
    match written.map(|n| &n.value) {
        Some(Value::Seq(items)) if !items.is_empty() => {
            let mut items = items.clone();
            items.extend(added.iter().map(|(key, value)| Node::str(span, format!("{key}={value}"))));
            Node::new(written.map_or(span, |n| n.span), Value::Seq(items))
        }
        other => {
            let mut map = match other {
                Some(Value::Map(map)) => map.clone(),
                _ => Map::default(),
            };
            for (key, value) in added {
                map.set(key.clone(), Node::str(span, value));
            }
            Node::new(written.map_or(span, |n| n.span), Value::Map(map))
        }
    }
}

/// What Docker calls a network of the project.
pub(super) fn real_name(project: &str, key: &str, node: &Node) -> String {
    let external = node.get("external").is_some_and(|n| !matches!(n.value, Value::Bool(false)));
    match node.get("name").and_then(Node::as_str).or(node.at(&["external", "name"]).and_then(Node::as_str)) {
        Some(name) => name.to_string(),
        None if external => key.to_string(),
        None => format!("{project}_{key}"),
    }
}

fn no_network(name: &str, span: Span) -> Diagnostic {
    let title = format!("Traefik cannot reach `{name}`: it is on no network that Traefik could join");
    Diagnostic::error("spec.no-shared-network", title)
        .at(span)
        .field(format!("services.{name}.x-hearth.route"))
        .hint("remove `network_mode`, or route to its address in hearth.yaml")
}

/// The network over which Traefik reaches each of these services: that of its stack, else any that is not cut off.
pub(super) fn reach(own_stack: &str, keys: &BTreeSet<String>, all: &BTreeMap<String, Node>) -> Option<String> {
    if keys.contains(own_stack) {
        return Some(own_stack.to_string());
    }
    let internal = |key: &&String| {
        all.get(*key).and_then(|n| n.get("internal")).is_some_and(|n| matches!(n.value, Value::Bool(true)))
    };
    keys.iter().find(|key| !internal(key)).or(keys.first()).cloned()
}
