//! The machine itself.

use time::Duration;

use super::due;
use super::fault::{self, Fault, FaultKind};
use super::limits::{FAILURES, FAILURES_TIME, ISSUED, ISSUED_TIME};
use super::{
    Ari, Ask, Authority, Certificate, Effect, Event, Next, Note, Open, Policy, Standing, State, Time, Urgent, Window,
};

/// How long the authority's suggestion holds where it does not say, and the bounds of what it may say.
const POLL: Duration = Duration::hours(6);
const POLL_LEAST: Duration = Duration::minutes(1);
const POLL_MOST: Duration = Duration::days(1);
/// After a suggestion that could not be had.
const POLL_AGAIN: Duration = Duration::hours(1);
/// Alarms are repeated.
const ALARM_EVERY: Duration = Duration::days(1);
/// Without any certificate an alarm waits for so long: a first failure is often mended within it.
const ALARM_FIRST: Duration = Duration::hours(1);
/// Failures of the first authority before the second steps in where nothing is served yet.
const STEP_IN: u32 = 3;
/// A clock that is wrong is looked at again.
const CLOCK_AGAIN: Duration = Duration::hours(6);

/// One step. `random` is in 0..1 and used once at most.
pub fn step(state: &State, policy: &Policy, event: Event, now: Time, random: f64) -> (State, Vec<Effect>) {
    let mut step = Step { state: state.clone(), policy, now, random, effects: Vec::new() };
    step.clock_went_back();
    step.take(event);
    step.look();
    (step.state, step.effects)
}

impl State {
    /// When the certificate is next ordered, and why; `None` while an order runs, or where a person must act first.
    pub fn next_order(&self, policy: &Policy, now: Time) -> Option<Next> {
        if self.order.is_some() {
            return None;
        }
        let due = due::due(self, policy, now);
        let at = policy.authorities.iter().enumerate().filter_map(|(i, a)| {
            let standing = self.standings.get(&a.directory);
            let usable = !standing.is_some_and(|s| s.stopped) && (i == 0 || self.second_may(policy, now));
            usable.then(|| standing.and_then(|s| s.next).map_or(due.at, |next| next.max(due.at)))
        });
        at.min().map(|at| Next { at, why: due.why })
    }

    /// When to look at it next; the caller looks once in [`Policy::check`] all the same.
    pub fn next_look(&self, policy: &Policy, now: Time) -> Time {
        let poll = self.certificate.as_ref().and_then(|c| c.id.as_ref()).map(|_| self.next_poll.unwrap_or(now));
        let order = self.next_order(policy, now).map(|next| next.at);
        let alarm = self.alarm_at(now).filter(|_| self.fault.is_some());
        [poll, order, alarm].into_iter().flatten().min().unwrap_or(now + policy.check)
    }

    /// Whether the first authority has failed for so long that the second may be asked.
    fn second_may(&self, policy: &Policy, now: Time) -> bool {
        let Some(first) = policy.authorities.first() else { return false };
        let first = self.standing(&first.directory);
        let failures = first.validations + first.passing;
        if !first.stopped && self.fault.as_ref().is_some_and(Fault::is_here) {
            return false;
        }
        let put_off = |least: Duration| first.next.is_some_and(|next| next > now + least);
        first.stopped
            || match &self.certificate {
                Some(c) => c.left(now) * 4 <= c.lifetime() && (failures > 0 || put_off(Duration::ZERO)),
                None => failures >= STEP_IN || put_off(ALARM_FIRST),
            }
    }

    /// When the next alarm is given if failures go on.
    fn alarm_at(&self, now: Time) -> Option<Time> {
        let first = match &self.certificate {
            Some(c) => c.not_after - c.lifetime() / 4,
            None => self.failing_since? + ALARM_FIRST,
        };
        let first = first.max(self.failing_since?);
        Some(self.alarmed.filter(|at| *at <= now).map_or(first, |last| first.max(last + ALARM_EVERY)))
    }
}

