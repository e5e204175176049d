//! The local CA: certificates for names that no public authority can vouch for.
//!
//! A root (10 years) that the person's devices are told to trust, and below it an intermediate (1 year, renewed by itself) that signs
//! leaves (90 days). Both are constrained to the home's own zones, to names that are reserved for private use, and to private addresses:
//! whoever steals the root's key can pose as nobody's bank. The key of the root may be taken away once the intermediate exists.
//!
//! In the folder (0700; every file 0600): `root.pem`, `root.key`, `intermediate.pem` (certificate and key), `lock`. A root that is
//! being made lies beside as `new-*` until it is complete; `new-root.pem` is written last, and taken over first thing by the next one.

pub mod leaves;
mod make;
pub mod mtls;
mod names;
mod read;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use self::make::Use;
pub use self::make::Validity;
pub use self::names::Name;
use self::names::Permitted;
use self::read::Read;
use crate::base::clock::{self, Clock};
use crate::base::secret::Secret;
use crate::base::wording;
use crate::diag::{Diagnostic, Kind};
use crate::store::folder::Folder;

const ROOT_LIFE: Duration = Duration::days(3652);
const ISSUER_LIFE: Duration = Duration::days(365);
const LEAF_LIFE: Duration = Duration::days(90);
/// From when a root's end is announced.
const ROOT_NOTICE: Duration = Duration::days(365);
/// No clock of a machine that runs this program is before it.
const FLOOR: OffsetDateTime = time::macros::datetime!(2026-01-01 0:00 UTC);

const ROOT: &str = "root.pem";
const ROOT_KEY: &str = "root.key";
const ISSUER: &str = "intermediate.pem";

/// A leaf certificate and its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// PEM: the leaf, then the intermediate where there is one.
    pub chain: String,
    /// PEM, PKCS #8.
    pub key: Secret,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Issued {
    /// Whether it is to be made anew.
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.validity().due(now, LEAF_LIFE)
    }

    pub fn validity(&self) -> Validity {
        Validity { from: self.not_before, until: self.not_after }
    }
}

/// An open CA.
pub struct LocalCa {
    folder: Folder,
    root: Read,
    root_pem: String,
    issuer: Mutex<Signer>,
}

/// A certificate that signs, with its key.
struct Signer {
    read: Read,
    key: KeyPair,
}

impl LocalCa {
    /// Opens the CA in `dir`; at first use it is made, with constraints for `zones` (the home's domain), the
    /// machine's name and the reserved ones. Two processes at once make one CA.
    ///
    /// A root that is there keeps its constraints whatever `zones` says: see [`LocalCa::notices`].
    pub fn open(dir: &Path, zones: &[String], clock: &dyn Clock) -> Result<LocalCa, Diagnostic> {
        let folder = Folder::open(dir)?;
        // A complete CA needs no lock, and so opens on a disk that cannot be written too.
        if folder.read(&fresh(ROOT))?.is_none()
            && let Some((root_pem, root)) = root(&folder)?
            && let Some(issuer) = issuer(&folder, &root)?
        {
            return Ok(LocalCa { folder, root, root_pem, issuer: Mutex::new(issuer) });
        }
        let lock = folder.lock()?;
        take_over(&folder)?;
        if folder.read(ROOT)?.is_none() {
            make(&folder, zones, clock.now())?;
        }
        let Some((root_pem, root)) = root(&folder)? else {
            return Err(broken(&folder, "the root's certificate is not there"));
        };
        let issuer = match issuer(&folder, &root)? {
            Some(issuer) => issuer,
            None => {
                let key = root_key(&folder, &root)?.ok_or_else(|| key_away(&folder, "there is no intermediate"))?;
                renew_issuer(&folder, &root, &key, None, clock.now())?
            }
        };
        drop(lock);
        Ok(LocalCa { folder, root, root_pem, issuer: Mutex::new(issuer) })
    }

