//! The container that this very process runs in, as the kernel and the engine agree on it.

use std::net::Ipv4Addr;
use std::sync::OnceLock;

use hyper::Method;
use serde_json::{Value, json};

use super::DockerEngine;
use super::errors::Fault;
use super::host::container_of;
use super::wire::{LOOK, query, segment};
use crate::engine::{Engine, EngineError, Known};
use crate::plan::observed::{Container, SERVER, State};
use crate::plan::wanted::Endpoint;
use crate::plan::{Action, Target};

/// Files that an engine mounts into every container, from the folder that it keeps for that container.
const MOUNTED: [&str; 3] = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

/// Set by compose/hearth.yaml. Without it a machine that is itself a container, with an engine of its own in it, would be taken for one.
const SAID: &str = "HEARTH_CONTAINER";

/// The id of the container that this process seems to run in, as it was told and as the kernel tells it; `None`: in none. Not to be relied on
/// alone: a container that shares another's network has that one's files.
pub fn inside() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let said = || std::env::var_os(SAID).is_some_and(|value| !value.is_empty());
    let seems = || seems(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo")).filter(|_| said());
    FOUND.get_or_init(seems).as_deref()
}

/// The id of the container that a process of this machine is in; `None`: in none, or there is no such process here.
pub fn container_of_process(pid: i64) -> Option<String> {
    container_of(&std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

/// From `/proc/self/cgroup`, which is always about the process itself but often says nothing, else from `/proc/self/mountinfo`.
fn seems(cgroup: &str, mounts: &str) -> Option<String> {
    let mounted = || {
        let lines = mounts.lines().map(|line| line.split(' ').skip(3).take(2).collect::<Vec<_>>());
        let from = lines.filter(|fields| fields.len() == 2 && MOUNTED.contains(&fields[1]));
        let mut ids = from.filter_map(|fields| {
            let mut parts = fields[0].split('/');
            parts.rfind(|part| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit())).map(str::to_string)
        });
        let first = ids.next()?;
        ids.all(|id| id == first).then_some(first)
    };
    container_of(cgroup).or_else(mounted)
}

impl DockerEngine {
    /// The container that this process runs in, where this engine runs it as Hearth's server: it says so by its label, and has no address
    /// that is not this process's too.
    pub async fn itself(&self) -> Result<Option<Container>, EngineError> {
        let Some(id) = inside() else { return Ok(None) };
        let found = self.container(id).await.map_err(|f| self.tell(f, "look at the container that Hearth runs in"))?;
        let own: Vec<String> =
            if_addrs::get_if_addrs().unwrap_or_default().iter().map(|found| found.ip().to_string()).collect();
        Ok(found.filter(|c| is_us(c, &own)))
    }
}

impl DockerEngine {
    /// The ids of the running containers on a network; `None`: there is no such network.
    pub async fn neighbours(&self, network: &str) -> Result<Option<Vec<String>>, EngineError> {
        let found = self.wire.find(&format!("/networks/{}", segment(network))).await;
        let found = found.map_err(|f| self.tell(f, &format!("look at the network `{network}`")))?;
        let ids = |value: Value| value["Containers"].as_object().map(|all| all.keys().cloned().collect());
        Ok(found.map(|value| ids(value).unwrap_or_default()))
    }

    /// Attaches a container to a network, with this address.
    pub async fn join(&self, container: &Container, network: &str, address: Ipv4Addr) -> Result<(), EngineError> {
        let endpoint = Box::new(Endpoint { ipv4_address: address.to_string(), ..Endpoint::default() });
        let action = Action::ConnectNetwork { network: network.into(), container: target(container), endpoint };
        self.perform(&action, &Known::default(), &|_| {}).await.map(drop)
    }

    pub async fn leave(&self, container: &Container, network: &str) -> Result<(), EngineError> {
        let action = Action::DisconnectNetwork { network: network.into(), container: target(container) };
        self.perform(&action, &Known::default(), &|_| {}).await.map(drop)
    }
}

impl DockerEngine {
    /// Runs a command of Hearth's own image for a moment on the machine's network and among its processes, and with no right beside; gives
    /// the lines that it says. Of one that was cut off, by a crash or the power, what is left goes first: a home has one server only.
    pub async fn on_the_machine(&self, itself: &Container, command: &str) -> Result<Vec<String>, EngineError> {
        let told = |f| self.tell(f, "look at the machine from outside of Hearth's own container");
        let home = itself.labels.get(SERVER).map_or("", String::as_str);
        let filters = json!({ "label": [format!("{LOOK_LABEL}={home}")] }).to_string();
        let all = format!("/containers/json{}", query(&[("all", "1"), ("filters", &filters)]));
        let left = self.wire.get(&all).await.map_err(told)?;
        for id in left.as_array().into_iter().flatten().filter_map(|c| c["Id"].as_str()) {
            self.remove_look(id).await.map_err(told)?;
        }
        let body = json!({
            "Image": itself.image_id, "Entrypoint": ["/hearth"], "Cmd": [command], "User": "65534:65534",
            "Labels": {LOOK_LABEL: home},
            "HostConfig": {
                "NetworkMode": "host", "PidMode": "host", "ReadonlyRootfs": true, "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges"], "LogConfig": {"Type": "json-file"},
            },
        });
        let made = self.wire.call(Method::POST, "/containers/create", Some(&body), LOOK).await.map_err(told)?;
        let id = made.json().map_err(told)?["Id"].as_str().unwrap_or_default().to_string();
        let path = format!("/containers/{}", segment(&id));
        let said = async {
            self.wire.call(Method::POST, &format!("{path}/start"), None, LOOK).await.map_err(told)?;
            self.wire.call(Method::POST, &format!("{path}/wait"), None, LOOK).await.map_err(told)?;
            self.last_words(&id, LINES).await
        };
        let said = said.await;
        let removed = self.remove_look(&id).await.map_err(told);
        said.and_then(|lines| removed.map(|()| lines))
    }

    async fn remove_look(&self, id: &str) -> Result<(), Fault> {
        let path = format!("/containers/{}?force=1", segment(id));
        self.wire.call(Method::DELETE, &path, None, LOOK).await.map(drop)
    }
}

