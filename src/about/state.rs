//! What the server tells about itself, kept up to date by a loop.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::engine::docker::DockerEngine;
use crate::engine::fake;
use crate::stacks::Home;
use crate::store::Db;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(15);
/// For an answer of the engine.
const PATIENCE: Duration = Duration::from_secs(5);

/// The groups of services that clients ask about; a profile of that name in a home makes one active.
const SERVICES: [&str; 5] = ["media", "files", "automation", "ai", "monitoring"];

/// Whether something answered at the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    Reachable,
    Unreachable,
    /// It is the one in memory: nothing of it really runs.
    Double,
}

impl Reach {
    pub fn word(self) -> &'static str {
        match self {
            Reach::Unknown => "unknown",
            Reach::Reachable => "reachable",
            Reach::Unreachable => "unreachable",
            Reach::Double => "test-double",
        }
    }

    fn of(ok: bool) -> Reach {
        if ok { Reach::Reachable } else { Reach::Unreachable }
    }
}

/// One look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub engine: Reach,
    pub database: Reach,
    /// The engine's, once it has answered.
    pub version: Option<String>,
    /// Profiles that are on.
    pub profiles: Vec<String>,
}

/// The state of one server.
pub struct State {
    home: PathBuf,
    database: Db,
    begun: Instant,
    seen: RwLock<Seen>,
}

impl State {
    pub fn new(home: &Home, database: Db) -> State {
        let seen = Seen { profiles: home.config.profiles.clone(), ..Seen::default() };
        State { home: home.dir.clone(), database, begun: Instant::now(), seen: RwLock::new(seen) }
    }

    pub fn seen(&self) -> Seen {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the database is, without a password.
    pub fn database(&self) -> String {
        self.database.location().to_string()
    }

    /// Seconds that the process has served, with one decimal.
    pub fn uptime(&self) -> f64 {
        (self.begun.elapsed().as_secs_f64() * 10.0).floor() / 10.0
    }

    /// `active` or `planned` for each group; what speaks here is active.
    pub fn services(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let seen = self.seen();
        let word = move |name| if seen.profiles.iter().any(|p| p == name) { "active" } else { "planned" };
        SERVICES.into_iter().map(move |name| (name, word(name))).chain([("web", "active")])
    }

    /// Looks again and again. `env` is the process environment, as the engine is found by it.
    pub async fn look(&self, env: &BTreeMap<String, String>, stop: CancellationToken) {
        let mut engine = None;
        loop {
            let new = tokio::select! {
                new = self.once(env, &mut engine) => new,
                () = stop.cancelled() => return,
            };
            let old = std::mem::replace(&mut *self.seen.write().unwrap_or_else(PoisonError::into_inner), new.clone());
            for (what, old, new) in [("engine", old.engine, new.engine), ("database", old.database, new.database)] {
                match new {
                    Reach::Unreachable if old != new => tracing::warn!("the {what} does not answer"),
                    Reach::Reachable if old == Reach::Unreachable => tracing::info!("the {what} answers again"),
                    _ => {}
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn once(&self, env: &BTreeMap<String, String>, engine: &mut Option<DockerEngine>) -> Seen {
        // The engine may have been another one meanwhile: it is found anew where it does not answer.
        let answers = match engine {
            Some(engine) => timeout(PATIENCE, engine.answers()).await.is_ok_and(|ok| ok),
            None => false,
        };
        let double = env.get("DOCKER_HOST").is_some_and(|host| host == fake::ADDRESS);
        if !answers && !double {
            *engine = timeout(PATIENCE, DockerEngine::connect(env)).await.ok().and_then(Result::ok);
        }
        let database = Reach::of(timeout(PATIENCE, self.database.changes()).await.is_ok_and(|read| read.is_ok()));
        // A file that is being edited is no reason to forget what was on.
        let profiles = match Home::open(self.home.clone()) {
            Ok(home) => home.config.profiles,
            Err(_) => self.seen().profiles,
        };
        let version = match &engine {
            Some(engine) => {
                timeout(PATIENCE, engine.about()).await.ok().and_then(Result::ok).map(|about| about.version)
            }
            None => None,
        };
        let engine = if double { Reach::Double } else { Reach::of(engine.is_some()) };
        Seen { engine, database, version, profiles }
    }
}
