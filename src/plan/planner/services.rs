//! The steps of each service: create, keep and mend, remove.

use super::networks::existing;
use super::order::Ready;
use super::slots::{Fate, Keep, Run, Slot};
use super::steps::At;
use super::volumes::inherit;
use super::{Planner, is_alive};
use crate::compose::model;
use crate::plan::observed::{Container, State};
use crate::plan::request::container::numbered;
use crate::plan::wanted::{ContainerRequest, Hook, WantedService};
use crate::plan::{Action, Cause, Risk, StepId, Target};

impl<'a> Planner<'a> {
    pub fn services(&mut self) {
        for service in self.order.clone() {
            let Some(slots) = self.decided.remove(service.name.as_str()) else { continue };
            let gate = match slots.iter().any(|slot| self.starts(slot)) {
                true => self.gate(service),
                false => Vec::new(),
            };
            let mut ready = Vec::new();
            let mut previous = None;
            for slot in &slots {
                if let Some(one) = self.slot(service, slot, &gate, &mut previous) {
                    ready.push(one);
                }
            }
            self.ready.insert(&service.name, ready);
            self.decided.insert(&service.name, slots);
        }
        self.tie_clusters();
    }

    /// Whether this slot starts something, so that dependencies matter.
    fn starts(&self, slot: &Slot) -> bool {
        !self.options.no_start
            && match &slot.fate {
                Fate::Create { .. } | Fate::Replace(_) => true,
                Fate::Keep(keep) => matches!(keep.run, Run::Start(_)) || keep.restart.is_some(),
                Fate::Remove { .. } => false,
            }
    }

