//! Replacing a container without ever losing the old one before the new one is proven (DESIGN decision 3).
//!
//! Everything that can be done beside the running old container is done first; between its stop and the new one's start
//! there is nothing else. Each step says how it is taken back. Containers that share a namespace with a replaced one, or
//! are restarted with it, stand or fall with it: they are one group.

use serde_json::{Value, json};

use super::networks::existing;
use super::order::Ready;
use super::slots::{Replace, Slot, is_leftover_name};
use super::steps::At;
use super::together::{Down, Member, shared};
use super::volumes::inherit;
use super::{Planner, is_alive};
use crate::base::aside::{aside, successor};
use crate::plan::observed::{Container, State};
use crate::plan::request::REPLACE;
use crate::plan::request::container::numbered;
use crate::plan::wanted::{Update, WantedService};
use crate::plan::{Action, Cause, Risk, Target, Until};
use crate::spec::front::ROUTED;

/// Seconds that a new container which did not prove itself gets to stop: the old one waits for it.
const GIVE_WAY: i64 = 3;

/// Milliseconds from the new name of an old container until Traefik asks it no more: gate tells of the name at once, Traefik takes up a
/// change at most two seconds after the one before, and a request that was on its way has a second.
const LEAVE: u64 = 3000;

/// How the steps of one replacement hang together while they are drafted.
struct Swap<'a> {
    group: u32,
    old: &'a Container,
    new: Target,
    /// The new container runs already (an interrupted command started it).
    runs: bool,
    /// The old one is to run again when this fails.
    revive: bool,
    /// An earlier command began this: what the old one's restart policy was before is not known any more.
    interrupted: bool,
    last: Vec<At>,
}

