//! Between the password and the second factor: what was right already is kept in memory for a few minutes, for one browser.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::accounts::Credentials;
use crate::auth::secrets;
use crate::base::random::Random;
use crate::base::secret::Secret;

/// How long.
pub const SECONDS: i64 = 180;
/// How many at once; whoever comes then has to wait.
const MOST: usize = 200;

#[derive(Default)]
pub struct Halves(Mutex<HashMap<[u8; 32], (Instant, Credentials)>>);

impl Halves {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], (Instant, Credentials)>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = Duration::from_secs(SECONDS.unsigned_abs());
        all.retain(|_, (at, _)| at.elapsed() < lasts);
        all
    }

    /// Keeps it; gives what the browser shows for it. `None`: there are too many.
    pub fn put(&self, who: Credentials, random: &dyn Random) -> Option<Secret> {
        let mut all = self.all();
        if all.len() >= MOST {
            return None;
        }
        let token = secrets::token(random);
        all.insert(secrets::digest(token.expose()), (Instant::now(), who));
        Some(token)
    }

    pub fn get(&self, token: &str) -> Option<Credentials> {
        self.all().get(&secrets::digest(token)).map(|(_, who)| who.clone())
    }

    pub fn end(&self, token: &str) {
        self.all().remove(&secrets::digest(token));
    }
}