    fn slot(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        gate: &[At],
        previous: &mut Option<At>,
    ) -> Option<Ready<'a>> {
        let left = |c: &Container| if c.state == State::Dead { "dead" } else { "an interrupted command" };
        let cause = |c: &Container| Cause::LeftBehind { what: left(c).into() };
        let now: Vec<At> = slot.now.iter().map(|c| self.remove(service, c, cause(c), Risk::None)).collect();
        match &slot.fate {
            Fate::Create { cause } => Some(self.create_and_start(service, slot, cause.clone(), gate, &now)),
            Fate::Keep(keep) => Some(self.keep_steps(service, slot, keep, gate, &now)),
            Fate::Replace(replace) if self.options.no_start => {
                let text = "it is not as wanted any more; it is replaced by an `up` without --no-start";
                self.note("waits", &replace.old.name, text.into());
                Some(self.as_it_is(replace.old))
            }
            Fate::Replace(replace) => Some(self.replace(service, slot, replace, gate, &now, previous)),
            Fate::Remove { container, cause } => {
                self.remove(service, container, cause.clone(), Risk::Stop);
                None
            }
        }
    }

    fn as_it_is(&self, container: &'a Container) -> Ready<'a> {
        Ready {
            target: existing(container),
            seen: Some(container),
            created: None,
            started: Vec::new(),
            proven: None,
            finished: false,
        }
    }

    /// The create step: after its image, networks, volumes and the containers that it refers to.
    pub fn create(
        &mut self,
        service: &'a WantedService,
        request: ContainerRequest,
        replaces: Option<&Container>,
        cause: Cause,
        now: &[At],
    ) -> (At, Target) {
        let name = request.name.clone();
        let request = self.settle_refs(request);
        let action = Action::CreateContainer { request: Box::new(request), replaces: replaces.map(|c| c.id.clone()) };
        let at = self.steps.add(&service.name, action, cause);
        self.steps.tie_all(at, now);
        if let Some(image) = self.images_made.get(super::images::reference(service)) {
            self.steps.tie(at, *image);
        }
        for (network, _) in &service.request.endpoints {
            if let Some(made) = self.networks_made.get(network.as_str()) {
                self.steps.tie(at, *made);
            }
        }
        for volume in super::verdict::named_volumes(service, self) {
            if let Some(made) = self.volumes_made.get(volume) {
                self.steps.tie(at, *made);
            }
        }
        for reference in &service.request.refs {
            let first = self.ready.get(reference.service.as_str()).and_then(|r| r.first());
            if let Some(created) = first.and_then(|r| r.created) {
                self.steps.tie(at, created);
            }
        }
        (at, Target::Made { step: StepId(at as u32), name })
    }

    /// Fills in the containers that are there already and stay; those that this plan makes stay symbolic.
    fn settle_refs(&self, mut request: ContainerRequest) -> ContainerRequest {
        let (settled, open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut request.refs).into_iter().partition(|r| self.known.contains_key(&r.service));
        if !settled.is_empty() {
            request.refs = settled;
            if let Ok((host, hashed)) = crate::plan::request::resolve(&request, &self.known) {
                (request.host_config, request.hashed) = (host, hashed);
            }
        }
        request.refs = open;
        request
    }

    fn create_and_start(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        cause: Cause,
        gate: &[At],
        now: &[At],
    ) -> Ready<'a> {
        let mut request = numbered(service, &self.wanted.project, slot.number);
        if !self.options.renew_anonymous_volumes {
            let volumes = self.image_of(service).map(|image| &image.config["Volumes"]);
            let dead = slot.now.iter().filter(|c| c.state == State::Dead);
            dead.for_each(|c| inherit(&mut request, c, volumes));
        }
        let (created, target) = self.create(service, request, None, cause.clone(), now);
        let mut started = vec![created];
        if !self.options.no_start {
            started = self.start_steps(service, &target, cause, &[created], gate);
        }
        Ready { target, seen: None, created: Some(created), started, proven: None, finished: false }
    }

    /// Upload, start, `post_start`. Gives the steps after which it has started.
    pub fn start_steps(
        &mut self,
        service: &'a WantedService,
        target: &Target,
        cause: Cause,
        before: &[At],
        gate: &[At],
    ) -> Vec<At> {
        let mut before = before.to_vec();
        before.extend(self.upload(service, target, &before));
        let start = self.steps.add(&service.name, Action::StartContainer { container: target.clone() }, cause);
        self.steps.tie_all(start, &before);
        self.steps.tie_all(start, gate);
        vec![self.hooks(service, target, "post_start", start)]
    }

    pub fn upload(&mut self, service: &WantedService, target: &Target, before: &[At]) -> Option<At> {
        if service.files.is_empty() {
            return None;
        }
        let action = Action::UploadFiles { container: target.clone(), files: service.files.clone() };
        let at = self.steps.add(&service.name, action, Cause::Needed { by: service.name.clone() });
        self.steps.tie_all(at, before);
        Some(at)
    }

    /// The hooks one after the other, beginning after `after`; gives the last of them, or `after`.
    pub fn hooks(&mut self, service: &WantedService, target: &Target, when: &str, after: At) -> At {
        let mut last = after;
        for hook in hooks_of(service, when) {
            let at = self.hook(service, target, hook, when);
            self.steps.tie(at, last);
            last = at;
        }
        last
    }

    pub fn hook(&mut self, service: &WantedService, target: &Target, hook: &model::Hook, when: &str) -> At {
        let environment = hook.environment.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        });
        let hook = Hook {
            command: hook.command.clone().unwrap_or_default(),
            user: hook.user.clone(),
            privileged: hook.privileged,
            working_dir: hook.working_dir.clone(),
            environment: environment.collect(),
        };
        let action = Action::Exec { container: target.clone(), hook: Box::new(hook) };
        self.steps.add(&service.name, action, Cause::Requested { what: when.into() })
    }

    /// `pre_stop` hooks, then the stop. Gives the first and the last step.
    pub fn stop_steps(&mut self, service: Option<&WantedService>, container: &'a Container, cause: Cause) -> (At, At) {
        let target = existing(container);
        let name = super::label(container, crate::plan::request::SERVICE).to_string();
        let mut first = None;
        let mut last: Option<At> = None;
        // In one that is paused or restarting nothing can be run, and that must not keep it from being stopped.
        if let Some(service) = service.filter(|_| container.state == State::Running) {
            for hook in &service.service.pre_stop {
                let at = self.hook(service, &target, hook, "pre_stop");
                if let Some(last) = last {
                    self.steps.tie(at, last);
                }
                first = first.or(Some(at));
                last = Some(at);
            }
        }
        let stop =
            self.steps.add(&name, Action::StopContainer { container: target, timeout: self.options.timeout }, cause);
        if let Some(last) = last {
            self.steps.tie(stop, last);
        }
        self.stops.insert(&container.id, stop);
        (first.unwrap_or(stop), stop)
    }

    /// Stop (where it runs) and remove. Its volumes stay. Gives the removal.
    pub fn remove(&mut self, service: &'a WantedService, container: &'a Container, cause: Cause, risk: Risk) -> At {
        self.remove_of(Some(service), container, cause, risk).1
    }

    /// `(first step, removal)`.
    pub fn remove_of(
        &mut self,
        service: Option<&'a WantedService>,
        container: &'a Container,
        cause: Cause,
        risk: Risk,
    ) -> (At, At) {
        let stop = is_alive(container).then(|| {
            let (first, stop) = self.stop_steps(service, container, cause.clone());
            self.steps.risk(stop, risk);
            (first, stop)
        });
        let name = super::label(container, crate::plan::request::SERVICE).to_string();
        let action = Action::RemoveContainer { container: existing(container), volumes: false, force: true };
        let at = self.steps.add(&name, action, cause);
        self.steps.risk(at, risk);
        if let Some((_, stop)) = stop {
            self.steps.tie(at, stop);
        }
        (stop.map_or(at, |(first, _)| first), at)
    }

    fn keep_steps(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        keep: &Keep<'a>,
        gate: &[At],
        now: &[At],
    ) -> Ready<'a> {
        let container = keep.container;
        let target = existing(container);
        let drafted = self.steps.drafts.len();
        let mut mended: Vec<At> = Vec::new();
        if keep.rename && self.is_free(&slot.name, slot) {
            let cause = Cause::LeftBehind { what: format!("the name {}", container.name) };
            let action = Action::RenameContainer { container: target.clone(), to: slot.name.clone() };
            let at = self.steps.add(&service.name, action, cause);
            self.steps.tie_all(at, now);
        }
        if let Some((update, fields)) = &keep.update {
            let action = Action::UpdateContainer { container: target.clone(), update: Box::new(update.clone()) };
            self.steps.add(&service.name, action, Cause::Changed { fields: fields.clone() });
        }
        for (network, cause) in self.attachments(service, keep) {
            mended.extend(self.reconnect(service, slot, container, &network, cause));
        }
        let mut ready = self.as_it_is(container);
        match &keep.run {
            Run::Start(cause) => ready.started = self.start_steps(service, &target, cause.clone(), &mended, gate),
            Run::Unpause => {
                let at = self.steps.add(
                    &service.name,
                    Action::UnpauseContainer { container: target.clone() },
                    Cause::Paused,
                );
                ready.started = vec![at];
                mended.push(at);
            }
            Run::Finished => {
                ready.finished = true;
                let text = "it ended with 0 and did not change: it is not run again (`hearth up --rerun` does)";
                self.note("finished", &container.name, text.into());
            }
            Run::AsIs => {}
        }
        if let Some(on) = &keep.restart {
            ready.started = self.follow(service, container, on, &mended, gate);
        }
        if self.steps.drafts.len() == drafted && now.is_empty() {
            *self.plan.unchanged.entry(service.name.clone()).or_default() += 1;
        }
        ready
    }

    /// Networks to connect: what the container lacks, and those that this plan makes anew under it.
    fn attachments(&self, service: &WantedService, keep: &Keep<'a>) -> Vec<(String, Cause)> {
        let mut list = keep.attach.clone();
        for (network, _) in &service.request.endpoints {
            if self.networks_remade.contains_key(network.as_str()) && !list.iter().any(|(name, _)| name == network) {
                list.push((network.clone(), super::networks::remade(network)));
            }
        }
        list
    }

    /// Disconnects where something of an old connection is left, and connects with the names that others use.
    fn reconnect(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        container: &'a Container,
        network: &str,
        cause: Cause,
    ) -> Option<At> {
        let request = numbered(service, &self.wanted.project, slot.number);
        let endpoint = request.endpoints.into_iter().find(|(name, _)| name == network)?.1;
        let made = self.networks_made.get(network).copied();
        let mut before: Vec<At> = made.into_iter().collect();
        let mut group = self.networks_remade.get(network).copied();
        if container.networks.contains_key(network) && group.is_none() {
            let action = Action::DisconnectNetwork { network: network.into(), container: existing(container) };
            let at = self.steps.add(&service.name, action, cause.clone());
            let own = self.groups.fresh();
            self.steps.undo(at, own, vec![super::networks::attach_as_it_was(container, network)]);
            self.steps.tie_all(at, &before);
            if is_alive(container) {
                self.steps.risk(at, Risk::ShortStop);
            }
            (before, group) = (vec![at], Some(own));
        }
        let at = self.connect(&service.name, existing(container), network, endpoint, cause);
        if let Some(group) = group {
            self.steps.undo(at, group, Vec::new());
        }
        self.steps.tie_all(at, &before);
        Some(at)
    }

    /// No container holds this name, or only one that goes before.
    pub fn is_free(&self, name: &str, slot: &Slot<'a>) -> bool {
        self.names.get(name).is_none_or(|holder| slot.now.iter().any(|c| c.id == *holder))
    }
}

pub(super) fn hooks_of<'s>(service: &'s WantedService, when: &str) -> &'s [model::Hook] {
    match when {
        "pre_stop" => &service.service.pre_stop,
        _ => &service.service.post_start,
    }
}