impl<'a> Planner<'a> {
    pub fn replace(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        replace: &Replace<'a>,
        gate: &[At],
        now: &[At],
        previous: &mut Option<At>,
    ) -> Ready<'a> {
        let parent = self.replaced_parent(service, replace.old);
        let (created, new) = self.newcomer(service, slot, replace, now);
        let resumed = replace.fresh.is_some();
        let mut swap = Swap {
            group: replace.group,
            old: replace.old,
            new,
            runs: replace.fresh.is_some_and(is_alive),
            interrupted: resumed || !slot.now.is_empty() || super::slots::is_set_aside(&replace.old.name),
            revive: is_alive(replace.old) || resumed && replace.old.state != State::Created,
            last: created.into_iter().chain(now.iter().copied()).collect(),
        };
        if !swap.runs {
            let before = swap.last.clone();
            swap.last.extend(self.upload(service, &swap.new, &before));
        }
        for container in [Some(replace.old), replace.fresh].into_iter().flatten() {
            swap.last.extend(self.given_back.get(container.id.as_str()).into_iter().flatten());
        }
        // Those that share a replaced container's namespace make way first, all together; everything else waits for its
        // dependencies and for the number before it.
        let wait = match parent {
            Some(_) => Vec::new(),
            None => gate.iter().copied().chain(*previous).chain(self.proofs_of_refs(service)).collect(),
        };
        let beside = service.start_first
            && is_alive(replace.old)
            && !resumed
            && parent.is_none()
            && !self.inherits_a_volume(service, replace.old);
        let (down, started, proven, mut removals) = match beside {
            true => self.beside(service, slot, &mut swap, &wait),
            false => self.one_after_the_other(service, slot, replace, &mut swap, &wait, gate),
        };
        for other in &replace.rest {
            let (first, removed) = self.remove_of(Some(service), other, left_behind(), Risk::None);
            self.steps.tie(removed, proven);
            // Never two on one volume: what still runs makes way before the new one starts.
            if is_alive(other) && !swap.runs {
                self.steps.tie_all(first, &wait);
                let (start, stopped) = (self.first_start(started[0]), self.steps.stop_before(removed));
                self.steps.tie(start, stopped);
            }
            removals.push(removed);
        }
        *previous = Some(proven);
        self.groups.push(Member {
            group: replace.group,
            service: service.name.clone(),
            old: replace.old.id.clone(),
            shared: shared(replace.old),
            gate: gate.to_vec(),
            down,
            proven,
            removals,
        });
        Ready { target: swap.new, seen: replace.fresh, created, started, proven: Some(proven), finished: false }
    }

    /// A volume of the old container that the new one will write too, because the image asks for one there.
    fn inherits_a_volume(&self, service: &WantedService, old: &Container) -> bool {
        let volumes = self.image_of(service).map(|image| &image.config["Volumes"]);
        let asked = |target: &str| volumes.is_none_or(|v| v.get(target).is_some());
        let written = old.mounts.iter().filter(|m| m.kind == "volume" && m.writable);
        !self.options.renew_anonymous_volumes && written.into_iter().any(|m| asked(&m.destination))
    }

    /// The container that takes the place: created under a name of its own, or the one that is there already.
    fn newcomer(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        replace: &Replace<'a>,
        now: &[At],
    ) -> (Option<At>, Target) {
        if let Some(fresh) = replace.fresh {
            return (None, existing(fresh));
        }
        let old = replace.old;
        let mut request = numbered(service, &self.wanted.project, slot.number);
        if let Value::Object(labels) = &mut request.config["Labels"] {
            let value = match service.service.container_name.is_empty() {
                true => format!("{}-{}", service.name, slot.number),
                false => slot.name.clone(),
            };
            labels.insert(REPLACE.into(), json!(value));
        }
        if !self.options.renew_anonymous_volumes {
            let volumes = self.image_of(service).map(|image| image.config["Volumes"].clone());
            inherit(&mut request, old, volumes.as_ref());
        }
        let free = old.name != slot.name && self.is_free(&slot.name, slot);
        if !free {
            request.name = successor(&old.id, &slot.name);
        }
        request.renew = self.options.renew_anonymous_volumes;
        let (at, target) = self.create(service, request, Some(old), replace.cause.clone(), now);
        let mut undo = vec![Action::RemoveContainer { container: target.clone(), volumes: false, force: true }];
        // A leftover's name is mended when it stays; a name that it was given (`container_name`) stays with it.
        if free && is_leftover_name(&old.name, &slot.name) {
            undo.push(Action::RenameContainer { container: existing(old), to: slot.name.clone() });
        }
        self.steps.undo(at, replace.group, undo);
        (Some(at), target)
    }

    /// Stop the old one, start the new one. Gives `(down, started, proven, removals)`.
    fn one_after_the_other(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        replace: &Replace<'a>,
        swap: &mut Swap<'a>,
        wait: &[At],
        gate: &[At],
    ) -> (Down, Vec<At>, At, Vec<At>) {
        let old = set_aside(swap.old, &slot.name);
        self.retire(service, slot, replace, swap, wait);
        self.rename_both(service, slot, swap);
        let mut down = None;
        if is_alive(swap.old) || swap.revive {
            let (first, stop) = self.stop_steps(Some(service), swap.old, Cause::Replacement);
            self.steps.drafts[stop].action =
                Action::StopContainer { container: old.clone(), timeout: self.options.timeout };
            self.steps.tie_all(first, &swap.last);
            self.steps.risk(stop, Risk::ShortStop);
            let revive = Action::StartContainer { container: old.clone() };
            self.steps.undo(stop, swap.group, if swap.revive { vec![revive] } else { Vec::new() });
            for hook in first..stop {
                self.steps.undo(hook, swap.group, Vec::new());
            }
            (down, swap.last) = (Some(Down { first, stop: Some(stop) }), vec![stop]);
        }
        let start = self.start_new(service, swap, replace.cause.clone());
        self.steps.tie_all(start, gate);
        let (started, proven) = self.prove(service, swap, start);
        let removed = self.remove_old(service, slot, swap, proven);
        (down.unwrap_or(Down { first: start, stop: None }), started, proven, vec![removed])
    }

    /// Start the new one beside the old one, which goes when the new one is proven: no moment without an answer.
    fn beside(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        swap: &mut Swap<'a>,
        wait: &[At],
    ) -> (Down, Vec<At>, At, Vec<At>) {
        let start = self.start_new(service, swap, Cause::Replacement);
        self.steps.tie_all(start, wait);
        let (started, proven) = self.prove(service, swap, start);
        swap.last = vec![proven];
        self.retire_step(service, swap, Vec::new());
        self.rename_both(service, slot, swap);
        self.unrouted(service, slot, swap);
        let (first, stop) = self.stop_steps(Some(service), swap.old, Cause::Replacement);
        let old = set_aside(swap.old, &slot.name);
        self.steps.drafts[stop].action = Action::StopContainer { container: old, timeout: self.options.timeout };
        for hook in first..stop {
            self.steps.undo(hook, swap.group, Vec::new());
        }
        // A stop that failed may have stopped it all the same.
        self.steps.undo(stop, swap.group, vec![Action::StartContainer { container: existing(swap.old) }]);
        self.steps.tie_all(first, &swap.last);
        let removed = self.remove_old(service, slot, swap, proven);
        self.steps.tie(removed, stop);
        (Down { first: start, stop: None }, started, proven, vec![removed])
    }

    /// Where Traefik sends requests to the old one it stops only when none come any more.
    fn unrouted(&mut self, service: &WantedService, slot: &Slot<'a>, swap: &mut Swap<'a>) {
        if !swap.old.labels.contains_key(ROUTED) || swap.old.name != slot.name {
            return;
        }
        let container = set_aside(swap.old, &slot.name);
        let action = Action::Wait { container, until: Until::Left { ms: LEAVE }, optional: true };
        let at = self.steps.add(&service.name, action, Cause::Replacement);
        self.steps.undo(at, swap.group, Vec::new());
        self.steps.tie_all(at, &swap.last);
        swap.last = vec![at];
    }

    /// The old one's restart policy goes, else a restart of the engine would revive it beside the new one.
    fn retire(
        &mut self,
        service: &'a WantedService,
        slot: &Slot<'a>,
        replace: &Replace<'a>,
        swap: &mut Swap<'a>,
        wait: &[At],
    ) {
        let mut undo = Vec::new();
        if let Some(fresh) = replace.fresh {
            // Its making and naming happened in an earlier run: taking this run back takes them back too.
            if fresh.name == slot.name {
                undo.push(rename(&swap.new, successor(&swap.old.id, &slot.name)));
            }
            if is_leftover_name(&swap.old.name, &slot.name) {
                undo.push(rename(&existing(swap.old), slot.name.clone()));
            }
            undo.push(Action::RemoveContainer { container: swap.new.clone(), volumes: false, force: true });
        }
        swap.last.extend(wait);
        self.retire_step(service, swap, undo);
    }

    fn retire_step(&mut self, service: &'a WantedService, swap: &mut Swap<'a>, mut undo: Vec<Action>) {
        let policy = |value: Value| Action::UpdateContainer {
            container: existing(swap.old),
            update: Box::new(Update { body: json!({ "RestartPolicy": value }) }),
        };
        let none = json!({ "Name": "no", "MaximumRetryCount": 0 });
        let wanted = service.request.host_config["RestartPolicy"].clone();
        let actual = swap.old.detail.as_ref().map(|d| d.host_config["RestartPolicy"].clone());
        let before = match actual {
            // An interrupted replacement took it away already: then what is wanted is the best that is known.
            Some(actual) if !swap.interrupted && !actual.is_null() => actual,
            _ => wanted,
        };
        let has_none = matches!(before["Name"].as_str(), Some("" | "no"));
        if has_none && swap.old.detail.is_some() && !swap.interrupted && undo.is_empty() {
            return;
        }
        undo.insert(0, policy(before));
        let at = self.steps.add(&service.name, policy(none), Cause::Replacement);
        self.steps.undo(at, swap.group, undo);
        self.steps.tie_all(at, &swap.last);
        swap.last = vec![at];
    }

    /// The old one steps aside, the new one takes the name.
    fn rename_both(&mut self, service: &WantedService, slot: &Slot<'a>, swap: &mut Swap<'a>) {
        let old = existing(swap.old);
        if swap.old.name == slot.name {
            let name = aside(&swap.old.id, &slot.name);
            let at = self.steps.add(&service.name, rename(&old, name), Cause::Replacement);
            self.steps.undo(at, swap.group, vec![rename(&old, slot.name.clone())]);
            self.steps.tie_all(at, &swap.last);
            swap.last = vec![at];
        }
        let temporary = swap.new.name().to_string();
        if temporary != slot.name {
            let at = self.steps.add(&service.name, rename(&swap.new, slot.name.clone()), Cause::Replacement);
            self.steps.undo(at, swap.group, vec![rename(&swap.new, temporary)]);
            self.steps.tie_all(at, &swap.last);
            swap.last = vec![at];
            match &mut swap.new {
                Target::Existing { name, .. } | Target::Made { name, .. } => *name = slot.name.clone(),
            }
        }
    }

    fn start_new(&mut self, service: &WantedService, swap: &Swap<'a>, cause: Cause) -> At {
        let start = self.steps.add(&service.name, Action::StartContainer { container: swap.new.clone() }, cause);
        let timeout = Some(self.options.timeout.map_or(GIVE_WAY, |t| t.clamp(0, GIVE_WAY)));
        let stop = Action::StopContainer { container: swap.new.clone(), timeout };
        self.steps.undo(start, swap.group, vec![stop]);
        self.steps.tie_all(start, &swap.last);
        start
    }

    /// `post_start` and the window. Gives the steps after which it has started, and the proof.
    fn prove(&mut self, service: &'a WantedService, swap: &Swap<'a>, start: At) -> (Vec<At>, At) {
        let first = self.steps.drafts.len();
        let started = match swap.runs {
            true => start,
            false => self.hooks(service, &swap.new, "post_start", start),
        };
        for hook in first..self.steps.drafts.len() {
            self.steps.undo(hook, swap.group, Vec::new());
        }
        let until = self.proof(service, self.may_exit(service, swap));
        let action = Action::Wait { container: swap.new.clone(), until, optional: false };
        let proven = self.steps.add(&service.name, action, Cause::Replacement);
        self.steps.undo(proven, swap.group, Vec::new());
        self.steps.tie(proven, started);
        (vec![started], proven)
    }

    /// A new container that ends with 0 has proven itself: others wait for it to end, or nothing says that it should stay
    /// and nothing that ran is given up for it.
    fn may_exit(&self, service: &WantedService, swap: &Swap<'a>) -> bool {
        let ended_well = swap.old.state == State::Exited && swap.old.exit_code == 0;
        let ran_not = !is_alive(swap.old) && (ended_well || !swap.interrupted);
        self.jobs.contains(service.name.as_str()) || ran_not && self.is_job(service)
    }

    fn remove_old(&mut self, service: &WantedService, slot: &Slot<'a>, swap: &Swap<'a>, proven: At) -> At {
        let action =
            Action::RemoveContainer { container: set_aside(swap.old, &slot.name), volumes: false, force: true };
        let at = self.steps.add(&service.name, action, Cause::Replacement);
        self.steps.undo(at, swap.group, Vec::new());
        self.steps.tie(at, proven);
        at
    }
}

/// The old container in words, once it has given its name away.
fn set_aside(old: &Container, name: &str) -> Target {
    Target::Existing { id: old.id.clone(), name: format!("the old {name}") }
}

fn rename(target: &Target, to: String) -> Action {
    Action::RenameContainer { container: target.clone(), to }
}

fn left_behind() -> Cause {
    Cause::LeftBehind { what: "an interrupted replacement".into() }
}
