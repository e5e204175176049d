//! What a form of the panel brings: its fields by name. Some names are made of what there is (`group.family`), so they are not those of a type.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// What stands in a field; nothing where it is left out.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }

    /// As it was typed: a password.
    pub fn raw(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What stands in a field, where it has something.
    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A number, where it is one.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.text(name).parse().ok()
    }

    /// The rest of each name that begins so: boxes that are ticked.
    pub fn ticked(&self, begin: &str) -> Vec<String> {
        self.0.keys().filter_map(|name| name.strip_prefix(begin)).map(str::to_owned).collect()
    }
}
