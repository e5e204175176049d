//! What becomes of each container of each service: one [`Slot`] per number.
//!
//! Several containers may claim one number: an interrupted replacement leaves two. Then one is the keeper: the one that is
//! as wanted, else the one that works. What else ran once goes only when the keeper is proven.

use std::collections::BTreeMap;

use super::verdict::Verdict;
use super::{Planner, is_alive, label};
use crate::base::clock;
use crate::plan::observed::{Container, State};
use crate::plan::request::NUMBER;
use crate::plan::request::container::container_name;
use crate::plan::wanted::{Update, WantedService};
use crate::plan::{Cause, FieldChange, Note, Recreate, Verb};

/// One number of a service.
pub(super) struct Slot<'a> {
    pub number: u32,
    /// The name that its container has in the end.
    pub name: String,
    pub fate: Fate<'a>,
    /// Leftovers that hold nothing: removed before anything else.
    pub now: Vec<&'a Container>,
}

pub(super) enum Fate<'a> {
    Create {
        cause: Cause,
    },
    Keep(Box<Keep<'a>>),
    Replace(Replace<'a>),
    /// More containers than wanted.
    Remove {
        container: &'a Container,
        cause: Cause,
    },
}

/// A container that stays.
pub(super) struct Keep<'a> {
    pub container: &'a Container,
    pub run: Run,
    pub update: Option<(Update, Vec<FieldChange>)>,
    /// Networks to connect (again), each with its cause.
    pub attach: Vec<(String, Cause)>,
    pub rename: bool,
    /// Stopped and started again because of that service.
    pub restart: Option<String>,
}

pub(super) enum Run {
    /// Runs, or (`--no-start`) shall not.
    AsIs,
    Start(Cause),
    Unpause,
    /// A job that ended with 0.
    Finished,
}

/// `old` makes room for a new container, or for `fresh`, which an interrupted command made already.
pub(super) struct Replace<'a> {
    pub old: &'a Container,
    pub fresh: Option<&'a Container>,
    /// Further leftovers, removed when the new one is proven.
    pub rest: Vec<&'a Container>,
    pub cause: Cause,
    pub group: u32,
}

impl<'a> Slot<'a> {
    /// The container that is there already and stays.
    pub fn stays(&self) -> Option<&'a Container> {
        match &self.fate {
            Fate::Keep(keep) => Some(keep.container),
            Fate::Replace(replace) => replace.fresh,
            Fate::Create { .. } | Fate::Remove { .. } => None,
        }
    }
}

impl<'a> Planner<'a> {
    /// Decides every service in order, so that a service knows what becomes of those whose namespaces it shares.
    pub fn decide(&mut self) {
        for service in self.order.clone() {
            if self.is_in_scope(&service.name) {
                let slots = self.decide_service(service);
                if let Some(stays) = slots.first().and_then(Slot::stays) {
                    self.known.insert(service.name.clone(), stays.id.clone());
                }
                self.decided.insert(&service.name, slots);
            }
        }
        self.follow_restarts();
    }

    fn decide_service(&mut self, service: &'a WantedService) -> Vec<Slot<'a>> {
        let wanted = service.service.replicas();
        let mut slots: Vec<Slot> = Vec::new();
        for (number, containers) in self.numbered(service) {
            slots.push(self.decide_slot(service, number, containers));
        }
        let there = slots.len() as u64;
        if there > wanted {
            scale_down(&mut slots, wanted as usize);
        }
        let next = slots.iter().map(|s| s.number).max().unwrap_or(0) + 1;
        for i in 0..wanted.saturating_sub(there) {
            let number = next + i as u32;
            let cause = match there {
                0 => Cause::Missing,
                _ => Cause::Scale { from: there as u32, to: wanted as u32 },
            };
            slots.push(Slot {
                number,
                name: container_name(&self.wanted.project, &service.service, &service.name, number),
                fate: Fate::Create { cause },
                now: Vec::new(),
            });
        }
        slots
    }

    /// The service's containers by number; one without a number takes a free one.
    pub fn numbered(&self, service: &WantedService) -> BTreeMap<u32, Vec<&'a Container>> {
        let mut numbered: BTreeMap<u32, Vec<&Container>> = BTreeMap::new();
        let mut without = Vec::new();
        for container in self.containers.get(service.name.as_str()).into_iter().flatten().copied() {
            match label(container, NUMBER).parse::<u32>() {
                Ok(number) => numbered.entry(number).or_default().push(container),
                Err(_) => without.push(container),
            }
        }
        for container in without {
            let from_name = container.name.rsplit(['-', '_']).next().and_then(|n| n.parse::<u32>().ok());
            let free = from_name.filter(|n| !numbered.contains_key(n));
            let number = free.unwrap_or_else(|| (1..).find(|n| !numbered.contains_key(n)).unwrap_or(1));
            numbered.insert(number, vec![container]);
        }
        numbered
    }

