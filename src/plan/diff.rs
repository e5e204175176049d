//! What differs between a wanted request and an inspected container, field by field.
//!
//! What the Engine or the image adds by itself is no difference. Values of secrets are hidden, by the name of their field
//! and wherever else the same text stands.

mod config;
mod host;
mod networks;
mod value;

use serde_json::Value;

use super::FieldChange;
use super::observed::{Container, Detail, Image};
use super::wanted::{ContainerRequest, InlineFile, Update};
pub use host::field_name;
use value::Hidden;

/// Everything about `container` that is not as `wanted` (its references filled in) says, in order of field.
///
/// `image` is what the reference means now; where the container came from another one, what an image brings is not compared.
pub fn diff(
    wanted: &ContainerRequest,
    container: &Container,
    detail: &Detail,
    image: Option<&Image>,
    files: &[InlineFile],
) -> Vec<FieldChange> {
    let same = |image: &&Image| container.image_id.is_empty() || container.image_id == image.id;
    let image = image.filter(same).map(|i| &i.config).filter(|c| !c.is_null());
    let mut found = Found { hidden: Hidden::new([&wanted.config, &detail.config], files), fields: Vec::new() };
    config::compare(wanted, container, &detail.config, image, &mut found);
    host::compare(&wanted.host_config, &detail.host_config, image, &mut found);
    networks::compare(wanted, container, &detail.network_settings, &mut found);
    found.fields.sort_by(|a, b| a.field.cmp(&b.field));
    found.fields
}

/// A container's limits and restart policy against what is wanted: what `docker update` may have changed.
#[derive(Debug, Default)]
pub struct Drift {
    /// What the Engine can put right on the living container.
    pub update: Option<Update>,
    /// The fields that `update` puts right.
    pub fields: Vec<FieldChange>,
    /// What only a new container can take back.
    pub fixed: Vec<FieldChange>,
}

pub fn drift(wanted: &Value, actual: &Value) -> Drift {
    host::drift(wanted, actual)
}

/// Differences as they are found.
struct Found {
    hidden: Hidden,
    fields: Vec<FieldChange>,
}

impl Found {
    fn add(&mut self, field: impl Into<String>, from: Option<String>, to: Option<String>) {
        let hide = |value: Option<String>| value.map(|v| self.hidden.show(v));
        let change = FieldChange { field: field.into(), from: hide(from), to: hide(to) };
        self.fields.push(change);
    }

    /// The value is a secret whatever it looks like.
    fn add_secret(&mut self, field: impl Into<String>, from: bool, to: bool) {
        let word = |there: bool| there.then(|| value::HIDDEN.to_string());
        self.fields.push(FieldChange { field: field.into(), from: word(from), to: word(to) });
    }

    /// Adds a change where the two differ; empty text counts as not there.
    fn text(&mut self, field: &str, from: &str, to: &str) {
        if from != to {
            let some = |s: &str| (!s.is_empty()).then(|| short_id(s).to_string());
            self.add(field, some(from), some(to));
        }
    }
}

/// `container:<64 hex>` with the first twelve of them, as every tool shows an id.
fn short_id(value: &str) -> &str {
    match value.strip_prefix("container:") {
        Some(id) if id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()) => &value[.."container:".len() + 12],
        _ => value,
    }
}

#[cfg(test)]
mod tests;
