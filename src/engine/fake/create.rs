//! Creating a container: the request as the Engine keeps it, with its defaults filled in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::error::refused;
use super::normal::{fill_config, filled_host};
use super::world::*;
use crate::engine::{EngineError, Known, Outcome};
use crate::plan::observed::Mount;
use crate::plan::request;
use crate::plan::wanted::{ContainerRequest, Endpoint};

impl World {
    pub(super) fn create_container(
        &mut self,
        wanted: &ContainerRequest,
        replaces: Option<&str>,
        known: &Known,
    ) -> Result<Outcome, EngineError> {
        let reference = wanted.config["Image"].as_str().unwrap_or_default().to_string();
        let Some(image) = self.images.get(&reference).cloned() else {
            return Err(refused(404, format!("No such image: {reference}")));
        };
        let label_id = known.images.get(&reference).unwrap_or(&image.id);
        let (mut config, mut host) = request::finalize(wanted, &known.services, label_id)
            .map_err(|service| refused(404, format!("no container of the service {service} is known")))?;
        self.refuse_name(&wanted.name)?;
        if replaces.is_some()
            && let Some(labels) = config["Labels"].as_object_mut()
        {
            labels.insert(request::REPLACE.into(), json!(format!("{}-{}", wanted.service, wanted.number)));
        }
        if host["NetworkMode"].as_str().is_some_and(|m| m.starts_with("container:")) && host["Dns"].is_array() {
            return Err(refused(400, "conflicting options: dns and the network mode"));
        }
        let inherited =
            replaces.filter(|_| !wanted.renew).map(|old| self.inherited(old, &image, &host)).unwrap_or_default();
        let mounts = self.mounts(&image, &mut host, inherited)?;
        let id = self.new_id();
        fill_config(&mut config, &image, &host, &id);
        let labels = text_map(&config["Labels"]);
        let container = FakeContainer {
            id: id.clone(),
            name: wanted.name.clone(),
            image: reference,
            image_id: image.id,
            host_config: filled_host(&host),
            config,
            labels,
            created: self.now,
            endpoints: endpoints(wanted, &host),
            mounts,
            ..FakeContainer::default()
        };
        self.containers.insert(id.clone(), container);
        Ok(Outcome { id: Some(id), warnings: Vec::new() })
    }

