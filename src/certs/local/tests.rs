//! What OpenSSL and webpki think of our certificates, and what happens over years.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{ServerName, UnixTime};
use time::macros::datetime;

use super::mtls::{CLIENT_NAME, Mtls, SERVER_NAME};
use super::*;

struct Hands(Mutex<OffsetDateTime>);

impl Hands {
    fn at(now: OffsetDateTime) -> Hands {
        Hands(Mutex::new(now))
    }
    fn set(&self, now: OffsetDateTime) {
        *self.0.lock().unwrap() = now;
    }
    fn pass(&self, days: i64) {
        *self.0.lock().unwrap() += Duration::days(days);
    }
}

impl Clock for Hands {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

const START: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

struct Home {
    dir: tempfile::TempDir,
    clock: Hands,
}

impl Home {
    fn new() -> Home {
        Home { dir: tempfile::tempdir().unwrap(), clock: Hands::at(START) }
    }
    fn zones() -> Vec<String> {
        vec!["home.example.org".into(), "nas".into()]
    }
    fn open(&self) -> LocalCa {
        self.try_open().unwrap()
    }
    fn try_open(&self) -> Result<LocalCa, Diagnostic> {
        LocalCa::open(&self.path(), &Home::zones(), &self.clock)
    }
    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("state/ca")
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|n| (*n).to_owned()).collect()
}

/// What webpki says of a leaf for `name` at a time.
fn webpki(ca: &LocalCa, issued: &Issued, name: &str, at: OffsetDateTime) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.root_der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).map(Result::unwrap).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.unix_timestamp() as u64));
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], now).map(|_| ())
}

/// What the `openssl` program says; its words where it refuses.
#[expect(clippy::disallowed_methods, reason = "OpenSSL's opinion is what is asked for")]
fn openssl(ca: &LocalCa, issued: &Issued, name: &str, at: OffsetDateTime) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let root = file("root.pem", ca.root_pem());
    let chain = file("chain.pem", &issued.chain);
    let what = if name.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
    let mut verify = Command::new("openssl");
    verify.args(["verify", "-x509_strict", "-purpose", "sslserver", "-attime", &at.unix_timestamp().to_string()]);
    verify.arg("-CAfile").arg(&root).arg("-untrusted").arg(&chain).arg(what).arg(name).arg(&chain);
    let done = verify.output().expect("openssl is a part of every Debian");
    match done.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout)),
    }
}

#[test]
fn clients_accept_what_is_permitted() {
    let home = Home::new();
    let ca = home.open();
    let all = ["home.example.org", "*.home.example.org", "nas", "nas.local", "localhost", "a.internal", "b.home.arpa"];
    let addresses = ["127.0.0.1", "::1", "192.168.1.2", "10.0.0.1", "172.16.5.5", "100.64.0.1", "fd00::5", "fe80::1"];
    let issued = ca.issue(&names(&[&all[..], &addresses[..]].concat()), &home.clock).unwrap();
    let asked = all.iter().chain(&addresses).map(|n| n.replace("*.", "media."));
    for name in asked {
        assert_eq!(webpki(&ca, &issued, &name, START), Ok(()), "{name}");
        assert_eq!(openssl(&ca, &issued, &name, START), Ok(()), "{name}");
    }
    assert_eq!(issued.not_before, START - Duration::hours(1));
    assert_eq!(issued.not_after, START + Duration::days(90));
    assert!(!format!("{issued:?}").contains("PRIVATE"));
}

