//! Networks, all written out (docs/decisions, "networks"): one for each stack, and one `internal` network for each service that
//! only others talk to. Every network has a subnet of the home's own range, and keeps it while it exists.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::Ipv4Addr;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::needs::Kind;
use super::{Cidr, Spec, front};
use crate::compose::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Addresses of a stack's network, unless it has more services than fit.
const STACK_PREFIX: u8 = 24;
/// Addresses of the network of a service and its clients.
const CLIENTS_PREFIX: u8 = 26;

/// What rendering adds: networks at the top, and which services join which.
#[derive(Debug, Default, Clone)]
pub(super) struct Networks {
    /// All networks of the rendered file.
    pub all: BTreeMap<String, Node>,
    /// The whole `networks` of each service that gets some, in order.
    pub joined: IndexMap<String, Node>,
    /// Over which network Traefik reaches each routed service that has one.
    pub reached: BTreeMap<String, String>,
}

/// Decides networks and subnets. `previous` holds the subnets of the file rendered last: who had one keeps it. Traefik, where it
/// stands in the spec, joins a network of each of the `routed` services, whether their profiles are on or off.
pub(super) fn assign(
    spec: &Spec,
    routed: &[&str],
    range: Cidr,
    previous: &BTreeMap<String, Cidr>,
    diagnostics: &mut Diagnostics,
) -> Networks {
    let mut plan = Membership::new(spec);
    plan.base();
    plan.meet();
    let reached = plan.join_traefik(routed);
    plan.reserved(diagnostics);
    let mut networks = Networks { reached, ..Networks::default() };
    for (name, keys) in &plan.member {
        if let Some(service) = spec.services.get(*name).filter(|_| !keys.is_empty()) {
            networks
                .joined
                .insert(name.to_string(), joined(service.node.get("networks"), keys, service.key, &plan, name));
        }
    }
    networks.all = plan.resources(spec);
    subnets(&plan, range, previous, &mut networks.all, diagnostics);
    networks
}

impl Networks {
    /// Without these networks.
    pub(super) fn without(&self, keys: &[String]) -> Networks {
        let all = self.all.iter().filter(|(key, _)| !keys.contains(key));
        let all = all.map(|(key, node)| (key.clone(), node.clone())).collect();
        Networks { all, joined: self.joined.clone(), reached: BTreeMap::new() }
    }

    /// Gives a service one address in one of its networks for good, the last of the subnet; all others there get theirs from its lower half.
    pub(super) fn fix(&mut self, service: &str, key: &str) -> Option<Ipv4Addr> {
        let node = self.all.get_mut(key)?;
        let subnet = *written_subnets(node).first()?;
        let address = last(subnet);
        let span = node.span;
        let Value::Map(map) = &mut node.value else { return None };
        let Value::Map(ipam) = &mut map.get_mut("ipam")?.value else { return None };
        let Value::Seq(pools) = &mut ipam.get_mut("config")?.value else { return None };
        let pool = pools.first_mut()?.as_map_mut()?;
        pool.set("ip_range", Node::str(span, Cidr::new(subnet.address(), subnet.prefix() + 1).to_string()));
        let joined = self.joined.get_mut(service)?;
        let mut endpoint = Map::default();
        endpoint.set("ipv4_address", Node::str(span, address.to_string()));
        let mut all = Map::default();
        all.set(key, Node::new(span, Value::Map(endpoint)));
        joined.value = Value::Map(all);
        Some(address)
    }

    /// The last address of a network that can be a container's. The engine gives them away from the first on.
    pub(super) fn last_address(&self, key: &str) -> Option<Ipv4Addr> {
        written_subnets(self.all.get(key)?).first().copied().map(last)
    }

