//! Variables that stacks require, and values in `.env` that are no secrets but placeholders for one, or too short for one.

use std::collections::BTreeMap;

use super::env;
use crate::base::secret::is_secret_name;
use crate::compose::template;
use crate::compose::tree::{Node, Value};
use crate::diag::{Diagnostic, Diagnostics, FileId, Span};

/// A variable without which nothing can be loaded: `${NAME:?why}` or `${NAME?why}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// The author's words behind the `?`.
    pub why: String,
    /// Where it stands first.
    pub span: Span,
}

/// Every variable in the values of a tree: whether it is required, by name.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    pub required: BTreeMap<String, Required>,
    pub all: std::collections::BTreeSet<String>,
    /// The first default that is written for a variable: `${NAME:-default}`.
    pub defaults: BTreeMap<String, String>,
}

impl Variables {
    pub fn collect(&mut self, node: &Node) {
        match &node.value {
            Value::Str(text) => self.text(text, node.span),
            Value::Seq(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Map(map) => map.iter().for_each(|(_, node)| self.collect(node)),
            _ => {}
        }
    }

    pub fn text(&mut self, text: &str, span: Span) {
        for (name, operation) in template::variables(text) {
            if let Some(why) = operation.strip_prefix(":?").or_else(|| operation.strip_prefix('?')) {
                let required = Required { why: why.to_string(), span };
                self.required.entry(name.to_string()).or_insert(required);
            }
            if let Some(default) = operation.strip_prefix(":-").or_else(|| operation.strip_prefix('-')) {
                self.defaults.entry(name.to_string()).or_insert_with(|| default.to_string());
            }
            self.all.insert(name.to_string());
        }
    }

    /// Required variables whose name says that they are secrets.
    pub fn secrets(&self) -> impl Iterator<Item = (&String, &Required)> {
        self.required.iter().filter(|(name, _)| is_secret_name(name))
    }
}

/// Refuses required secrets whose value in `.env` is a placeholder. The value itself is not shown.
pub fn refuse_placeholders(variables: &Variables, text: &str, file: FileId, diagnostics: &mut Diagnostics) {
    for statement in env::statements(text) {
        let Some((name, required)) = variables.secrets().find(|(name, _)| **name == statement.name) else { continue };
        let value = text[statement.value.clone()].trim_matches(['"', '\'']);
        if !is_placeholder(value) {
            continue;
        }
        let said = if value.trim().is_empty() { "is empty" } else { "is a placeholder, which everyone can guess" };
        diagnostics.push(
            Diagnostic::error("home.placeholder", format!("the value of {name} in .env {said}"))
                .at(Span { file, line: statement.line, column: 1, width: name.chars().count() as u32 })
                .related(required.span, "it is needed here")
                .hint("put a random value there: openssl rand -hex 16 makes one"),
        );
    }
}

/// A value in `.env` that too many may know, under a name that says it is a secret. The value itself is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weak {
    pub name: String,
    pub line: u32,
    /// As in "its value ...".
    pub why: &'static str,
}

/// Characters that a secret has at least: what is shorter is tried through.
const SHORTEST: usize = 8;

/// All of them, in the order written. Nothing at all is no value.
pub fn weak(text: &str) -> Vec<Weak> {
    let one = |statement: env::Statement| {
        let value = text[statement.value.clone()].trim().trim_matches(['"', '\'']);
        if !is_secret_name(&statement.name) || points_elsewhere(&statement.name) || value.is_empty() || is_switch(value)
        {
            return None;
        }
        let why = match value {
            _ if is_placeholder(value) => "is a placeholder, which everyone can guess",
            _ if value.contains("${") => return None,
            _ if value.chars().count() < SHORTEST => "is shorter than 8 characters, and soon tried through",
            _ => return None,
        };
        Some(Weak { name: statement.name, line: statement.line, why })
    };
    env::statements(text).into_iter().filter_map(one).collect()
}

