//! The name that the panel has to itself on the machine it runs on.
//!
//! A browser keeps cookies by host and not by port (RFC 6265, 8.5): what the panel set at `localhost` or `127.0.0.1` would go along to every other
//! port there, and in a home without a domain that is where its services are. So nobody is signed in at those names. Below `localhost` every name
//! leads to the machine itself (RFC 6761, 6.3), and browsers take it for as safe; the panel has one of these. A service that knew it could lead a
//! browser to its own port under it, so it is drawn once per home, shown to whoever sits at the machine, and in no certificate: that is for
//! `*.panel.localhost`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use crate::base::random::{Random, bytes};
use crate::diag::{Diagnostic, Kind};
use crate::store::folder::Folder;
use crate::web::Caller;

const FILE: &str = "panel-name";
/// All names of panels are below it.
const ZONE: &str = "panel.localhost";
/// Letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
/// 60 bits.
const LENGTH: usize = 12;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct OwnName {
    name: Arc<str>,
    /// The home's domain, whose names are the panel's and the services' wherever they lead.
    zone: Option<Arc<str>>,
    /// As whom this machine comes besides loopback: within a container, the gateway to it.
    machine: Arc<[IpAddr]>,
    /// Loopback addresses at which it listens, and others do not.
    apart: Arc<[IpAddr]>,
}

/// Where a browser is that asks for a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Spot {
    /// At a name that nobody else answers to, as far as this machine can tell.
    Own,
    /// Where other programs of this machine answer too. With the panel's own address where it may be told.
    Shared(Option<String>),
}

impl OwnName {
    /// Reads the name in `folder`, and draws it where there is none.
    pub fn open(folder: &Path, random: &dyn Random) -> Result<OwnName, Diagnostic> {
        let folder = Folder::open(folder)?;
        let _lock = folder.lock()?;
        let label = match folder.read(FILE)? {
            Some(text) => text.trim().to_owned(),
            None => {
                let drawn = bytes::<LENGTH>(random).map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
                let label: String = drawn.iter().collect();
                folder.write(FILE, &format!("{label}\n"))?;
                label
            }
        };
        OwnName::labelled(&label).ok_or_else(damaged)
    }

    /// Of a label that was drawn; `None`: it is none.
    pub fn labelled(label: &str) -> Option<OwnName> {
        let drawn = label.len() == LENGTH && label.bytes().all(|b| LETTERS.contains(&b));
        let name = format!("{label}.{ZONE}").into();
        drawn.then(|| OwnName { name, zone: None, machine: Arc::default(), apart: Arc::default() })
    }

    /// In a home with this domain, where programs of this machine come as one of `machine` besides loopback addresses.
    pub fn within(self, domain: Option<&str>, machine: Vec<IpAddr>) -> OwnName {
        let zone = domain.map(|domain| domain.trim_end_matches('.').to_ascii_lowercase().into());
        OwnName { zone, machine: machine.into(), ..self }
    }

    /// Of a server that listens at these: a loopback address of its own is nobody else's.
    pub fn listening(self, at: &[SocketAddr]) -> OwnName {
        let apart = at.iter().map(|at| at.ip().to_canonical()).filter(|ip| ip.is_loopback() && !is_everybodys(*ip));
        OwnName { apart: apart.collect(), ..self }
    }

    /// In lower case, without a port.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What its certificate is for: it gives the name away to nobody.
    pub fn in_certificate() -> String {
        format!("*.{ZONE}")
    }

    /// `https://NAME:PORT`.
    pub fn url(&self, port: u16) -> String {
        match port {
            443 => format!("https://{}", self.name),
            port => format!("https://{}:{port}", self.name),
        }
    }

    /// Where somebody is.
    pub fn spot(&self, caller: &Caller) -> Spot {
        let (host, port) = parts(caller.host.as_deref().unwrap_or_default());
        let host = host.to_ascii_lowercase();
        let apart = host.parse().is_ok_and(|ip: IpAddr| self.apart.contains(&ip.to_canonical()));
        let of_zone = |zone: &Arc<str>| host.strip_suffix(&**zone).is_some_and(|rest| rest.ends_with('.'));
        let own = *host == *self.name || self.zone.as_ref().is_some_and(of_zone);
        if !caller.https || own || apart || !leads_here(&host) {
            return Spot::Own;
        }
        Spot::Shared(self.is_at_machine(caller).then(|| self.url(port.unwrap_or(443))))
    }

    /// Whether somebody comes from this machine.
    pub fn is_at_machine(&self, caller: &Caller) -> bool {
        let from = caller.address.to_canonical();
        from.is_loopback() || self.machine.contains(&from)
    }
}

