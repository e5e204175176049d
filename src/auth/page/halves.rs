//! Between the password and the second factor: what was right already is kept in memory for a few minutes, for one browser.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::accounts::Credentials;
use crate::auth::secrets;
use crate::base::random::Random;
use crate::base::secret::Secret;

/// How long, for who has only a code to type.
pub const SECONDS: i64 = 180;
/// And for who has an app to install first.
pub const SECONDS_TO_SET_UP: i64 = 600;
/// How many of one account at once: one more, and the one that ends first is gone. And of all: whoever comes then has to wait.
const EACH: usize = 5;
const MOST: usize = 200;

#[derive(Default)]
pub struct Halves(Mutex<HashMap<[u8; 32], (Instant, Credentials)>>);

impl Halves {
    /// What is kept, each with its end.
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], (Instant, Credentials)>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, (ends, _)| *ends > now);
        all
    }

    /// Keeps it for so many seconds; gives what the browser shows for it. `None`: there are too many.
    pub fn put(&self, who: Credentials, seconds: i64, random: &dyn Random) -> Option<Secret> {
        let mut all = self.all();
        let name = |who: &Credentials| who.username.trim().to_lowercase();
        let theirs = all.iter().filter(|(_, (_, other))| name(other) == name(&who));
        let mut theirs: Vec<(Instant, [u8; 32])> = theirs.map(|(key, (ends, _))| (*ends, *key)).collect();
        theirs.sort_unstable();
        if let Some((_, first)) = theirs.first().filter(|_| theirs.len() >= EACH) {
            all.remove(first);
        }
        if all.len() >= MOST {
            return None;
        }
        let token = secrets::token(random);
        let ends = Instant::now() + Duration::from_secs(seconds.unsigned_abs());
        all.insert(secrets::digest(token.expose()), (ends, who));
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
        let ann = halves.put(who("ann"), SECONDS, &SystemRandom).unwrap();
        let first = halves.put(who("ben"), SECONDS, &SystemRandom).unwrap();
        for _ in 0..2 * MOST {
            assert!(halves.put(who(" Ben"), SECONDS, &SystemRandom).is_some());
        }
        assert!(halves.get(ann.expose()).is_some() && halves.get(first.expose()).is_none());
        assert_eq!(halves.all().len(), 1 + EACH);
    }

    #[test]
    fn each_is_kept_for_as_long_as_was_said() {
        let halves = Halves::default();
        let who = || Credentials { username: "ann".into(), password: Secret::new("x"), otp: None };
        let over = halves.put(who(), 0, &SystemRandom).unwrap();
        let app = halves.put(who(), SECONDS_TO_SET_UP, &SystemRandom).unwrap();
        assert!(halves.get(over.expose()).is_none() && halves.get(app.expose()).is_some());
        let ends = halves.all().values().map(|(ends, _)| ends.duration_since(Instant::now())).max().unwrap();
        assert!(ends.as_secs() > 590, "ten minutes to install an app: {ends:?}");
    }
}
