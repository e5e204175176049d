//! The name that the panel has to itself on the machine it runs on.
//!
//! A browser keeps cookies by host and not by port (RFC 6265, 8.5): what the panel set at `localhost` or `127.0.0.1` would go along to every other
//! port there, and in a home without a domain that is where its services are. So nobody is signed in at those names. Below `localhost` every name
//! leads to the machine itself (RFC 6761, 6.3), and browsers take it for as safe; the panel has one of these. A service that knew it could lead a
//! browser to its own port under it, so it is drawn once per home and told at the terminal alone: in no answer (a page learns by its own
//! Content-Security-Policy where what it frames was sent on to), and in no certificate (that is for `*.panel.localhost`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
        drawn.then_some(OwnName { name, zone: None })
    }

    /// In a home with this domain.
    pub fn within(self, domain: Option<&str>) -> OwnName {
        let zone = domain.map(|domain| domain.trim_end_matches('.').to_ascii_lowercase().into());
        OwnName { zone, ..self }
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

    /// Whether a browser's cookies for the host that was asked go to other programs of this machine too. Over plain HTTP no cookie counts anyway.
    pub fn is_shared(&self, caller: &Caller) -> bool {
        let host = bare(caller.host.as_deref().unwrap_or_default()).to_ascii_lowercase();
        let of_zone = |zone: &Arc<str>| host.strip_suffix(&**zone).is_some_and(|rest| rest.ends_with('.'));
        let own = *host == *self.name || self.zone.as_ref().is_some_and(of_zone);
        caller.https && !own && leads_here(&host)
    }
}

/// A `Host` without its port and a dot at its end.
fn bare(host: &str) -> &str {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether browsers take a name (lower case) or address for this machine, whatever a name server says.
fn leads_here(host: &str) -> bool {
    /// As hosts files of distributions have it.
    const HOSTS: [&str; 5] = ["localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"];
    let address = host.parse::<IpAddr>().map(|ip| ip.to_canonical());
    HOSTS.contains(&host)
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
        OwnName::open(folder, &SystemRandom).unwrap()
    }

    fn at(host: &str) -> Caller {
        Caller { address: [127, 0, 0, 1].into(), https: true, host: Some(host.to_owned()) }
    }

    #[test]
    fn a_home_keeps_its_name_and_no_two_have_the_same() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = own(a.path());
        assert_eq!(own(a.path()).as_str(), first.as_str());
        assert_ne!(own(b.path()).as_str(), first.as_str());
        assert_eq!(first.as_str().len(), LENGTH + 1 + ZONE.len());
        assert!(!OwnName::in_certificate().contains(&first.as_str()[..LENGTH]));
        std::fs::write(a.path().join(FILE), "evil.example").unwrap();
        let told = OwnName::open(a.path(), &SystemRandom).unwrap_err();
        assert!(told.hints[0].contains("remove the file"), "{told:?}");
    }

    #[test]
    fn hostile_19_where_other_ports_see_its_cookies_nobody_is_signed_in() {
        let dir = tempfile::tempdir().unwrap();
        let own = own(dir.path());
        for host in [
            "localhost:8443",
            "LOCALHOST.:8443",
            "localhost",
            "127.0.0.1:9443",
            "127.9.8.7:8443",
            "[::1]:8443",
            "[::ffff:127.0.0.1]:8443",
            "0.0.0.0:8443",
            // Names that a service could lead a browser to.
            "panel.localhost:8443",
            "other.panel.localhost:8443",
            "app.localhost:8443",
        ] {
            assert!(own.is_shared(&at(host)), "{host}");
        }
        for host in [own.as_str(), &format!("{}:8443", own.as_str()), &own.as_str().to_uppercase()] {
            assert!(!own.is_shared(&at(host)), "{host}");
        }
        for host in ["nas.local:8443", "192.168.1.5:8443", "panel.home.example", "localhost.evil.example", "", "[::1"] {
            assert!(!own.is_shared(&at(host)), "{host}");
        }
        assert!(!own.is_shared(&Caller { https: false, ..at("localhost:8480") }));
        let named = own.within(Some("Home.localhost."));
        assert!(!named.is_shared(&at("panel.home.localhost")) && named.is_shared(&at("panel.nothome.localhost")));
    }
}
