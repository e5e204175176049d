//! What differs between a wanted request and an inspected container, field by field.

use serde_json::Value;

use super::FieldChange;
use super::observed::{Container, Detail, Image};
use super::wanted::{ContainerRequest, InlineFile, Update};

/// A container's limits and restart policy against what is wanted.
#[derive(Debug, Default)]
pub struct Drift {
    /// What the Engine can change on the living container.
    pub update: Option<Update>,
    pub fields: Vec<FieldChange>,
    /// What only a new container can take back.
    pub fixed: Vec<FieldChange>,
}

pub fn drift(wanted: &Value, actual: &Value) -> Drift {
    let _ = (wanted, actual);
    Drift::default()
}

pub fn diff(
    wanted: &ContainerRequest,
    container: &Container,
    detail: &Detail,
    image: Option<&Image>,
    files: &[InlineFile],
) -> Vec<FieldChange> {
    let _ = (wanted, container, detail, image, files);
    vec![FieldChange { field: "definition".into(), from: None, to: None }]
}

/// An Engine field as a person would write it in the stack.
pub fn field_name(key: &str) -> String {
    key.to_string()
}