    pub(super) fn refuse_name(&self, name: &str) -> Result<(), EngineError> {
        let Some(other) = self.by_name(name) else { return Ok(()) };
        let id = &other.id;
        Err(refused(
            409,
            format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". \
                 You have to remove (or rename) that container to be able to reuse that name."
            ),
        ))
    }

    /// Volumes of a container that its successor gets where it would get new anonymous ones: target to name.
    fn inherited(&self, old: &str, image: &FakeImage, host: &Value) -> BTreeMap<String, String> {
        let Some(old) = self.containers.get(old) else { return BTreeMap::new() };
        let anonymous: BTreeSet<String> = anonymous_targets(image, host);
        let moving = old.mounts.iter().filter(|m| m.kind == "volume" && anonymous.contains(&m.destination));
        moving.map(|m| (m.destination.clone(), m.name.clone())).collect()
    }

    /// Mounts in the Engine's order of precedence: binds, mounts, other containers' volumes, the image's volumes.
    fn mounts(
        &mut self,
        image: &FakeImage,
        host: &mut Value,
        inherited: BTreeMap<String, String>,
    ) -> Result<Vec<Mount>, EngineError> {
        let mut mounts: BTreeMap<String, Mount> = BTreeMap::new();
        for bind in array(&host["Binds"]) {
            let bind = bind.as_str().unwrap_or_default();
            let mut parts = bind.split(':');
            let (source, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let writable = !parts.next().unwrap_or_default().split(',').any(|o| o == "ro");
            let mount = match source.starts_with('/') {
                true => bind_mount(source, target, writable),
                false => self.volume_mount(source, target, writable, None),
            };
            mounts.insert(target.into(), mount);
        }
        let mut list = array(&host["Mounts"]);
        for mount in &mut list {
            let target = mount["Target"].as_str().unwrap_or_default().to_string();
            let source = mount["Source"].as_str().unwrap_or_default().to_string();
            let writable = !mount["ReadOnly"].as_bool().unwrap_or(false);
            let made = match mount["Type"].as_str().unwrap_or_default() {
                "bind" => {
                    let creates = mount["BindOptions"]["CreateMountpoint"].as_bool().unwrap_or(false);
                    if !creates && self.host.missing_paths.contains(&source) {
                        let why = format!(
                            "invalid mount config for type \"bind\": bind source path does not exist: {source}"
                        );
                        return Err(refused(400, why));
                    }
                    bind_mount(&source, &target, writable)
                }
                "volume" if source.is_empty() => match inherited.get(&target) {
                    Some(name) => {
                        mount["Source"] = json!(name);
                        self.volume_mount(name, &target, writable, None)
                    }
                    None => self.anonymous_mount(&target, writable),
                },
                "volume" => self.volume_mount(&source, &target, writable, Some(&mount["VolumeOptions"]["Labels"])),
                kind => Mount { kind: kind.into(), destination: target.clone(), writable, ..Mount::default() },
            };
            mounts.insert(target, made);
        }
        for from in array(&host["VolumesFrom"]) {
            let from = from.as_str().unwrap_or_default();
            let (id, mode) = from.split_once(':').unwrap_or((from, "rw"));
            let Some(other) = self.containers.get(id) else {
                return Err(refused(404, format!("No such container: {id}")));
            };
            for mount in &other.mounts {
                let writable = mount.writable && mode != "ro";
                mounts.entry(mount.destination.clone()).or_insert_with(|| Mount { writable, ..mount.clone() });
            }
        }
        let tmpfs: BTreeSet<String> = host["Tmpfs"].as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect();
        for (target, _) in image.config["Volumes"].as_object().into_iter().flatten() {
            if mounts.contains_key(target) || tmpfs.contains(target) {
                continue;
            }
            let mount = match inherited.get(target) {
                Some(name) => {
                    list.push(json!({ "Type": "volume", "Source": name, "Target": target }));
                    self.volume_mount(name, target, true, None)
                }
                None => self.anonymous_mount(target, true),
            };
            mounts.insert(target.clone(), mount);
        }
        if !list.is_empty() {
            host["Mounts"] = json!(list);
        }
        Ok(mounts.into_values().collect())
    }

    fn volume_mount(&mut self, name: &str, target: &str, writable: bool, labels: Option<&Value>) -> Mount {
        let made = || FakeVolume {
            driver: "local".into(),
            labels: labels.map(text_map).unwrap_or_default(),
            ..FakeVolume::default()
        };
        self.volumes.entry(name.into()).or_insert_with(made);
        Mount {
            kind: "volume".into(),
            name: name.into(),
            source: format!("/var/lib/docker/volumes/{name}/_data"),
            destination: target.into(),
            writable,
        }
    }

    fn anonymous_mount(&mut self, target: &str, writable: bool) -> Mount {
        let name = self.new_id();
        let labels = BTreeMap::from([("com.docker.volume.anonymous".to_string(), String::new())]);
        let volume = FakeVolume { driver: "local".into(), labels, anonymous: true, ..FakeVolume::default() };
        self.volumes.insert(name.clone(), volume);
        self.volume_mount(&name, target, writable, None)
    }
}

/// Where this request gets a volume without a name: the image's volumes and `Mounts` of type volume without source.
fn anonymous_targets(image: &FakeImage, host: &Value) -> BTreeSet<String> {
    let named = |m: &Value| !m["Source"].as_str().unwrap_or_default().is_empty();
    let text = |m: &Value| m["Target"].as_str().unwrap_or_default().to_string();
    let own: BTreeSet<String> =
        array(&host["Mounts"]).iter().filter(|m| m["Type"] == "volume" && !named(m)).map(text).collect();
    own.into_iter().chain(image.config["Volumes"].as_object().into_iter().flatten().map(|(k, _)| k.clone())).collect()
}

fn bind_mount(source: &str, target: &str, writable: bool) -> Mount {
    Mount { kind: "bind".into(), name: String::new(), source: source.into(), destination: target.into(), writable }
}

pub(super) fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

pub(super) fn text_map(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_string())).collect()
}

fn endpoints(wanted: &ContainerRequest, host: &Value) -> BTreeMap<String, FakeEndpoint> {
    if !wanted.endpoints.is_empty() {
        return wanted.endpoints.iter().map(|(name, e)| (name.clone(), endpoint(e))).collect();
    }
    match host["NetworkMode"].as_str().unwrap_or_default() {
        shared if shared.starts_with("container:") => BTreeMap::new(),
        "" | "default" => BTreeMap::from([("bridge".to_string(), FakeEndpoint::default())]),
        mode => BTreeMap::from([(mode.to_string(), FakeEndpoint::default())]),
    }
}

pub(super) fn endpoint(e: &Endpoint) -> FakeEndpoint {
    FakeEndpoint {
        aliases: e.aliases.clone(),
        links: e.links.clone(),
        fixed_ipv4: e.ipv4_address.clone(),
        fixed_ipv6: e.ipv6_address.clone(),
        mac_address: e.mac_address.clone(),
        driver_opts: e.driver_opts.clone(),
        ..FakeEndpoint::default()
    }
}
