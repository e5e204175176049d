//! What Compose's schema refuses: unknown keys, wrong kinds, repeated list items. Every mistake is told, each in place.

mod shape;
mod table;

use std::collections::HashSet;

use shape::{BOOL, Keys, Kinds, NULL, NUMBER, Object, Shape, TEXT, WHOLE};

use super::Compat;
use super::tree::{Map, Node, Path, Value};
use crate::base::secret::is_secret_name;
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics};

/// Judges one merged file before short forms are written long.
pub fn validate(tree: &Node, compat: Compat, diagnostics: &mut Diagnostics) {
    let mut judge = Judge { compat, diagnostics, path: Path::default() };
    judge.node(tree, &table::ROOT);
}

/// Attributes that hold a duration.
const DURATIONS: [&str; 8] =
    ["delay", "interval", "monitor", "start_interval", "start_period", "stop_grace_period", "timeout", "window"];

struct Judge<'t, 'd> {
    compat: Compat,
    diagnostics: &'d mut Diagnostics,
    path: Path<'t>,
}

impl<'t> Judge<'t, '_> {
    fn tell(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic.field(self.path.to_string()));
    }

    fn wrong(&mut self, node: &Node, shape: &Shape) {
        let path = self.path.to_string();
        let name = if path.is_empty() { "the file".to_string() } else { format!("`{path}`") };
        let diagnostic = match &node.value {
            Value::Str(text)
                if !matches!(shape, Shape::Scalar(_) | Shape::List { .. } | Shape::Object(_) | Shape::Dict { .. }) =>
            {
                let d = Diagnostic::error("compose.wrong-value", format!("{name} must be {}", shape.words()));
                let near = match shape {
                    Shape::Enum(words) => wording::nearest(text, words.iter().copied()).or_else(|| {
                        words.iter().copied().find(|word| word.ends_with(text.as_str()) && !text.is_empty())
                    }),
                    _ => None,
                };
                d.hint(
                    near.map_or("write one of these, or remove the line".into(), |near| {
                        format!("did you mean `{near}`?")
                    }),
                )
            }
            _ => {
                let title = format!("{name} must be {}, not {}", shape.words(), node.kind());
                Diagnostic::error("compose.wrong-type", title).hint(self.right_form(node, shape))
            }
        };
        self.tell(diagnostic.at(node.span));
    }

    /// How to write what the shape wants, from what stands there.
    fn right_form(&self, node: &Node, shape: &Shape) -> String {
        let key = self.path.keys().last().copied().unwrap_or_default();
        let wants = |value: &Value| accepts_kind(shape, value);
        let text = Value::Str(String::new());
        match &node.value {
            Value::Int(n) if DURATIONS.contains(&key) => format!("write it with its unit: {n}s"),
            Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Bool(_) | Value::Date(_) if wants(&text) => {
                match is_secret_name(key) {
                    true => "put it in quotes".into(),
                    false => format!("put it in quotes: \"{}\"", node.scalar_text().unwrap_or_default()),
                }
            }
            Value::Null if wants(&Value::Map(Map::default())) => {
                "write its keys below it, indented, or remove the line".into()
            }
            Value::Null => "write a value behind the colon, or remove the line".into(),
            Value::Seq(_) if wants(&text) => "write one text instead of a list".into(),
            Value::Str(one) if wants(&Value::Seq(Vec::new())) && !is_secret_name(key) => {
                format!("write it as a list: [{one}]")
            }
            _ if wants(&Value::Map(Map::default())) => format!("write `{key}:` alone, and its keys below it, indented"),
            _ if wants(&Value::Seq(Vec::new())) => format!("write `{key}:` alone, and each entry below it behind `- `"),
            _ => format!("write {}", shape.words()),
        }
    }

    fn node(&mut self, node: &'t Node, shape: &'static Shape) {
        if let (Value::Float(number), Compat::V5) = (&node.value, self.compat)
            && !number.is_finite()
        {
            let title = format!(
                "{} is no number that JSON knows, so Compose 5 refuses it",
                node.scalar_text().unwrap_or_default()
            );
            return self.tell(
                Diagnostic::error("compose.wrong-value", title)
                    .at(node.span)
                    .hint("put it in quotes to keep it as text"),
            );
        }
        match shape {
            Shape::Any => {}
            Shape::Scalar(kinds) if fits(&node.value, *kinds) => {}
            Shape::Enum(words) if node.as_str().is_some_and(|text| words.contains(&text)) => {}
            Shape::Matching(rule, _) if node.as_str().is_some_and(rule) => {}
            Shape::Between(..) if matches!(node.value, Value::Str(_)) => {}
            Shape::Between(low, high) if whole(&node.value).is_some_and(|n| (*low..=*high).contains(&n)) => {}
            Shape::List { items, unique } => match &node.value {
                Value::Seq(list) => self.list(list, items, *unique),
                _ => self.wrong(node, shape),
            },
            Shape::Object(object) => match &node.value {
                Value::Map(map) => self.object(node, map, object),
                _ => self.wrong(node, shape),
            },
            Shape::Dict { keys, values } => match &node.value {
                Value::Map(map) => self.dict(map, *keys, values),
                _ => self.wrong(node, shape),
            },
            Shape::OneOf(shapes) => match shapes.iter().find(|s| accepts_kind(s, &node.value)) {
                Some(shape) => self.node(node, shape),
                None => self.wrong(node, shape),
            },
            _ => self.wrong(node, shape),
        }
    }

    fn list(&mut self, list: &'t [Node], items: &'static Shape, unique: bool) {
        for (i, item) in list.iter().enumerate() {
            self.path.push_index(i);
            self.node(item, items);
            self.path.pop();
        }
        if unique {
            self.unique(list);
        }
    }

    fn unique(&mut self, list: &'t [Node]) {
        let mut seen: HashSet<&str> = HashSet::new();
        for (i, item) in list.iter().enumerate() {
            let repeated = match &item.value {
                Value::Str(text) => !seen.insert(text),
                other => list[..i].iter().any(|earlier| earlier.value == *other),
            };
            if !repeated {
                continue;
            }
            let first = list[..i].iter().find(|earlier| *earlier == item).map(|earlier| earlier.span);
            self.path.push_index(i);
            let mut diagnostic = Diagnostic::error("compose.repeated-item", "the same entry stands in this list twice")
                .at(item.span)
                .hint("keep one of the two");
            if let Some(first) = first {
                diagnostic = diagnostic.related(first, "first written here");
            }
            self.tell(diagnostic);
            self.path.pop();
        }
    }

    fn object(&mut self, node: &Node, map: &'t Map, object: &'static Object) {
        let compat = self.compat;
        let known = move || object.keys.iter().filter(move |k| k.only.is_none_or(|only| only == compat));
        for (name, entry) in &map.0 {
            self.path.push(name);
            match known().find(|k| k.name == name) {
                Some(key) => self.node(&entry.node, key.shape),
                None if object.open || object.extensible && name.starts_with("x-") => {}
                None => {
                    let mut diagnostic =
                        Diagnostic::error("compose.unknown-key", format!("`{name}` is not a key of {}", object.what))
                            .at(entry.key);
                    if let Some(near) = wording::nearest(name, known().map(|k| k.name)) {
                        diagnostic = diagnostic.hint(format!("did you mean `{near}`?"));
                    } else if object.extensible {
                        diagnostic = diagnostic.hint("keys of your own begin with `x-`");
                    }
                    self.tell(diagnostic);
                }
            }
            self.path.pop();
        }
        for required in object.required.iter().filter(|name| !map.contains(name)) {
            let title = format!("{} needs the key `{required}`", object.what);
            let shape = object.keys.iter().find(|key| key.name == *required).map(|key| key.shape.words());
            let hint = format!("add `{required}:`, {}", shape.unwrap_or_default());
            self.tell(Diagnostic::error("compose.missing-key", title).at(node.span).hint(hint));
        }
    }

    fn dict(&mut self, map: &'t Map, keys: Keys, values: &'static Shape) {
        for (name, entry) in &map.0 {
            self.path.push(name);
            if keys == Keys::NoExtensions && name.starts_with("x-") {
                self.tell(
                    Diagnostic::error(
                        "compose.reserved-key",
                        format!("`{name}` cannot stand here: Compose takes keys in `x-` for notes"),
                    )
                    .at(entry.key)
                    .hint("give it another name, or write the mapping as a list"),
                );
                self.path.pop();
                continue;
            }
            let judged = match keys {
                Keys::Any | Keys::NoExtensions => !name.is_empty(),
                Keys::Names | Keys::NamesOrWhatever => is_name(name),
                Keys::Limits => !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()),
            };
            if judged {
                self.node(&entry.node, values);
            } else if keys == Keys::Names {
                self.tell(
                    Diagnostic::error("compose.bad-name", format!("`{name}` cannot be a name here"))
                        .at(entry.key)
                        .hint("names are made of letters, digits, `.`, `_` and `-`"),
                );
            }
            self.path.pop();
        }
    }
}

