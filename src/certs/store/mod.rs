//! Certificates on the disk: `state/certs/<id>/{chain.pem,key.pem,meta.json}`, and the accounts in `state/acme/<host>/`.
//!
//! Folders are 0700, files 0600; wider rights are taken away when a folder is opened. A pair is replaced so that a reader, or a crash at
//! any point, finds a chain and a key that belong together; the former pair stays beside it as `previous-*.pem`. An id is made of the names,
//! so one set of names has one folder, which is also where its lock lies.
//!
//! ```text
//! let store = Store::open(&home.join("state"), key_file)?
//! store.list()?                        Held { id, names, chain_pem, key, issuer, not_before, not_after, .. }, for faces and for Traefik's file
//! choose(host, &held, now)             which one serves a host;  serving(hosts, ..): all that Traefik needs
//! store.import(chain, key, now)?       a person's own certificate, judged first
//! ```

mod choose;
mod lease;
pub mod pair;
mod seal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub use choose::{choose, covers, serving};
pub use lease::Lease;
pub use pair::Facts;
pub use seal::Seal;

use super::renewal::State;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::store::folder::Folder;

const CHAIN: &str = "chain.pem";
const KEY: &str = "key.pem";
const META: &str = "meta.json";
const ORDER: &str = "order.json";

/// All stored certificates of a home.
pub struct Store {
    /// `state/certs`.
    root: PathBuf,
    /// `state/acme`.
    accounts: PathBuf,
    seal: Seal,
}

/// A stored certificate that can be served.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: String,
    /// Normal form, sorted.
    pub names: Vec<String>,
    pub chain_pem: String,
    pub key: Secret,
    /// Who signed it, in words.
    pub issuer: String,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// Other people's browsers trust it.
    pub public: bool,
    pub source: Source,
    /// Its identifier for renewal information.
    pub ari_id: Option<String>,
    /// SHA-256 of the leaf, hexadecimal.
    pub fingerprint: String,
}

impl Held {
    pub fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && now < self.not_after
    }
    /// Whether one of its names is for this host (normal form).
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| covers(name, host))
    }
}

/// Where a certificate came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Issued by an authority, by its directory URL.
    Acme(String),
    /// Brought by a person.
    Imported,
}

/// What lies beside a pair.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Meta {
    /// `None` while there is no pair yet.
    pub source: Option<Source>,
    #[serde(default)]
    pub public: bool,
    /// The machine's state, where Hearth renews it.
    pub state: Option<State>,
}

/// An order that is under way; kept so that a process that is killed goes on with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The directory that it was made at.
    pub directory: String,
    pub url: String,
    /// The key of the certificate to come, sealed as the others are.
    pub key: String,
    /// Accepted as a replacement.
    pub exempt: bool,
    /// What has been set up for the challenges and must be taken away again.
    #[serde(default)]
    pub records: Vec<Record>,
}

/// A challenge that was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// A token that is answered over HTTP, with its answer.
    Token { token: String, answer: String },
    /// A TXT record.
    Txt { zone: String, name: String, value: String },
}

impl Store {
    /// Opens the store below a home's `state`. With a key file, keys are sealed at rest.
    pub fn open(state: &Path, key_file: Option<&Path>) -> Result<Store, Diagnostic> {
        let seal = key_file.map_or(Ok(Seal::none()), Seal::of)?;
        Folder::open(state)?;
        let store = Store { root: state.join("certs"), accounts: state.join("acme"), seal };
        Folder::open(&store.root)?;
        Ok(store)
    }

    /// The id of a set of names; `kind` keeps a person's own apart from Hearth's.
    pub fn id(names: &[String], imported: bool) -> String {
        let kind = if imported { "imported\n" } else { "" };
        let digest = Sha256::digest(format!("{kind}{}", names.join("\n")));
        digest.iter().take(10).map(|b| format!("{b:02x}")).collect()
    }

