//! The files of a home that plain Compose runs: written here, never by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::networks::{self, Networks};
use super::{Cidr, Places, SECTIONS, Spec, ports};
use crate::compose::tree::{Entry, Map, Node, Value};
use crate::compose::{output, yaml};
use crate::diag::{Diagnostics, FileId, Sources, Span};

/// The file that Compose finds by itself.
pub const ROOT: &str = "compose.yaml";
/// Everything, with ports on this machine and no proxy.
pub const LOCALHOST: &str = "compose/localhost.yaml";

/// How every rendered file begins.
pub const HEADER: &str = "# Written by `hearth render` from stacks/: edit those, not this file.\n";

/// What a home decides for all of its stacks.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    pub project: &'a str,
    pub range: Cidr,
    /// `compose/localhost.yaml` as it was rendered last: networks keep the subnets that they have there.
    pub previous: Option<&'a str>,
}

/// The rendered files, and the way back from them to the stacks.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// By path relative to the home.
    pub files: BTreeMap<PathBuf, String>,
    /// For the files that have parts of stacks in them.
    pub places: BTreeMap<PathBuf, Places>,
}

/// Writes all files of a home in localhost mode; the same spec, settings and previous file give the same bytes.
pub fn render(spec: &Spec, settings: &Settings, diagnostics: &mut Diagnostics) -> Option<Rendered> {
    let mut told = Diagnostics::default();
    let previous = settings.previous.map(previous_subnets).unwrap_or_default();
    let networks = networks::assign(spec, settings.range, &previous, &mut told);
    let published = ports::publish(spec, &mut told);
    let ok = !told.has_errors();
    diagnostics.extend(told);
    if !ok {
        return None;
    }
    let tree = Tree { spec, networks: &networks, published: &published }.root();
    let text = write(spec, &tree);
    let mut rendered = Rendered::default();
    rendered.places.insert(LOCALHOST.into(), Places::new(&text, &tree));
    rendered.files.insert(LOCALHOST.into(), text);
    rendered.files.insert(ROOT.into(), root(settings.project, Path::new(LOCALHOST)));
    Some(rendered)
}

fn root(project: &str, mode: &Path) -> String {
    let name = yaml::emit::emit(&json!({ "name": project }));
    format!("{HEADER}{name}include: [{{path: [{}], project_directory: .}}]\n", mode.display())
}

/// The subnets in a rendered file. What cannot be read counts as absent: subnets are then given anew.
fn previous_subnets(text: &str) -> BTreeMap<String, Cidr> {
    let mut sources = Sources::default();
    let file = sources.add("previous", text);
    let documents = yaml::parse(file, &sources, &mut Diagnostics::default());
    let networks = documents.first().and_then(|d| d.get("networks")).and_then(Node::as_map);
    let all = networks.into_iter().flat_map(Map::iter);
    all.filter_map(|(key, node)| Some((key.clone(), *networks::written_subnets(node).first()?))).collect()
}

struct Tree<'a> {
    spec: &'a Spec,
    networks: &'a Networks,
    published: &'a indexmap::IndexMap<String, Vec<Node>>,
}

impl Tree<'_> {
    /// The whole file as a tree whose places are those of the stacks.
    fn root(&self) -> Node {
        let mut root = Node::map(self.spec.stacks.first().map_or(NOWHERE, |s| s.span));
        let span = root.span;
        let mut add = |section: &str, map: Map| {
            if let Some(root) = root.as_map_mut().filter(|_| !map.is_empty() || section == "services") {
                root.set(section, Node::new(span, Value::Map(map)));
            }
        };
        add("services", self.services());
        let networks = self.networks.all.iter().map(|(key, node)| (key.clone(), node.clone()));
        add("networks", networks.collect());
        for section in SECTIONS.iter().filter(|s| !matches!(**s, "services" | "networks")) {
            let mut map = Map::default();
            for (key, resource) in self.spec.resources.get(section).into_iter().flatten() {
                map.0.insert(key.clone(), Entry { key: resource.key, node: resource.node.clone() });
            }
            add(section, map);
        }
        root
    }

    fn services(&self) -> Map {
        let mut all = Map::default();
        for (name, service) in &self.spec.services {
            let mut node = service.node.clone();
            if let Some(map) = node.as_map_mut() {
                self.complete(name, service, map);
            }
            all.0.insert(name.clone(), Entry { key: service.key, node });
        }
        all
    }

    /// What Hearth adds to a service.
    fn complete(&self, name: &str, service: &super::Service, map: &mut Map) {
        let at = |map: &Map, key: &str| map.get(key).map_or(service.key, |n| n.span);
        match service.profiles.is_empty() {
            true => {
                map.remove("profiles");
            }
            false => {
                let span = at(map, "profiles");
                let written = map.get("profiles").and_then(Node::as_seq).unwrap_or_default().to_vec();
                let place = |p: &String| written.iter().find(|n| n.as_str() == Some(p)).map_or(span, |n| n.span);
                let items = service.profiles.iter().map(|p| Node::str(place(p), p)).collect();
                map.set("profiles", Node::new(span, Value::Seq(items)));
            }
        }
        if let Some(networks) = self.networks.joined.get(name) {
            map.set("networks", networks.clone());
        }
        if let Some(added) = self.published.get(name) {
            let mut ports = map.get("ports").and_then(Node::as_seq).unwrap_or_default().to_vec();
            ports.extend(added.iter().cloned());
            map.set("ports", Node::new(at(map, "ports"), Value::Seq(ports)));
        }
        if let Some(update) = &service.update {
            let mut own = Map::default();
            own.set("update", update.clone());
            map.set("x-hearth", Node::new(update.span, Value::Map(own)));
        }
    }
}

const NOWHERE: Span = Span { file: FileId(0), line: 1, column: 1, width: 1 };

/// The text: services under the name of their stack, then the rest.
fn write(spec: &Spec, tree: &Node) -> String {
    let mut out = String::from(HEADER);
    let Some(root) = tree.as_map() else { return out };
    for (section, node) in root.iter() {
        let Some(map) = node.as_map() else { continue };
        if map.is_empty() {
            out.push_str(&format!("{section}: {{}}\n"));
            continue;
        }
        out.push_str(&format!("{section}:\n"));
        let mut last = None;
        for (name, node) in map.iter() {
            let stack = spec.services.get(name).filter(|_| section == "services").map(|s| s.stack);
            if stack.is_some() && stack != last {
                out.push_str(&format!("  # stacks/{}.yaml\n", stack.map_or("", |i| &spec.stacks[i].name)));
                last = stack;
            }
            let mut one = serde_json::Map::new();
            one.insert(name.clone(), plain(node));
            for line in yaml::emit::emit(&Json::Object(one)).lines() {
                out.push_str(if line.is_empty() { "" } else { "  " });
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// A tree as JSON; numbers that JSON does not have are written as Compose prints them.
fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Float(f) if !f.is_finite() => json!(node.scalar_text()),
        Value::Float(f) => json!(f),
        Value::Seq(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Map(map) => Json::Object(map.iter().map(|(key, node)| (key.clone(), plain(node))).collect()),
        _ => output::plain(node),
    }
}
