//! What happened while nobody looked: kept, counted where it happens again, and marked as read by each person alone.
//!
//! | subject | file |
//! |---|---|
//! | what there is, in memory, and what becomes of it | this one |
//! | its tables | `sql` |
//! | where it comes from | `watch` |
//! | the calls | `json` |
//!
//! All that there can be is kept in memory too: every page says how many are unread, and must not ask the database for it.

pub mod json;
mod sql;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch as signal;

use crate::auth::who::{Identity, Role};
use crate::base::clock::Clock;
use crate::diag::Diagnostic;
use crate::store::{Db, FromRow};

pub use watch::Watched;

/// So many are kept, and for so long.
pub const MOST: i64 = 1000;
const KEPT: i64 = 90 * DAY;
const DAY: i64 = 24 * 3600 * 1000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Notice {
    pub id: i64,
    /// `work-failed`, `service-failed`, ...
    pub kind: String,
    /// The name of what it happened to.
    pub subject: String,
    /// Whose account it is about.
    pub person: Option<i64>,
    /// Of the page that says more.
    pub path: String,
    /// Why, in a sentence of the room that knows; may be empty.
    pub words: String,
    /// Milliseconds since 1970.
    pub first: i64,
    pub last: i64,
    pub times: i64,
}

/// What is to be kept.
#[derive(Debug, Clone, Default)]
pub struct New {
    pub kind: &'static str,
    pub subject: String,
    pub person: Option<i64>,
    pub path: String,
    pub words: String,
}

#[derive(Debug, Default)]
struct Held {
    /// The newest first.
    all: Vec<Notice>,
    /// Up to when somebody has read what.
    marks: BTreeMap<(i64, i64), i64>,
}

/// Clones share it.
#[derive(Clone)]
pub struct Notices {
    db: Db,
    clock: Arc<dyn Clock>,
    held: Arc<RwLock<Held>>,
    changed: signal::Sender<u64>,
}

/// For all that there is, in the place of one notice's number.
const ALL: i64 = 0;

impl Notices {
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Notices {
        let (changed, _) = signal::channel(0);
        Notices { db, clock, held: Arc::default(), changed }
    }

    /// Wakes with every change.
    pub fn changes(&self) -> signal::Receiver<u64> {
        self.changed.subscribe()
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
    }

    /// Takes what is kept into memory.
    pub async fn load(&self) -> Result<(), Diagnostic> {
        let on = &mut self.db.reader().await?;
        let (all, marks) = (sql::all(on).await?, sql::marks(on).await?);
        let held = Held { all, marks: marks.into_iter().map(|(person, notice, at)| ((person, notice), at)).collect() };
        let mut before = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let same = before.all == held.all && before.marks == held.marks;
        *before = held;
        drop(before);
        if !same {
            self.changed.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    /// Keeps it; what happened within the last day to the same is counted there.
    pub async fn add(&self, new: New) -> Result<(), Diagnostic> {
        let now = self.now();
        self.db.write(async move |tx| sql::add(tx, &new, now, now - DAY, now - KEPT).await).await?;
        self.load().await
    }

    /// All that somebody may see, the last first, each with whether they have read it.
    pub fn of(&self, who: &Identity) -> Vec<(Notice, bool)> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let all = held.all.iter().filter(|one| sees(who, one));
        all.map(|one| (one.clone(), held.is_read(who.user, one))).collect()
    }

    /// How many of them somebody has not read.
    pub fn unread(&self, who: &Identity) -> usize {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.all.iter().filter(|one| sees(who, one) && !held.is_read(who.user, one)).count()
    }

    /// Somebody has read these; with none, all.
    pub async fn read(&self, who: &Identity, ids: Option<Vec<i64>>) -> Result<(), Diagnostic> {
        let (now, person) = (self.now(), who.user);
        let seen: Vec<i64> = self.of(who).iter().map(|(one, _)| one.id).collect();
        self.db
            .write(async move |tx| match ids {
                None => sql::mark_all(tx, person, now).await,
                Some(ids) => {
                    for id in ids.into_iter().filter(|id| seen.contains(id)) {
                        sql::mark(tx, person, id, now).await?;
                    }
                    Ok(())
                }
            })
            .await?;
        self.load().await
    }
}

impl Held {
    fn is_read(&self, person: i64, one: &Notice) -> bool {
        [one.id, ALL].iter().filter_map(|id| self.marks.get(&(person, *id))).any(|at| *at >= one.last)
    }
}

/// What concerns an account is its owner's alone; the rest is for who looks after the home.
fn sees(who: &Identity, one: &Notice) -> bool {
    match one.person {
        Some(person) => person == who.user,
        None => who.role != Role::Member,
    }
}

#[cfg(test)]
mod tests;
