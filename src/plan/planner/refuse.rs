//! What can be known to fail before anything is touched: names, ports, paths, conditions.

use std::collections::BTreeMap;

use super::Planner;
use super::order::HEALTHY;
use super::slots::{Fate, Run, Slot};
use crate::plan::observed::Container;
use crate::plan::wanted::WantedService;

/// A host port that is asked for: `(address, port, protocol)`.
pub(super) type HostPort<'s> = (&'s str, u16, &'s str);

impl<'a> Planner<'a> {
    pub fn refuse(&mut self) {
        let mut held: BTreeMap<(u16, String), Vec<(String, String)>> = BTreeMap::new();
        for service in self.order.clone() {
            let Some(slots) = self.decided.remove(service.name.as_str()) else { continue };
            self.dependencies(service);
            self.scale(service);
            for slot in &slots {
                if makes(slot) {
                    self.names_of(service, slot);
                    self.paths(service);
                }
                if !matches!(slot.fate, Fate::Remove { .. }) {
                    self.ports_once(service, slot, &mut held);
                }
            }
            if slots.iter().any(|s| makes(s) || starts(s)) {
                self.ports_of(service);
                self.conditions(service);
            }
            self.decided.insert(&service.name, slots);
        }
    }

    fn dependencies(&mut self, service: &WantedService) {
        for (on, dependency) in &service.service.depends_on {
            if !dependency.required || self.wanted.services.contains_key(on) || self.options.no_deps {
                continue;
            }
            let field = Some(format!("services.{}.depends_on.{on}", service.name));
            let (title, hint) = match self.wanted.off.get(on) {
                Some(profiles) => (
                    format!("`{}` needs `{on}`, which is off", service.name),
                    format!("turn on one of its profiles: {}", profiles.join(", ")),
                ),
                None => (
                    format!("`{}` needs `{on}`, which is not there", service.name),
                    "define it, or write `required: false`".to_string(),
                ),
            };
            self.refuse_with("plan.dependency-off", field, title, &[&hint]);
        }
    }

    fn scale(&mut self, service: &WantedService) {
        let n = service.service.replicas();
        if n > 1 && !service.service.container_name.is_empty() {
            let title = format!("`{}` has a fixed `container_name` and cannot have {n} containers", service.name);
            let field = Some(format!("services.{}.container_name", service.name));
            self.refuse_with("plan.scale-name", field, title, &["remove `container_name`, or scale to 1"]);
        }
    }

    /// The final name must be free, or go free: held by a container of this slot, or by an orphan that goes.
    fn names_of(&mut self, service: &WantedService, slot: &Slot<'a>) {
        let field = if service.service.container_name.is_empty() { "" } else { ".container_name" };
        let field = Some(format!("services.{}{field}", service.name));
        let Some(holder) = self.names.get(slot.name.as_str()).copied() else { return };
        let own = |c: &&Container| c.id == holder;
        let Some(other) = self.all.iter().copied().find(own) else {
            let foreign = self.observed.foreign.iter().find(|f| f.id == holder);
            let project = foreign.and_then(|f| f.project.as_ref());
            let of = project.map_or("no project".to_string(), |p| format!("the project `{p}`"));
            let title = format!("the name {} is taken by a container of {of}", slot.name);
            let hint = format!("rename or remove it: `docker rename {} NEW`", slot.name);
            self.refuse_with("plan.name-taken", field, title, &[&hint]);
            return;
        };
        let of = super::label(other, crate::plan::request::SERVICE);
        let known = self.wanted.services.contains_key(of);
        let orphan = !known && !self.wanted.others.contains(of);
        if of == service.name || orphan && self.is_ended(other) {
            return;
        }
        let title = format!("the name {} is taken by a container of the service `{of}`", slot.name);
        let down = format!("end it first: `hearth down {of}`");
        let hint = match (orphan, known) {
            (true, _) => "`hearth up --remove-orphans` ends it first",
            (_, true) => "give the services different names",
            _ => &down,
        };
        self.refuse_with("plan.name-taken", field, title, &[hint]);
    }

    /// Bind sources that must exist.
    fn paths(&mut self, service: &WantedService) {
        if self.observed.host.missing_paths.is_empty() {
            return;
        }
        let mounts = service.request.host_config["Mounts"].as_array().cloned().unwrap_or_default();
        for mount in mounts.iter().filter(|m| m["Type"] == "bind" && m["BindOptions"]["CreateMountpoint"] != true) {
            let source = mount["Source"].as_str().unwrap_or_default();
            if self.observed.host.missing_paths.contains(source) {
                let target = mount["Target"].as_str().unwrap_or_default();
                let title = format!("{source} does not exist, and `{}` mounts it at {target}", service.name);
                let field = Some(format!("services.{}.volumes", service.name));
                self.refuse_with(
                    "plan.bind-missing",
                    field,
                    title,
                    &["create it, or write `create_host_path: true` below `bind`"],
                );
            }
        }
    }

