//! Which project a command line means, and loading it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Disk, compat};
use crate::command::Global;
use crate::compose::{self, Compat, Loaded, Request};

/// What the process brought: directory, variables, flags before the command.
pub struct Given<'a> {
    pub global: &'a Global,
    pub cwd: PathBuf,
    pub environment: BTreeMap<String, String>,
}

/// What a command wants of loading beyond the flags that all share.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    pub targets: Vec<String>,
    pub all_resources: bool,
}

impl<'a> Given<'a> {
    pub fn new(global: &'a Global, cwd: &std::path::Path) -> Given<'a> {
        let text = |s: std::ffi::OsString| s.into_string().ok();
        let environment = std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect();
        Given { global, cwd: cwd.to_path_buf(), environment }
    }

    /// `--compat`, else the installed Compose, else the current generation.
    pub fn compat(&self) -> Compat {
        let asked = self.global.compat.map(Compat::from);
        asked.or_else(|| compat::installed(&self.environment)).unwrap_or_default()
    }

    pub fn home_dir(&self) -> Option<PathBuf> {
        self.environment.get("HOME").filter(|h| !h.is_empty()).map(PathBuf::from)
    }

    /// Loads the project that the flags name.
    pub fn load(&self, loading: &Loading) -> Loaded {
        let stdin = self.global.files.iter().any(|f| f.as_os_str() == "-").then(|| {
            let mut text = String::new();
            let _ = std::io::Read::read_to_string(
                &mut std::io::Read::take(std::io::stdin().lock(), compose::yaml::MAX_BYTES as u64 + 1),
                &mut text,
            );
            text
        });
        let request = Request {
            files: self.global.files.clone(),
            stdin,
            project_directory: self.global.project_directory.clone(),
            project_name: self.global.project_name.clone(),
            env_files: self.global.env_files.clone(),
            profiles: self.global.profiles.clone(),
            environment: self.environment.clone(),
            cwd: self.cwd.clone(),
            home_dir: self.home_dir(),
            compat: self.compat(),
            all_resources: loading.all_resources,
            targets: loading.targets.clone(),
        };
        compose::load(&request, &Disk::whole())
    }
}