/// `[a-zA-Z0-9._-]+`
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Uint(_) => Some(i64::MAX),
        Value::Float(f) if f.fract() == 0.0 && f.is_finite() => Some(*f as i64),
        _ => None,
    }
}

fn fits(value: &Value, kinds: Kinds) -> bool {
    match value {
        Value::Str(_) => kinds.has(TEXT),
        Value::Bool(_) => kinds.has(BOOL),
        Value::Null => kinds.has(NULL),
        Value::Int(_) | Value::Uint(_) => kinds.has(WHOLE | NUMBER),
        Value::Float(_) => kinds.has(NUMBER) || kinds.has(WHOLE) && whole(value).is_some(),
        Value::Date(_) | Value::Seq(_) | Value::Map(_) => false,
    }
}

fn accepts_kind(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Scalar(kinds) => fits(value, *kinds),
        Shape::Enum(_) | Shape::Matching(..) => matches!(value, Value::Str(_)),
        Shape::Between(..) => matches!(value, Value::Str(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_)),
        Shape::List { .. } => matches!(value, Value::Seq(_)),
        Shape::Object(_) | Shape::Dict { .. } => matches!(value, Value::Map(_)),
        Shape::OneOf(shapes) => shapes.iter().any(|s| accepts_kind(s, value)),
    }
}

