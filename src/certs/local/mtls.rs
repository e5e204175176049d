//! How Traefik and Hearth know each other: a CA of their own, that nobody else trusts.
//!
//! Traefik shows a client certificate, Hearth's inner listener a server certificate; both are renewed by themselves. The root is replaced
//! long before its end, and both sides trust the former one beside it until it ends. Nothing here is worth a backup: what is
//! missing or broken is made again, and Traefik reads it with its next file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::make::{self, Use, Validity};
use super::names::Name;
use super::{Issued, LEAF_LIFE, ROOT_LIFE, Signer, bundle, read, sign, signer};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::store::folder::Folder;

/// The name in the server's certificate: Traefik asks for it whatever address it connects to.
pub const SERVER_NAME: &str = "panel.hearth.internal";
/// The name in the client's certificate.
pub const CLIENT_NAME: &str = "traefik.hearth.internal";

const ROOT: &str = "root.pem";
const FORMER: &str = "former-root.pem";
const SERVER: &str = "server.pem";
const CLIENT: &str = "client.pem";

/// What both sides are given.
#[derive(Debug, Clone)]
pub struct Material {
    /// PEM: the root that signs now, then the one before it while it is valid.
    pub roots: String,
    /// For Hearth's inner listener.
    pub server: Issued,
    /// For Traefik.
    pub client: Issued,
}

/// The pair's CA.
pub struct Mtls {
    folder: Folder,
    material: Mutex<Material>,
}

impl Mtls {
    /// Opens `dir` (`<home>/state/mtls`) and makes what is missing in it.
    pub fn open(dir: &Path, clock: &dyn Clock) -> Result<Mtls, Diagnostic> {
        let folder = Folder::open(dir)?;
        let material = load(&folder, clock.now())?;
        Ok(Mtls { folder, material: Mutex::new(material) })
    }

    pub fn material(&self) -> Material {
        self.material.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Renews what is due, and takes over what another process renewed; `true`: there is new [`Material`].
    pub fn refresh(&self, clock: &dyn Clock) -> Result<bool, Diagnostic> {
        let new = load(&self.folder, clock.now())?;
        let mut held = self.material.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            held.roots == new.roots && held.server.chain == new.server.chain && held.client.chain == new.client.chain;
        *held = new;
        Ok(!same)
    }
}

fn load(folder: &Folder, now: OffsetDateTime) -> Result<Material, Diagnostic> {
    let _lock = folder.lock()?;
    let root = root(folder, now)?;
    let former = folder.read(FORMER)?.and_then(|text| read::certificate(&text));
    let former = former.filter(|former| former.validity.until > now && former.der != root.read.der);
    let roots = read::pem(&root.read.der) + &former.as_ref().map_or(String::new(), |former| read::pem(&former.der));
    let server = leaf(folder, SERVER, SERVER_NAME, Use::Server, &root, now)?;
    let client = leaf(folder, CLIENT, CLIENT_NAME, Use::Client, &root, now)?;
    Ok(Material { roots, server, client })
}

fn root(folder: &Folder, now: OffsetDateTime) -> Result<Signer, Diagnostic> {
    if let Some(old) = folder.read(ROOT)?.and_then(|text| signer(&text)) {
        if !old.read.validity.due(now, ROOT_LIFE) {
            return Ok(old);
        }
        folder.write(FORMER, &read::pem(&old.read.der))?;
    }
    let key = make::key()?;
    let der = make::root(&key, "Hearth inner CA", None, Validity::of(now, ROOT_LIFE))?;
    let read = read::read(der).ok_or_else(|| make::failed(rcgen::Error::CouldNotParseCertificate))?;
    let signer = Signer { read, key };
    folder.write(ROOT, &bundle(&signer))?;
    Ok(signer)
}

fn leaf(
    folder: &Folder,
    file: &str,
    name: &str,
    usage: Use,
    root: &Signer,
    now: OffsetDateTime,
) -> Result<Issued, Diagnostic> {
    let old = folder.read(file)?.and_then(|text| signer(&text));
    let good = |old: &Signer| old.read.names_as_issuer(&root.read) && !old.read.validity.due(now, LEAF_LIFE);
    if let Some(old) = old.as_ref().filter(|old| good(old)) {
        return Ok(Issued {
            chain: read::pem(&old.read.der),
            key: Secret::new(old.key.serialize_pem()),
            not_before: old.read.validity.from,
            not_after: old.read.validity.until,
        });
    }
    // Of one that is not valid at this time the clock was set: the new one is valid at both times, on whichever side that clock is.
    let life =
        old.map_or_else(|| Validity::of(now, LEAF_LIFE), |old| Validity::after(now, LEAF_LIFE, old.read.validity));
    let names = [Name::Dns(name.to_owned())];
    let issued = sign(&names, usage, life.within(root.read.validity), root, false)?;
    folder.write(file, &format!("{}{}", issued.chain, issued.key.expose()))?;
    Ok(issued)
}

/// How often somebody should call [`Mtls::refresh`]: a command may have renewed what Traefik shows by now.
pub const LOOK: Duration = Duration::seconds(5);
