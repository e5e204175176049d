//! Networks, volumes and images.

use serde_json::{Value, json};

use super::create::{array, endpoint, text_map};
use super::error::refused;
use super::world::*;
use crate::engine::{EngineError, Outcome};
use crate::plan::observed::Volume;
use crate::plan::wanted::{BuildRequest, Endpoint, NetworkRequest, VolumeRequest};

impl World {
    pub(super) fn create_network(&mut self, request: &NetworkRequest) -> Result<Outcome, EngineError> {
        if let Some(there) = self.networks.values().find(|n| n.name == request.name) {
            if there.labels == text_map(&request.body["Labels"]) {
                return Ok(Outcome { id: Some(there.id.clone()), warnings: Vec::new() });
            }
            return Err(refused(409, format!("network with name {} already exists", request.name)));
        }
        let asked: Vec<String> = array(&request.body["IPAM"]["Config"])
            .iter()
            .filter_map(|pool| pool["Subnet"].as_str().map(str::to_string))
            .collect();
        let taken: Vec<&String> = self.networks.values().flat_map(|n| &n.subnets).collect();
        if asked.iter().any(|subnet| taken.contains(&subnet)) {
            return Err(refused(403, "Pool overlaps with other one on this address space"));
        }
        let subnets = match asked.is_empty() {
            false => asked,
            true => {
                let pools = (18..=255).map(|n| format!("172.{n}.0.0/16"));
                let free = pools.into_iter().find(|p| !taken.contains(&p));
                vec![free.ok_or_else(|| refused(500, "all predefined address pools have been fully subnetted"))?]
            }
        };
        let id = self.new_id();
        let network = FakeNetwork {
            id: id.clone(),
            name: request.name.clone(),
            driver: request.body["Driver"].as_str().unwrap_or("bridge").to_string(),
            labels: text_map(&request.body["Labels"]),
            internal: request.body["Internal"].as_bool().unwrap_or(false),
            subnets,
        };
        self.networks.insert(id.clone(), network);
        Ok(Outcome { id: Some(id), warnings: Vec::new() })
    }

    pub(super) fn remove_network(&mut self, wanted: &str) -> Result<(), EngineError> {
        let Some(network) = self.network(wanted) else { return Ok(()) };
        let (id, name) = (network.id.clone(), network.name.clone());
        let on = |c: &FakeContainer| c.is_running() && c.endpoints.values().any(|e| e.network_id == id);
        if self.containers.values().any(on) {
            let why = format!("error while removing network: network {name} id {id} has active endpoints");
            return Err(refused(403, why));
        }
        self.networks.remove(&id);
        Ok(())
    }

    pub(super) fn connect(&mut self, wanted: &str, container: &str, asked: &Endpoint) -> Result<(), EngineError> {
        let Some(network) = self.network(wanted).cloned() else {
            return Err(refused(404, format!("network {wanted} not found")));
        };
        let c = self.existing(container)?;
        if c.shares("NetworkMode").is_some() {
            return Err(refused(
                403,
                "container sharing network namespace with another container or host cannot be connected to any other network",
            ));
        }
        let running = c.is_running();
        let there = c.endpoints.get(&network.name).is_some_and(|e| e.network_id == network.id);
        if there {
            return Ok(());
        }
        let mut made = endpoint(asked);
        if running {
            made.network_id = network.id.clone();
            made.ip_address = self.address(container, &made)?;
        }
        if let Some(c) = self.containers.get_mut(container) {
            c.endpoints.insert(network.name, made);
        }
        Ok(())
    }

    /// Also from a network that is gone, where the container is stopped.
    pub(super) fn disconnect(&mut self, wanted: &str, container: &str) -> Result<(), EngineError> {
        let name = self.network(wanted).map_or(wanted.to_string(), |n| n.name.clone());
        let Some(c) = self.containers.get_mut(container) else { return Ok(()) };
        c.endpoints.retain(|key, e| *key != name && e.network_id != wanted);
        Ok(())
    }

