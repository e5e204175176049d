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
use super::audit::Log;
use super::passwords::Passwords;
use super::routed::{self, Routed};
use super::who::Role;
use crate::base::clock::{Clock, SystemClock};
use crate::base::random::{Random, SystemRandom};
use crate::cli::{Done, Out, start};
use crate::config::people::People;
use crate::diag::{Diagnostic, Sources};
use crate::store::{Db, Location};

/// Where the people of a home are.
pub struct Place {
    /// The home's folder for what it keeps.
    pub state: PathBuf,
    pub location: Location,
    pub rules: People,
    /// Where a browser finds the panel, without a slash at its end.
    pub panel: String,
    /// Services of the home are behind the login, and no `hearth serve` passes on to gate what is ended here.
    pub unheard: bool,
    /// The home's routes; none where its stacks cannot be read.
    pub routes: Option<Vec<Routed>>,
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
                Ok(auth) => {
                    // A command is the first to open the home in a month where no server runs.
                    auth.enter_turned(&Log::new(db.clone(), Arc::new(SystemClock))).await;
                    work(auth).await
                }
                Err(told) => Err(told.into()),
            };
            db.close().await;
            done
        })
    }

    /// Refuses a service that no route leads to; see [`routed::served`].
    fn served(&self, only: &[String], before: &[String]) -> Result<(), Diagnostic> {
        self.routes.iter().try_for_each(|routes| routed::served(routes, only, before, "--only"))
    }

    /// After something by which somebody's access ends: says where it has not ended yet.
    fn tell_unheard(&self, out: &Out) {
        if !self.unheard {
            return;
        }
        let title = "no `hearth serve` runs for this home here: at services behind the login whoever was signed in is let in as before";
        let d = Diagnostic::warning("auth.unheard", title)
            .hint("it counts there once `hearth serve` runs again; to end it at once, stop gate too: docker stop PROJECT-gate-1");
        out.diagnostic(&d, &Sources::default());
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

/// The day, of milliseconds since 1970.
fn date(ms: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).map(crate::base::clock::rfc3339);
    at.map(|text| text.split('T').next().unwrap_or_default().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::jwt::Keys;

    #[test]
    fn another_key_that_a_command_makes_is_entered() {
        let state = tempfile::tempdir().unwrap();
        let location = Location::file(state.path().join("hearth.db"));
        let month = 31 * 86_400_000;
        let now = i64::try_from(SystemClock.now().unix_timestamp_nanos() / 1_000_000).unwrap();
        Keys::open(&state.path().join("auth"), now - month, &SystemRandom).unwrap();
        let place = Place {
            state: state.path().to_owned(),
            location: location.clone(),
            rules: People::default(),
            panel: String::new(),
            unheard: false,
            routes: None,
        };
        // The second one finds a key that is fresh.
        for _ in 0..2 {
            place.with(async |_| Ok(())).unwrap();
        }
        let mut told = Vec::new();
        start(async {
            let log = Log::new(Db::open(location).await?, Arc::new(SystemClock));
            told = log.list(&Default::default(), None, 9).await?;
            Ok(())
        })
        .unwrap();
        let told: Vec<_> = told.iter().map(|one| (one.kind.as_str(), one.action.as_str())).collect();
        assert_eq!(told, [("system", "keys.rotated")]);
    }
}
