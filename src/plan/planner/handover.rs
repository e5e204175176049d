//! Host ports that go from one container of the project to another within one plan: who takes a port starts after who had
//! it has stopped.

use std::collections::{BTreeSet, HashMap};

use super::refuse::{clash, said, wanted_ports};
use super::steps::At;
use super::{Planner, is_alive, label};
use crate::plan::observed::Container;
use crate::plan::request::SERVICE;
use crate::plan::wanted::WantedService;

impl<'a> Planner<'a> {
    pub fn hand_over_ports(&mut self) {
        let mut holders: HashMap<u16, Vec<&'a Container>> = HashMap::new();
        for container in self.all.iter().copied().filter(|c| is_alive(c)) {
            for (_, port, _) in &container.ports {
                holders.entry(*port).or_default().push(container);
            }
        }
        if holders.is_empty() {
            return;
        }
        for service in self.order.clone() {
            for (i, port) in wanted_ports(service) {
                for holder in holders.get(&port.1).into_iter().flatten() {
                    let other = label(holder, SERVICE) != service.name;
                    if other && holder.ports.iter().any(|p| clash(port, p)) {
                        self.hand_over(service, holder, &format!("ports[{i}]"), &said(port));
                    }
                }
            }
        }
    }

    fn hand_over(&mut self, service: &'a WantedService, holder: &'a Container, field: &str, port: &str) {
        let Some(stop) = self.stops.get(holder.id.as_str()).copied() else { return };
        let started: Vec<At> = self
            .ready
            .get(service.name.as_str())
            .into_iter()
            .flatten()
            .filter_map(|r| r.started.first().copied())
            .collect();
        let from = label(holder, SERVICE);
        if !started.is_empty() && self.needs(from, &service.name) {
            let title = format!(
                "the host port {port} goes from `{from}` to `{}`, and `{from}` cannot stop before that runs",
                service.name
            );
            let hint = format!("end `{from}` first: `hearth down {from}`, then `hearth up`");
            self.refuse_with("plan.port-taken", Some(format!("services.{}.{field}", service.name)), title, &[&hint]);
            return;
        }
        for started in started {
            let start = self.first_start(started);
            self.steps.tie(start, stop);
        }
    }

    /// `service` depends on `on`, directly or by way of others.
    fn needs(&self, service: &str, on: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![service];
        while let Some(name) = open.pop() {
            for next in self.wanted.services.get(name).into_iter().flat_map(|s| s.service.depends_on.keys()) {
                if next == on {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    }
}