    pub(super) fn create_volume(&mut self, request: &VolumeRequest) -> Result<Outcome, EngineError> {
        let driver = request.body["Driver"].as_str().filter(|d| !d.is_empty()).unwrap_or("local");
        if let Some(there) = self.volumes.get(&request.name) {
            return match there.driver == driver {
                true => Ok(Outcome { id: Some(request.name.clone()), warnings: Vec::new() }),
                false => Err(refused(409, format!("volume name must be unique: {}", request.name))),
            };
        }
        let labels = text_map(&request.body["Labels"]);
        let of_machine = Volume::shows(&request.body["DriverOpts"]);
        let volume = FakeVolume { driver: driver.into(), labels, of_machine, ..FakeVolume::default() };
        self.volumes.insert(request.name.clone(), volume);
        Ok(Outcome { id: Some(request.name.clone()), warnings: Vec::new() })
    }

    pub(super) fn remove_volume(&mut self, name: &str) -> Result<(), EngineError> {
        let users: Vec<&str> = self.users(name).map(|c| c.id.as_str()).collect();
        if !users.is_empty() {
            return Err(refused(409, format!("remove {name}: volume is in use - [{}]", users.join(", "))));
        }
        self.drop_volume(name);
        Ok(())
    }

    pub(super) fn users<'a>(&'a self, volume: &'a str) -> impl Iterator<Item = &'a FakeContainer> {
        self.containers.values().filter(move |c| c.mounts.iter().any(|m| m.kind == "volume" && m.name == volume))
    }

    pub(super) fn drop_volume(&mut self, name: &str) {
        if self.volumes.remove(name).is_some_and(|v| !v.data.is_empty()) {
            self.lost.push(name.into());
        }
    }

    pub(super) fn pull(&mut self, reference: &str) -> Result<Outcome, EngineError> {
        let Some(image) = self.registry.get(reference).cloned() else {
            return Err(refused(404, format!("manifest for {reference} not found: manifest unknown")));
        };
        let id = image.id.clone();
        self.images.insert(reference.into(), image);
        Ok(Outcome { id: Some(id), warnings: Vec::new() })
    }

    /// The same build gives the same image.
    pub(super) fn build(&mut self, request: &BuildRequest) -> Result<Outcome, EngineError> {
        if request.if_absent
            && let Some(image) = self.images.get(&request.image)
        {
            return Ok(Outcome { id: Some(image.id.clone()), warnings: Vec::new() });
        }
        self.add_image(&request.image, &format!("{request:?}"), json!({ "Labels": request.labels }));
        let image = self.images.get(&request.image).cloned().unwrap_or_default();
        for tag in &request.tags {
            self.images.insert(tag.clone(), image.clone());
        }
        Ok(Outcome { id: Some(image.id), warnings: Vec::new() })
    }

    pub(super) fn remove_image(&mut self, reference: &str) -> Result<(), EngineError> {
        let Some(image) = self.images.get(reference) else { return Ok(()) };
        let other_names = self.images.values().filter(|i| i.id == image.id).count() > 1;
        if let Some(user) = self.containers.values().find(|c| c.image_id == image.id).filter(|_| !other_names) {
            let why = format!(
                "conflict: unable to remove repository reference \"{reference}\" (must force) - container {} is using its referenced image",
                user.id
            );
            return Err(refused(409, why));
        }
        self.images.remove(reference);
        Ok(())
    }

    pub(super) fn update(&mut self, container: &str, body: &Value) -> Result<(), EngineError> {
        self.existing(container)?;
        let Some(host) = self.containers.get_mut(container).and_then(|c| c.host_config.as_object_mut()) else {
            return Ok(());
        };
        for (key, value) in body.as_object().into_iter().flatten() {
            host.insert(key.clone(), value.clone());
        }
        Ok(())
    }
}