    /// Makes a new root and intermediate in the place of those in `dir`, whose keys are gone then: each device has to be told to trust
    /// the new root.
    pub fn replace(dir: &Path, zones: &[String], clock: &dyn Clock) -> Result<LocalCa, Diagnostic> {
        let folder = Folder::open(dir)?;
        let lock = folder.lock()?;
        make(&folder, zones, clock.now())?;
        drop(lock);
        drop(folder);
        LocalCa::open(dir, zones, clock)
    }

    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    pub fn root_der(&self) -> &CertificateDer<'static> {
        &self.root.der
    }

    /// SHA-256 of the root, as `AB:CD:...`.
    pub fn fingerprint(&self) -> String {
        let bytes: Vec<String> = Sha256::digest(&self.root.der).iter().map(|b| format!("{b:02X}")).collect();
        bytes.join(":")
    }

    /// Until when the root is valid.
    pub fn root_ends(&self) -> OffsetDateTime {
        self.root.validity.until
    }

    /// Whether the folder still holds this root: another process may have made a new one.
    pub fn is_current(&self) -> bool {
        match self.folder.read(ROOT) {
            Ok(Some(text)) => text == self.root_pem,
            // What cannot be read now was not replaced either.
            _ => true,
        }
    }

    /// A new key and a certificate for `names`: DNS names (a star as first label is one), or addresses as text.
    pub fn issue(&self, names: &[String], clock: &dyn Clock) -> Result<Issued, Diagnostic> {
        self.make(names, None, clock.now())
    }

    /// As [`LocalCa::issue`], in the place of one that is valid for `old`: where the clock was set since, the new one is valid at both
    /// times, so that nobody is locked out by whichever is wrong.
    pub fn renew(&self, names: &[String], old: Validity, clock: &dyn Clock) -> Result<Issued, Diagnostic> {
        self.make(names, Some(old), clock.now())
    }

    /// Whether the root may sign for `name`.
    pub fn allows(&self, name: &str) -> bool {
        Name::parse(name).is_ok_and(|name| self.root.permitted.allows(&name))
    }

    /// What a person should know: zones that the root may not sign for, its end, a key that was taken away.
    pub fn notices(&self, zones: &[String], now: OffsetDateTime) -> Vec<Diagnostic> {
        let mut told: Vec<Diagnostic> = Vec::new();
        let outside: Vec<Name> = zones.iter().filter_map(|z| Name::parse(z).ok()).collect();
        let outside: Vec<Name> = outside.into_iter().filter(|z| !self.root.permitted.allows(z)).collect();
        if !outside.is_empty() {
            told.push(outside_warning(&outside, &self.root.permitted));
        }
        let end = self.root.validity.until;
        if now + ROOT_NOTICE > end {
            let title = format!("the root of the local CA ends on {}", end.date());
            let d = Diagnostic::warning("certs.ca-ends", title);
            told.push(d.hint("hearth certs new-ca makes a new one; every device has to be told to trust it"));
        }
        let issuer = self.issuer.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(self.folder.read(ROOT_KEY), Ok(None)) {
            let until = issuer.read.validity.until.date();
            let title = format!("the key of the local CA's root is not here: certificates can be made until {until}");
            let d = Diagnostic::warning("certs.ca-key-away", title);
            told.push(d.hint(format!(
                "before that day put it back as {} for a moment",
                self.folder.path().join(ROOT_KEY).display()
            )));
        }
        told
    }

    fn make(&self, names: &[String], old: Option<Validity>, now: OffsetDateTime) -> Result<Issued, Diagnostic> {
        let mut names = names.iter().map(|n| Name::parse(n)).collect::<Result<Vec<_>, _>>()?;
        names.sort();
        names.dedup();
        let outside: Vec<Name> = names.iter().filter(|n| !self.root.permitted.allows(n)).cloned().collect();
        if !outside.is_empty() {
            return Err(Diagnostic {
                severity: crate::diag::Severity::Error,
                ..outside_warning(&outside, &self.root.permitted)
            });
        }
        if names.is_empty() {
            return Err(Diagnostic::error("certs.bad-name", "a certificate needs a name"));
        }
        let mut issuer = self.issuer.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut issuer, now)?;
        // The clock of a root's making is a time that has been: one that is before it is wrong.
        let now = now.max(self.root.validity.from);
        let wanted = old.map_or_else(|| Validity::of(now, LEAF_LIFE), |old| Validity::after(now, LEAF_LIFE, old));
        sign(&names, Use::Server, wanted.within(issuer.read.validity), &issuer, true)
    }

    /// Renews the intermediate where little of it is left.
    fn refresh(&self, signer: &mut Signer, now: OffsetDateTime) -> Result<(), Diagnostic> {
        if now >= self.root.validity.until {
            return Err(ended(self.root.validity.until));
        }
        let at = now.max(self.root.validity.from);
        let good = |signer: &Signer| {
            !signer.read.validity.due(at, ISSUER_LIFE) || signer.read.validity.until == self.root.validity.until
        };
        if good(signer) {
            return Ok(());
        }
        let renewed = (|| {
            let _lock = self.folder.lock()?;
            // Another process may have done it.
            if let Some(other) = issuer(&self.folder, &self.root)?.filter(good) {
                return Ok(other);
            }
            let key = root_key(&self.folder, &self.root)?
                .ok_or_else(|| key_away(&self.folder, "the intermediate has to be renewed"))?;
            renew_issuer(&self.folder, &self.root, &key, Some(signer.read.validity), now)
        })();
        match renewed {
            Ok(new) => *signer = new,
            // What is there will do for now, and `notices` says what is amiss.
            Err(told) if signer.read.validity.holds(at) => {
                tracing::warn!(why = %told, "the local CA's intermediate is not renewed")
            }
            Err(told) => return Err(told),
        }
        Ok(())
    }
}

