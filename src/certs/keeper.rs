//! The loop that keeps certificates: looks at each when it is due, does what the machine says, and tells when something changed.
//!
//! What is known of a certificate stands on the disk and is read anew before each step, so that a command beside a running `hearth serve`
//! and two of them on one home see the same. When nothing is due it sleeps, for one check interval at the most.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::acme::words::{self, Faults};
use super::acme::{Done, Issuer};
use super::renewal::{
    Ask, Certificate, Effect, Event, FaultKind, Held as Waits, Limiter, Policy, State, Time, Want, step,
};
use super::store::{Held, Source, Store};
use super::tell;
use crate::base::clock::Clock;
use crate::diag::Diagnostic;

/// Somebody else orders the same names: look again then.
const ELSEWHERE: time::Duration = time::Duration::minutes(1);

/// What a keeper works with.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<Store>,
    pub issuer: Issuer,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    /// In 0..1, a new one for each call.
    pub random: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// What a keeper tells.
#[derive(Debug, Clone)]
pub enum Change {
    /// Other certificates than before are stored.
    Certificates,
    /// One was issued to this keeper.
    Issued(Certificate),
    /// An order came to nothing: who, for which names, why, and when it is tried again.
    Failed(Diagnostic),
    /// Something that people should know.
    Told(Diagnostic),
}

/// Keeps certificates for all sets of names in `wanted` until `stop`. `asked` takes ids of certificates that a person wants renewed now.
pub async fn keep(
    parts: Parts,
    mut wanted: watch::Receiver<Vec<Want>>,
    mut asked: mpsc::Receiver<String>,
    stop: impl Future<Output = ()>,
    mut tell: impl FnMut(Change),
) {
    let mut keeper = Keeper::new(parts);
    let wants = wanted.borrow_and_update().clone();
    keeper.want(&wants, &mut tell);
    let mut stop = pin!(stop);
    let (mut more, mut open) = (true, true);
    loop {
        let sleep = keeper.sleep();
        tokio::select! {
            () = &mut stop => return,
            changed = wanted.changed(), if more => match changed {
                Ok(()) => {
                    let wants = wanted.borrow_and_update().clone();
                    keeper.want(&wants, &mut tell);
                }
                Err(_) => more = false,
            },
            id = asked.recv(), if open => match id {
                Some(id) => keeper.take(&id, Event::Asked, &mut tell),
                None => open = false,
            },
            Some(ended) = keeper.tasks.join_next() => keeper.ended(ended.ok(), &mut tell),
            () = tokio::time::sleep(sleep) => keeper.look(&mut tell),
        }
    }
}

/// Renews one set of names now, as a person asked: at staging first where the authority has one. Ends when its orders have.
pub async fn renew(parts: Parts, want: &Want, mut tell: impl FnMut(Change)) {
    let id = Store::id(&want.names, false);
    let mut keeper = Keeper::new(parts);
    keeper.wants.insert(id.clone(), want.clone());
    keeper.remember(&id);
    // First of all: whatever is due besides goes to staging first too.
    keeper.take(&id, Event::Asked, &mut tell);
    keeper.take(&id, Event::Wanted(want.clone()), &mut tell);
    keeper.take(&id, Event::Begin, &mut tell);
    while let Some(ended) = keeper.tasks.join_next().await {
        keeper.ended(ended.ok(), &mut tell);
    }
}

struct Keeper {
    parts: Parts,
    limiter: Limiter,
    wants: BTreeMap<String, Want>,
    due: BTreeMap<String, Time>,
    /// The leaf that is stored, by id.
    stored: BTreeMap<String, String>,
    queue: VecDeque<(String, Ask)>,
    queue_again: Option<Time>,
    running: BTreeSet<String>,
    tasks: JoinSet<Ended>,
    next_pass: Time,
}

/// A task that has ended.
enum Ended {
    Poll(String, Event),
    /// The URL that was ordered at; no event: another process orders it. Whether what came of it was ordered here.
    Order(String, String, Option<Event>, bool),
}

impl Keeper {
    fn new(parts: Parts) -> Keeper {
        let next_pass = parts.clock.now() + parts.policy.check;
        Keeper {
            parts,
            limiter: Limiter::default(),
            wants: BTreeMap::new(),
            due: BTreeMap::new(),
            stored: BTreeMap::new(),
            queue: VecDeque::new(),
            queue_again: None,
            running: BTreeSet::new(),
            tasks: JoinSet::new(),
            next_pass,
        }
    }

    /// Takes over what is wanted now; what is wanted no more is left as it is, and not renewed.
    fn want(&mut self, wants: &[Want], tell: &mut impl FnMut(Change)) {
        let ids: BTreeMap<String, Want> =
            wants.iter().map(|want| (Store::id(&want.names, false), want.clone())).collect();
        let gone: Vec<String> = self.wants.keys().filter(|id| !ids.contains_key(*id)).cloned().collect();
        for id in gone {
            self.wants.remove(&id);
            self.due.remove(&id);
            self.queue.retain(|(queued, _)| *queued != id);
        }
        for (id, want) in ids {
            let new = self.wants.insert(id.clone(), want.clone()).is_none();
            self.take(&id, Event::Wanted(want), tell);
            if new {
                self.remember(&id);
                self.take(&id, Event::Begin, tell);
            }
        }
    }

