//! The tree that every stage before the typed model works on: YAML with a place on each key and value.

use std::fmt;

use indexmap::IndexMap;

use crate::diag::Span;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    pub span: Span,
    pub value: Value,
    /// `!reset` or `!override`, until the loader has taken note of it.
    pub mark: Mark,
}

/// Compose's two YAML tags (Compose specification, 13-merge).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mark {
    #[default]
    None,
    Reset,
    Override,
}

/// YAML's kinds as Compose's parser resolves them (YAML 1.1 numbers, 1.2 booleans).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    Float(f64),
    /// An unquoted date or time; Compose refuses it wherever a scalar is checked. Holds the text.
    Date(String),
    Str(String),
    Seq(Vec<Node>),
    Map(Map),
}

/// A mapping in the order written, each key with its place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map(pub IndexMap<String, Entry>);

#[derive(Debug, Clone)]
pub struct Entry {
    pub key: Span,
    pub node: Node,
}

/// Equality is of content: two values are equal wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.value == other.value
    }
}
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.node == other.node
    }
}

impl Node {
    pub fn new(span: Span, value: Value) -> Node {
        Node { span, value, mark: Mark::None }
    }
    pub fn str(span: Span, text: impl Into<String>) -> Node {
        Node::new(span, Value::Str(text.into()))
    }
    pub fn null(span: Span) -> Node {
        Node::new(span, Value::Null)
    }
    pub fn map(span: Span) -> Node {
        Node::new(span, Value::Map(Map::default()))
    }
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }
    /// The value under a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key)
    }
    /// `get` along several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }
    /// What kind of value this is, in words for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Uint(_) => "a number",
            Value::Float(_) => "a decimal number",
            Value::Date(_) => "a date",
            Value::Str(_) => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
    /// A scalar as Go's `fmt` prints it (`true`, `1.5`, `1e+06`); `None` for lists and mappings.
    pub fn scalar_text(&self) -> Option<String> {
        Some(match &self.value {
            Value::Null => String::new(),
            Value::Bool(b) => b.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Uint(n) => n.to_string(),
            Value::Float(f) => go_float(*f),
            Value::Date(text) | Value::Str(text) => text.clone(),
            Value::Seq(_) | Value::Map(_) => return None,
        })
    }
}

impl FromIterator<(String, Node)> for Map {
    fn from_iter<I: IntoIterator<Item = (String, Node)>>(items: I) -> Map {
        Map(items.into_iter().map(|(key, node)| (key, Entry { key: node.span, node })).collect())
    }
}

impl Map {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key).map(|entry| &entry.node)
    }
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.get_mut(key).map(|entry| &mut entry.node)
    }
    /// Sets a key; a new one takes its place from the value.
    pub fn set(&mut self, key: impl Into<String>, node: Node) {
        let key = key.into();
        match self.0.get_mut(&key) {
            Some(entry) => entry.node = node,
            None => {
                self.0.insert(key, Entry { key: node.span, node });
            }
        }
    }
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.0.shift_remove(key).map(|entry| entry.node)
    }
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.0.iter().map(|(key, entry)| (key, &entry.node))
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Go's `%v` of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
pub fn go_float(f: f64) -> String {
    if f.is_nan() {
        return "NaN".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let shortest = format!("{f:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if f != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{f}")
}

/// Where a walker stands: keys from the root down. List items are `[]` to patterns, `[3]` to people.
#[derive(Debug, Clone, Default)]
pub struct Path<'a> {
    keys: Vec<&'a str>,
    indexes: Vec<usize>,
}

impl<'a> Path<'a> {
    pub fn new(keys: &[&'a str]) -> Self {
        Path { keys: keys.to_vec(), indexes: Vec::new() }
    }
    pub fn push(&mut self, key: &'a str) {
        self.keys.push(key);
    }
    pub fn push_index(&mut self, index: usize) {
        self.keys.push("[]");
        self.indexes.push(index);
    }
    pub fn pop(&mut self) {
        if self.keys.pop() == Some("[]") {
            self.indexes.pop();
        }
    }
    /// For patterns: `["services", _, "ports", "[]"]`.
    pub fn keys(&self) -> &[&'a str] {
        &self.keys
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut indexes = self.indexes.iter();
        for (i, key) in self.keys.iter().enumerate() {
            match (*key, i) {
                ("[]", _) => write!(f, "[{}]", indexes.next().copied().unwrap_or(0))?,
                (key, 0) => f.write_str(key)?,
                (key, _) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_go_prints_them() {
        for (f, text) in [
            (1.5, "1.5"),
            (1e3, "1000"),
            (123_456_789.123, "1.23456789123e+08"),
            (1e6, "1e+06"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(go_float(f), text, "{f}");
        }
    }

    #[test]
    fn a_path_names_list_items_by_number() {
        let mut path = Path::new(&["services", "web", "ports"]);
        path.push_index(2);
        path.push("target");
        assert_eq!(path.to_string(), "services.web.ports[2].target");
        assert_eq!(path.keys(), ["services", "web", "ports", "[]", "target"]);
    }
}
