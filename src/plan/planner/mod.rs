//! The planner: one file per noun.
//!
//! First every service is decided ([`slots`], with [`verdict`]), dependencies before those that need them; then the steps
//! are drafted ([`services`], [`replace`], [`order`] for what waits for what) and numbered ([`steps`]). Refusals
//! ([`refuse`]) and what is left alone ([`leave`]) are found over the same decisions.

mod down;
mod handover;
mod images;
mod leave;
mod networks;
mod order;
mod refuse;
mod replace;
mod run;
mod services;
mod slots;
pub(crate) mod steps;
mod together;
mod verdict;
mod volumes;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::observed::{Container, ContainerId, Image, Observed, State};
use super::request::{NUMBER, ONEOFF, SERVICE};
use super::wanted::{Wanted, WantedService};
use super::{Options, Plan, Refusal, ServiceName, Verb};
use order::Ready;
use slots::Slot;
use steps::{At, Steps};

/// What leads from `observed` to `wanted`. Total: what cannot be done becomes a refusal in the plan.
///
/// A container whose labels say that it differs is judged by its [`super::observed::Detail`]: without one the plan can only say that
/// its definition changed. So look again with `inspect` where a plan without details is not empty.
pub fn plan(wanted: &Wanted, observed: &Observed, options: &Options) -> Plan {
    let mut planner = Planner::new(wanted, observed, options);
    match options.verb {
        Verb::Up => planner.up(),
        Verb::Down => planner.down(),
        Verb::Stop => planner.stop(),
        Verb::Start => planner.start(),
        Verb::Restart => planner.restart(),
        Verb::Pull => planner.pull(),
    }
    planner.finish()
}

/// Everything one planning needs; the lifetime is that of its three inputs.
struct Planner<'a> {
    pub wanted: &'a Wanted,
    pub observed: &'a Observed,
    pub options: &'a Options,
    pub steps: Steps,
    pub plan: Plan,
    /// Services, dependencies before those that need them; by name where nothing else decides.
    pub order: Vec<&'a WantedService>,
    /// All containers of the project, by name.
    pub all: Vec<&'a Container>,
    /// Containers of each service (one-offs left out), by name.
    pub containers: BTreeMap<&'a str, Vec<&'a Container>>,
    pub one_offs: Vec<&'a Container>,
    /// Who holds which name on this engine: name to container id.
    pub names: HashMap<&'a str, &'a str>,
    /// Services that others wait for to end well.
    pub jobs: BTreeSet<&'a str>,
    /// Services that others need in another way.
    pub needed: BTreeSet<&'a str>,
    pub decided: BTreeMap<&'a str, Vec<Slot<'a>>>,
    /// Per decided service the container that others mean, where it is there already.
    pub known: BTreeMap<ServiceName, String>,
    pub ready: HashMap<&'a str, Vec<Ready<'a>>>,
    pub waits: HashMap<(String, bool, bool), At>,
    /// The step that stops a container, by its id.
    pub stops: HashMap<&'a str, At>,
    /// What makes a network, volume or image usable, by name.
    pub networks_made: HashMap<&'a str, At>,
    pub volumes_made: HashMap<&'a str, At>,
    pub images_made: HashMap<&'a str, At>,
    /// Networks that are made anew although they are there, each with its group.
    pub networks_remade: HashMap<&'a str, u32>,
    /// The step that gives a network made anew back to a container that is to be replaced, by the container's id.
    pub given_back: HashMap<&'a str, Vec<At>>,
    pub groups: together::Groups,
}

