//! Leaves of the local CA that are kept: one file for each set of names, made anew when a third of its life is left, when it was signed
//! by a CA that is no more, or when it is missing or broken.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{Issued, LocalCa, read, signer};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::store::folder::Folder;

/// An open folder of leaves, `<home>/state/ca/leaves`.
pub struct Leaves {
    folder: Folder,
}

impl Leaves {
    pub fn open(dir: &Path) -> Result<Leaves, Diagnostic> {
        Folder::open(dir).map(|folder| Leaves { folder })
    }

    /// The certificate for these names, the one that is there as long as it is good.
    pub fn keep(&self, ca: &LocalCa, names: &[String], clock: &dyn Clock) -> Result<Issued, Diagnostic> {
        let file = file(names);
        // A good one is read without a lock, on a disk that cannot be written too.
        if let Some(good) = self.read(&file, ca)?.filter(|old| !old.is_due(clock.now())) {
            return Ok(good);
        }
        let _lock = self.folder.lock()?;
        let old = self.read(&file, ca)?;
        if let Some(good) = old.as_ref().filter(|old| !old.is_due(clock.now())) {
            return Ok(good.clone());
        }
        let made = match &old {
            Some(old) => ca.renew(names, old.validity(), clock),
            None => ca.issue(names, clock),
        };
        let written = made.and_then(|new| {
            self.folder.write(&file, &format!("{}{}", new.chain, new.key.expose()))?;
            Ok(new)
        });
        match (written, old) {
            (Ok(new), _) => Ok(new),
            (Err(told), Some(old)) if holds(&old, clock.now()) => {
                tracing::warn!(why = %told, "a certificate of the local CA is not renewed; the one that is there goes on");
                Ok(old)
            }
            (Err(told), _) => Err(told),
        }
    }

    /// What is there, if this CA made it.
    fn read(&self, file: &str, ca: &LocalCa) -> Result<Option<Issued>, Diagnostic> {
        let Some(text) = self.folder.read(file)? else { return Ok(None) };
        let Some(leaf) = signer(&text) else { return Ok(None) };
        let chain: Vec<CertificateDer> = CertificateDer::pem_slice_iter(text.as_bytes()).flatten().collect();
        let issuer = chain.get(1).cloned().and_then(read::read);
        let ours = issuer.is_some_and(|i| leaf.read.names_as_issuer(&i) && i.names_as_issuer(&ca.root));
        Ok(ours.then(|| Issued {
            chain: chain.iter().map(read::pem).collect(),
            key: Secret::new(leaf.key.serialize_pem()),
            not_before: leaf.read.validity.from,
            not_after: leaf.read.validity.until,
        }))
    }
}

fn holds(issued: &Issued, now: OffsetDateTime) -> bool {
    issued.validity().holds(now)
}

/// Names may hold `*` and `:`; a file's name is a piece of their hash.
fn file(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let digest = Sha256::digest(names.join("\n").as_bytes());
    let hex: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
    format!("{hex}.pem")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    struct At(OffsetDateTime);
    impl Clock for At {
        fn now(&self) -> OffsetDateTime {
            self.0
        }
    }

    #[test]
    fn a_leaf_is_kept_while_it_is_good_and_renewed_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let start = time::macros::datetime!(2026-11-26 04:00 UTC);
        let zones = vec!["example.org".to_string()];
        let ca = LocalCa::open(dir.path(), &zones, &At(start)).unwrap();
        let leaves = Leaves::open(&dir.path().join("leaves")).unwrap();
        let names = vec!["example.org".to_string(), "*.example.org".to_string()];
        let first = leaves.keep(&ca, &names, &At(start)).unwrap();
        let again = leaves.keep(&ca, &names, &At(start + Duration::days(30))).unwrap();
        assert_eq!(first.chain, again.chain);
        let later = leaves.keep(&ca, &names, &At(start + Duration::days(70))).unwrap();
        assert_ne!(first.chain, later.chain);
        assert!(later.not_after > first.not_after);
    }

    #[test]
    fn a_new_root_makes_new_leaves() {
        let dir = tempfile::tempdir().unwrap();
        let clock = At(time::macros::datetime!(2026-11-26 04:00 UTC));
        let zones = vec!["example.org".to_string()];
        let ca = LocalCa::open(dir.path(), &zones, &clock).unwrap();
        let leaves = Leaves::open(&dir.path().join("leaves")).unwrap();
        let names = vec!["a.example.org".to_string()];
        let first = leaves.keep(&ca, &names, &clock).unwrap();
        let ca = LocalCa::replace(dir.path(), &zones, &clock).unwrap();
        assert_ne!(first.chain, leaves.keep(&ca, &names, &clock).unwrap().chain);
    }
}