    pub fn decide_slot(&mut self, service: &'a WantedService, number: u32, containers: Vec<&'a Container>) -> Slot<'a> {
        let name = container_name(&self.wanted.project, &service.service, &service.name, number);
        let mut slot = Slot { number, name, fate: Fate::Create { cause: Cause::Missing }, now: Vec::new() };
        let mut current = Vec::new();
        let mut stale: Vec<(&Container, Cause)> = Vec::new();
        for container in containers {
            // Nothing can be done to such a container but to remove it.
            if matches!(container.state, State::Removing | State::Dead) {
                slot.now.push(container);
                continue;
            }
            match self.verdict(service, &slot.name, container) {
                Verdict::Current => current.push(container),
                Verdict::Stale(cause) => stale.push((container, cause)),
            }
        }
        let rank = |c: &Container| {
            (state_rank(c.state), c.name != slot.name, std::cmp::Reverse(c.created_at.clone()), c.id.clone())
        };
        current.sort_by_cached_key(|c| rank(c));
        stale.sort_by_cached_key(|(c, _)| rank(c));
        let Some(keeper) = self.keeper(service, &current, &stale) else {
            if !stale.is_empty() {
                let (old, cause) = stale.remove(0);
                let rest = current.into_iter().chain(stale.into_iter().map(|(c, _)| c)).collect();
                self.replace_slot(&mut slot, old, None, rest, cause);
            }
            return slot;
        };
        let mut others: Vec<&Container> =
            stale.iter().map(|(c, _)| *c).chain(current.into_iter().filter(|c| c.id != keeper.id)).collect();
        others.sort_by_cached_key(|c| rank(c));
        // What never ran holds nothing; and what is done needs no proof.
        let finished = self.is_finished(service, keeper);
        let (rest, now): (Vec<_>, Vec<_>) = others.into_iter().partition(|c| c.state != State::Created && !finished);
        slot.now.extend(now);
        if rest.is_empty() {
            slot.fate = Fate::Keep(Box::new(self.keep(service, &slot.name, keeper)));
        } else {
            let cause = Cause::LeftBehind { what: "an interrupted replacement".into() };
            let old = rest[0];
            self.replace_slot(&mut slot, old, Some(keeper), rest[1..].to_vec(), cause);
        }
        slot
    }

    /// The container that is as wanted and may stay: the best one, unless it failed beside one that works.
    fn keeper(
        &self,
        service: &WantedService,
        current: &[&'a Container],
        stale: &[(&'a Container, Cause)],
    ) -> Option<&'a Container> {
        let best = *current.first()?;
        let works = stale.iter().any(|(c, _)| is_alive(c));
        match best.state {
            State::Created if works => self.is_complete(service, best).then_some(best),
            _ if works && !is_alive(best) => None,
            _ => Some(best),
        }
    }

    fn replace_slot(
        &mut self,
        slot: &mut Slot<'a>,
        old: &'a Container,
        fresh: Option<&'a Container>,
        others: Vec<&'a Container>,
        cause: Cause,
    ) {
        // Beside one that works, what does not run is a failed or unfinished attempt.
        let useless = |c: &&Container| c.state == State::Created || is_alive(old) && !is_alive(c) && fresh.is_none();
        let (now, rest) = others.into_iter().partition(useless);
        slot.now.extend::<Vec<_>>(now);
        let group = self.groups.fresh();
        slot.fate = Fate::Replace(Replace { old, fresh, rest, cause, group });
    }

    fn keep(&mut self, service: &'a WantedService, name: &str, container: &'a Container) -> Keep<'a> {
        let run = match container.state {
            State::Running | State::Restarting => Run::AsIs,
            State::Paused => Run::Unpause,
            _ if self.options.no_start => Run::AsIs,
            _ if self.is_finished(service, container) => Run::Finished,
            State::Exited => Run::Start(Cause::NotRunning { state: format!("exited with {}", container.exit_code) }),
            _ => Run::Start(Cause::NotRunning { state: "created".into() }),
        };
        Keep {
            container,
            run,
            update: self.drift(service, container),
            attach: self.attach(service, container),
            rename: is_leftover_name(&container.name, name),
            restart: None,
        }
    }

    /// A job that ended well and need not run again.
    pub fn is_finished(&self, service: &WantedService, container: &Container) -> bool {
        container.state == State::Exited
            && container.exit_code == 0
            && !self.options.rerun
            && self.options.verb == Verb::Up
            && (self.is_job(service) || self.is_done_at_once(service, container))
    }

    /// A job that others depend on in the short form only (`depends_on: [init]`): nothing says that it should stay, and it
    /// ended well within seconds. What somebody stopped by hand has run for longer.
    fn is_done_at_once(&self, service: &WantedService, container: &Container) -> bool {
        let ran = |from, to| Some(clock::parse(to)? - clock::parse(from)?);
        let short = ran(&container.started_at, &container.finished_at).is_some_and(|t| t < time::Duration::seconds(10));
        short && !self.has_reason_to_stay(service)
    }

    /// A restart policy, a published port or a health check.
    fn has_reason_to_stay(&self, service: &WantedService) -> bool {
        let policy = service.request.host_config["RestartPolicy"]["Name"].as_str().unwrap_or("no");
        !matches!(policy, "no" | "on-failure")
            || !service.service.ports.is_empty()
            || self.health(service) == Some(true)
    }

    /// Others wait for it to end; or nothing says that it should stay: no restart policy, health check or published port,
    /// and nobody needs it.
    pub fn is_job(&self, service: &WantedService) -> bool {
        let name = service.name.as_str();
        self.jobs.contains(name) || !self.needed.contains(name) && !self.has_reason_to_stay(service)
    }

    /// Containers that follow the restart or replacement of another service (`restart: true`, shared namespaces).
    fn follow_restarts(&mut self) {
        if self.options.no_start {
            return;
        }
        for service in self.order.clone() {
            let Some(because) = self.restarts_with(service) else { continue };
            let Some(slots) = self.decided.get_mut(service.name.as_str()) else { continue };
            for slot in slots {
                if let Fate::Keep(keep) = &mut slot.fate
                    && is_alive(keep.container)
                {
                    keep.restart = Some(because.clone());
                }
            }
        }
    }

    /// The dependency whose stop and start this service follows, if there is one.
    fn restarts_with(&self, service: &WantedService) -> Option<String> {
        let follows = |on: &str| {
            let shares = self.shares_namespace(service, on);
            self.decided.get(on).into_iter().flatten().any(|slot| match &slot.fate {
                Fate::Replace(r) => r.fresh.is_none_or(|c| !is_alive(c)),
                Fate::Keep(keep) => keep.restart.is_some() || shares && matches!(keep.run, Run::Start(_)),
                _ => false,
            })
        };
        let dependencies = service.service.depends_on.iter().filter(|(_, d)| d.restart);
        dependencies.map(|(on, _)| on).find(|on| follows(on)).cloned()
    }

    /// `network_mode`, `ipc` or `pid` of `service` is that of `on`.
    pub fn shares_namespace(&self, service: &WantedService, on: &str) -> bool {
        use crate::plan::wanted::RefField;
        service.request.refs.iter().any(|r| r.service == on && !matches!(r.field, RefField::VolumesFrom(_)))
    }

    pub fn note(&mut self, about: &str, subject: &str, text: String) {
        self.plan.notes.push(Note { about: about.into(), subject: subject.into(), text });
    }

    /// Whether this service is to be made anew whatever its containers look like.
    pub fn is_forced(&self, service: &str) -> Option<&'static str> {
        match self.options.recreate {
            Recreate::Force if self.is_named(service) => Some("--force-recreate"),
            _ if self.options.renew_anonymous_volumes && self.is_named(service) => Some("--renew-anon-volumes"),
            _ => None,
        }
    }
}

