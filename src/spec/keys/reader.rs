//! Reads keys of Hearth's own from a tree, and tells every mistake with its field, its place and the nearest known name.

use crate::base::wording;
use crate::compose::short::size;
use crate::compose::template;
use crate::compose::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Where it reads, and who hears of mistakes.
pub(super) struct Reader<'d> {
    pub(super) path: String,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl Reader<'_> {
    pub(super) fn tell(&mut self, diagnostic: Diagnostic, key: &str) {
        let field = if key.is_empty() { self.path.clone() } else { format!("{}.{key}", self.path) };
        self.diagnostics.push(diagnostic.field(field));
    }

    pub(super) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(if key.starts_with('[') { "" } else { "." });
        self.path.push_str(key);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    pub(super) fn wrong_type(&mut self, node: &Node, key: &str, wanted: &str) {
        let name =
            if key.is_empty() { self.path.rsplit('.').next().unwrap_or_default().to_string() } else { key.into() };
        let title = format!("`{name}` must be {wanted}, not {}", node.kind());
        let d = Diagnostic::error("spec.wrong-type", title).at(node.span);
        let hint = match (wanted, &node.value, node.scalar_text()) {
            ("true or false", Value::Str(word), _) => {
                truth(word).map(|flag| format!("write {flag}: in a Compose file (YAML 1.2) `{word}` is a text"))
            }
            ("text" | "text or a list of texts", Value::Str(_) | Value::Null, _) => None,
            ("text" | "text or a list of texts", _, Some(shown)) => Some(format!("put it in quotes: \"{shown}\"")),
            _ => None,
        };
        self.tell(hint.into_iter().fold(d, Diagnostic::hint), key);
    }

    pub(super) fn wrong_value(&mut self, span: Span, key: &str, title: String, hint: impl Into<String>) {
        self.tell(Diagnostic::error("spec.wrong-value", title).at(span).hint(hint), key);
    }

    /// The mapping, with its unknown keys told. Nothing written is an empty one.
    pub(super) fn mapping<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<&'n Map> {
        let Value::Map(map) = &node.value else {
            if !node.is_null() {
                self.wrong_type(node, "", "a mapping");
            }
            return None;
        };
        for (key, entry) in &map.0 {
            if known.contains(&key.as_str()) {
                continue;
            }
            let d = Diagnostic::error("spec.unknown-key", format!("`{key}` means nothing here")).at(entry.key);
            let d = match wording::nearest(key, known.iter().copied()) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d.hint(format!("known here: {}", known.join(", "))),
            };
            self.tell(d, key);
        }
        Some(map)
    }

    /// One value or a list of them.
    pub(super) fn several<T>(&mut self, map: &Map, key: &str, read: fn(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        let Some(node) = map.get(key) else { return Vec::new() };
        self.within(key, |reader| match &node.value {
            Value::Seq(items) => {
                let each = items.iter().enumerate();
                each.filter_map(|(i, item)| reader.within(&format!("[{i}]"), |r| read(r, item))).collect()
            }
            _ => read(reader, node).into_iter().collect(),
        })
    }

    pub(super) fn text(&mut self, map: &Map, key: &str) -> Option<String> {
        let node = map.get(key)?;
        match node.as_str() {
            Some(text) => Some(text.to_string()),
            None => {
                self.wrong_type(node, key, "text");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, map: &Map, key: &str) -> bool {
        match map.get(key).map(|node| (node, &node.value)) {
            None => false,
            Some((_, Value::Bool(flag))) => *flag,
            Some((node, _)) => {
                self.wrong_type(node, key, "true or false");
                false
            }
        }
    }

    pub(super) fn texts(&mut self, map: &Map, key: &str) -> Vec<String> {
        let Some(node) = map.get(key) else { return Vec::new() };
        match &node.value {
            Value::Str(text) => vec![text.clone()],
            Value::Seq(items) if items.iter().all(|i| i.as_str().is_some()) => {
                items.iter().filter_map(Node::as_str).map(str::to_string).collect()
            }
            _ => {
                self.wrong_type(node, key, "text or a list of texts");
                Vec::new()
            }
        }
    }

    /// A port as text: 1 to 65535, or something with a variable in it.
    pub(super) fn port(&mut self, node: &Node, key: &str) -> Option<String> {
        match &node.value {
            Value::Int(n) if (1..=65535).contains(n) => Some(n.to_string()),
            Value::Str(text) if !template::variables(text).is_empty() => Some(text.clone()),
            Value::Str(text) if text.parse::<u16>().is_ok_and(|n| n > 0) => Some(text.clone()),
            Value::Int(_) | Value::Str(_) => {
                let shown = node.scalar_text().unwrap_or_default();
                self.wrong_value(node.span, key, format!("`{shown}` is no port"), "a port is a number from 1 to 65535");
                None
            }
            _ => {
                self.wrong_type(node, key, "a port number");
                None
            }
        }
    }

    pub(super) fn one_of(&mut self, map: &Map, key: &str, words: &[&str]) -> Option<String> {
        let text = self.text(map, key)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let span = map.get(key)?.span;
        let hint = match wording::nearest(&text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of: {}", words.join(", ")),
        };
        self.wrong_value(span, key, format!("`{text}` is not known here"), hint);
        None
    }

    pub(super) fn duration(&mut self, map: &Map, key: &str) -> Option<String> {
        if let Some((node, Value::Int(n))) = map.get(key).map(|node| (node, &node.value)) {
            let hint = format!("write {n}s for seconds; other units are ms, m and h");
            self.wrong_value(node.span, key, format!("`{n}` is a number without its unit"), hint);
            return None;
        }
        let text = self.text(map, key)?;
        if size::duration(&text).is_ok() {
            return Some(text);
        }
        let span = map.get(key).map(|n| n.span);
        let d = Diagnostic::error("spec.wrong-value", format!("`{text}` is no duration")).at(span);
        self.tell(d.hint("write a number with its unit, as 90s or 5m"), key);
        None
    }
}

/// What YAML 1.1 took for true and false, and people still write.
fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" | "true" => Some(true),
        "no" | "n" | "off" | "false" => Some(false),
        _ => None,
    }
}
