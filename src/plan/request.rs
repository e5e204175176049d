//! The canonical project in the Engine's terms (Compose's own conversion; semantics section 2).
//!
//! Written for the newest API; the engine port writes it down for older engines. Pure: a seccomp profile is read through
//! [`Files`], everything else is in the project.

pub mod container;
mod host;
mod mounts;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Refusal;
use super::wanted::*;
use crate::compose::model::{Build, Network, Project, Service, Volume};
use crate::compose::{Compat, Files, has_profile, hash};

/// What conversion needs beside the project.
pub struct Context<'a> {
    pub compat: Compat,
    pub files: &'a dyn Files,
    /// `HTTP_PROXY` and its kin from the docker CLI's configuration: put below a service's own variables.
    pub proxies: BTreeMap<String, String>,
}

/// Compose's version as our labels state it, by generation.
pub fn version_label(compat: Compat) -> &'static str {
    match compat {
        Compat::V2 => "2.40.3",
        Compat::V5 => "5.5.0",
    }
}

pub const FINGERPRINT: &str = "hearth.fingerprint";
/// `target=digest` of each inline file, joined by `,`.
pub const FILES: &str = "hearth.files";
pub const PROJECT: &str = "com.docker.compose.project";
pub const SERVICE: &str = "com.docker.compose.service";
pub const NUMBER: &str = "com.docker.compose.container-number";
pub const ONEOFF: &str = "com.docker.compose.oneoff";
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
pub const IMAGE: &str = "com.docker.compose.image";
pub const REPLACE: &str = "com.docker.compose.replace";
pub const NETWORK: &str = "com.docker.compose.network";
pub const VOLUME: &str = "com.docker.compose.volume";
pub const VERSION: &str = "com.docker.compose.version";
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";

/// Everything of a project that the planner needs. What cannot be done at all is in `refusals`.
pub fn wanted(project: &Project, context: &Context) -> Wanted {
    let mut wanted = Wanted {
        project: project.name.clone(),
        working_dir: project.working_dir.to_string_lossy().into_owned(),
        others: project.disabled.keys().cloned().collect(),
        off: (project.disabled.iter())
            .filter(|(_, service)| !has_profile(service, &project.profiles))
            .map(|(name, service)| (name.clone(), service.profiles.clone()))
            .collect(),
        ..Wanted::default()
    };
    for (key, network) in &project.networks {
        wanted.networks.insert(key.clone(), network_request(project, key, network, context.compat));
    }
    for (key, volume) in &project.volumes {
        wanted.volumes.insert(key.clone(), volume_request(project, key, volume, context.compat));
    }
    for (name, service) in &project.services {
        refuse_unsupported(name, service, &mut wanted.refusals);
        let files = mounts::inline_files(project, name, service, &mut wanted.refusals);
        let request = container::request(project, name, service, context, &mut wanted.refusals);
        let fingerprint = fingerprint(service, &files, context.compat);
        let service = WantedService {
            name: name.clone(),
            service: service.clone(),
            compat: context.compat,
            request,
            fingerprint,
            files,
            build: service.build.as_ref().map(|build| build_request(project, name, service, build, context.compat)),
            window: window(service),
            start_first: start_first(service),
        };
        wanted.services.insert(name.clone(), service);
    }
    wanted
}

fn refuse_unsupported(name: &str, service: &Service, refusals: &mut Vec<Refusal>) {
    let unsupported = [
        (service.provider.is_some(), "provider", "it is run by a plugin of Docker Compose"),
        (!service.models.is_empty(), "models", "models are run by a plugin of Docker Compose"),
        (!service.pre_start.is_empty(), "pre_start", "containers that run before a service are not made by Hearth yet"),
        (service.use_api_socket, "use_api_socket", "the Engine's socket is only given where a volume names it"),
    ];
    if service.build.is_some() && service.pull_policy == "build" {
        refusals.push(Refusal {
            code: "plan.unsupported".into(),
            field: Some(format!("services.{name}.pull_policy")),
            title: format!(
                "the service `{name}` is to be built on every up (`pull_policy: build`), which Hearth does not do: Docker Compose's builder gives the image another id than the engine's own, and each would replace the other's container"
            ),
            hints: vec!["remove the line; build when you mean to with: hearth up --build".into()],
        });
    }
    for (found, key, why) in unsupported {
        if found {
            refusals.push(Refusal {
                code: "plan.unsupported".into(),
                field: Some(format!("services.{name}.{key}")),
                title: format!("the service `{name}` uses `{key}`, which Hearth does not do: {why}"),
                hints: vec!["remove it, or run this project with docker compose".into()],
            });
        }
    }
}