    /// Tells the limiter what a former process left.
    fn remember(&mut self, id: &str) {
        let Ok(Some(state)) = self.parts.store.meta(id).map(|meta| meta.state) else { return };
        for (directory, standing) in &state.standings {
            standing.failures.iter().for_each(|when| self.limiter.failed(directory, &state.want.names, *when));
        }
    }

    /// One step of one certificate, written down before anything is done about it.
    fn take(&mut self, id: &str, event: Event, tell: &mut impl FnMut(Change)) {
        let Some(want) = self.wants.get(id) else { return };
        let (store, now) = (&self.parts.store, self.parts.clock.now());
        let mut meta = match store.meta(id) {
            Ok(meta) => meta,
            Err(told) => return self.cannot(id, told, tell),
        };
        let before = meta.state.clone();
        let mut state = before.clone().unwrap_or_else(|| State::new(want.clone()));
        let mut effects = Vec::new();
        // What lies in the store counts, whoever put it there.
        let held = store.load(id).ok().flatten();
        let stored = held.as_ref().map(|held| Event::Held(certificate(held)));
        // A person's wish comes before what the store says: else that could be ordered for another reason, without staging.
        let events = match event {
            Event::Asked => [Some(Event::Asked), stored],
            event => [stored, Some(event)],
        };
        for event in events.into_iter().flatten() {
            // Held says nothing new in most cases, and then has no effect but those of a look.
            let (next, more) = step(&state, &self.parts.policy, event, now, (self.parts.random)());
            state = next;
            effects.extend(more);
        }
        if before.as_ref() != Some(&state) {
            meta.state = Some(state.clone());
            if let Err(told) = store.save_meta(id, &meta) {
                return self.cannot(id, told, tell);
            }
        }
        let leaf = held.map(|held| held.fingerprint).unwrap_or_default();
        if self.stored.insert(id.to_owned(), leaf.clone()).is_some_and(|old| old != leaf) {
            tell(Change::Certificates);
        }
        self.due.insert(id.to_owned(), state.next_look(&self.parts.policy, now));
        for effect in effects {
            self.perform(id, &state, effect, now, tell);
        }
        self.pump(now);
    }

    /// The disk does not work: nothing is ordered, since nothing could be kept.
    fn cannot(&mut self, id: &str, told: Diagnostic, tell: &mut impl FnMut(Change)) {
        self.due.insert(id.to_owned(), self.parts.clock.now() + self.parts.policy.check);
        tell(Change::Told(told));
    }

    fn perform(&mut self, id: &str, state: &State, effect: Effect, now: Time, tell: &mut impl FnMut(Change)) {
        match effect {
            Effect::Poll { directory, id: certificate } => {
                let (issuer, id) = (self.parts.issuer.clone(), id.to_owned());
                self.tasks.spawn(async move { Ended::Poll(id, issuer.suggestion(&directory, &certificate).await) });
            }
            Effect::Order(ask) => {
                if !self.running.contains(id) && self.queue.iter().all(|(queued, _)| queued != id) {
                    self.queue.push_back((id.to_owned(), ask));
                }
            }
            Effect::Tell(note) => {
                let next = state.next_order(&self.parts.policy, now);
                let name = |directory: &str| self.parts.issuer.ca_name(directory).to_owned();
                tell(Change::Told(tell::note(&note, &state.want.names, next, &name)));
            }
        }
    }

    /// Begins what the limits allow.
    fn pump(&mut self, now: Time) {
        let (mut waiting, mut full) = (VecDeque::new(), BTreeSet::new());
        self.queue_again = None;
        while let Some((id, ask)) = self.queue.pop_front() {
            if full.contains(&ask.url) {
                waiting.push_back((id, ask));
                continue;
            }
            match self.limiter.admit(&ask.url, &ask.want.names, now) {
                Ok(()) => self.begin(id, ask),
                Err(held) => {
                    let again = match held {
                        Waits::Account(again) => {
                            full.insert(ask.url.clone());
                            again
                        }
                        Waits::Names(at) => Some(at),
                    };
                    self.queue_again = again.into_iter().chain(self.queue_again).min();
                    waiting.push_back((id, ask));
                }
            }
        }
        self.queue = waiting;
    }

    fn begin(&mut self, id: String, ask: Ask) {
        self.running.insert(id.clone());
        let parts = self.parts.clone();
        let known = self.stored.get(&id).cloned().unwrap_or_default();
        self.tasks.spawn(async move {
            let (event, here) = match order(&parts, &id, &ask, &known).await {
                Some((event, here)) => (Some(event), here),
                None => (None, false),
            };
            Ended::Order(id, ask.url, event, here)
        });
    }

