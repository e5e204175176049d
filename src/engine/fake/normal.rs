//! A create request as the Engine keeps it: the image's settings and its own defaults filled in.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::create::array;
use super::world::FakeImage;

/// The image's settings below the request's own, as the Engine merges them.
pub(super) fn fill_config(config: &mut Value, image: &FakeImage, host: &Value, id: &str) {
    let base = &image.config;
    let given = config.as_object().cloned().unwrap_or_default();
    let mut full = Map::new();
    let mode = host["NetworkMode"].as_str().unwrap_or_default();
    let hostname = match mode {
        "host" => "machine".to_string(),
        _ => id[..12].to_string(),
    };
    for key in ["Domainname", "User", "WorkingDir"] {
        let own = given.get(key).filter(|v| !is_blank(v));
        full.insert(key.into(), own.or(base.get(key)).cloned().unwrap_or(json!("")));
    }
    full.insert("Hostname".into(), given.get("Hostname").filter(|v| !is_blank(v)).cloned().unwrap_or(json!(hostname)));
    for key in ["AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"] {
        full.insert(key.into(), given.get(key).cloned().unwrap_or(json!(false)));
    }
    for key in ["ExposedPorts", "Volumes"] {
        let mut both = base[key].as_object().cloned().unwrap_or_default();
        both.extend(given.get(key).and_then(Value::as_object).cloned().unwrap_or_default());
        if key == "ExposedPorts" {
            let bound = host["PortBindings"].as_object().into_iter().flatten();
            both.extend(bound.map(|(port, _)| (port.clone(), json!({}))));
        }
        if !both.is_empty() || key == "Volumes" {
            full.insert(key.into(), if both.is_empty() { Value::Null } else { json!(both) });
        }
    }
    full.insert("Env".into(), json!(environment(&given, base)));
    command(&mut full, &given, base);
    let mut labels = base["Labels"].as_object().cloned().unwrap_or_default();
    labels.extend(given.get("Labels").and_then(Value::as_object).cloned().unwrap_or_default());
    full.insert("Labels".into(), json!(labels));
    full.insert("Image".into(), given.get("Image").cloned().unwrap_or_default());
    full.insert("OnBuild".into(), Value::Null);
    if let Some(check) = healthcheck(given.get("Healthcheck"), base.get("Healthcheck")) {
        full.insert("Healthcheck".into(), check);
    }
    for key in ["StopSignal", "StopTimeout"] {
        if let Some(value) = given.get(key).or(base.get(key)).filter(|v| !v.is_null()) {
            full.insert(key.into(), value.clone());
        }
    }
    *config = Value::Object(full);
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The request's entries, then those of the image whose names it does not mention.
fn environment(given: &Map<String, Value>, base: &Value) -> Vec<String> {
    let texts = |v: &Value| array(v).iter().filter_map(|e| e.as_str().map(str::to_string)).collect::<Vec<_>>();
    let mut all = given.get("Env").map(texts).unwrap_or_default();
    let names: BTreeSet<String> = all.iter().map(|e| e.split('=').next().unwrap_or_default().to_string()).collect();
    all.extend(texts(&base["Env"]).into_iter().filter(|e| !names.contains(e.split('=').next().unwrap_or_default())));
    all
}

/// An entrypoint of its own drops the image's command; a command of its own keeps the image's entrypoint.
fn command(full: &mut Map<String, Value>, given: &Map<String, Value>, base: &Value) {
    let words = |v: Option<&Value>| v.filter(|v| !v.is_null()).cloned();
    let (cmd, entrypoint) = (words(given.get("Cmd")), words(given.get("Entrypoint")));
    let is_empty = |v: &Option<Value>| v.as_ref().is_none_or(|v| array(v).is_empty());
    let (cmd, entrypoint) = match is_empty(&entrypoint) {
        true => {
            let cmd = if is_empty(&cmd) { words(base.get("Cmd")) } else { cmd };
            (cmd, words(base.get("Entrypoint")).filter(|_| entrypoint.is_none()).or(entrypoint))
        }
        false => (cmd, entrypoint),
    };
    full.insert("Cmd".into(), cmd.unwrap_or_default());
    full.insert("Entrypoint".into(), entrypoint.unwrap_or_default());
}

/// Field by field from the image where the request says nothing.
fn healthcheck(own: Option<&Value>, base: Option<&Value>) -> Option<Value> {
    let Some(own) = own.and_then(Value::as_object).filter(|o| !o.is_empty()) else {
        return base.filter(|b| !b.is_null()).cloned();
    };
    let mut merged = own.clone();
    for (key, value) in base.and_then(Value::as_object).into_iter().flatten() {
        let says_nothing =
            merged.get(key).is_none_or(|v| v.is_null() || v.as_i64() == Some(0) || array(v).is_empty() && v.is_array());
        if says_nothing {
            merged.insert(key.clone(), value.clone());
        }
    }
    Some(Value::Object(merged))
}

/// `HostConfig` as engine 26.1 shows it for a request that says nothing.
fn default_host() -> Map<String, Value> {
    let value = serde_json::from_str(include_str!("host_config.json")).unwrap_or_default();
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn filled_host(host: &Value) -> Value {
    let mut full = default_host();
    let given = host.as_object().cloned().unwrap_or_default();
    let privileged = given.get("Privileged").and_then(Value::as_bool).unwrap_or(false);
    if privileged {
        full.insert("MaskedPaths".into(), Value::Null);
        full.insert("ReadonlyPaths".into(), Value::Null);
        full.insert("SecurityOpt".into(), json!(["label=disable"]));
    }
    for (key, value) in given {
        let keeps_default = match key.as_str() {
            "LogConfig" => is_blank(&value["Type"]),
            "ShmSize" => value == json!(0),
            "IpcMode" | "CgroupnsMode" | "Runtime" | "NetworkMode" => is_blank(&value),
            "SecurityOpt" => privileged && array(&value).is_empty(),
            "PidsLimit" => value.as_i64().is_none_or(|n| n <= 0),
            _ => value.is_null(),
        };
        if !keeps_default {
            full.insert(key, value);
        }
    }
    // Twice the memory where swap is not said.
    let memory = full["Memory"].as_i64().unwrap_or(0);
    if memory > 0 && full["MemorySwap"] == json!(0) {
        full.insert("MemorySwap".into(), json!(memory * 2));
    }
    Value::Object(full)
}
