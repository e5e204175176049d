//! What can go wrong with an order, and how long is waited then.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{State, Time};

/// A failed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// The authority's problem type without its prefix (`rateLimited`), or a word of ours (`network`).
    pub problem: String,
    /// What was said about it, safe to show.
    pub detail: String,
    #[serde(with = "time::serde::rfc3339")]
    pub when: Time,
    /// The directory of the authority, also for a rehearsal.
    pub directory: String,
    /// At its staging environment.
    pub rehearsal: bool,
    /// Not before this time, by the authority's word.
    #[serde(with = "time::serde::rfc3339::option")]
    pub retry_after: Option<Time>,
    /// A page where a person has to do something.
    pub link: Option<String>,
}

impl Fault {
    /// Whether the authority was not asked, because of something here: another one would be in vain too.
    pub fn is_here(&self) -> bool {
        ["closed", "manual", "ours"].contains(&self.problem.as_str())
    }
}

/// What a failure means for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A limit, or 429 or 503: the authority says when to come back.
    Busy,
    /// A refused nonce, the network, 5xx, an answer that is none, our own disk: it passes.
    Passing,
    /// The authority could not convince itself that the names are ours: something here has to be mended.
    Validation,
    /// The authority will not issue this, however often it is asked.
    Refused,
    /// The authority does not know our account any more.
    NoAccount,
    /// A person must do something at the authority.
    Action,
}

/// The longest wait that an authority's word can impose: its longest limit that passes by itself is 34 hours.
const LONGEST: Duration = Duration::hours(36);
/// Where a busy authority does not say how long.
const BUSY: Duration = Duration::hours(1);
/// A person rarely acts faster.
const ACTION: Duration = Duration::hours(24);

/// How long is waited after `n` failures in a row that pass by themselves, from 1. `late`: every minute is one without a valid
/// certificate, or soon will be.
pub fn short(n: u32, late: bool) -> Duration {
    const MINUTES: [i64; 7] = [1, 2, 5, 10, 20, 30, 60];
    let wait = Duration::minutes(MINUTES[(n.saturating_sub(1) as usize).min(MINUTES.len() - 1)]);
    if late { wait.min(Duration::minutes(10)) } else { wait }
}

/// Less than a twentieth of the lifetime is left, or nothing.
pub fn late(state: &State, now: Time) -> bool {
    state.certificate.as_ref().is_some_and(|c| c.left(now) * 20 < c.lifetime())
}

/// How long is waited after `n` failed validations in a row, from 1. `pressed`: less than a sixth of the lifetime is left.
pub fn long(n: u32, pressed: bool) -> Duration {
    const MINUTES: [i64; 5] = [1, 10, 100, 6 * 60, 24 * 60];
    let wait = Duration::minutes(MINUTES[(n.saturating_sub(1) as usize).min(MINUTES.len() - 1)]);
    if pressed { wait.min(Duration::hours(6)) } else { wait }
}

/// Less than a sixth of the lifetime is left, or there is no certificate.
pub fn pressed(state: &State, now: Time) -> bool {
    state.certificate.as_ref().is_none_or(|c| c.left(now) * 6 < c.lifetime())
}

/// When to come back to a busy authority.
pub fn busy(fault: &Fault, now: Time) -> Time {
    fault.retry_after.unwrap_or(now + BUSY).clamp(now + Duration::minutes(1), now + LONGEST)
}

/// When to try again where a person must act first.
pub fn action(now: Time) -> Time {
    now + ACTION
}
