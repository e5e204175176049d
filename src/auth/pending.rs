//! What was begun in a browser and is to be ended there: the way to a provider and back, the challenge of a passkey. Each can be ended once, within a few
//! minutes, by the browser that began it.
//!
//! In memory: who was half-way when the server started anew begins again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::secrets;
use crate::web::household;

/// Milliseconds in which something has to be ended: time to sign in elsewhere, with a second factor there.
const LIFE: i64 = 10 * 60 * 1000;

/// How much is remembered, in all and for one household: who begins very often pushes out what they began themselves.
const MOST: usize = 4096;
const MOST_EACH: usize = 32;

struct Kept<T> {
    what: T,
    browser: [u8; 32],
    house: IpAddr,
    at: i64,
    /// Tells the order of those of one millisecond.
    turn: u64,
}

/// Things of one sort that were begun.
pub struct Pending<T>(Mutex<(HashMap<[u8; 32], Kept<T>>, u64)>);

impl<T> Default for Pending<T> {
    fn default() -> Pending<T> {
        Pending(Mutex::new((HashMap::new(), 0)))
    }
}

impl<T> Pending<T> {
    /// Remembers `what` under a secret `key`, for the browser that has `cookie`. `now`: milliseconds since 1970.
    pub fn put(&self, key: &str, cookie: &str, from: IpAddr, what: T, now: i64) {
        let house = household(from);
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, turn) = &mut *guard;
        *turn += 1;
        all.retain(|_, kept| kept.holds(now));
        if all.values().filter(|kept| kept.house == house).count() >= MOST_EACH {
            drop_oldest(all, Some(house));
        }
        if all.len() >= MOST {
            drop_oldest(all, None);
        }
        let kept = Kept { what, browser: secrets::digest(cookie), house, at: now, turn: *turn };
        all.insert(secrets::digest(key), kept);
    }

    /// Takes what was begun, once. Another browser than the one that began it gets nothing, and takes nothing away.
    pub fn take(&self, key: &str, cookie: &str, now: i64) -> Option<T> {
        let key = secrets::digest(key);
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = guard.0.get(&key)?;
        if !kept.holds(now) || kept.browser != secrets::digest(cookie) {
            return None;
        }
        guard.0.remove(&key).map(|kept| kept.what)
    }
}

impl<T> Kept<T> {
    fn holds(&self, now: i64) -> bool {
        // A clock that was set back ends nothing early.
        now.saturating_sub(self.at) < LIFE
    }
}

fn drop_oldest<T>(all: &mut HashMap<[u8; 32], Kept<T>>, house: Option<IpAddr>) {
    let those = all.iter().filter(|(_, kept)| house.is_none_or(|house| kept.house == house));
    if let Some(oldest) = those.min_by_key(|(_, kept)| kept.turn).map(|(key, _)| *key) {
        all.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn what_was_begun_is_ended_once_in_time_and_in_the_same_browser() {
        let pending = Pending::default();
        pending.put("key", "cookie", from(1), "what", 1000);
        assert_eq!(pending.take("key", "other", 1001), None);
        assert_eq!(pending.take("other", "cookie", 1001), None);
        assert_eq!(pending.take("key", "cookie", 1001), Some("what"));
        assert_eq!(pending.take("key", "cookie", 1001), None, "once");
        pending.put("key", "cookie", from(1), "what", 1000);
        assert_eq!(pending.take("key", "cookie", 1000 + LIFE), None, "too late");
        pending.put("late", "cookie", from(1), "what", 1000);
        assert_eq!(pending.take("late", "cookie", 500), Some("what"), "the clock was set back");
    }

    #[test]
    fn hostile_31_who_begins_without_end_takes_no_more_room_and_pushes_out_nobody_else() {
        let pending = Pending::default();
        pending.put("mine", "cookie", from(1), 0, 0);
        for n in 0..10_000 {
            pending.put(&format!("k{n}"), "c", from(2), n, 1);
        }
        assert_eq!(pending.0.lock().unwrap().0.len(), 1 + MOST_EACH);
        assert_eq!(pending.take("k9999", "c", 2), Some(9999), "the newest stay");
        assert_eq!(pending.take("mine", "cookie", 2), Some(0));
        for n in 0..10_000_u32 {
            pending.put(&format!("m{n}"), "c", from(n), 0, 2);
        }
        assert_eq!(pending.0.lock().unwrap().0.len(), MOST);
    }
}
