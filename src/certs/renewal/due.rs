//! When a certificate is due, and why.

use time::Duration;

use super::{Certificate, Policy, State, Time, Urgent};

/// Why a certificate is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is none yet.
    Missing,
    Revoked,
    Asked,
    /// It has other names than are wanted.
    NamesChanged,
    /// It is from an authority that is not configured any more.
    OtherAuthority,
    /// The authority suggested this time.
    Suggested,
    /// A third of its lifetime is left, or a half where it lives for ten days at most. Only without a suggestion.
    Share,
    /// A twentieth of its lifetime is left, or five looks: whatever the authority suggested.
    Late,
}

impl Reason {
    /// As in "renewed at ..., because ...".
    pub fn words(self) -> &'static str {
        match self {
            Reason::Missing => "there is none yet",
            Reason::Revoked => "it was revoked",
            Reason::Asked => "it was asked for",
            Reason::NamesChanged => "other names are wanted",
            Reason::OtherAuthority => "another authority is configured",
            Reason::Suggested => "the authority suggested it",
            Reason::Share => "little of its lifetime is left",
            Reason::Late => "it is about to expire",
        }
    }
}

/// When something is to be done, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    pub at: Time,
    pub why: Reason,
}

/// The longest lifetime that counts as short: renewed at half of it.
const SHORT: Duration = Duration::days(10);

/// When the certificate becomes due. A time that has passed, or `now`, means that it is due.
pub fn due(state: &State, policy: &Policy, now: Time) -> Next {
    let at_once = |why| Next { at: now, why };
    let Some(certificate) = &state.certificate else { return at_once(Reason::Missing) };
    match state.urgent {
        Some(Urgent::Revoked) => return at_once(Reason::Revoked),
        Some(Urgent::Asked) => return at_once(Reason::Asked),
        None => {}
    }
    if certificate.names != state.want.names {
        return at_once(Reason::NamesChanged);
    }
    if !policy.authorities.iter().any(|a| a.directory == certificate.directory) {
        return at_once(Reason::OtherAuthority);
    }
    let late = Next { at: latest(certificate, policy), why: Reason::Late };
    let suggestion = state.ari.as_ref().filter(|ari| Some(&ari.id) == certificate.id.as_ref());
    let usual = match suggestion {
        Some(ari) => Next { at: ari.chosen - policy.check, why: Reason::Suggested },
        None => Next { at: by_share(certificate), why: Reason::Share },
    };
    if late.at <= usual.at { late } else { usual }
}

/// Where the authority suggests nothing.
fn by_share(certificate: &Certificate) -> Time {
    let lifetime = certificate.lifetime();
    certificate.not_after - if lifetime <= SHORT { lifetime / 2 } else { lifetime / 3 }
}

/// The last moment, whatever the authority suggests.
fn latest(certificate: &Certificate, policy: &Policy) -> Time {
    let twentieth: Duration = certificate.lifetime() / 20;
    certificate.not_after - twentieth.max(policy.check * 5)
}
