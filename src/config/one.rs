//! One key of `hearth.yaml` at a time, as JSON; every other byte of the text stays. A key below another is written with a dot: `auth.registration`.

use std::str::FromStr;

use serde_json::{Map, Number, Value as Json};
use yaml_edit::{ScalarValue, YamlFile, YamlValue};

use super::FILE;
use crate::compose::tree::{Node, Value};
use crate::compose::yaml;
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources};

/// What stands under a key; `None` where it does not stand there, or the text is no YAML.
pub fn get(text: &str, key: &str) -> Option<Json> {
    let mut at = Json::Object(plain(text)?);
    for part in key.split('.') {
        at = at.as_object_mut()?.remove(part)?;
    }
    Some(at)
}

/// A value as one writes it behind a key: a text, a number, a list in brackets. `None`: it is no YAML.
pub fn value(text: &str) -> Option<Json> {
    plain(&format!("value: {text}\n"))?.remove("value")
}

/// The same the other way round, in one line.
pub fn shown(value: &Json) -> String {
    match value {
        Json::String(text) if self::value(text).as_ref() == Some(value) => text.clone(),
        Json::Array(all) => format!("[{}]", all.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The text with another value under a key; `None`: without it. What cannot be edited safely is refused with the line to write by hand. Whether a home can
/// have that value is not looked at.
pub fn set(text: &str, key: &str, value: Option<&Json>) -> Result<String, Diagnostic> {
    let refuse = || {
        let line = value.map_or_else(|| format!("no `{key}`"), |value| format!("{key}: {value}"));
        Diagnostic::error("config.cannot-edit", "hearth.yaml cannot be changed without touching other lines of it")
            .kind(Kind::Failed)
            .hint(format!("write this into it by hand: {line}"))
    };
    if let Some((top, below)) = key.split_once('.') {
        return set_below(text, top, below, value);
    }
    let mut expected = plain(text).ok_or_else(refuse)?;
    let file = YamlFile::from_str(text).map_err(|_| refuse())?;
    let document = file.document().ok_or_else(refuse)?;
    match value {
        Some(value) => {
            expected.insert(key.to_owned(), value.clone());
            document.set(key, written(value));
        }
        None => {
            expected.remove(key);
            document.remove(key);
        }
    }
    let edited = file.to_string();
    match plain(&edited) == Some(expected) {
        true => Ok(edited),
        false => Err(refuse()),
    }
}

/// A key below `top`: alone where it can be, so that what stands beside it keeps its comments; else with all of `top`.
fn set_below(text: &str, top: &str, below: &str, value: Option<&Json>) -> Result<String, Diagnostic> {
    let mut whole = get(text, top).filter(Json::is_object).unwrap_or_else(|| Json::Object(Map::new()));
    put(&mut whole, below, value);
    let whole = Some(whole).filter(|whole| whole.as_object().is_some_and(|map| !map.is_empty()));
    if let Some(edited) = alone(text, top, below, value)
        && get(&edited, top) == whole
        && without(&edited, top) == without(text, top)
    {
        return Ok(edited);
    }
    set(text, top, whole.as_ref())
}

fn alone(text: &str, top: &str, below: &str, value: Option<&Json>) -> Option<String> {
    let file = YamlFile::from_str(text).ok()?;
    let mut at = file.document()?.get_mapping(top)?;
    let (parts, last) = below.rsplit_once('.').map_or((None, below), |(parts, last)| (Some(parts), last));
    for part in parts.into_iter().flat_map(|parts| parts.split('.')) {
        at = at.get_mapping(part)?;
    }
    match value {
        Some(value) => at.set(last, written(value)),
        None => drop(at.remove(last)?),
    }
    Some(file.to_string())
}

fn without(text: &str, top: &str) -> Option<Map<String, Json>> {
    let mut all = plain(text)?;
    all.remove(top);
    Some(all)
}

/// Puts a value below, or takes it away, and what is empty then.
fn put(at: &mut Json, below: &str, value: Option<&Json>) {
    if !at.is_object() {
        *at = Json::Object(Map::new());
    }
    let Some(map) = at.as_object_mut() else { return };
    match (below.split_once('.'), value) {
        (None, Some(value)) => drop(map.insert(below.to_owned(), value.clone())),
        (None, None) => drop(map.remove(below)),
        (Some((first, rest)), value) => {
            let inner = map.entry(first.to_owned()).or_insert_with(|| Json::Object(Map::new()));
            put(inner, rest, value);
            if inner.as_object().is_some_and(Map::is_empty) {
                map.remove(first);
            }
        }
    }
}

fn written(value: &Json) -> YamlValue {
    match value {
        Json::Null => YamlValue::from(ScalarValue::null()),
        Json::Bool(value) => YamlValue::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => YamlValue::from(whole),
            (None, Some(part)) => YamlValue::from(part),
            (None, None) => YamlValue::from(number.to_string()),
        },
        Json::String(text) => YamlValue::from(text.as_str()),
        Json::Array(items) => YamlValue::Sequence(items.iter().map(written).collect()),
        Json::Object(map) => YamlValue::Mapping(map.iter().map(|(key, value)| (key.clone(), written(value))).collect()),
    }
}

fn plain(text: &str) -> Option<Map<String, Json>> {
    let (mut sources, mut told) = (Sources::default(), Diagnostics::default());
    let file = sources.add(FILE, text);
    let documents = yaml::parse(file, &sources, &mut told);
    match documents.as_slice() {
        _ if told.has_errors() => None,
        [] => Some(Map::new()),
        [one] => match json(one) {
            Json::Object(map) => Some(map),
            Json::Null => Some(Map::new()),
            _ => None,
        },
        _ => None,
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Uint(value) => Json::from(*value),
        Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Date(text) | Value::Str(text) => Json::String(text.clone()),
        Value::Seq(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_string(), json(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "# mine\nname: h # the project\nauth:\n  registration: open # for now\n  idle_hours: 4\n\n# keep\naudit: { days: 30 }\n";

    #[test]
    fn one_key_is_read_changed_and_taken_away_and_no_other_byte_is_touched() {
        assert_eq!(get(TEXT, "audit"), Some(json!({"days": 30})));
        assert_eq!(get(TEXT, "api"), None);
        let new = set(TEXT, "audit", Some(&json!({"days": 90, "megabytes": false}))).unwrap();
        assert_eq!(get(&new, "audit"), Some(json!({"days": 90, "megabytes": false})));
        let kept = "# mine\nname: h # the project\nauth:\n  registration: open # for now\n  idle_hours: 4\n\n# keep\n";
        assert!(new.starts_with(kept), "{new}");
        let added = set(TEXT, "api", Some(&json!({"cors_origins": ["https://a.example"]}))).unwrap();
        assert!(added.starts_with(TEXT.trim_end()), "{added}");
        assert_eq!(get(&added, "api"), Some(json!({"cors_origins": ["https://a.example"]})));
        let gone = set(TEXT, "audit", None).unwrap();
        assert!(gone.starts_with("# mine\nname: h # the project\nauth:\n"), "{gone}");
        assert_eq!(get(&gone, "audit"), None);
        let scalar = set(TEXT, "networks", Some(&json!("10.1.0.0/16"))).unwrap();
        assert_eq!(get(&scalar, "networks"), Some(json!("10.1.0.0/16")));
    }

    #[test]
    fn a_key_below_another_is_changed_alone() {
        assert_eq!(get(TEXT, "auth.registration"), Some(json!("open")));
        let new = set(TEXT, "auth.registration", Some(&json!("closed"))).unwrap();
        assert_eq!(new, TEXT.replace("open", "closed"), "its comment too stays");
        let deep = set(TEXT, "auth.sessions.idle", Some(&json!("2d"))).unwrap();
        assert_eq!(
            get(&deep, "auth"),
            Some(json!({"registration": "open", "idle_hours": 4, "sessions": {"idle": "2d"}}))
        );
        let gone = set("name: h\nauth:\n  registration: open\n", "auth.registration", None).unwrap();
        assert_eq!(get(&gone, "auth"), None, "{gone}");
        assert_eq!(get(&set("name: h\n", "audit.days", Some(&json!(9))).unwrap(), "audit"), Some(json!({"days": 9})));
    }

    #[test]
    fn a_value_is_read_as_it_is_shown() {
        for value in [
            json!("7d"),
            json!("false"),
            json!(false),
            json!(8443),
            json!(["a", 1]),
            json!("a: b"),
            json!([]),
            json!(null),
        ] {
            assert_eq!(self::value(&shown(&value)), Some(value));
        }
        assert_eq!(self::value("[a"), None);
    }

    #[test]
    fn what_is_no_yaml_is_refused_and_left() {
        assert_eq!(set("name: [h\n", "audit", None).unwrap_err().code, "config.cannot-edit");
        for text in ["1", "true", "null", "a: b", "- x", "# x", "&a", "*a", "a\nb", "'", "\"", "", " x "] {
            let new = set(TEXT, "name", Some(&json!(text)));
            assert!(new.is_err() || get(new.as_ref().unwrap(), "name") == Some(json!(text)), "{text:?}");
        }
    }
}
