//! One look at the world, in parallel: the list call says almost everything (state, health, labels, networks, mounts);
//! inspects are for who asks.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::errors::Fault;
use super::host::Shared;
use super::wire::{query, segment};
use super::{DockerEngine, convert, host};
use crate::compose::Compat;
use crate::engine::Scope;
use crate::plan::observed::{Container, EngineFacts, HostFacts, Image, Network, Observed, Volume};
use crate::plan::request::PROJECT;

/// Inspects under way at once: measured best with 2 cores, and a remote engine gains from it too.
const INSPECTS: usize = 12;

/// One consistent look. Containers that vanish while it looks are left out.
pub async fn observe(engine: &DockerEngine, scope: &Scope) -> Result<Observed, Fault> {
    let (facts, listed, networks, volumes, images) = tokio::try_join!(
        engine.facts(),
        containers(engine, scope),
        networks(engine),
        volumes(engine, scope),
        images(engine, scope),
    )?;
    let Listed { own, others, mut containers } = listed;
    let host = host_facts(engine.shared().await?, &own, &others, scope);
    let foreign =
        others.iter().map(|e| convert::foreign(e, e["Labels"][PROJECT].as_str().map(str::to_string))).collect();
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    let mut observed = Observed {
        engine: facts,
        containers,
        foreign,
        subnets: networks.iter().flat_map(|n| n.subnets.iter().map(|s| (s.clone(), n.name.clone()))).collect(),
        made_up: networks.iter().filter(|n| is_made_up(n)).flat_map(|n| n.subnets.clone()).collect(),
        volumes,
        images,
        host,
        networks: BTreeMap::new(),
    };
    observed.networks = wanted_networks(networks, scope, &observed);
    Ok(observed)
}

/// What the list call gave, parted into the project's and the rest, and the project's containers as asked for.
struct Listed {
    own: Vec<Value>,
    others: Vec<Value>,
    containers: Vec<Container>,
}

/// Inspects begin as soon as the list is there: the other calls of the look go on beside them.
async fn containers(engine: &DockerEngine, scope: &Scope) -> Result<Listed, Fault> {
    let listed = engine.wire.get("/containers/json?all=1").await?;
    let Value::Array(entries) = listed else { return Err(Fault::Garbled("its containers are no list".into())) };
    let (own, others): (Vec<Value>, Vec<Value>) =
        entries.into_iter().partition(|e| e["Labels"][PROJECT].as_str() == Some(scope.project.as_str()));
    let containers = match scope.inspect {
        false => own.iter().map(convert::listed).collect(),
        true => inspect_all(engine, own.iter().map(|e| convert::text(&e["Id"])).collect()).await?,
    };
    Ok(Listed { own, others, containers })
}

/// Networks of the project and those that it names, with who is attached. Where two have one name, the project's counts.
fn wanted_networks(all: Vec<Network>, scope: &Scope, observed: &Observed) -> BTreeMap<String, Network> {
    let named: BTreeSet<&str> = scope.networks.iter().map(String::as_str).collect();
    let of_project = |n: &Network| n.labels.get(PROJECT).is_some_and(|p| *p == scope.project);
    let mut found: BTreeMap<String, Network> = BTreeMap::new();
    for mut network in all.into_iter().filter(|n| of_project(n) || named.contains(n.name.as_str())) {
        if found.get(&network.name).is_some_and(of_project) {
            continue;
        }
        let own = observed.containers.iter().filter(|c| {
            is_up(c)
                && c.networks.get(&network.name).is_some_and(|a| a.network_id == network.id || a.network_id.is_empty())
        });
        let others = observed.foreign.iter().filter(|f| f.running && f.networks.contains(&network.name));
        network.attached = own.map(|c| c.id.clone()).chain(others.map(|f| f.id.clone())).collect();
        found.insert(network.name.clone(), network);
    }
    found
}

/// Whether its addresses are of the engine's making, and none of a network that the machine itself is on.
fn is_made_up(network: &Network) -> bool {
    !["macvlan", "ipvlan"].contains(&network.driver.as_str())
}

fn is_up(container: &Container) -> bool {
    use crate::plan::observed::State;
    matches!(container.state, State::Running | State::Paused | State::Restarting)
}

