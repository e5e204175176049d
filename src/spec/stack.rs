//! One stack file into the spec: what a stack may not say, what Compose would refuse, and keys that another stack has already.

use std::collections::HashSet;
use std::path::Path;

use super::flatten::Flattener;
use super::{Resource, SECTIONS, Service, Spec, Stack, StackFile, keys, needs};
use crate::compose::tree::{Map, Node, Value};
use crate::compose::{Compat, Files, schema, yaml};
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};

pub(super) fn read(
    spec: &mut Spec,
    file: &StackFile,
    home: &Path,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) {
    let id = sources.add(&file.path, &file.text);
    let begin = Span { file: id, line: 1, column: 1, width: 1 };
    if !is_stack_name(&file.name) {
        diagnostics.push(
            Diagnostic::error("spec.bad-stack-name", format!("`{}` cannot be a stack's name", file.name))
                .at(begin)
                .hint("the file's name is made of lower-case letters, digits, `-` and `_`, and begins with a letter or digit"),
        );
        return;
    }
    let documents = yaml::parse(id, sources, diagnostics);
    let mut maps = Vec::new();
    for document in documents {
        match &document.value {
            Value::Map(_) => maps.push(document),
            Value::Null => {}
            _ => {
                let title = format!("a stack is a mapping, not {}", document.kind());
                let d = Diagnostic::error("compose.not-a-mapping", title).at(document.span);
                diagnostics.push(d.hint("begin with `services:` and a service below it"));
            }
        }
    }
    let stack = Stack { name: file.name.clone(), path: file.path.clone(), keys: Default::default(), span: begin };
    let index = spec.stacks.len();
    spec.stacks.push(stack);
    let Some(mut tree) = Flattener::new(home, files, sources, diagnostics).stack(&file.path, maps) else { return };
    judge(&tree, diagnostics);
    let Some(root) = tree.as_map_mut() else { return };
    if let Some(entry) = root.0.get("name") {
        diagnostics.push(
            Diagnostic::error("spec.name-in-stack", "a stack has no `name` of its own: all stacks make one project")
                .at(entry.key)
                .field("name")
                .hint("remove the line; the project's name stands in hearth.yaml"),
        );
    }
    if let Some(entry) = root.0.get("version") {
        diagnostics.push(
            Diagnostic::warning("compose.obsolete-version", "`version` means nothing any more and is ignored")
                .at(entry.key)
                .field("version")
                .hint("remove the line"),
        );
    }
    if let Some(node) = root.get("x-hearth") {
        spec.stacks[index].keys = keys::stack(node, diagnostics);
    }
    for section in SECTIONS {
        if let Some(Value::Map(map)) = root.remove(section).map(|n| n.value) {
            unite(spec, index, section, map, diagnostics);
        }
    }
}

/// What Compose's schema refuses. Text with a variable may become what is wanted, so it is judged at load.
fn judge(tree: &Node, diagnostics: &mut Diagnostics) {
    let mut told = Diagnostics::default();
    schema::validate(tree, Compat::V5, &mut told);
    let mut variables = HashSet::new();
    collect_variables(tree, &mut variables);
    told.0.retain(|d| d.place.is_none_or(|place| !variables.contains(&place)));
    diagnostics.extend(told);
}

fn collect_variables(node: &Node, found: &mut HashSet<Span>) {
    match &node.value {
        Value::Str(text) if text.contains('$') => {
            found.insert(node.span);
        }
        Value::Seq(items) => items.iter().for_each(|item| collect_variables(item, found)),
        Value::Map(map) => map.iter().for_each(|(_, node)| collect_variables(node, found)),
        _ => {}
    }
}

fn unite(spec: &mut Spec, index: usize, section: &'static str, map: Map, diagnostics: &mut Diagnostics) {
    for (name, entry) in map.0 {
        let first = match section {
            "services" => spec.services.get(&name).map(|s| (s.stack, s.key)),
            _ => spec.resources.get(section).and_then(|all| all.get(&name)).map(|r| (r.stack, r.key)),
        };
        if let Some((stack, first)) = first {
            twice(spec, section, &name, entry.key, (stack, first), diagnostics);
            continue;
        }
        if section != "services" {
            let resource = Resource { stack: index, key: entry.key, node: entry.node };
            spec.resources.entry(section).or_default().insert(name, resource);
            continue;
        }
        if entry.node.as_map().is_some() {
            let service = service(index, &name, entry.key, entry.node, diagnostics);
            spec.services.insert(name, service);
        }
    }
}

