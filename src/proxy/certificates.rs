//! The certificates that Traefik shows, and those by which it and Hearth know each other.

use std::path::PathBuf;

use super::deliver::Expected;
use super::entrance::Entrance;
use super::names;
use crate::base::clock::{Clock, SystemClock};
use crate::base::files;
use crate::base::net::is_of_the_world;
use crate::base::secret::Secret;
use crate::certs::local::leaves::Leaves;
use crate::certs::local::mtls::{Mtls, SERVER_NAME};
use crate::certs::local::{self, LocalCa};
use crate::certs::room::Room;
use crate::certs::store::{Held, choose, covers, pair, serving};
use crate::config::certificates::Issuer;
use crate::diag::Diagnostic;
use crate::stacks::home::Home;
use crate::traefik::file::{Inner, Pair};

/// All of a home's certificates, as Traefik takes them.
pub struct Certificates {
    /// Those that others vouch for first.
    pub pairs: Vec<Pair>,
    /// For unknown hosts.
    pub default: Option<Pair>,
    pub inner: Option<Inner>,
    /// Whether every host has a valid one from a public CA.
    pub public: bool,
    /// What each host will be given.
    pub expected: Vec<Expected>,
}

/// What serves these hosts now: what is stored, and for hosts that nothing stored covers, what the local CA makes for their `sets` of
/// names. `entrance`: where Traefik finds Hearth. `notes` are what a person should know.
///
/// Of a host that has a stored one no local one is given besides: Traefik would choose between them by the text of their names.
pub fn of(
    home: &Home,
    domain: &str,
    hosts: &[String],
    sets: &[Vec<String>],
    entrance: Option<&Entrance>,
    notes: &mut Vec<Diagnostic>,
) -> Result<Certificates, Diagnostic> {
    let clock = SystemClock;
    let now = clock.now();
    let (held, broken) = Room::open(home)?.store.list()?;
    notes.extend(broken);
    let chosen = |host: &String| choose(host, &held, now);
    let public = hosts.iter().all(|host| chosen(host).is_some_and(|one| one.public && one.is_valid(now)));
    let served = |one: &Held| inline(&one.chain_pem, &one.key);
    let mut pairs: Vec<Pair> = serving(hosts, &held, now).into_iter().map(served).collect();
    let bare: Vec<&String> = hosts.iter().filter(|host| chosen(host).is_none()).collect();
    let mut local = Vec::new();
    let stored = |host: &String| Some(Expected { host: host.clone(), fingerprint: chosen(host)?.fingerprint.clone() });
    let mut expected: Vec<Expected> = hosts.iter().filter_map(stored).collect();
    if !bare.is_empty() || pairs.is_empty() {
        let zones: Vec<String> = sets.iter().map(|set| set[0].clone()).collect();
        // Whoever makes the CA decides for good what it may sign for: this machine's own name is Hearth's own server's.
        let own: Vec<String> = zones.iter().cloned().chain(local::host()).collect();
        let ca = LocalCa::open(&ca_dir(home), &own, &clock)?;
        notes.extend(ca.notices(&zones, now));
        let leaves = Leaves::open(&ca_dir(home).join("leaves"))?;
        let wanted = |set: &&Vec<String>| bare.iter().any(|host| set.iter().any(|name| covers(name, host)));
        // A name that the root may not sign for is told by the notes; the others still get theirs.
        for set in sets.iter().filter(wanted).filter(|set| set.iter().all(|name| ca.allows(name))) {
            let issued = leaves.keep(&ca, set, &clock)?;
            let fingerprint = pair::facts(&issued.chain)?.fingerprint;
            let mine = bare.iter().filter(|host| set.iter().any(|name| covers(name, host)));
            expected.extend(mine.map(|host| Expected { host: host.to_string(), fingerprint: fingerprint.clone() }));
            local.push(inline(&issued.chain, &issued.key));
        }
    }
    let default = local.first().or(pairs.first()).cloned();
    pairs.append(&mut local);
    Ok(Certificates { default, pairs, inner: inner(home, domain, entrance)?, public, expected })
}

/// Of these hosts those that no certificate is for, nor will be: none that is stored, none that an authority issues, and none that the
/// home's own CA may sign. Nothing is made for it.
pub fn uncovered(home: &Home, hosts: &[String]) -> Vec<String> {
    let now = SystemClock.now();
    let settings = &home.config.certificates;
    let acme = |host: &str| settings.issuer == Issuer::Acme && (settings.roots.is_some() || is_of_the_world(host));
    // What cannot be read is told by whoever needs it.
    let held = match home.dir.join("state/certs").is_dir() {
        true => Room::open(home).and_then(|room| room.store.list()).map(|(held, _)| held).unwrap_or_default(),
        false => Vec::new(),
    };
    let ca = match ca_dir(home).join("root.pem").is_file() {
        true => LocalCa::open(&ca_dir(home), &[], &SystemClock).ok(),
        false => None,
    };
    let local = |host: &str| ca.as_ref().is_none_or(|ca| ca.allows(host));
    let stored = |host: &str| choose(host, &held, now).is_some_and(|one| one.is_valid(now));
    hosts.iter().filter(|host| !stored(host) && !acme(host) && !local(host)).cloned().collect()
}

/// As it stands in Traefik's file, which only Traefik's user may read.
fn inline(chain: &str, key: &Secret) -> Pair {
    Pair { chain: chain.to_string(), key: key.expose().to_string() }
}

fn ca_dir(home: &Home) -> PathBuf {
    home.dir.join("state/ca")
}

fn mtls(home: &Home) -> Result<Mtls, Diagnostic> {
    Mtls::open(&home.dir.join("state/mtls"), &SystemClock)
}

fn inner(home: &Home, domain: &str, entrance: Option<&Entrance>) -> Result<Option<Inner>, Diagnostic> {
    let Some(entrance) = entrance else { return Ok(None) };
    let material = mtls(home)?.material();
    let client = inline(&material.client.chain, &material.client.key);
    Ok(Some(Inner {
        url: entrance.url.clone(),
        server_name: SERVER_NAME.into(),
        client,
        authority: material.roots,
        panel: Some(format!("{}.{domain}", names::PANEL)),
    }))
}

/// What Traefik's private entry point lets in.
pub fn client(home: &Home) -> Option<Pair> {
    let material = mtls(home).ok()?.material();
    Some(inline(&material.client.chain, &material.client.key))
}

/// The root of the home's own CA, PEM, where there is one.
pub fn local_root(home: &Home) -> Option<String> {
    files::read_text(&ca_dir(home).join("root.pem")).ok()
}
