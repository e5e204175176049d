//! Compose files, as Docker Compose understands them: from text to a canonical [`model::Project`] and its hashes.
//!
//! Pure: files are read through [`Files`], variables come in as a value.

mod canonical;
mod checks;
mod consistency;
mod decode;
pub(crate) mod discover;
pub mod dotenv;
pub(crate) mod extends;
mod finish;
pub mod hash;
pub(crate) mod include;
mod interpolate;
mod lint;
pub(crate) mod load;
pub(crate) mod merge;
pub mod model;
pub mod output;
mod paths;
pub(crate) mod reset;
pub(crate) mod schema;
pub mod short;
pub mod template;
pub mod tree;
mod unique;
pub mod yaml;

pub use finish::{has_profile, no_such_service};
pub use load::{load, normal_name};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostics, Sources};

/// Which generation of Compose decides schema, order of evaluation, include rules, model and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize, serde::Deserialize)]
pub enum Compat {
    /// Compose 2.36 to 2.40.
    V2,
    /// Compose 5.x.
    #[default]
    V5,
}

/// How the loader reads. Implementations decide what may be read (a home's files stay beneath the home).
pub trait Files {
    /// The whole file. `Err` says why in one sentence without the path ("not found", "is a directory", ...).
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError>;
    fn is_file(&self, path: &Path) -> bool;
    fn is_dir(&self, path: &Path) -> bool;
    /// The path with symbolic links resolved (`develop.watch.path` only); `None` when it does not exist.
    fn canonical(&self, path: &Path) -> Option<PathBuf>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    NotFound,
    /// The path leads outside what this caller may read.
    Outside,
    /// Anything else, in words.
    Other(String),
}

/// What to load and from where: Compose's own flags, resolved to values.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `-f`, in order; `-` is standard input. Empty: `COMPOSE_FILE`, else discovery from `cwd` upward.
    pub files: Vec<PathBuf>,
    /// Text of standard input where a file is `-`.
    pub stdin: Option<String>,
    pub project_directory: Option<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--env-file`, in order.
    pub env_files: Vec<PathBuf>,
    /// `--profile`, in order; `*` is all.
    pub profiles: Vec<String>,
    /// The process environment, or nothing in a home.
    pub environment: BTreeMap<String, String>,
    pub cwd: PathBuf,
    /// `~`.
    pub home_dir: Option<PathBuf>,
    pub compat: Compat,
    /// Keep resources that no enabled service uses (`--all-resources`).
    pub all_resources: bool,
    /// Services named on the command line: they switch on their own profiles, and only they and what they need stay.
    pub targets: Vec<String>,
}

/// What loading gives: a project unless an error was found, and everything there is to say.
pub struct Loaded {
    pub project: Option<model::Project>,
    pub diagnostics: Diagnostics,
    pub sources: Sources,
}
