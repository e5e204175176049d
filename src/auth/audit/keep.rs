//! How long entries are kept: by age and by size. What is cut off is the beginning, the chain begins with the hash of the last one that was cut, and an
//! entry at its end says so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::entry::milliseconds;
use super::{Log, Note, append, crowd, sql};
use crate::config;
use crate::diag::Diagnostic;

/// The action of the entry that tells of a cut.
pub const ACTION: &str = "log.cut";

/// When is looked for the first time, since a start has enough to do; and how often then, where the log does not grow.
const FIRST: Duration = Duration::from_secs(60);
const EACH: Duration = Duration::from_secs(6 * 3600);

/// What may come until the size is looked at again: this part of what is kept.
const PART: u64 = 16;

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

/// How much was added since the size of the log was looked at last. Counting costs nothing; looking reads the whole log.
#[derive(Default)]
pub(super) struct Grown {
    bytes: AtomicUsize,
    /// How much may be added; 0: nobody asks.
    most: AtomicUsize,
    enough: Notify,
}

impl Grown {
    pub fn by(&self, bytes: usize) {
        let all = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let most = self.most.load(Ordering::Relaxed);
        if most > 0 && all >= most {
            self.enough.notify_one();
        }
    }

    fn ask(&self, keep: &Keep) {
        let most = keep.bytes.map_or(0, |bytes| usize::try_from(bytes / PART).unwrap_or(usize::MAX).max(1));
        self.most.store(most, Ordering::Relaxed);
    }

    /// From now on what comes counts.
    fn looked_at(&self) {
        self.bytes.store(0, Ordering::Relaxed);
    }
}

impl Log {
    /// Until `stop`: tells now and then of what was only counted, and cuts off what a home does not want to keep: every few hours, and whenever enough
    /// has come to matter.
    pub async fn keep(&self, said: &config::Audit, stop: CancellationToken) {
        let keep = Keep::from(*said);
        self.grown.ask(&keep);
        let (mut tell, mut cut) = (Instant::now() + crowd::EACH, Instant::now() + FIRST);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(tell) => {
                    tell = Instant::now() + crowd::EACH;
                    if let Err(why) = self.tell_crowd().await {
                        tracing::warn!(why = %why.whole(), "what was refused could not be entered into the audit log; it is told later");
                    }
                    continue;
                }
                () = tokio::time::sleep_until(cut) => {}
                () = self.grown.enough.notified() => {}
            }
            cut = Instant::now() + EACH;
            match self.cut(&keep).await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(entries, "old entries of the audit log were cut off"),
                Err(why) => {
                    tracing::warn!(why = %why.whole(), "old entries of the audit log could not be cut off; it is tried again in a minute");
                    cut = Instant::now() + FIRST;
                }
            }
        }
    }

    /// Cuts off what is too old or too much; gives how many entries those were.
    pub async fn cut(&self, keep: &Keep) -> Result<u64, Diagnostic> {
        let now = self.clock.now();
        self.grown.looked_at();
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
