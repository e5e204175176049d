//! Simulated years: certificates, authorities, trouble, and a process that is killed now and then and goes on from what it kept.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use time::Duration;

use super::super::{
    Ask, Authority, CHECK, Certificate, Effect, Event, Fault, FaultKind, Held, KeyType, Limiter, Note, Policy, State,
    Time, Want, step,
};
use super::authority::{Ca, Trouble, What};
use super::begin;

/// SplitMix64: all that the simulation needs of randomness.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// In 0..1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + (most - least) * self.share()
    }
}

pub fn days(n: i64) -> Duration {
    Duration::days(n)
}

pub struct Plan {
    pub lifetime: Duration,
    pub longest: Duration,
    /// How much time a moved window leaves at the end at the least.
    pub room: Duration,
    pub only_outages: bool,
    pub calm: bool,
    pub ari: bool,
    pub late_windows: bool,
    pub second: bool,
    pub revoke: bool,
    pub certificates: usize,
    pub years: f64,
}

impl Plan {
    pub fn usual(lifetime: Duration) -> Plan {
        Plan {
            lifetime,
            longest: Duration::ZERO,
            room: Duration::ZERO,
            only_outages: false,
            calm: false,
            ari: true,
            late_windows: false,
            second: false,
            revoke: false,
            certificates: 2,
            years: 2.0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Look(usize, u64),
    Answer(usize, String),
    Ends(usize, u64),
    Pump,
    MoveWindows,
    Revoke,
    Killed,
}

pub struct World {
    now: Time,
    random: Random,
    policy: Policy,
    cas: Vec<Ca>,
    states: Vec<State>,
    limiter: Limiter,
    queue: VecDeque<(usize, Ask)>,
    running: BTreeMap<usize, (Ask, u64)>,
    agenda: BinaryHeap<Reverse<(Time, u64, Happens)>>,
    count: u64,
    look: Vec<u64>,
    pump_at: Option<Time>,
    held: Vec<Vec<(Time, Certificate)>>,
    alarms: Vec<(usize, Time)>,
    log: Vec<String>,
    pub revoked: Vec<(usize, Time, Option<Time>)>,
    until: Time,
    room: Duration,
}

impl World {
    pub fn run(seed: u64, plan: &Plan) -> World {
        let mut world = World::new(seed, plan);
        world.start();
        while let Some(Reverse((at, _, what))) = world.agenda.pop() {
            if at > world.until {
                break;
            }
            world.now = at;
            world.happen(what);
        }
        world
    }

    fn new(seed: u64, plan: &Plan) -> World {
        let mut random = Random(seed);
        let until = begin() + Duration::days(365) * plan.years;
        let mut cas = vec![Ca::new("first", plan.lifetime)];
        if plan.second {
            cas.push(Ca::new("second", plan.lifetime));
        }
        let authority = |ca: &Ca| Authority {
            name: ca.directory.clone(),
            directory: ca.directory.clone(),
            staging: Some(ca.staging.clone()),
        };
        let policy = Policy { check: CHECK, authorities: cas.iter().map(authority).collect() };
        cas[0].ari = plan.ari;
        cas[0].late_windows = plan.late_windows;
        let want = |i: usize| Want {
            names: vec![format!("{i}.example.org"), "of-all.example.org".into()],
            profile: None,
            key: KeyType::P256,
        };
        let states: Vec<State> = (0..plan.certificates).map(|i| State::new(want(i))).collect();
        let mut world = World {
            now: begin(),
            policy,
            look: vec![0; states.len()],
            pump_at: None,
            held: vec![Vec::new(); states.len()],
            states,
            cas,
            limiter: Limiter::default(),
            queue: VecDeque::new(),
            running: BTreeMap::new(),
            agenda: BinaryHeap::new(),
            count: 0,
            alarms: Vec::new(),
            log: Vec::new(),
            revoked: Vec::new(),
            until,
            room: plan.room,
            random: Random(random.next()),
        };
        if !plan.calm {
            world.troubles(plan, &mut random);
        }
        let mut at = begin();
        while at < until {
            at += random.between(days(3), days(60));
            world.at(at, Happens::Killed);
            if !plan.late_windows {
                let moved = at + random.between(Duration::ZERO, days(5));
                world.at(moved, Happens::MoveWindows);
            }
            if plan.revoke {
                let revoked = at + random.between(Duration::ZERO, days(30));
                world.at(revoked, Happens::Revoke);
            }
        }
        world
    }

    /// One trouble after the other, with time enough between them to recover from the last.
    fn troubles(&mut self, plan: &Plan, random: &mut Random) {
        let mut at = begin() + days(2);
        while at < self.until {
            at += random.between(plan.lifetime, plan.lifetime * 2);
            let kinds = [What::Outage, What::Limited, What::Unreachable, What::LostAccounts];
            let what = if plan.only_outages { What::Outage } else { kinds[(random.next() % 4) as usize] };
            let longest = match what {
                What::Outage => plan.longest,
                What::Limited => plan.longest.min(Duration::hours(34)),
                // After a failed validation a day may pass until the next try.
                What::Unreachable => plan.longest / 2,
                What::LostAccounts => Duration::seconds(1),
            };
            let long = random.share() < 0.5;
            let to = at + if long { longest } else { random.between(Duration::ZERO, longest) };
            self.cas[0].troubles.push(Trouble { from: at, to, what });
            at = to;
        }
    }

    fn start(&mut self) {
        self.limiter = Limiter::default();
        self.queue.clear();
        self.running.clear();
        self.cas.iter_mut().for_each(|ca| ca.running.clear());
        // What the disk holds: every step is written to it.
        let kept = self.states.iter().map(|s| serde_json::to_string(s).unwrap());
        self.states = kept.map(|text| serde_json::from_str(&text).unwrap()).collect();
        for state in &self.states {
            for (url, standing) in &state.standings {
                standing.failures.iter().for_each(|t| self.limiter.failed(url, &state.want.names, *t));
            }
        }
        (0..self.states.len()).for_each(|i| self.tell(i, Event::Begin));
    }

    fn at(&mut self, at: Time, what: Happens) {
        self.count += 1;
        self.agenda.push(Reverse((at, self.count, what)));
    }

    fn happen(&mut self, what: Happens) {
        match what {
            // Looks that a later one took the place of.
            Happens::Look(i, nth) if self.look[i] == nth => self.tell(i, Event::Look),
            Happens::Look(..) => {}
            Happens::Answer(i, id) => self.answer(i, id),
            Happens::Ends(i, nth) => self.ends(i, nth),
            Happens::Pump => self.pump(),
            Happens::MoveWindows => {
                let World { cas, random, now, room, .. } = self;
                cas.iter_mut().for_each(|ca| ca.move_windows(random, *now, *room));
            }
            Happens::Revoke => {
                let i = (self.random.next() % self.states.len() as u64) as usize;
                let held = self.states[i].certificate.clone().and_then(|c| c.id);
                if let Some(id) = held.filter(|_| self.revoked.iter().all(|(_, _, replaced)| replaced.is_some())) {
                    self.cas[0].revoke(&id, self.now);
                    self.revoked.push((i, self.now, None));
                }
            }
            Happens::Killed => self.start(),
        }
    }

    fn tell(&mut self, i: usize, event: Event) {
        if event != Event::Look {
            self.log.push(format!("{} {i} {event:?}", self.now));
        }
        let random = self.random.share();
        let (state, effects) = step(&self.states[i], &self.policy, event, self.now, random);
        self.states[i] = state;
        for effect in effects {
            match effect {
                Effect::Poll { id, .. } => {
                    let at = self.now + self.random.between(Duration::ZERO, Duration::seconds(5));
                    self.at(at, Happens::Answer(i, id));
                }
                Effect::Order(ask) => self.queue.push_back((i, ask)),
                Effect::Tell(note) => {
                    self.log.push(format!("{} {i} {note:?}", self.now));
                    if matches!(note, Note::Alarm { .. }) {
                        self.alarms.push((i, self.now));
                    }
                }
            }
        }
        self.pump();
        let next = self.states[i].next_look(&self.policy, self.now);
        self.look[i] += 1;
        // Late by up to one look.
        let late = self.policy.check * self.random.share();
        self.at(next.max(self.now) + late, Happens::Look(i, self.look[i]));
    }

    fn pump(&mut self) {
        let mut waiting = VecDeque::new();
        let mut later: Option<Time> = None;
        let mut full: Vec<String> = Vec::new();
        while let Some((i, ask)) = self.queue.pop_front() {
            if self.running.contains_key(&i) {
                waiting.push_back((i, ask));
                continue;
            }
            if full.contains(&ask.url) {
                waiting.push_back((i, ask));
                continue;
            }
            match self.limiter.admit(&ask.url, &ask.want.names, self.now) {
                Ok(()) => self.begins(i, ask),
                Err(held) => {
                    let again = match held {
                        Held::Account(again) => {
                            full.push(ask.url.clone());
                            again
                        }
                        Held::Names(at) => Some(at),
                    };
                    waiting.push_back((i, ask));
                    later = again.into_iter().chain(later).min();
                }
            }
        }
        self.queue = waiting;
        if let Some(at) = later.filter(|at| self.pump_at.is_none_or(|known| *at < known || known <= self.now)) {
            self.pump_at = Some(at);
            self.at(at, Happens::Pump);
        }
    }

    fn begins(&mut self, i: usize, ask: Ask) {
        let resumed = self.states[i].order.as_ref().is_some_and(|open| open.since < self.now);
        let now = self.now;
        self.ca(&ask.directory).begins(&ask, resumed, now);
        self.count += 1;
        let nth = self.count;
        self.running.insert(i, (ask, nth));
        let at = now + self.random.between(Duration::seconds(4), Duration::seconds(120));
        self.at(at, Happens::Ends(i, nth));
    }

    fn ends(&mut self, i: usize, nth: u64) {
        // An order of a process that was killed ends nowhere.
        if self.running.get(&i).is_none_or(|(_, of)| *of != nth) {
            return;
        }
        let Some((ask, _)) = self.running.remove(&i) else { return };
        self.limiter.ended(&ask.url);
        let now = self.now;
        let World { cas, random, .. } = self;
        let ca = cas.iter_mut().find(|ca| ca.directory == ask.directory).unwrap();
        let event = match ca.ends(&ask, now, random) {
            Ok(_) if ask.rehearsal => Event::Rehearsed,
            Ok((certificate, exempt)) => {
                self.held[i].push((now, certificate.clone()));
                self.revoked.iter_mut().filter(|r| r.0 == i).for_each(|r| r.2 = r.2.or(Some(now)));
                Event::Issued { certificate, exempt }
            }
            Err(fault) => {
                if fault.kind == FaultKind::Validation {
                    self.limiter.failed(&ask.url, &ask.want.names, now);
                }
                Event::Failed(fault)
            }
        };
        self.tell(i, event);
    }

    fn answer(&mut self, i: usize, id: String) {
        let Some(directory) = self.states[i].certificate.as_ref().map(|c| c.directory.clone()) else { return };
        let now = self.now;
        let ca = self.ca(&directory);
        let event = match ca.window(&id) {
            _ if ca.is_down(now) => Event::NoSuggestion { unsupported: false },
            Some(window) if ca.ari => {
                Event::Suggested { id, window, explanation: None, retry_after: Some(Duration::hours(6)) }
            }
            _ => Event::NoSuggestion { unsupported: !ca.ari },
        };
        self.tell(i, event);
    }

    fn ca(&mut self, directory: &str) -> &mut Ca {
        self.cas.iter_mut().find(|ca| ca.directory == directory).unwrap()
    }

    pub fn violations(&self) -> Vec<String> {
        self.cas.iter().flat_map(|ca| ca.violations.clone()).collect()
    }

    pub fn most_failures_in_an_hour(&self) -> usize {
        self.cas.iter().map(|ca| ca.most_failures).max().unwrap_or(0)
    }

    pub fn renewals(&self) -> usize {
        self.held.iter().map(Vec::len).sum()
    }

    /// Times at which a certificate had expired and the next was not there.
    pub fn gaps(&self) -> Vec<(usize, Time, Time)> {
        let mut gaps = Vec::new();
        for (i, held) in self.held.iter().enumerate() {
            let ends = held.iter().map(|(_, c)| c.not_after);
            let begins = held.iter().skip(1).map(|(at, _)| *at).chain([self.until]);
            gaps.extend(ends.zip(begins).filter(|(end, begin)| end < begin).map(|(end, begin)| (i, end, begin)));
            if held.is_empty() {
                gaps.push((i, begin(), self.until));
            }
        }
        gaps
    }

    /// The end of the outage in which this moment fell, or which ended up to `after` before it.
    pub fn outage_at(&self, at: Time, after: Duration) -> Option<Time> {
        let mut outages = self.cas[0].troubles.iter().filter(|t| t.what == What::Outage);
        outages.find(|t| t.from <= at && at < t.to + after).map(|t| t.to.min(self.until))
    }

    /// When the certificate that expires at `end` was there.
    pub fn issued_before(&self, of: usize, end: Time) -> Time {
        let mut held = self.held[of].iter().filter(|(at, _)| *at < end).map(|(at, _)| *at);
        held.next_back().unwrap_or(begin())
    }

    /// In how many ways windows were moved.
    pub fn kinds_of_windows(&self) -> usize {
        self.cas[0].ways.len()
    }

    pub fn alarmed(&self, of: usize, from: Time, to: Time) -> bool {
        self.alarms.iter().any(|(i, at)| *i == of && from <= *at && *at <= to)
    }

    /// The last that happened, for the report of a failure.
    pub fn story(&self) -> String {
        let troubles: Vec<String> =
            self.cas[0].troubles.iter().map(|t| format!("{:?} {} to {}", t.what, t.from, t.to)).collect();
        let gap = self.gaps().first().map(|g| g.1);
        let last = self.log.iter().rev().filter(|l| gap.is_none_or(|at| l.as_str() < at.to_string().as_str())).take(60);
        let last: Vec<&str> = last.map(String::as_str).collect();
        format!("{}\n{}", troubles.join("\n"), last.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }
}

/// A fault of a kind, for the rules one by one.
pub fn fault(kind: FaultKind, directory: &str, rehearsal: bool, when: Time) -> Fault {
    Fault {
        kind,
        problem: "x".to_owned(),
        detail: String::new(),
        when,
        directory: directory.to_owned(),
        rehearsal,
        retry_after: None,
        link: None,
    }
}
