//! Networks: created where missing, made anew where their definition changed, with everyone reconnected under the names
//! that others know them by.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::slots::Fate;
use super::steps::At;
use super::{Planner, is_alive, label};
use crate::plan::observed::{Container, Network};
use crate::plan::request::container::numbered;
use crate::plan::request::{CONFIG_HASH, NETWORK, ONEOFF, PROJECT, SERVICE};
use crate::plan::wanted::{Endpoint, NetworkRequest};
use crate::plan::{Action, Cause, FieldChange, Risk, Target};

/// A network that is made anew: the steps that take something away, and the one that makes it.
struct Remade {
    begins: Vec<At>,
    created: At,
}

impl<'a> Planner<'a> {
    pub fn networks(&mut self) {
        let mut made: Vec<At> = Vec::new();
        let mut remade: Vec<Remade> = Vec::new();
        for (key, request) in &self.wanted.networks {
            match self.observed.networks.get(&request.name) {
                None if request.external => {
                    let title = format!("the network `{}` is external and does not exist", request.name);
                    let hint =
                        format!("create it (`docker network create {}`), or remove `external: true`", request.name);
                    self.refuse_with("plan.network-missing", Some(format!("networks.{key}")), title, &[&hint]);
                }
                None => {
                    self.check_subnets(request);
                    let at = self.create_network(request, Cause::Missing);
                    self.networks_made.insert(&request.name, at);
                    made.push(at);
                }
                Some(_) if request.external => {}
                Some(network) => remade.extend(self.existing(key, request, network)),
            }
        }
        // One after the other, and after all that are only made: no other network is given the subnet that one gives up
        // before it is sure that it will not be needed again.
        for one in remade {
            one.begins.iter().for_each(|at| self.steps.tie_all(*at, &made));
            made = vec![one.created];
        }
    }

    fn create_network(&mut self, request: &NetworkRequest, cause: Cause) -> At {
        self.steps.add("", Action::CreateNetwork { request: Box::new(request.clone()) }, cause)
    }

    fn existing(&mut self, key: &str, request: &'a NetworkRequest, network: &'a Network) -> Option<Remade> {
        let of = |name: &str| network.labels.get(name).map_or("", String::as_str);
        if of(NETWORK) != key {
            let title = match of(NETWORK) {
                "" => format!("the network `{}` is there and was not made by Compose or Hearth", request.name),
                other => {
                    format!("the network `{}` is there as the network `{other}` of another definition", request.name)
                }
            };
            let hints = [
                format!("remove it (`docker network rm {}`) if nothing needs it", request.name),
                format!("or write `external: true` below networks.{key} to use it as it is"),
            ];
            self.refuse_with("plan.network-foreign", Some(format!("networks.{key}")), title, &[&hints[0], &hints[1]]);
        } else if of(PROJECT) != self.wanted.project {
            let text =
                format!("it belongs to the project `{}`; it is used as it is, and `down` leaves it", of(PROJECT));
            self.note("shared-network", &request.name, text);
        } else if !of(CONFIG_HASH).is_empty() && of(CONFIG_HASH) != request.hash {
            return self.remake(key, request, network);
        }
        None
    }

