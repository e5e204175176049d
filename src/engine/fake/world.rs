//! What exists on the engine. Everything is public: tests arrange and look at it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::plan::observed::{EngineFacts, HostFacts, Mount, State};

pub use crate::plan::observed::Health;

/// The whole engine.
#[derive(Debug, Clone)]
pub struct World {
    pub facts: EngineFacts,
    pub host: HostFacts,
    /// Virtual milliseconds since the engine was made.
    pub now: u64,
    /// Local images by reference, and what a registry would give for one.
    pub images: BTreeMap<String, FakeImage>,
    pub registry: BTreeMap<String, FakeImage>,
    /// By id.
    pub containers: BTreeMap<String, FakeContainer>,
    /// By id.
    pub networks: BTreeMap<String, FakeNetwork>,
    /// By name.
    pub volumes: BTreeMap<String, FakeVolume>,
    /// What containers do: by `service image-id`, by image id or by service key, whichever is there first.
    pub behaviours: BTreeMap<String, Behaviour>,
    /// Volumes that held data when a call removed them.
    pub lost: Vec<String>,
    /// Broken promises, such as two containers of one service number on one volume.
    pub violations: Vec<String>,
    pub(super) counter: u64,
}

/// An image: what tag it moved to is a new one with another id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FakeImage {
    pub id: String,
    /// `Config` as inspected.
    pub config: Value,
}

#[derive(Debug, Clone, Default)]
pub struct FakeContainer {
    pub id: String,
    pub name: String,
    pub image: String,
    pub image_id: String,
    /// As `docker inspect` shows them.
    pub config: Value,
    pub host_config: Value,
    pub labels: BTreeMap<String, String>,
    pub state: State,
    pub health: Option<Health>,
    pub exit_code: i64,
    pub oom_killed: bool,
    pub error: String,
    pub created: u64,
    pub started: Option<u64>,
    /// When it last ended.
    pub finished: Option<u64>,
    /// Stopped by a call since it last started: `unless-stopped` does not bring it back.
    pub manually_stopped: bool,
    pub restarts: u64,
    /// By network name; empty where it uses another's namespace.
    pub endpoints: BTreeMap<String, FakeEndpoint>,
    pub mounts: Vec<Mount>,
    /// Host ports while it runs: `(address, port, protocol)`.
    pub ports: Vec<(String, u16, String)>,
    /// What was uploaded, by path.
    pub files: BTreeMap<String, String>,
    /// Log lines and health output.
    pub words: Vec<String>,
    /// What happens next: when it ends by itself and with what code, turns healthy or unhealthy, or starts again.
    pub exits_at: Option<(u64, i64)>,
    pub probed_at: Option<(u64, Health)>,
    pub restarts_at: Option<u64>,
}

/// `EndpointSettings`. `network_id` is empty until the first start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FakeEndpoint {
    pub network_id: String,
    pub aliases: Vec<String>,
    pub links: Vec<String>,
    pub fixed_ipv4: String,
    pub fixed_ipv6: String,
    pub ip_address: String,
    pub mac_address: String,
    pub driver_opts: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub struct FakeNetwork {
    pub id: String,
    pub name: String,
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    pub internal: bool,
    pub subnets: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct FakeVolume {
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    /// As in [`crate::plan::observed::Volume`].
    pub of_machine: String,
    pub anonymous: bool,
    /// `service number` of every container that ran with it, writable: its content, for tests.
    pub data: BTreeSet<String>,
}

/// What a container of a service (or an image) does once started.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// It cannot be started, and why.
    pub start_error: Option<String>,
    /// It ends by itself after so many ms, with this code.
    pub exits: Option<(u64, i64)>,
    /// What its health check says, where it has one.
    pub probe: Probe,
    /// It ends with 0 on SIGTERM rather than by the signal (143).
    pub graceful: bool,
    /// It ignores SIGTERM: a stop takes the whole grace period and ends with 137.
    pub stubborn: bool,
    pub oom: bool,
    /// Exit code of hooks run in it.
    pub exec_code: i64,
    /// What it writes when it starts.
    pub says: Vec<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            start_error: None,
            exits: None,
            probe: Probe::HealthyAfter(500),
            graceful: true,
            stubborn: false,
            oom: false,
            exec_code: 0,
            says: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// The first good probe, ms after the start.
    HealthyAfter(u64),
    /// All retries fail.
    Never,
}