fn twice(
    spec: &Spec,
    section: &str,
    name: &str,
    key: Span,
    (stack, first): (usize, Span),
    diagnostics: &mut Diagnostics,
) {
    let noun = section.trim_end_matches('s');
    let other = &spec.stacks[stack].name;
    diagnostics.push(
        Diagnostic::error("spec.twice", format!("the {noun} `{name}` stands in two stacks"))
            .at(key)
            .field(format!("{section}.{name}"))
            .related(first, format!("it stands in the stack `{other}` already"))
            .hint("rename one of them: all stacks of a home make one project"),
    );
}

fn service(stack: usize, name: &str, key: Span, mut node: Node, diagnostics: &mut Diagnostics) -> Service {
    let own = node.as_map_mut().and_then(|map| map.remove("x-hearth"));
    let keys = own.as_ref().map(|own| keys::service(name, own, diagnostics)).unwrap_or_default();
    for (field, labels) in [("labels", node.get("labels")), ("deploy.labels", node.at(&["deploy", "labels"]))] {
        let field = format!("services.{name}.{field}");
        raw_labels(&field, labels, keys.raw_labels, diagnostics);
        if keys.raw_labels {
            super::labels::written(&field, labels, !keys.routes.is_empty(), diagnostics);
        }
    }
    let texts = |node: &Node| -> Vec<String> {
        node.as_seq().unwrap_or_default().iter().filter_map(Node::as_str).map(str::to_string).collect()
    };
    let profiles = node.get("profiles").map(texts).unwrap_or_default();
    profile_names(name, node.get("profiles"), diagnostics);
    Service {
        stack,
        key,
        needs: needs::of(&node),
        keys,
        update: own.and_then(|own| own.get("update").cloned()),
        written_profiles: profiles.clone(),
        profiles,
        node,
    }
}

/// What is switched on by its name is named so that no command line and no address takes it for anything else.
fn profile_names(service: &str, profiles: Option<&Node>, diagnostics: &mut Diagnostics) {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    for node in profiles.and_then(Node::as_seq).unwrap_or_default() {
        if let Some(name) = node.as_str().filter(|name| !plain(name)) {
            let d = Diagnostic::error("spec.bad-profile", format!("`{name}` cannot be a profile's name")).at(node.span);
            diagnostics.push(d.field(format!("services.{service}.profiles")).hint(
                "names of profiles are made of letters, digits, `.`, `_` and `-`, and begin with a letter or digit",
            ));
        }
    }
}

/// Traefik believes its labels: who may write them can claim any host name.
fn raw_labels(field: &str, labels: Option<&Node>, allowed: bool, diagnostics: &mut Diagnostics) {
    let found: Vec<(String, Span)> = match labels.map(|n| &n.value) {
        Some(Value::Map(map)) => map.0.iter().map(|(key, entry)| (key.clone(), entry.key)).collect(),
        Some(Value::Seq(items)) => items.iter().filter_map(|i| Some((i.as_str()?.to_string(), i.span))).collect(),
        _ => Vec::new(),
    };
    let refused = |label: &str| is_traefik_label(label) && !allowed || is_reserved_label(label);
    for (label, span) in found.iter().filter(|(label, _)| refused(label)) {
        diagnostics.push(raw_label(label, field).at(*span));
    }
}

/// Whether Traefik would read a label, `NAME` or `NAME=value`.
pub fn is_traefik_label(label: &str) -> bool {
    let name = label.split('=').next().unwrap_or(label).trim().to_lowercase();
    name == "traefik" || name.starts_with("traefik.")
}

/// The label that says which of the others Traefik may see: nobody but Hearth writes it.
pub fn is_reserved_label(label: &str) -> bool {
    label.split('=').next().unwrap_or(label).trim() == crate::traefik::labels::OURS
}

/// The refusal of such a label, without its place.
pub fn raw_label(label: &str, field: &str) -> Diagnostic {
    let name = label.split('=').next().unwrap_or(label);
    if is_reserved_label(label) {
        let title = format!("the label `{name}` is Hearth's own");
        return Diagnostic::error("spec.raw-label", title)
            .field(field)
            .hint("remove it; Hearth writes it where it is needed");
    }
    Diagnostic::error("spec.raw-label", format!("the label `{name}` would speak to Traefik past Hearth"))
        .field(field)
        .hint("write a route instead: x-hearth: {route: {host: NAME, port: NUMBER}}")
        .hint("where labels are really meant, say so for this service: x-hearth: {raw-labels: true}")
}

fn is_stack_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
        && name.len() <= 48
}