    /// A host port that someone else holds. What its own container holds already is no trouble.
    fn ports_of(&mut self, service: &'a WantedService) {
        let own: Vec<&Container> = self.containers.get(service.name.as_str()).cloned().unwrap_or_default();
        for (i, port) in wanted_ports(service) {
            let field = Some(format!("services.{}.ports[{i}]", service.name));
            let said = said(port);
            let foreign = self.observed.foreign.iter().find(|f| f.running && f.ports.iter().any(|p| clash(port, p)));
            if let Some(foreign) = foreign {
                let title = format!(
                    "the host port {said} that `{}` publishes is held by the container {}",
                    service.name, foreign.name
                );
                self.refuse_with("plan.port-taken", field, title, &["publish another port, or stop that container"]);
                continue;
            }
            let held = |c: &&Container| super::is_alive(c) && c.ports.iter().any(|p| clash(port, p));
            if own.iter().any(held) {
                continue;
            }
            let other = self.all.iter().copied().find(held);
            if other.is_some_and(|c| self.goes(c)) {
                continue;
            }
            if let Some(other) = other.map(|c| c.name.clone()) {
                let title =
                    format!("the host port {said} that `{}` publishes is held by the container {other}", service.name);
                self.refuse_with(
                    "plan.port-taken",
                    field,
                    title,
                    &["`hearth down` that service, or `hearth up --remove-orphans`"],
                );
            } else if self.observed.host.taken_ports.iter().any(|p| clash(port, p)) {
                let title = format!(
                    "the host port {said} that `{}` publishes is held by a program on this machine",
                    service.name
                );
                let hint = format!("find it with `ss -ltnp 'sport = :{}'`, or publish another port", port.1);
                self.refuse_with("plan.port-taken", field, title, &[&hint]);
            }
        }
    }

    /// A container of this project that this plan ends or makes anew.
    fn goes(&self, container: &Container) -> bool {
        let service = super::label(container, crate::plan::request::SERVICE);
        let orphan = !self.wanted.services.contains_key(service) && !self.wanted.others.contains(service);
        orphan && self.is_ended(container) || self.wanted.services.contains_key(service)
    }

    /// Two containers of this plan on one host port.
    fn ports_once(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        held: &mut BTreeMap<(u16, String), Vec<(String, String)>>,
    ) {
        for (i, (address, port, protocol)) in wanted_ports(service) {
            let list = held.entry((port, protocol.to_string())).or_default();
            let mine = (address.to_string(), port, protocol.to_string());
            let other = list.iter().find(|(a, _)| clash((a, port, protocol), &mine)).map(|(_, name)| name.clone());
            list.push((address.to_string(), slot.name.clone()));
            if let Some(other) = other {
                let title =
                    format!("{other} and {} both publish the host port {}", slot.name, said((address, port, protocol)));
                let field = Some(format!("services.{}.ports[{i}]", service.name));
                self.refuse_with(
                    "plan.port-twice",
                    field,
                    title,
                    &["publish one of them on another port, or leave the host port to the Engine"],
                );
            }
        }
    }

    /// `service_healthy` on a service that nobody ever asks for its health.
    fn conditions(&mut self, service: &WantedService) {
        for (on, dependency) in service.service.depends_on.iter().filter(|(_, d)| d.condition == HEALTHY) {
            let Some(other) = self.wanted.services.get(on).filter(|s| s.service.replicas() > 0) else { continue };
            if self.health(other) != Some(false) || !self.is_in_scope(on) {
                continue;
            }
            let field = format!("services.{}.depends_on.{on}", service.name);
            if dependency.required {
                let title = format!("`{}` waits until `{on}` is healthy, and `{on}` has no health check", service.name);
                self.refuse_with(
                    "plan.no-health-check",
                    Some(field),
                    title,
                    &["give it a `healthcheck`, or use `condition: service_started`"],
                );
            } else {
                let text = format!("`{}` would wait until it is healthy, and it has no health check", service.name);
                self.note("no-health-check", on, text);
            }
        }
    }
}

fn makes(slot: &Slot) -> bool {
    match &slot.fate {
        Fate::Create { .. } => true,
        Fate::Replace(r) => r.fresh.is_none(),
        _ => false,
    }
}

fn starts(slot: &Slot) -> bool {
    match &slot.fate {
        Fate::Keep(keep) => matches!(keep.run, Run::Start(_)),
        Fate::Replace(_) => true,
        _ => false,
    }
}

/// Fixed host ports with their place in `ports`; a range or an empty one is the Engine's choice.
pub(super) fn wanted_ports(service: &WantedService) -> Vec<(usize, HostPort<'_>)> {
    let ports = service.service.ports.iter().enumerate();
    ports
        .filter_map(|(i, p)| {
            Some((i, (p.host_ip.as_str(), p.published.parse().ok().filter(|n| *n > 0)?, p.protocol.as_str())))
        })
        .collect()
}

pub(super) fn clash(a: HostPort<'_>, b: &(String, u16, String)) -> bool {
    let every = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
    // `0.0.0.0` and `::` are two families; an empty address is both.
    let families = |a: &str, b: &str| a.is_empty() || b.is_empty() || a.contains(':') == b.contains(':');
    let (ip, port, protocol) = b;
    let (protocol, other) =
        (if protocol.is_empty() { "tcp" } else { protocol }, if a.2.is_empty() { "tcp" } else { a.2 });
    a.1 == *port && protocol == other && (a.0 == ip || (every(a.0) || every(ip)) && families(a.0, ip))
}

pub(super) fn said((address, port, protocol): HostPort<'_>) -> String {
    let address = match address {
        "" => String::new(),
        v6 if v6.contains(':') => format!("[{v6}]:"),
        v4 => format!("{v4}:"),
    };
    let protocol = if matches!(protocol, "" | "tcp") { String::new() } else { format!("/{protocol}") };
    format!("{address}{port}{protocol}")
}
