//! When a certificate is ordered, at which authority, and what follows from each answer: one pure state machine.
//!
//! [`step`] takes what is known of one certificate ([`State`]), what happened ([`Event`]), the time and one random number, and gives the
//! new state and what to do about it ([`Effect`]). The state is all that has to be kept; it is written to the disk after each step, so that a
//! process that is killed goes on where it was. [`Limiter`] holds back orders of the whole process so that no authority's limit is reached.
//!
//! | rule | where |
//! |---|---|
//! | when a certificate is due, and why | [`due`] |
//! | what each failure leads to, and how long is waited | [`fault`] |
//! | rehearsal at staging, the second authority, alarms | [`step`] |
//! | limits over all certificates | [`limits`] |
//!
//! Nothing here knows how long certificates live: every rule is a share of the certificate's own lifetime.

pub mod due;
pub mod fault;
pub mod limits;
mod stamps;
mod step;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

pub use due::{Next, Reason};
pub use fault::{Fault, FaultKind};
pub use limits::{Held, Limiter};
pub use step::step;

/// A point in time, always given by the caller.
pub type Time = OffsetDateTime;

/// What does not change while Hearth runs: how often it looks, and who issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The longest time between two looks at a certificate.
    pub check: Duration,
    /// The first one issues; the second, where there is one, steps in when the first fails for long.
    pub authorities: Vec<Authority>,
}

/// The usual time between two looks.
pub const CHECK: Duration = Duration::minutes(10);

/// Somebody who issues certificates by ACME.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// As people know it: `Let's Encrypt`.
    pub name: String,
    /// Its directory URL.
    pub directory: String,
    /// The directory of its staging environment, where it has one.
    pub staging: Option<String>,
}

/// What a certificate should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Normal form (lower case, punycode, no dot at the end), sorted, each once.
    pub names: Vec<String>,
    /// The authority's profile to ask for, where it lists it.
    pub profile: Option<String>,
    #[serde(default)]
    pub key: KeyType,
}

/// The kind of private key; each certificate gets a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyType {
    #[default]
    #[serde(rename = "p256")]
    P256,
    #[serde(rename = "p384")]
    P384,
}

/// Everything that is kept about one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub want: Want,
    /// The one that is stored and served.
    pub certificate: Option<Certificate>,
    /// What the authority said about renewing it (RFC 9773).
    pub ari: Option<Ari>,
    /// When to ask the authority again about renewing it; `None`: at the next look.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_poll: Option<Time>,
    /// An order that runs, or ran when the process ended.
    pub order: Option<Open>,
    /// A reason to renew that no date gives, kept until there is a new certificate.
    pub urgent: Option<Urgent>,
    /// How it stands with each authority, by its directory.
    #[serde(default)]
    pub standings: BTreeMap<String, Standing>,
    /// The last failure since the last success.
    pub fault: Option<Fault>,
    /// When failures began since the last success.
    #[serde(with = "time::serde::rfc3339::option")]
    pub failing_since: Option<Time>,
    /// When the last alarm was given.
    #[serde(with = "time::serde::rfc3339::option")]
    pub alarmed: Option<Time>,
}

impl State {
    /// One that has no certificate yet.
    pub fn new(want: Want) -> State {
        State {
            want,
            certificate: None,
            ari: None,
            next_poll: None,
            order: None,
            urgent: None,
            standings: BTreeMap::new(),
            fault: None,
            failing_since: None,
            alarmed: None,
        }
    }

    /// How it stands with an authority.
    pub fn standing(&self, directory: &str) -> Standing {
        self.standings.get(directory).cloned().unwrap_or_default()
    }
}

/// What matters of a certificate for its renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its identifier for renewal information and `replaces` (RFC 9773 section 4.1), where the certificate gives one.
    pub id: Option<String>,
    /// The directory of the authority that issued it.
    pub directory: String,
    /// As in [`Want::names`].
    pub names: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: Time,
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: Time,
}

impl Certificate {
    pub fn lifetime(&self) -> Duration {
        self.not_after - self.not_before
    }
    /// Negative when it has expired.
    pub fn left(&self, now: Time) -> Duration {
        self.not_after - now
    }
    pub fn is_valid(&self, now: Time) -> bool {
        self.not_before <= now && now < self.not_after
    }
}

