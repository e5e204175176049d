//! What leaves gate: new JSON of the few fields that Traefik reads, never the engine's own bytes.
//!
//! Which these are was seen on a real Traefik (`docs/guide/gate.md`). No environment, no command, no mount, no image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::aside::is_aside;
use crate::engine::docker::reader::Pong;
/// Labels of an image arrive among those of its containers: the list in this one is what tells them apart.
pub use crate::traefik::labels::OURS;

pub const PROJECT: &str = "com.docker.compose.project";
pub const SERVICE: &str = "com.docker.compose.service";
/// How a service is called on pages, where its own name is not good enough.
pub const TITLE: &str = "hearth.title";

/// One entry of the engine's list. gate looks at each by itself, so the id is all that counts.
#[derive(Debug, Deserialize)]
pub struct Listed {
    #[serde(rename = "Id")]
    pub id: String,
}

/// A container as the engine's inspect tells it, less everything that is nobody's business here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Inspected {
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// The image's id.
    #[serde(default)]
    pub image: String,
    #[serde(default)]
    pub restart_count: u64,
    pub state: State,
    #[serde(default)]
    host_config: HostConfig,
    #[serde(default)]
    config: Config,
    #[serde(default)]
    network_settings: NetworkSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct State {
    /// created, running, paused, restarting, removing, exited, dead
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub exit_code: i64,
    #[serde(default)]
    pub started_at: String,
    #[serde(default)]
    pub health: Option<Health>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    /// none, starting, healthy, unhealthy
    #[serde(default)]
    pub status: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    #[serde(default)]
    network_mode: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    networks: Option<BTreeMap<String, Option<Endpoint>>>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
struct Endpoint {
    #[serde(rename = "IPAddress", default)]
    v4: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    v6: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownContainer<'a> {
    id: &'a str,
    name: &'a str,
    state: ShownState<'a>,
    host_config: &'a HostConfig,
    config: ShownConfig<'a>,
    network_settings: ShownSettings<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownState<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'a Health>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownConfig<'a> {
    labels: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownSettings<'a> {
    /// Which ports there are; where they are published is not asked for.
    ports: BTreeMap<&'a str, ()>,
    networks: BTreeMap<&'a str, Endpoint>,
}

impl Inspected {
    pub fn label(&self, key: &str) -> Option<&str> {
        self.config.labels.as_ref()?.get(key).map(String::as_str)
    }

    pub fn belongs_to(&self, project: &str) -> bool {
        self.label(PROJECT) == Some(project)
    }

    /// Whether it runs, or could go on at any moment: what happens to its networks and its name matters.
    pub fn alive(&self) -> bool {
        ["running", "paused", "restarting"].contains(&self.state.status.as_str())
    }

    /// The container for Traefik. `of_image` is the image's own [`OURS`] label: a list that is equal to it was inherited, not
    /// written by Hearth, and counts for nothing.
    pub fn shown(&self, of_image: Option<&str>) -> Vec<u8> {
        let networks = self.network_settings.networks.iter().flatten();
        let shown = ShownContainer {
            id: &self.id,
            name: &self.name,
            state: ShownState { status: &self.state.status, health: self.state.health.as_ref() },
            host_config: &self.host_config,
            config: ShownConfig { labels: self.shown_labels(of_image) },
            network_settings: ShownSettings {
                ports: self.network_settings.ports.iter().flatten().map(|(port, _)| (port.as_str(), ())).collect(),
                networks: networks.map(|(name, end)| (name.as_str(), end.clone().unwrap_or_default())).collect(),
            },
        };
        json(&shown)
    }

    /// Of a container that makes way for its successor no route is shown, though it still runs: else requests would meet it while it stops.
    fn shown_labels(&self, of_image: Option<&str>) -> BTreeMap<&str, &str> {
        let Some(labels) = &self.config.labels else { return BTreeMap::new() };
        let of_image = if is_aside(&self.id, &self.name) { self.label(OURS) } else { of_image };
        let list = self.label(OURS).filter(|list| of_image != Some(list)).unwrap_or_default();
        let ours: std::collections::HashSet<&str> = list.split_ascii_whitespace().collect();
        let keep = |key: &str| match key.strip_prefix("traefik.") {
            Some(rest) => ours.contains(rest),
            None => [PROJECT, SERVICE].contains(&key),
        };
        labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).filter(|(key, _)| keep(key)).collect()
    }
}

/// The list for Traefik.
pub fn list<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Item<'a> {
        #[serde(rename = "Id")]
        id: &'a str,
    }
    json(&ids.map(|id| Item { id }).collect::<Vec<_>>())
}

/// The engine's version for Traefik, which writes it into its log. `None` where the engine's answer is none.
pub fn version(raw: &[u8], pong: &Pong) -> Option<Vec<u8>> {
    #[derive(Deserialize, Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        version: String,
        #[serde(default)]
        api_version: String,
    }
    let mut version: Version = serde_json::from_slice(raw).ok()?;
    version.api_version.clone_from(&pong.api);
    Some(json(&version))
}

