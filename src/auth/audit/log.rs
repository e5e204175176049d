//! Adding entries and looking through them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::oneshot;

use super::crowd::Crowd;
use super::keep::Grown;
use super::sql::{self, Order};
use super::{Broken, Entry, Filter, Note, Sound, chain};
use crate::base::clock::Clock;
use crate::diag::{Diagnostic, Kind};
use crate::store::{Db, Tx};

/// Of one look while all are gone through.
const CHUNK: i64 = 1000;

/// The audit log of a home.
#[derive(Clone)]
pub struct Log {
    pub(super) db: Db,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) crowd: Arc<Crowd>,
    pub(super) grown: Arc<Grown>,
    queue: Arc<Mutex<Queue>>,
}

/// Notes that wait for the writer, and who waits for each.
#[derive(Default)]
struct Queue {
    notes: Vec<Note>,
    waiting: Vec<Waiting>,
    /// The writer was asked to take them.
    asked: bool,
}

type Waiting = oneshot::Sender<Result<(), Diagnostic>>;

impl Log {
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Log {
        Log { db, clock, crowd: Arc::default(), grown: Arc::default(), queue: Arc::default() }
    }

    /// Adds an entry; it is on the disk when this returns. Those that come while the writer is busy are written by one statement.
    pub async fn add(&self, note: Note) -> Result<(), Diagnostic> {
        let (say, told) = oneshot::channel();
        let first = {
            let mut queue = self.queue();
            queue.notes.push(note);
            queue.waiting.push(say);
            !std::mem::replace(&mut queue.asked, true)
        };
        if first {
            // Of its own: others wait for it, and whoever came first may leave.
            tokio::spawn(self.clone().write_out());
        }
        told.await.unwrap_or_else(|_| Err(unwritten()))
    }

    /// Enters what Hearth has done by itself. It was done all the same where that cannot be.
    pub async fn add_own(&self, action: &str, object: &str, detail: Value) {
        let note = Note::of_system(self.clock.now(), action, object, detail);
        if let Err(why) = self.add(note).await {
            tracing::error!(action, object, why = %why.whole(), "what Hearth has done by itself could not be entered into the audit log");
        }
    }

    /// A refusal, as long as it is to be entered; else it was counted, `times` over, and is told later.
    pub fn at_once(&self, from: IpAddr, times: u64, note: Note) -> Option<Note> {
        let now = self.clock.now();
        self.crowd.at_once(&note.who, from, &note.action, note.outcome, times, now).then_some(note)
    }

    /// Adds several in one transaction.
    pub async fn add_all(&self, notes: Vec<Note>) -> Result<(), Diagnostic> {
        if notes.is_empty() {
            return Ok(());
        }
        self.grown.by(self.db.write(async move |tx| append_all(tx, &notes).await).await?);
        Ok(())
    }

    /// The clock by which entries are dated.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub fn moment(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Writes all that waits when the writer's turn comes.
    async fn write_out(self) {
        let taken: Arc<Mutex<Option<Vec<Waiting>>>> = Arc::default();
        let (queue, into) = (self.queue.clone(), taken.clone());
        let done = self.db.write(async move |tx| {
            let Queue { notes, waiting, .. } = std::mem::take(&mut *lock(&queue));
            *lock(&into) = Some(waiting);
            append_all(tx, &notes).await
        });
        let done = done.await.map(|bytes| self.grown.by(bytes));
        // Where the writer never came to it, all that wait are told why.
        let taken = lock(&taken).take();
        let waiting = taken.unwrap_or_else(|| std::mem::take(&mut *self.queue()).waiting);
        for say in waiting {
            let _ = say.send(done.clone());
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    /// Enters what was only counted.
    pub async fn tell_crowd(&self) -> Result<(), Diagnostic> {
        let told = self.crowd.told(self.clock.now());
        let done = self.add_all(told.notes.clone()).await;
        if done.is_err() {
            self.crowd.owe(told);
        }
        done
    }

    /// At most `limit` entries that fit, the newest first; those before the number `before`, where it is given.
    pub async fn list(&self, filter: &Filter, before: Option<i64>, limit: usize) -> Result<Vec<Entry>, Diagnostic> {
        let on = &mut self.db.reader().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sql::list(on, filter, Order::Before(before.unwrap_or(i64::MAX)), limit).await
    }

    /// Hands all that fit to `each`, the oldest first, as they are at this moment.
    pub async fn each(
        &self,
        filter: &Filter,
        mut each: impl FnMut(&Entry) -> Result<(), Diagnostic>,
    ) -> Result<u64, Diagnostic> {
        let (last, mut after, mut count) = (self.last().await?, 0, 0);
        loop {
            let found = self.part(filter, after, last).await?;
            for entry in &found {
                each(entry)?;
                count += 1;
            }
            match found.last() {
                Some(entry) => after = entry.seq,
                None => return Ok(count),
            }
        }
    }

    /// The number of the newest entry; 0 where there is none.
    pub async fn last(&self) -> Result<i64, Diagnostic> {
        sql::last(&mut self.db.reader().await?).await
    }

    /// Some of those that fit behind the number `after` and up to `last`, the oldest first; none where there are no more.
    pub async fn part(&self, filter: &Filter, after: i64, last: i64) -> Result<Vec<Entry>, Diagnostic> {
        let on = &mut self.db.reader().await?;
        let mut found = sql::list(on, filter, Order::After(after), CHUNK).await?;
        found.retain(|entry| entry.seq <= last);
        Ok(found)
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        super::entry::milliseconds(self.clock.now())
    }

    /// Looks at the whole chain, as [`super::verify()`] does.
    pub async fn verify(&self, noted: Option<(i64, &str)>) -> Result<Result<Sound, Broken>, Diagnostic> {
        super::verify(&self.db, noted).await
    }
}

/// Adds an entry in a transaction: the act that it tells of and the entry are kept together, or neither is.
pub async fn append(tx: &mut Tx, note: &Note) -> Result<(), Diagnostic> {
    append_all(tx, std::slice::from_ref(note)).await.map(drop)
}

/// Gives how many bytes the entries count for.
async fn append_all(tx: &mut Tx, notes: &[Note]) -> Result<usize, Diagnostic> {
    let head = sql::head(tx).await?.ok_or_else(no_head)?;
    let (mut seq, mut hash) = (head.seq, head.hash);
    let mut entries = Vec::with_capacity(notes.len());
    for note in notes {
        let mut entry = note.entry(seq);
        hash = chain::hash(&hash, &entry);
        entry.hash.clone_from(&hash);
        seq = entry.seq;
        entries.push(entry);
    }
    sql::insert(tx, &entries).await?;
    sql::set_head(tx, seq, &hash).await?;
    Ok(entries.iter().map(Entry::size).sum())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process ends while it was waited for.
fn unwritten() -> Diagnostic {
    Diagnostic::error("audit.unwritten", "Hearth ended before the entry was on the disk")
        .kind(Kind::Unavailable)
        .hint("look whether what it tells of was done, and do it again where it was not")
}

pub(super) fn no_head() -> Diagnostic {
    Diagnostic::error("audit.broken", "the end of the audit log is not known any more: its row is gone")
        .kind(Kind::Conflict)
        .hint("somebody has changed the database by hand: put back a copy, and look who could")
}
