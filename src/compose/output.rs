//! A loaded project as `docker compose config` shows it.

use serde_json::{Map, Value, json};

use super::Compat;
use super::model::{Extensions, Project};
use super::tree::{Node, Value as Yaml};

/// The JSON model: what was read from env and label files is inlined (Compose 5 still names the label files), `x-*` stand only at the top, `$` is doubled so that the
/// text could be loaded again.
pub fn json(project: &Project) -> Value {
    let mut root = Map::new();
    root.insert("name".into(), json!(project.name));
    let services: Map<String, Value> =
        project.services.iter().map(|(name, s)| (name.clone(), service(s, project.compat))).collect();
    root.insert("services".into(), Value::Object(services));
    let mut section = |key: &str, value: Value| {
        if value.as_object().is_some_and(|map| !map.is_empty()) {
            root.insert(key.into(), value);
        }
    };
    section("networks", to_value(&project.networks));
    section("volumes", to_value(&project.volumes));
    section("secrets", to_value(&project.secrets));
    let mut configs = project.configs.clone();
    // What came from a variable is not shown, as with secrets.
    configs.values_mut().filter(|c| !c.environment.is_empty()).for_each(|c| c.content.clear());
    section("configs", to_value(&configs));
    for (key, node) in &project.extensions {
        root.insert(key.clone(), plain(node));
    }
    let mut value = Value::Object(root);
    double_dollars(&mut value);
    value
}

/// The model for YAML: without nulls for unset commands, with `models` and the `x-*` keys of services and resources.
pub fn yaml(project: &Project) -> Value {
    let mut value = json(project);
    let extend = |value: Option<&mut Value>, extensions: &Extensions| {
        if let Some(Value::Object(map)) = value {
            for (key, node) in extensions {
                let mut plain = plain(node);
                double_dollars(&mut plain);
                map.insert(key.clone(), plain);
            }
        }
    };
    for (name, service) in &project.services {
        let shown = value.get_mut("services").and_then(|s| s.get_mut(name));
        if let Some(Value::Object(map)) = shown {
            map.retain(|key, value| !(matches!(key.as_str(), "command" | "entrypoint") && value.is_null()));
        }
        extend(value.get_mut("services").and_then(|s| s.get_mut(name)), &service.extensions);
    }
    for (name, network) in &project.networks {
        extend(value.get_mut("networks").and_then(|s| s.get_mut(name)), &network.extensions);
    }
    for (name, volume) in &project.volumes {
        extend(value.get_mut("volumes").and_then(|s| s.get_mut(name)), &volume.extensions);
    }
    if let (Value::Object(map), false) = (&mut value, project.models.is_empty()) {
        map.insert("models".into(), to_value(&project.models));
    }
    value
}

fn service(service: &super::model::Service, compat: Compat) -> Value {
    let mut value = to_value(service);
    if let Value::Object(map) = &mut value {
        map.shift_remove("env_file");
        if compat == Compat::V2 {
            map.shift_remove("label_file");
        }
    }
    value
}

fn to_value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A tree without its places.
pub fn plain(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => json!(b),
        Yaml::Int(n) => json!(n),
        Yaml::Uint(n) => json!(n),
        Yaml::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => json!(*f as i64),
        Yaml::Float(f) => json!(f),
        Yaml::Date(text) | Yaml::Str(text) => json!(text),
        Yaml::Seq(items) => Value::Array(items.iter().map(plain).collect()),
        Yaml::Map(map) => Value::Object(map.iter().map(|(key, node)| (key.clone(), plain(node))).collect()),
    }
}

/// `$` to `$$` in keys and texts.
fn double_dollars(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('$') => *text = text.replace('$', "$$"),
        Value::Array(items) => items.iter_mut().for_each(double_dollars),
        Value::Object(map) => {
            if map.keys().any(|key| key.contains('$')) {
                *map = std::mem::take(map).into_iter().map(|(key, value)| (key.replace('$', "$$"), value)).collect();
            }
            map.values_mut().for_each(double_dollars);
        }
        _ => {}
    }
}
