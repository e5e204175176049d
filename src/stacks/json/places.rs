//! How many short verbs run at once: each takes a thread, and most ask the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const AT_ONCE: usize = 16;
/// Of these one person has so many; whoever asks for more waits behind themselves, and not before others.
const EACH: usize = 4;

pub struct Places {
    all: Arc<Semaphore>,
    each: Mutex<HashMap<i64, Weak<Semaphore>>>,
}

/// Held while the verb runs.
pub struct Place(#[expect(dead_code, reason = "only held")] [Option<OwnedSemaphorePermit>; 2]);

impl Default for Places {
    fn default() -> Places {
        Places { all: Arc::new(Semaphore::new(AT_ONCE)), each: Mutex::default() }
    }
}

impl Places {
    /// Waits until somebody has a place.
    pub async fn take(&self, user: i64) -> Place {
        let own = self.own(user);
        // They are never closed.
        let own = own.acquire_owned().await.ok();
        Place([own, self.all.clone().acquire_owned().await.ok()])
    }

    fn own(&self, user: i64) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = each.get(&user).and_then(Weak::upgrade) {
            return own;
        }
        each.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(EACH));
        each.insert(user, Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn nobody_takes_the_places_of_others() {
        let places = Arc::new(Places::default());
        let mut of_one = Vec::new();
        for _ in 0..EACH {
            of_one.push(places.take(1).await);
        }
        let more: Vec<_> = (0..40)
            .map(|_| {
                let places = places.clone();
                tokio::spawn(async move { drop(places.take(1).await) })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(more.iter().all(|waits| !waits.is_finished()));
        // Everybody else goes on at once, and whoever waited when a place is free.
        tokio::time::timeout(Duration::from_secs(1), places.take(2)).await.unwrap();
        of_one.pop();
        for waits in more {
            tokio::time::timeout(Duration::from_secs(1), waits).await.unwrap().unwrap();
        }
        drop(of_one);
        drop(places.take(3).await);
        assert_eq!(places.each.lock().unwrap().len(), 1, "whoever is done is forgotten");
    }
}
