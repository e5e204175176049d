//! Which of the stored certificates serves a host.

use time::OffsetDateTime;

use super::Held;

/// The certificate that serves `host` best: a valid one before an expired one, a public one before one that nobody else trusts, an exact
/// name before a wildcard, and then the one that lives longest.
pub fn choose<'a>(host: &str, held: &'a [Held], now: OffsetDateTime) -> Option<&'a Held> {
    held.iter().filter(|one| one.covers(host)).max_by_key(|one| {
        (
            one.is_valid(now),
            one.public,
            one.names.iter().any(|name| name == host),
            one.not_after,
            std::cmp::Reverse(&one.id),
        )
    })
}

/// The certificates that Traefik has to know for these hosts, each once, the best first.
///
/// Of two with the same names Traefik takes the first; an exact name it takes before a wildcard even when it has expired. So only those
/// are given that serve some host, and one that serves none is left out.
pub fn serving<'a>(hosts: &[String], held: &'a [Held], now: OffsetDateTime) -> Vec<&'a Held> {
    let mut chosen: Vec<&Held> = Vec::new();
    for host in hosts {
        if let Some(one) = choose(host, held, now).filter(|one| chosen.iter().all(|other| other.id != one.id)) {
            chosen.push(one);
        }
    }
    chosen
}

/// Whether a certificate's name is for this host: itself, or a wildcard for one label.
pub fn covers(name: &str, host: &str) -> bool {
    let one_label = |zone: &str| host.split_once('.').is_some_and(|(label, rest)| rest == zone && !label.is_empty());
    name == host || name.strip_prefix("*.").is_some_and(one_label)
}