    /// Disconnect, remove, create, connect: one group, which is taken back as long as the new network is not there, and
    /// finished from then on. Containers that stay are connected where their services are drafted; those that are to be
    /// replaced here, since their turn may come late or, where something fails before, not at all.
    fn remake(&mut self, key: &str, request: &'a NetworkRequest, network: &'a Network) -> Option<Remade> {
        let ours: Vec<&'a Container> =
            self.all.iter().copied().filter(|c| c.networks.contains_key(&network.name)).collect();
        let is_server = |id: &String| self.observed.foreign.iter().any(|f| f.id == *id && f.serves.is_some());
        let is_ours = |id: &String| self.all.iter().copied().any(|c| c.id == *id);
        let foreign = network.attached.iter().find(|id| !is_ours(id) && !is_server(id));
        if let Some(id) = foreign {
            let name = self.observed.foreign.iter().find(|f| f.id == *id).map_or(&id[..id.len().min(12)], |f| &f.name);
            let title =
                format!("the network `{}` must be made anew, and `{name}` of another project is on it", network.name);
            let hint = format!("disconnect it first: `docker network disconnect {} {name}`", network.name);
            self.refuse_with("plan.network-in-use", Some(format!("networks.{key}")), title, &[&hint]);
            return None;
        }
        self.check_subnets(request);
        let cause = || remade(&network.name);
        let group = self.groups.fresh();
        let remove = |id: &str| Action::RemoveNetwork { id: id.into(), name: network.name.clone() };
        let removed = self.steps.add("", remove(&network.id), cause());
        self.steps.undo(removed, group, vec![Action::CreateNetwork { request: Box::new(as_it_was(key, network)) }]);
        let created = self.create_network(request, cause());
        // The id of what this step makes is not known here; by then the name means nothing else.
        self.steps.undo(created, group, vec![remove(&network.name)]);
        self.steps.tie(created, removed);
        self.networks_remade.insert(&request.name, group);
        self.networks_made.insert(&request.name, created);
        let mut begins = vec![removed];
        for container in ours {
            begins.push(self.detach(container, &network.name, removed, group));
            if let Some(endpoint) = self.given_back_as(container, &network.name) {
                let service = label(container, SERVICE);
                let at = self.connect(service, existing(container), &network.name, endpoint, cause());
                self.steps.undo(at, group, Vec::new());
                self.steps.tie(at, created);
                self.given_back.entry(&container.id).or_default().push(at);
            }
        }
        let servers = self.detach_servers(&network.name, &begins[1..], cause);
        self.steps.tie_all(removed, &servers);
        Some(Remade { begins, created })
    }

    /// Takes Hearth's own server off a network that goes, after these steps: it joins by itself, and joins again what is made anew. One that is
    /// stopped too: it could not start with a network that is not there.
    pub(super) fn detach_servers(&mut self, network: &str, after: &[At], cause: impl Fn() -> Cause) -> Vec<At> {
        let observed = self.observed;
        let servers = observed.foreign.iter().filter(|f| f.serves.is_some() && f.networks.iter().any(|n| n == network));
        let mut steps = Vec::new();
        for server in servers {
            let container = Target::Existing { id: server.id.clone(), name: server.name.clone() };
            let at = self.steps.add("", Action::DisconnectNetwork { network: network.into(), container }, cause());
            self.steps.tie_all(at, after);
            steps.push(at);
        }
        steps
    }

    /// Takes a container off a network before the network goes.
    fn detach(&mut self, container: &Container, network: &str, before: At, group: u32) -> At {
        let action = Action::DisconnectNetwork { network: network.into(), container: existing(container) };
        let at = self.steps.add(label(container, SERVICE), action, remade(network));
        self.steps.undo(at, group, vec![attach_as_it_was(container, network)]);
        self.steps.risk(at, Risk::ShortStop);
        self.steps.tie(before, at);
        at
    }