    /// The engine's own address in each network of a service that is not cut off: the one that is written, else the first.
    pub(super) fn gateways(&self, service: &str) -> BTreeMap<String, Ipv4Addr> {
        let keys = match self.joined.get(service).map(|n| &n.value) {
            Some(Value::Seq(items)) => items.iter().filter_map(Node::as_str).collect(),
            Some(Value::Map(map)) => map.0.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let one = |key: &str| {
            let node = self
                .all
                .get(key)
                .filter(|n| !matches!(n.get("internal"), Some(Node { value: Value::Bool(true), .. })))?;
            let pool = node.at(&["ipam", "config"]).and_then(Node::as_seq)?.first()?;
            let written = pool.get("gateway").and_then(Node::as_str).and_then(|text| text.parse().ok());
            let first = || Some(Ipv4Addr::from(u32::from(written_subnets(node).first()?.address()) + 1));
            Some((key.to_string(), written.or_else(first)?))
        };
        keys.into_iter().filter_map(one).collect()
    }
}

struct Membership<'s> {
    spec: &'s Spec,
    /// Services with a network of their own that Hearth may write, with the networks each joins.
    member: IndexMap<&'s str, BTreeSet<String>>,
    /// Generated networks: key to (place it is due to, whether internal).
    made: BTreeMap<String, (Span, bool)>,
    /// All services that use the network of an owner, itself included.
    sharers: HashMap<&'s str, Vec<&'s str>>,
    /// Pairs (who talks, to whom), both as owners of a network, without those that are one host.
    talks: Vec<(&'s str, &'s str)>,
    talked_to: HashSet<&'s str>,
}

/// The one before the address for all.
fn last(subnet: Cidr) -> Ipv4Addr {
    let size = 1u32 << (32 - u32::from(subnet.prefix()));
    Ipv4Addr::from(u32::from(subnet.address()) + size - 2)
}

/// The network of a service and those that talk to it.
pub(super) fn clients_key(service: &str) -> String {
    format!("{service}-clients")
}