struct Step<'a> {
    state: State,
    policy: &'a Policy,
    now: Time,
    random: f64,
    effects: Vec<Effect>,
}

impl Step<'_> {
    fn take(&mut self, event: Event) {
        match event {
            Event::Begin => self.begin(),
            Event::Look => {}
            Event::Wanted(want) => {
                if want.names != self.state.want.names {
                    // Whatever was refused was refused for other names.
                    self.state.order = None;
                    self.forgive(None);
                }
                self.state.want = want;
            }
            Event::Held(certificate) => self.hold(certificate),
            Event::Issued { certificate, exempt } => self.issued(certificate, exempt),
            Event::Rehearsed => self.rehearsed(),
            Event::Failed(fault) => self.failed(fault),
            Event::Suggested { id, window, explanation, retry_after } => {
                self.suggested(id, window, explanation, retry_after);
            }
            Event::NoSuggestion { unsupported } => {
                self.state.next_poll = Some(self.now + if unsupported { POLL_MOST } else { POLL_AGAIN });
            }
            Event::Revoked => self.state.urgent = Some(Urgent::Revoked),
            Event::Asked => self.asked(),
        }
    }

    /// What lies further ahead than anything ever waits was written by a clock that has been set back since.
    fn clock_went_back(&mut self) {
        let (now, soon) = (self.now, self.now + Duration::minutes(1));
        if self.state.next_poll.is_some_and(|at| at > now + POLL_MOST) {
            self.state.next_poll = None;
        }
        for standing in self.state.standings.values_mut() {
            standing.failures.retain(|t| *t + FAILURES_TIME > now && *t <= soon);
            standing.issued.retain(|t| *t + ISSUED_TIME > now && *t <= soon);
            let furthest = if standing.issued.len() < ISSUED { Duration::hours(40) } else { ISSUED_TIME };
            if standing.next.is_some_and(|next| next > now + furthest) {
                standing.next = Some(now + Duration::hours(1));
            }
        }
        self.state.failing_since = self.state.failing_since.map(|t| t.min(now));
    }

    fn begin(&mut self) {
        self.state.next_poll = None;
        if let Some(open) = self.state.order.clone() {
            match self.policy.authorities.iter().find(|a| a.directory == open.directory).cloned() {
                Some(authority) => self.order(&authority, open.rehearsal, open.replaces, false),
                None => self.state.order = None,
            }
        }
    }

    fn hold(&mut self, certificate: Certificate) {
        if self.state.certificate.as_ref() != Some(&certificate) {
            self.state.ari = None;
            self.state.next_poll = None;
            self.state.certificate = Some(certificate);
        }
    }

    fn issued(&mut self, certificate: Certificate, exempt: bool) {
        let (directory, now) = (certificate.directory.clone(), self.now);
        let sound = certificate.not_after > now && certificate.not_before <= now + Duration::days(1);
        let (not_before, not_after) = (certificate.not_before, certificate.not_after);
        self.hold(certificate);
        self.state.order = None;
        self.state.urgent = None;
        self.forgive(None);
        let standing = self.standing(&directory);
        if !exempt {
            standing.issued.push(now);
        }
        if !sound {
            standing.next = Some(now + CLOCK_AGAIN);
            self.effects.push(Effect::Tell(Note::TimeWrong { not_before, not_after }));
        }
    }

    /// Forgets failures, of one authority or of all; what the authorities count is kept.
    fn forgive(&mut self, directory: Option<&str>) {
        for (of, standing) in &mut self.state.standings {
            if directory.is_none_or(|d| d == of) {
                let (failures, issued) = (std::mem::take(&mut standing.failures), std::mem::take(&mut standing.issued));
                *standing = Standing { failures, issued, ..Standing::default() };
            }
        }
        self.state.fault = None;
        self.state.failing_since = None;
        self.state.alarmed = None;
    }

    fn rehearsed(&mut self) {
        if let Some(open) = self.state.order.take() {
            let standing = self.standing(&open.directory);
            standing.rehearse = false;
            standing.next = None;
        }
    }

    fn asked(&mut self) {
        self.state.urgent = Some(Urgent::Asked);
        let now = self.now;
        for authority in &self.policy.authorities {
            let standing = self.state.standings.entry(authority.directory.clone()).or_default();
            standing.stopped = false;
            standing.rehearse = authority.staging.is_some();
            // A limit is not lifted by asking.
            if standing.validations + standing.passing > 0 {
                standing.next = Some(now);
            }
        }
    }

    fn failed(&mut self, fault: Fault) {
        let open = self.state.order.take();
        let pressed = fault::pressed(&self.state, self.now);
        let late = fault::late(&self.state, self.now);
        let (now, spread) = (self.now, 1.0 + self.random * 0.1);
        let staging = self.policy.authorities.iter().any(|a| a.directory == fault.directory && a.staging.is_some());
        let standing = self.standing(&fault.directory);
        match fault.kind {
            FaultKind::Busy => standing.next = Some(fault::busy(&fault, now)),
            FaultKind::Passing => {
                standing.passing += 1;
                standing.next = Some(now + fault::short(standing.passing, late) * spread);
            }
            FaultKind::Validation => {
                standing.validations += 1;
                standing.next = Some(now + fault::long(standing.validations, pressed) * spread);
                standing.rehearse = staging;
                if !fault.rehearsal {
                    standing.failures.push(now);
                }
            }
            FaultKind::Refused => standing.stopped = true,
            FaultKind::Action => standing.next = Some(fault::action(now)),
            FaultKind::NoAccount if !standing.reregistered => {
                standing.reregistered = true;
                standing.next = None;
            }
            FaultKind::NoAccount => {
                // The new account came to nothing: the process was killed, or the order failed before it was made. Another one, later.
                standing.passing += 1;
                standing.next = Some(now + fault::short(standing.passing, late) * spread);
                standing.reregistered = false;
            }
        }
        // What staging says about itself says nothing about production, which must not wait for it; but not at once either.
        let about_staging = matches!(fault.kind, FaultKind::Busy | FaultKind::Passing | FaultKind::Action);
        if fault.rehearsal && about_staging {
            standing.rehearse = false;
            standing.next = Some(now + fault::long(2, pressed) * spread);
        }
        let new_account = fault.kind == FaultKind::NoAccount && standing.next.is_none();
        self.remember(fault.clone());
        match fault.kind {
            FaultKind::Refused => self.effects.push(Effect::Tell(Note::Stopped { fault })),
            FaultKind::Action => self.effects.push(Effect::Tell(Note::Action { link: fault.link.clone(), fault })),
            _ => {}
        }
        if let (true, Some(open)) = (new_account, open)
            && let Some(authority) = self.policy.authorities.iter().find(|a| a.directory == open.directory).cloned()
        {
            self.order(&authority, open.rehearsal, open.replaces, true);
        }
    }

    fn remember(&mut self, fault: Fault) {
        self.state.failing_since.get_or_insert(self.now);
        self.state.fault = Some(fault);
    }

    fn suggested(&mut self, id: String, window: Window, explanation: Option<String>, retry_after: Option<Duration>) {
        self.state.next_poll = Some(self.now + retry_after.unwrap_or(POLL).clamp(POLL_LEAST, POLL_MOST));
        if self.state.certificate.as_ref().and_then(|c| c.id.as_ref()) != Some(&id) || window.end < window.start {
            return;
        }
        let before = self.state.ari.as_ref().filter(|ari| ari.id == id);
        if let Some(ari) = before.filter(|ari| ari.window == window) {
            // The time stays, so that asking often does not make it earlier and earlier.
            self.state.ari = Some(Ari { explanation, ..ari.clone() });
            return;
        }
        let chosen = window.start + (window.end - window.start) * self.random.clamp(0.0, 1.0);
        if before.is_some() {
            self.effects.push(Effect::Tell(Note::WindowMoved { window, chosen, explanation: explanation.clone() }));
        }
        self.state.ari = Some(Ari { id, window, chosen, explanation });
    }

    fn look(&mut self) {
        self.poll();
        if self.state.order.is_none() {
            self.maybe_order();
        }
        self.maybe_alarm();
    }

    fn poll(&mut self) {
        let Some(certificate) = &self.state.certificate else { return };
        let Some(id) = certificate.id.clone() else { return };
        if self.state.next_poll.is_none_or(|at| at <= self.now) {
            let directory = certificate.directory.clone();
            // Until the answer comes; and if none ever does, again then.
            self.state.next_poll = Some(self.now + POLL_AGAIN);
            self.effects.push(Effect::Poll { directory, id });
        }
    }

    fn maybe_order(&mut self) {
        let due = due::due(&self.state, self.policy, self.now);
        if due.at > self.now {
            return;
        }
        let second = self.state.second_may(self.policy, self.now);
        for (i, authority) in self.policy.authorities.iter().enumerate() {
            if i > 0 && !second {
                continue;
            }
            let replaces = self.replaces(authority);
            if !self.may(authority, replaces.is_some()) {
                continue;
            }
            if i > 0 {
                self.effects.push(Effect::Tell(Note::StepsIn { directory: authority.directory.clone() }));
            }
            let rehearsal = self.state.standing(&authority.directory).rehearse && authority.staging.is_some();
            return self.order(&authority.clone(), rehearsal, replaces, false);
        }
    }

    /// Whether an order may go to this authority now; where its limits forbid one, it is put off.
    fn may(&mut self, authority: &Authority, exempt: bool) -> bool {
        let now = self.now;
        let standing = self.standing(&authority.directory);
        if standing.stopped || standing.next.is_some_and(|next| next > now) {
            return false;
        }
        if standing.rehearse && authority.staging.is_some() {
            return true;
        }
        let of_failures = oldest(&standing.failures, FAILURES).map(|t| t + FAILURES_TIME);
        let of_issued = oldest(&standing.issued, ISSUED).filter(|_| !exempt).map(|t| t + ISSUED_TIME);
        match of_failures.max(of_issued).filter(|at| *at > now) {
            Some(at) => {
                standing.next = Some(at);
                false
            }
            None => true,
        }
    }

    /// The identifier that the new order replaces: only the authority that issued it knows it.
    fn replaces(&self, authority: &Authority) -> Option<String> {
        let certificate = self.state.certificate.as_ref().filter(|c| c.directory == authority.directory)?;
        // It must have a name in common, and Let's Encrypt's exemption wants the same set.
        certificate.id.clone().filter(|_| certificate.names == self.state.want.names)
    }

    fn order(&mut self, authority: &Authority, rehearsal: bool, replaces: Option<String>, new_account: bool) {
        let staging = authority.staging.clone().filter(|_| rehearsal);
        let rehearsal = staging.is_some();
        let replaces = replaces.filter(|_| !rehearsal);
        self.state.order = Some(Open {
            directory: authority.directory.clone(),
            rehearsal,
            replaces: replaces.clone(),
            since: self.now,
        });
        self.effects.push(Effect::Order(Ask {
            want: self.state.want.clone(),
            url: staging.unwrap_or_else(|| authority.directory.clone()),
            directory: authority.directory.clone(),
            rehearsal,
            replaces,
            new_account,
        }));
    }

    fn maybe_alarm(&mut self) {
        let Some(fault) = self.state.fault.clone() else { return };
        if self.state.alarm_at(self.now).is_some_and(|at| at <= self.now) {
            self.state.alarmed = Some(self.now);
            let left = self.state.certificate.as_ref().map(|c| c.left(self.now));
            self.effects.push(Effect::Tell(Note::Alarm { left, fault }));
        }
    }

    fn standing(&mut self, directory: &str) -> &mut Standing {
        self.state.standings.entry(directory.to_owned()).or_default()
    }
}

/// Of `most` latest times the oldest; `None` where there are fewer.
fn oldest(times: &[Time], most: usize) -> Option<Time> {
    times.len().checked_sub(most).and_then(|at| times.get(at)).copied()
}