#[cfg(test)]
mod tests {
    use crate::compose::{Compat, yaml};
    use crate::diag::{Diagnostics, Sources};

    fn told(text: &str, compat: Compat) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", text);
        let mut diagnostics = Diagnostics::default();
        let docs = yaml::parse(file, &sources, &mut diagnostics);
        super::validate(&docs[0], compat, &mut diagnostics);
        diagnostics.0.iter().map(|d| format!("{} {}", d.code, d.field.as_deref().unwrap_or(""))).collect()
    }

    #[test]
    fn every_mistake_of_a_file_is_told_at_once() {
        let text = "services:\n  web:\n    imgae: x\n    user: 1000\n    ports: [80, 80]\n    depends_on: {db: {}}\n    restart: {}\nfoo: 1\n";
        assert_eq!(
            told(text, Compat::V5),
            [
                "compose.unknown-key services.web.imgae",
                "compose.wrong-type services.web.user",
                "compose.repeated-item services.web.ports[1]",
                "compose.missing-key services.web.depends_on.db",
                "compose.wrong-type services.web.restart",
                "compose.unknown-key foo",
            ]
        );
    }

    #[test]
    fn pre_start_is_known_to_compose_five_only() {
        let text = "services: {a: {image: x, pre_start: [{command: [a]}]}}";
        assert_eq!(told(text, Compat::V5).len(), 0);
        assert_eq!(told(text, Compat::V2), ["compose.unknown-key services.a.pre_start"]);
    }

    #[test]
    fn extensions_stand_almost_everywhere() {
        let text = "x-a: 1\nservices: {a: {image: x, x-b: {c: 1}, healthcheck: {x-d: 1}}}\n";
        assert_eq!(told(text, Compat::V5).len(), 0);
    }
}
