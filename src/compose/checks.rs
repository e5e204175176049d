//! Checks of a merged model that no shape can express, and values that come from its environment.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::tree::{Node, Value};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Diagnostics};

/// Compose's value checks: what excludes what in volumes, secrets, configs, devices and ports.
pub fn check(tree: &Node, diagnostics: &mut Diagnostics) {
    each(tree.get("volumes"), &mut |name, node| external(&format!("volumes.{name}"), node, diagnostics));
    each(tree.get("secrets"), &mut |name, node| {
        source(&format!("secrets.{name}"), node, &["file", "environment"], diagnostics)
    });
    each(tree.get("configs"), &mut |name, node| {
        source(&format!("configs.{name}"), node, &["file", "environment", "content"], diagnostics)
    });
    each(tree.get("services"), &mut |name, service| check_service(name, service, diagnostics));
}

fn each(node: Option<&Node>, f: &mut dyn FnMut(&str, &Node)) {
    if let Some(map) = node.and_then(Node::as_map) {
        map.iter().for_each(|(name, node)| f(name, node));
    }
}

fn items<'n>(node: &'n Node, keys: &[&str]) -> &'n [Node] {
    node.at(keys).and_then(Node::as_seq).unwrap_or_default()
}

/// An external volume is made elsewhere: nothing but its name can be said of it.
fn external(field: &str, node: &Node, diagnostics: &mut Diagnostics) {
    if node.get("external").map(|n| &n.value) != Some(&Value::Bool(true)) {
        return;
    }
    let Some(map) = node.as_map() else { return };
    for (key, entry) in
        map.0.iter().filter(|(key, _)| !matches!(key.as_str(), "name" | "external") && !key.starts_with("x-"))
    {
        diagnostics.push(
            Diagnostic::error("compose.conflict", format!("`{field}` is external, so `{key}` cannot be set here"))
                .at(entry.key)
                .field(format!("{field}.{key}"))
                .hint("remove it, or remove `external: true`"),
        );
    }
}

fn source(field: &str, node: &Node, keys: &[&str], diagnostics: &mut Diagnostics) {
    let Some(map) = node.as_map() else {
        if node.is_null() {
            none_set(field, node, keys, diagnostics);
        }
        return;
    };
    let set: Vec<&&str> = keys.iter().filter(|key| map.contains(key)).collect();
    if set.len() > 1 {
        diagnostics.push(
            Diagnostic::error("compose.conflict", format!("`{field}` has more than one source: {}", keys.join(" or ")))
                .at(node.span)
                .field(field)
                .hint("keep one of them"),
        );
    }
    if set.is_empty() && !map.contains("driver") && !map.contains("external") {
        none_set(field, node, keys, diagnostics);
    }
}

fn none_set(field: &str, node: &Node, keys: &[&str], diagnostics: &mut Diagnostics) {
    diagnostics.push(
        Diagnostic::error(
            "compose.no-source",
            format!("`{field}` has no source: one of {} must be set", keys.join(" or ")),
        )
        .at(node.span)
        .field(field)
        .hint("add `file: ./path`, or another source"),
    );
}

fn check_service(name: &str, service: &Node, diagnostics: &mut Diagnostics) {
    for (i, port) in items(service, &["ports"]).iter().enumerate() {
        if let Some(ip) = port.get("host_ip").filter(|ip| ip.as_str().is_none_or(|t| t.parse::<IpAddr>().is_err())) {
            diagnostics.push(
                Diagnostic::error(
                    "compose.bad-address",
                    format!("`{}` is no IP address", ip.scalar_text().unwrap_or_default()),
                )
                .at(ip.span)
                .field(format!("services.{name}.ports[{i}].host_ip"))
                .hint("write an address of this machine, as 127.0.0.1"),
            );
        }
    }
    for keys in [&["deploy", "resources", "reservations", "devices"][..], &["gpus"][..]] {
        for device in items(service, keys).iter().filter(|d| d.get("count").is_some() && d.get("device_ids").is_some())
        {
            diagnostics.push(
                Diagnostic::error("compose.conflict", "`count` and `device_ids` exclude each other")
                    .at(device.span)
                    .field(format!("services.{name}.{}", keys.join(".")))
                    .hint("keep one of them"),
            );
        }
    }
    for watch in
        items(service, &["develop", "watch"]).iter().filter_map(|w| w.get("path")).filter(|p| p.as_str() == Some(""))
    {
        diagnostics.push(
            Diagnostic::error("compose.empty-path", "the path to watch is empty")
                .at(watch.span)
                .field(format!("services.{name}.develop.watch"))
                .hint("name a file or folder"),
        );
    }
}

/// Values that this model takes from its own environment: valueless list entries, secrets and configs by variable.
pub fn resolve_environment(
    tree: &mut Node,
    environment: &BTreeMap<String, String>,
    secrets: &mut BTreeMap<String, Secret>,
) {
    if let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) {
        for entry in services.0.values_mut() {
            let Some(Node { value: Value::Seq(items), .. }) = entry.node.get_mut("environment") else { continue };
            for item in items {
                if let Value::Str(text) = &mut item.value
                    && let Some(value) = environment.get(text.as_str())
                {
                    *text = format!("{text}={value}");
                }
            }
        }
    }
    let variable = |node: &Node| environment.get(node.get("environment")?.as_str()?).cloned();
    each(tree.get("secrets"), &mut |name, node| {
        if let Some(value) = variable(node) {
            secrets.insert(name.to_string(), Secret::new(value));
        }
    });
    if let Some(configs) = tree.get_mut("configs").and_then(Node::as_map_mut) {
        for entry in configs.0.values_mut() {
            if let Some(value) = variable(&entry.node) {
                let span = entry.node.span;
                if let Some(map) = entry.node.as_map_mut() {
                    map.set("content", Node::str(span, value));
                }
            }
        }
    }
}
