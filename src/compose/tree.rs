//! The tree that every stage before the typed model works on: YAML with a place on each key and value.

use indexmap::IndexMap;

use crate::diag::Span;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    pub span: Span,
    pub value: Value,
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