    /// How a container gets a network back that is made anew under it. `None`: it goes, or its service's steps see to it.
    fn given_back_as(&self, container: &Container, network: &str) -> Option<Endpoint> {
        let name = label(container, SERVICE);
        let one_off = label(container, ONEOFF) == "True";
        if self.is_orphan(name) && self.is_ended(container)
            || self.options.remove_orphans && one_off && !is_alive(container)
        {
            return None;
        }
        // One that nobody asked for (off, an orphan, a one-off command) has it again under the same names; its addresses
        // may not be there any more.
        let alike = || Endpoint { aliases: aliases(container, network), ..Endpoint::default() };
        let slots = self.decided.get(name).map(Vec::as_slice).unwrap_or_default();
        let is = |other: &Container| other.id == container.id;
        for slot in slots {
            match &slot.fate {
                Fate::Keep(keep) if is(keep.container) => return None,
                Fate::Remove { container, .. } if is(container) => return None,
                Fate::Replace(r) if is(r.old) || r.fresh.is_some_and(is) => {
                    let request = numbered(self.wanted.services.get(name)?, &self.wanted.project, slot.number);
                    let wanted = request.endpoints.into_iter().find(|(n, _)| n == network);
                    return Some(wanted.map_or_else(alike, |(_, endpoint)| endpoint));
                }
                Fate::Replace(r) if r.rest.iter().any(|c| is(c)) => return None,
                _ if slot.now.iter().any(|c| is(c)) => return None,
                _ => {}
            }
        }
        Some(alike())
    }

    pub fn connect(&mut self, service: &str, container: Target, network: &str, endpoint: Endpoint, cause: Cause) -> At {
        let action = Action::ConnectNetwork { network: network.into(), container, endpoint: Box::new(endpoint) };
        self.steps.add(service, action, cause)
    }

    /// Removes the project's own networks whose key `goes`, where nothing stays on them. `removals`: the containers that go, and when.
    pub(super) fn remove_networks(&mut self, removals: &HashMap<&str, At>, goes: &dyn Fn(&str) -> bool, cause: &Cause) {
        let external: BTreeSet<&str> =
            self.wanted.networks.values().filter(|n| n.external).map(|n| n.name.as_str()).collect();
        for (name, network) in &self.observed.networks {
            let ours = network.labels.get(PROJECT).is_some_and(|p| *p == self.wanted.project);
            let key = network.labels.get(NETWORK).map_or("", String::as_str);
            if !ours || external.contains(name.as_str()) || !goes(key) {
                continue;
            }
            let on_it = |c: &&Container| c.networks.contains_key(name);
            let on_it: Vec<&Container> = self.observed.containers.iter().filter(on_it).collect();
            let stays = on_it.iter().find(|c| !removals.contains_key(c.id.as_str()));
            let foreign =
                self.observed.foreign.iter().find(|f| f.running && f.serves.is_none() && f.networks.contains(name));
            let who = stays.map(|c| c.name.clone()).or_else(|| foreign.map(|f| f.name.clone()));
            if let Some(who) = who {
                let text = format!("it stays, because {who} is on it");
                self.note("network-in-use", name, text);
                continue;
            }
            let after: Vec<At> = on_it.iter().filter_map(|c| removals.get(c.id.as_str()).copied()).collect();
            let servers = self.detach_servers(name, &after, || cause.clone());
            let action = Action::RemoveNetwork { id: network.id.clone(), name: name.clone() };
            let at = self.steps.add("", action, cause.clone());
            self.steps.tie_all(at, &after);
            self.steps.tie_all(at, &servers);
        }
    }

    /// A subnet that is asked for must be free.
    fn check_subnets(&mut self, request: &NetworkRequest) {
        let pools = request.body["IPAM"]["Config"].as_array().cloned().unwrap_or_default();
        for subnet in pools.iter().filter_map(|pool| pool["Subnet"].as_str()) {
            let Some(asked) = Cidr::parse(subnet) else { continue };
            let taken = |(used, by): &(String, String)| {
                *by != request.name && Cidr::parse(used).is_some_and(|used| used.overlaps(&asked))
            };
            let mine = self.wanted.networks.values().filter(|n| n.name < request.name).flat_map(subnets_of);
            let found = self.observed.subnets.iter().cloned().chain(mine).find(taken);
            if let Some((used, by)) = found {
                let title = format!("the subnet {subnet} of the network `{}` overlaps {used} of `{by}`", request.name);
                let field = Some(format!("networks.{}.ipam.config", request.key));
                self.refuse_with(
                    "plan.subnet-overlap",
                    field,
                    title,
                    &["choose another subnet, or leave it to the Engine"],
                );
            }
        }
    }
}

