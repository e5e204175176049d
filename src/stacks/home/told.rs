//! What a person tells the home in the setup: values of variables, written into `.env` with every other byte kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::secrets::{self, Variables};
use super::{Home, Read, editing, env};
use crate::base::secret::is_secret_name;
use crate::diag::{Diagnostic, Kind};

/// A variable without which services cannot run, and which has no value, or a placeholder for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    pub name: String,
    /// What the stack says that it is.
    pub why: String,
    /// Its name says that its value is a secret.
    pub secret: bool,
    /// Those of the services asked for that use it.
    pub services: Vec<String>,
}

impl Home {
    /// What these services still need to be told.
    pub fn untold(&self, read: &Read, services: &BTreeSet<String>) -> Result<Vec<Untold>, Diagnostic> {
        let text = self.env_text()?;
        let placeholders = secrets::weak(&text).into_iter().filter(|one| one.why.contains("placeholder"));
        let placeholders: BTreeSet<String> = placeholders.map(|one| one.name).collect();
        let set = |name: &str| {
            let last = env::statements(&text).into_iter().rfind(|one| one.name == name);
            last.is_some_and(|one| !text[one.value].trim_matches(['"', '\'']).is_empty())
        };
        let mut found: BTreeMap<String, Untold> = BTreeMap::new();
        for (service, spec) in read.spec.services.iter().filter(|(name, _)| services.contains(*name)) {
            let mut variables = Variables::default();
            variables.collect(&spec.node);
            for (name, required) in variables.required {
                if set(&name) && !placeholders.contains(&name) {
                    continue;
                }
                let one = found.entry(name.clone()).or_insert_with(|| Untold {
                    why: required.why,
                    secret: is_secret_name(&name),
                    services: Vec::new(),
                    name,
                });
                one.services.push(service.clone());
            }
        }
        Ok(found.into_values().collect())
    }

    /// Writes a variable into `.env`.
    pub fn tell(&self, name: &str, value: &str) -> Result<(), Diagnostic> {
        let _editing = editing::begin(&self.dir)?;
        let text = self.env_text()?;
        let new = env::holding(&text, name, value).ok_or_else(|| unfit(name))?;
        match new == text {
            true => Ok(()),
            false => self.folder()?.write(Path::new(".env"), &new, 0o600),
        }
    }
}

fn unfit(name: &str) -> Diagnostic {
    Diagnostic::error("home.cannot-tell", format!("this value of {name} cannot be written so that Compose reads it"))
        .kind(Kind::Invalid)
        .field(name.to_owned())
        .hint("take one without quotes, backslashes and line ends, or write it into .env by hand")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_and_nothing_else() {
        for (before, value, after) in [
            ("", "x", "N=x\n"),
            ("# c\nN=\nB='y' # d\n", "a b", "# c\nN='a b'\nB='y' # d\n"),
            ("A=1", "home.arpa", "A=1\nN=home.arpa\n"),
            ("A=1\r\nN=old # why\r\n", "$x #y", "A=1\r\nN='$x #y' # why\r\n"),
            ("#N=a\nN=b\n", "c", "#N=a\nN=c\n"),
        ] {
            assert_eq!(env::holding(before, "N", value).as_deref(), Some(after), "{before:?}");
        }
        for value in ["it's", "two\nlines"] {
            let new = env::holding("A=1\n", "N", value);
            assert!(new.is_none_or(|new| new.starts_with("A=1\n")), "{value:?}");
        }
    }
}