/// A refusal in the engine's form, which every client of it shows.
pub fn message(words: &str) -> Vec<u8> {
    json(&serde_json::json!({ "message": words }))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // These types have text for keys and cannot fail to be written.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn container() -> Value {
        json!({
            "Id": "c1", "Name": "/home-web-1", "Image": "sha256:1", "Path": "/bin/web", "Args": ["--token=s3cret"], "RestartCount": 2,
            "State": {"Status": "running", "Running": true, "Pid": 4, "ExitCode": 0, "StartedAt": "2026-11-26T04:00:00Z",
                "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [{"Output": "s3cret"}]}},
            "HostConfig": {"NetworkMode": "home_web", "Binds": ["/srv/s3cret:/data"], "PortBindings": {}},
            "Mounts": [{"Source": "/srv/s3cret"}],
            "Config": {"Hostname": "h", "Env": ["PASSWORD=s3cret"], "Cmd": ["s3cret"], "Image": "example/s3cret:1", "Labels": {
                "com.docker.compose.project": "home", "com.docker.compose.service": "web", "com.docker.compose.config-hash": "abc",
                "hearth.traefik": "enable http.routers.web.rule", "traefik.enable": "true", "traefik.http.routers.web.rule": "Host(`a`)",
                "traefik.http.routers.evil.rule": "Host(`panel`)", "TRAEFIK.enable": "true", "org.opencontainers.image.title": "s3cret"}},
            "NetworkSettings": {"SandboxKey": "/var/run/s3cret", "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null},
                "Networks": {"home_web": {"IPAddress": "10.0.0.2", "GlobalIPv6Address": "", "MacAddress": "s3cret", "Aliases": ["s3cret"]},
                    "home_other": null}}
        })
    }

    fn read(value: &Value) -> Inspected {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn shown(value: &Value) -> Value {
        serde_json::from_slice(&read(value).shown(None)).unwrap()
    }

    #[test]
    fn only_what_traefik_reads_leaves() {
        assert_eq!(
            shown(&container()),
            json!({
                "Id": "c1", "Name": "/home-web-1", "State": {"Status": "running", "Health": {"Status": "healthy"}},
                "HostConfig": {"NetworkMode": "home_web"},
                "Config": {"Labels": {"com.docker.compose.project": "home", "com.docker.compose.service": "web",
                    "traefik.enable": "true", "traefik.http.routers.web.rule": "Host(`a`)"}},
                "NetworkSettings": {"Ports": {"80/tcp": null, "443/tcp": null}, "Networks": {
                    "home_web": {"IPAddress": "10.0.0.2", "GlobalIPv6Address": ""},
                    "home_other": {"IPAddress": "", "GlobalIPv6Address": ""}}}
            })
        );
    }

    #[test]
    fn labels_of_the_image_are_dropped_even_where_it_brings_a_list_of_its_own() {
        let mut none = container();
        none["Config"]["Labels"].as_object_mut().unwrap().remove(OURS);
        let labels = |value: &Value| value["Config"]["Labels"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(labels(&shown(&none)), [PROJECT, SERVICE]);
        let inherited: Value =
            serde_json::from_slice(&read(&container()).shown(Some("enable http.routers.web.rule"))).unwrap();
        assert_eq!(labels(&inherited), [PROJECT, SERVICE]);
        let other: Value = serde_json::from_slice(&read(&container()).shown(Some("enable"))).unwrap();
        assert_eq!(labels(&other).len(), 4);
    }

    #[test]
    fn a_container_without_health_labels_ports_or_networks_is_shown() {
        let bare = json!({"Id": "c2", "Name": "/x", "State": {"Status": "created", "Health": null}, "HostConfig": {"NetworkMode": "none"},
            "Config": {"Labels": null}, "NetworkSettings": {"Ports": null, "Networks": null}});
        assert_eq!(
            shown(&bare),
            json!({"Id": "c2", "Name": "/x", "State": {"Status": "created"}, "HostConfig": {"NetworkMode": "none"},
                "Config": {"Labels": {}}, "NetworkSettings": {"Ports": {}, "Networks": {}}})
        );
        assert!(!read(&bare).belongs_to("home") && !read(&bare).alive());
        assert!(read(&container()).belongs_to("home") && read(&container()).alive());
    }

    #[test]
    fn list_version_and_refusals_hold_what_is_named_here() {
        assert_eq!(list(["a", "b"].into_iter()), br#"[{"Id":"a"},{"Id":"b"}]"#);
        let pong = Pong { api: "1.45".into(), os: "linux".into() };
        let raw = br#"{"Version":"26.1.5","ApiVersion":"1.99","GitCommit":"x","KernelVersion":"y","Components":[]}"#;
        assert_eq!(version(raw, &pong).unwrap(), br#"{"Version":"26.1.5","ApiVersion":"1.45"}"#);
        assert!(version(b"[]", &pong).is_none());
        assert_eq!(message("no"), br#"{"message":"no"}"#);
    }
}
