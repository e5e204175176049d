//! What is left alone, said out loud; orphans; and the facts that a plan rests on.

use std::collections::HashMap;

use super::networks::existing;
use super::steps::At;
use super::{Planner, is_alive, label};
use crate::base::wording;
use crate::plan::observed::{Container, Health, State};
use crate::plan::request::{ONEOFF, SERVICE};
use crate::plan::{Action, Cause, Risk, Target};

/// Steps that an orphan may stand in the way of.
#[derive(Default)]
struct Takers<'a> {
    names: HashMap<String, Vec<At>>,
    volumes: HashMap<&'a str, Vec<At>>,
}

impl<'a> Planner<'a> {
    pub fn is_orphan(&self, service: &str) -> bool {
        !self.wanted.services.contains_key(service) && !self.wanted.others.contains(service)
    }

    /// Whether this plan ends what no file names any more.
    pub fn is_ended(&self, orphan: &Container) -> bool {
        self.options.remove_orphans || self.options.outgoing.as_ref().is_some_and(|of| of.is(orphan))
    }

    /// Containers of services that no file names any more, and one-offs that ended.
    pub fn orphans(&mut self) {
        let services: Vec<&Container> = self
            .containers
            .iter()
            .filter(|(service, _)| self.is_orphan(service))
            .flat_map(|(_, containers)| containers.iter().copied())
            .collect();
        let ended = self.one_offs.iter().copied().filter(|c| !is_alive(c) && c.state != State::Created);
        let all: Vec<&Container> = services.into_iter().chain(ended).collect();
        let takers = if all.iter().any(|orphan| self.is_ended(orphan)) { self.takers() } else { Takers::default() };
        for container in all {
            if self.is_ended(container) {
                let cause = match label(container, ONEOFF) {
                    "True" => Cause::LeftBehind { what: "a one-off command that ended".into() },
                    _ => Cause::Orphan,
                };
                let (_, removal) = self.remove_of(None, container, cause, Risk::Stop);
                self.make_way(container, removal, &takers);
            } else if label(container, ONEOFF) == "True" {
                self.note_one_off(container);
            } else {
                self.note_orphan(container);
            }
        }
        if self.options.remove_orphans {
            self.orphaned_networks();
        }
    }

    /// Networks that the home does not have any more. Compose leaves them where they are.
    fn orphaned_networks(&mut self) {
        let Some(declared) = &self.options.networks else { return };
        let removal = |(at, draft): (At, &'_ super::steps::Draft)| match &draft.action {
            Action::RemoveContainer { container: Target::Existing { id, .. }, .. } => Some((id.clone(), at)),
            _ => None,
        };
        let removals: Vec<(String, At)> = self.steps.drafts.iter().enumerate().filter_map(removal).collect();
        let removals = removals.iter().map(|(id, at)| (id.as_str(), *at)).collect();
        self.remove_networks(&removals, &|key| !declared.contains(key), &Cause::Orphan);
    }

    /// Whoever takes an orphan's name is created after it; whoever mounts its volumes starts after it.
    fn make_way(&mut self, orphan: &Container, removal: At, takers: &Takers<'a>) {
        for created in takers.names.get(orphan.name.as_str()).into_iter().flatten() {
            self.steps.tie(*created, removal);
        }
        if !is_alive(orphan) {
            return;
        }
        let stop = self.steps.stop_before(removal);
        for mount in orphan.mounts.iter().filter(|m| !m.name.is_empty()) {
            for start in takers.volumes.get(mount.name.as_str()).into_iter().flatten() {
                self.steps.tie(*start, stop);
            }
        }
    }