#[test]
fn clients_refuse_what_a_thief_of_the_key_would_sign() {
    let home = Home::new();
    let ca = home.open();
    for name in ["google.com", "8.8.8.8", "example.org", "2606:4700::1111"] {
        let told = ca.issue(&names(&[name]), &home.clock).unwrap_err();
        assert_eq!((told.code, told.kind), ("certs.outside-ca", Kind::Denied), "{name}");
        assert!(told.hints.iter().any(|h| h.contains("hearth certs new-ca")), "{told:?}");
        // As somebody would who has the keys: without our check.
        let signer = ca.issuer.lock().unwrap();
        let life = Validity::of(START, LEAF_LIFE);
        let forged = sign(&[Name::parse(name).unwrap()], Use::Server, life, &signer, true).unwrap();
        drop(signer);
        let webpki = webpki(&ca, &forged, name, START).unwrap_err();
        assert!(format!("{webpki:?}").contains("NameConstraint"), "{name}: {webpki:?}");
        let openssl = openssl(&ca, &forged, name, START).unwrap_err();
        assert!(openssl.contains("permitted subtree violation"), "{name}: {openssl}");
    }
}

#[test]
fn a_second_open_finds_the_same_ca_and_files_are_the_owners() {
    let home = Home::new();
    let first = home.open();
    let second = home.open();
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
    assert!(second.is_current());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.path()), 0o700);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    files.sort();
    assert_eq!(files, ["intermediate.pem", "lock", "root.key", "root.pem"]);
}

#[test]
fn many_at_once_make_one_ca() {
    let home = Home::new();
    let print = || home.open().fingerprint();
    let prints: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(print)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(prints.iter().all(|p| *p == prints[0]), "{prints:?}");
}

#[test]
fn a_making_that_died_is_finished_or_begun_again() {
    let home = Home::new();
    let print = home.open().fingerprint();
    // All three of the new one are there: it is the one that counts, wherever the renames stopped.
    for stopped_after in 0..3 {
        let other = Home::new();
        let new = other.open().fingerprint();
        for (i, name) in [ROOT_KEY, ISSUER, ROOT].into_iter().enumerate() {
            let to = if i < stopped_after { name.to_owned() } else { fresh(name) };
            std::fs::copy(other.path().join(name), home.path().join(to)).unwrap();
        }
        let ca = home.open();
        assert_eq!(ca.fingerprint(), new);
        ca.issue(&names(&["localhost"]), &home.clock).unwrap();
    }
    // It died before: nobody has seen the new one.
    let home = Home::new();
    home.open();
    std::fs::rename(home.path().join(ROOT), home.path().join("gone")).unwrap();
    assert_ne!(home.open().fingerprint(), print);
}

#[test]
fn leaves_and_the_intermediate_are_renewed_for_ten_years() {
    let home = Home::new();
    let ca = home.open();
    let print = ca.fingerprint();
    let name = names(&["nas.home.example.org"]);
    let mut leaf = ca.issue(&name, &home.clock).unwrap();
    let mut issuers = std::collections::BTreeSet::new();
    for _ in 0..3600 {
        home.clock.pass(1);
        let now = home.clock.now();
        if leaf.is_due(now) {
            leaf = ca.renew(&name, leaf.validity(), &home.clock).unwrap();
        }
        assert!(leaf.not_after - leaf.not_before <= Duration::days(90) + make::BACKDATE);
        assert_eq!(webpki(&ca, &leaf, &name[0], now), Ok(()), "{now}");
        issuers.insert(ca.issuer.lock().unwrap().read.der.to_vec());
    }
    assert!((10..=17).contains(&issuers.len()), "{}", issuers.len());
    assert_eq!(home.open().fingerprint(), print);
    assert!(ca.notices(&[], home.clock.now()).iter().any(|d| d.code == "certs.ca-ends"));
    home.clock.pass(60);
    let told = ca.issue(&name, &home.clock).unwrap_err();
    assert_eq!(told.code, "certs.ca-ended");
    assert!(told.hints.iter().any(|h| h.contains("new-ca")));
}

