//! Hears when containers of other projects come and go. A wake-up says nothing but that: whoever is woken looks again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::engine::docker::DockerEngine;
use crate::engine::docker::reader::query;

/// How long to wait before the engine's events are asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// What matters: containers of these projects, and whoever joins or leaves these networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    pub projects: BTreeSet<String>,
    pub networks: BTreeSet<String>,
}

impl Interest {
    /// Whether one line of the engine's events is about it.
    fn is_touched(&self, line: &[u8]) -> bool {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { return false };
        let of = |key: &str| event["Actor"]["Attributes"][key].as_str().unwrap_or_default();
        match event["Type"].as_str() {
            Some("container") => self.projects.contains(of("com.docker.compose.project")),
            Some("network") => self.networks.contains(of("name")),
            _ => false,
        }
    }
}

/// Wakes whenever something of `interest` changed, or may have changed unheard. Runs until it is dropped; while nothing is of interest no
/// event is asked for.
pub async fn listen(environment: &BTreeMap<String, String>, mut interest: watch::Receiver<Interest>, wake: &Notify) {
    loop {
        let wanted = interest.borrow_and_update().clone();
        if wanted.projects.is_empty() {
            if interest.changed().await.is_err() {
                return std::future::pending().await;
            }
            continue;
        }
        tokio::select! {
            () = hear(environment, &wanted, wake) => sleep(AGAIN).await,
            gone = interest.changed() => if gone.is_err() {
                return std::future::pending().await;
            },
        }
    }
}

/// Until the engine ends the stream, or does not begin one.
async fn hear(environment: &BTreeMap<String, String>, interest: &Interest, wake: &Notify) {
    let Ok(engine) = DockerEngine::connect(environment).await else { return };
    let words = ["start", "die", "health_status", "pause", "unpause", "rename", "destroy", "connect", "disconnect"];
    let filters = json!({ "type": ["container", "network"], "event": words }).to_string();
    let path = format!("/events{}", query(&[("filters", &filters)]));
    let Ok(mut lines) = engine.reader().lines(&path).await else { return };
    // Nobody heard what was before.
    wake.notify_one();
    while let Ok(Some(line)) = lines.next().await {
        if interest.is_touched(&line) {
            wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_a_route_wakes() {
        let set = |name: &str| BTreeSet::from([name.to_string()]);
        let interest = Interest { projects: set("photos"), networks: set("photos_default") };
        let touched = |kind: &str, key: &str, value: &str| {
            let line = json!({ "Type": kind, "Action": "die", "Actor": { "ID": "c", "Attributes": { key: value } } });
            interest.is_touched(line.to_string().as_bytes())
        };
        assert!(touched("container", "com.docker.compose.project", "photos"));
        assert!(touched("network", "name", "photos_default"));
        assert!(!touched("container", "com.docker.compose.project", "home"));
        assert!(!touched("container", "name", "photos_default"));
        assert!(!touched("network", "name", "bridge"));
        assert!(!interest.is_touched(b"no event"));
    }
}