/// Warns of those that stacks use. What they require and is a placeholder was refused: [`refuse_placeholders`].
pub fn warn_of_weak(variables: &Variables, text: &str, file: FileId, diagnostics: &mut Diagnostics) {
    for Weak { name, line, why } in weak(text) {
        let required = variables.required.contains_key(&name);
        if !variables.all.contains(&name) || (required && why.contains("placeholder")) {
            continue;
        }
        diagnostics.push(
            Diagnostic::warning("home.weak-secret", format!("the value of {name} in .env {why}"))
                .at(Span { file, line, column: 1, width: name.chars().count() as u32 })
                .hint("put a random value there: openssl rand -hex 16 makes one; the service may have to be told of it too"),
        );
    }
}

/// A name of where a secret lies, or of how it is used: `DB_PASSWORD_FILE`, `TOKEN_TTL`.
fn points_elsewhere(name: &str) -> bool {
    const ENDS: [&str; 14] = [
        "_FILE",
        "_PATH",
        "_DIR",
        "_URL",
        "_URI",
        "_HOST",
        "_ID",
        "_NAME",
        "_USER",
        "_TTL",
        "_LIFETIME",
        "_EXPIRY",
        "_TYPE",
        "_MODE",
    ];
    let upper = name.to_uppercase();
    ENDS.iter().any(|end| upper.ends_with(end))
}

/// `AUTH=true` is a switch.
fn is_switch(value: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off", "none", "0", "1"].contains(&value.to_lowercase().as_str())
}

/// Words that stand in examples where a secret should stand.
fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 18] = [
        "changeme",
        "changeit",
        "changethis",
        "replaceme",
        "password",
        "passwort",
        "passwd",
        "secret",
        "example",
        "default",
        "admin",
        "root",
        "test",
        "todo",
        "fixme",
        "xxx",
        "yourpassword",
        "yoursecret",
    ];
    let plain: String = value.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let filler = !plain.is_empty() && plain.len() > 2 && plain.chars().all(|c| c == 'x');
    let numbered = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    value.trim().is_empty()
        || plain.is_empty() && value.len() < 8
        || filler
        || WORDS.contains(&plain.as_str())
        || (!numbered.is_empty() && plain.len() - numbered.len() <= 4 && WORDS.contains(&numbered))
        || plain.starts_with("changeme")
        || plain.starts_with("changethis")
        || (value.starts_with('<') && value.ends_with('>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_15_weak_values_are_told_by_name_and_line_and_never_shown() {
        let text = "# mine\nTZ=UTC\nDB_PASSWORD=changeme\nAPI_TOKEN='abc'\nexport JWT_SECRET=\"x9-Kq_77-long-enough\"\nAUTH=true\nSECRET=\n\
                    TOKEN_TTL=60\nDB_PASSWORD_FILE=/x\nOTHER_KEY=${DB_PASSWORD}\nHEARTH_KEY=<your key>\n";
        let found: Vec<(String, u32)> = weak(text).into_iter().map(|weak| (weak.name, weak.line)).collect();
        let expected = [("DB_PASSWORD", 3), ("API_TOKEN", 4), ("HEARTH_KEY", 11)];
        assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
        assert!(!format!("{:?}", weak(text)).contains("changeme"));
    }

    #[test]
    fn placeholders_are_known_and_secrets_are_not_taken_for_them() {
        for value in [
            "",
            " ",
            "changeme",
            "change_me",
            "CHANGE-ME!",
            "password",
            "password123",
            "secret",
            "<your key>",
            "xxxx",
            "example",
            "***",
        ] {
            assert!(is_placeholder(value), "{value:?}");
        }
        for value in
            ["kT9x-2f_QQ1", "correct horse battery staple", "secretariat", "hunter2hunter2", "0123456789abcdef"]
        {
            assert!(!is_placeholder(value), "{value:?}");
        }
    }
}
