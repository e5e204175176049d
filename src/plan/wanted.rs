//! What is wanted, in the Engine's own terms: requests ready to be sent, made from the canonical project.
//!
//! References to other services stay symbolic (`Ref`) until the container they mean exists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ServiceName;
use crate::base::secret::Secret;
use crate::compose::{Compat, model::Service};

/// A project as the planner wants it.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub project: String,
    pub working_dir: String,
    /// Only those to act on: enabled by profiles and selected.
    pub services: BTreeMap<ServiceName, WantedService>,
    /// Known services that are off or not selected: their containers are not orphans.
    pub others: BTreeSet<ServiceName>,
    /// Those of `others` that are off, with their profiles (the rest is just not selected).
    pub off: BTreeMap<ServiceName, Vec<String>>,
    /// `hearth down` takes profiles: it is a home's.
    pub by_profile: bool,
    pub networks: BTreeMap<String, NetworkRequest>,
    pub volumes: BTreeMap<String, VolumeRequest>,
    /// What this project asks for that cannot be done, found without looking at the engine.
    pub refusals: Vec<super::Refusal>,
}

#[derive(Debug, Clone)]
pub struct WantedService {
    pub name: ServiceName,
    /// The canonical service: dependencies, policies, hooks and the config hash come from here.
    pub service: Service,
    pub compat: Compat,
    /// The request without number, name, hash and image id (`{project}-{service}-{n}` is filled in per container).
    pub request: ContainerRequest,
    /// SHA-256 over the service as hashed and the content of inline files; label `hearth.fingerprint`. The same for both
    /// generations of Compose, so that changing between them recreates nothing.
    pub fingerprint: String,
    pub files: Vec<InlineFile>,
    pub build: Option<BuildRequest>,
    /// How long a replacement may take to prove itself, in seconds.
    pub window: u64,
    /// New beside old (`deploy.update_config.order: start-first`) where nothing forbids it.
    pub start_first: bool,
}

/// `POST /containers/create`: `config` is the body without `HostConfig` and `NetworkingConfig`, in the Engine's names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContainerRequest {
    pub service: ServiceName,
    pub number: u32,
    pub name: String,
    pub platform: Option<String>,
    pub config: Value,
    pub host_config: Value,
    /// By network NAME, the primary one first. Below API 1.44 all but the first are connected after the create call.
    pub endpoints: Vec<(String, Endpoint)>,
    /// Services whose container id must be filled in: `NetworkMode`, `IpcMode`, `PidMode`, `VolumesFrom`.
    pub refs: Vec<Ref>,
    /// Nothing moves over from the container that it replaces: new anonymous volumes.
    pub renew: bool,
    /// The service as hashed, to compute `config-hash` once the refs are known.
    pub hashed: Value,
    pub compat: Compat,
}

impl ContainerRequest {
    /// Absolute paths on the engine's machine that its bind mounts need, whoever makes them.
    pub fn bind_sources(&self) -> Vec<String> {
        let list = |key: &str| self.host_config[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let binds = list("Binds").iter().filter_map(|b| b.as_str()?.split_once(':')).map(|(source, _)| source);
        let mounts = list("Mounts").iter().filter(|m| m["Type"] == "bind").filter_map(|m| m["Source"].as_str());
        binds.chain(mounts).filter(|source| source.starts_with('/')).map(str::to_string).collect()
    }

    /// Host ports that it publishes, as written, with their protocol. Ports that the engine may choose are none.
    pub fn host_ports(&self) -> Vec<(String, String)> {
        let bindings = self.host_config["PortBindings"].as_object().into_iter().flatten();
        let each = bindings.flat_map(|(target, list)| {
            let protocol = target.split_once('/').map_or("tcp", |(_, protocol)| protocol);
            list.as_array().into_iter().flatten().map(move |b| (b["HostPort"].as_str().unwrap_or_default(), protocol))
        });
        let fixed = each.filter(|(port, _)| !port.is_empty() && *port != "0");
        fixed.map(|(port, protocol)| (port.to_string(), protocol.to_string())).collect()
    }
}

/// A place in a request that names another service's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    pub field: RefField,
    pub service: ServiceName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefField {
    Network,
    Ipc,
    Pid,
    /// Index in `VolumesFrom`.
    VolumesFrom(usize),
}

/// `EndpointSettings` of one network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Endpoint {
    pub aliases: Vec<String>,
    pub ipv4_address: String,
    pub ipv6_address: String,
    pub link_local_ips: Vec<String>,
    pub mac_address: String,
    pub driver_opts: BTreeMap<String, String>,
    pub gw_priority: i64,
    pub links: Vec<String>,
}

/// `POST /networks/create`, and what the planner compares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NetworkRequest {
    pub key: String,
    pub name: String,
    pub external: bool,
    /// The whole body, labels included.
    pub body: Value,
    pub hash: String,
}

/// `POST /volumes/create`, and what the planner compares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VolumeRequest {
    pub key: String,
    pub name: String,
    pub external: bool,
    pub body: Value,
    pub hash: String,
}

/// Classic build: a tar of the context is made by the engine port from these.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuildRequest {
    pub service: ServiceName,
    pub image: String,
    pub tags: Vec<String>,
    pub context: String,
    pub dockerfile: String,
    pub dockerfile_inline: String,
    pub args: BTreeMap<String, Option<String>>,
    pub labels: BTreeMap<String, String>,
    pub target: String,
    pub no_cache: bool,
    pub pull: bool,
    pub network: String,
    pub shm_size: i64,
    pub extra_hosts: Vec<String>,
    pub cache_from: Vec<String>,
    pub platform: Option<String>,
    /// Build only if the image is still absent when its turn comes (a pull may have brought it).
    pub if_absent: bool,
    /// Attributes that only BuildKit can do; non-empty means the plan refuses.
    pub needs_buildkit: Vec<String>,
    /// No context at all: the image holds this very program (see [`BuildRequest::of_hearth`]). It is never pulled.
    pub of_hearth: bool,
}

impl BuildRequest {
    /// The image of Hearth itself, under this name. `version` is written into it.
    pub fn of_hearth(service: &str, image: &str, version: &str) -> BuildRequest {
        let labels = BTreeMap::from([
            ("org.opencontainers.image.title".to_string(), "Hearth".to_string()),
            (VERSION_LABEL.to_string(), version.to_string()),
        ]);
        BuildRequest { service: service.into(), image: image.into(), labels, of_hearth: true, ..Default::default() }
    }
}

/// The label in which the maker of an image writes its version; Hearth does so in its own.
pub const VERSION_LABEL: &str = "org.opencontainers.image.version";

/// A file that is written into the container before each start. `content` never appears in a plan's text or JSON.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InlineFile {
    pub target: String,
    pub uid: u64,
    pub gid: u64,
    pub mode: u32,
    /// What it comes from, in words: `config nginx`, `secret token`.
    pub origin: String,
    pub content: Secret,
}

/// `POST /containers/{id}/update`: limits and restart policy in the Engine's names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    pub body: Value,
}

/// A lifecycle hook.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hook {
    pub command: Vec<String>,
    pub user: String,
    pub privileged: bool,
    pub working_dir: String,
    /// `NAME=value`; values are not shown in plans.
    pub environment: Vec<String>,
}
