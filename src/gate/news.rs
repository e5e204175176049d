//! The engine's events as far as they matter, and the lines that Traefik gets of them.
//!
//! Traefik looks again at every container when it reads `start`, `die` or a word that begins with `health_status`, and at nothing else. What
//! else changes a route (a network, a name, a pause) is therefore told as `health_status: refresh`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What is asked of the engine: containers of all projects (its filter by label would drop networks), only these words.
pub const FILTERS: &str = r#"{"type":["container","network"],"event":["create","start","die","health_status","pause","unpause","rename","update","destroy","connect","disconnect"]}"#;

/// Something that happened to one container.
#[derive(Debug, PartialEq)]
pub struct News {
    /// The container's id.
    pub id: String,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    Made,
    Started,
    Ended,
    /// Its health is another, and now this (one of the engine's words).
    Health(&'static str),
    /// It was paused or goes on, has another name or other limits.
    Changed,
    /// A network was attached. Whose container it is, such an event does not say.
    Joined,
    /// A network was detached.
    Left,
    Removed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    actor: Actor,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(rename = "com.docker.compose.project")]
    project: Option<String>,
    /// Of a network's event.
    container: Option<String>,
}

/// Reads one line of the engine. `None`: nothing that concerns this project, as far as the line tells.
pub fn read(line: &[u8], project: &str) -> Option<News> {
    let event: Event = serde_json::from_slice(line).ok()?;
    let Actor { id, attributes } = event.actor;
    if event.r#type == "network" {
        let what = match event.action.as_str() {
            "connect" => What::Joined,
            "disconnect" => What::Left,
            _ => return None,
        };
        return Some(News { id: attributes.container.filter(|id| !id.is_empty())?, what });
    }
    if event.r#type != "container" || attributes.project.as_deref() != Some(project) || id.is_empty() {
        return None;
    }
    let what = match event.action.as_str() {
        "create" => What::Made,
        "start" => What::Started,
        "die" => What::Ended,
        "pause" | "unpause" | "rename" | "update" => What::Changed,
        "destroy" => What::Removed,
        "health_status: healthy" => What::Health("health_status: healthy"),
        "health_status: unhealthy" => What::Health("health_status: unhealthy"),
        // The engine may put a check's own output here, which is nobody's business.
        other if other.starts_with("health_status") => What::Health(REFRESH),
        _ => return None,
    };
    Some(News { id, what })
}

const REFRESH: &str = "health_status: refresh";

/// A line for Traefik: the four fields that it reads.
pub fn line(action: &str, id: &str) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Line<'a> {
        r#type: &'a str,
        action: &'a str,
        actor: Who<'a>,
    }
    #[derive(Serialize)]
    struct Who<'a> {
        #[serde(rename = "ID")]
        id: &'a str,
        #[serde(rename = "Attributes")]
        attributes: serde_json::Map<String, serde_json::Value>,
    }
    let line = Line { r#type: "container", action, actor: Who { id, attributes: Default::default() } };
    // Text only: it cannot fail to be written.
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes.into()
}

/// The line that makes Traefik look again.
pub fn refresh() -> Bytes {
    line(REFRESH, "hearth")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn heard(kind: &str, action: &str, attributes: serde_json::Value) -> Option<News> {
        let event = json!({"status": action, "id": "c", "from": "image", "Type": kind, "Action": action, "scope": "local", "time": 1,
            "Actor": {"ID": "c", "Attributes": attributes}});
        read(event.to_string().as_bytes(), "home")
    }

    #[test]
    fn events_of_the_projects_containers_are_read() {
        let ours = || json!({"com.docker.compose.project": "home", "image": "secret", "name": "x"});
        for (action, what) in [
            ("create", What::Made),
            ("start", What::Started),
            ("die", What::Ended),
            ("pause", What::Changed),
            ("unpause", What::Changed),
            ("rename", What::Changed),
            ("update", What::Changed),
            ("destroy", What::Removed),
            ("health_status: healthy", What::Health("health_status: healthy")),
            ("health_status: unhealthy", What::Health("health_status: unhealthy")),
            ("health_status: the password is wrong", What::Health("health_status: refresh")),
        ] {
            assert_eq!(heard("container", action, ours()), Some(News { id: "c".into(), what }), "{action}");
            assert_eq!(heard("container", action, json!({"com.docker.compose.project": "other"})), None, "{action}");
            assert_eq!(heard("container", action, json!({})), None, "{action}");
        }
        for action in ["exec_create: sh", "exec_die", "top", "kill", "attach"] {
            assert_eq!(heard("container", action, ours()), None, "{action}");
        }
    }

    #[test]
    fn networks_tell_their_container() {
        let of = |what| Some(News { id: "k".into(), what });
        assert_eq!(heard("network", "connect", json!({"container": "k", "name": "n"})), of(What::Joined));
        assert_eq!(heard("network", "disconnect", json!({"container": "k"})), of(What::Left));
        assert_eq!(heard("network", "create", json!({"container": "k"})), None);
        assert_eq!(heard("network", "connect", json!({"name": "n"})), None);
        assert_eq!(read(b"no json", "home"), None);
        assert!(serde_json::from_str::<serde_json::Value>(FILTERS).is_ok());
    }

    #[test]
    fn a_line_holds_four_fields() {
        let expected = "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"c1\",\"Attributes\":{}}}\n";
        assert_eq!(line("die", "c1"), expected);
        assert!(refresh().ends_with(b"\n"));
    }
}