/// The service as hashed, one form for both generations, and the digest of each inline file.
fn fingerprint(service: &Service, files: &[InlineFile], compat: Compat) -> String {
    let mut value = hash::hashed(service);
    if let Some(Value::Array(volumes)) = value.get_mut("volumes") {
        for volume in volumes {
            if let Some(Value::Object(bind)) = volume.get_mut("bind") {
                let creates = bind.get("create_host_path").and_then(Value::as_bool).unwrap_or(compat == Compat::V5);
                bind.insert("create_host_path".into(), json!(creates));
            }
        }
    }
    let mut digest = Sha256::new();
    digest.update(b"1\n");
    digest.update(hash::go_json(&value));
    for file in files {
        digest.update(format!(
            "\n{} {} {} {:o} {}",
            file.target,
            file.uid,
            file.gid,
            file.mode,
            short_digest(file.content.expose())
        ));
    }
    hex(&digest.finalize())
}

/// Label `hearth.files`: tells later which inline file changed, not what is in it.
pub fn files_label(files: &[InlineFile]) -> String {
    let one = |f: &InlineFile| format!("{}={}", f.target, short_digest(f.content.expose()));
    files.iter().map(one).collect::<Vec<_>>().join(",")
}

fn short_digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))[..16].to_string()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Seconds a replacement may take: start period and all retries of its health check, or the service's own
/// `x-hearth: {update: {window: ...}}`. 0: there is no health check in the file (the image may have one).
fn window(service: &Service) -> u64 {
    let own =
        service.extensions.get("x-hearth").and_then(|x| x.at(&["update", "window"])).and_then(|n| n.scalar_text());
    if let Some(Ok(duration)) = own.map(|text| crate::compose::short::size::duration(&text)) {
        return duration.as_std().as_secs().max(1);
    }
    let Some(check) =
        service.healthcheck.as_ref().filter(|h| !h.disable && h.test.first().is_some_and(|t| t != "NONE"))
    else {
        return 0;
    };
    let seconds =
        |d: Option<crate::compose::model::Duration>, otherwise: f64| d.map_or(otherwise, |d| d.as_std().as_secs_f64());
    let retries = check.retries.filter(|n| *n > 0).unwrap_or(3) as f64;
    let all =
        seconds(check.start_period, 0.0) + retries * (seconds(check.interval, 30.0) + seconds(check.timeout, 30.0));
    (all.ceil() as u64).clamp(3, 3600)
}

/// New beside old, where the service asks for it and nothing of it can exist only once.
fn start_first(service: &Service) -> bool {
    let asked =
        service.deploy.as_ref().and_then(|d| d.update_config.as_ref()).is_some_and(|u| u.order == "start-first");
    let published = service.ports.iter().any(|p| !p.published.is_empty());
    let fixed_address = service
        .networks
        .values()
        .flatten()
        .any(|n| !n.ipv4_address.is_empty() || !n.ipv6_address.is_empty() || !n.mac_address.is_empty());
    let shared = service.volumes.iter().any(|v| matches!(v.kind.as_str(), "volume" | "bind") && !v.read_only);
    asked
        && !published
        && !shared
        && !fixed_address
        && service.container_name.is_empty()
        && service.mac_address.is_empty()
        && service.network_mode != "host"
        && service.volumes_from.is_empty()
}

/// Adds a key unless its value says nothing (null, false, 0, empty text, list or map).
fn set(map: &mut Map<String, Value>, key: &str, value: Value) {
    let empty = match &value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    };
    if !empty {
        map.insert(key.into(), value);
    }
}

fn labels(own: &BTreeMap<String, String>, project: &str, key: (&str, &str), hash: &str, compat: Compat) -> Value {
    let mut all = own.clone();
    all.insert(PROJECT.into(), project.into());
    all.insert(key.0.into(), key.1.into());
    all.insert(VERSION.into(), version_label(compat).into());
    all.insert(CONFIG_HASH.into(), hash.into());
    json!(all)
}

