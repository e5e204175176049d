//! Where Hearth keeps what it needs to remember about a project: lock and history.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diag::Diagnostic;
use crate::store::Location;

/// The folders of one project's state.
#[derive(Debug, Clone)]
pub struct Place {
    /// A home's `state/` and its database, or why that cannot be said; `None` with `-f`.
    home: Option<(PathBuf, Result<Location, Diagnostic>)>,
    /// `$XDG_STATE_HOME/hearth`, else `~/.local/state/hearth`; `None` where neither is known.
    user: Option<PathBuf>,
    project: String,
}

impl Place {
    /// `home` is the home's directory and where its database is; `environment` gives XDG_STATE_HOME and HOME.
    pub fn new(
        home: Option<(&Path, Result<Location, Diagnostic>)>,
        environment: &BTreeMap<String, String>,
        project: &str,
    ) -> Place {
        let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let user = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Place {
            home: home.map(|(dir, database)| (dir.join("state"), database)),
            user: user.map(|dir| dir.join("hearth")),
            project: project.to_string(),
        }
    }

    pub fn project(&self) -> &str {
        &self.project
    }

    /// Lock files, to be taken in this order. The user's own is taken in a home too: the same project reached by `-f` is
    /// the same project.
    pub fn locks(&self, engine: &str) -> Vec<PathBuf> {
        let one = self.folder(engine).map(|dir| dir.join("lock"));
        let home = self.home.as_ref().map(|(state, _)| state.join(format!("{}.lock", self.project)));
        home.into_iter().chain(one).collect()
    }

    /// The history that this project is written to.
    pub fn history(&self, engine: &str) -> Option<Result<Location, Diagnostic>> {
        match &self.home {
            Some((_, database)) => Some(database.clone()),
            None => self.folder(engine).map(|dir| Ok(Location::file(dir.join("history.db")))),
        }
    }

    /// Every history there is for this project, whatever engine it is about; for looking things up while none answers.
    pub fn histories(&self) -> Result<Vec<Location>, Diagnostic> {
        if let Some((_, database)) = &self.home {
            return Ok(vec![database.clone()?]);
        }
        let engines = self.user.as_ref().and_then(|dir| std::fs::read_dir(dir).ok());
        let mut found: Vec<PathBuf> = engines
            .into_iter()
            .flatten()
            .flatten()
            .map(|engine| engine.path().join(&self.project).join("history.db"))
            .filter(|file| file.is_file())
            .collect();
        found.sort();
        Ok(found.into_iter().map(Location::file).collect())
    }

    /// The lock that belongs to a history of [`Place::histories`].
    pub fn lock_of(&self, history: &Location) -> PathBuf {
        match &self.home {
            Some((state, _)) => state.join(format!("{}.lock", self.project)),
            None => history.path().map(|file| file.with_file_name("lock")).unwrap_or_default(),
        }
    }

    fn folder(&self, engine: &str) -> Option<PathBuf> {
        let safe: String =
            engine.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let safe = if safe.is_empty() { "engine".to_string() } else { safe };
        self.user.as_ref().map(|dir| dir.join(safe).join(&self.project))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_lies_per_engine_and_project_and_in_a_home_beside_it() {
        let env = BTreeMap::from([("HOME".to_string(), "/home/me".to_string())]);
        let plain = Place::new(None, &env, "web");
        assert_eq!(plain.locks("AB:C/../D"), [PathBuf::from("/home/me/.local/state/hearth/AB_C____D/web/lock")]);
        let history = |place: &Place| place.history("e").unwrap().unwrap().to_string();
        assert_eq!(history(&plain), "/home/me/.local/state/hearth/e/web/history.db");
        let dir = Path::new("/srv/home");
        let home = Place::new(Some((dir, Location::of_home(dir, None))), &env, "web");
        assert_eq!(history(&home), "/srv/home/state/hearth.db");
        assert_eq!(home.locks("e").len(), 2);
        assert!(Place::new(None, &BTreeMap::new(), "web").locks("e").is_empty());
    }
}
