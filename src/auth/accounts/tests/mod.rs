//! A home's people on both databases, with a clock of their own; promises by subject.

mod factor;
mod hosts;
mod live;
mod login;
mod programs;
mod users;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use time::OffsetDateTime;

use super::*;
use crate::auth::passwords::Cost;
use crate::auth::who::Role;
use crate::base::random::SystemRandom;
use crate::base::secret::Secret;
use crate::store::tests::both;

pub const PASSWORD: &str = "four words on paper";
const QUICK: Cost = Cost { memory_kib: 64, passes: 1 };
pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// A clock that a test turns.
pub struct Turned(AtomicI64);

impl Turned {
    pub fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Since 1970.
    pub fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst) / 1000
    }
}

impl Clock for Turned {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0.load(Ordering::SeqCst)) * 1_000_000).unwrap()
    }
}

/// A home with people in it.
pub struct World {
    pub auth: Arc<Auth>,
    pub db: Db,
    pub clock: Arc<Turned>,
    pub state: TempDir,
}

impl World {
    pub async fn new(db: Db, rules: People) -> World {
        let state = tempfile::tempdir().unwrap();
        let clock = Arc::new(Turned(AtomicI64::new(1_780_000_000_000)));
        let auth = Arc::new(World::opened(&db, rules, &clock, &state).await);
        World { auth, db, clock, state }
    }

    /// Another process of the same home.
    pub async fn again(&self) -> Arc<Auth> {
        Arc::new(World::opened(&self.db, (*self.auth.rules()).clone(), &self.clock, &self.state).await)
    }

    async fn opened(db: &Db, rules: People, clock: &Arc<Turned>, state: &TempDir) -> Auth {
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let parts = Parts {
            db: db.clone(),
            clock: clock.clone(),
            random: random.clone(),
            rules,
            near: vec!["192.168.1.0/24".parse().unwrap()],
            passwords: Passwords::new(QUICK, random).unwrap(),
        };
        Auth::open(state.path(), parts).await.unwrap()
    }

    pub async fn add(&self, name: &str, role: Role) -> User {
        let password = Some(secret(PASSWORD));
        let (groups, only) = (vec![], vec![]);
        let new = NewUser { name: name.into(), email: None, display_name: None, role, groups, only, password };
        self.auth.add_user(new).await.unwrap()
    }

    /// Gives somebody an app with codes; those on paper.
    pub async fn with_factor(&self, id: i64) -> Vec<Secret> {
        let user = self.auth.user(id).await.unwrap();
        let set = self.auth.begin_factor(user.clone()).await.unwrap();
        self.auth.confirm_factor(user, &factor::app(self, &set), near().from).await.unwrap()
    }
}

pub fn secret(text: &str) -> Secret {
    Secret::new(text)
}

pub fn named(name: &str, password: &str) -> Credentials {
    Credentials { username: name.into(), password: secret(password), otp: None }
}

/// From the home's network.
pub fn near() -> Login {
    from("192.168.1.7")
}

pub fn from(address: &str) -> Login {
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into();
    Login { from: address.parse::<IpAddr>().unwrap(), agent }
}

/// Runs a check with a new home on each database.
pub async fn homes(rules: People, check: impl AsyncFn(World)) {
    both(async |db| check(World::new(db, rules.clone()).await).await).await;
}