#[test]
fn the_roots_key_can_be_taken_away() {
    let home = Home::new();
    let name = names(&["localhost"]);
    home.open();
    let away = home.dir.path().join("usb-stick");
    std::fs::rename(home.path().join(ROOT_KEY), &away).unwrap();
    let ca = home.open();
    ca.issue(&name, &home.clock).unwrap();
    let notices = ca.notices(&Home::zones(), START);
    assert_eq!(notices.iter().map(|d| d.code).collect::<Vec<_>>(), ["certs.ca-key-away"]);
    assert!(notices[0].title.contains("2027-11-26"), "{}", notices[0].title);
    // Less than a third is left: it would be renewed, and goes on as it is.
    home.clock.pass(350);
    let leaf = ca.issue(&name, &home.clock).unwrap();
    assert_eq!(leaf.not_after, START + Duration::days(365));
    home.clock.pass(20);
    let told = ca.issue(&name, &home.clock).unwrap_err();
    assert_eq!(told.code, "certs.ca-key-away");
    std::fs::rename(&away, home.path().join(ROOT_KEY)).unwrap();
    let leaf = ca.issue(&name, &home.clock).unwrap();
    assert_eq!(webpki(&ca, &leaf, "localhost", home.clock.now()), Ok(()));
}

#[test]
fn a_clock_that_is_set_locks_nobody_out() {
    let year = Duration::days(365);
    for step in [year, -year, Duration::days(40), -Duration::hours(3)] {
        let home = Home::new();
        let ca = home.open();
        home.clock.pass(30);
        let name = names(&["nas"]);
        let before = ca.issue(&name, &home.clock).unwrap();
        let right = home.clock.now();
        home.clock.set(right + step);
        let mut leaf = before;
        // Looked at twice: the one that is valid at both times must not be replaced by one that is not.
        for _ in 0..2 {
            if leaf.is_due(home.clock.now()) {
                leaf = ca.renew(&name, leaf.validity(), &home.clock).unwrap();
            }
        }
        // Whoever has the right time is served, and whoever has this machine's, unless that is before the root.
        let here = home.clock.now().max(ca.root.validity.from);
        assert_eq!(webpki(&ca, &leaf, "nas", here), Ok(()), "{step} here");
        if step.abs() == year {
            assert_eq!(webpki(&ca, &leaf, "nas", right), Ok(()), "{step} elsewhere");
            assert!(leaf.not_after - leaf.not_before <= Duration::days(825));
        }
        // It is set back: all is as before.
        home.clock.set(right);
        if leaf.is_due(right) {
            leaf = ca.renew(&name, leaf.validity(), &home.clock).unwrap();
        }
        assert_eq!(webpki(&ca, &leaf, "nas", right), Ok(()), "{step} back");
        let again = home.open().issue(&name, &home.clock).unwrap();
        assert_eq!(webpki(&ca, &again, "nas", right), Ok(()), "{step} after a restart");
    }
}

#[test]
fn no_root_is_made_by_a_clock_that_was_never_set() {
    let home = Home::new();
    home.clock.set(datetime!(1970-01-01 0:01 UTC));
    let told = home.try_open().err().unwrap();
    assert_eq!(told.code, "certs.clock-wrong");
    assert!(!home.path().join(ROOT).exists());
    home.clock.set(START);
    home.open();
}

