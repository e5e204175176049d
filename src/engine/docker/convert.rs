//! The engine's JSON as our observed world. What is absent in an older engine's answer reads as empty.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::plan::observed::{
    Attachment, Container, Detail, Foreign, Health, Image, Mount, Network, SERVER, State, Volume, is_ready,
};
use crate::plan::request::{ONEOFF, SERVICE};

/// One entry of `GET /containers/json`. It has no aliases, no start time and no last error; where the tag that a
/// container was made from is another image now, `image` is the old image's id.
pub fn listed(entry: &Value) -> Container {
    let status = text(&entry["Status"]);
    Container {
        id: text(&entry["Id"]),
        name: own_name(&entry["Names"]),
        image: text(&entry["Image"]),
        image_id: text(&entry["ImageID"]),
        labels: map(&entry["Labels"]),
        state: state(&text(&entry["State"])),
        health: health_in(&status),
        exit_code: exit_code_in(&status),
        created_at: entry["Created"].as_i64().and_then(rfc3339).unwrap_or_default(),
        networks: networks(&entry["NetworkSettings"]["Networks"]),
        mounts: list(&entry["Mounts"]).iter().map(mount).collect(),
        ports: ports(entry),
        port_targets: port_targets(entry),
        network_mode: text(&entry["HostConfig"]["NetworkMode"]),
        ..Container::default()
    }
}

/// `GET /containers/{id}/json`, whole.
pub fn inspected(mut value: Value) -> Container {
    let state_of = &value["State"];
    let container = Container {
        id: text(&value["Id"]),
        name: text(&value["Name"]).trim_start_matches('/').to_string(),
        image: text(&value["Config"]["Image"]),
        image_id: text(&value["Image"]),
        labels: map(&value["Config"]["Labels"]),
        state: state(&text(&state_of["Status"])),
        health: health(state_of["Health"]["Status"].as_str().unwrap_or_default()),
        exit_code: state_of["ExitCode"].as_i64().unwrap_or(0),
        oom_killed: state_of["OOMKilled"].as_bool().unwrap_or(false),
        error: text(&state_of["Error"]),
        created_at: moment(&value["Created"]),
        started_at: moment(&state_of["StartedAt"]),
        finished_at: moment(&state_of["FinishedAt"]),
        restart: text(&value["HostConfig"]["RestartPolicy"]["Name"]),
        networks: networks(&value["NetworkSettings"]["Networks"]),
        mounts: list(&value["Mounts"]).iter().map(mount).collect(),
        ports: bound(&value["NetworkSettings"]["Ports"]),
        port_targets: bound_targets(&value["NetworkSettings"]["Ports"]),
        network_mode: text(&value["HostConfig"]["NetworkMode"]),
        pid: state_of["Pid"].as_i64().unwrap_or(0),
        detail: None,
    };
    super::wait::conceal_probes(&mut value);
    let detail = Detail {
        health: value["State"]["Health"].take(),
        restarts: value["RestartCount"].as_i64().unwrap_or(0),
        config: value["Config"].take(),
        host_config: value["HostConfig"].take(),
        network_settings: value["NetworkSettings"].take(),
    };
    Container { detail: Some(detail), ..container }
}

/// A container of another project, from the list.
pub fn foreign(entry: &Value, project: Option<String>) -> Foreign {
    let labels = &entry["Labels"];
    let one_off = labels[ONEOFF].as_str().is_some_and(|v| v.eq_ignore_ascii_case("true"));
    Foreign {
        id: text(&entry["Id"]),
        name: own_name(&entry["Names"]),
        image: text(&entry["Image"]),
        project,
        service: labels[SERVICE].as_str().filter(|_| !one_off).map(str::to_string),
        running: matches!(state(&text(&entry["State"])), State::Running | State::Paused | State::Restarting),
        ready: is_ready(state(&text(&entry["State"])), health_in(&text(&entry["Status"]))),
        ports: ports(entry),
        volumes: list(&entry["Mounts"]).iter().filter_map(|m| m["Name"].as_str()).map(str::to_string).collect(),
        networks: networks(&entry["NetworkSettings"]["Networks"]).into_keys().collect(),
        serves: labels[SERVER].as_str().map(str::to_string),
    }
}

/// One entry of `GET /networks`; who is attached is known from the containers' side.
pub fn network(entry: &Value) -> Network {
    let subnets = list(&entry["IPAM"]["Config"]).iter().filter_map(|pool| pool["Subnet"].as_str());
    Network {
        id: text(&entry["Id"]),
        name: text(&entry["Name"]),
        driver: text(&entry["Driver"]),
        labels: map(&entry["Labels"]),
        internal: entry["Internal"].as_bool().unwrap_or(false),
        subnets: subnets.map(str::to_string).collect(),
        body: network_body(entry),
        attached: Vec::new(),
    }
}