impl<'s> Membership<'s> {
    fn new(spec: &'s Spec) -> Membership<'s> {
        let own = spec.services.iter().filter(|(_, s)| s.node.get("network_mode").is_none_or(Node::is_null));
        let member = own.map(|(name, _)| (name.as_str(), BTreeSet::new())).collect();
        let owners: HashMap<&str, &str> =
            spec.services.keys().map(|name| (name.as_str(), spec.network_owner(name))).collect();
        let mut sharers: HashMap<&str, Vec<&str>> = HashMap::new();
        spec.services.keys().for_each(|name| sharers.entry(owners[name.as_str()]).or_default().push(name));
        let mut talks = Vec::new();
        for (name, service) in &spec.services {
            for need in service.needs.iter().filter(|n| matches!(n.kind, Kind::Talks | Kind::Optional)) {
                let Some(needed) = owners.get(need.service.as_str()) else { continue };
                if owners[name.as_str()] != *needed {
                    talks.push((owners[name.as_str()], *needed));
                }
            }
        }
        let talked_to = talks.iter().map(|(_, to)| *to).collect();
        Membership { spec, member, made: BTreeMap::new(), sharers, talks, talked_to }
    }

    /// Networks that the stack itself writes for a service; `default` means the stack's own.
    fn written(&self, name: &str) -> Option<BTreeSet<String>> {
        let service = self.spec.services.get(name)?;
        let keys: Vec<&str> = match service.node.get("networks").map(|n| &n.value) {
            Some(Value::Seq(items)) => items.iter().filter_map(Node::as_str).collect(),
            Some(Value::Map(map)) => map.0.keys().map(String::as_str).collect(),
            _ => return None,
        };
        let own = &self.spec.stacks[service.stack].name;
        let named = |key: &str| if key == "default" && !self.has_default() { own.clone() } else { key.to_string() };
        (!keys.is_empty()).then(|| keys.into_iter().map(named).collect())
    }

    fn has_default(&self) -> bool {
        self.spec.resources.get("networks").is_some_and(|all| all.contains_key("default"))
    }

    /// A database, a cache, a broker: others need it, and it is reached in no other way.
    fn only_for_clients(&self, name: &str) -> bool {
        let reached = |s: &super::Service| {
            let ports = s.node.get("ports").and_then(Node::as_seq).is_some_and(|p| !p.is_empty());
            ports || !s.keys.localhost.is_empty() || !s.keys.routes.is_empty()
        };
        self.talked_to.contains(name)
            && self.sharers.get(name).is_some_and(|all| all.len() == 1)
            && self.written(name).is_none()
            && !self.spec.services.get(name).is_some_and(reached)
    }

    /// The networks that services are on by themselves.
    fn base(&mut self) {
        let names: Vec<&'s str> = self.member.keys().copied().collect();
        for name in names {
            let Some(service) = self.spec.services.get(name) else { continue };
            let stack = &self.spec.stacks[service.stack];
            let mut keys = self.written(name).unwrap_or_default();
            if keys.is_empty() {
                let hidden = self.only_for_clients(name);
                if hidden {
                    let key = clients_key(name);
                    self.made.insert(key.clone(), (service.key, true));
                    keys.insert(key);
                }
                if !hidden || service.keys.internet {
                    keys.insert(stack.name.clone());
                }
            }
            if keys.contains(&stack.name) {
                self.made.entry(stack.name.clone()).or_insert((service.key, false));
            }
            self.member.insert(name, keys);
        }
    }

    /// Whoever talks to a service is on a network with it.
    fn meet(&mut self) {
        for (from, to) in self.talks.clone() {
            let (Some(a), Some(b)) = (self.member.get(from), self.member.get(to)) else { continue };
            let key = clients_key(to);
            // The network of a service that only clients reach is there in any case: they all join it.
            if !self.made.contains_key(&key) && !a.is_disjoint(b) {
                continue;
            }
            let span = self.spec.services.get(to).map(|s| s.key);
            if let Some(span) = span {
                self.made.entry(key.clone()).or_insert((span, true));
            }
            for name in [from, to] {
                if let Some(keys) = self.member.get_mut(name) {
                    keys.insert(key.clone());
                }
            }
        }
    }

    /// Traefik joins one network of each routed service. Gives which, by the service whose network it is.
    fn join_traefik(&mut self, routed: &[&str]) -> BTreeMap<String, String> {
        let mut reached = BTreeMap::new();
        let all = self.resources(self.spec);
        for name in routed {
            let owner = self.spec.network_owner(name);
            let Some((keys, service)) = self.member.get(owner).zip(self.spec.services.get(owner)) else { continue };
            if let Some(key) = front::reach(&self.spec.stacks[service.stack].name, keys, &all) {
                reached.insert(owner.to_string(), key);
            }
        }
        if let Some(keys) = self.member.get_mut(front::TRAEFIK) {
            keys.extend(reached.values().cloned());
        }
        reached
    }

    /// A stack may write the network of its own name itself; no other generated name may be taken.
    fn reserved(&self, diagnostics: &mut Diagnostics) {
        let Some(written) = self.spec.resources.get("networks") else { return };
        for (key, resource) in written {
            let own = self.spec.stacks[resource.stack].name == *key;
            let Some((span, _)) = self.made.get(key).filter(|_| !own) else { continue };
            diagnostics.push(
                Diagnostic::error("spec.reserved-network", format!("Hearth writes a network `{key}` itself"))
                    .at(resource.key)
                    .field(format!("networks.{key}"))
                    .related(*span, "it is for this service")
                    .hint("give the network another name"),
            );
        }
    }

    /// Every network of the rendered file, still without subnets.
    fn resources(&self, spec: &Spec) -> BTreeMap<String, Node> {
        let mut all = BTreeMap::new();
        for (key, resource) in spec.resources.get("networks").into_iter().flatten() {
            all.insert(key.clone(), resource.node.clone());
        }
        for (key, (span, internal)) in &self.made {
            all.entry(key.clone()).or_insert_with(|| {
                let mut map = Map::default();
                if *internal {
                    map.set("internal", Node::new(*span, Value::Bool(true)));
                }
                Node::new(*span, Value::Map(map))
            });
        }
        all
    }
}

/// The service's `networks` with what it joins besides: a mapping stays a mapping, all else is a list.
fn joined(written: Option<&Node>, keys: &BTreeSet<String>, span: Span, plan: &Membership, name: &str) -> Node {
    let own = plan.spec.services.get(name).map(|s| plan.spec.stacks[s.stack].name.clone()).unwrap_or_default();
    let renamed = |key: &str| if key == "default" && !plan.has_default() { own.clone() } else { key.to_string() };
    match written {
        Some(Node { value: Value::Map(map), span, .. }) if !map.is_empty() => {
            let mut all = Map::default();
            for (key, entry) in &map.0 {
                all.0.insert(renamed(key), entry.clone());
            }
            for key in keys.iter().filter(|key| !all.contains(key)).cloned().collect::<Vec<_>>() {
                all.set(key, Node::map(*span));
            }
            Node::new(*span, Value::Map(all))
        }
        other => {
            let mut items: Vec<Node> = Vec::new();
            for item in other.and_then(Node::as_seq).unwrap_or_default() {
                items.push(match item.as_str() {
                    Some(text) => Node::str(item.span, renamed(text)),
                    None => item.clone(),
                });
            }
            for key in keys {
                if !items.iter().any(|i| i.as_str() == Some(key)) {
                    items.push(Node::str(span, key));
                }
            }
            Node::new(span, Value::Seq(items))
        }
    }
}

/// Gives a subnet to every network that can have one and has none.
fn subnets(
    plan: &Membership,
    range: Cidr,
    previous: &BTreeMap<String, Cidr>,
    all: &mut BTreeMap<String, Node>,
    diagnostics: &mut Diagnostics,
) {
    let mut taken: Vec<Cidr> = all.values().flat_map(written_subnets).collect();
    let wanting: Vec<(String, bool, u8)> = all
        .iter()
        .filter(|(_, node)| wants_subnet(node))
        .map(|(key, _)| {
            let members = plan.member.values().filter(|keys| keys.contains(key)).count() as u64;
            let internal = plan.made.get(key).is_some_and(|(_, internal)| *internal);
            (key.clone(), internal, prefix_for(members, if internal { CLIENTS_PREFIX } else { STACK_PREFIX }))
        })
        .collect();
    let mut given: BTreeMap<String, Cidr> = BTreeMap::new();
    for (key, _, prefix) in &wanting {
        let kept = previous.get(key).copied().filter(|c| c.prefix() == *prefix && range.contains(*c));
        if let Some(cidr) = kept.filter(|c| !taken.iter().any(|t| t.overlaps(*c))) {
            taken.push(cidr);
            given.insert(key.clone(), cidr);
        }
    }
    let halves = range.halves().unwrap_or((range, range));
    for (key, internal, prefix) in &wanting {
        if given.contains_key(key) {
            continue;
        }
        let half = if *internal { halves.1 } else { halves.0 };
        match free(key, half, *prefix, &taken) {
            Some(cidr) => {
                taken.push(cidr);
                given.insert(key.clone(), cidr);
            }
            None => {
                let title = format!("the range {range} has no room left for the network `{key}`");
                let d = Diagnostic::error("spec.range-full", title).at(plan.made.get(key).map(|(span, _)| *span));
                diagnostics.push(d.hint("give a larger `networks:` range in hearth.yaml, as 10.213.0.0/16"));
            }
        }
    }
    for (key, cidr) in given {
        if let Some(node) = all.get_mut(&key) {
            set_subnet(node, cidr);
        }
    }
}

/// Room for twice the services that are there.
fn prefix_for(members: u64, usual: u8) -> u8 {
    let mut prefix = usual;
    while prefix > 12 && (1u64 << (32 - prefix)) - 3 < members * 2 {
        prefix -= 1;
    }
    prefix
}

/// A free piece, looked for from a place that the name alone decides.
fn free(key: &str, half: Cidr, prefix: u8, taken: &[Cidr]) -> Option<Cidr> {
    let pieces = half.pieces(prefix);
    let digest = Sha256::digest(key.as_bytes());
    let start = digest.iter().take(8).fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    let candidates = (0..pieces).map(|i| half.piece(prefix, (start % pieces + i) % pieces));
    candidates.into_iter().find(|c| !taken.iter().any(|t| t.overlaps(*c)))
}

/// A bridge of this project that nothing says the addresses of.
fn wants_subnet(node: &Node) -> bool {
    let Some(map) = node.as_map() else { return node.is_null() };
    let external = map.get("external").is_some_and(|n| !matches!(n.value, Value::Bool(false)));
    let bridge = map.get("driver").is_none_or(|n| n.is_null() || n.as_str() == Some("bridge"));
    !external && bridge && map.get("ipam").is_none()
}

fn set_subnet(node: &mut Node, cidr: Cidr) {
    let span = node.span;
    if node.is_null() {
        node.value = Value::Map(Map::default());
    }
    let one = |key: &str, value: Node| {
        let mut map = Map::default();
        map.set(key, value);
        Node::new(span, Value::Map(map))
    };
    let pool = one("subnet", Node::str(span, cidr.to_string()));
    let ipam = one("config", Node::new(span, Value::Seq(vec![pool])));
    if let Some(map) = node.as_map_mut() {
        map.set("ipam", ipam);
    }
}

/// The literal subnets that a network has already.
pub(super) fn written_subnets(network: &Node) -> Vec<Cidr> {
    let pools = network.at(&["ipam", "config"]).and_then(Node::as_seq).unwrap_or_default();
    pools.iter().filter_map(|pool| pool.get("subnet")?.as_str()?.parse().ok()).collect()
}