/// A host and its port, of `Host`.
fn parts(host: &str) -> (&str, Option<u16>) {
    let end = match host.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(bracket) => bracket + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    (name.strip_suffix('.').unwrap_or(name), port.strip_prefix(':').and_then(|port| port.parse().ok()))
}

/// Whether browsers take a name (lower case) or address for this machine, whatever a name server says.
fn leads_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>().map(|ip| ip.to_canonical());
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

/// A loopback address that programs listen at where nobody says another one.
pub fn is_everybodys(ip: IpAddr) -> bool {
    ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST
}

fn damaged() -> Diagnostic {
    Diagnostic::error("auth.damaged-keys", format!("{FILE} in the home's state is damaged"))
        .kind(Kind::Failed)
        .hint("remove the file: another name is drawn, and passkeys of this machine have to be made anew")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    fn own(folder: &Path) -> OwnName {
        OwnName::open(folder, &SystemRandom).unwrap().within(None, vec!["172.18.0.1".parse().unwrap()])
    }

    fn caller(address: &str, host: &str) -> Caller {
        Caller { address: address.parse().unwrap(), https: true, host: Some(host.to_owned()) }
    }

    #[test]
    fn a_home_keeps_its_name_and_no_two_have_the_same() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = own(a.path());
        assert_eq!(own(a.path()).as_str(), first.as_str());
        assert_ne!(own(b.path()).as_str(), first.as_str());
        assert_eq!(first.as_str().len(), LENGTH + 1 + ZONE.len());
        std::fs::write(a.path().join(FILE), "evil.example").unwrap();
        let told = OwnName::open(a.path(), &SystemRandom).unwrap_err();
        assert!(told.hints[0].contains("remove the file"), "{told:?}");
    }

    #[test]
    fn hostile_19_where_other_ports_see_its_cookies_nobody_is_signed_in() {
        let dir = tempfile::tempdir().unwrap();
        let own = own(dir.path());
        let here = |port: &str| Spot::Shared(Some(format!("https://{}{port}", own.as_str())));
        for (host, port) in [
            ("localhost:8443", ":8443"),
            ("LOCALHOST.:8443", ":8443"),
            ("localhost", ""),
            ("127.0.0.1:9443", ":9443"),
            ("127.9.8.7:8443", ":8443"),
            ("[::1]:8443", ":8443"),
            ("[::ffff:127.0.0.1]:8443", ":8443"),
            ("0.0.0.0:8443", ":8443"),
            // Names that a service could lead a browser to.
            ("panel.localhost:8443", ":8443"),
            ("other.panel.localhost:8443", ":8443"),
            ("app.localhost:8443", ":8443"),
        ] {
            assert_eq!(own.spot(&caller("127.0.0.1", host)), here(port), "{host}");
        }
        for host in [own.as_str(), &format!("{}:8443", own.as_str()), &own.as_str().to_uppercase()] {
            assert_eq!(own.spot(&caller("127.0.0.1", host)), Spot::Own, "{host}");
        }
        for host in ["nas.local:8443", "192.168.1.5:8443", "panel.home.example", "localhost.evil.example", "", "[::1"] {
            assert_eq!(own.spot(&caller("127.0.0.1", host)), Spot::Own, "{host}");
        }
        let plain = Caller { https: false, ..caller("127.0.0.1", "localhost:8480") };
        assert_eq!(own.spot(&plain), Spot::Own, "there no cookie counts anyway");
        let apart = own.clone().listening(&["127.0.0.5:8443".parse().unwrap(), "127.0.0.1:8443".parse().unwrap()]);
        assert_eq!(apart.spot(&caller("127.0.0.1", "127.0.0.5:8443")), Spot::Own);
        assert!(matches!(apart.spot(&caller("127.0.0.1", "127.0.0.1:8443")), Spot::Shared(_)));
        let named = own.within(Some("Home.localhost."), Vec::new());
        assert_eq!(named.spot(&caller("127.0.0.1", "panel.home.localhost")), Spot::Own);
        assert!(matches!(named.spot(&caller("127.0.0.1", "panel.nothome.localhost")), Spot::Shared(_)));
    }

    #[test]
    fn hostile_19_the_name_is_told_on_the_machine_only() {
        let dir = tempfile::tempdir().unwrap();
        let own = own(dir.path());
        for near in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "172.18.0.1"] {
            assert!(matches!(own.spot(&caller(near, "localhost:8443")), Spot::Shared(Some(_))), "{near}");
        }
        // A container, or somebody of the home, who writes the name of the machine's own.
        for far in ["172.18.0.7", "192.168.1.9", "fd00::7"] {
            assert_eq!(own.spot(&caller(far, "localhost:8443")), Spot::Shared(None), "{far}");
        }
        assert!(!OwnName::in_certificate().contains(&own.as_str()[..LENGTH]));
    }
}