fn network_request(project: &Project, key: &str, network: &Network, compat: Compat) -> NetworkRequest {
    let hash = hash::network(network);
    let mut body = Map::new();
    body.insert("Name".into(), json!(network.name));
    set(&mut body, "Driver", json!(network.driver));
    set(&mut body, "Options", json!(network.driver_opts));
    set(&mut body, "Internal", json!(network.internal));
    set(&mut body, "Attachable", json!(network.attachable));
    for (field, value) in [("EnableIPv4", network.enable_ipv4), ("EnableIPv6", network.enable_ipv6)] {
        if let Some(value) = value {
            body.insert(field.into(), json!(value));
        }
    }
    if !network.ipam.driver.is_empty() || !network.ipam.config.is_empty() {
        let pools: Vec<Value> = network
            .ipam
            .config
            .iter()
            .map(|pool| {
                let mut map = Map::new();
                set(&mut map, "Subnet", json!(pool.subnet));
                set(&mut map, "IPRange", json!(pool.ip_range));
                set(&mut map, "Gateway", json!(pool.gateway));
                set(&mut map, "AuxiliaryAddresses", json!(pool.aux_addresses));
                Value::Object(map)
            })
            .collect();
        let mut ipam = Map::new();
        set(&mut ipam, "Driver", json!(network.ipam.driver));
        set(&mut ipam, "Config", json!(pools));
        body.insert("IPAM".into(), Value::Object(ipam));
    }
    body.insert("Labels".into(), labels(&network.labels, &project.name, (NETWORK, key), &hash, compat));
    NetworkRequest {
        key: key.into(),
        name: network.name.clone(),
        external: network.external,
        body: Value::Object(body),
        hash,
    }
}

fn volume_request(project: &Project, key: &str, volume: &Volume, compat: Compat) -> VolumeRequest {
    let hash = hash::volume(volume);
    let mut body = Map::new();
    body.insert("Name".into(), json!(volume.name));
    set(&mut body, "Driver", json!(volume.driver));
    set(&mut body, "DriverOpts", json!(volume.driver_opts));
    body.insert("Labels".into(), labels(&volume.labels, &project.name, (VOLUME, key), &hash, compat));
    VolumeRequest {
        key: key.into(),
        name: volume.name.clone(),
        external: volume.external,
        body: Value::Object(body),
        hash,
    }
}

fn build_request(project: &Project, name: &str, service: &Service, build: &Build, compat: Compat) -> BuildRequest {
    let mut needs: Vec<String> = Vec::new();
    let buildkit = [
        (!build.secrets.is_empty(), "secrets"),
        (!build.ssh.is_empty(), "ssh"),
        (!build.additional_contexts.is_empty(), "additional_contexts"),
        (!build.cache_to.is_empty(), "cache_to"),
        (!build.entitlements.is_empty(), "entitlements"),
        (build.platforms.len() > 1, "platforms"),
        (build.privileged, "privileged"),
        (build.context.contains("://") || build.context.starts_with("git@"), "a remote context"),
    ];
    needs.extend(buildkit.iter().filter(|(used, _)| *used).map(|(_, what)| what.to_string()));
    let mut labels = build.labels.clone();
    labels.insert(PROJECT.into(), project.name.clone());
    labels.insert(SERVICE.into(), name.into());
    labels.insert(VERSION.into(), version_label(compat).into());
    BuildRequest {
        service: name.into(),
        image: service.image_or_default(&project.name, name),
        tags: build.tags.clone(),
        context: build.context.clone(),
        dockerfile: build.dockerfile.clone(),
        dockerfile_inline: build.dockerfile_inline.clone(),
        args: build.args.clone(),
        labels,
        target: build.target.clone(),
        no_cache: build.no_cache,
        pull: build.pull,
        network: build.network.clone(),
        shm_size: build.shm_size.0,
        extra_hosts: build.extra_hosts.iter().map(|h| h.replacen('=', ":", 1)).collect(),
        cache_from: build.cache_from.clone(),
        if_absent: false,
        platform: build.platforms.first().cloned().or_else(|| Some(service.platform.clone()).filter(|p| !p.is_empty())),
        needs_buildkit: needs,
        of_hearth: false,
    }
}

/// The request with everything known at the moment of the call: other services' containers, hash, image, number.
///
/// `known` gives the id of the container that a service is referred to by. Gives the create body without networks.
pub fn finalize(
    request: &ContainerRequest,
    known: &BTreeMap<String, String>,
    image_id: &str,
) -> Result<(Value, Value), String> {
    let mut config = request.config.clone();
    let (host, hashed) = resolve(request, known)?;
    if let Value::Object(labels) = &mut config["Labels"] {
        labels.insert(NUMBER.into(), json!(request.number.to_string()));
        labels.insert(CONFIG_HASH.into(), json!(hash::digest(&hashed)));
        if !image_id.is_empty() {
            labels.insert(IMAGE.into(), json!(image_id));
        }
    }
    Ok((config, host))
}