/// The entry without what only the engine knows: its id, its age, who is on it.
fn network_body(entry: &Value) -> Value {
    let keys = ["Name", "Driver", "Options", "Internal", "Attachable", "EnableIPv4", "EnableIPv6", "IPAM", "Labels"];
    let given = keys.iter().filter(|key| !entry[**key].is_null());
    Value::Object(given.map(|key| (key.to_string(), entry[*key].clone())).collect())
}

pub fn volume(entry: &Value) -> Volume {
    Volume {
        name: text(&entry["Name"]),
        driver: text(&entry["Driver"]),
        labels: map(&entry["Labels"]),
        of_machine: Volume::shows(&entry["Options"]),
    }
}

/// `GET /images/{name}/json`.
pub fn image(mut value: Value) -> Image {
    let id = text(&value["Id"]);
    Image {
        label_id: id.clone(),
        id,
        last_tag_time: moment(&value["Metadata"]["LastTagTime"]),
        config: value["Config"].take(),
    }
}

/// `name@sha256:...` of an inspected image, as registries know it.
pub fn digests(value: &Value) -> Vec<String> {
    list(&value["RepoDigests"]).iter().map(text).collect()
}

/// With containerd's image store the id is the digest of an index; what Compose 5.4 writes is the digest of the
/// manifest that is used here (semantics 3.5). Needs `?manifests=1`, API 1.48.
pub fn manifest_digest(value: &Value, os: &str, arch: &str) -> Option<String> {
    let usable = |m: &&Value| m["Kind"] == "image" && m["Available"].as_bool().unwrap_or(false);
    let all: Vec<&Value> = list(&value["Manifests"]).iter().filter(usable).collect();
    let here = |m: &&&Value| {
        let platform = &m["ImageData"]["Platform"];
        platform["os"].as_str() == Some(os) && platform["architecture"].as_str() == Some(arch)
    };
    let chosen = all.iter().find(here).or(all.first())?;
    chosen["ID"].as_str().map(str::to_string)
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    value.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), text(v))).collect()
}

/// The name without its slash; `/other/alias` entries are legacy links.
fn own_name(names: &Value) -> String {
    let names = list(names).iter().filter_map(Value::as_str).map(|name| name.strip_prefix('/').unwrap_or(name));
    names.clone().find(|name| !name.contains('/')).or(names.clone().next()).unwrap_or_default().to_string()
}

pub fn state(word: &str) -> State {
    match word {
        "running" => State::Running,
        "paused" => State::Paused,
        "restarting" => State::Restarting,
        "removing" => State::Removing,
        "exited" | "stopped" => State::Exited,
        "dead" => State::Dead,
        _ => State::Created,
    }
}

pub fn health(word: &str) -> Option<Health> {
    match word {
        "starting" => Some(Health::Starting),
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        _ => None,
    }
}

/// `Up 3 minutes (healthy)`: the list call tells health nowhere else.
fn health_in(status: &str) -> Option<Health> {
    let inner = status.strip_suffix(')')?.rsplit_once('(')?.1;
    health(inner.strip_prefix("health: ").unwrap_or(inner))
}

/// `Exited (137) 2 hours ago`.
fn exit_code_in(status: &str) -> i64 {
    let code = status.split_once('(').and_then(|(_, rest)| rest.split_once(')')).and_then(|(n, _)| n.parse().ok());
    code.unwrap_or(0)
}

fn networks(value: &Value) -> BTreeMap<String, Attachment> {
    let attachment = |v: &Value| Attachment {
        network_id: text(&v["NetworkID"]),
        aliases: list(&v["Aliases"]).iter().map(text).collect(),
        ip_address: text(&v["IPAddress"]),
        mac_address: text(&v["MacAddress"]),
    };
    value.as_object().into_iter().flatten().map(|(name, v)| (name.clone(), attachment(v))).collect()
}

/// Published ports as the list call shows them: `(host ip, host port, protocol)`.
fn ports(entry: &Value) -> Vec<(String, u16, String)> {
    let port = |p: &Value| {
        let number = u16::try_from(p["PublicPort"].as_u64()?).ok().filter(|n| *n != 0)?;
        Some((text(&p["IP"]), number, text(&p["Type"])))
    };
    sorted(list(&entry["Ports"]).iter().filter_map(port).collect())
}

/// The container's port behind each published one.
fn port_targets(entry: &Value) -> BTreeMap<(u16, String), u16> {
    let number = |v: &Value| u16::try_from(v.as_u64()?).ok().filter(|n| *n != 0);
    let one = |p: &Value| Some(((number(&p["PublicPort"])?, text(&p["Type"])), number(&p["PrivatePort"])?));
    list(&entry["Ports"]).iter().filter_map(one).collect()
}