    fn folder(&self, id: &str) -> Result<Folder, Diagnostic> {
        if id.len() != 20 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(unknown(id));
        }
        Folder::open(&self.root.join(id))
    }

    /// All ids, sorted.
    pub fn ids(&self) -> Result<Vec<String>, Diagnostic> {
        let is_id = |name: &String| name.len() == 20 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let mut ids: Vec<String> = Folder::open(&self.root)?.names()?.into_iter().filter(is_id).collect();
        ids.sort();
        Ok(ids)
    }

    /// Every certificate that can be served, and what is wrong with those that cannot: one bad file stops no other.
    pub fn list(&self) -> Result<(Vec<Held>, Vec<Diagnostic>), Diagnostic> {
        let (mut held, mut wrong) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match self.load(&id) {
                Ok(Some(one)) => held.push(one),
                Ok(None) => {}
                Err(told) => wrong.push(told),
            }
        }
        Ok((held, wrong))
    }

    /// The certificate of an id; `None` where there is none yet.
    pub fn load(&self, id: &str) -> Result<Option<Held>, Diagnostic> {
        if !self.root.join(id).is_dir() {
            return Ok(None);
        }
        let folder = self.folder(id)?;
        let meta = self.meta(id)?;
        let Some((chain_pem, key)) = self.pair(&folder)? else { return Ok(None) };
        let facts = pair::facts(&chain_pem).map_err(|told| damaged(&folder, told))?;
        Ok(Some(Held {
            id: id.to_owned(),
            names: facts.names,
            chain_pem,
            key,
            issuer: facts.issuer,
            not_before: facts.not_before,
            not_after: facts.not_after,
            public: meta.public,
            source: meta.source.unwrap_or(Source::Imported),
            ari_id: facts.ari_id,
            fingerprint: facts.fingerprint,
        }))
    }

    /// A chain and a key that belong together: where a crash came between the two, the rest of the replacement is done now.
    fn pair(&self, folder: &Folder) -> Result<Option<(String, Secret)>, Diagnostic> {
        let key = |name: &str| -> Result<Option<Secret>, Diagnostic> {
            let what = || folder.path().join(name).display().to_string();
            folder.read(name)?.map(|text| self.seal.open(&text, &what())).transpose()
        };
        let (Some(chain), Some(own)) = (folder.read(CHAIN)?, key(KEY)?) else {
            // The very first pair: the key went first.
            return match (folder.read("new-chain.pem")?, key(KEY)?) {
                (Some(chain), Some(own)) if pair::belong(&chain, own.expose()) => {
                    folder.rename("new-chain.pem", CHAIN)?;
                    Ok(Some((chain, own)))
                }
                _ => Ok(None),
            };
        };
        if pair::belong(&chain, own.expose()) {
            return Ok(Some((chain, own)));
        }
        if let Some(new) = folder.read("new-chain.pem")?.filter(|new| pair::belong(new, own.expose())) {
            folder.rename("new-chain.pem", CHAIN)?;
            return Ok(Some((new, own)));
        }
        match (folder.read("previous-chain.pem")?, key("previous-key.pem")?) {
            (Some(chain), Some(own)) if pair::belong(&chain, own.expose()) => Ok(Some((chain, own))),
            _ => Err(damaged(folder, pair::bad("the key does not belong to the certificate"))),
        }
    }

    /// Stores a pair that was judged, and keeps the former one beside it.
    pub fn save(&self, id: &str, chain: &str, key: &Secret, meta: &Meta) -> Result<(), Diagnostic> {
        let folder = self.folder(id)?;
        if let Some((old, old_key)) = self.pair(&folder).unwrap_or(None).filter(|(old, _)| old != chain) {
            folder.write("previous-chain.pem", &old)?;
            folder.write("previous-key.pem", &self.seal.close(&old_key)?)?;
        }
        folder.write("new-chain.pem", chain)?;
        // From here on the new pair counts: who finds the two apart goes on from here.
        folder.write(KEY, &self.seal.close(key)?)?;
        folder.rename("new-chain.pem", CHAIN)?;
        self.save_meta(id, meta)
    }

    /// What lies beside the pair; an unreadable one counts as none, so that it is made anew.
    pub fn meta(&self, id: &str) -> Result<Meta, Diagnostic> {
        let text = self.folder(id)?.read(META)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    pub fn save_meta(&self, id: &str, meta: &Meta) -> Result<(), Diagnostic> {
        self.folder(id)?.write(META, &serde_json::to_string_pretty(meta).unwrap_or_default())
    }

    /// Brings a person's own certificate: judged, and stored beside Hearth's own.
    pub fn import(&self, chain: &str, key: &Secret, now: OffsetDateTime) -> Result<Held, Diagnostic> {
        let facts = pair::check(chain, key.expose(), now)?;
        let id = Store::id(&facts.names, true);
        let meta = Meta { source: Some(Source::Imported), public: !facts.self_signed, state: None };
        self.save(&id, chain, key, &meta)?;
        self.load(&id)?.ok_or_else(|| unknown(&id))
    }

    /// Forgets a certificate, its former version and its key.
    pub fn delete(&self, id: &str) -> Result<(), Diagnostic> {
        if self.load(id).is_ok_and(|held| held.is_none()) && !self.root.join(id).is_dir() {
            return Err(unknown(id));
        }
        let folder = self.folder(id)?;
        for name in folder.names()? {
            folder.remove(&name)?;
        }
        let root = Folder::open(&self.root)?;
        root.remove_folder(id)
    }

    /// Takes the lease of a set of names, so that two processes never order the same.
    pub fn lease(&self, id: &str, now: OffsetDateTime) -> Result<Option<Lease>, Diagnostic> {
        Lease::take(self.folder(id)?, now)
    }

    /// Writes `bytes` (random ones) and reads them back: what cannot be stored must not be ordered.
    pub fn probe(&self, id: &str, bytes: &str) -> Result<(), Diagnostic> {
        let root = self.folder(id)?;
        root.write("probe", bytes)?;
        let read = root.read("probe")?;
        root.remove("probe")?;
        if read.as_deref() == Some(bytes) {
            return Ok(());
        }
        let title = format!("{} does not give back what was written to it", self.root.display());
        Err(Diagnostic::error("certs.no-folder", title).kind(Kind::Failed).hint("check the disk that it lies on"))
    }

    /// The order that is under way, and its key.
    pub fn pending(&self, id: &str) -> Result<Option<(Pending, Secret)>, Diagnostic> {
        let text = self.folder(id)?.read(ORDER)?;
        let Some(pending) = text.and_then(|text| serde_json::from_str::<Pending>(&text).ok()) else { return Ok(None) };
        // Without its key an order is worth nothing.
        let key = self.seal.open(&pending.key, "the key of an order").ok();
        Ok(key.map(|key| (pending, key)))
    }

    pub fn save_pending(&self, id: &str, mut pending: Pending, key: &Secret) -> Result<(), Diagnostic> {
        pending.key = self.seal.close(key)?;
        self.folder(id)?.write(ORDER, &serde_json::to_string(&pending).unwrap_or_default())
    }

    pub fn forget_pending(&self, id: &str) -> Result<(), Diagnostic> {
        self.folder(id)?.remove(ORDER)
    }

    /// The account at an authority, as its library keeps it.
    pub fn account(&self, host: &str) -> Result<Option<Secret>, Diagnostic> {
        let folder = Folder::open(&self.accounts.join(host))?;
        folder.read("account.json")?.map(|text| self.seal.open(&text, "the account")).transpose()
    }

    /// Held by who makes an account there; `None`: somebody else does.
    pub fn lock_account(&self, host: &str) -> Result<Option<std::fs::File>, Diagnostic> {
        Folder::open(&self.accounts.join(host))?.try_lock()
    }

    pub fn save_account(&self, host: &str, account: &Secret) -> Result<(), Diagnostic> {
        let folder = Folder::open(&self.accounts.join(host))?;
        folder.rename("account.json", "previous-account.json")?;
        folder.write("account.json", &self.seal.close(account)?)
    }
}

fn unknown(id: &str) -> Diagnostic {
    Diagnostic::error("certs.unknown", format!("there is no certificate `{id}`"))
        .kind(Kind::NotFound)
        .hint("hearth certs lists them with their ids")
}

fn damaged(folder: &Folder, told: Diagnostic) -> Diagnostic {
    Diagnostic::error(
        "certs.damaged",
        format!("the certificate in {} cannot be used: {}", folder.path().display(), told.title),
    )
    .kind(Kind::Failed)
    .hint("delete the folder: Hearth then orders a new one; others are not touched by it")
}
