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
                self.refuse_no_container(name, "start");
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
    /// `--no-deps`), also where it was not named, and waits for it as its condition says.
    pub fn restart(&mut self) {
        for service in self.order.clone() {
            let name = service.name.as_str();
            let named = self.is_named(name);
            let follows = |on: &&String| self.ready.contains_key(on.as_str());
            let dependencies = service.service.depends_on.iter();
            let leader =
                dependencies.filter(|(_, d)| d.restart && !self.options.no_deps).map(|(on, _)| on).find(follows);
            let cause = match (named, leader) {
                (true, _) => Cause::Requested { what: "restart".into() },
                (false, Some(on)) => Cause::DependencyReplaced { service: on.clone() },
                (false, None) => continue,
            };
            let containers = self.mains(service);
            if containers.is_empty() {
                // Who only follows has nothing to follow with.
                if named && service.service.replicas() > 0 {
                    self.refuse_no_container(name, "restart");
                }
                continue;
            }
            let mut gate: Vec<At> = Vec::new();
            for (on, dependency) in &service.service.depends_on {
                match dependency.restart {
                    true => gate.extend(self.gate_on(service, on, dependency)),
                    false => gate.extend(self.ready.get(on.as_str()).into_iter().flatten().flat_map(|r| &r.started)),
                }
            }
            let mut ready = Vec::new();
            for container in containers {
                let end = self.restart_one(service, container, cause.clone(), &gate);
                ready.push(ready_of(container, vec![end]));
            }
            self.ready.insert(name, ready);
        }
    }

    fn refuse_no_container(&mut self, name: &str, verb: &str) {
        let title = format!("the service `{name}` has no container to {verb}");
        let field = Some(format!("services.{name}"));
        self.refuse_with("plan.no-container", field, title, &["`hearth up` creates it"]);
    }

    fn restart_one(&mut self, service: &'a WantedService, container: &'a Container, cause: Cause, gate: &[At]) -> At {
        let target = existing(container);
        let mut before = gate.to_vec();
        let runs = container.state == State::Running;
        if let (true, Some((first, rest))) = (runs, service.service.pre_stop.split_first()) {
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