fn bound_targets(value: &Value) -> BTreeMap<(u16, String), u16> {
    let of = |(key, bindings): (&String, &Value)| {
        let (target, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        let one =
            |b: &Value| Some(((b["HostPort"].as_str()?.parse().ok()?, protocol.to_string()), target.parse().ok()?));
        list(bindings).iter().filter_map(one).collect::<Vec<_>>()
    };
    value.as_object().into_iter().flatten().flat_map(of).collect()
}

/// The same from an inspect: `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}`.
fn bound(value: &Value) -> Vec<(String, u16, String)> {
    let one = |protocol: &str, b: &Value| {
        Some((text(&b["HostIp"]), b["HostPort"].as_str()?.parse().ok()?, protocol.to_string()))
    };
    let of = |(key, bindings): (&String, &Value)| {
        let protocol = key.split_once('/').map_or("tcp", |(_, protocol)| protocol).to_string();
        list(bindings).iter().filter_map(|b| one(&protocol, b)).collect::<Vec<_>>()
    };
    sorted(value.as_object().into_iter().flatten().flat_map(of).collect())
}

fn sorted(mut ports: Vec<(String, u16, String)>) -> Vec<(String, u16, String)> {
    ports.sort();
    ports.dedup();
    ports
}

fn mount(value: &Value) -> Mount {
    Mount {
        kind: text(&value["Type"]),
        name: text(&value["Name"]),
        source: text(&value["Source"]),
        destination: text(&value["Destination"]),
        writable: value["RW"].as_bool().unwrap_or(true),
    }
}

/// The engine's zero time is "never".
pub fn moment(value: &Value) -> String {
    let text = text(value);
    if text.starts_with("0001-") { String::new() } else { text }
}

pub fn rfc3339(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_tells_state_health_and_exit_code_in_words() {
        for (status, health, code) in [
            ("Up 3 minutes (healthy)", Some(Health::Healthy), 0),
            ("Up 1 second (health: starting)", Some(Health::Starting), 0),
            ("Up 2 hours (unhealthy)", Some(Health::Unhealthy), 0),
            ("Up 2 hours (Paused)", None, 0),
            ("Exited (137) 2 hours ago", None, 137),
            ("Restarting (1) 3 seconds ago", None, 1),
            ("Created", None, 0),
        ] {
            let entry = json!({ "Id": "a", "Names": ["/db/web", "/web"], "Status": status, "State": "running" });
            let container = listed(&entry);
            assert_eq!(
                (container.name.as_str(), container.health, container.exit_code),
                ("web", health, code),
                "{status}"
            );
        }
    }

    #[test]
    fn list_and_inspect_tell_the_same_ports() {
        let listed = json!({ "Ports": [
            { "IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp" },
            { "PrivatePort": 81, "Type": "tcp" },
        ] });
        let inspected = json!({ "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "8080" }], "81/tcp": null });
        assert_eq!(ports(&listed), [("0.0.0.0".to_string(), 8080, "tcp".to_string())]);
        assert_eq!(ports(&listed), bound(&inspected));
        assert_eq!(port_targets(&listed), BTreeMap::from([((8080, "tcp".to_string()), 80)]));
        assert_eq!(port_targets(&listed), bound_targets(&inspected));
    }

    #[test]
    fn a_network_tells_what_would_make_it_again() {
        let body = json!({
            "Name": "n", "Driver": "bridge", "Options": { "mtu": "1400" }, "Internal": true, "Labels": { "a": "b" },
            "IPAM": { "Driver": "default", "Config": [{ "Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1" }] },
        });
        let mut entry = body.clone();
        (entry["Id"], entry["Scope"], entry["Containers"]) = (json!("1"), json!("local"), json!({}));
        assert_eq!(network(&entry).body, body);
    }

    #[test]
    fn an_answer_without_the_fields_of_newer_engines_reads_as_empty() {
        let container = inspected(
            json!({ "Id": "a", "Name": "/w", "State": { "Status": "created", "StartedAt": "0001-01-01T00:00:00Z" } }),
        );
        assert_eq!((container.state, container.started_at.as_str()), (State::Created, ""));
        assert!(container.networks.is_empty() && container.detail.is_some());
    }

    #[test]
    fn the_manifest_of_this_platform_is_the_one_that_counts() {
        let manifest = |id: &str, arch: &str, kind: &str, available: bool| json!({ "ID": id, "Kind": kind, "Available": available, "ImageData": { "Platform": { "os": "linux", "architecture": arch } } });
        let value = json!({ "Manifests": [
            manifest("sha256:1", "arm64", "image", true),
            manifest("sha256:2", "amd64", "attestation", true),
            manifest("sha256:3", "amd64", "image", true),
        ] });
        assert_eq!(manifest_digest(&value, "linux", "amd64").as_deref(), Some("sha256:3"));
        assert_eq!(manifest_digest(&json!({}), "linux", "amd64"), None);
    }
}
