//! What is shown once: a password that was made up, the link of an invitation, a token. A form leads on to a page, so that loading it again does nothing twice; until that
//! page comes the secret waits in memory, for the very session that made it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::who::{By, Identity};
use crate::base::secret::Secret;

/// A browser follows at once.
const KEPT: Duration = Duration::from_secs(120);
/// At once; whoever makes more sees the last ones.
const MOST: usize = 100;

type Key = (i64, By, String);

#[derive(Default)]
pub struct Once(Mutex<HashMap<Key, (Instant, Secret)>>);

impl Once {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (Instant, Secret)>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| at.elapsed() < KEPT);
        all
    }

    /// Keeps it for the next look of `who` at the page of this path.
    pub fn put(&self, who: &Identity, path: &str, secret: Secret) {
        let mut all = self.all();
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| all.remove(&key));
        }
        all.insert((who.user, who.by.clone(), path.to_owned()), (Instant::now(), secret));
    }

    /// Gives it, and has it no more.
    pub fn take(&self, who: &Identity, path: &str) -> Option<Secret> {
        self.all().remove(&(who.user, who.by.clone(), path.to_owned())).map(|(_, secret)| secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::who::Role;

    fn who(user: i64, session: &str) -> Identity {
        let by = By::Session(session.into());
        Identity { user, name: "ada".into(), role: Role::Admin, groups: Vec::new(), only: Vec::new(), by }
    }

    #[test]
    fn a_secret_is_shown_once_at_its_page_to_the_session_that_made_it() {
        let once = Once::default();
        once.put(&who(1, "a"), "/people/4", Secret::new("x"));
        assert!(once.take(&who(2, "a"), "/people/4").is_none() && once.take(&who(1, "b"), "/people/4").is_none());
        assert!(once.take(&who(1, "a"), "/people/5").is_none());
        assert_eq!(once.take(&who(1, "a"), "/people/4").unwrap().expose(), "x");
        assert!(once.take(&who(1, "a"), "/people/4").is_none());
    }

    #[test]
    fn no_more_than_so_many_wait() {
        let once = Once::default();
        for n in 0..2 * MOST {
            once.put(&who(1, "a"), &format!("/people/{n}"), Secret::new("x"));
        }
        assert_eq!(once.all().len(), MOST);
        let last = format!("/people/{}", 2 * MOST - 1);
        assert!(once.take(&who(1, "a"), "/people/0").is_none() && once.take(&who(1, "a"), &last).is_some());
    }
}
