//! Mounts, networks and volumes.

use serde::Serialize;

use super::*;

/// One entry of a service's `volumes`, long form. A short named volume carries an empty `volume`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Mount {
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    #[serde(skip_serializing_if = "no")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consistency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind: Option<BindOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs: Option<TmpfsOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageOptions>,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `volumes[].bind`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BindOptions {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub selinux: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// What the text shows; see [`BindOptions::creates`]. 2.x writes `true` and leaves out `false`, 5.x the other way round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_host_path: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recursive: String,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `volumes[].volume`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VolumeOptions {
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub labels: Mapping,
    #[serde(skip_serializing_if = "no")]
    pub nocopy: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `volumes[].tmpfs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TmpfsOptions {
    #[serde(skip_serializing_if = "is_zero")]
    pub size: Bytes,
    #[serde(skip_serializing_if = "is_zero")]
    pub mode: u32,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `volumes[].image`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImageOptions {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `networks.<name>`. `ipam` is always written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Network {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub driver_opts: Mapping,
    pub ipam: Ipam,
    #[serde(skip_serializing_if = "no")]
    pub external: bool,
    #[serde(skip_serializing_if = "no")]
    pub internal: bool,
    #[serde(skip_serializing_if = "no")]
    pub attachable: bool,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub labels: Mapping,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ipv4: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `networks.<name>.ipam`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ipam {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<IpamPool>,
    /// Compose 5 only.
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub options: Mapping,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// One entry of `ipam.config`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct IpamPool {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subnet: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub aux_addresses: Mapping,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `volumes.<name>`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Volume {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub driver_opts: Mapping,
    #[serde(skip_serializing_if = "no")]
    pub external: bool,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub labels: Mapping,
    #[serde(skip)]
    pub extensions: Extensions,
}

impl BindOptions {
    /// Whether a missing source directory is made: written `true`, or not written where absence means `true`.
    pub fn creates(&self, compat: Compat) -> bool {
        self.create_host_path.unwrap_or(compat == Compat::V5)
    }
}
