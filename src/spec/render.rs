//! The files of a home that plain Compose runs: written here, never by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use indexmap::IndexMap;

use super::networks::{self, Networks};
use super::routes::{self, Routes};
use super::{Cidr, Places, SECTIONS, Spec, front, keys, ports};
use crate::compose::tree::{Entry, Map, Node, Value};
use crate::compose::{output, yaml};
use crate::diag::{Diagnostics, FileId, Sources, Span};

/// The file that Compose finds by itself.
pub const ROOT: &str = "compose.yaml";
/// Everything, with ports on this machine and no proxy.
pub const LOCALHOST: &str = "compose/localhost.yaml";
/// Everything, with routes through Traefik and no ports.
pub const DOMAIN: &str = "compose/domain.yaml";

/// How every rendered file begins.
pub const HEADER: &str = "# Written by `hearth render` from stacks/: edit those, not this file.\n";

/// How services are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// On ports of this machine.
    #[default]
    Localhost,
    /// By name, through Traefik.
    Domain,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Localhost => "localhost",
            Mode::Domain => "domain",
        }
    }

    /// The rendered file that means it.
    pub fn file(self) -> &'static str {
        match self {
            Mode::Localhost => LOCALHOST,
            Mode::Domain => DOMAIN,
        }
    }
}

/// What a home decides for all of its stacks.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    pub project: &'a str,
    pub mode: Mode,
    pub range: Cidr,
    /// The rendered files of last time: networks keep the subnets that they have there.
    pub previous: Vec<&'a str>,
    pub traefik: &'a crate::traefik::statics::Settings,
    /// Routes of `hearth.yaml`, by their names there.
    pub outside: &'a [(String, keys::Route)],
}

/// The rendered files, and the way back from them to the stacks.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// By path relative to the home.
    pub files: BTreeMap<PathBuf, String>,
    /// For the files that have parts of stacks in them.
    pub places: BTreeMap<PathBuf, Places>,
    /// All services of the home's mode: in domain mode Traefik and gate are among them.
    pub spec: Spec,
    /// All routes, whatever the mode; texts still have variables.
    pub routes: Routes,
    /// The labels that were added to services in the home's mode, by service.
    pub labels: IndexMap<String, Vec<(String, String)>>,
    /// The keys of all networks of the home's mode.
    pub networks: BTreeSet<String>,
    /// The machine's address in each network that Traefik joins and that leads out, by the network's key.
    pub gateways: BTreeMap<String, Ipv4Addr>,
    /// Hearth's own in the network of the core stack, where it runs as a container.
    pub hearth: Option<Ipv4Addr>,
}

/// Writes all files of a home; the same spec, settings and previous files give the same bytes. The file of domain mode is left out
/// where a home that is not in it uses names that it needs.
pub fn render(spec: &Spec, settings: &Settings, diagnostics: &mut Diagnostics) -> Option<Rendered> {
    let mut told = Diagnostics::default();
    let mut previous = BTreeMap::new();
    // The first file that knows a network counts: that of the home's mode.
    settings.previous.iter().flat_map(|text| previous_subnets(text)).for_each(|(key, cidr)| {
        previous.entry(key).or_insert(cidr);
    });
    let routes = routes::collect(spec, settings.project, settings.outside, settings.traefik, &mut told);
    let reserved = front::reserved(spec);
    let has_domain = reserved.is_empty();
    if settings.mode == Mode::Domain {
        reserved.into_iter().for_each(|d| told.push(d));
    }
    let mut domain =
        if has_domain { front::add(spec, &routes, settings.traefik, settings.project) } else { spec.clone() };
    let routed = if has_domain { front::routed(spec, &routes) } else { Vec::new() };
    let mut networks = networks::assign(&domain, &routed, settings.range, &previous, &mut told);
    let mut hearth = None;
    if has_domain {
        front::fix_gate(&mut domain, &mut networks);
        hearth = front::name_hearth(&mut domain, &networks);
    }
    let mut unused = Diagnostics::default();
    let in_domain = if settings.mode == Mode::Domain { &mut told } else { &mut unused };
    let labels = front::labels(&domain, &routes, &networks, settings.project, in_domain);
    let published = ports::publish(spec, &mut told);
    let ok = !told.has_errors();
    diagnostics.extend(told);
    if !ok {
        return None;
    }
    let mut rendered = Rendered { routes, hearth, ..Rendered::default() };
    let localhost =
        if has_domain { networks.without(&front::own_networks(&rendered.routes)) } else { networks.clone() };
    let has = if settings.mode == Mode::Domain { &networks } else { &localhost };
    rendered.networks = has.all.keys().cloned().collect();
    let none = IndexMap::new();
    rendered.add(LOCALHOST, Tree { spec, networks: &localhost, published: &published, labels: &none });
    if has_domain {
        rendered.gateways = networks.gateways(front::TRAEFIK);
        let ports = IndexMap::new();
        rendered.add(DOMAIN, Tree { spec: &domain, networks: &networks, published: &ports, labels: &labels });
    }
    rendered.files.insert(ROOT.into(), root(settings.project, Path::new(settings.mode.file())));
    if settings.mode == Mode::Domain {
        rendered.spec = domain;
        rendered.labels = labels;
    } else {
        rendered.spec = spec.clone();
    }
    Some(rendered)
}

impl Rendered {
    fn add(&mut self, path: &str, tree: Tree) {
        let root = tree.root();
        let text = write(tree.spec, &root);
        self.places.insert(path.into(), Places::new(&text, &root));
        self.files.insert(path.into(), text);
    }
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
    published: &'a IndexMap<String, Vec<Node>>,
    labels: &'a IndexMap<String, Vec<(String, String)>>,
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
        if let Some(added) = self.labels.get(name) {
            let span = service.keys.routes.first().map_or(service.key, |r| r.span);
            map.set("labels", front::with_labels(map.get("labels"), added, span));
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
                let name = stack.map_or("", |i| &spec.stacks[i].name);
                match spec.services.get(front::TRAEFIK).map(|s| s.stack) == stack && name == front::CORE {
                    true => out.push_str("  # Hearth's own: Traefik, and what shows it Docker\n"),
                    false => out.push_str(&format!("  # stacks/{name}.yaml\n")),
                }
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
