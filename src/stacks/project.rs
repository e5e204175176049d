//! Which project a command line means, and loading it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Disk, compat};
use crate::args::Global;
use crate::cli::Out;
use crate::compose::{self, Compat, Loaded, Request};

/// What the process brought: directory, variables, flags before the command.
pub struct Given {
    pub global: Global,
    pub cwd: PathBuf,
    pub environment: BTreeMap<String, String>,
}

/// What a command wants of loading beyond the flags that all share.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    pub targets: Vec<String>,
    pub all_resources: bool,
    /// Services of every profile, on or off.
    pub all_profiles: bool,
    /// In a home: act on these profiles instead of those that are on.
    pub profiles: Option<Vec<String>>,
    /// With `-p` and no Compose file at hand the labels of containers are enough to act on.
    pub labels_do: bool,
}

impl Loading {
    /// What is on, or just `targets` and what they need.
    pub fn selected(targets: Vec<String>) -> Loading {
        Loading { targets, ..Loading::default() }
    }

    /// Whatever belongs to the project, for commands that end or show what runs.
    pub fn whole() -> Loading {
        Loading { all_resources: true, all_profiles: true, labels_do: true, ..Loading::default() }
    }
}

impl Given {
    pub fn new(global: &Global, out: &Out) -> Given {
        Given { global: global.clone(), cwd: out.cwd.clone(), environment: out.environment() }
    }

    /// `--compat`, else the installed Compose, else the current generation.
    pub fn compat(&self) -> Compat {
        let asked = self.global.compat.map(Compat::from);
        asked.or_else(|| compat::installed(&self.environment)).unwrap_or_default()
    }

    /// The flags before the command, as they were typed, for commands that are shown to the person.
    pub fn flags(&self) -> String {
        let global = &self.global;
        let mut words = Vec::new();
        global.home.iter().for_each(|dir| words.extend(["--home".into(), dir.display().to_string()]));
        global.files.iter().for_each(|file| words.extend(["-f".into(), file.display().to_string()]));
        global.project_name.iter().for_each(|name| words.extend(["-p".into(), name.clone()]));
        global
            .project_directory
            .iter()
            .for_each(|d| words.extend(["--project-directory".into(), d.display().to_string()]));
        global.env_files.iter().for_each(|file| words.extend(["--env-file".into(), file.display().to_string()]));
        global.profiles.iter().for_each(|name| words.extend(["--profile".into(), name.clone()]));
        words.iter().fold(String::new(), |line, word| line + &super::who::quoted(word) + " ")
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
            profiles: if loading.all_profiles { vec!["*".into()] } else { self.global.profiles.clone() },
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