/// The machine's name, as its devices call it in the home: the first label, in lower case.
pub fn host() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.split('.').next()?.to_ascii_lowercase();
    names::zone(&name).filter(|name| name != "localhost")
}

/// Writes a complete new CA beside the old one, and then takes it over. The caller holds the lock.
fn make(folder: &Folder, zones: &[String], now: OffsetDateTime) -> Result<(), Diagnostic> {
    if now < FLOOR {
        return Err(clock_wrong(now));
    }
    let own: Vec<String> = zones.iter().cloned().chain(host()).collect();
    let permitted = Permitted::of(&own)?;
    let key = make::key()?;
    let root = make::root(&key, "Hearth local CA", Some(&permitted), Validity::of(now, ROOT_LIFE))?;
    let root = read::read(root).ok_or_else(|| broken(folder, "what was just made cannot be read"))?;
    let issuer = new_issuer(&root, &key, None, now)?;
    folder.write(&fresh(ROOT_KEY), &key.serialize_pem())?;
    folder.write(&fresh(ISSUER), &bundle(&issuer))?;
    folder.write(&fresh(ROOT), &read::pem(&root.der))?;
    take_over(folder)
}

/// Finishes what [`make`] began, also for a process that died in it.
fn take_over(folder: &Folder) -> Result<(), Diagnostic> {
    if folder.read(&fresh(ROOT))?.is_some() {
        for name in [ROOT_KEY, ISSUER, ROOT] {
            folder.rename(&fresh(name), name)?;
        }
    }
    Ok(())
}

fn fresh(name: &str) -> String {
    format!("new-{name}")
}

fn root(folder: &Folder) -> Result<Option<(String, Read)>, Diagnostic> {
    let Some(text) = folder.read(ROOT)? else { return Ok(None) };
    let read = read::certificate(&text).ok_or_else(|| broken(folder, "root.pem holds no certificate"))?;
    Ok(Some((text, read)))
}

/// The root's key, where it is there and the root's.
fn root_key(folder: &Folder, root: &Read) -> Result<Option<KeyPair>, Diagnostic> {
    let Some(text) = folder.read(ROOT_KEY)? else { return Ok(None) };
    let key = read::key(&text).filter(|key| root.is_of(key));
    key.map(Some).ok_or_else(|| broken(folder, "root.key is not the key of root.pem"))
}

/// The intermediate, where it is there, whole and of this root.
fn issuer(folder: &Folder, root: &Read) -> Result<Option<Signer>, Diagnostic> {
    let Some(text) = folder.read(ISSUER)? else { return Ok(None) };
    Ok(signer(&text).filter(|signer| signer.read.names_as_issuer(root)))
}