impl Default for World {
    fn default() -> Self {
        let facts = EngineFacts {
            version: "26.1.5".into(),
            api: "1.45".into(),
            api_level: (1, 45),
            id: "fake".into(),
            os: "linux".into(),
            arch: "x86_64".into(),
            containerd_images: false,
            hides_clients: String::new(),
        };
        World {
            facts,
            host: HostFacts::default(),
            now: 0,
            images: BTreeMap::new(),
            registry: BTreeMap::new(),
            containers: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            behaviours: BTreeMap::new(),
            lost: Vec::new(),
            violations: Vec::new(),
            counter: 0,
        }
    }
}

impl World {
    /// A new 64-digit id. Ids are not in order of creation, as on a real engine.
    pub(super) fn new_id(&mut self) -> String {
        use sha2::{Digest, Sha256};
        self.counter += 1;
        let digest = Sha256::digest(self.counter.to_le_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Puts an image here under a reference. `version` makes its id; `config` is as inspected (`{}` will do).
    pub fn add_image(&mut self, reference: &str, version: &str, config: Value) {
        self.images.insert(reference.into(), image(reference, version, config));
    }

    /// The image that pulling this reference would give.
    pub fn offer_image(&mut self, reference: &str, version: &str, config: Value) {
        self.registry.insert(reference.into(), image(reference, version, config));
    }

    pub fn by_name(&self, name: &str) -> Option<&FakeContainer> {
        self.containers.values().find(|c| c.name == name)
    }

    pub fn by_name_mut(&mut self, name: &str) -> Option<&mut FakeContainer> {
        self.containers.values_mut().find(|c| c.name == name)
    }

    /// By id or name, as the Engine finds it.
    pub fn network(&self, wanted: &str) -> Option<&FakeNetwork> {
        self.networks.get(wanted).or_else(|| self.networks.values().find(|n| n.name == wanted))
    }

    /// What this container does.
    pub(super) fn behaviour(&self, container: &FakeContainer) -> Behaviour {
        let service = container.labels.get(crate::plan::request::SERVICE).map_or("", String::as_str);
        let keys = [format!("{service} {}", container.image_id), container.image_id.clone(), service.to_string()];
        keys.iter().find_map(|key| self.behaviours.get(key)).cloned().unwrap_or_default()
    }
}

fn image(reference: &str, version: &str, config: Value) -> FakeImage {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{reference} {version}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    FakeImage { id: format!("sha256:{hex}"), config }
}

impl FakeContainer {
    /// Its process runs (paused counts).
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running | State::Paused)
    }

    pub(super) fn restart_policy(&self) -> (&str, u64) {
        let policy = &self.host_config["RestartPolicy"];
        let name = policy["Name"].as_str().filter(|n| !n.is_empty()).unwrap_or("no");
        (name, policy["MaximumRetryCount"].as_u64().unwrap_or(0))
    }

    /// `service number` of a container of a project.
    pub(super) fn mark(&self) -> Option<String> {
        use crate::plan::request::{NUMBER, PROJECT, SERVICE};
        let label = |key: &str| self.labels.get(key).cloned();
        Some(format!("{} {} {}", label(PROJECT)?, label(SERVICE)?, label(NUMBER)?))
    }

    /// Another container whose namespace it uses: `container:<id>` of `NetworkMode`, `IpcMode` or `PidMode`.
    pub(super) fn shares(&self, field: &str) -> Option<&str> {
        self.host_config[field].as_str()?.strip_prefix("container:")
    }
}