/// `HostConfig` and the service as hashed, with the ids of the containers that it refers to. `Err` names the service that
/// has none.
pub fn resolve(request: &ContainerRequest, known: &BTreeMap<String, String>) -> Result<(Value, Value), String> {
    let mut host = request.host_config.clone();
    let mut hashed = request.hashed.clone();
    for reference in &request.refs {
        let id = known.get(&reference.service).ok_or_else(|| reference.service.clone())?;
        match reference.field {
            RefField::Network => {
                host["NetworkMode"] = json!(format!("container:{id}"));
                hashed["network_mode"] = json!(format!("container:{id}"));
            }
            RefField::Ipc => {
                host["IpcMode"] = json!(format!("container:{id}"));
                hashed["ipc"] = json!(format!("container:{id}"));
            }
            RefField::Pid => {
                host["PidMode"] = json!(format!("container:{id}"));
                hashed["pid"] = json!(format!("container:{id}"));
            }
            RefField::VolumesFrom(i) => {
                // `:ro` is in no hash and Compose loses it; the Engine honours it.
                let read_only = host["VolumesFrom"][i].as_str().is_some_and(|v| v.ends_with(":ro"));
                host["VolumesFrom"][i] = json!(if read_only { format!("{id}:ro") } else { id.clone() });
                hashed["volumes_from"][i] = json!(id);
            }
        }
    }
    for (i, from) in host.get("VolumesFrom").and_then(Value::as_array).cloned().unwrap_or_default().iter().enumerate() {
        if let Some(container) = from.as_str().and_then(|f| f.strip_prefix("container:")) {
            host["VolumesFrom"][i] = json!(container);
            hashed["volumes_from"][i] = json!(container.split(':').next());
        }
    }
    Ok((host, hashed))
}

/// The config hashes that Compose of either generation writes on a container of this request, given today's containers;
/// the request's own generation first. `None` where a container that it refers to is missing.
pub fn hashes(request: &ContainerRequest, known: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let resolved;
    let hashed = match request.refs.is_empty() && request.hashed.get("volumes_from").is_none() {
        true => &request.hashed,
        false => {
            resolved = resolve(request, known).ok()?.1;
            &resolved
        }
    };
    let mut all = vec![hash::digest(hashed)];
    all.extend(other_generation(hashed, request.compat).map(|other| hash::digest(&other)));
    Some(all)
}

/// The same service as the other generation writes it: 2.x writes `create_host_path: true` and leaves out `false`, 5.x the
/// other way round. `None` where there is no bind, so no difference.
fn other_generation(hashed: &Value, compat: Compat) -> Option<Value> {
    let volumes = hashed.get("volumes")?.as_array()?;
    if !volumes.iter().any(|v| v.get("bind").is_some()) {
        return None;
    }
    let mut other = hashed.clone();
    for volume in other.get_mut("volumes")?.as_array_mut()? {
        let Some(Value::Object(bind)) = volume.get_mut("bind") else { continue };
        let creates = bind.get("create_host_path").and_then(Value::as_bool).unwrap_or(compat == Compat::V5);
        let written = match compat {
            Compat::V2 => (!creates).then_some(false),
            Compat::V5 => creates.then_some(true),
        };
        // The key's place among the others is part of the text.
        let mut map = Map::new();
        for key in ["selinux", "propagation", "create_host_path", "recursive"] {
            let value = if key == "create_host_path" { written.map(Value::Bool) } else { bind.get(key).cloned() };
            map.extend(value.map(|v| (key.to_string(), v)));
        }
        *bind = map;
    }
    Some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_generation_of_compose_is_recognised() {
        let two = json!({"image": "x", "volumes": [{"type": "bind", "source": "/a", "target": "/b", "bind": {"create_host_path": true}}]});
        let five = json!({"image": "x", "volumes": [{"type": "bind", "source": "/a", "target": "/b", "bind": {}}]});
        assert_eq!(other_generation(&two, Compat::V2), Some(five.clone()));
        assert_eq!(other_generation(&five, Compat::V5), Some(two));
        assert_eq!(other_generation(&json!({"image": "x"}), Compat::V5), None);
    }
}
