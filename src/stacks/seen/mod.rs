//! What there is, looked at once for everybody who looks at pages: they are made from memory, and the engine is asked again when it has said that
//! something happened, or a file of the home has changed.
//!
//! | subject | file |
//! |---|---|
//! | one look, and what is kept of it | this one |
//! | when it is looked anew | `world` |
//! | a service: how it stands, and why | `service` |
//! | a container | `container` |

pub mod container;
pub mod service;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

pub use world::World;

use super::cli::adopt;
use super::cli::profiles::{self, Profile};
use super::home::known::{Known, Readings};
use super::home::{Home, Refused};
use super::projects;
use super::works::Works;
use crate::diag::{Diagnostic, Severity, text};
use crate::engine::{EngineError, Host, Scope};
use crate::plan::observed::{Container, State};
use service::Service;

/// One look.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Rises with every look that found something else.
    pub number: u64,
    /// The home's name; empty where `hearth.yaml` cannot be read.
    pub name: String,
    /// Why the home or its stacks cannot be read, as errors of the API; what runs is known all the same.
    pub unread: Vec<Value>,
    /// Why the engine cannot be asked; what is shown is then from before.
    pub away: Option<Diagnostic>,
    /// Of the stacks.
    pub profiles: Vec<Profile>,
    /// Of the home's own project.
    pub services: Vec<Service>,
    /// Of the projects that the home has adopted.
    pub adopted: BTreeMap<String, Vec<Service>>,
    /// Compose projects of this engine about which nothing is decided: neither adopted nor left alone.
    pub others: Vec<String>,
    /// What each stack calls itself, by its file's name.
    pub titles: BTreeMap<String, String>,
    /// The first process of each container that runs, by its id.
    pub pids: BTreeMap<String, i64>,
}

impl Seen {
    /// The home's own services, each of which has a page; a route of `hearth.yaml` leads to none of them.
    pub fn names(&self) -> BTreeSet<&str> {
        self.services.iter().map(|one| one.name.as_str()).collect()
    }

    /// Whether both say the same.
    fn is_as(&self, other: &Seen) -> bool {
        let away = |seen: &Seen| seen.away.as_ref().map(|told| (told.code, told.title.clone()));
        self.name == other.name
            && self.unread == other.unread
            && away(self) == away(other)
            && self.profiles == other.profiles
            && self.services == other.services
            && self.adopted == other.adopted
            && self.others == other.others
            && self.titles == other.titles
            && self.pids == other.pids
    }

    /// All services, the home's own first: with the project where it is another one.
    pub fn all(&self) -> impl Iterator<Item = (Option<&str>, &Service)> {
        let adopted =
            self.adopted.iter().flat_map(|(project, all)| all.iter().map(|one| (Some(project.as_str()), one)));
        self.services.iter().map(|one| (None, one)).chain(adopted)
    }
}

/// What only the inspection of one container tells, for as long as nothing happens to it.
#[derive(Debug, Clone)]
struct Inspected {
    state: State,
    started_at: String,
    finished_at: String,
    oom_killed: bool,
    error: String,
    restart: String,
    pid: i64,
}

/// What is kept from one look to the next.
#[derive(Debug, Default)]
struct Kept(BTreeMap<String, Inspected>);

impl Kept {
    /// Adds to `all` what is known of each, and gives the ids of those that have to be inspected.
    fn fill(&mut self, all: &mut [Container]) -> Vec<String> {
        let mut missing = Vec::new();
        for one in all.iter_mut().filter(|one| one.state != State::Created) {
            match self.0.get(&one.id).filter(|known| known.state == one.state) {
                Some(known) => {
                    one.started_at.clone_from(&known.started_at);
                    one.finished_at.clone_from(&known.finished_at);
                    one.error.clone_from(&known.error);
                    one.restart.clone_from(&known.restart);
                    one.oom_killed = known.oom_killed;
                    one.pid = known.pid;
                }
                None => missing.push(one.id.clone()),
            }
        }
        missing
    }

