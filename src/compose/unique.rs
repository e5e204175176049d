//! List entries that name the same thing: the later one takes the place of the earlier (Compose specification, 13-merge,
//! "unique resources"). Run before and after short forms are written long.

use std::collections::HashMap;

use super::short::volume;
use super::tree::{Node, Value};
use crate::diag::{Diagnostic, Diagnostics};

/// What tells two entries of a list apart.
#[derive(Clone, Copy)]
enum Index {
    /// What stands before `=`.
    Key,
    Volume,
    Device,
    Mount(&'static str),
    Port,
    EnvFile,
    Expose,
}

const SERVICE_LISTS: [(&str, Index); 19] = [
    ("annotations", Index::Key),
    ("cap_add", Index::Key),
    ("cap_drop", Index::Key),
    ("configs", Index::Mount("")),
    ("devices", Index::Device),
    ("dns", Index::Key),
    ("dns_opt", Index::Key),
    ("dns_search", Index::Key),
    ("env_file", Index::EnvFile),
    ("environment", Index::Key),
    ("expose", Index::Expose),
    ("labels", Index::Key),
    ("links", Index::Key),
    ("ports", Index::Port),
    ("profiles", Index::Key),
    ("secrets", Index::Mount("/run/secrets")),
    ("sysctls", Index::Key),
    ("tmpfs", Index::Key),
    ("volumes", Index::Volume),
];

/// Keeps one entry of each in every list of the tree that has a rule.
pub fn enforce(tree: &mut Node, diagnostics: &mut Diagnostics) {
    if let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) {
        for (name, entry) in services.0.iter_mut() {
            service(name, &mut entry.node, diagnostics);
        }
    }
    if let Some(networks) = tree.get_mut("networks").and_then(Node::as_map_mut) {
        for entry in networks.0.values_mut() {
            keyed(entry.node.get_mut("labels"));
            keyed(entry.node.get_mut("ipam").and_then(|ipam| ipam.get_mut("options")));
        }
    }
}

fn service(name: &str, service: &mut Node, diagnostics: &mut Diagnostics) {
    let Some(map) = service.as_map_mut() else { return };
    for (key, index) in SERVICE_LISTS {
        if let Some(Node { value: Value::Seq(items), .. }) = map.get_mut(key) {
            check(items, index, &format!("services.{name}.{key}"), diagnostics);
            one_of_each(items, index);
        }
    }
    if let Some(build) = map.get_mut("build") {
        for key in ["args", "additional_contexts", "tags", "labels"] {
            keyed(build.get_mut(key));
        }
    }
    keyed(map.get_mut("deploy").and_then(|deploy| deploy.get_mut("labels")));
    if let Some(networks) = map.get_mut("networks").and_then(Node::as_map_mut) {
        for entry in networks.0.values_mut() {
            keyed(entry.node.get_mut("aliases"));
            keyed(entry.node.get_mut("link_local_ips"));
        }
    }
}

/// Entries that cannot be told apart because a part is missing.
fn check(items: &[Node], index: Index, field: &str, diagnostics: &mut Diagnostics) {
    for (i, item) in items.iter().enumerate() {
        let lacks = match index {
            Index::Volume | Index::Device => {
                item.as_map().is_some_and(|m| m.get("target").is_none_or(|t| t.as_str().is_none()))
            }
            Index::Port => item.as_map().is_some_and(|m| !m.contains("target")),
            _ => false,
        };
        if lacks && !diagnostics.0.iter().any(|d| d.place == Some(item.span) && d.code == "compose.no-target") {
            diagnostics.push(
                Diagnostic::error("compose.no-target", "this entry has no target")
                    .at(item.span)
                    .field(format!("{field}[{i}]"))
                    .hint("add `target:`, the path or port inside the container"),
            );
        }
        if matches!(index, Index::Expose) && matches!(item.value, Value::Float(_)) {
            diagnostics.push(
                Diagnostic::error("compose.bad-port", "a port is a whole number or text")
                    .at(item.span)
                    .field(format!("{field}[{i}]"))
                    .hint("put it in quotes if it is a range, as \"8000-8010\""),
            );
        }
    }
}

fn keyed(node: Option<&mut Node>) {
    if let Some(Node { value: Value::Seq(items), .. }) = node {
        one_of_each(items, Index::Key);
    }
}

fn one_of_each(items: &mut Vec<Node>, index: Index) {
    if items.len() < 2 {
        return;
    }
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(items.len());
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in std::mem::take(items) {
        let key = key_of(&item, index);
        match key.as_ref().and_then(|key| seen.get(key)) {
            Some(&at) => kept[at] = item,
            None => {
                if let Some(key) = key {
                    seen.insert(key, kept.len());
                }
                kept.push(item);
            }
        }
    }
    *items = kept;
}

/// `None`: not comparable (the schema tells of it).
fn key_of(item: &Node, index: Index) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Node::scalar_text);
    match index {
        Index::Key => item.as_str().map(|s| s.split_once('=').map_or(s, |(key, _)| key).to_string()),
        Index::Expose => item.scalar_text(),
        Index::EnvFile => item.as_str().map(str::to_string).or_else(|| text("path")),
        Index::Volume => match item.as_str() {
            Some(short) => volume::parse(short).ok().map(|v| v.target),
            None => text("target"),
        },
        Index::Device => match item.as_str() {
            Some(short) => Some(short.split(':').nth(1).unwrap_or(short).to_string()),
            None => text("target"),
        },
        Index::Mount(folder) => match item.as_str() {
            Some(name) => Some(format!("{folder}/{name}")),
            None => text("target").or_else(|| Some(format!("{folder}/{}", text("source")?))),
        },
        Index::Port => match &item.value {
            Value::Int(n) => Some(n.to_string()),
            Value::Str(short) => Some(short.clone()),
            Value::Map(_) => {
                let host = text("host_ip").unwrap_or_else(|| "0.0.0.0".into());
                let protocol = text("protocol").unwrap_or_else(|| "tcp".into());
                // A number and the same number as text are two to Compose; so is a port that is not published.
                let published = match item.get("published").map(|p| &p.value) {
                    None => "-".to_string(),
                    Some(Value::Int(n)) => format!("#{n}"),
                    Some(_) => text("published").unwrap_or_default(),
                };
                Some(format!("{host}:{published}:{}/{protocol}", text("target")?))
            }
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{output, yaml};
    use crate::diag::Sources;
    use serde_json::json;

    fn enforced(web: &str) -> (serde_json::Value, usize) {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", format!("services: {{web: {web}}}"));
        let mut told = Diagnostics::default();
        let mut tree = yaml::parse(file, &sources, &mut told).remove(0);
        enforce(&mut tree, &mut told);
        (output::plain(tree.at(&["services", "web"]).unwrap()), told.0.len())
    }

    #[test]
    fn the_later_of_two_takes_the_place_of_the_earlier() {
        let (web, _) = enforced("{environment: [A=1, B=1, A=2], volumes: ['./a:/x', './b:/y', './c:/x']}");
        assert_eq!(web, json!({"environment": ["A=2", "B=1"], "volumes": ["./c:/x", "./b:/y"]}));
    }

    #[test]
    fn ports_differ_by_address_host_port_and_protocol() {
        let ports =
            "{ports: ['80:80', '80:80', {target: 53, published: 53}, {target: 53, published: '53'}, {target: 53}]}";
        assert_eq!(enforced(ports).0["ports"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn an_entry_without_target_is_told_once() {
        assert_eq!(enforced("{volumes: [{type: bind, source: .}]}").1, 1);
    }
}