/// The label of a container that looks at the machine for a home; its value is the home's folder.
const LOOK_LABEL: &str = "hearth.look";
/// Of one that looks at the machine.
const LINES: u32 = 1000;

fn target(container: &Container) -> Target {
    Target::Existing { id: container.id.clone(), name: container.name.clone() }
}

fn is_us(container: &Container, own: &[String]) -> bool {
    let mut addresses = container.networks.values().map(|attached| &attached.ip_address).filter(|ip| !ip.is_empty());
    container.state == State::Running && container.labels.contains_key(SERVER) && addresses.all(|ip| own.contains(ip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::observed::Attachment;

    #[test]
    fn the_kernel_tells_the_container_by_its_control_group_or_by_what_the_engine_mounts() {
        let (a, b) = ("ab".repeat(32), "cd".repeat(32));
        let mount =
            |id: &str, at: &str| format!("640 629 8:1 /var/lib/docker/containers/{id}/x {at} rw - ext4 /dev/sda1 rw\n");
        let whole: String = MOUNTED.iter().map(|at| mount(&a, at)).collect();
        assert_eq!(seems("0::/\n", &whole), Some(a.clone()));
        assert_eq!(seems(&format!("0::/docker/{b}\n"), &whole), Some(b.clone()), "it shares the network of another");
        assert_eq!(seems("", &(whole + &mount(&b, "/etc/hosts"))), None, "they do not agree");
        assert_eq!(seems("", &mount(&a, "/srv/etc/hosts")), None, "somebody's own mount");
        assert_eq!(seems("0::/user.slice\n", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"), None);
    }

    #[test]
    fn the_engine_has_to_agree() {
        let attached = Attachment { ip_address: "172.18.0.2".into(), ..Attachment::default() };
        let container = Container {
            state: State::Running,
            labels: [(SERVER.to_string(), "/srv/home".to_string())].into(),
            networks: [("net".to_string(), attached)].into(),
            ..Container::default()
        };
        let own = ["127.0.0.1".to_string(), "172.18.0.2".to_string()];
        assert!(is_us(&container, &own));
        assert!(!is_us(&container, &own[..1]), "its address is somebody else's");
        assert!(!is_us(&Container { labels: Default::default(), ..container.clone() }, &own), "it is no server");
        assert!(!is_us(&Container { state: State::Exited, ..container }, &own), "it does not run");
    }
}