    async fn inspect(&mut self, engine: &dyn Host, ids: Vec<String>) {
        use futures_util::StreamExt;
        const AT_ONCE: usize = 8;
        let look = async |id: String| engine.inspect(&id).await.ok().flatten();
        let mut found = futures_util::stream::iter(ids).map(look).buffer_unordered(AT_ONCE);
        while let Some(one) = found.next().await {
            let Some(one) = one else { continue };
            let Container { id, state, started_at, finished_at, oom_killed, error, restart, pid, .. } = one;
            self.0.insert(id, Inspected { state, started_at, finished_at, oom_killed, error, restart, pid });
        }
    }

    fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }
}

/// The home's files as they are; where its stacks cannot be read, the home and why.
async fn read(readings: Arc<Readings>, dir: PathBuf) -> Result<(Home, Option<Arc<Known>>, Vec<Value>), Refused> {
    match readings.later().await {
        Ok(known) => Ok((known.home.clone(), Some(known), Vec::new())),
        Err(refused) => Ok((Home::open(dir)?, None, errors(&refused))),
    }
}

fn errors(refused: &Refused) -> Vec<Value> {
    let errors = refused.diagnostics.0.iter().filter(|d| d.severity == Severity::Error);
    errors.map(|d| text::to_json(d, &refused.sources)).collect()
}

/// What the containers of a project are, with what inspecting tells of each; `Err`: the engine cannot be asked.
async fn look(engine: &dyn Host, project: &str, kept: &mut Kept) -> Result<Vec<Container>, EngineError> {
    let mut all = engine.observe(&Scope::of(project)).await?.containers;
    let missing = kept.fill(&mut all);
    if !missing.is_empty() {
        kept.inspect(engine, missing).await;
        kept.fill(&mut all);
    }
    Ok(all)
}

/// One look at files and engine.
async fn whole(
    works: &Works,
    engine: Result<Arc<dyn Host>, EngineError>,
    kept: &mut Kept,
    before: Option<&Seen>,
) -> Seen {
    let (home, known, unread) = match read(works.readings(), works.setting().home.clone()).await {
        Ok(read) => read,
        Err(refused) => return Seen { unread: errors(&refused), ..before.cloned().unwrap_or_default() },
    };
    let read = known.as_ref().map(|known| &known.read);
    let mut seen = Seen { name: home.config.name.clone(), unread, ..Seen::default() };
    if let Some(read) = read {
        let titles = read.spec.stacks.iter().map(|stack| (stack.name.clone(), stack.keys.title.clone()));
        seen.titles = titles.filter_map(|(name, title)| Some((name, title?))).collect();
        seen.profiles = profiles::gather(&home, &read.spec);
    }
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => return away(seen, *error.diagnostic, before),
    };
    let mut there = BTreeSet::new();
    for project in std::iter::once(&home.config.name).chain(home.config.adopted.keys()) {
        let all = match look(&*engine, project, kept).await {
            Ok(all) => all,
            Err(error) => return away(seen, *error.diagnostic, before),
        };
        there.extend(all.iter().map(|one| one.id.clone()));
        seen.pids.extend(all.iter().filter(|one| one.pid > 0).map(|one| (one.id.clone(), one.pid)));
        let services = service::all(&home, read, project, &all);
        if *project == home.config.name {
            profiles::count_all(&mut seen.profiles, &all);
            seen.services = services;
        } else {
            seen.adopted.insert(project.clone(), services);
        }
    }
    kept.0.retain(|id, _| there.contains(id));
    if let Ok(all) = engine.compose_containers().await {
        let names = projects::group(&all).into_iter().map(|one| one.name);
        seen.others = names.filter(|name| adopt::is_open(&home, name)).collect();
    }
    seen
}

/// What was seen last, while the engine cannot be asked.
fn away(seen: Seen, told: Diagnostic, before: Option<&Seen>) -> Seen {
    let before = before.cloned().unwrap_or_default();
    Seen {
        away: Some(told),
        services: before.services,
        adopted: before.adopted,
        others: before.others,
        pids: before.pids,
        ..seen
    }
}
