//! The room's face on the terminal: `command` finds the home. It opens the home's database itself, so it works also when nobody can sign in any more.

pub mod audit;
pub mod db;
pub mod tokens;
pub mod users;
mod ways;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use super::accounts::{Auth, Parts};
use super::passwords::Passwords;
use super::who::Role;
use crate::base::clock::{Clock, SystemClock};
use crate::base::random::{Random, SystemRandom};
use crate::cli::{Done, start};
use crate::config::people::People;
use crate::diag::Diagnostic;
use crate::store::{Db, Location};

/// Where the people of a home are.
pub struct Place {
    /// The home's folder for what it keeps.
    pub state: PathBuf,
    pub location: Location,
    pub rules: People,
    /// Where a browser finds the panel, without a slash at its end.
    pub panel: String,
}

impl Place {
    /// Opens it, does `work` with it, and closes it in order.
    fn with<F: Future<Output = Done>>(&self, work: impl FnOnce(Auth) -> F) -> Done {
        start(async {
            let random: Arc<dyn Random> = Arc::new(SystemRandom);
            let db = Db::open(self.location.clone()).await?;
            let parts = Parts {
                db: db.clone(),
                clock: Arc::new(SystemClock),
                random: random.clone(),
                rules: self.rules.clone(),
                near: Vec::new(),
                passwords: Passwords::of_home(db.clone(), random),
            };
            let done = match Auth::open(&self.state, parts).await {
                Ok(auth) => work(auth).await,
                Err(told) => Err(told.into()),
            };
            db.close().await;
            done
        })
    }
}

fn role(word: &str) -> Result<Role, Diagnostic> {
    word.parse().map_err(|()| {
        let all: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
        Diagnostic::error("auth.bad-role", format!("`{word}` is no role"))
            .field("role")
            .hint(format!("roles are {}", all.join(", ")))
    })
}

/// How long ago, in words.
fn ago(ms: Option<i64>) -> String {
    let then = ms.and_then(|ms| time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok());
    then.map_or("never".into(), |then| crate::base::clock::ago(then, SystemClock.now()))
}
