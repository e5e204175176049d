//! The canonical project: what a set of Compose files means once everything short has been written long.
//!
//! Field order is not free: it is the order in which Compose serialises a service, and the config hash is a digest of
//! that text (Compose specification attributes; order and omission rules read off Compose 2.36 to 5.5). A field
//! is left out of the text when it is empty, except where a comment says otherwise.

mod resources;
mod scalar;
mod service;
mod storage;

pub use resources::*;
pub use scalar::*;
pub use service::*;
pub use storage::*;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::Serialize;

use crate::base::secret::Secret;
use crate::compose::{Compat, tree::Node};
use crate::diag::Span;

/// `x-*` keys of one mapping, as written (after interpolation). They never reach JSON output nor a hash.
pub type Extensions = BTreeMap<String, Node>;

/// A map of names to text (`labels`, `sysctls`, `driver_opts`...).
pub type Mapping = BTreeMap<String, String>;

/// A map of names to text where `None` means "take it from outside or leave it unset" (`environment`, build args).
pub type MappingWithNulls = BTreeMap<String, Option<String>>;

/// Where things were written, by field (`services.web.ports[0]`). Only asked, never listed, so that its order does not matter.
pub type Places = HashMap<String, Span>;

/// A loaded project. `services` are those enabled by the active profiles; `disabled` are known but off.
#[derive(Debug, Clone, Default)]
pub struct Project {
    pub name: String,
    /// Whose rules it was loaded by.
    pub compat: Compat,
    /// Absolute directory that relative paths were resolved against (label `project.working_dir`).
    pub working_dir: PathBuf,
    /// Absolute paths of the main files in load order (label `project.config_files`).
    pub config_files: Vec<PathBuf>,
    /// Absolute paths given by `--env-file` (label `project.environment_file`); empty when `.env` was found by itself.
    pub env_files: Vec<PathBuf>,
    /// The variables that interpolation saw.
    pub environment: BTreeMap<String, String>,
    /// Active profiles (`*` means all).
    pub profiles: Vec<String>,
    pub services: BTreeMap<String, Service>,
    pub disabled: BTreeMap<String, Service>,
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeMap<String, Volume>,
    pub secrets: BTreeMap<String, FileObject>,
    pub configs: BTreeMap<String, FileObject>,
    pub models: BTreeMap<String, Model>,
    /// Values of secrets that come from variables, by secret key. Never serialised.
    pub secret_values: BTreeMap<String, Secret>,
    pub extensions: Extensions,
    /// Where things were written: `services.web.ports[0]` to its place. Used by diagnostics after loading.
    pub places: Places,
}

/// `models.<name>` at top level.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Model {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub context_size: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runtime_flags: Vec<String>,
    #[serde(skip)]
    pub extensions: Extensions,
}

/// `secrets.<name>` and `configs.<name>` at top level.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FileObject {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// Inline text of a config. A secret's value is never here (see [`Project::secret_values`]).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content: String,
    #[serde(skip_serializing_if = "no")]
    pub external: bool,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub labels: Mapping,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub driver_opts: Mapping,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template_driver: String,
    #[serde(skip)]
    pub extensions: Extensions,
}

pub(crate) fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
pub(crate) fn no<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
