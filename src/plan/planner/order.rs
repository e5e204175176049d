//! What waits for what: the order of services, and the gate before a container's start.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde_json::Value;

use super::steps::At;
use super::{Planner, is_alive};
use crate::compose::model::Dependency;
use crate::plan::observed::{Container, Health};
use crate::plan::wanted::WantedService;
use crate::plan::{Action, Cause, Target, Until};

/// A container that dependents wait for.
pub(super) struct Ready<'a> {
    pub target: Target,
    /// The container as it was seen, where it stays.
    pub seen: Option<&'a Container>,
    /// It was created by this step.
    pub created: Option<At>,
    /// The steps after which it has started; empty where it runs already.
    pub started: Vec<At>,
    /// Its proof, where it replaced another.
    pub proven: Option<At>,
    /// A job that ended well before.
    pub finished: bool,
}

pub(super) const HEALTHY: &str = "service_healthy";
pub(super) const COMPLETED: &str = "service_completed_successfully";

impl<'a> Planner<'a> {
    /// Dependencies first; by name where nothing else decides. A circle is refused and its services are taken by name.
    pub(super) fn sort_services(&mut self) {
        let services = &self.wanted.services;
        let mut needs: BTreeMap<&str, usize> = BTreeMap::new();
        let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, service) in services {
            let on: Vec<&str> = dependencies(service).filter(|on| services.contains_key(*on)).collect();
            needs.insert(name, on.len());
            on.into_iter().for_each(|on| followers.entry(on).or_default().push(name));
        }
        let mut ready: BinaryHeap<Reverse<&str>> =
            needs.iter().filter(|(_, n)| **n == 0).map(|(name, _)| Reverse(*name)).collect();
        while let Some(Reverse(name)) = ready.pop() {
            self.order.push(&services[name]);
            for follower in followers.get(name).into_iter().flatten() {
                if let Some(n) = needs.get_mut(follower) {
                    *n -= 1;
                    if *n == 0 {
                        ready.push(Reverse(follower));
                    }
                }
            }
        }
        if self.order.len() < services.len() {
            let stuck: Vec<&str> = needs.iter().filter(|(_, n)| **n > 0).map(|(name, _)| *name).collect();
            self.refuse_with(
                "plan.cycle",
                None,
                format!("{} wait for each other in a circle", crate::base::wording::list(&stuck)),
                &["remove one of their `depends_on`"],
            );
        }
        for service in services.values() {
            for (on, dependency) in &service.service.depends_on {
                match dependency.condition.as_str() {
                    COMPLETED => self.jobs.insert(on),
                    _ => self.needed.insert(on),
                };
            }
        }
    }

    /// The steps that must be done before a container of this service starts, waits included. Makes the waits.
    pub fn gate(&mut self, service: &'a WantedService) -> Vec<At> {
        let mut gate = Vec::new();
        for (on, dependency) in &service.service.depends_on {
            gate.extend(self.gate_on(service, on, dependency));
        }
        gate.sort();
        gate.dedup();
        gate
    }

    /// What of the gate one dependency is.
    pub fn gate_on(&mut self, service: &'a WantedService, on: &str, dependency: &Dependency) -> Vec<At> {
        let count = self.ready.get(on).map_or(0, Vec::len);
        (0..count).flat_map(|i| self.gate_of(service, on, i, dependency)).collect()
    }

    fn gate_of(&mut self, service: &'a WantedService, on: &str, i: usize, dependency: &Dependency) -> Vec<At> {
        let Some(ready) = self.ready.get(on).and_then(|r| r.get(i)) else { return Vec::new() };
        let optional = !dependency.required;
        match dependency.condition.as_str() {
            HEALTHY => {
                let healthy_now = ready.started.is_empty()
                    && ready.seen.is_some_and(|c| is_alive(c) && c.health == Some(Health::Healthy));
                if healthy_now {
                    return Vec::new();
                }
                let on = &self.wanted.services[on];
                if let (Some(proven), Some(true)) = (ready.proven, self.health(on)) {
                    return vec![proven];
                }
                vec![self.wait(&service.name, on, i, Until::Healthy { seconds: None }, optional)]
            }
            COMPLETED if ready.finished => Vec::new(),
            COMPLETED => {
                let on = &self.wanted.services[on];
                vec![self.wait(&service.name, on, i, Until::Completed, optional)]
            }
            // A job that ended, or a container that runs: it has started.
            _ => ready.started.clone(),
        }
    }

    /// One wait per container and condition, however many wait for it.
    fn wait(&mut self, by: &str, on: &'a WantedService, i: usize, until: Until, optional: bool) -> At {
        let ready = &self.ready[on.name.as_str()][i];
        let target = ready.target.clone();
        let key = (target.name().to_string(), matches!(until, Until::Completed), optional);
        if let Some(at) = self.waits.get(&key) {
            return *at;
        }
        let started = ready.started.clone();
        let action = Action::Wait { container: target, until, optional };
        let at = self.steps.add(&on.name, action, Cause::Needed { by: by.into() });
        self.steps.tie_all(at, &started);
        self.waits.insert(key, at);
        at
    }

    /// `--wait`: every service runs or is healthy; what others wait to end has ended.
    pub fn wait_for_all(&mut self) {
        let limit = self.options.wait_timeout;
        for service in self.order.clone() {
            let count = self.ready.get(service.name.as_str()).map_or(0, Vec::len);
            for i in 0..count {
                let ready = &self.ready[service.name.as_str()][i];
                if ready.finished || ready.proven.is_some() {
                    continue;
                }
                let job = self.jobs.contains(service.name.as_str());
                let health = self.health(service) == Some(true);
                let until = match (job, health) {
                    (true, _) => Until::Completed,
                    (false, true) => Until::Healthy { seconds: limit },
                    (false, false) => {
                        Until::Proven { seconds: limit.unwrap_or(60), stay: 0, health: false, may_exit: false }
                    }
                };
                let (target, started) = (ready.target.clone(), ready.started.clone());
                let waited = (target.name().to_string(), job, false);
                let well = started.is_empty() && ready.seen.is_some_and(|c| is_well(c, health));
                if well || limit.is_none() && self.waits.contains_key(&waited) {
                    continue;
                }
                let action = Action::Wait { container: target, until, optional: false };
                let at = self.steps.add(&service.name, action, Cause::Requested { what: "--wait".into() });
                self.steps.tie_all(at, &started);
            }
        }
    }

    /// Whether containers of this service have a health check, from the file or the image; `None`: the image is not here yet.
    pub fn health(&self, service: &WantedService) -> Option<bool> {
        let own = service.service.healthcheck.as_ref();
        if own.is_some_and(|h| h.disable || h.test.first().is_some_and(|t| t == "NONE")) {
            return Some(false);
        }
        if own.is_some_and(|h| !h.test.is_empty()) {
            return Some(true);
        }
        let test = self.image_of(service)?.config["Healthcheck"]["Test"].as_array().cloned().unwrap_or_default();
        Some(test.first().and_then(Value::as_str).is_some_and(|t| t != "NONE"))
    }

    /// What proves a container that replaces another.
    pub fn proof(&self, service: &WantedService, may_exit: bool) -> Until {
        let health = self.health(service) == Some(true);
        let own = service.window;
        let seconds = match (own, health) {
            (0, true) => self.image_of(service).map_or(120, |image| image_window(&image.config["Healthcheck"])),
            (0, false) => 3,
            _ => own,
        };
        let stay = if health { 0 } else { seconds * 1000 };
        Until::Proven { seconds, stay, health, may_exit }
    }
}

/// Services that one names in any way: `depends_on` (implicit ones are in it) and references.
fn dependencies(service: &WantedService) -> impl Iterator<Item = &str> {
    let refs = service.request.refs.iter().map(|r| r.service.as_str());
    let extra = refs.filter(|on| !service.service.depends_on.contains_key(*on));
    let mut extra: Vec<&str> = extra.collect();
    extra.sort();
    extra.dedup();
    service.service.depends_on.keys().map(String::as_str).chain(extra)
}

fn is_well(container: &Container, health: bool) -> bool {
    is_alive(container) && (!health || container.health == Some(Health::Healthy))
}

/// Start period and all retries of an image's own health check, in seconds (Engine defaults where it says nothing).
fn image_window(check: &Value) -> u64 {
    let seconds = |key: &str, otherwise: f64| match check[key].as_f64() {
        Some(ns) if ns > 0.0 => ns / 1e9,
        _ => otherwise,
    };
    let retries = check["Retries"].as_f64().filter(|n| *n > 0.0).unwrap_or(3.0);
    let all = seconds("StartPeriod", 0.0) + retries * (seconds("Interval", 30.0) + seconds("Timeout", 30.0));
    (all.ceil() as u64).clamp(3, 3600)
}