fn state_rank(state: State) -> u8 {
    match state {
        State::Running => 0,
        State::Paused => 1,
        State::Restarting => 2,
        State::Exited => 3,
        State::Created => 4,
        State::Dead | State::Removing => 5,
    }
}

/// What differs goes first, then the highest number (as Compose).
fn scale_down(slots: &mut [Slot], wanted: usize) {
    let from = slots.len();
    let mut order: Vec<usize> = (0..from).collect();
    let rank = |fate: &Fate| match fate {
        // What is being removed already is not made again.
        Fate::Create { .. } => 0,
        Fate::Replace(_) => 1,
        Fate::Keep(_) | Fate::Remove { .. } => 2,
    };
    order.sort_by_key(|i| (rank(&slots[*i].fate), std::cmp::Reverse(slots[*i].number)));
    let cause = Cause::Scale { from: from as u32, to: wanted as u32 };
    for i in order.into_iter().take(from - wanted) {
        let slot = &mut slots[i];
        let (container, more) = match &slot.fate {
            Fate::Keep(keep) => (keep.container, Vec::new()),
            Fate::Replace(r) => (r.old, r.fresh.into_iter().chain(r.rest.iter().copied()).collect()),
            Fate::Create { .. } if !slot.now.is_empty() => (slot.now.remove(0), Vec::new()),
            Fate::Create { .. } | Fate::Remove { .. } => continue,
        };
        slot.now.extend::<Vec<_>>(more);
        slot.fate = Fate::Remove { container, cause: cause.clone() };
    }
}

/// Its name is one that a replacement gives for a while.
pub(super) fn is_set_aside(name: &str) -> bool {
    name.split_once('_').is_some_and(|(_, rest)| is_leftover_name(name, rest.strip_suffix("-old").unwrap_or(rest)))
}

/// `<12 hex>_` before the name: what Compose and Hearth call a container while it replaces another.
pub(super) fn is_leftover_name(name: &str, wanted: &str) -> bool {
    let Some((hex, rest)) = name.split_once('_') else { return false };
    let rest = rest.strip_suffix("-old").unwrap_or(rest);
    hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()) && rest == wanted
}
