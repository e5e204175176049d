//! The Docker Engine behind one small trait, and the walker of plans.
//!
//! `docker` speaks to a real one, `fake` is a world in memory with scripted failures; `apply` walks a plan over
//! either and decides nothing.

pub mod apply;
pub mod docker;
pub mod fake;
pub mod stored;
pub mod streams;

use std::sync::Arc;

use async_trait::async_trait;

use crate::compose::Compat;
use crate::diag::Diagnostic;
use crate::plan::Action;
use crate::plan::observed::{Container, ContainerId, Observed};

/// What one look should cover.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub project: String,
    /// Image references whose local presence matters.
    pub images: Vec<String>,
    /// Names of networks and volumes that the project uses, its own and external ones.
    pub networks: Vec<String>,
    pub volumes: Vec<String>,
    /// Sources of bind mounts: those that do not exist come back in `HostFacts::missing_paths` (a local engine only).
    pub bind_sources: Vec<String>,
    /// Host ports that are to be published, as written (a number or a range), with their protocol: programs that hold ports
    /// come back in `HostFacts::taken_ports` where one of these is new (a local engine only).
    pub host_ports: Vec<(String, String)>,
    /// Whose `image` label is wanted in `observed::Image::label_id`.
    pub compat: Compat,
    /// Inspect every container of the project (drift, causes); else only what the list call gives: no aliases, no start
    /// time, no engine error, no OOM mark, `detail: None`.
    pub inspect: bool,
}

impl Scope {
    /// The containers of a project, without what only an inspection tells.
    pub fn of(project: &str) -> Scope {
        Scope { project: project.to_owned(), ..Scope::default() }
    }
}

/// What an action gave back.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Id of what was created.
    pub id: Option<String>,
    /// Engine warnings, and words for optional steps that failed.
    pub warnings: Vec<String>,
}

/// Where the progress of a call goes.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Sync);

/// What a long action says while it works.
#[derive(Debug, Clone)]
pub enum Progress {
    /// One layer of a pull: `current` of `total` bytes.
    Layer { id: String, status: String, current: u64, total: u64 },
    /// A line of a build.
    Line(String),
    /// The last words of a health probe while waiting.
    Probe(String),
}

/// Where an [`Action`]'s `Target::Made` and symbolic refs find their containers.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Step number to container id.
    pub made: std::collections::BTreeMap<u32, ContainerId>,
    /// Service to the id of the container that others refer to (its lowest number).
    pub services: std::collections::BTreeMap<String, ContainerId>,
    /// Image reference to what Compose writes as the `image` label (`observed::Image::label_id`).
    pub images: std::collections::BTreeMap<String, String>,
}

/// Failure of an engine call, already in words a person can act on; the library's text is kept for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .diagnostic.title)]
pub struct EngineError {
    pub diagnostic: Box<Diagnostic>,
    /// The engine's own words, secrets removed.
    pub detail: String,
    /// HTTP status where there was an answer.
    pub status: Option<u16>,
}

/// The Engine. All calls are bounded in time except pulls, builds and waits, which report progress.
#[async_trait]
pub trait Engine: Send + Sync {
    /// One consistent look; containers that vanish while looking are left out.
    async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError>;
    /// Does exactly one action. Doing what is already so is success (stop of a stopped, remove of a gone container).
    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError>;
    /// One container in full, `None` when it is gone.
    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError>;
    /// A local image's digests as registries know it, `name@sha256:...`; none where it was built here, or is gone.
    async fn digests(&self, _image: &str) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }
    /// The last lines of a container's log, newest last, and its last health output.
    async fn last_words(&self, id: &str, lines: u32) -> Result<Vec<String>, EngineError>;
}

/// An engine as a whole: plans are carried out on it, its containers are listened to, and it is asked about all of its projects.
#[async_trait]
pub trait Host: Engine + streams::Streams {
    /// Containers of every Compose project, ours and others', as the list call tells them.
    async fn compose_containers(&self) -> Result<Vec<Container>, EngineError>;
    /// Every container there is, as the list call tells them.
    async fn containers(&self) -> Result<Vec<Container>, EngineError>;
    /// Everything else that it holds, with all containers, who use it.
    async fn stored(&self) -> Result<stored::Stored, EngineError>;
    /// Whether it is the one in memory, on which nothing really runs: whoever shows it says so.
    fn is_double(&self) -> bool;
}

/// The engine that the process environment means; `double`: the one in memory instead, where somebody was given one.
pub async fn connect(
    environment: &std::collections::BTreeMap<String, String>,
    double: Option<&Arc<dyn Host>>,
) -> Result<Arc<dyn Host>, EngineError> {
    match double {
        Some(double) => Ok(double.clone()),
        None => Ok(Arc::new(docker::DockerEngine::connect(environment).await?)),
    }
}
