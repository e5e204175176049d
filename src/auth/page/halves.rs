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
/// How many of one account at once: one more, and the eldest is gone. And of all: whoever comes then has to wait.
const EACH: usize = 5;
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
        let name = |who: &Credentials| who.username.trim().to_lowercase();
        let theirs = all.iter().filter(|(_, (_, other))| name(other) == name(&who));
        let mut theirs: Vec<(Instant, [u8; 32])> = theirs.map(|(key, (at, _))| (*at, *key)).collect();
        theirs.sort_unstable();
        if let Some((_, eldest)) = theirs.first().filter(|_| theirs.len() >= EACH) {
            all.remove(eldest);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    #[test]
    fn whoever_signs_in_many_times_takes_nobody_elses_place() {
        let halves = Halves::default();
        let who = |name: &str| Credentials { username: name.into(), password: Secret::new("x"), otp: None };
        let ann = halves.put(who("ann"), &SystemRandom).unwrap();
        let first = halves.put(who("ben"), &SystemRandom).unwrap();
        for _ in 0..2 * MOST {
            assert!(halves.put(who(" Ben"), &SystemRandom).is_some());
        }
        assert!(halves.get(ann.expose()).is_some() && halves.get(first.expose()).is_none());
        assert_eq!(halves.all().len(), 1 + EACH);
    }
}
