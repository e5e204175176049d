//! The world as one look finds it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::world::*;
use crate::base::clock::rfc3339;
use crate::engine::{Scope, stored};
use crate::plan::observed::*;
use crate::plan::request::{PROJECT, SERVICE};

pub(super) fn observe(world: &World, scope: &Scope) -> Observed {
    let ours = |labels: &BTreeMap<String, String>| labels.get(PROJECT) == Some(&scope.project);
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    for c in world.containers.values() {
        match ours(&c.labels) {
            true => own.push(container(c, scope.inspect)),
            false => foreign.push(stranger(c)),
        }
    }
    own.sort_by(|a, b| a.name.cmp(&b.name));
    let networks = world.networks.values().filter(|n| ours(&n.labels) || scope.networks.contains(&n.name));
    let volumes = world.volumes.iter().filter(|(name, v)| ours(&v.labels) || scope.volumes.contains(name));
    Observed {
        engine: world.facts.clone(),
        containers: own,
        foreign,
        networks: networks.map(|n| (n.name.clone(), network(world, n))).collect(),
        volumes: volumes.map(|(name, v)| (name.clone(), volume(name, v))).collect(),
        images: scope.images.iter().filter_map(|r| Some((r.clone(), image(world.images.get(r)?)))).collect(),
        host: world.host.clone(),
        made_up: world.networks.values().flat_map(|n| n.subnets.clone()).collect(),
        subnets: world.networks.values().flat_map(|n| n.subnets.iter().map(|s| (s.clone(), n.name.clone()))).collect(),
    }
}

fn image(image: &FakeImage) -> Image {
    Image {
        id: image.id.clone(),
        label_id: image.id.clone(),
        last_tag_time: stamp(Some(0)),
        config: image.config.clone(),
    }
}

fn volume(name: &str, v: &FakeVolume) -> Volume {
    Volume { name: name.into(), driver: v.driver.clone(), labels: v.labels.clone(), of_machine: v.of_machine.clone() }
}

fn network(world: &World, n: &FakeNetwork) -> Network {
    let on = |c: &&FakeContainer| c.is_running() && c.endpoints.values().any(|e| e.network_id == n.id);
    Network {
        id: n.id.clone(),
        name: n.name.clone(),
        driver: n.driver.clone(),
        labels: n.labels.clone(),
        internal: n.internal,
        subnets: n.subnets.clone(),
        body: json!({
            "Name": n.name,
            "Driver": n.driver,
            "Internal": n.internal,
            "IPAM": { "Config": n.subnets.iter().map(|s| json!({ "Subnet": s })).collect::<Vec<_>>() },
            "Labels": n.labels,
        }),
        attached: world.containers.values().filter(on).map(|c| c.id.clone()).collect(),
    }
}

/// Images that share an id are one with several names.
pub(super) fn stored(world: &World) -> stored::Stored {
    let mut images: BTreeMap<&str, stored::Image> = BTreeMap::new();
    for (tag, image) in &world.images {
        let one = images.entry(&image.id).or_insert_with(|| stored::Image {
            id: image.id.clone(),
            size: 1 << 20,
            created_at: stamp(Some(0)),
            ..stored::Image::default()
        });
        // What is kept under its id has lost its name.
        one.tags.extend((tag != &image.id).then(|| tag.clone()));
    }
    let volume = |(name, v): (&String, &FakeVolume)| stored::Volume {
        name: name.clone(),
        driver: v.driver.clone(),
        labels: v.labels.clone(),
        created_at: stamp(Some(0)),
        size: Some(v.data.len() as u64),
        of_machine: v.of_machine.clone(),
    };
    let network = |n: &FakeNetwork| stored::Network {
        id: n.id.clone(),
        name: n.name.clone(),
        driver: n.driver.clone(),
        scope: "local".into(),
        labels: n.labels.clone(),
        internal: n.internal,
        subnets: n.subnets.clone(),
        created_at: stamp(Some(0)),
    };
    let mut networks: Vec<_> = world.networks.values().map(network).collect();
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    stored::Stored {
        containers: world.containers.values().map(|c| container(c, false)).collect(),
        images: images.into_values().collect(),
        volumes: world.volumes.iter().map(volume).collect(),
        networks,
    }
}