impl<'a> Planner<'a> {
    fn new(wanted: &'a Wanted, observed: &'a Observed, options: &'a Options) -> Planner<'a> {
        let mut containers: BTreeMap<&str, Vec<&Container>> = BTreeMap::new();
        let mut one_offs = Vec::new();
        let mut all: Vec<&Container> = observed.containers.iter().collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        for container in all.iter().copied() {
            match container.labels.get(ONEOFF).is_some_and(|v| v == "True") {
                true => one_offs.push(container),
                false => containers.entry(label(container, SERVICE)).or_default().push(container),
            }
        }
        let foreign = observed.foreign.iter().map(|f| (f.name.as_str(), f.id.as_str()));
        let plan = Plan {
            project: wanted.project.clone(),
            working_dir: wanted.working_dir.clone(),
            // What cannot be made can be stopped and removed all the same.
            refusals: if options.verb == Verb::Up { wanted.refusals.clone() } else { Vec::new() },
            ..Plan::default()
        };
        let mut planner = Planner {
            wanted,
            observed,
            options,
            steps: Steps::default(),
            plan,
            order: Vec::new(),
            names: (foreign.chain(all.iter().map(|c| (c.name.as_str(), c.id.as_str())))).collect(),
            all,
            containers,
            one_offs,
            jobs: BTreeSet::new(),
            needed: BTreeSet::new(),
            decided: BTreeMap::new(),
            known: BTreeMap::new(),
            ready: HashMap::new(),
            waits: HashMap::new(),
            stops: HashMap::new(),
            networks_made: HashMap::new(),
            volumes_made: HashMap::new(),
            images_made: HashMap::new(),
            networks_remade: HashMap::new(),
            given_back: HashMap::new(),
            groups: together::Groups::default(),
        };
        planner.sort_services();
        planner
    }

    fn up(&mut self) {
        self.decide();
        self.images();
        self.networks();
        self.volumes();
        self.services();
        self.orphans();
        self.hand_over_ports();
        self.keep_shared_until_left();
        self.refuse();
        self.leave();
        if self.options.wait && !self.options.no_start {
            self.wait_for_all();
        }
    }

    /// Whether the caller's names take this service in.
    pub fn is_named(&self, service: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|name| name == service)
    }

    /// `--no-deps`: what was not named is neither decided nor waited for.
    pub fn is_in_scope(&self, service: &str) -> bool {
        !self.options.no_deps || self.is_named(service)
    }

    /// The local image that a service's containers come from.
    pub fn image_of(&self, service: &WantedService) -> Option<&'a Image> {
        self.observed.images.get(service.request.config["Image"].as_str().unwrap_or_default())
    }

    pub fn refuse_with(&mut self, code: &str, field: Option<String>, title: String, hints: &[&str]) {
        self.plan.refusals.push(Refusal {
            code: code.into(),
            field,
            title,
            hints: hints.iter().map(|h| h.to_string()).collect(),
        });
    }

    /// Of a decided service the container that stays, never a leftover; of another one (off, not in scope) its first.
    fn known_containers(&self) -> BTreeMap<ServiceName, ContainerId> {
        let mut known = self.known.clone();
        for (service, containers) in &self.containers {
            if !self.decided.contains_key(service) {
                let number = |c: &&&Container| label(c, NUMBER).parse().unwrap_or(u32::MAX);
                let first = containers.iter().min_by_key(number);
                known.extend(first.map(|c| (service.to_string(), c.id.clone())));
            }
        }
        known
    }

    fn finish(mut self) -> Plan {
        self.premises();
        self.plan.known = self.known_containers();
        match std::mem::take(&mut self.steps).finish() {
            Ok(steps) => self.plan.steps = steps,
            Err(()) => self.refuse_with(
                "plan.cycle",
                None,
                "the services wait for each other in a circle".into(),
                &["remove one of their `depends_on`, `links`, `network_mode: service:...` or `volumes_from`"],
            ),
        }
        let plan = &mut self.plan;
        plan.notes.sort();
        plan.notes.dedup();
        plan.refusals.sort_by(|a, b| (&a.code, &a.field, &a.title).cmp(&(&b.code, &b.field, &b.title)));
        plan.refusals.dedup();
        self.plan
    }
}

pub(super) fn label<'c>(container: &'c Container, key: &str) -> &'c str {
    container.labels.get(key).map_or("", String::as_str)
}

/// It holds its ports, names and volumes: running, paused or about to run again.
pub(super) fn is_alive(container: &Container) -> bool {
    matches!(container.state, State::Running | State::Paused | State::Restarting)
}
