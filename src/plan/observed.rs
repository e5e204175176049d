//! The world as one look found it. Filled by an engine, read by the planner; knows nothing of either.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{ONEOFF, PROJECT, SERVICE};

pub type ContainerId = String;

/// One look at the Engine for one project.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub engine: EngineFacts,
    /// Containers of the project, stopped ones and one-offs included, in order of name.
    pub containers: Vec<Container>,
    /// Every other container on the host: their names and ports are taken.
    pub foreign: Vec<Foreign>,
    /// Networks with the project's label, and those that the project names, by name.
    pub networks: BTreeMap<String, Network>,
    /// Volumes with the project's label, and those that the project names, by name.
    pub volumes: BTreeMap<String, Volume>,
    /// Local images by the reference that was asked for; absent means not present.
    pub images: BTreeMap<String, Image>,
    /// What the machine itself says, where the engine runs on it.
    pub host: HostFacts,
    /// Subnets in use on the engine (any network), in CIDR form, with the network's name.
    pub subnets: Vec<(String, String)>,
    /// Those of them that the engine made up: not of networks that join containers to one of the machine's (macvlan, ipvlan).
    pub made_up: Vec<String>,
}

impl Observed {
    /// Every container on the host, the project's own among them (without their volumes).
    pub fn everyone(&self) -> Vec<Foreign> {
        let label = |c: &Container, name: &str| c.labels.get(name).cloned();
        let own = self.containers.iter().map(|c| Foreign {
            id: c.id.clone(),
            name: c.name.clone(),
            image: c.image.clone(),
            project: label(c, PROJECT),
            service: label(c, SERVICE).filter(|_| !label(c, ONEOFF).is_some_and(|v| v.eq_ignore_ascii_case("true"))),
            running: matches!(c.state, State::Running | State::Paused | State::Restarting),
            ready: is_ready(c.state, c.health),
            ports: c.ports.clone(),
            volumes: Vec::new(),
            networks: c.networks.keys().cloned().collect(),
            serves: label(c, SERVER),
        });
        self.foreign.iter().cloned().chain(own).collect()
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EngineFacts {
    pub version: String,
    /// As `1.45`.
    pub api: String,
    /// `(major, minor)` of `api`.
    pub api_level: (u32, u32),
    pub id: String,
    pub os: String,
    pub arch: String,
    /// Whether images live in containerd's store (the image label is then another digest).
    pub containerd_images: bool,
    /// Why containers may see one address for everybody who comes from outside, in words; empty: they see who it is.
    pub hides_clients: String,
}

/// Facts about the machine that no engine call tells.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// Ports that some program other than a container holds: `(address, port, protocol)`.
    pub taken_ports: Vec<(String, u16, String)>,
    /// Bind sources that are wanted and do not exist.
    pub missing_paths: std::collections::BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Container {
    pub id: ContainerId,
    /// Without the leading slash.
    pub name: String,
    /// The reference it was created from.
    pub image: String,
    pub image_id: String,
    pub labels: BTreeMap<String, String>,
    pub state: State,
    pub health: Option<Health>,
    pub exit_code: i64,
    pub oom_killed: bool,
    /// The engine's words about the last start, empty when there was no error.
    pub error: String,
    /// RFC 3339; empty when unknown or never.
    pub created_at: String,
    pub started_at: String,
    /// Empty while it runs, and where the look did not inspect.
    pub finished_at: String,
    /// The name of its restart policy; empty where the look did not inspect.
    pub restart: String,
    /// By network NAME.
    pub networks: BTreeMap<String, Attachment>,
    pub mounts: Vec<Mount>,
    /// Published `(host ip, host port, protocol)`, as the list call shows them while it runs.
    pub ports: Vec<(String, u16, String)>,
    /// The port inside the container of each published `(host port, protocol)`.
    pub port_targets: BTreeMap<(u16, String), u16>,
    /// `HostConfig.NetworkMode` (known from the list call already).
    pub network_mode: String,
    /// The number of its main process on the engine's machine; 0 while it does not run, and where the look did not inspect.
    pub pid: i64,
    /// `Config`, `HostConfig` and `NetworkSettings` as inspected; `None` where one look did not need them.
    pub detail: Option<Detail>,
}

impl Container {
    /// Whether Compose's label says that it is one of this service.
    pub fn is_of(&self, service: &str) -> bool {
        self.labels.get(SERVICE).is_some_and(|of| of == service)
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detail {
    pub config: Value,
    pub host_config: Value,
    pub network_settings: Value,
    /// `State.Health`, without secrets of the container's own variables.
    pub health: Value,
    /// How often the engine has started it again by its policy.
    pub restarts: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attachment {
    pub network_id: String,
    /// Empty when the look did not inspect.
    pub aliases: Vec<String>,
    pub ip_address: String,
    pub mac_address: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mount {
    /// `volume`, `bind`, `tmpfs`, `image`...
    pub kind: String,
    /// Volume name, empty for others.
    pub name: String,
    pub source: String,
    pub destination: String,
    pub writable: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Foreign {
    pub id: ContainerId,
    pub name: String,
    /// The reference it was created from; an id where no name is left.
    pub image: String,
    /// Compose project it belongs to, if any.
    pub project: Option<String>,
    /// The Compose service that it is a container of; none for a one-off (`docker compose run`).
    pub service: Option<String>,
    pub running: bool,
    /// See [`is_ready`].
    pub ready: bool,
    /// Published `(host ip, host port, protocol)`.
    pub ports: Vec<(String, u16, String)>,
    /// Names of volumes it mounts and of networks it is on.
    pub volumes: Vec<String>,
    pub networks: Vec<String>,
    /// The home whose server it is, see [`SERVER`].
    pub serves: Option<String>,
}

/// Whether a container answers for its service: it runs, is not paused, and its health check, where it has one, has passed.
pub fn is_ready(state: State, health: Option<Health>) -> bool {
    state == State::Running && matches!(health, None | Some(Health::Healthy))
}

/// The label of a container that runs `hearth serve`; its value is the home's folder. It joins the network of a home's Traefik by itself, so that
/// whoever removes that network takes it off first.
pub const SERVER: &str = "hearth.server";

#[derive(Debug, Clone, Default)]
pub struct Network {
    pub id: String,
    pub name: String,
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    pub internal: bool,
    /// Subnets in CIDR form.
    pub subnets: Vec<String>,
    /// What would make it again: the body of `POST /networks/create`.
    pub body: Value,
    /// Containers attached now (running ones).
    pub attached: Vec<ContainerId>,
}

#[derive(Debug, Clone, Default)]
pub struct Volume {
    pub name: String,
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    /// What of the machine it is, see [`Volume::shows`].
    pub of_machine: String,
}

impl Volume {
    /// The folder or disk of the machine that the options of the engine's own driver make of a volume; empty: none of it that anybody else has.
    pub fn shows(options: &Value) -> String {
        let option = |name: &str| options[name].as_str().unwrap_or_default();
        let (kind, device) = (option("type"), option("device"));
        // A bind is one whatever type stands beside it: so is the call that the engine makes.
        let binds = option("o").split(',').any(|o| matches!(o.trim(), "bind" | "rbind"));
        match kind {
            _ if binds => device.into(),
            "tmpfs" | "nfs" | "nfs4" | "cifs" | "smb3" => String::new(),
            _ if device.is_empty() => kind.into(),
            _ => device.into(),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Image {
    pub id: String,
    /// What Compose writes as the `image` label: differs from `id` in some image stores (semantics 3.5).
    pub label_id: String,
    /// RFC 3339 of the last time it was tagged or pulled here; empty when unknown.
    pub last_tag_time: String,
    /// `Config` of the image: Env, Cmd, Entrypoint, Volumes, ExposedPorts, Labels, User, WorkingDir, Healthcheck.
    pub config: Value,
}
