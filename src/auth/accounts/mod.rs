//! People of a home: the one object that the server and the command line hold, and what can be done with it.
//!
//! | subject | file |
//! |---|---|
//! | who a request is: bearer, cookie | `ask`, remembered in `live` |
//! | signing in, out, up; changing one's own password | `login` |
//! | programs: access and refresh tokens | `refresh` |
//! | what other ways in need: a provider, a passkey | `enter` |
//! | the first admin | `setup` |
//! | users, as an admin sees them | `users` |
//! | groups, invitations, sessions, API tokens, second factors | files of that name |
//! | by what a user gets in, as an admin sees it | `ways` |
//! | accounts for some services alone | `only` |
//! | names that are taken | `words` |
//! | sessions on routed hosts, for the login in front of services | `hosts` |
//! | tables | `sql/` |
//!
//! But for `ask` nothing here knows HTTP: functions take values and give values or a [`Diagnostic`]. Who may call them is said by the route's permission.

pub mod ask;
mod enter;
mod factors;
mod groups;
mod hosts;
mod invitations;
mod keep;
mod live;
mod login;
pub mod only;
mod refresh;
mod sessions;
mod setup;
mod sql;
#[cfg(test)]
pub mod tests;
pub mod tokens;
mod users;
mod ways;
pub mod words;

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::IpNet;

pub use enter::{Step, Ways, active, forget_begun, ways};
pub use factors::{Enrolment, FactorState};
pub use groups::Group;
pub use hosts::ROUTE;
pub use invitations::{Invitation, NewInvitation};
pub use login::{Credentials, Login, Registration};
pub use refresh::{Refreshed, Tokens};
pub use sessions::{NewSession, Session};
pub use setup::{SETUP_HOURS, has_admin};
pub use sql::holds;
pub use tokens::{NewToken, SCOPES, Token};
pub use users::{Change, NewUser, User};
pub use ways::{KeyOf, LinkOf};

use tokio::sync::broadcast;

use super::brakes::{Attempt, Brakes, Place, What};
use super::jwt::Keys;
use super::passwords::{Lane, Passwords, Turn};
use super::seal::Seal;
use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::config::people::People;
use crate::diag::{Diagnostic, Kind};
use crate::store::{Db, Tx};

/// What the people of a home are asked of and told by.
pub struct Auth {
    db: Db,
    passwords: Passwords,
    keys: Keys,
    seal: Seal,
    brakes: Brakes,
    live: live::Live,
    seen: keep::Seen,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    rules: RwLock<Arc<People>>,
    near: Vec<IpNet>,
    arrivals: broadcast::Sender<Arrival>,
    /// There is an active admin; or nobody could look yet whether there is.
    set_up: AtomicBool,
}

/// Somebody has signed in from where they never did, and has from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub person: i64,
    pub address: String,
}

/// What [`Auth`] stands on.
pub struct Parts {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// What `hearth.yaml` says of people.
    pub rules: People,
    /// The home's own networks.
    pub near: Vec<IpNet>,
    /// Made with [`Passwords::of_server`] where many will sign in.
    pub passwords: Passwords,
}

impl Auth {
    /// Opens it for a home whose `state/` is given: keys are made there at first use.
    pub async fn open(state: &Path, parts: Parts) -> Result<Auth, Diagnostic> {
        let Parts { db, clock, random, rules, near, passwords } = parts;
        let folder = state.join("auth");
        let keys = Keys::open(&folder, millis(&*clock), &*random)?;
        let seal = Seal::open(&folder, random.clone())?;
        let (brakes, live, seen) = Default::default();
        let (set_up, rules) = (AtomicBool::new(false), RwLock::new(Arc::new(rules)));
        let (arrivals, _) = broadcast::channel(64);
        let auth = Auth { db, passwords, keys, seal, brakes, live, seen, clock, random, rules, near, arrivals, set_up };
        match auth.look_for_admin().await {
            // All who ask are told that it is away, until it is there.
            Err(told) if told.kind == Kind::Unavailable => auth.set_up.store(true, Ordering::Release),
            looked => looked?,
        }
        Ok(auth)
    }

    /// Whether there is an active admin. While the database has been away since the start it is taken to be so: then nobody gets in, by the link
    /// either.
    pub fn is_set_up(&self) -> bool {
        self.set_up.load(Ordering::Acquire)
    }

    /// Tells of whoever signs in from where they never did.
    pub fn arrivals(&self) -> broadcast::Receiver<Arrival> {
        self.arrivals.subscribe()
    }

    /// What `hearth.yaml` says of people now.
    pub fn rules(&self) -> Arc<People> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on other rules count: for whoever signs in from then on, and for how long sessions are that there are. `false`: they are the same.
    pub fn set_rules(&self, rules: People) -> bool {
        let mut kept = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let other = **kept != rules;
        if other {
            *kept = Arc::new(rules);
            self.live.forget();
        }
        other
    }

    /// As [`Auth::set_rules`], with what `hearth.yaml` says from now on; the log says what of it counts.
    pub fn take_up(&self, rules: People) {
        let before = self.rules();
        if before.oidc != rules.oidc || before.cors_origins != rules.cors_origins {
            tracing::info!("`auth.oidc` and `api.cors_origins` of hearth.yaml count from the next start");
        }
        if self.set_rules(rules) {
            tracing::info!("what hearth.yaml says of people has changed, and counts");
        }
    }

    async fn look_for_admin(&self) -> Result<(), Diagnostic> {
        let mut on = self.db.reader().await?;
        self.set_up.store(sql::users::admins(&mut on).await? > 0, Ordering::Release);
        Ok(())
    }

    /// Milliseconds since 1970.
    fn now(&self) -> i64 {
        millis(&*self.clock)
    }

    /// Whether an address is in the home's networks, or this machine itself.
    fn is_near(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.near.iter().any(|net| net.contains(&address))
    }

    /// How far somebody is who has signed in from there before, or has not.
    fn place(&self, known: bool, from: IpAddr) -> Place {
        match known {
            true => Place::Known,
            false if self.is_near(from) => Place::Near,
            false => Place::Outside,
        }
    }

    /// Does something that ends a session, token or right: from the moment this returns nothing here remembers it.
    async fn end<T, F>(&self, job: F) -> Result<T, Diagnostic>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T, Diagnostic> + Send + 'static,
    {
        let done = self.db.write(job).await;
        self.live.forget();
        done
    }

    /// Counts an attempt; refused where there were too many.
    fn brake(&self, attempt: Attempt<'_>) -> Result<super::brakes::Pass, Diagnostic> {
        self.brakes.ask(attempt, self.now()).map_err(|wait| too_often(attempt.what, wait))
    }

    fn hashing(near: bool, from: IpAddr) -> Turn {
        Turn { lane: if near { Lane::Near } else { Lane::Outside }, from: Some(from) }
    }
}

fn millis(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// `auth.too-often`, with the seconds to wait.
fn too_often(what: What, wait: std::time::Duration) -> Diagnostic {
    let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    let what = match what {
        What::Password => "wrong passwords",
        What::Code => "wrong codes",
        What::Link => "wrong links",
        What::Register => "new accounts",
    };
    Diagnostic::error("auth.too-often", format!("too many {what}: the next try counts in {seconds} s"))
        .kind(Kind::TooMany)
        .retry(seconds)
        .hint("wait for that long; from where you signed in before others' tries do not count, and in the home's own network for half a minute at most")
}
