//! `start` and `restart`: containers as they are, no change of definition.

use super::networks::existing;
use super::order::Ready;
use super::slots::Fate;
use super::steps::At;
use super::{Planner, is_alive};
use crate::plan::observed::{Container, State};
use crate::plan::wanted::WantedService;
use crate::plan::{Action, Cause, Risk};

impl<'a> Planner<'a> {
    pub fn start(&mut self) {
        let cause = Cause::Requested { what: "start".into() };
        for service in self.order.clone() {
            let name = service.name.as_str();
            let containers = self.mains(service);
            let named = self.is_named(name);
            if containers.is_empty() && named && service.service.replicas() > 0 {
                let title = format!("the service `{name}` has no container to start");
                self.refuse_with(
                    "plan.no-container",
                    Some(format!("services.{name}")),
                    title,
                    &["`hearth up` creates it"],
                );
            }
            let gate = if named { self.gate(service) } else { Vec::new() };
            let mut ready = Vec::new();
            for container in containers {
                let started = match container.state {
                    State::Running | State::Restarting | State::Removing => None,
                    _ if !named => None,
                    State::Paused => {
                        let action = Action::UnpauseContainer { container: existing(container) };
                        Some(vec![self.steps.add(name, action, Cause::Paused)])
                    }
                    _ => Some(self.start_steps(service, &existing(container), cause.clone(), &[], &gate)),
                };
                if started.is_none() && named {
                    *self.plan.unchanged.entry(name.into()).or_default() += 1;
                }
                ready.push(ready_of(container, started.unwrap_or_default()));
            }
            self.ready.insert(name, ready);
        }
    }

    /// Dependencies first. Who depends on a restarted service with `restart: true` is restarted after it (unless
    /// `--no-deps`), also where it was not named.
    pub fn restart(&mut self) {
        let mut restarted: std::collections::BTreeMap<&str, Vec<At>> = Default::default();
        for service in self.order.clone() {
            let name = service.name.as_str();
            let dependencies = &service.service.depends_on;
            let on = dependencies
                .iter()
                .filter(|(on, d)| d.restart && restarted.contains_key(on.as_str()))
                .map(|(on, _)| on);
            let mut on: Vec<&String> = on.collect();
            if self.options.no_deps {
                on.clear();
            }
            if !self.is_named(name) && on.is_empty() {
                continue;
            }
            let cause = match (self.is_named(name), on.first()) {
                (false, Some(on)) => Cause::DependencyReplaced { service: on.to_string() },
                _ => Cause::Requested { what: "restart".into() },
            };
            let gate: Vec<At> =
                dependencies.keys().filter_map(|on| restarted.get(on.as_str())).flatten().copied().collect();
            let containers = self.mains(service);
            let ends: Vec<At> = containers.iter().map(|c| self.restart_one(service, c, cause.clone(), &gate)).collect();
            if ends.is_empty() {
                let title = format!("the service `{name}` has no container to restart");
                self.refuse_with(
                    "plan.no-container",
                    Some(format!("services.{name}")),
                    title,
                    &["`hearth up` creates it"],
                );
            }
            restarted.insert(name, ends);
        }
    }

    fn restart_one(&mut self, service: &'a WantedService, container: &'a Container, cause: Cause, gate: &[At]) -> At {
        let target = existing(container);
        let mut before = gate.to_vec();
        if let (true, Some((first, rest))) = (is_alive(container), service.service.pre_stop.split_first()) {
            let mut last = self.hook(service, &target, first, "pre_stop");
            self.steps.tie_all(last, gate);
            for hook in rest {
                let at = self.hook(service, &target, hook, "pre_stop");
                self.steps.tie(at, last);
                last = at;
            }
            before = vec![last];
        }
        before.extend(self.upload(service, &target, &before));
        let action = Action::RestartContainer { container: target.clone(), timeout: self.options.timeout };
        let at = self.steps.add(&service.name, action, cause);
        self.steps.risk(at, Risk::ShortStop);
        self.steps.tie_all(at, &before);
        self.hooks(service, &target, "post_start", at)
    }

    /// The container of each number; what an interrupted replacement left beside it stays as it is.
    fn mains(&mut self, service: &'a WantedService) -> Vec<&'a Container> {
        let mut list = Vec::new();
        for (number, containers) in self.numbered(service) {
            if let [one] = containers[..] {
                list.push(one);
                continue;
            }
            match self.decide_slot(service, number, containers).fate {
                Fate::Keep(keep) => list.push(keep.container),
                Fate::Replace(r) => list.push(r.fresh.filter(|c| is_alive(c) || !is_alive(r.old)).unwrap_or(r.old)),
                Fate::Create { .. } | Fate::Remove { .. } => {}
            }
        }
        list
    }
}

fn ready_of(container: &Container, started: Vec<At>) -> Ready<'_> {
    Ready { target: existing(container), seen: Some(container), created: None, started, proven: None, finished: false }
}
