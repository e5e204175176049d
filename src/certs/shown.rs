//! What is really served, beside what is stored: each routed host was asked over TLS, and this says what its answer means for each
//! stored certificate.

use time::{Duration, OffsetDateTime};

use super::store::{Held, choose};
use super::tell::span;

/// What one host showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub host: String,
    /// `Err`: why there was no certificate, in words.
    pub leaf: Result<Leaf, String>,
}

/// The certificate that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256, lower-case hexadecimal.
    pub fingerprint: String,
    pub issuer: String,
    pub not_after: OffsetDateTime,
    /// Why a careful client would not take it for this host; `None`: it would.
    pub distrust: Option<String>,
}

/// How a stored certificate is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// Nobody was asked: the home has no front door.
    Unasked,
    /// No routed host needs it.
    Nowhere,
    /// Every host that should shows it; how many.
    Yes(usize),
    /// The first host that should show it and does not, and what it shows instead.
    Other(String, Leaf),
    /// The first host that should show it and shows none.
    Silent(String, String),
}

/// How `one` of the stored certificates is served. `shown`: what every routed host showed; `None`: nobody was asked.
pub fn served(one: &Held, held: &[Held], shown: Option<&[Shown]>, now: OffsetDateTime) -> Served {
    let Some(shown) = shown else { return Served::Unasked };
    let should: Vec<&Shown> =
        shown.iter().filter(|s| choose(&s.host, held, now).is_some_and(|chosen| chosen.id == one.id)).collect();
    if should.is_empty() {
        return Served::Nowhere;
    }
    for host in &should {
        match &host.leaf {
            Ok(leaf) if leaf.fingerprint == one.fingerprint => {}
            Ok(leaf) => return Served::Other(host.host.clone(), leaf.clone()),
            Err(why) => return Served::Silent(host.host.clone(), why.clone()),
        }
    }
    Served::Yes(should.len())
}

/// Certificates that are served and not stored: the local CA's, or somebody else's. Each with the hosts that show it.
pub fn besides<'s>(held: &[Held], shown: &'s [Shown], now: OffsetDateTime) -> Vec<(Vec<&'s str>, &'s Leaf)> {
    let mut all: Vec<(Vec<&str>, &Leaf)> = Vec::new();
    for one in shown.iter().filter(|s| choose(&s.host, held, now).is_none()) {
        let Ok(leaf) = &one.leaf else { continue };
        match all.iter_mut().find(|(_, known)| known.fingerprint == leaf.fingerprint) {
            Some((hosts, _)) => hosts.push(&one.host),
            None => all.push((vec![&one.host], leaf)),
        }
    }
    all
}

impl Served {
    pub fn words(&self, now: OffsetDateTime) -> String {
        match self {
            Served::Unasked => "-".into(),
            Served::Nowhere => "no: no route needs it".into(),
            Served::Yes(1) => "yes".into(),
            Served::Yes(n) => format!("yes, on {n} names"),
            Served::Other(host, leaf) => format!("no: {host} shows one of {}, {}", leaf.issuer, leaf.left(now)),
            Served::Silent(host, why) => format!("no: {host} shows none ({why})"),
        }
    }

    /// Whether somebody should do something.
    pub fn is_wrong(&self) -> bool {
        matches!(self, Served::Other(..) | Served::Silent(..))
    }
}

impl Leaf {
    /// How long it still lives.
    pub fn left(&self, now: OffsetDateTime) -> String {
        let left = self.not_after - now;
        if left <= Duration::ZERO { "expired".into() } else { format!("{} left", span(left)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::Source;
    use super::*;
    use crate::base::secret::Secret;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-26 09:00 UTC);

    fn held(id: &str, name: &str) -> Held {
        Held {
            id: id.into(),
            names: vec![name.into()],
            chain_pem: String::new(),
            key: Secret::new(""),
            issuer: "CA".into(),
            not_before: NOW - Duration::days(1),
            not_after: NOW + Duration::days(30),
            public: true,
            source: Source::Imported,
            ari_id: None,
            fingerprint: format!("{id}-print"),
        }
    }

    fn shown(host: &str, fingerprint: &str) -> Shown {
        let leaf = Leaf {
            fingerprint: fingerprint.into(),
            issuer: "Hearth".into(),
            not_after: NOW + Duration::days(3),
            distrust: None,
        };
        Shown { host: host.into(), leaf: Ok(leaf) }
    }

    #[test]
    fn what_is_served_is_told_from_what_is_stored() {
        let held = [held("wide", "*.a.example"), held("exact", "b.a.example")];
        let words = |n: usize, shown: &[Shown]| served(&held[n], &held, Some(shown), NOW).words(NOW);
        let right = [shown("x.a.example", "wide-print"), shown("y.a.example", "wide-print")];
        assert_eq!(words(0, &right), "yes, on 2 names");
        assert_eq!(words(1, &right), "no: no route needs it");
        let old = [shown("x.a.example", "wide-print"), shown("b.a.example", "wide-print")];
        assert_eq!(words(0, &old), "yes", "the exact one is asked for at its own name");
        assert_eq!(words(1, &old), "no: b.a.example shows one of Hearth, 3 days left");
        let silent = [Shown { host: "b.a.example".into(), leaf: Err("nothing listens there".into()) }];
        assert_eq!(words(1, &silent), "no: b.a.example shows none (nothing listens there)");
        assert_eq!(served(&held[0], &held, None, NOW), Served::Unasked);
    }

    #[test]
    fn what_nothing_stored_covers_is_shown_by_itself() {
        let all = [shown("x.other", "l"), shown("y.other", "l"), shown("b.a.example", "exact-print")];
        let held = [held("exact", "b.a.example")];
        let besides = besides(&held, &all, NOW);
        assert_eq!((besides.len(), besides[0].0.as_slice()), (1, ["x.other", "y.other"].as_slice()));
    }
}
