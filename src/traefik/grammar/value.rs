//! What labels say, as values: an [`Object`] holds what was written, by the names of the [`table`](super::table).

use std::collections::BTreeMap;

use super::scalar;
use super::table::{Default, Field, Shape};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
    /// In nanoseconds.
    Duration(i64),
    List(Vec<String>),
    Object(Object),
    Objects(Vec<Object>),
    /// Under names that a person chose, written as they were.
    Named(BTreeMap<String, Value>),
    /// A plugin's list.
    Items(Vec<Value>),
    /// With a variable in it that nobody has resolved: the text.
    Later(String),
}

/// What was written, by name; nested names by `get("sticky.cookie.name")`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object(pub BTreeMap<&'static str, Value>);

impl Object {
    /// The value at a path of names with dots between.
    pub fn get(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            None => self.0.get(path),
            Some((name, rest)) => self.object(name)?.get(rest),
        }
    }
    pub fn object(&self, path: &str) -> Option<&Object> {
        match self.get(path) {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        }
    }
    /// A text, also one with a variable in it.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.get(path) {
            Some(Value::Text(text) | Value::Later(text)) => Some(text),
            _ => None,
        }
    }
    pub fn flag(&self, path: &str) -> Option<bool> {
        match self.get(path) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }
    pub fn int(&self, path: &str) -> Option<i64> {
        match self.get(path) {
            Some(Value::Int(n)) => Some(*n),
            _ => None,
        }
    }
    /// In nanoseconds.
    pub fn duration(&self, path: &str) -> Option<i64> {
        match self.get(path) {
            Some(Value::Duration(n)) => Some(*n),
            _ => None,
        }
    }
    /// Nothing written is an empty list.
    pub fn list(&self, path: &str) -> &[String] {
        match self.get(path) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }
    /// Texts under names that a person chose, as headers.
    pub fn texts(&self, path: &str) -> BTreeMap<&str, &str> {
        let Some(Value::Named(all)) = self.get(path) else { return BTreeMap::new() };
        let texts = all.iter().filter_map(|(name, value)| match value {
            Value::Text(text) | Value::Later(text) => Some((name.as_str(), text.as_str())),
            _ => None,
        });
        texts.collect()
    }

    /// With what holds where nothing is written. `fields` is the object's row of the table.
    pub fn effective(&self, fields: &[Field]) -> Object {
        let mut all = BTreeMap::new();
        for field in fields {
            let value = match (self.0.get(field.name), field.default) {
                (Some(Value::List(items)), Default::List(_)) if items.is_empty() => initial(field),
                (Some(value), _) => Some(filled(value, field.shape)),
                (None, _) => initial(field),
            };
            all.extend(value.map(|value| (field.name, value)));
        }
        Object(all)
    }
}

fn initial(field: &Field) -> Option<Value> {
    Some(match field.default {
        Default::Zero => return None,
        Default::Bool(flag) => Value::Bool(flag),
        Default::Int(n) => Value::Int(n),
        Default::Text(text) => Value::Text(text.into()),
        Default::Duration(n) => Value::Duration(n),
        Default::List(items) => Value::List(items.iter().map(|item| item.to_string()).collect()),
        Default::Object => match field.shape {
            Shape::Struct(fields) => Value::Object(Object::default().effective(fields)),
            _ => return None,
        },
    })
}

fn filled(value: &Value, shape: Shape) -> Value {
    match (value, shape) {
        (Value::Object(object), Shape::Struct(fields) | Shape::One(fields)) => Value::Object(object.effective(fields)),
        (Value::Objects(all), Shape::Structs(fields)) => {
            Value::Objects(all.iter().map(|object| object.effective(fields)).collect())
        }
        (Value::Named(all), Shape::Named(shape)) => {
            Value::Named(all.iter().map(|(name, value)| (name.clone(), filled(value, *shape))).collect())
        }
        _ => value.clone(),
    }
}

/// The labels that say what an object says, below a key. `fields` is its row of the table.
pub(super) fn print(object: &Object, fields: &[Field], key: &str, labels: &mut BTreeMap<String, String>) {
    for (name, value) in &object.0 {
        let field = fields.iter().find(|field| field.name == *name);
        let shape = field.map_or(Shape::Free, |field| field.shape);
        write(value, shape, field.is_some_and(|field| field.bare), &format!("{key}.{name}"), labels);
    }
}

/// `alone`: an object may be there without anything below it.
fn write(value: &Value, shape: Shape, alone: bool, key: &str, labels: &mut BTreeMap<String, String>) {
    let leaf = match value {
        Value::Text(text) | Value::Later(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Duration(n) => scalar::duration_text(*n),
        // A single empty text: with nothing at all there would be none.
        Value::List(items) if *items == [""] => " ".into(),
        Value::List(items) => items.join(","),
        Value::Object(object) => {
            let fields = match shape {
                Shape::Struct(fields) | Shape::One(fields) => fields,
                _ => &[],
            };
            print(object, fields, key, labels);
            match fields.iter().find(|field| field.bare).filter(|_| !alone) {
                _ if !object.0.is_empty() => return,
                // Something below it that is off makes it be there.
                Some(field) => return drop(labels.insert(format!("{key}.{}", field.name), "false".into())),
                None => "true".into(),
            }
        }
        Value::Objects(all) if all.is_empty() => String::new(),
        Value::Objects(all) => {
            let shape = match shape {
                Shape::Structs(fields) => Shape::Struct(fields),
                other => other,
            };
            return each(all.len(), key, |i, key| write(&Value::Object(all[i].clone()), shape, true, &key, labels));
        }
        Value::Named(all) if all.is_empty() => String::new(),
        Value::Named(all) => {
            let inner = match shape {
                Shape::Named(inner) => *inner,
                other => other,
            };
            for (name, value) in all {
                let dot = if name.starts_with('[') { "" } else { "." };
                // An index stands behind its name without a dot, also within a name of several parts.
                write(value, inner, true, &format!("{key}{dot}{}", name.replace(".[", "[")), labels);
            }
            return;
        }
        Value::Items(all) => return each(all.len(), key, |i, key| write(&all[i], shape, true, &key, labels)),
    };
    labels.insert(key.to_string(), leaf);
}

/// Keys of a list, such that their order as text is that of the list.
fn each(length: usize, key: &str, mut say: impl FnMut(usize, String)) {
    let width = length.saturating_sub(1).to_string().len();
    (0..length).for_each(|i| say(i, format!("{key}[{i:0width$}]")));
}
