//! Texts under names that nobody can know: headers, and options of plugins.

use std::collections::BTreeMap;

use super::super::Label;
use super::super::keys::Part;
use super::super::value::Value;

fn text(part: &Part, labels: &[Label]) -> Value {
    match part.label.and_then(|index| labels.get(index)) {
        Some(label) if !label.known => Value::Later(label.value.clone()),
        Some(label) => Value::Text(label.value.clone()),
        None => Value::Text(String::new()),
    }
}

pub(super) fn text_entries(part: &Part, name: String, labels: &[Label], all: &mut BTreeMap<String, Value>) {
    if part.children.is_empty() {
        all.insert(name, text(part, labels));
        return;
    }
    for child in &part.children {
        text_entries(child, format!("{name}.{}", child.name), labels, all);
    }
}

/// A plugin's option: below it a list (`[0]`), a mapping, or nothing.
fn free(part: &Part, labels: &[Label]) -> Value {
    match part.children.first() {
        None => text(part, labels),
        Some(first) if first.name.starts_with('[') => {
            Value::Items(part.children.iter().map(|child| free(child, labels)).collect())
        }
        Some(_) => Value::Named(part.children.iter().map(|child| (child.name.clone(), free(child, labels))).collect()),
    }
}

/// A text within a mapping that begins with a comma: Traefik's decoder takes it for a list in a form of its own.
pub(super) fn comma_first(option: &Part, labels: &[Label]) -> Option<usize> {
    fn below(part: &Part, labels: &[Label]) -> Option<usize> {
        let own = part
            .label
            .filter(|index| part.children.is_empty() && labels.get(*index).is_some_and(|l| l.value.starts_with(',')));
        own.or_else(|| part.children.iter().find_map(|child| below(child, labels)))
    }
    let mapping = option.children.first().is_some_and(|first| !first.name.starts_with('['));
    let unfolded = option.children.iter().any(|child| child.name == option.name);
    if mapping && !unfolded { option.children.iter().find_map(|child| below(child, labels)) } else { None }
}

/// An option at the top of a plugin's. Where a mapping holds a key of its own name Traefik puts its content in its place.
pub(super) fn free_entries(part: &Part, labels: &[Label]) -> Vec<(String, Value)> {
    match free(part, labels) {
        Value::Named(inner) if inner.contains_key(&part.name) => inner.into_iter().collect(),
        value => vec![(part.name.clone(), value)],
    }
}