#[test]
fn a_domain_that_changed_is_told_and_a_new_root_is_made_only_when_asked() {
    let home = Home::new();
    let old = home.open();
    let zones = names(&["other.example.org"]);
    let ca = LocalCa::open(&home.path(), &zones, &home.clock).unwrap();
    assert_eq!(ca.fingerprint(), old.fingerprint());
    let notices = ca.notices(&zones, START);
    assert_eq!((notices[0].code, notices[0].severity), ("certs.outside-ca", crate::diag::Severity::Warning));
    assert!(notices[0].title.contains("other.example.org"), "{}", notices[0].title);
    assert!(!ca.allows("a.other.example.org") && ca.allows("a.home.example.org"));
    ca.issue(&names(&["localhost"]), &home.clock).unwrap();
    let new = LocalCa::replace(&home.path(), &zones, &home.clock).unwrap();
    assert_ne!(new.fingerprint(), old.fingerprint());
    assert!(!old.is_current() && new.is_current());
    let leaf = new.issue(&names(&["*.other.example.org"]), &home.clock).unwrap();
    assert_eq!(webpki(&new, &leaf, "a.other.example.org", START), Ok(()));
    let stranger = webpki(&old, &leaf, "a.other.example.org", START).unwrap_err();
    assert_eq!(stranger, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
}

#[test]
fn what_is_broken_is_told_and_what_can_be_made_again_is() {
    let home = Home::new();
    let print = home.open().fingerprint();
    std::fs::write(home.path().join(ISSUER), "half of it").unwrap();
    let ca = home.open();
    assert_eq!(ca.fingerprint(), print);
    ca.issue(&names(&["localhost"]), &home.clock).unwrap();
    std::fs::write(home.path().join(ROOT_KEY), make::key().unwrap().serialize_pem()).unwrap();
    std::fs::remove_file(home.path().join(ISSUER)).unwrap();
    assert_eq!(home.try_open().err().unwrap().code, "certs.ca-broken");
    std::fs::remove_file(home.path().join(ROOT_KEY)).unwrap();
    assert_eq!(home.try_open().err().unwrap().code, "certs.ca-key-away");
    std::fs::write(home.path().join(ROOT), "").unwrap();
    let told = home.try_open().err().unwrap();
    assert_eq!(told.code, "certs.ca-broken");
    assert!(told.hints.iter().any(|h| h.contains("backup")));
}

#[test]
fn traefik_and_hearth_trust_each_other_and_nobody_else() {
    let home = Home::new();
    let dir = home.dir.path().join("state/mtls");
    let pair = Mtls::open(&dir, &home.clock).unwrap();
    let first = pair.material();
    let again = Mtls::open(&dir, &home.clock).unwrap();
    assert_eq!(again.material().client.chain, first.client.chain);
    assert!(!pair.refresh(&home.clock).unwrap());
    let verify = |material: &mtls::Material, roots: &str, now: OffsetDateTime| {
        let mut store = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots.as_bytes()) {
            store.add(root.unwrap()).unwrap();
        }
        let store = Arc::new(store);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.unix_timestamp() as u64));
        let leaf = |issued: &Issued| CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap();
        let server = WebPkiServerVerifier::builder_with_provider(store.clone(), provider.clone()).build().unwrap();
        let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(store, provider).build().unwrap();
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        server.verify_server_cert(&leaf(&material.server), &[], &name, &[], now)?;
        clients.verify_client_cert(&leaf(&material.client), &[], now)?;
        // The server's certificate is nobody's pass.
        assert!(clients.verify_client_cert(&leaf(&material.server), &[], now).is_err());
        Ok::<(), rustls::Error>(())
    };
    verify(&first, &first.roots, START).unwrap();
    assert!(!first.client.chain.contains(CLIENT_NAME) && first.client.key.expose().contains("PRIVATE KEY"));
    let mut roots = std::collections::BTreeSet::from([first.roots.clone()]);
    let mut last = first;
    for _ in 0..12 * 12 {
        home.clock.pass(30);
        pair.refresh(&home.clock).unwrap();
        let now = pair.material();
        verify(&now, &now.roots, home.clock.now()).unwrap();
        // What is new is trusted by a side that has read the news, and what is old too.
        verify(&last, &now.roots, home.clock.now()).unwrap();
        roots.insert(now.roots.clone());
        last = now;
    }
    assert!(roots.len() >= 3, "the root was replaced, and the former one dropped: {}", roots.len());
    home.clock.set(START - Duration::days(365));
    pair.refresh(&home.clock).unwrap();
    let now = pair.material();
    verify(&now, &now.roots, home.clock.now()).unwrap();
    std::fs::write(dir.join("root.pem"), "").unwrap();
    assert!(pair.refresh(&home.clock).unwrap());
}
