//! `down` and `stop`: dependents before what they depend on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::steps::At;
use super::{Planner, is_alive, label};
use crate::plan::observed::Container;
use crate::plan::request::{DEPENDS_ON, SERVICE};
use crate::plan::wanted::WantedService;
use crate::plan::{Action, Cause, Risk};

impl<'a> Planner<'a> {
    pub fn down(&mut self) {
        let containers = self.containers_to_end();
        let cause = Cause::Requested { what: "down".into() };
        let mut removals: HashMap<&str, At> = HashMap::new();
        let mut ends: BTreeMap<&str, Vec<(At, At)>> = BTreeMap::new();
        for container in containers {
            let name = label(container, SERVICE);
            let service: Option<&WantedService> = self.wanted.services.get(name);
            let (first, removal) = self.remove_of(service, container, cause.clone(), Risk::Stop);
            removals.insert(&container.id, removal);
            ends.entry(name).or_default().push((first, self.steps.stop_before(removal)));
        }
        self.order_ends(&ends);
        self.remove_networks(&removals, &|_| true, &Cause::Requested { what: "down".into() });
        self.remove_volumes(&removals);
    }

    pub fn stop(&mut self) {
        let cause = Cause::Requested { what: "stop".into() };
        let mut ends: BTreeMap<&str, Vec<(At, At)>> = BTreeMap::new();
        for (name, service) in &self.wanted.services {
            if !self.is_named(name) {
                continue;
            }
            for container in self.containers.get(name.as_str()).cloned().unwrap_or_default() {
                if is_alive(container) {
                    let (first, stop) = self.stop_steps(Some(service), container, cause.clone());
                    self.steps.risk(stop, Risk::Stop);
                    ends.entry(name).or_default().push((first, stop));
                } else {
                    *self.plan.unchanged.entry(name.clone()).or_default() += 1;
                }
            }
        }
        self.order_ends(&ends);
    }

    /// All of the project's, services that are off included; orphans only where asked for.
    fn containers_to_end(&mut self) -> Vec<&'a Container> {
        let mut list: Vec<&Container> = Vec::new();
        for (service, containers) in self.containers.clone() {
            let known = self.wanted.services.contains_key(service) || self.wanted.others.contains(service);
            if !self.is_named(service) {
                continue;
            }
            for container in containers {
                if known || self.is_ended(container) {
                    list.push(container);
                } else {
                    self.note_orphan(container);
                }
            }
        }
        for one_off in self.one_offs.clone() {
            if self.options.remove_orphans && !is_alive(one_off) && self.options.only.is_empty() {
                list.push(one_off);
            } else if self.options.only.is_empty() {
                self.note_one_off(one_off);
            }
        }
        list
    }

    /// What depends on a service ends before it. Services that are not loaded tell their dependencies by label.
    fn order_ends(&mut self, ends: &BTreeMap<&str, Vec<(At, At)>>) {
        for dependent in ends.keys() {
            let mut on: BTreeSet<String> = BTreeSet::new();
            match self.wanted.services.get(*dependent) {
                Some(service) => on.extend(service.service.depends_on.keys().cloned()),
                None => {
                    for container in self.containers.get(dependent).into_iter().flatten() {
                        on.extend(
                            label(container, DEPENDS_ON)
                                .split(',')
                                .filter_map(|d| Some(d.split(':').next()?.to_string())),
                        );
                    }
                }
            }
            for on in on.iter().filter(|on| on.as_str() != *dependent) {
                for (first, _) in ends.get(on.as_str()).into_iter().flatten() {
                    for (_, stopped) in &ends[dependent] {
                        // Labels may name a circle: the later name gives way.
                        if self.wanted.services.contains_key(*dependent) || on.as_str() > *dependent {
                            self.steps.tie(*first, *stopped);
                        }
                    }
                }
            }
        }
    }

    /// Volumes without a name (64 hex digits) of the containers that go, where nobody else uses them.
    fn anonymous_volumes(&self, removals: &HashMap<&str, At>) -> BTreeSet<&'a str> {
        let goes = |c: &Container| removals.contains_key(c.id.as_str());
        let (going, staying): (Vec<&Container>, Vec<&Container>) = self.all.iter().copied().partition(|c| goes(c));
        let named: BTreeSet<&str> = self.wanted.volumes.values().map(|v| v.name.as_str()).collect();
        let is_anonymous = |name: &str| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let mounts = going.into_iter().flat_map(|c| &c.mounts).filter(|m| m.kind == "volume");
        let mut used: BTreeSet<&str> = staying.into_iter().flat_map(|c| &c.mounts).map(|m| m.name.as_str()).collect();
        used.extend(self.observed.foreign.iter().flat_map(|f| &f.volumes).map(String::as_str));
        let free = |name: &&str| is_anonymous(name) && !named.contains(name) && !used.contains(name);
        mounts.map(|m| m.name.as_str()).filter(free).collect()
    }

    /// Volumes that the caller named, by key or by name; never an external one.
    fn remove_volumes(&mut self, removals: &HashMap<&str, At>) {
        let mut asked: BTreeSet<&str> = BTreeSet::new();
        for name in &self.options.volumes {
            let by_key = self.wanted.volumes.get(name).filter(|_| !self.observed.volumes.contains_key(name));
            asked.insert(by_key.map_or(name.as_str(), |v| v.name.as_str()));
        }
        if self.options.anonymous_volumes {
            asked.extend(self.anonymous_volumes(removals));
        }
        for name in asked {
            if self.wanted.volumes.values().any(|v| v.external && v.name == *name) {
                self.note("external-volume", name, "it is external: it stays".into());
                continue;
            }
            let uses = |c: &Container| c.mounts.iter().any(|m| m.kind == "volume" && m.name == name);
            let used_by: Vec<&Container> = self.all.iter().copied().filter(|c| uses(c)).collect();
            if !self.observed.volumes.contains_key(name) && used_by.is_empty() {
                self.note("no-volume", name, "there is no such volume: nothing to remove".into());
                continue;
            }
            let stays = used_by.iter().find(|c| !removals.contains_key(c.id.as_str())).map(|c| c.name.clone());
            let foreign =
                self.observed.foreign.iter().find(|f| f.volumes.iter().any(|v| v == name)).map(|f| f.name.clone());
            if let Some(who) = stays.or(foreign) {
                let title = format!("the volume `{name}` cannot be removed: {who} uses it");
                self.refuse_with(
                    "plan.volume-in-use",
                    None,
                    title,
                    &["remove that container first, or leave the volume out"],
                );
                continue;
            }
            let after: Vec<At> = used_by.iter().filter_map(|c| removals.get(c.id.as_str()).copied()).collect();
            let at = self.steps.add(
                "",
                Action::RemoveVolume { name: name.into() },
                Cause::Requested { what: "--volumes".into() },
            );
            self.steps.risk(at, Risk::Data);
            self.steps.tie_all(at, &after);
        }
    }
}