    fn ended(&mut self, ended: Option<Ended>, tell: &mut impl FnMut(Change)) {
        match ended {
            Some(Ended::Poll(id, event)) => self.take(&id, event, tell),
            Some(Ended::Order(id, url, event, here)) => {
                self.limiter.ended(&url);
                self.running.remove(&id);
                if let (Some(Event::Issued { certificate, .. }), true) = (&event, here) {
                    tell(Change::Issued(certificate.clone()));
                }
                if let Some(Event::Failed(fault)) = &event {
                    let names = self.wants.get(&id).map(|want| want.names.clone()).unwrap_or_default();
                    if fault.kind == FaultKind::Validation {
                        self.limiter.failed(&url, &names, self.parts.clock.now());
                    }
                }
                match event {
                    Some(event) => {
                        let failed = matches!(event, Event::Failed(_));
                        self.take(&id, event, tell);
                        if failed {
                            self.tell_failed(&id, tell);
                        }
                    }
                    None => {
                        self.due.insert(id, self.parts.clock.now() + ELSEWHERE);
                        self.pump(self.parts.clock.now());
                    }
                }
            }
            // Only a bug ends a task otherwise; the next pass begins anew.
            None => {}
        }
    }

    /// Says how it stands with an order that failed, as it is written down.
    fn tell_failed(&self, id: &str, tell: &mut impl FnMut(Change)) {
        let Ok(Some(state)) = self.parts.store.meta(id).map(|meta| meta.state) else { return };
        let Some(fault) = &state.fault else { return };
        let next = state.next_order(&self.parts.policy, self.parts.clock.now());
        let ca = self.parts.issuer.ca_name(&fault.directory);
        tell(Change::Failed(words::sentence(fault, ca, &state.want.names, next)));
    }

    /// Looks at those that are due, and at all once in a while.
    fn look(&mut self, tell: &mut impl FnMut(Change)) {
        let now = self.parts.clock.now();
        let all = self.next_pass <= now || self.next_pass > now + self.parts.policy.check * 2;
        let ids: Vec<String> = self.due.iter().filter(|(_, at)| all || **at <= now).map(|(id, _)| id.clone()).collect();
        if all {
            // Spread, so that homes do not look in step.
            let spread = 0.9 + 0.2 * (self.parts.random)();
            self.next_pass = now + self.parts.policy.check * spread;
        }
        for id in ids {
            // An order that another process had, or that a former one left, is begun again by this.
            let event = if self.is_left(&id) { Event::Begin } else { Event::Look };
            self.take(&id, event, tell);
        }
        if self.queue_again.is_some_and(|at| at <= now) {
            self.pump(now);
        }
    }

    /// An order stands written down, and nobody here works on it.
    fn is_left(&self, id: &str) -> bool {
        let idle = !self.running.contains(id) && self.queue.iter().all(|(queued, _)| queued != id);
        idle && self.parts.store.meta(id).is_ok_and(|meta| meta.state.is_some_and(|state| state.order.is_some()))
    }

    fn sleep(&self) -> Duration {
        let now = self.parts.clock.now();
        let idle = self.due.iter().filter(|(id, _)| !self.running.contains(*id)).map(|(_, at)| *at);
        let next = idle.chain(self.queue_again).chain([self.next_pass]).min().unwrap_or(now + self.parts.policy.check);
        let longest = self.parts.policy.check.unsigned_abs();
        Duration::try_from(next - now).unwrap_or(Duration::ZERO).clamp(Duration::from_millis(20), longest)
    }
}

/// Orders one, unless somebody else does: `None`. Where somebody has since, it is taken over, and was not ordered here.
async fn order(parts: &Parts, id: &str, ask: &Ask, known: &str) -> Option<(Event, bool)> {
    let now = parts.clock.now();
    let faults = Faults { directory: &ask.directory, rehearsal: ask.rehearsal, now };
    let lease = match parts.store.lease(id, now) {
        Ok(Some(lease)) => lease,
        Ok(None) => return None,
        Err(told) => return Some((Event::Failed(faults.of_diagnostic(&told)), true)),
    };
    let stored = parts.store.load(id).ok().flatten();
    // Between the decision and the lease another process may have renewed it.
    if let Some(held) = stored.filter(|held| held.fingerprint != known && held.is_valid(now)) {
        return Some((Event::Issued { certificate: certificate(&held), exempt: true }, false));
    }
    let bytes = format!("{:016x}", ((parts.random)() * u64::MAX as f64) as u64);
    if let Err(told) = parts.store.probe(id, &bytes) {
        return Some((Event::Failed(faults.of_diagnostic(&told)), true));
    }
    let event = match parts.issuer.order(id, ask).await {
        Ok(Done::Rehearsed) => Event::Rehearsed,
        Ok(Done::Issued { certificate, exempt }) => Event::Issued { certificate, exempt },
        Err(fault) => Event::Failed(fault),
    };
    drop(lease);
    Some((event, true))
}

fn certificate(held: &Held) -> Certificate {
    let directory = match &held.source {
        Source::Acme(directory) => directory.clone(),
        Source::Imported => String::new(),
    };
    Certificate {
        id: held.ari_id.clone(),
        directory,
        names: held.names.clone(),
        not_before: held.not_before,
        not_after: held.not_after,
    }
}
