//! What to do: a pure function from what is wanted and what is observed to a [`Plan`].
//!
//! One [`Action`] is one call to the Engine (or one wait). Every [`Step`] has a [`Cause`] down to the field, a
//! [`Risk`], and, where it can be taken back, the action that takes it back. The walker (`engine::apply`) decides
//! nothing: when a step fails it runs the `undo` of the done steps of the same [`Step::group`], last first.
//!
//! Planning is total and deterministic: sorted maps, no clock, no randomness, the same plan for any order of input.

pub mod check;
pub mod diff;
pub mod json;
pub mod observed;
pub(crate) mod planner;
pub mod request;
pub mod text;
pub mod wanted;

pub use planner::plan;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use observed::ContainerId;
use wanted::{ContainerRequest, NetworkRequest, VolumeRequest};

/// A step's number within its plan, counted from 1 in the order that text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId(pub u32);

/// A service key.
pub type ServiceName = String;

/// From what is to what is wanted.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub project: String,
    /// Absolute project directory, for messages and history.
    pub working_dir: String,
    /// In an order in which they could be done one by one.
    pub steps: Vec<Step>,
    /// What is right as it is, with the number of its containers.
    pub unchanged: BTreeMap<ServiceName, u32>,
    /// What the plan leaves alone, or waits for, and why: orphans, profiles that are off, drift it will not touch.
    pub notes: Vec<Note>,
    /// What stands in the way; a plan with refusals is shown but never applied.
    pub refusals: Vec<Refusal>,
    /// Facts the plan rests on (`container web-1` -> `3f2a running`); `apply ID` compares them with the world.
    pub premises: BTreeMap<String, String>,
    /// The container that each service's name means to others (`network_mode: service:...`) when the walk begins. A service
    /// whose container this plan makes is not in it.
    pub known: BTreeMap<ServiceName, ContainerId>,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub id: StepId,
    pub action: Action,
    pub cause: Cause,
    pub risk: Risk,
    /// Steps that must be done before. Always smaller ids.
    pub after: Vec<StepId>,
    /// What this step is about: a service key, or empty for networks, volumes and images.
    pub service: ServiceName,
    /// Steps that stand or fall together (the replacement of one container or network). When one fails, or cannot begin because
    /// something it needs failed, or the walk is cancelled, the undo lists of all begun steps run, last step first. Past
    /// its point of no return a group is never taken back: once a removal in it without undo has begun, or a network that it
    /// makes anew is there. On cancel, such a group, and one all whose waits have come true, is finished rather than taken back.
    pub group: Option<u32>,
    /// Takes the step back, in this order; also when the step itself failed (actions on containers that were never
    /// made are left out then). Doing what is already so is success.
    pub undo: Vec<Action>,
}

/// A container named in a plan: one that exists, or one that an earlier step of this plan creates.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Exists; the name is for words.
    Existing { id: ContainerId, name: String },
    /// Made by that step.
    Made { step: StepId, name: String },
}

impl Target {
    pub fn name(&self) -> &str {
        match self {
            Target::Existing { name, .. } | Target::Made { name, .. } => name,
        }
    }
}

/// One call to the Engine, or one wait for it.
#[derive(Debug, Clone)]
pub enum Action {
    PullImage {
        reference: String,
        platform: Option<String>,
        /// A failure is tolerated because a usable image is present (or will be built).
        optional: bool,
    },
    BuildImage {
        request: Box<wanted::BuildRequest>,
    },
    CreateNetwork {
        request: Box<NetworkRequest>,
    },
    RemoveNetwork {
        id: String,
        name: String,
    },
    ConnectNetwork {
        network: String,
        container: Target,
        endpoint: Box<wanted::Endpoint>,
    },
    DisconnectNetwork {
        network: String,
        container: Target,
    },
    CreateVolume {
        request: Box<VolumeRequest>,
    },
    /// Only ever planned for a volume that the caller named.
    RemoveVolume {
        name: String,
    },
    RemoveImage {
        reference: String,
    },
    CreateContainer {
        request: Box<ContainerRequest>,
        /// The container it will take the place of: anonymous volumes move over, label `replace` is set.
        replaces: Option<ContainerId>,
    },
    /// Puts limits or the restart policy of a living container to what is wanted, without a stop.
    UpdateContainer {
        container: Target,
        update: Box<wanted::Update>,
    },
    RenameContainer {
        container: Target,
        to: String,
    },
    /// Inline and environment secrets and configs go in before every start.
    UploadFiles {
        container: Target,
        files: Vec<wanted::InlineFile>,
    },
    StartContainer {
        container: Target,
    },
    UnpauseContainer {
        container: Target,
    },
    RestartContainer {
        container: Target,
        timeout: Option<i64>,
    },
    StopContainer {
        container: Target,
        /// Seconds; `None` leaves it to the container's own `StopTimeout`.
        timeout: Option<i64>,
    },
    RemoveContainer {
        container: Target,
        /// Anonymous volumes go with it.
        volumes: bool,
        force: bool,
    },
    /// `post_start` and `pre_stop` hooks: an argument list, never a shell string.
    Exec {
        container: Target,
        hook: Box<wanted::Hook>,
    },
    /// Waits until the container is healthy, has ended with 0, or has stayed up.
    Wait {
        container: Target,
        until: Until,
        /// When it does not come true: `false` fails the step, `true` only warns (`required: false`).
        optional: bool,
    },
}