/// The authority's suggestion for one certificate, and the time chosen within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ari {
    /// The certificate that it is about.
    pub id: String,
    pub window: Window,
    /// Uniformly random within the window, once for each window.
    #[serde(with = "time::serde::rfc3339")]
    pub chosen: Time,
    /// A page that explains the window, where the authority names one.
    pub explanation: Option<String>,
}

/// From `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    #[serde(with = "time::serde::rfc3339")]
    pub start: Time,
    #[serde(with = "time::serde::rfc3339")]
    pub end: Time,
}

/// An order that was begun and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The directory of the authority, also when `rehearsal`.
    pub directory: String,
    /// At the authority's staging environment.
    pub rehearsal: bool,
    pub replaces: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub since: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgent {
    /// The authority took it back.
    Revoked,
    /// A person asked for it: at staging first.
    Asked,
}

/// How it stands with one authority.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Not before this time; `None`: at once.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next: Option<Time>,
    /// The authority refused for good: a person must change something.
    pub stopped: bool,
    /// The next try goes to staging.
    pub rehearse: bool,
    /// Failed validations in a row, rehearsals included.
    pub validations: u32,
    /// Failures in a row that pass by themselves.
    pub passing: u32,
    /// The account was asked to be made anew, and nothing has come of it yet: not again at once.
    pub reregistered: bool,
    /// Failed validations of the last hour that counted at the authority.
    #[serde(with = "stamps", default)]
    pub failures: Vec<Time>,
    /// Certificates of the last week that counted at the authority.
    #[serde(with = "stamps", default)]
    pub issued: Vec<Time>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The process begins: what was open is resumed.
    Begin,
    /// Time has passed.
    Look,
    /// What is wanted of this certificate.
    Wanted(Want),
    /// There is a certificate that serves: found in the store.
    Held(Certificate),
    /// An order ended well and its certificate is stored. `exempt`: the authority took it as a replacement, which counts against no limit.
    Issued { certificate: Certificate, exempt: bool },
    /// The rehearsal at staging ended well.
    Rehearsed,
    /// An order ended badly.
    Failed(Fault),
    /// The authority's suggestion, and how long it holds by its own word.
    Suggested { id: String, window: Window, explanation: Option<String>, retry_after: Option<Duration> },
    /// The suggestion could not be had.
    NoSuggestion {
        /// The authority never gives any.
        unsupported: bool,
    },
    /// The certificate was revoked.
    Revoked,
    /// A person asks for a renewal now.
    Asked,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask `directory` about renewing the certificate `id`; answered by [`Event::Suggested`] or [`Event::NoSuggestion`].
    Poll { directory: String, id: String },
    /// Order; answered by [`Event::Issued`], [`Event::Rehearsed`] or [`Event::Failed`].
    Order(Ask),
    /// Something that people should know.
    Tell(Note),
}

/// An order to be made, or gone on with where one is open for the same directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub want: Want,
    /// Where to order: the staging directory when `rehearsal`.
    pub url: String,
    /// The authority's own directory.
    pub directory: String,
    /// The certificate is thrown away.
    pub rehearsal: bool,
    /// The certificate that is replaced, where the authority knows renewal information.
    pub replaces: Option<String>,
    /// Make the account anew: the authority does not know it any more.
    pub new_account: bool,
}

/// What people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The authority moved the time of renewal.
    WindowMoved { window: Window, chosen: Time, explanation: Option<String> },
    /// Renewal fails and the certificate has `left` (negative: it has expired; `None`: there is none).
    Alarm { left: Option<Duration>, fault: Fault },
    /// Nothing is tried any more at this authority until a person changes something.
    Stopped { fault: Fault },
    /// A person has to visit a page of the authority.
    Action { link: Option<String>, fault: Fault },
    /// The second authority is asked because the first fails.
    StepsIn { directory: String },
    /// What was issued is not valid at this machine's time.
    TimeWrong { not_before: Time, not_after: Time },
}
