//! Which profiles of a home are on, and edits of its `hearth.yaml`: each with a lock, over what stands there by then.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Home, Read, editing, env, write};
use crate::base::{files, wording};
use crate::compose::{Compat, dotenv};
use crate::config;
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources};

/// `COMPOSE_PROFILES` in `.env` says something else than `hearth.yaml`: somebody changed one of them by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandEdit {
    /// On in `hearth.yaml`.
    pub recorded: Vec<String>,
    /// On in `.env`.
    pub in_env: Vec<String>,
}

impl HandEdit {
    /// The question to ask before `hearth.yaml` wins.
    pub fn question(&self) -> String {
        let shown = |list: &[String]| if list.is_empty() { "nothing".to_string() } else { wording::list(list) };
        format!(
            "COMPOSE_PROFILES in .env turns on {}, hearth.yaml turns on {}. Go on with what hearth.yaml says and write it into .env?",
            shown(&self.in_env),
            shown(&self.recorded)
        )
    }
}

impl Home {
    /// Whether a service with these profiles is on: it has none, or one of them is.
    pub fn has_on(&self, profiles: &[String]) -> bool {
        profiles.is_empty() || profiles.iter().any(|profile| self.config.profiles.contains(profile))
    }

    /// Whether `COMPOSE_PROFILES` was changed by hand, or `hearth.yaml` was. A missing variable is no edit.
    pub fn hand_edit(&self) -> Option<HandEdit> {
        // What is wrong with the file is told by whoever loads it or writes to it.
        let text = self.env_text().ok()?;
        env::statements(&text).iter().find(|s| s.name == env::PROFILES)?;
        let mut values = BTreeMap::new();
        let _ = dotenv::parse(&text, &mut values, &|_| None, Compat::default());
        let listed = values.get(env::PROFILES).map(String::as_str).unwrap_or_default();
        let in_env: Vec<String> = listed.split(',').map(|p| p.trim().to_string()).filter(|p| !p.is_empty()).collect();
        let sorted = |list: &[String]| list.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        (sorted(&in_env) != sorted(&self.config.profiles))
            .then(|| HandEdit { recorded: self.config.profiles.clone(), in_env })
    }

    /// Refuses names that no stack has as a profile, with the nearest that one has.
    pub fn check_profiles(&self, read: &Read, names: &[String]) -> Result<(), Diagnostic> {
        let known = read.spec.profiles();
        let Some(name) = names.iter().find(|name| !known.contains(name)) else { return Ok(()) };
        let d = Diagnostic::error("home.no-profile", format!("no stack has a profile `{name}`")).kind(Kind::NotFound);
        Err(match wording::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("there are: {}", wording::list(&known))),
        })
    }

    /// The first of these names that no stack has as a service, with the nearest that one has.
    pub fn check_services(&self, read: &Read, names: &[String]) -> Result<(), Diagnostic> {
        let known = &read.spec.services;
        let Some(name) = names.iter().find(|name| !known.contains_key(*name)) else { return Ok(()) };
        let title = format!("no stack has a service `{name}`");
        let d = Diagnostic::error("compose.no-such-service", title).kind(Kind::NotFound).field("services");
        Err(match wording::nearest(name, known.keys().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("there are: {}", wording::list(&known.keys().collect::<Vec<_>>()))),
        })
    }

    /// The profiles that are on and these too, each once.
    pub fn with(&self, names: &[String]) -> Vec<String> {
        let mut all = self.config.profiles.clone();
        for name in names {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
        all
    }

    /// The profiles that are on without these.
    pub fn without(&self, names: &[String]) -> Vec<String> {
        self.config.profiles.iter().filter(|p| !names.contains(p)).cloned().collect()
    }

    /// Records which profiles are on: in `hearth.yaml`, and in `COMPOSE_PROFILES` of `.env` so that plain Compose means the
    /// same. Every other byte of both stays. `wanted` is asked of the home as it is by then: another command may have turned profiles on or off
    /// since this one was read. Gives whether `hearth.yaml` said something else.
    pub fn set_profiles(&mut self, wanted: impl FnOnce(&Home) -> Vec<String>) -> Result<bool, Diagnostic> {
        let _editing = editing::begin(&self.dir)?;
        self.take_up(self.config_text()?);
        let profiles = wanted(self);
        let text = self.env_text()?;
        let changed = self.config.profiles != profiles;
        if changed {
            self.write_config(|text| config::set_profiles(text, &profiles))?;
        }
        let new = env::with_profiles(&text, &profiles);
        if new != text {
            self.folder()?.write(Path::new(".env"), &new, 0o600)?;
        }
        Ok(changed)
    }

    /// Changes `hearth.yaml` by one of the edits of [`config`], and this home with it.
    pub fn edit_config(&mut self, edit: impl FnOnce(&str) -> Result<String, Diagnostic>) -> Result<(), Diagnostic> {
        let _editing = editing::begin(&self.dir)?;
        self.write_config(edit)
    }

    /// As [`Home::edit_config`], by who holds the lock.
    fn write_config(&mut self, edit: impl FnOnce(&str) -> Result<String, Diagnostic>) -> Result<(), Diagnostic> {
        let text = self.config_text()?;
        let new = edit(&text)?;
        if new != text {
            self.folder()?.write(Path::new(config::FILE), &new, 0o644)?;
        }
        self.take_up(new);
        Ok(())
    }

    /// `hearth.yaml`, byte for byte as it stands.
    pub fn config_text(&self) -> Result<String, Diagnostic> {
        let path = self.dir.join(config::FILE);
        files::read_text(&path).map_err(|error| write::failed(&path, &error))
    }

    /// What a text of `hearth.yaml` says holds for this home from now on; one with mistakes is told by who edits it.
    fn take_up(&mut self, text: String) {
        let mut sources = Sources::default();
        let file = sources.add(self.dir.join(config::FILE), text);
        if let Some(config) = config::parse(file, &sources, &mut Diagnostics::default()) {
            self.config = config;
        }
    }
}