impl Action {
    /// The action's name, as `create_container`.
    pub fn kind(&self) -> &'static str {
        match self {
            Action::PullImage { .. } => "pull_image",
            Action::BuildImage { .. } => "build_image",
            Action::CreateNetwork { .. } => "create_network",
            Action::RemoveNetwork { .. } => "remove_network",
            Action::ConnectNetwork { .. } => "connect_network",
            Action::DisconnectNetwork { .. } => "disconnect_network",
            Action::CreateVolume { .. } => "create_volume",
            Action::RemoveVolume { .. } => "remove_volume",
            Action::RemoveImage { .. } => "remove_image",
            Action::CreateContainer { .. } => "create_container",
            Action::UpdateContainer { .. } => "update_container",
            Action::RenameContainer { .. } => "rename_container",
            Action::UploadFiles { .. } => "upload_files",
            Action::StartContainer { .. } => "start_container",
            Action::UnpauseContainer { .. } => "unpause_container",
            Action::RestartContainer { .. } => "restart_container",
            Action::StopContainer { .. } => "stop_container",
            Action::RemoveContainer { .. } => "remove_container",
            Action::Exec { .. } => "exec",
            Action::Wait { .. } => "wait",
        }
    }
    /// The container that an action is about.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Action::ConnectNetwork { container, .. }
            | Action::DisconnectNetwork { container, .. }
            | Action::UpdateContainer { container, .. }
            | Action::RenameContainer { container, .. }
            | Action::UploadFiles { container, .. }
            | Action::StartContainer { container }
            | Action::UnpauseContainer { container }
            | Action::RestartContainer { container, .. }
            | Action::StopContainer { container, .. }
            | Action::RemoveContainer { container, .. }
            | Action::Exec { container, .. }
            | Action::Wait { container, .. } => Some(container),
            _ => None,
        }
    }
}

/// What a [`Action::Wait`] waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "snake_case")]
pub enum Until {
    /// `service_healthy`; no time limit unless `seconds` is given.
    Healthy { seconds: Option<u64> },
    /// `service_completed_successfully`.
    Completed,
    /// A replaced container's window: healthy within `seconds`, or (no health check) still running after `stay` ms.
    /// With `may_exit` (a job that ends) an exit with 0 within the window is a proof too.
    Proven { seconds: u64, stay: u64, health: bool, may_exit: bool },
    /// Nobody is sent to a container any more that was set aside `ms` ago; also when it has ended by itself.
    Left { ms: u64 },
}

/// Why a step exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// It is wanted and is not there.
    Missing,
    /// Fields differ, each as it is and as it is wanted.
    Changed {
        fields: Vec<FieldChange>,
    },
    /// The image behind the tag is another one now.
    ImageMoved {
        from: String,
        to: String,
    },
    /// A running container lacks a network that it should be on.
    NotAttached {
        network: String,
    },
    /// A running container lacks a volume that it should have.
    NotMounted {
        volume: String,
    },
    /// A service whose namespace, volumes or restart it follows is replaced.
    DependencyReplaced {
        service: ServiceName,
    },
    /// It is there and should run, and does not.
    NotRunning {
        state: String,
    },
    Paused,
    /// Part of replacing a container: what this step is for.
    Replacement,
    /// A step that another step needs (waits before starts, pulls before creates).
    Needed {
        by: ServiceName,
    },
    /// Left behind by an interrupted command of Hearth or Compose.
    LeftBehind {
        what: String,
    },
    /// More or fewer containers than wanted.
    Scale {
        from: u32,
        to: u32,
    },
    /// No stack names it any more.
    Orphan,
    /// The person asked (`down`, `restart`, `--force-recreate`, `--volumes`...).
    Requested {
        what: String,
    },
}

