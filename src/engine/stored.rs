//! What an engine holds besides containers, whoever made it, and who uses it.

use std::collections::BTreeMap;

use crate::plan::observed::Container;

/// One look at all of it.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Of every project and of none, stopped ones too: they are who uses the rest.
    pub containers: Vec<Container>,
    pub images: Vec<Image>,
    pub volumes: Vec<Volume>,
    pub networks: Vec<Network>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// `sha256:...`
    pub id: String,
    /// Its names with their tags; none: a newer image took its name, or it never had one.
    pub tags: Vec<String>,
    /// What it was pulled as, by digest.
    pub digests: Vec<String>,
    /// With layers that other images share.
    pub size: u64,
    /// RFC 3339.
    pub created_at: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volume {
    pub name: String,
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    /// RFC 3339; empty when unknown.
    pub created_at: String,
    /// `None` where the engine has not counted it in time.
    pub size: Option<u64>,
    /// As in [`crate::plan::observed::Volume`].
    pub of_machine: String,
}

impl Volume {
    /// Whether nobody has given it a name: a container's image asked for it.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key("com.docker.volume.anonymous")
            || self.name.len() == 64 && self.name.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    pub id: String,
    pub name: String,
    pub driver: String,
    /// `local`, or `swarm` and `global` of more machines than this.
    pub scope: String,
    pub labels: BTreeMap<String, String>,
    pub internal: bool,
    pub subnets: Vec<String>,
    /// RFC 3339; empty when unknown.
    pub created_at: String,
}

impl Network {
    /// Whether it is the engine's own: it is there always, and cannot be removed.
    pub fn is_builtin(&self) -> bool {
        ["bridge", "host", "none"].contains(&self.name.as_str())
    }
}
