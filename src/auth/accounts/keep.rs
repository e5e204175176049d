//! What goes on beside requests: looking whether another process has ended something, writing down last uses, forgetting what has expired.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::live::Use;
use super::{Auth, sql};
use crate::auth::audit::Log;
use crate::auth::sql as room;
use crate::diag::Diagnostic;

/// Set by the migration since which applications are told addresses only that somebody vouches for.
const EMAILS: &str = "say.emails";

/// Between two looks at the counter of changes.
const LOOK: Duration = Duration::from_millis(250);
/// Looks between two times that last uses are written down (30 s), and that what has expired is forgotten (an hour).
const WRITE: u64 = 120;
const SWEEP: u64 = 14_400;

/// The action of the entry that tells of a new key for access tokens in place of another.
pub const ROTATED: &str = "keys.rotated";

/// What was looked at last.
pub struct Seen {
    /// The counter of changes; -1: never.
    changes: AtomicI64,
    /// The roles that need a second factor.
    factors: Mutex<Vec<String>>,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { changes: AtomicI64::new(-1), factors: Mutex::default() }
    }
}

impl Auth {
    /// Does all that until it is told to stop. While it does not run, the database is asked about every request. What it does to keys is entered
    /// into `log`.
    pub async fn keep(self: Arc<Auth>, log: Log, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut troubled, mut said) = (false, false);
        for n in 0_u64.. {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => break,
            }
            let mut done = self.turn(n).await;
            if !said && done.is_ok() {
                done = self.say_news().await.map(drop);
                said = done.is_ok();
            }
            if let Err(told) = &done
                && !troubled
            {
                tracing::warn!(code = told.code, "{}", told.whole());
            }
            troubled = done.is_err();
            self.enter_turned(&log).await;
        }
        // What was used last before the end is the best known.
        let _ = self.write_uses().await;
    }

    /// Enters into `log` that another key for access tokens was made here, where one was and nobody was told.
    pub async fn enter_turned(&self, log: &Log) {
        if self.keys.turned() {
            log.add_own(ROTATED, "access tokens", Value::Null).await;
        }
    }

    /// Says once what an upgrade has changed for people; gives whom it is about.
    pub(super) async fn say_news(&self) -> Result<Vec<String>, Diagnostic> {
        let news = room::get(&mut self.db.reader().await?, EMAILS).await?;
        if news.is_none() {
            return Ok(Vec::new());
        }
        let names = sql::users::unvouched(&mut self.db.reader().await?).await?;
        if !self.db.write(async |tx| room::take(tx, EMAILS).await).await? || names.is_empty() {
            return Ok(Vec::new());
        }
        tracing::warn!(
            users = names.join(" "),
            "applications are not told the e-mail addresses of these users any more, as nobody vouches for them; where one is theirs: hearth users set NAME --email ADDRESS"
        );
        Ok(names)
    }

    async fn turn(&self, n: u64) -> Result<(), Diagnostic> {
        self.look().await?;
        self.hold_to_factors().await?;
        if n % WRITE == WRITE - 1 {
            self.write_uses().await?;
        }
        if n.is_multiple_of(SWEEP) {
            // Nothing that was used a moment ago is taken for idle.
            self.write_uses().await?;
            let (now, idle) = (self.now(), self.idle_since());
            self.db.write(async move |tx| sql::sweep(tx, now, idle).await).await?;
            self.keys.rotate(now, &*self.random)?;
        }
        Ok(())
    }

    /// Where another role needs a second factor than at the last look: whoever has it and none is signed in no longer. API tokens go on.
    pub async fn hold_to_factors(&self) -> Result<(), Diagnostic> {
        let roles = self.rules().second_factor.clone();
        let held = || self.seen.factors.lock().unwrap_or_else(PoisonError::into_inner);
        if *held() == roles {
            return Ok(());
        }
        let asked = roles.clone();
        let ended = self.end(async move |tx| {
            let mut ended = 0;
            for role in &asked {
                ended += sql::end_without_factor(tx, role).await?;
            }
            Ok(ended)
        });
        let ended = ended.await?;
        if ended > 0 {
            tracing::info!(ended, "whoever needs a second factor and has none is not signed in any longer");
        }
        *held() = roles;
        Ok(())
    }

    /// Looks whether something was ended by another process; from now on, for about a second, what is remembered counts.
    pub async fn look(&self) -> Result<(), Diagnostic> {
        let when = Instant::now();
        let count = self.db.changes().await?;
        if self.seen.changes.load(Ordering::Acquire) != count {
            self.live.forget();
            self.look_for_admin().await?;
            // Only now: what failed is looked at again.
            self.seen.changes.store(count, Ordering::Release);
        }
        self.live.looked(when);
        Ok(())
    }

    /// Writes down when sessions and tokens were used last.
    pub async fn write_uses(&self) -> Result<(), Diagnostic> {
        let uses = self.live.take_uses();
        if uses.is_empty() {
            return Ok(());
        }
        self.db
            .write(async move |tx| {
                for (noted, at) in &uses {
                    match noted {
                        Use::Session(id) => sql::sessions::used(tx, id, *at).await?,
                        Use::Program(id) => sql::families::used(tx, id, *at).await?,
                        Use::Token(id) => sql::tokens::used(tx, id, *at).await?,
                    }
                }
                Ok(())
            })
            .await
    }

    /// Told of every change that may have ended somebody: what stays open (events, sockets) then asks [`Auth::still`].
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.live.changes()
    }
}
