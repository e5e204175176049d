//! `Config`: what runs in the container.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Found;
use super::value::{is_nothing, shown, variables, words};
use crate::base::secret::is_secret_name;
use crate::plan::observed::Container;
use crate::plan::request::{FILES, FINGERPRINT};
use crate::plan::wanted::ContainerRequest;

/// `image` is the configuration of the container's own image, if it is known.
pub(super) fn compare(
    wanted: &ContainerRequest,
    container: &Container,
    actual: &Value,
    image: Option<&Value>,
    found: &mut Found,
) {
    let config = &wanted.config;
    found.text("image", text(actual, "Image"), text(config, "Image"));
    environment(config, actual, image, found);
    command(config, actual, image, found);
    labels(config, actual, image, found);
    exposed(config, actual, image, found);
    healthcheck(config, actual, image, found);
    for (key, field) in [("User", "user"), ("WorkingDir", "working_dir"), ("StopSignal", "stop_signal")] {
        // The image's word counts where the service is silent.
        let expected = match (text(config, key), image) {
            ("", None) => continue,
            ("", Some(image)) => text(image, key),
            (own, _) => own,
        };
        found.text(field, text(actual, key), expected);
    }
    hostname(wanted, container, actual, found);
    found.text("domainname", text(actual, "Domainname"), text(config, "Domainname"));
    for (key, field) in [("Tty", "tty"), ("OpenStdin", "stdin_open")] {
        if is_nothing(&actual[key]) != is_nothing(&config[key]) {
            found.add(field, shown(&actual[key]), shown(&config[key]));
        }
    }
    let seconds = |v: &Value| v.as_i64().map(|n| format!("{n}s"));
    if actual["StopTimeout"].as_i64() != config["StopTimeout"].as_i64() {
        found.add("stop_grace_period", seconds(&actual["StopTimeout"]), seconds(&config["StopTimeout"]));
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn environment(config: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    let (wanted, actual) = (variables(&config["Env"]), variables(&actual["Env"]));
    let inherited = image.map(|i| variables(&i["Env"]));
    let names: BTreeSet<&str> = wanted.keys().chain(actual.keys()).copied().collect();
    for name in names {
        let (from, mut to) = (actual.get(name).copied(), wanted.get(name).copied());
        if to.is_none() {
            // From the image, or perhaps from one that is not known.
            let Some(inherited) = &inherited else { continue };
            to = inherited.get(name).copied();
        }
        if from == to {
            continue;
        }
        let field = format!("environment {name}");
        match is_secret_name(name) {
            true => found.add_secret(field, from.is_some(), to.is_some()),
            false => found.add(field, from.map(str::to_string), to.map(str::to_string)),
        }
    }
}

/// An entrypoint of one's own empties the image's command.
fn command(config: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    let own = |key: &str| config.get(key).filter(|v| !v.is_null());
    let of_image = |key: &str| image.map(|i| i[key].clone());
    let entrypoint = match own("Entrypoint") {
        Some(own) => Some(own.clone()),
        None => of_image("Entrypoint"),
    };
    let replaced = own("Entrypoint").is_some_and(|e| !is_nothing(e));
    let command = match own("Cmd").filter(|c| !is_nothing(c)) {
        Some(own) => Some(own.clone()),
        None if replaced => Some(Value::Null),
        None => of_image("Cmd"),
    };
    for (key, field, expected) in [("Cmd", "command", command), ("Entrypoint", "entrypoint", entrypoint)] {
        let Some(expected) = expected else { continue };
        if words(&actual[key]) != words(&expected) {
            found.add(field, shown(&actual[key]), shown(&expected));
        }
    }
}

/// The user's labels; Compose's and ours are judged elsewhere.
fn labels(config: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    let own = |name: &str| !name.starts_with("com.docker.compose.") && name != FINGERPRINT && name != FILES;
    let empty = serde_json::Map::new();
    let of = |value: &Value| value["Labels"].as_object().cloned().unwrap_or_default();
    let (wanted, actual) = (of(config), of(actual));
    let inherited = image.map(of);
    let names: BTreeSet<&String> = wanted.keys().chain(actual.keys()).filter(|n| own(n)).collect();
    for name in names {
        let mut to = wanted.get(name.as_str());
        if to.is_none() {
            if inherited.is_none() {
                continue;
            }
            to = inherited.as_ref().unwrap_or(&empty).get(name.as_str());
        }
        let from = actual.get(name.as_str());
        if from == to {
            continue;
        }
        let field = format!("label {name}");
        match is_secret_name(name) {
            true => found.add_secret(field, from.is_some(), to.is_some()),
            false => {
                let text = |v: Option<&Value>| v.and_then(Value::as_str).map(str::to_string);
                found.add(field, text(from), text(to));
            }
        }
    }
}

fn exposed(config: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    let keys = |v: &Value| -> BTreeSet<String> {
        v["ExposedPorts"].as_object().into_iter().flatten().map(|(k, _)| port(k)).collect()
    };
    let (wanted, actual) = (keys(config), keys(actual));
    let inherited = image.map(keys);
    for port in wanted.difference(&actual) {
        found.add("expose", None, Some(port.clone()));
    }
    for port in actual.difference(&wanted) {
        if inherited.as_ref().is_some_and(|i| !i.contains(port)) {
            found.add("expose", Some(port.clone()), None);
        }
    }
}

/// `80` is `80/tcp`.
fn port(text: &str) -> String {
    if text.contains('/') { text.into() } else { format!("{text}/tcp") }
}

/// What the service leaves open comes from the image's own check.
fn healthcheck(config: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    let own = &config["Healthcheck"];
    for key in ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] {
        let expected = match (is_nothing(&own[key]), image) {
            (false, _) => own[key].clone(),
            (true, Some(image)) => image["Healthcheck"][key].clone(),
            (true, None) => continue,
        };
        let now = &actual["Healthcheck"][key];
        let equal = match key {
            "Test" => words(now) == words(&expected),
            _ => now.as_f64().unwrap_or(0.0) == expected.as_f64().unwrap_or(0.0),
        };
        if !equal {
            let field = match key {
                "StartPeriod" => "healthcheck start_period".to_string(),
                "StartInterval" => "healthcheck start_interval".to_string(),
                key => format!("healthcheck {}", key.to_lowercase()),
            };
            let said = |v: &Value| match (key, v.as_i64()) {
                ("Retries" | "Test", _) => shown(v),
                (_, Some(ns)) if ns != 0 => Some(crate::compose::model::Duration(ns).to_string()),
                _ => None,
            };
            found.add(field, said(now), said(&expected));
        }
    }
}

/// Without one of its own it is the container's id, or that of the host or container whose network it uses.
fn hostname(wanted: &ContainerRequest, container: &Container, actual: &Value, found: &mut Found) {
    let (from, to) = (text(actual, "Hostname"), text(&wanted.config, "Hostname"));
    let network = wanted.host_config["NetworkMode"].as_str().unwrap_or_default();
    let by_default = container.id.get(..12).is_some_and(|id| id == from) || network == "host" || network.contains(':');
    if to.is_empty() && by_default {
        return;
    }
    found.text("hostname", from, to);
}
