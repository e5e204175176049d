//! Images, volumes and networks of everybody, as the list calls tell them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::errors::Fault;
use super::{DockerEngine, convert};
use crate::engine::stored::{Image, Network, Stored, Volume};
use crate::plan::observed::Container;

/// So long the engine may count what is in volumes: it reads every file of them.
const COUNTING: Duration = Duration::from_secs(5);
/// The API from which it can be asked for volumes alone.
const BY_KIND: (u32, u32) = (1, 42);

pub async fn containers(engine: &DockerEngine) -> Result<Vec<Container>, Fault> {
    let listed = engine.wire.get("/containers/json?all=1").await?;
    Ok(convert::list(&listed).iter().map(convert::listed).collect())
}

pub async fn stored(engine: &DockerEngine) -> Result<Stored, Fault> {
    let (containers, images, volumes, networks, sizes) = tokio::join!(
        containers(engine),
        engine.wire.get("/images/json"),
        engine.wire.get("/volumes"),
        engine.wire.get("/networks"),
        sizes(engine),
    );
    let mut stored = Stored {
        containers: containers?,
        images: convert::list(&images?).iter().map(image).collect(),
        volumes: convert::list(&volumes?["Volumes"]).iter().map(|entry| volume(entry, &sizes)).collect(),
        networks: convert::list(&networks?).iter().map(network).collect(),
    };
    stored.images.sort_by(|a, b| (&a.tags, &a.id).cmp(&(&b.tags, &b.id)));
    stored.volumes.sort_by(|a, b| a.name.cmp(&b.name));
    stored.networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(stored)
}

/// The bytes of each volume, where they are counted in time.
async fn sizes(engine: &DockerEngine) -> BTreeMap<String, u64> {
    let path = if engine.api >= BY_KIND { "/system/df?type=volume" } else { "/system/df" };
    let Ok(Ok(counted)) = timeout(COUNTING, engine.wire.get(path)).await else { return BTreeMap::new() };
    let one = |entry: &Value| Some((convert::text(&entry["Name"]), entry["UsageData"]["Size"].as_u64()?));
    convert::list(&counted["Volumes"]).iter().filter_map(one).collect()
}

fn image(entry: &Value) -> Image {
    // Older engines say that there is none in a word of their own.
    let named = |key: &str| {
        let all = convert::list(&entry[key]).iter().filter_map(Value::as_str);
        let mut all: Vec<String> = all.filter(|one| !one.contains("<none>")).map(str::to_owned).collect();
        all.sort();
        all
    };
    Image {
        id: convert::text(&entry["Id"]),
        tags: named("RepoTags"),
        digests: named("RepoDigests"),
        size: entry["Size"].as_u64().unwrap_or(0),
        created_at: entry["Created"].as_i64().and_then(convert::rfc3339).unwrap_or_default(),
    }
}

fn volume(entry: &Value, sizes: &BTreeMap<String, u64>) -> Volume {
    let known = convert::volume(entry);
    Volume {
        size: sizes.get(&known.name).copied(),
        created_at: convert::moment(&entry["CreatedAt"]),
        name: known.name,
        driver: known.driver,
        labels: known.labels,
        of_machine: known.of_machine,
    }
}

fn network(entry: &Value) -> Network {
    let known = convert::network(entry);
    Network {
        id: known.id,
        name: known.name,
        driver: known.driver,
        scope: convert::text(&entry["Scope"]),
        labels: known.labels,
        internal: known.internal,
        subnets: known.subnets,
        created_at: convert::moment(&entry["Created"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_without_a_name_has_none() {
        let old = json!({"Id": "sha256:1", "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Size": 7, "Created": 1_700_000_000});
        let new = json!({"Id": "sha256:1", "RepoTags": null, "Size": 7, "Created": 1_700_000_000});
        for entry in [old, new] {
            let image = image(&entry);
            assert_eq!((image.tags.len(), image.digests.len(), image.size), (0, 0, 7), "{entry}");
            assert!(image.created_at.starts_with("2023-11-14T"), "{}", image.created_at);
        }
    }

    #[test]
    fn a_volume_that_was_not_counted_has_no_size() {
        let entry = json!({"Name": "data", "Driver": "local", "Labels": {"a": "b"}, "CreatedAt": "2026-01-02T03:04:05Z", "Options": {"type": "none", "o": "bind", "device": "/srv/data"}});
        let uncounted = volume(&entry, &BTreeMap::new());
        assert_eq!((uncounted.size, uncounted.of_machine.as_str()), (None, "/srv/data"));
        assert_eq!(volume(&entry, &BTreeMap::from([("data".into(), 9)])).size, Some(9));
    }
}