/// One field as it is and as it is wanted. Values of secrets are replaced by `(hidden)` when this is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// As a person would write it in the stack: `environment TZ`, `image`, `ports`, `limits memory`.
    pub field: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// What a step can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    None,
    /// The service does not answer for a moment.
    ShortStop,
    /// The service ends.
    Stop,
    /// Data is lost for good.
    Data,
}

/// Something that stays as it is, said out loud.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// `orphan`, `profile-off`, `drift`, `hash-drift`, `waits`, `unlabelled-volume`, ...
    pub about: String,
    /// What it is: a container, service, network or volume name.
    pub subject: String,
    /// A sentence, with the command that would change it where there is one.
    pub text: String,
}

/// Why this plan cannot be applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// A diagnostic code such as `plan.name-taken`.
    pub code: String,
    /// Field path in the project for the place (`services.web.container_name`), where there is one.
    pub field: Option<String>,
    pub title: String,
    pub hints: Vec<String>,
}

impl Plan {
    /// Nothing to do and nothing in the way.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.refusals.is_empty()
    }
    /// The gravest risk of all steps.
    pub fn risk(&self) -> Risk {
        self.steps.iter().map(|s| s.risk).max().unwrap_or(Risk::None)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Services of a mode that a home was switched away from. A switch that was killed half-way leaves them running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub services: Vec<ServiceName>,
    /// The engine's name of the network that no others are on: by it they are told from a person's own of that name.
    pub network: String,
}

impl Outgoing {
    /// Whether a container is one of them.
    pub fn is(&self, container: &observed::Container) -> bool {
        let service = container.labels.get(request::SERVICE);
        self.services.iter().any(|name| Some(name) == service) && container.networks.contains_key(&self.network)
    }
}

/// What the caller asks for, beside the project itself.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub verb: Verb,
    /// Recreate decisions.
    pub recreate: Recreate,
    /// New anonymous volumes instead of moving the old ones over (`-V`).
    pub renew_anonymous_volumes: bool,
    pub remove_orphans: bool,
    /// Hearth's own services that the mode of the home does not have: what is left of them goes without being asked for.
    pub outgoing: Option<Outgoing>,
    /// The keys of all networks of a home, those of services that are off among them: its other ones go with its orphans. `None`: not
    /// known.
    pub networks: Option<BTreeSet<String>>,
    /// Run finished one-shots again (Compose's way).
    pub rerun: bool,
    /// Stop timeout in seconds (`-t`).
    pub timeout: Option<i64>,
    /// Wait for every service at the end (`--wait`), with an optional limit in seconds.
    pub wait: bool,
    pub wait_timeout: Option<u64>,
    /// `down`: volumes to remove, by name. `--volumes` alone is resolved to names before it comes here.
    pub volumes: Vec<String>,
    /// `down --volumes` without names: the anonymous volumes of the containers that go are named by it too.
    pub anonymous_volumes: bool,
    /// Do not touch dependencies of the targets (`--no-deps`).
    pub no_deps: bool,
    /// `--pull` policy that overrides the services' own.
    pub pull: Option<String>,
    /// `--no-start`: create only.
    pub no_start: bool,
    /// `--build`: build what has a build section even if its image is there.
    pub build: bool,
    /// `update`: pull each image again and replace what moved.
    pub update: bool,
    /// Images were pulled in an earlier round of the same command: policies are satisfied.
    pub pulled: bool,
    /// Services that the caller named; empty means all. `down`, `stop`, `start`, `restart`, `pull` touch only them; `up`
    /// forces a recreate only on them.
    pub only: Vec<ServiceName>,
    /// The time, for `pull_policy: daily` and its kin; `None`: such an image that is present is not pulled.
    pub now: Option<time::OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verb {
    #[default]
    Up,
    Down,
    Start,
    Stop,
    Restart,
    Pull,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recreate {
    /// Only what differs.
    #[default]
    Diverged,
    /// `--force-recreate`.
    Force,
    /// `--no-recreate`.
    Never,
}
