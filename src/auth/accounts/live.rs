//! Who asks, remembered by the token that they showed: until something changes, or nobody knows whether it has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::users::User;
use crate::auth::who::{By, Identity};

/// Tokens remembered at most.
const MOST: usize = 20_000;

/// What was remembered counts for so long after the last look at the database's counter of changes: then the database is asked each time.
const FRESH: Duration = Duration::from_millis(900);

/// Where a last use is written down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Use {
    Session(String),
    /// A program's login: the family of its refresh tokens.
    Program(String),
    Token(String),
}

impl Use {
    pub fn of(by: &By) -> Option<Use> {
        match by {
            By::Session(id) => Some(Use::Session(id.clone())),
            By::Access(id) => Some(Use::Program(id.clone())),
            By::Token { id, .. } => Some(Use::Token(id.clone())),
            By::Terminal => None,
        }
    }
}

/// Somebody who was found to be who they say.
#[derive(Debug)]
pub struct Known {
    pub identity: Arc<Identity>,
    /// Milliseconds since 1970.
    pub ends: i64,
    /// Ends when it was not used for so long; milliseconds.
    pub idle: Option<i64>,
    pub used: AtomicI64,
    /// The use that is written down.
    pub written: AtomicI64,
    /// `None`: nobody wants to know.
    pub noted: Option<Use>,
}

impl Known {
    fn holds(&self, now: i64) -> bool {
        let idle = self.idle.is_some_and(|idle| now.saturating_sub(self.used.load(Ordering::Relaxed)) >= idle);
        now < self.ends && !idle
    }
}

pub struct Live {
    known: RwLock<HashMap<[u8; 32], Arc<Known>>>,
    /// Those who have asked who they are.
    people: RwLock<HashMap<i64, Arc<User>>>,
    /// Last uses of those forgotten that were not written down yet.
    unwritten: Mutex<HashMap<Use, i64>>,
    /// Grows with every forgetting: what was read before it is not remembered after it.
    turn: AtomicU64,
    /// When the counter was looked at last, in milliseconds since `began`; -1: never.
    looked: AtomicI64,
    began: Instant,
    /// Told of every forgetting: sockets that stay open look again whether they may.
    changed: tokio::sync::watch::Sender<u64>,
}

impl Default for Live {
    fn default() -> Live {
        Live {
            known: RwLock::default(),
            people: RwLock::default(),
            unwritten: Mutex::default(),
            turn: AtomicU64::new(0),
            looked: AtomicI64::new(-1),
            began: Instant::now(),
            changed: tokio::sync::watch::Sender::new(0),
        }
    }
}

impl Live {
    /// Who has shown this token, where that is known and counts.
    pub fn get(&self, digest: &[u8; 32], now: i64) -> Option<Arc<Identity>> {
        if !self.is_fresh() {
            return None;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let one = known.get(digest).filter(|one| one.holds(now))?;
        one.used.store(now, Ordering::Relaxed);
        Some(one.identity.clone())
    }

    /// To be asked before the database is, and given back to [`Live::put`].
    pub fn turn(&self) -> u64 {
        self.turn.load(Ordering::Acquire)
    }

    /// Remembers what was read from the database since `turn`.
    pub fn put(&self, digest: [u8; 32], known: Known, turn: u64) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: a forgetting that comes now comes after.
        if self.turn() != turn {
            return;
        }
        if all.len() >= MOST {
            // Seldom, and it costs everybody one more question.
            self.keep_uses(&all);
            all.clear();
        }
        all.insert(digest, Arc::new(known));
    }

    /// Forgets everybody.
    pub fn forget(&self) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.keep_uses(&all);
        all.clear();
        // Under the same lock, so that the turn holds for both.
        self.people.write().unwrap_or_else(PoisonError::into_inner).clear();
        drop(all);
        self.changed.send_modify(|turn| *turn += 1);
    }

    /// A user as they were read last.
    pub fn person(&self, id: i64) -> Option<Arc<User>> {
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        people.get(&id).filter(|_| self.is_fresh()).cloned()
    }

    /// Remembers a user who was read since `turn`.
    pub fn put_person(&self, user: Arc<User>, turn: u64) {
        let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
        if self.turn() == turn {
            people.insert(user.id, user);
        }
    }

    /// Forgets a user, who is the same in everything that opens something.
    pub fn forget_person(&self, id: i64) {
        self.people.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Somebody has looked at the counter, and began to at `when`.
    pub fn looked(&self, when: Instant) {
        let ms = when.saturating_duration_since(self.began).as_millis();
        self.looked.store(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::Release);
    }

    fn is_fresh(&self) -> bool {
        let looked = u64::try_from(self.looked.load(Ordering::Acquire));
        looked.is_ok_and(|ms| self.began.elapsed().saturating_sub(Duration::from_millis(ms)) < FRESH)
    }

    fn keep_uses(&self, all: &HashMap<[u8; 32], Arc<Known>>) {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        for one in all.values() {
            let used = one.used.load(Ordering::Relaxed);
            if let Some(noted) = one.noted.as_ref().filter(|_| used > one.written.swap(used, Ordering::Relaxed)) {
                let last = unwritten.entry(noted.clone()).or_insert(used);
                *last = used.max(*last);
            }
        }
    }

    /// A use that came with no request.
    pub fn used(&self, of: Use, at: i64) {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let last = unwritten.entry(of).or_insert(at);
        *last = at.max(*last);
    }

    /// The last use that may not be written down yet. Looks through all: for the few that would have ended without it.
    pub fn last_use(&self, of: &Use) -> Option<i64> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.values().filter(|one| one.noted.as_ref() == Some(of));
        let last = known.map(|one| one.used.load(Ordering::Relaxed)).max();
        last.max(self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).get(of).copied())
    }

    /// The last uses since this was asked last, to be written down.
    pub fn take_uses(&self) -> Vec<(Use, i64)> {
        self.keep_uses(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        std::mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    /// Told of every change that may have ended somebody.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
