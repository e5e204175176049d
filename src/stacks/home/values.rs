//! What `.env` of a home says.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Home, unreadable_words};
use crate::compose::{self, Compat, dotenv};
use crate::diag::Diagnostic;
use crate::spec;
use crate::stacks::Disk;
use crate::store::{self, Location};

impl Home {
    /// The domain that `.env` names, as names are compared.
    pub fn domain(&self) -> Result<Option<String>, Diagnostic> {
        Ok(domain_of(&self.env_values()?))
    }

    /// [`Home::domain`] where services are reached by it: in domain mode.
    pub fn zone(&self) -> Result<Option<String>, Diagnostic> {
        Ok(self.domain()?.filter(|_| self.config.has_names()))
    }

    /// `.env` as it stands; empty where there is none. What cannot be read whole must not be written either.
    pub fn env_text(&self) -> Result<String, Diagnostic> {
        env_text(&self.dir)
    }

    /// The values of `.env`. What is wrong in it is told by whoever loads the project.
    pub fn env_values(&self) -> Result<BTreeMap<String, String>, Diagnostic> {
        env_values(&self.dir)
    }

    /// Where the home's database is. `environment`: that of the process, for where `.env` says nothing.
    pub fn database(&self, environment: &BTreeMap<String, String>) -> Result<Location, Diagnostic> {
        database(&self.dir, environment)
    }
}

/// The domain among the values of `.env`, as names are compared.
pub fn domain_of(values: &BTreeMap<String, String>) -> Option<String> {
    let domain = values.get(spec::routes::DOMAIN)?.trim_end_matches('.').to_ascii_lowercase();
    Some(domain).filter(|domain| !domain.is_empty())
}

/// `.env` of the home in `dir`, as [`Home::env_text`].
fn env_text(dir: &Path) -> Result<String, Diagnostic> {
    let disk = Disk::beneath(dir).map_err(|error| unreadable_words(dir, &error))?;
    match compose::discover::read_text(&disk, &dir.join(".env")) {
        Ok(text) if text.len() > compose::yaml::MAX_BYTES => {
            let title = format!("the file .env is larger than {} MiB", compose::yaml::MAX_BYTES >> 20);
            Err(Diagnostic::error("compose.too-large", title).hint("keep only variables in it"))
        }
        Ok(text) => Ok(text),
        Err(refusal) if refusal.is_missing() => Ok(String::new()),
        Err(refusal) => Err(refusal.words("the file .env")),
    }
}

fn env_values(dir: &Path) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut values = BTreeMap::new();
    let _ = dotenv::parse(&env_text(dir)?, &mut values, &|_| None, Compat::default());
    Ok(values)
}

/// Where the database of the home in `dir` is: `HEARTH_DATABASE_URL` in its `.env`, else in the environment, else a file in `state/`.
pub fn database(dir: &Path, environment: &BTreeMap<String, String>) -> Result<Location, Diagnostic> {
    let values = env_values(dir)?;
    let url = values.get(store::URL).or_else(|| environment.get(store::URL));
    Location::of_home(dir, url.map(String::as_str))
}
