//! The canonical tree as typed structs. Kinds were judged by the schema; here texts become numbers, sizes, times.

mod fields;
mod resources;
mod service;

use fields::Fields;

use super::Compat;
use super::model::{FileObject, Ipam, IpamPool, Model, Network, Project, Volume};
use super::tree::{Node, Value};
use crate::diag::{Diagnostics, Span};

/// Reads every section. What cannot be read is told and left at its default.
pub fn project(tree: &Node, compat: Compat, diagnostics: &mut Diagnostics) -> Project {
    let told = std::cell::RefCell::new(std::mem::take(diagnostics));
    let mut project = Project { compat, ..Project::default() };
    if let Some(root) = Fields::of(tree, String::new(), compat, &told) {
        project.extensions = root.extensions();
        for (name, node, span) in root.entries("services") {
            let field = format!("services.{name}");
            note_places(&mut project, &field, node, span);
            if let Some(fields) = Fields::of(node, field, compat, &told) {
                project.services.insert(name.clone(), service::service(&fields));
            }
        }
        for section in ["networks", "volumes", "secrets", "configs", "models"] {
            for (name, node, span) in root.entries(section) {
                let field = format!("{section}.{name}");
                project.places.insert(field.clone(), span);
                let empty = Node::map(node.span);
                let node = if node.is_null() { &empty } else { node };
                let Some(fields) = Fields::of(node, field, compat, &told) else { continue };
                match section {
                    "networks" => drop(project.networks.insert(name.clone(), network(&fields))),
                    "volumes" => drop(project.volumes.insert(name.clone(), volume(&fields))),
                    "secrets" => drop(project.secrets.insert(name.clone(), file_object(&fields))),
                    "configs" => drop(project.configs.insert(name.clone(), file_object(&fields))),
                    _ => drop(project.models.insert(name.clone(), model(&fields))),
                }
            }
        }
    }
    *diagnostics = told.into_inner();
    project
}

/// Places of a service, its attributes, and their entries.
fn note_places(project: &mut Project, field: &str, node: &Node, span: Span) {
    project.places.insert(field.to_string(), span);
    let Some(map) = node.as_map() else { return };
    for (key, entry) in &map.0 {
        let path = format!("{field}.{key}");
        match &entry.node.value {
            Value::Seq(items) => {
                for (i, item) in items.iter().enumerate() {
                    project.places.insert(format!("{path}[{i}]"), item.span);
                }
            }
            Value::Map(children) if matches!(key.as_str(), "depends_on" | "networks" | "models") => {
                for (child, entry) in &children.0 {
                    project.places.insert(format!("{path}.{child}"), entry.key);
                }
            }
            _ => {}
        }
        let place = if matches!(entry.node.value, Value::Map(_) | Value::Seq(_)) { entry.key } else { entry.node.span };
        project.places.insert(path, place);
    }
}

fn network(f: &Fields) -> Network {
    Network {
        name: f.text("name"),
        driver: f.text("driver"),
        driver_opts: f.mapping("driver_opts"),
        ipam: f.sub("ipam").map(|ipam| ipam_section(&ipam)).unwrap_or_default(),
        external: f.flag("external"),
        internal: f.flag("internal"),
        attachable: f.flag("attachable"),
        labels: f.mapping("labels"),
        enable_ipv4: f.flag_opt("enable_ipv4"),
        enable_ipv6: f.flag_opt("enable_ipv6"),
        extensions: f.extensions(),
    }
}

fn ipam_section(f: &Fields) -> Ipam {
    let pool = |f: Fields| IpamPool {
        subnet: f.text("subnet"),
        gateway: f.text("gateway"),
        ip_range: f.text("ip_range"),
        aux_addresses: f.mapping("aux_addresses"),
        extensions: f.extensions(),
    };
    Ipam {
        driver: f.text("driver"),
        config: f.each("config", pool),
        options: if f.compat == Compat::V5 { f.mapping("options") } else { Default::default() },
        extensions: f.extensions(),
    }
}

fn volume(f: &Fields) -> Volume {
    Volume {
        name: f.text("name"),
        driver: f.text("driver"),
        driver_opts: f.mapping("driver_opts"),
        external: f.flag("external"),
        labels: f.mapping("labels"),
        extensions: f.extensions(),
    }
}

fn file_object(f: &Fields) -> FileObject {
    FileObject {
        name: f.text("name"),
        file: f.text("file"),
        environment: f.text("environment"),
        content: f.text("content"),
        external: f.flag("external"),
        labels: f.mapping("labels"),
        driver: f.text("driver"),
        driver_opts: f.mapping("driver_opts"),
        template_driver: f.text("template_driver"),
        extensions: f.extensions(),
    }
}

fn model(f: &Fields) -> Model {
    Model {
        name: f.text("name"),
        model: f.text("model"),
        context_size: f.int("context_size"),
        runtime_flags: f.strings("runtime_flags"),
        extensions: f.extensions(),
    }
}