/// A certificate and its key out of one text.
fn signer(text: &str) -> Option<Signer> {
    let (read, key) = (read::certificate(text)?, read::key(text)?);
    read.is_of(&key).then_some(Signer { read, key })
}

fn bundle(signer: &Signer) -> String {
    format!("{}{}", read::pem(&signer.read.der), signer.key.serialize_pem())
}

fn new_issuer(
    root: &Read,
    root_key: &KeyPair,
    old: Option<Validity>,
    now: OffsetDateTime,
) -> Result<Signer, Diagnostic> {
    let now = now.max(root.validity.from);
    let wanted = old.map_or_else(|| Validity::of(now, ISSUER_LIFE), |old| Validity::after(now, ISSUER_LIFE, old));
    let key = make::key()?;
    let der = make::intermediate(&key, &root.permitted, wanted.within(root.validity), &root.der, root_key)?;
    let read = read::read(der).ok_or_else(|| make::failed(rcgen::Error::CouldNotParseCertificate))?;
    Ok(Signer { read, key })
}

fn renew_issuer(
    folder: &Folder,
    root: &Read,
    root_key: &KeyPair,
    old: Option<Validity>,
    now: OffsetDateTime,
) -> Result<Signer, Diagnostic> {
    let signer = new_issuer(root, root_key, old, now)?;
    folder.write(ISSUER, &bundle(&signer))?;
    Ok(signer)
}

fn sign(names: &[Name], usage: Use, validity: Validity, by: &Signer, with_issuer: bool) -> Result<Issued, Diagnostic> {
    let key = make::key()?;
    let leaf = make::leaf(&key, names, usage, validity, &by.read.der, &by.key)?;
    let issuer = if with_issuer { read::pem(&by.read.der) } else { String::new() };
    Ok(Issued {
        chain: format!("{}{issuer}", read::pem(&leaf)),
        key: Secret::new(key.serialize_pem()),
        not_before: validity.from,
        not_after: validity.until,
    })
}

fn outside_warning(outside: &[Name], permitted: &Permitted) -> Diagnostic {
    let words = |name: &Name| match name {
        Name::Dns(name) => name.clone(),
        Name::Ip(ip) => ip.to_string(),
    };
    let list = wording::list(&outside.iter().map(words).collect::<Vec<_>>());
    let zones = wording::list(&permitted.zones);
    Diagnostic::warning("certs.outside-ca", format!("the root of the local CA must not sign for {list}"))
        .kind(Kind::Denied)
        .hint(format!("it was made for private addresses and for {zones}, and no device would accept more"))
        .hint("if the home's domain has changed: hearth certs new-ca makes a new root; every device has to be told to trust it")
}

fn broken(folder: &Folder, why: &str) -> Diagnostic {
    Diagnostic::error("certs.ca-broken", format!("the local CA in {} cannot be used: {why}", folder.path().display()))
        .kind(Kind::Failed)
        .hint("put the folder back from a backup: then no device notices")
        .hint("or make a new root with hearth certs new-ca; every device has to be told to trust it")
}

fn key_away(folder: &Folder, why: &str) -> Diagnostic {
    let place = folder.path().join(ROOT_KEY);
    Diagnostic::error("certs.ca-key-away", format!("{why}, and the key of the local CA's root is not here"))
        .kind(Kind::Failed)
        .hint(format!("put it back as {} and run this again; then it can be taken away again", place.display()))
        .hint("if it is lost: hearth certs new-ca makes a new root; every device has to be told to trust it")
}

fn ended(at: OffsetDateTime) -> Diagnostic {
    Diagnostic::error("certs.ca-ended", format!("the root of the local CA ended on {}", at.date()))
        .kind(Kind::Failed)
        .hint("if that day has not come yet, set this machine's clock")
        .hint("else: hearth certs new-ca makes a new root; every device has to be told to trust it")
}

fn clock_wrong(now: OffsetDateTime) -> Diagnostic {
    let title = format!("no CA is made while this machine's clock says {}", clock::rfc3339(now));
    Diagnostic::error("certs.clock-wrong", title)
        .kind(Kind::Failed)
        .hint("set the clock (timedatectl set-ntp true), then start Hearth again: the root would be valid for the wrong years")
}
