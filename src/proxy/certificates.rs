//! The certificates that Traefik shows, and those by which it and Hearth know each other.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::names;
use crate::base::clock::{Clock, SystemClock};
use crate::certs::local::LocalCa;
use crate::certs::local::leaves::Leaves;
use crate::certs::local::mtls::{Mtls, SERVER_NAME};
use crate::diag::Diagnostic;
use crate::spec::front;
use crate::stacks::home::{Home, Read};
use crate::traefik::file::{Inner, Pair};

/// The port on which Hearth answers Traefik, on the machine's address in the core stack's network.
pub const INNER_PORT: u16 = 8444;

/// All of a home's certificates, as Traefik takes them.
pub struct Certificates {
    /// The domain's first.
    pub pairs: Vec<Pair>,
    pub inner: Option<Inner>,
    /// Whether all of them are from a public CA.
    pub public: bool,
}

/// What serves these sets of names now: made by the local CA where nobody else vouches for them. `notes` are what a person should
/// know of that CA.
pub fn of(
    home: &Home,
    read: &Read,
    domain: &str,
    sets: &[Vec<String>],
    notes: &mut Vec<Diagnostic>,
) -> Result<Certificates, Diagnostic> {
    let clock = SystemClock;
    let zones: Vec<String> = sets.iter().map(|set| set[0].clone()).collect();
    let ca = LocalCa::open(&ca_dir(home), &zones, &clock)?;
    notes.extend(ca.notices(&zones, clock.now()));
    let leaves = Leaves::open(&ca_dir(home).join("leaves"))?;
    let mut pairs = Vec::new();
    // A name that the root may not sign for is told by the notes; the others still get theirs.
    for set in sets.iter().filter(|set| set.iter().all(|name| ca.allows(name))) {
        let issued = leaves.keep(&ca, set, &clock)?;
        pairs.push(Pair { chain: issued.chain, key: issued.key.expose().to_string() });
    }
    let inner = inner(home, read, domain)?;
    Ok(Certificates { pairs, inner, public: false })
}

fn ca_dir(home: &Home) -> PathBuf {
    home.dir.join("state/ca")
}

fn mtls(home: &Home) -> Result<Mtls, Diagnostic> {
    Mtls::open(&home.dir.join("state/mtls"), &SystemClock)
}

fn inner(home: &Home, read: &Read, domain: &str) -> Result<Option<Inner>, Diagnostic> {
    let Some(at) = inner_address(read) else { return Ok(None) };
    let material = mtls(home)?.material();
    let client = Pair { chain: material.client.chain, key: material.client.key.expose().to_string() };
    Ok(Some(Inner {
        url: format!("https://{at}"),
        server_name: SERVER_NAME.into(),
        client,
        authority: material.roots,
        panel: Some(format!("{}.{domain}", names::PANEL)),
    }))
}

/// Where Hearth answers Traefik and nobody else.
pub fn inner_address(read: &Read) -> Option<SocketAddr> {
    let gateway = read.rendered.gateways.get(front::CORE)?;
    Some(SocketAddr::new(IpAddr::V4(*gateway), INNER_PORT))
}

/// What Traefik's private entry point lets in.
pub fn client(home: &Home) -> Option<Pair> {
    let material = mtls(home).ok()?.material();
    Some(Pair { chain: material.client.chain, key: material.client.key.expose().to_string() })
}

/// The root of the home's own CA, PEM, where there is one.
pub fn local_root(home: &Home) -> Option<String> {
    std::fs::read_to_string(ca_dir(home).join("root.pem")).ok()
}