/// The network is made anew because its definition changed.
pub(super) fn remade(network: &str) -> Cause {
    Cause::Changed { fields: vec![FieldChange { field: format!("network {network}"), from: None, to: None }] }
}

fn subnets_of(network: &NetworkRequest) -> Vec<(String, String)> {
    let pools = network.body["IPAM"]["Config"].as_array().cloned().unwrap_or_default();
    pools.iter().filter_map(|pool| Some((pool["Subnet"].as_str()?.to_string(), network.name.clone()))).collect()
}

/// The network that is there, to be made again as it is.
fn as_it_was(key: &str, network: &Network) -> NetworkRequest {
    NetworkRequest {
        key: key.into(),
        name: network.name.clone(),
        body: network.body.clone(),
        ..NetworkRequest::default()
    }
}

/// Puts a container back on a network as it is on it now, with the addresses that were asked for.
pub(super) fn attach_as_it_was(container: &Container, network: &str) -> Action {
    let detail = container.detail.as_ref().map(|d| &d.network_settings["Networks"][network]);
    let of = |key: &str| detail.map_or(&Value::Null, |d| &d[key]);
    let address = |key: &str| of("IPAMConfig")[key].as_str().unwrap_or_default().to_string();
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
    };
    let options = of("DriverOpts").as_object().into_iter().flatten();
    let endpoint = Endpoint {
        aliases: aliases(container, network),
        ipv4_address: address("IPv4Address"),
        ipv6_address: address("IPv6Address"),
        link_local_ips: texts(&of("IPAMConfig")["LinkLocalIPs"]),
        driver_opts: options.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_string()))).collect(),
        gw_priority: of("GwPriority").as_i64().unwrap_or(0),
        links: texts(of("Links")),
        ..Endpoint::default()
    };
    Action::ConnectNetwork { network: network.into(), container: existing(container), endpoint: Box::new(endpoint) }
}

fn aliases(container: &Container, network: &str) -> Vec<String> {
    container.networks.get(network).map(|attached| attached.aliases.clone()).unwrap_or_default()
}

pub(super) fn existing(container: &Container) -> Target {
    Target::Existing { id: container.id.clone(), name: container.name.clone() }
}

/// An address range; IPv4 counts in the upper bits of its own family only.
struct Cidr {
    v4: bool,
    base: u128,
    bits: u32,
}

impl Cidr {
    fn parse(text: &str) -> Option<Cidr> {
        let (address, bits) = text.split_once('/')?;
        let bits: u32 = bits.parse().ok()?;
        let (v4, base, width) = match address.parse().ok()? {
            std::net::IpAddr::V4(a) => (true, u128::from(u32::from(a)) << 96, 32),
            std::net::IpAddr::V6(a) => (false, u128::from(a), 128),
        };
        (bits <= width).then_some(Cidr { v4, base, bits })
    }

    fn overlaps(&self, other: &Cidr) -> bool {
        let bits = self.bits.min(other.bits);
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
        self.v4 == other.v4 && self.base & mask == other.base & mask
    }
}

#[cfg(test)]
mod tests {
    use super::Cidr;

    #[test]
    fn ranges_overlap_where_one_holds_the_other() {
        let overlap = |a: &str, b: &str| Cidr::parse(a).unwrap().overlaps(&Cidr::parse(b).unwrap());
        assert!(overlap("10.0.0.0/8", "10.20.0.0/16"));
        assert!(overlap("172.28.0.0/16", "172.28.0.0/16"));
        assert!(!overlap("172.28.0.0/16", "172.29.0.0/16"));
        assert!(!overlap("0.0.0.0/0", "::/0"));
        assert!(overlap("fd00::/8", "fd00:1::/64"));
        assert!(Cidr::parse("10.0.0.0/33").is_none());
    }
}
