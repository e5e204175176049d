//! The server's own certificate: made by the home's local CA, for every name and address that this machine has in the home.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::renewal::RENEWED;
use crate::auth::audit::Log;
use crate::auth::own_name::OwnName;
use crate::base::clock::{Clock, rfc3339};
use crate::certs::local::leaves::Leaves;
use crate::certs::local::{Issued, LocalCa, host};
use crate::diag::Diagnostic;
use crate::proxy::machine;
use crate::web::{Certificates, Pair};

/// How often is looked whether the certificate, the addresses or the CA have changed.
const LOOK: Duration = Duration::from_secs(10);
/// Addresses of this machine in one certificate: some have hundreds, of containers.
const ADDRESSES: usize = 32;

/// The CA, and what is served of it.
pub struct Own {
    state: PathBuf,
    dir: PathBuf,
    name: OwnName,
    /// The home's domain, for the constraints of a CA that is made here.
    zones: Vec<String>,
    /// What a person wants in the certificate besides what is found.
    names: Vec<String>,
    listen: Vec<SocketAddr>,
    clock: Arc<dyn Clock>,
    ca: RwLock<Arc<LocalCa>>,
    served: RwLock<Issued>,
    certificates: Arc<Certificates>,
}

impl Own {
    /// Opens the CA in `<state>/ca`, makes it at first use, and has it sign.
    pub fn open(
        state: &Path,
        name: OwnName,
        zones: Vec<String>,
        names: Vec<String>,
        listen: Vec<SocketAddr>,
        clock: Arc<dyn Clock>,
    ) -> Result<Own, Diagnostic> {
        let dir = state.join("ca");
        let ca = LocalCa::open(&dir, &zones, &*clock)?;
        for notice in ca.notices(&zones, clock.now()) {
            tracing::warn!(code = notice.code, "{}; {}", notice.title, notice.hints.join("; "));
        }
        let all = all_names(&names, &listen, state);
        for name in all.iter().filter(|name| !ca.allows(name)) {
            tracing::warn!("the local CA may not sign for {name}: browsers will refuse Hearth under that name");
        }
        let served = sign(&dir, &ca, &all, &*clock)?;
        let certificates = Certificates::new(&[Pair { chain: &served.chain, key: &served.key }])?;
        let (ca, served) = (RwLock::new(Arc::new(ca)), RwLock::new(served));
        Ok(Own { state: state.to_owned(), name, dir, zones, names, listen, clock, ca, served, certificates })
    }

    pub fn ca(&self) -> Arc<LocalCa> {
        self.ca.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether people reach this server under that name or address (lower case): those that its certificate is for, and all addresses
    /// of this machine.
    pub fn is_ours(&self, name: &str) -> bool {
        match name.parse::<IpAddr>() {
            Ok(ip) => {
                let ip = ip.to_canonical();
                let said = self.names.iter().any(|name| name.parse() == Ok(ip));
                ip.is_loopback() || said || machine::interfaces(&self.state).iter().any(|i| i.net.addr() == ip)
            }
            Err(_) => {
                name == self.name.as_str()
                    || all_names(&self.names, &self.listen, &self.state)
                        .iter()
                        .any(|own| own.eq_ignore_ascii_case(name))
            }
        }
    }

    /// What a listener shows; it changes as the certificate does.
    pub fn certificates(&self) -> Arc<Certificates> {
        self.certificates.clone()
    }

    /// Looks again and again. Gives a new certificate to who connects from then on, and enters that into `log`.
    pub async fn keep(self: Arc<Self>, log: Log, stop: CancellationToken) {
        let mut last: Option<String> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            let own = self.clone();
            // It waits for locks and disks.
            let looked = tokio::task::spawn_blocking(move || own.look()).await;
            if let Ok(Ok(Some(until))) = &looked {
                log.add_own(RENEWED, "Hearth's own certificate", json!({ "until": rfc3339(*until) })).await;
            }
            let told = looked.ok().and_then(Result::err).map(|d| d.title);
            if let Some(why) = told.as_ref().filter(|why| last.as_ref() != Some(*why)) {
                tracing::error!(why, "Hearth's own certificate is not renewed; the one that is there goes on");
            }
            last = told;
        }
    }

    /// Until when a new certificate holds, where there is one.
    fn look(&self) -> Result<Option<OffsetDateTime>, Diagnostic> {
        let mut ca = self.ca();
        if !ca.is_current() {
            ca = Arc::new(LocalCa::open(&self.dir, &self.zones, &*self.clock)?);
            tracing::info!("there is a new local CA, {}", ca.fingerprint());
            *self.ca.write().unwrap_or_else(PoisonError::into_inner) = ca.clone();
        }
        let new = sign(&self.dir, &ca, &all_names(&self.names, &self.listen, &self.state), &*self.clock)?;
        if self.served.read().unwrap_or_else(PoisonError::into_inner).chain == new.chain {
            return Ok(None);
        }
        self.certificates.set(&[Pair { chain: &new.chain, key: &new.key }])?;
        let until = new.not_after;
        tracing::info!("Hearth's own certificate is new, valid until {}", until.date());
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(Some(until))
    }
}