fn stranger(c: &FakeContainer) -> Foreign {
    Foreign {
        id: c.id.clone(),
        name: c.name.clone(),
        image: c.image.clone(),
        project: c.labels.get(PROJECT).cloned(),
        service: c.labels.get(SERVICE).cloned(),
        running: c.is_running(),
        ready: is_ready(c.state, c.health),
        ports: c.ports.clone(),
        volumes: c.mounts.iter().filter(|m| m.kind == "volume").map(|m| m.name.clone()).collect(),
        networks: c.endpoints.keys().cloned().collect(),
        serves: c.labels.get(SERVER).cloned(),
    }
}

pub(super) fn container(c: &FakeContainer, detail: bool) -> Container {
    let attachment = |e: &FakeEndpoint| Attachment {
        network_id: e.network_id.clone(),
        aliases: if detail { e.aliases.clone() } else { Vec::new() },
        ip_address: e.ip_address.clone(),
        mac_address: e.mac_address.clone(),
    };
    let detail = detail.then(|| Detail {
        config: c.config.clone(),
        host_config: c.host_config.clone(),
        network_settings: network_settings(c),
        ..Detail::default()
    });
    Container {
        id: c.id.clone(),
        name: c.name.clone(),
        image: c.image.clone(),
        image_id: c.image_id.clone(),
        labels: c.labels.clone(),
        state: c.state,
        health: c.health.filter(|_| c.is_running()),
        exit_code: c.exit_code,
        oom_killed: c.oom_killed,
        error: c.error.clone(),
        created_at: stamp(Some(c.created)),
        started_at: stamp(c.started),
        // Not kept here: planning must not rest on it alone.
        finished_at: stamp(c.finished),
        restart: c.restart_policy().0.to_owned(),
        networks: c.endpoints.iter().map(|(name, e)| (name.clone(), attachment(e))).collect(),
        mounts: c.mounts.clone(),
        ports: c.ports.clone(),
        port_targets: BTreeMap::new(),
        network_mode: c.host_config["NetworkMode"].as_str().unwrap_or_default().to_string(),
        pid: 0,
        detail,
    }
}

/// Virtual time as RFC 3339; the epoch is 2026-01-01. Never is the empty text.
pub(super) fn stamp(ms: Option<u64>) -> String {
    const EPOCH: i64 = 1_767_225_600;
    let Some(ms) = ms else { return String::new() };
    OffsetDateTime::from_unix_timestamp(EPOCH + (ms / 1000) as i64).map(rfc3339).unwrap_or_default()
}

fn network_settings(c: &FakeContainer) -> Value {
    let or_null = |list: &[String]| if list.is_empty() { Value::Null } else { json!(list) };
    let mut networks = Map::new();
    for (name, e) in &c.endpoints {
        let ipam = match (e.fixed_ipv4.is_empty(), e.fixed_ipv6.is_empty()) {
            (true, true) => Value::Null,
            _ => json!({ "IPv4Address": e.fixed_ipv4, "IPv6Address": e.fixed_ipv6 }),
        };
        let running = c.is_running();
        let entry = json!({
            "IPAMConfig": ipam,
            "Links": or_null(&e.links),
            "Aliases": or_null(&e.aliases),
            "MacAddress": e.mac_address,
            "NetworkID": e.network_id,
            "EndpointID": if running { c.id.clone() } else { String::new() },
            "IPAddress": e.ip_address,
            "DriverOpts": if e.driver_opts.is_empty() { Value::Null } else { json!(e.driver_opts) },
        });
        networks.insert(name.clone(), entry);
    }
    let mut ports = Map::new();
    if c.is_running() {
        let bound = c.host_config["PortBindings"].as_object().into_iter().flatten();
        for ((port, _), (address, host, _)) in bound.zip(&c.ports) {
            let address = if address.is_empty() { "0.0.0.0" } else { address };
            ports.insert(port.clone(), json!([{ "HostIp": address, "HostPort": host.to_string() }]));
        }
    }
    json!({ "Networks": networks, "Ports": ports })
}
