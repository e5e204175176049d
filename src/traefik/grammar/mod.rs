//! A model of Traefik's label grammar: what the labels of a container mean to Traefik 3.7, and what would go wrong with them.
//!
//! [`read`] goes three steps: keys become a tree, the tree is laid beside the [`table`] of all options ([`decode`], which answers as
//! Traefik's own decoder does), and what was read is judged as the Docker provider and the routers would judge it (private `judge`).
//! [`conflicts`] looks at several containers at once, [`Labels::print`] writes labels again.
//!
//! Traefik is strict in odd places: one key that it does not know costs all routes of the container, while `tls=maybe` silently serves a
//! route without TLS. So every mistake here is an error, and says what would be lost.

mod claims;
mod conflicts;
mod decode;
mod judge;
mod keys;
pub mod model;
pub mod scalar;
pub mod table;
mod value;

use std::collections::BTreeMap;

use crate::diag::{Diagnostics, Span};

pub use claims::claims;
pub use conflicts::{Container, conflicts};
pub use decode::{Decoded, Outcome, decode};
pub use keys::is_traefik;
pub use model::{Labels, Routing};
pub use value::{Object, Value};

/// One label as it was written.
#[derive(Debug, Clone)]
pub struct Label {
    pub key: String,
    pub value: String,
    /// No variable is left in the value. Else only the key is judged.
    pub known: bool,
    pub key_span: Option<Span>,
    pub value_span: Option<Span>,
}

impl Label {
    /// A label without a place.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Label {
        Label { key: key.into(), value: value.into(), known: true, key_span: None, value_span: None }
    }
}

/// What a container's labels mean, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Read {
    pub labels: Labels,
    pub places: Places,
    /// Whether Traefik's decoder would take them.
    pub outcome: Outcome,
    pub diagnostics: Diagnostics,
}

/// Reads and judges the labels of one container. Labels that are not Traefik's are passed over.
pub fn read(labels: &[Label]) -> Read {
    let decoded = decode(labels);
    let mut read = Read {
        labels: Labels::from(decoded.root),
        places: decoded.places,
        outcome: decoded.outcome,
        diagnostics: decoded.diagnostics,
    };
    judge::judge(&mut read);
    read
}

/// Where each thing was written, by its path of names (`http`, `routers`, `web`, `rule`).
#[derive(Debug, Clone, Default)]
pub struct Places {
    all: BTreeMap<Vec<String>, Place>,
    /// Things below which a key was not known: what else they lack may be meant by it.
    incomplete: Vec<Vec<String>>,
}

/// A label's key, and the places of key and value.
#[derive(Debug, Clone)]
pub struct Place {
    pub key: String,
    pub key_span: Option<Span>,
    pub value_span: Option<Span>,
    /// The value holds a variable that nobody has resolved.
    pub later: bool,
}

impl Places {
    fn insert(&mut self, path: &[String], label: &Label) {
        let place = Place {
            key: label.key.clone(),
            key_span: label.key_span,
            value_span: label.value_span,
            later: !label.known,
        };
        self.all.entry(path.to_vec()).or_insert(place);
    }

    /// The label that wrote it; of a thing with several labels the first.
    pub fn of(&self, path: &[&str]) -> Option<&Place> {
        let path: Vec<String> = path.iter().map(|name| (*name).to_string()).collect();
        self.all.get(&path)
    }

    fn has_below(&self, path: &[&str]) -> bool {
        let begins = |other: &Vec<String>| other.len() > path.len() && other.iter().zip(path).all(|(a, b)| a == b);
        self.all.keys().any(begins)
    }

    /// The path of something written below a first name.
    fn first_below(&self, name: &str) -> Option<Vec<String>> {
        self.all.keys().find(|path| path.first().is_some_and(|first| first == name)).cloned()
    }

    /// Whether something was written below, of which not all could be read.
    fn is_incomplete(&self, path: &[&str]) -> bool {
        self.incomplete.iter().any(|other| other.iter().map(String::as_str).eq(path.iter().copied()))
    }

    /// The label of the nearest thing above that was written.
    fn near(&self, path: &[&str]) -> Option<&Place> {
        (1..=path.len()).rev().find_map(|length| self.of(&path[..length]))
    }
}

/// What a mistake costs, as the end of a sentence.
mod loss {
    pub const CONTAINER: &str = "Traefik would drop all routes of this container";
    pub const IGNORED: &str = "Traefik would pass over it without a word";
    pub const PANIC: &str = "Traefik's Docker provider would fail at it, and see no change of any container any more";

    pub fn router(name: &str) -> String {
        format!("Traefik would not serve the router `{name}`")
    }
}

#[cfg(test)]
mod tests;