fn sign(dir: &Path, ca: &LocalCa, names: &[String], clock: &dyn Clock) -> Result<Issued, Diagnostic> {
    let names: Vec<String> = names.iter().filter(|name| ca.allows(name)).cloned().collect();
    Leaves::open(&dir.join("leaves")).and_then(|leaves| leaves.keep(ca, &names, clock)).or_else(|told| {
        // A disk that is full or read-only does not keep anybody from being served: it is made again at the next start.
        tracing::warn!(why = %told, "Hearth's own certificate cannot be kept on the disk");
        ca.issue(&names, clock)
    })
}

/// Every name that somebody in the home could write into a browser.
fn all_names(more: &[String], listen: &[SocketAddr], state: &Path) -> Vec<String> {
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    all.push(OwnName::in_certificate());
    if let Some(host) = host() {
        all.extend([format!("{host}.local"), host]);
    }
    all.extend(listen.iter().filter(|a| !a.ip().is_unspecified()).map(|a| a.ip().to_string()));
    if listen.iter().any(|a| a.ip().is_unspecified()) {
        all.extend(addresses(state).into_iter().map(|ip| ip.to_string()));
    }
    all.extend(more.iter().cloned());
    all.sort();
    all.dedup();
    all
}

/// The machine's addresses, without those on bridges of containers. Those of Hearth's own container are nobody's in the home.
fn addresses(state: &Path) -> Vec<IpAddr> {
    let virtual_ = |name: &str| ["docker", "br-", "veth", "virbr"].iter().any(|prefix| name.starts_with(prefix));
    let all = machine::interfaces(state);
    let mut found: Vec<IpAddr> = all.iter().filter(|i| !virtual_(&i.name)).map(|i| i.net.addr()).collect();
    found.sort();
    found.truncate(ADDRESSES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;
    use crate::base::random::SystemRandom;

    fn name(state: &Path) -> OwnName {
        OwnName::open(&state.join("auth"), &SystemRandom).unwrap()
    }

    #[test]
    fn a_new_ca_and_a_new_name_make_a_new_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let (zones, names) = (vec!["example.org".into()], vec!["nas.example.org".into(), "google.com".into()]);
            Own::open(
                dir.path(),
                name(dir.path()),
                zones,
                names,
                vec!["10.1.2.3:1".parse().unwrap()],
                Arc::new(SystemClock),
            )
            .unwrap()
        };
        let own = open();
        let chain = || own.served.read().unwrap().chain.clone();
        let first = chain();
        assert_eq!(own.look().unwrap(), None);
        assert_eq!(chain(), first, "a good one stays");
        assert_eq!(open().served.read().unwrap().chain, first, "also over a restart");
        let print = own.ca().fingerprint();
        LocalCa::replace(&dir.path().join("ca"), &["example.org".into()], &SystemClock).unwrap();
        assert!(own.look().unwrap().is_some());
        assert!(chain() != first && own.ca().fingerprint() != print);
    }

    #[test]
    fn only_names_and_addresses_of_this_machine_are_ours() {
        let dir = tempfile::tempdir().unwrap();
        let names = vec!["NAS.lan".into(), "203.0.113.5".into()];
        let listen = vec!["127.0.0.1:1".parse().unwrap()];
        let own = Own::open(dir.path(), name(dir.path()), Vec::new(), names, listen, Arc::new(SystemClock)).unwrap();
        for ours in ["localhost", "127.0.0.1", "::1", "nas.lan", "203.0.113.5", "::ffff:127.0.0.1"] {
            assert!(own.is_ours(ours), "{ours}");
        }
        assert!(own.is_ours(own.name.as_str()));
        for other in
            ["evil.example", "other.panel.localhost", "localhost.evil.example", "203.0.113.6", "2001:db8::1", ""]
        {
            assert!(!own.is_ours(other), "{other}");
        }
    }

    #[test]
    fn the_names_are_those_that_people_write() {
        let names = all_names(&["nas.example.org".into()], &["192.168.1.5:8443".parse().unwrap()], Path::new("/none"));
        for name in ["localhost", "127.0.0.1", "::1", "192.168.1.5", "nas.example.org"] {
            assert!(names.iter().any(|n| n == name), "{name}");
        }
        if let Some(host) = host() {
            assert!(names.contains(&host) && names.contains(&format!("{host}.local")));
        }
    }
}
