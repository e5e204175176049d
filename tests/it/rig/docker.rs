//! What the engine says about a project, by the docker client: facts that no output of ours can colour.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Scratch;

/// One container as `docker inspect` shows it.
#[derive(Debug, Clone)]
pub struct Container {
    pub name: String,
    pub id: String,
    pub started: String,
    /// created, running, paused, restarting, exited, dead
    pub state: String,
    /// healthy, unhealthy, starting; empty without a health check
    pub health: String,
    pub image: String,
    pub restart_policy: String,
    pub labels: BTreeMap<String, String>,
    /// Aliases by network.
    pub networks: BTreeMap<String, Vec<String>>,
    /// Names of the volumes it mounts, by where.
    pub volumes: BTreeMap<String, String>,
    pub env: Vec<String>,
    pub raw: Value,
}

impl Container {
    fn from(raw: Value) -> Container {
        let text = |pointer: &str| raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let map = |pointer: &str| raw.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default();
        let volumes = raw["Mounts"].as_array().into_iter().flatten().filter(|m| m["Type"] == "volume");
        Container {
            name: text("/Name").trim_start_matches('/').to_owned(),
            id: text("/Id"),
            started: text("/State/StartedAt"),
            state: text("/State/Status"),
            health: text("/State/Health/Status"),
            image: text("/Image"),
            restart_policy: text("/HostConfig/RestartPolicy/Name"),
            labels: map("/Config/Labels")
                .into_iter()
                .map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned()))
                .collect(),
            networks: map("/NetworkSettings/Networks")
                .into_iter()
                .map(|(name, v)| (name, list(&v["Aliases"])))
                .collect(),
            volumes: volumes
                .map(|m| {
                    (
                        m["Destination"].as_str().unwrap_or_default().to_owned(),
                        m["Name"].as_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect(),
            env: list(&raw["Config"]["Env"]),
            raw,
        }
    }

    pub fn running(&self) -> bool {
        self.state == "running"
    }
}

impl Scratch {
    /// Every container of the project, running or not, by name.
    pub fn containers(&self) -> BTreeMap<String, Container> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let ids = self.docker_args(&["ps", "-aq", "--no-trunc", "--filter", &label]).ok().out;
        let ids: Vec<&str> = ids.split_whitespace().collect();
        self.inspect(&ids).into_iter().map(|c| (c.name.clone(), c)).collect()
    }

    /// The containers that are there of these ids or names.
    pub fn inspect(&self, ids: &[&str]) -> Vec<Container> {
        if ids.is_empty() {
            return Vec::new();
        }
        let out = self.docker_args(&[&["inspect", "--type", "container"], ids].concat()).out;
        let found: Vec<Value> = serde_json::from_str(&out).unwrap_or_default();
        found.into_iter().map(Container::from).collect()
    }

    /// The container of a service, by its usual name `<project>-<service>-1`.
    #[track_caller]
    pub fn container(&self, service: &str) -> Container {
        let name = format!("{}-{service}-1", self.project);
        self.inspect(&[&name]).pop().unwrap_or_else(|| panic!("there is no container {name}"))
    }

    /// Id and start time of every container: equal before and after means that nothing was touched. A job that ended has no start time here,
    /// since Compose runs it again.
    pub fn lives(&self) -> BTreeMap<String, (String, String)> {
        let life = |c: Container| (c.id, if c.state == "exited" { String::new() } else { c.started });
        self.containers().into_iter().map(|(name, c)| (name, life(c))).collect()
    }

    /// Names of the project's volumes.
    pub fn volumes(&self) -> Vec<String> {
        self.names_of("volume")
    }

    /// Names of the project's networks.
    pub fn networks(&self) -> Vec<String> {
        self.names_of("network")
    }

    fn names_of(&self, kind: &str) -> Vec<String> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let out = self.docker_args(&[kind, "ls", "--format", "{{.Name}}", "--filter", &label]).ok().out;
        let mut names: Vec<String> = out.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    }
}
