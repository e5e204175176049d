//! Adding entries and looking through them.

use std::sync::Arc;

use super::sql::{self, Order};
use super::{Entry, Filter, Note, chain};
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
}

impl Log {
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Log {
        Log { db, clock }
    }

    /// Adds an entry; it is on the disk when this returns.
    pub async fn add(&self, note: Note) -> Result<(), Diagnostic> {
        self.db.write(async move |tx| append(tx, &note).await).await
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
        let on = &mut self.db.reader().await?;
        let last = sql::last(on).await?;
        let (mut after, mut count) = (0, 0);
        loop {
            let found = sql::list(on, filter, Order::After(after), CHUNK).await?;
            for entry in found.iter().take_while(|entry| entry.seq <= last) {
                each(entry)?;
                count += 1;
            }
            match found.last() {
                Some(entry) if entry.seq < last => after = entry.seq,
                _ => return Ok(count),
            }
        }
    }
}

/// Adds an entry in a transaction: the act that it tells of and the entry are kept together, or neither is.
pub async fn append(tx: &mut Tx, note: &Note) -> Result<(), Diagnostic> {
    let head = sql::head(tx).await?.ok_or_else(no_head)?;
    let mut entry = note.entry(head.seq);
    entry.hash = chain::hash(&head.hash, &entry);
    sql::insert(tx, &entry).await
}

pub(super) fn no_head() -> Diagnostic {
    Diagnostic::error("audit.broken", "the end of the audit log is not known any more: its row is gone")
        .kind(Kind::Conflict)
        .hint("somebody has changed the database by hand: put back a copy, and look who could")
}
