//! How long entries are kept: by age and by size. What is cut off is the beginning, the chain begins with the hash of the last one that was cut, and an
//! entry at its end says so.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::entry::milliseconds;
use super::{Log, Note, append, crowd, sql};
use crate::config;
use crate::diag::Diagnostic;

/// The action of the entry that tells of a cut.
pub const ACTION: &str = "log.cut";

/// When is looked for the first time, since a start has enough to do; and how often then.
const FIRST: Duration = Duration::from_secs(600);
const EACH: Duration = Duration::from_secs(6 * 3600);

/// Taken away in one transaction; between two of them others write.
const STEP: i64 = 2000;

/// What is kept at most. `None`: without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    pub age: Option<Duration>,
    /// Bytes of the entries, their indices not counted.
    pub bytes: Option<u64>,
}

impl From<config::Audit> for Keep {
    fn from(said: config::Audit) -> Keep {
        Keep {
            age: said.days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            bytes: said.megabytes.map(|megabytes| u64::from(megabytes) << 20),
        }
    }
}

impl Log {
    /// Until `stop`: tells now and then of what was only counted, and cuts off every few hours what a home does not want to keep.
    pub async fn keep(&self, said: &config::Audit, stop: CancellationToken) {
        let mut cut = Instant::now() + FIRST;
        loop {
            tokio::select! {
                () = tokio::time::sleep(crowd::EACH) => {}
                () = stop.cancelled() => return,
            }
            if let Err(why) = self.tell_crowd().await {
                tracing::warn!(%why, "what nobody has tried could not be entered into the audit log; it is told later");
            }
            if Instant::now() < cut {
                continue;
            }
            cut = Instant::now() + EACH;
            match self.cut(&Keep::from(*said)).await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(entries, "old entries of the audit log were cut off"),
                Err(why) => tracing::warn!(%why, "old entries of the audit log could not be cut off"),
            }
        }
    }

    /// Cuts off what is too old or too much; gives how many entries those were.
    pub async fn cut(&self, keep: &Keep) -> Result<u64, Diagnostic> {
        let now = self.clock.now();
        let through = self.through(keep, now).await?;
        let cut = self.db.write(async move |tx| {
            let Some(head) = sql::head(tx).await? else { return Ok(()) };
            // The last entry stays, whatever its age: the chain goes on from it.
            let through = through.min(head.seq - 1);
            let Some(hash) = sql::hash_of(tx, through).await?.filter(|_| through > head.cut_seq) else { return Ok(()) };
            sql::set_cut(tx, through, &hash).await?;
            let removed = through - head.cut_seq;
            let detail = json!({"through": through, "hash": hash, "entries": removed});
            append(tx, &Note::of_system(now, ACTION, &format!("{removed} entries up to {through}"), detail)).await
        });
        cut.await?;
        let mut all = 0;
        loop {
            let some = self.db.write(async |tx| sql::take_away(tx, STEP).await).await?;
            all += some;
            if some == 0 {
                return Ok(all);
            }
        }
    }

    /// The last entry that is not kept.
    async fn through(&self, keep: &Keep, now: OffsetDateTime) -> Result<i64, Diagnostic> {
        let on = &mut self.db.reader().await?;
        let mut through = 0;
        if let Some(age) = keep.age {
            let limit = milliseconds(now) - i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            // Up to the first that is young enough: a clock that was wrong for a while takes nothing with it.
            let first = sql::first_since(on, limit).await?;
            through = match first {
                Some(first) => first - 1,
                None => sql::last(on).await?,
            };
        }
        if let Some(bytes) = keep.bytes {
            through = through.max(sql::beyond(on, i64::try_from(bytes).unwrap_or(i64::MAX)).await?);
        }
        Ok(through)
    }
}
