//! A home on the disk: `hearth.yaml`, `stacks/`, `.env`, and what is rendered from them.
//!
//! ```text
//! let home = Home::find(global.home.as_deref(), &cwd)?     None: no hearth.yaml here or above
//! let read = home.read()?                                   stacks read and rendered, in memory
//! home.write_rendered(&read)?                               compose.yaml and compose/, only what changed
//! let loaded = home.load(&read, &given, &loading, None)     exactly as Compose loads the home's compose.yaml;
//!                                                           places point into stacks/. None: the profiles that are on
//! home.hand_edit()                                          COMPOSE_PROFILES in .env against hearth.yaml: ask before `up`
//! home.check_profiles(&read, &names)?                       names a person typed: known, or the nearest
//! home.set_profiles(|now| now.with(&names))?                records in hearth.yaml and .env together, over what stands there by now
//! home.edit_config(|text| config::set_adopted(text, ...))   hearth.yaml, every other byte kept
//! let known = readings.later().await?                       `known::Readings`: home and read of a server, kept while no file of it changes
//! let _editing = editing::begin(&home.dir)?                 held by whoever edits files otherwise than by these two, which hold it themselves
//! ```
//!
//! A refusal is [`Refused`]: diagnostics with the texts that they point into; `refused.tell(&out)` ends a command with it.

pub mod editing;
pub mod env;
pub mod init;
pub mod known;
mod load;
mod outside;
mod profiles;
mod read;
mod rendered;
pub mod secrets;
pub mod told;
mod values;
mod way;
pub mod write;

pub use profiles::HandEdit;
pub use read::{Read, is_stack_name};
pub use values::{database, domain_of};
pub use way::Way;

use std::path::{Path, PathBuf};

use super::Disk;
use crate::cli::{Failure, Out};
use crate::compose::{self, FileError, Files};
use crate::config::{self, Config};
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources};

/// What a person edits, below the home.
pub const STACKS: &str = "stacks";

/// A home and what its `hearth.yaml` says.
#[derive(Debug, Clone)]
pub struct Home {
    /// Absolute.
    pub dir: PathBuf,
    pub config: Config,
}

/// Why something about a home cannot be done, with the texts that the diagnostics point into.
#[derive(Debug, Default)]
pub struct Refused {
    pub diagnostics: Diagnostics,
    pub sources: Sources,
}

impl Refused {
    /// Says it all on standard error, and gives how the command ends.
    pub fn tell(self, out: &Out) -> Failure {
        self.diagnostics.0.iter().for_each(|d| out.diagnostic(d, &self.sources));
        Failure::Code(self.diagnostics.exit_code().max(1))
    }
}

impl From<Diagnostic> for Refused {
    fn from(diagnostic: Diagnostic) -> Refused {
        Refused { diagnostics: diagnostic.into(), sources: Sources::default() }
    }
}

/// Whether a folder has a `hearth.yaml`, of whatever kind: what cannot be one is told when it is read, and not passed over for the one
/// of a folder above.
fn is_there(dir: &Path) -> bool {
    std::fs::symlink_metadata(dir.join(config::FILE)).is_ok()
}

impl Home {
    /// The home that is named, else the one here or in a folder above. `None` where there is none.
    pub fn find(given: Option<&Path>, cwd: &Path) -> Result<Option<Home>, Refused> {
        if let Some(given) = given {
            let dir = PathBuf::from(compose::short::volume::clean(&cwd.join(given).to_string_lossy()));
            if !is_there(&dir) {
                let title = format!("{} is no home: there is no hearth.yaml in it", dir.display());
                let d = Diagnostic::error("home.none", title).kind(Kind::NotFound);
                return Err(d.hint(format!("make one with: hearth init {}", given.display())).into());
            }
            return Home::open(dir).map(Some);
        }
        match cwd.ancestors().find(|dir| is_there(dir)) {
            Some(dir) => Home::open(dir.to_path_buf()).map(Some),
            None => Ok(None),
        }
    }

    /// As [`Home::find`], where a command makes no sense without one.
    pub fn required(given: Option<&Path>, cwd: &Path) -> Result<Home, Refused> {
        Home::find(given, cwd)?.ok_or_else(|| {
            Diagnostic::error("home.none", format!("there is no hearth.yaml in {} or above it", cwd.display()))
                .kind(Kind::NotFound)
                .hint("go to a home, name one with --home DIR, or make one with: hearth init DIR")
                .into()
        })
    }

    /// The home whose `hearth.yaml` lies in `dir`, an absolute path.
    pub fn open(dir: PathBuf) -> Result<Home, Refused> {
        let disk = Disk::beneath(&dir).map_err(|e| unreadable(&dir, &e))?;
        Home::open_from(dir, &disk)
    }

    fn open_from(dir: PathBuf, files: &dyn Files) -> Result<Home, Refused> {
        let path = dir.join(config::FILE);
        let text = compose::discover::read_text(files, &path).map_err(|why| why.words("hearth.yaml"))?;
        let mut refused = Refused::default();
        let file = refused.sources.add(path, text);
        match config::parse(file, &refused.sources, &mut refused.diagnostics) {
            Some(config) => Ok(Home { dir, config }),
            None => Err(refused),
        }
    }

    /// Its folder, to write in.
    pub fn folder(&self) -> Result<write::Beneath, Diagnostic> {
        write::Beneath::open(&self.dir)
    }
}

fn unreadable(dir: &Path, error: &FileError) -> Refused {
    unreadable_words(dir, error).into()
}

fn unreadable_words(dir: &Path, error: &FileError) -> Diagnostic {
    let why = match error {
        FileError::NotFound => "it is not there".to_string(),
        FileError::Outside => "it leads outside".to_string(),
        FileError::Other(why) => why.clone(),
    };
    let d = Diagnostic::error("home.unreadable", format!("the home {} cannot be read: {why}", dir.display()));
    d.kind(Kind::Failed).hint("check that it is a folder and that you may read it")
}

#[cfg(test)]
mod tests;
