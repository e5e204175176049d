//! What Hearth adds to Compose: stacks with `x-hearth` keys, united, closed over profiles, given networks, and written as plain
//! Compose. Pure: files come through [`compose::Files`], nothing is resolved that `.env` decides.
//!
//! [`read`] makes a [`Spec`] of the stack files; [`render()`] makes the files of a home from it, with the place in a stack of
//! everything that stands in them ([`Places`]).

pub mod cidr;
mod closure;
pub mod edit;
mod flatten;
pub mod front;
pub mod keys;
pub mod labels;
pub mod needs;
mod networks;
mod paths;
mod places;
mod ports;
mod render;
pub mod routes;
pub mod stack;

pub use cidr::Cidr;
pub use keys::{ServiceKeys, StackKeys};
pub use places::{Origins, Places};
pub use render::{DOMAIN, HEADER, LOCALHOST, Mode, ROOT, Rendered, Settings, render};
pub use routes::Routes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::compose::Files;
use crate::compose::tree::Node;
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};
use needs::Need;

/// The sections of a Compose file whose keys are one namespace for the whole home.
pub const SECTIONS: [&str; 6] = ["services", "networks", "volumes", "secrets", "configs", "models"];

/// One file of `stacks/`, as read.
#[derive(Debug, Clone)]
pub struct StackFile {
    /// The file's name without its ending.
    pub name: String,
    /// Absolute.
    pub path: PathBuf,
    pub text: String,
}

/// All stacks of a home.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// By name.
    pub stacks: Vec<Stack>,
    /// In the order of stacks, then as written.
    pub services: IndexMap<String, Service>,
    /// Networks, volumes, secrets, configs and models, by section.
    pub resources: BTreeMap<&'static str, IndexMap<String, Resource>>,
    /// Hearth's own stack, which domain mode adds ([`front`]).
    core: Option<Box<Spec>>,
}

#[derive(Debug, Clone)]
pub struct Stack {
    pub name: String,
    pub path: PathBuf,
    pub keys: StackKeys,
    /// The beginning of the file.
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Service {
    /// Index in [`Spec::stacks`].
    pub stack: usize,
    pub key: Span,
    /// As written, flattened, without `x-hearth`.
    pub node: Node,
    pub keys: ServiceKeys,
    /// `x-hearth.update`, which the rendered file keeps: it says how to replace, not what to run.
    pub update: Option<Node>,
    pub needs: Vec<Need>,
    /// As written; closed over by [`read`]. Empty: always on.
    pub profiles: Vec<String>,
    /// The profiles that the stack itself gives it.
    pub written_profiles: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Resource {
    pub stack: usize,
    pub key: Span,
    pub node: Node,
}

/// Reads all stacks. Every mistake of every file is in `diagnostics`; there is no result where one is an error.
pub fn read(
    home: &Path,
    stacks: &[StackFile],
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Spec> {
    let mut told = Diagnostics::default();
    let mut spec = Spec::default();
    let mut sorted: Vec<&StackFile> = stacks.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for file in sorted {
        stack::read(&mut spec, file, home, files, sources, &mut told);
    }
    let mut core = Spec::default();
    let file =
        StackFile { name: front::CORE.into(), path: "hearth's own stacks/core.yaml".into(), text: front::TEXT.into() };
    stack::read(&mut core, &file, home, files, sources, &mut told);
    spec.core = Some(Box::new(core));
    unknown_needs(&spec, &mut told);
    closure::close(&mut spec, &mut told);
    let ok = !told.has_errors();
    once(&mut told);
    diagnostics.extend(told);
    ok.then_some(spec)
}

/// A service that several extend is told of its mistakes once.
fn once(told: &mut Diagnostics) {
    let mut seen: BTreeSet<(Option<Span>, &'static str, String)> = BTreeSet::new();
    told.0.retain(|d| seen.insert((d.place, d.code, d.title.clone())));
}

fn unknown_needs(spec: &Spec, diagnostics: &mut Diagnostics) {
    for (name, service) in &spec.services {
        for need in service.needs.iter().filter(|n| !spec.services.contains_key(&n.service)) {
            // A name with a variable is known when it is resolved.
            if need.service.contains('$') {
                continue;
            }
            let title = format!("`{name}` needs the service `{}`, which no stack has", need.service);
            let d = Diagnostic::error("spec.unknown-service", title).at(need.span).field(format!("services.{name}"));
            let known = spec.services.keys().map(String::as_str);
            diagnostics.push(match crate::base::wording::nearest(&need.service, known) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d.hint("add the stack that has it, or remove the dependency"),
            });
        }
    }
}

impl Spec {
    /// Every profile that a service names, sorted.
    pub fn profiles(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.services.values().flat_map(|s| &s.profiles).collect();
        all.into_iter().cloned().collect()
    }

    /// The service whose network `name` uses: itself, or the end of its `network_mode: service:` chain.
    pub fn network_owner<'s>(&'s self, name: &'s str) -> &'s str {
        let mut owner = name;
        for _ in 0..self.services.len() {
            let mode = self.services.get(owner).and_then(|s| s.node.get("network_mode")).and_then(Node::as_str);
            match mode.and_then(|m| m.strip_prefix("service:")).filter(|next| self.services.contains_key(*next)) {
                Some(next) => owner = next,
                None => break,
            }
        }
        owner
    }
}

#[cfg(test)]
mod tests;