async fn networks(engine: &DockerEngine) -> Result<Vec<Network>, Fault> {
    let list = engine.wire.get("/networks").await?;
    let mut all: Vec<Network> = convert::list(&list).iter().map(convert::network).collect();
    all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(all)
}

async fn volumes(engine: &DockerEngine, scope: &Scope) -> Result<BTreeMap<String, Volume>, Fault> {
    let list = engine.wire.get("/volumes").await?;
    let wanted =
        |v: &Volume| v.labels.get(PROJECT).is_some_and(|p| *p == scope.project) || scope.volumes.contains(&v.name);
    let volumes = convert::list(&list["Volumes"]).iter().map(convert::volume);
    Ok(volumes.filter(wanted).map(|v| (v.name.clone(), v)).collect())
}

async fn images(engine: &DockerEngine, scope: &Scope) -> Result<BTreeMap<String, Image>, Fault> {
    let references: BTreeSet<&String> = scope.images.iter().filter(|r| !r.is_empty()).collect();
    let one = |reference: &String| {
        let reference = reference.clone();
        async move { Ok::<_, Fault>(engine.image(&reference, scope.compat).await?.map(|image| (reference, image))) }
    };
    let found: Vec<Option<(String, Image)>> =
        stream::iter(references).map(one).buffer_unordered(INSPECTS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Each container in full; those that are gone by now are left out.
pub async fn inspect_all(engine: &DockerEngine, ids: Vec<String>) -> Result<Vec<Container>, Fault> {
    let found: Vec<Option<Container>> = stream::iter(ids)
        .map(|id| async move { engine.container(&id).await })
        .buffer_unordered(INSPECTS)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

fn host_facts(shared: Shared, own: &[Value], others: &[Value], scope: &Scope) -> HostFacts {
    let mut facts = HostFacts::default();
    let published = |entries: &[Value]| -> Vec<(String, u16, String)> {
        let running = entries.iter().map(|e| convert::foreign(e, None)).filter(|f| f.running);
        running.flat_map(|f| f.ports).collect()
    };
    let mut held = published(own);
    if shared.ports && is_new_port(scope, &held) {
        held.extend(published(others));
        facts.taken_ports = host::taken_ports(&held);
    }
    if shared.files {
        facts.missing_paths = host::missing(&scope.bind_sources);
    }
    facts
}

/// Whether a port is wanted that the project's own containers do not hold yet. Where they hold all, no other program can,
/// and the kernel's tables, slow to read on a machine with much memory, need no look.
fn is_new_port(scope: &Scope, held: &[(String, u16, String)]) -> bool {
    scope.host_ports.iter().any(|(written, protocol)| {
        let port = written.parse::<u16>();
        port.map_or(true, |port| !held.iter().any(|(_, own, by)| *own == port && by == protocol))
    })
}

impl DockerEngine {
    /// One container in full, `None` when it is gone.
    pub(super) async fn container(&self, id: &str) -> Result<Option<Container>, Fault> {
        Ok(self.wire.find(&format!("/containers/{}/json", segment(id))).await?.map(convert::inspected))
    }

    /// A local image by any reference, `None` when it is not here.
    pub(super) async fn image(&self, reference: &str, compat: Compat) -> Result<Option<Image>, Fault> {
        let Some(value) = self.find_image(reference).await? else { return Ok(None) };
        let path = format!("/images/{}/json", segment(reference));
        let facts = self.facts().await?;
        let (os, arch) = (convert::text(&value["Os"]), convert::text(&value["Architecture"]));
        let mut image = convert::image(value);
        if facts.containerd_images && compat == Compat::V5 && self.api >= (1, 48) {
            let with_manifests = self.wire.find(&format!("{path}{}", query(&[("manifests", "1")]))).await?;
            let digest = with_manifests.and_then(|value| convert::manifest_digest(&value, &os, &arch));
            image.label_id = digest.unwrap_or(image.label_id);
        }
        Ok(Some(image))
    }

    /// A local image as inspected.
    pub(super) async fn find_image(&self, reference: &str) -> Result<Option<Value>, Fault> {
        self.wire.find(&format!("/images/{}/json", segment(reference))).await
    }

    /// What the engine says about itself; asked once.
    pub(super) async fn facts(&self) -> Result<EngineFacts, Fault> {
        Ok(self.info().await?.0.clone())
    }

    /// What of this machine is the engine's too.
    pub(super) async fn shared(&self) -> Result<Shared, Fault> {
        Ok(self.info().await?.1)
    }

    async fn info(&self) -> Result<&(EngineFacts, Shared), Fault> {
        self.info
            .get_or_try_init(|| async {
                let info = self.wire.get("/info").await?;
                let facts = EngineFacts {
                    version: convert::text(&info["ServerVersion"]),
                    api: format!("{}.{}", self.api.0, self.api.1),
                    api_level: self.api,
                    id: convert::text(&info["ID"]),
                    os: convert::text(&info["OSType"]),
                    arch: convert::text(&info["Architecture"]),
                    containerd_images: has_containerd_images(&info),
                    hides_clients: hides_clients(&info).into(),
                };
                Ok((facts, host::shared(&self.place.address, &info).await))
            })
            .await
    }
}

/// Engines that run behind a proxy or a virtual machine of their own.
pub fn hides_clients(info: &Value) -> &'static str {
    if is_rootless(info) {
        return "it runs rootless, behind a program that passes connections on";
    }
    match info["OperatingSystem"].as_str() {
        Some(system) if system.contains("Docker Desktop") => "it is Docker Desktop, which runs in a virtual machine",
        _ => "",
    }
}

/// Whether it runs as an ordinary user.
pub fn is_rootless(info: &Value) -> bool {
    let options = convert::list(&info["SecurityOptions"]);
    options.iter().filter_map(Value::as_str).any(|option| option.contains("name=rootless"))
}

fn has_containerd_images(info: &Value) -> bool {
    convert::list(&info["DriverStatus"]).contains(&json!(["driver-type", "io.containerd.snapshotter.v1"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::observed::{Attachment, State};

    #[test]
    fn programs_on_the_machine_are_looked_for_where_a_port_is_new() {
        let ports = |list: &[(&str, &str)]| list.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let scope = |list| Scope { host_ports: ports(list), ..Scope::default() };
        let held = [("0.0.0.0".to_string(), 80, "tcp".to_string())];
        assert!(!is_new_port(&scope(&[]), &held));
        assert!(!is_new_port(&scope(&[("80", "tcp")]), &held));
        assert!(is_new_port(&scope(&[("80", "tcp"), ("80", "udp")]), &held));
        assert!(is_new_port(&scope(&[("80-90", "tcp")]), &held));
    }

    #[test]
    fn of_two_networks_with_one_name_the_projects_own_counts() {
        let network = |id: &str, project: Option<&str>| Network {
            id: id.into(),
            name: "edge".into(),
            labels: project.map(|p| (PROJECT.to_string(), p.to_string())).into_iter().collect(),
            ..Network::default()
        };
        let attachment = Attachment { network_id: "2".into(), ..Attachment::default() };
        let container = Container {
            id: "c".into(),
            state: State::Running,
            networks: [("edge".to_string(), attachment)].into(),
            ..Container::default()
        };
        let observed = Observed { containers: vec![container], ..Observed::default() };
        let scope = Scope { project: "p".into(), networks: vec!["edge".into()], ..Scope::default() };
        for all in [[network("1", None), network("2", Some("p"))], [network("2", Some("p")), network("3", None)]] {
            let found = wanted_networks(all.to_vec(), &scope, &observed);
            assert_eq!((found["edge"].id.as_str(), found["edge"].attached.as_slice()), ("2", &["c".to_string()][..]));
        }
    }

    #[test]
    fn containerds_image_store_is_known_by_its_driver_type() {
        assert_eq!(hides_clients(&json!({ "SecurityOptions": ["name=seccomp,profile=builtin"] })), "");
        assert!(hides_clients(&json!({ "SecurityOptions": ["name=rootless"] })).contains("rootless"));
        assert!(hides_clients(&json!({ "OperatingSystem": "Docker Desktop" })).contains("Desktop"));
        assert!(has_containerd_images(&json!({ "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]] })));
        assert!(!has_containerd_images(&json!({ "DriverStatus": [["Backing Filesystem", "extfs"]] })));
        assert!(!has_containerd_images(&json!({})));
    }
}
