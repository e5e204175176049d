//! The keys that sign: made in the home's state at first use, changed every month, and good for verifying a while longer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use super::{LONG_LIFETIME, bad};
use crate::auth::secrets;
use crate::base::random::{Random, bytes};
use crate::diag::{Diagnostic, Kind};
use crate::store::folder::Folder;

/// A key signs for so long, in milliseconds: 30 days.
pub const ROTATION_MS: i64 = 30 * 24 * 3600 * 1000;
/// A key verifies for so long after its successor was made: no token that it signed lasts longer.
pub const GRACE_MS: i64 = (LONG_LIFETIME + 3600) * 1000;

const FILE: &str = "signing-keys.json";

/// As a key stands in the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Milliseconds since 1970.
    made: i64,
    /// 32 bytes, base64url: the seed of RFC 8032.
    seed: String,
}

pub(super) struct Key {
    pub kid: String,
    made: i64,
    pub signs: EncodingKey,
    pub verifies: DecodingKey,
}

/// The keys of a home.
pub struct Keys {
    folder: PathBuf,
    /// Oldest first.
    keys: RwLock<Arc<Vec<Arc<Key>>>>,
    /// A key was made here in place of another one, and nobody was told.
    turned: AtomicBool,
}

impl Keys {
    /// Reads the keys of `folder`, makes the first one where there is none, and the next one where it is time (`now`: milliseconds since
    /// 1970). A key that too many may know ends the start.
    pub fn open(folder: &Path, now: i64, random: &dyn Random) -> Result<Keys, Diagnostic> {
        let keys = Keys { folder: folder.to_path_buf(), keys: RwLock::default(), turned: AtomicBool::default() };
        keys.rotate(now, random)?;
        Ok(keys)
    }

    /// Makes the next key where it is time; drops those that nothing needs any more. Cheap where there is nothing to do.
    pub fn rotate(&self, now: i64, random: &dyn Random) -> Result<(), Diagnostic> {
        if self.all().last().is_some_and(|key| is_fresh(key.made, now)) {
            return Ok(());
        }
        let folder = Folder::open(&self.folder)?;
        let _lock = folder.lock()?;
        let mut kept = read(&folder)?;
        if !kept.last().is_some_and(|key| is_fresh(key.made, now)) {
            kept.push(Kept { made: now, seed: BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>(random)) });
            let ended: Vec<bool> = ended(&kept.iter().map(|key| key.made).collect::<Vec<_>>(), now);
            let mut ended = ended.into_iter();
            kept.retain(|_| !ended.next().unwrap_or_default());
            folder.write(FILE, &serde_json::to_string_pretty(&kept).unwrap_or_default())?;
            self.turned.fetch_or(kept.len() > 1, Ordering::Relaxed);
        }
        let keys = kept.iter().map(Key::of).collect::<Result<Vec<_>, _>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys.into_iter().map(Arc::new).collect());
        Ok(())
    }

    /// Whether a key was made here in place of another one since this was asked last.
    pub fn turned(&self) -> bool {
        self.turned.swap(false, Ordering::Relaxed)
    }

    fn all(&self) -> Arc<Vec<Arc<Key>>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that signs.
    pub(super) fn newest(&self) -> Result<Arc<Key>, Diagnostic> {
        self.all().last().cloned().ok_or_else(|| bad("this home has no key to sign with"))
    }

    /// A key that still verifies at `now` (seconds since 1970).
    pub(super) fn named(&self, kid: &str, now: i64) -> Result<Option<Arc<Key>>, Diagnostic> {
        let all = self.all();
        let ended = ended(&all.iter().map(|key| key.made).collect::<Vec<_>>(), now.saturating_mul(1000));
        let mut holds = all.iter().zip(ended).filter(|(_, ended)| !ended).map(|(key, _)| key);
        Ok(holds.find(|key| key.kid == kid).cloned())
    }
}

fn is_fresh(made: i64, now: i64) -> bool {
    // One from the future was made before the clock was set right: it is as good as a new one.
    now.saturating_sub(made) < ROTATION_MS
}

/// Which of the keys, made at these times and oldest first, verify nothing any more.
fn ended(made: &[i64], now: i64) -> Vec<bool> {
    (0..made.len()).map(|n| made.get(n + 1).is_some_and(|next| now.saturating_sub(*next) > GRACE_MS)).collect()
}

fn read(folder: &Folder) -> Result<Vec<Kept>, Diagnostic> {
    let Some(text) = folder.read(FILE)? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|_| damaged())
}

impl Key {
    fn of(kept: &Kept) -> Result<Key, Diagnostic> {
        secrets::judge("a key of access tokens", &kept.seed)?;
        let seed = BASE64_URL_SAFE_NO_PAD.decode(&kept.seed).map_err(|_| damaged())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| damaged())?;
        let pkcs8 = pair.to_pkcs8().map_err(|_| damaged())?;
        let public = pair.public_key().as_ref();
        let words = BASE64_URL_SAFE_NO_PAD.encode(public);
        Ok(Key {
            kid: secrets::hash(&words).chars().take(16).collect(),
            made: kept.made,
            signs: EncodingKey::from_ed_der(pkcs8.as_ref()),
            verifies: DecodingKey::from_ed_der(public),
        })
    }
}

fn damaged() -> Diagnostic {
    Diagnostic::error("auth.damaged-keys", format!("{FILE} in the home's state is damaged"))
        .kind(Kind::Failed)
        .hint("move it away: new keys are made, and programs have to log in again")
}