    /// What this plan creates, by name, and starts, by the volumes that it mounts.
    fn takers(&self) -> Takers<'a> {
        let mut takers = Takers::default();
        for service in &self.order {
            let volumes = super::verdict::named_volumes(service, self);
            for one in self.ready.get(service.name.as_str()).into_iter().flatten() {
                if let Some(created) = one.created {
                    takers.names.entry(one.target.name().to_string()).or_default().push(created);
                }
                if let Some(started) = one.started.first() {
                    let start = self.first_start(*started);
                    volumes.iter().for_each(|v| takers.volumes.entry(*v).or_default().push(start));
                }
            }
        }
        takers
    }

    /// The start step behind the hooks that follow it.
    pub fn first_start(&self, started: At) -> At {
        let mut at = started;
        while let crate::plan::Action::Exec { .. } = self.steps.drafts[at].action {
            match self.steps.drafts[at].after.first() {
                Some(before) => at = *before,
                None => break,
            }
        }
        at
    }

    pub fn note_orphan(&mut self, container: &Container) {
        let service = label(container, SERVICE);
        let text = match service {
            "" => "it carries the project's label but no service's".to_string(),
            service => format!("no file names its service `{service}` any more: `--remove-orphans` ends it"),
        };
        self.note("orphan", &container.name, text);
    }

    pub fn note_one_off(&mut self, container: &Container) {
        let text = match is_alive(container) {
            true => "a one-off command (`run`) that still runs",
            false => "a one-off command (`run`) that ended: `up --remove-orphans` removes it",
        };
        self.note("orphan", &container.name, text.into());
    }

    /// Services that are off and still have containers.
    pub fn leave(&mut self) {
        for (service, profiles) in &self.wanted.off {
            for container in self.containers.get(service.as_str()).cloned().unwrap_or_default() {
                let state = match (is_alive(container), profiles.first().filter(|_| self.wanted.by_profile)) {
                    (true, Some(profile)) => format!("it runs on; `hearth down {profile}` ends it"),
                    (true, None) => "it runs on".into(),
                    (false, _) => "it stays stopped".into(),
                };
                let profiles: Vec<String> = profiles.iter().map(|p| format!("`{p}`")).collect();
                let profiles = wording::list(&profiles);
                let text = format!("its service `{service}` is off (profile {profiles}): {state}");
                self.note("profile-off", &container.name, text);
            }
        }
        self.note_ailing();
    }

    /// Containers that restart again and again, or are unhealthy: nothing to do for a plan, much for a person.
    fn note_ailing(&mut self) {
        for service in self.order.clone() {
            for container in self.containers.get(service.name.as_str()).cloned().unwrap_or_default() {
                if container.state == State::Restarting {
                    let text = format!(
                        "it restarts again and again (last exit code {}): see `hearth logs {}`",
                        container.exit_code, service.name
                    );
                    self.note("restarting", &container.name, text);
                } else if container.state == State::Running && container.health == Some(Health::Unhealthy) {
                    let text = format!("it runs, and its health check fails: see `hearth logs {}`", service.name);
                    self.note("unhealthy", &container.name, text);
                }
            }
        }
    }

    /// Everything the plan looked at, in a form that says what moved.
    pub fn premises(&mut self) {
        let premises = &mut self.plan.premises;
        for container in &self.observed.containers {
            let state = match container.state {
                State::Running | State::Restarting => "running",
                State::Paused => "paused",
                State::Created => "created",
                _ => "stopped",
            };
            let id = container.id.get(..12).unwrap_or(&container.id);
            premises.insert(format!("container {}", existing(container).name()), format!("{id} {state}"));
        }
        for (name, network) in &self.observed.networks {
            premises.insert(format!("network {name}"), network.id.get(..12).unwrap_or(&network.id).into());
        }
        for name in self.observed.volumes.keys() {
            premises.insert(format!("volume {name}"), "present".into());
        }
        for (name, image) in &self.observed.images {
            premises.insert(format!("image {name}"), super::verdict::short(&image.id));
        }
        // What is wanted is a premise as well: another definition needs another plan.
        for (name, service) in &self.wanted.services {
            premises.insert(format!("service {name}"), service.fingerprint.get(..12).unwrap_or_default().into());
        }
        let networks = self.wanted.networks.iter().map(|(key, n)| ("network", key, &n.hash));
        let volumes = self.wanted.volumes.iter().map(|(key, v)| ("volume", key, &v.hash));
        for (kind, key, hash) in networks.chain(volumes) {
            premises.insert(format!("the definition of the {kind} {key}"), hash.get(..12).unwrap_or_default().into());
        }
    }
}
