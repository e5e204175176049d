//! `include` (Compose specification, 14-include): other projects' resources, each loaded as a project of its own.

use std::path::{Path, PathBuf};

use super::extends::is_remote;
use super::load::{Loader, Model};
use super::reset::Resets;
use super::tree::{Map, Node, Value};
use super::{Compat, discover, merge};
use crate::base::secret::is_secret_name;
use crate::base::wording;
use crate::diag::{Diagnostic, Span};

/// Includes of one project, those of included files among them: files that include each other in many ways would never end.
pub(crate) const MAX_INCLUDES: usize = 1000;

/// Files that include one another in a row.
pub(crate) const MAX_NESTED: usize = 50;

/// One entry, long.
struct Entry {
    paths: Vec<(String, Span)>,
    project_directory: Option<String>,
    env_files: Vec<(String, Span)>,
    span: Span,
}

impl Loader<'_> {
    /// Loads what `tree` includes and copies its resources in; the key `include` vanishes.
    pub(super) fn include_all(&mut self, tree: &mut Node, model: &Model, included: &[PathBuf], resets: &Resets) {
        let Some(list) = tree.get("include") else { return };
        let Value::Seq(items) = &list.value else { return };
        let entries: Vec<Entry> = items.iter().filter_map(entry).collect();
        if let Some(map) = tree.as_map_mut() {
            map.remove("include");
        }
        for entry in entries {
            if let Some(imported) = self.include(entry, model, included) {
                self.import(imported, tree, resets);
            }
        }
    }

    fn include(&mut self, entry: Entry, model: &Model, included: &[PathBuf]) -> Option<Node> {
        let mut paths = Vec::new();
        for (path, span) in &entry.paths {
            if is_remote(path) {
                self.refuse_remote("include", path, *span);
                return None;
            }
            paths.push(discover::absolute(&model.working_dir, Path::new(path)));
        }
        let main = paths.first()?;
        if included.contains(main) {
            return self.circle_of(included, main, entry.span);
        }
        if included.len() > MAX_NESTED {
            let title = format!("includes lead from file to file more than {MAX_NESTED} deep");
            let d = Diagnostic::error("compose.too-deep", title).at(entry.span);
            self.diagnostics.push(d.hint("look for a folder that links to itself, or include the last file directly"));
            return None;
        }
        let working_dir = match &entry.project_directory {
            Some(dir) => discover::absolute(&model.working_dir, Path::new(dir)),
            None => main.parent().unwrap_or(Path::new("/")).to_path_buf(),
        };
        let mut environment = model.environment.clone();
        self.read_env(&entry, &working_dir, model, &mut environment);
        if environment.len() > model.environment.len() {
            let new = environment.iter().filter(|(name, _)| !model.environment.contains_key(*name));
            let secrets = new.filter(|(name, _)| is_secret_name(name)).map(|(_, value)| value.clone());
            self.included_secrets.extend(secrets);
        }
        self.includes += 1;
        if self.includes > MAX_INCLUDES {
            if self.includes == MAX_INCLUDES + 1 {
                let title = format!("more than {MAX_INCLUDES} includes lead from one file to another");
                let d = Diagnostic::error("compose.too-large", title).at(entry.span);
                self.diagnostics.push(d.hint("include each file once, from one place"));
            }
            return None;
        }
        let asked = entry.paths.iter().map(|(_, span)| *span).collect();
        let inner = Model { files: paths, asked, working_dir, environment, included: included.to_vec() };
        self.model(&inner, None)
    }

    /// The entry's env files, else `.env` of its directory. What the includer has set stays.
    fn read_env(
        &mut self,
        entry: &Entry,
        dir: &Path,
        model: &Model,
        variables: &mut std::collections::BTreeMap<String, String>,
    ) {
        let mut files = Vec::new();
        if entry.env_files.is_empty() {
            let dotenv = dir.join(".env");
            files.extend(self.files.is_file(&dotenv).then_some(dotenv));
        }
        for (file, span) in &entry.env_files {
            if self.compat == Compat::V5 && file == "/dev/null" {
                continue;
            }
            let path = discover::absolute(&model.working_dir, Path::new(file));
            match discover::read_text(self.files, &path) {
                Ok(_) => files.push(path),
                Err(refusal) => {
                    let d = refusal.tell("an env file", &path, &mut self.sources);
                    self.diagnostics.push(d.or_at(*span));
                }
            }
        }
        let mut environment = discover::Environment {
            files: self.files,
            sources: &mut self.sources,
            diagnostics: &mut self.diagnostics,
            compat: self.compat,
            variables,
        };
        environment.read(&files);
    }

    fn circle_of(&mut self, included: &[PathBuf], again: &Path, span: Span) -> Option<Node> {
        let story: Vec<String> =
            included.iter().map(|p| p.as_path()).chain([again]).map(|p| p.display().to_string()).collect();
        self.diagnostics.push(
            Diagnostic::error(
                "compose.include-cycle",
                format!("these files include each other in a circle: {}", wording::chain(&story)),
            )
            .at(span)
            .hint("remove one `include` of the circle"),
        );
        None
    }

    fn import(&mut self, mut imported: Node, tree: &mut Node, resets: &Resets) {
        for section in ["services", "volumes", "networks", "secrets", "configs", "models"] {
            let Some(Value::Map(from)) = imported.as_map_mut().and_then(|m| m.remove(section)).map(|n| n.value) else {
                continue;
            };
            let span = tree.span;
            let Some(root) = tree.as_map_mut() else { return };
            if !matches!(root.get(section).map(|n| &n.value), Some(Value::Map(_))) {
                root.set(section, Node::new(span, Value::Map(Map::default())));
            }
            let Some(to) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
            for (name, entry) in from.0 {
                match to.0.get_mut(&name) {
                    None => {
                        to.0.insert(name, entry);
                    }
                    Some(own) if self.compat == Compat::V2 => {
                        if own.node != entry.node {
                            self.diagnostics.push(
                                Diagnostic::error("compose.include-conflict", format!("`{section}.{name}` is defined here and in an included file"))
                                    .at(own.key)
                                    .field(format!("{section}.{name}"))
                                    .related(entry.key, "the included one")
                                    .hint("rename one of them, or change the included one with a second file: path: [file.yaml, override.yaml]"),
                            );
                        }
                    }
                    Some(own) => {
                        let mut base = entry.node;
                        resets.apply(&mut base, &[section, &name]);
                        let over = std::mem::replace(&mut own.node, Node::null(span));
                        own.node = merge::merge_at(base, over, &[section, &name], &mut self.diagnostics);
                    }
                }
            }
        }
    }
}

fn entry(node: &Node) -> Option<Entry> {
    let texts = |node: Option<&Node>| -> Vec<(String, Span)> {
        match node.map(|n| (&n.value, n.span)) {
            Some((Value::Str(text), span)) => vec![(text.clone(), span)],
            Some((Value::Seq(items), _)) => {
                items.iter().filter_map(|i| Some((i.as_str()?.to_string(), i.span))).collect()
            }
            _ => Vec::new(),
        }
    };
    Some(match &node.value {
        Value::Str(path) => Entry {
            paths: vec![(path.clone(), node.span)],
            project_directory: None,
            env_files: Vec::new(),
            span: node.span,
        },
        Value::Map(map) => Entry {
            paths: texts(map.get("path")),
            project_directory: map
                .get("project_directory")
                .and_then(Node::as_str)
                .filter(|d| !d.is_empty())
                .map(str::to_string),
            env_files: texts(map.get("env_file")),
            span: node.span,
        },
        _ => return None,
    })
}
