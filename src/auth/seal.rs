//! What has to be read again, and must not be read by whoever gets hold of the database: sealed with a key that lies in the home's state.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::secrets;
use crate::base::random::{Random, bytes};
use crate::diag::{Diagnostic, Kind};
use crate::store::folder::Folder;

const FILE: &str = "sealing-key";

/// AES-256-GCM with the home's own key.
pub struct Seal {
    key: LessSafeKey,
    random: Arc<dyn Random>,
}

impl Seal {
    /// Reads the key of `folder`, and makes it where there is none.
    pub fn open(folder: &Path, random: Arc<dyn Random>) -> Result<Seal, Diagnostic> {
        let folder = Folder::open(folder)?;
        let _lock = folder.lock()?;
        let text = match folder.read(FILE)? {
            Some(text) => text,
            None => {
                let text = secrets::token(&*random).expose().to_owned();
                folder.write(FILE, &text)?;
                text
            }
        };
        secrets::judge("the sealing key in the home's state", text.trim())?;
        let raw = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| damaged())?;
        let key = UnboundKey::new(&AES_256_GCM, &raw).map_err(|_| damaged())?;
        Ok(Seal { key: LessSafeKey::new(key), random })
    }

    /// Seals `secret`; it can be opened only as what it was sealed as.
    pub fn close(&self, secret: &[u8], what: &str) -> Result<String, Diagnostic> {
        // Random nonces of 96 bits: good for far more secrets than a home has.
        let nonce: [u8; NONCE_LEN] = bytes(&*self.random);
        let mut sealed = secret.to_vec();
        let aad = Aad::from(what.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| damaged())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what [`Seal::close`] gave.
    pub fn open_text(&self, sealed: &str, what: &str) -> Result<Vec<u8>, Diagnostic> {
        let raw = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| unopened())?;
        let (nonce, sealed) = raw.split_at_checked(NONCE_LEN).ok_or_else(unopened)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unopened())?;
        let mut opened = sealed.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(what.as_bytes()), &mut opened).map_err(|_| unopened())?;
        Ok(plain.to_vec())
    }
}

fn damaged() -> Diagnostic {
    Diagnostic::error("auth.damaged-keys", format!("{FILE} in the home's state is damaged"))
        .kind(Kind::Failed)
        .hint("put back the file from a backup; without it second factors have to be set up again")
}

fn unopened() -> Diagnostic {
    Diagnostic::error("auth.sealed", "a secret in the database was sealed with another home's key")
        .kind(Kind::Failed)
        .hint("put back state/auth/sealing-key from a backup, or take the second factor away: hearth users second-factor NAME off")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::base::random::SystemRandom;

    #[test]
    fn hostile_16_what_is_sealed_opens_only_at_home_and_only_as_what_it_is() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |dir: &tempfile::TempDir| Seal::open(dir.path(), Arc::new(SystemRandom)).unwrap();
        let sealed = open(&home).close(b"secret", "totp 7").unwrap();
        assert_eq!(open(&home).open_text(&sealed, "totp 7").unwrap(), b"secret");
        assert_eq!(open(&home).open_text(&sealed, "totp 8").unwrap_err().code, "auth.sealed");
        assert_eq!(open(&other).open_text(&sealed, "totp 7").unwrap_err().code, "auth.sealed");
        assert_ne!(sealed, open(&home).close(b"secret", "totp 7").unwrap());
        for broken in ["", "AAAA", "?", &sealed[1..]] {
            assert!(open(&home).open_text(broken, "totp 7").is_err(), "{broken}");
        }
        let mode = std::fs::metadata(home.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
