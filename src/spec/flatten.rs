//! `extends` and `include` of a stack, written out without resolving variables: what is rendered stands in one file.
//!
//! Paths of other files are rewritten so that they start from the home, as those of a stack do.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::paths;
use crate::base::wording;
use crate::compose::extends::MAX_CHAIN;
use crate::compose::include::{MAX_INCLUDES, MAX_NESTED};
use crate::compose::load::{MAX_TOGETHER, too_much_together};
use crate::compose::reset::Resets;
use crate::compose::short::volume::clean;
use crate::compose::tree::{Map, Node, Value};
use crate::compose::{Files, discover, merge, yaml};
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources, Span};

/// Reads files beneath the home and puts them together.
pub(super) struct Flattener<'a> {
    pub home: &'a Path,
    pub files: &'a dyn Files,
    pub sources: &'a mut Sources,
    pub diagnostics: &'a mut Diagnostics,
    /// Services of files that others extend, their own `extends` still to do.
    foreign: HashMap<PathBuf, (Map, Resets)>,
    // Limits, as Compose files by themselves have them: what is written out must end, and fit.
    /// Files included so far.
    includes: usize,
    /// Values that `extends` has added so far.
    inherited: usize,
    /// All texts together are too large: nothing more is read.
    full: bool,
    /// Services of circles and overlong chains of `extends` that were told.
    circles: HashSet<(PathBuf, String)>,
}

/// What is being read: the file, the folder that its relative paths start from, and the files that led here.
struct Reading<'r> {
    file: &'r Path,
    folder: &'r Path,
    trail: &'r [PathBuf],
}

impl<'a> Flattener<'a> {
    pub fn new(
        home: &'a Path,
        files: &'a dyn Files,
        sources: &'a mut Sources,
        diagnostics: &'a mut Diagnostics,
    ) -> Flattener<'a> {
        Flattener {
            home,
            files,
            sources,
            diagnostics,
            foreign: HashMap::new(),
            includes: 0,
            inherited: 0,
            full: false,
            circles: HashSet::new(),
        }
    }

    /// A stack's documents as one tree. Relative paths in it start from the home.
    pub fn stack(&mut self, file: &Path, documents: Vec<Node>) -> Option<Node> {
        let home = self.home;
        self.model(vec![(file.to_path_buf(), documents)], home, &[])
    }

    /// The files of one model merged, each with what it includes and extends.
    fn model(&mut self, files: Vec<(PathBuf, Vec<Node>)>, folder: &Path, trail: &[PathBuf]) -> Option<Node> {
        let mut whole: Option<Node> = None;
        for (file, documents) in files {
            let mut trail = trail.to_vec();
            trail.push(file.clone());
            let reading = Reading { file: &file, folder, trail: &trail };
            for document in documents {
                whole = Some(self.document(document, whole, &reading));
            }
        }
        whole
    }

    fn document(&mut self, mut tree: Node, whole: Option<Node>, reading: &Reading) -> Node {
        let resets = Resets::take(&mut tree);
        if reading.folder != self.home {
            self.rewrite(&mut tree, reading.folder);
        }
        let included = self.include_all(&mut tree, reading);
        self.extend_all(&mut tree, reading, &resets);
        for other in included {
            self.import(other, &mut tree);
        }
        match whole {
            None => tree,
            Some(mut base) => {
                resets.apply(&mut base, &[]);
                merge::merge(base, tree, self.diagnostics)
            }
        }
    }

    /// Relative paths of `tree`, which start from `folder`, made to start from the home.
    fn rewrite(&mut self, tree: &mut Node, folder: &Path) {
        let Ok(inner) = folder.strip_prefix(self.home) else { return };
        let inner = inner.to_string_lossy().into_owned();
        for span in paths::rewrite(tree, &inner) {
            self.diagnostics.push(
                Diagnostic::error(
                    "spec.variable-path",
                    "this path begins with a variable, so that it cannot be told where it starts from",
                )
                .at(span)
                .hint("write it as ./${NAME}, or move the file to the top of the home"),
            );
        }
    }

    /// The documents of a file in the home, or `None` where it cannot be had (told).
    fn read(&mut self, path: &Path, what: &str, asked: Span) -> Option<Vec<Node>> {
        if self.full {
            return None;
        }
        let text = match discover::read_text(self.files, path) {
            Ok(text) => text,
            Err(refusal) => {
                let d = refusal.tell(what, path, self.sources).or_at(asked).kind(Kind::Invalid);
                self.diagnostics.push(d);
                return None;
            }
        };
        let file = self.sources.add(path, text);
        if self.sources.bytes() > MAX_TOGETHER {
            self.full = true;
            self.diagnostics.push(too_much_together(file));
            return None;
        }
        let documents = yaml::parse(file, self.sources, self.diagnostics);
        let (maps, others): (Vec<Node>, Vec<Node>) = documents.into_iter().partition(|d| d.as_map().is_some());
        for other in others.iter().filter(|d| !d.is_null()) {
            let title = format!("a Compose file is a mapping, not {}", other.kind());
            self.diagnostics.push(Diagnostic::error("compose.not-a-mapping", title).at(other.span));
        }
        Some(maps)
    }

    /// `text` below `folder`; variables and addresses are refused, for what is named must be known now.
    fn path(&mut self, what: &str, text: &str, folder: &Path, span: Span) -> Option<PathBuf> {
        if text.contains("://") || text.starts_with("git@") || text.starts_with("github.com/") {
            self.diagnostics.push(
                Diagnostic::error(
                    "compose.remote",
                    format!("Hearth does not fetch remote files: `{what}` names {text}"),
                )
                .at(span)
                .hint("download the file, look at it, and name its local path"),
            );
            return None;
        }
        if text.contains('$') {
            self.diagnostics.push(
                Diagnostic::error("spec.variable-file", format!("`{what}` in a stack names a file by a variable"))
                    .at(span)
                    .hint("write the path out: what a stack is made of must not depend on .env"),
            );
            return None;
        }
        Some(PathBuf::from(clean(&folder.join(text).to_string_lossy())))
    }

    // include

    fn include_all(&mut self, tree: &mut Node, reading: &Reading) -> Vec<Node> {
        let Some(list) = tree.as_map_mut().and_then(|map| map.remove("include")) else { return Vec::new() };
        let Value::Seq(entries) = &list.value else {
            let title = format!("`include` must be a list, not {}", list.kind());
            self.diagnostics.push(Diagnostic::error("compose.wrong-type", title).at(list.span));
            return Vec::new();
        };
        entries.iter().filter_map(|entry| self.include(entry, reading)).collect()
    }

    fn include(&mut self, entry: &Node, reading: &Reading) -> Option<Node> {
        let texts = |node: &Node| -> Vec<(String, Span)> {
            match &node.value {
                Value::Str(text) => vec![(text.clone(), node.span)],
                Value::Seq(items) => items.iter().filter_map(|i| Some((i.as_str()?.to_string(), i.span))).collect(),
                _ => Vec::new(),
            }
        };
        let names = match &entry.value {
            Value::Map(map) => map.get("path").map(texts).unwrap_or_default(),
            _ => texts(entry),
        };
        if names.is_empty() {
            let d = Diagnostic::error("compose.wrong-type", "an `include` names a file, or has a `path`");
            self.diagnostics.push(d.at(entry.span));
            return None;
        }
        if let Some(env) = entry.get("env_file") {
            self.only_one_env(env.span);
            return None;
        }
        if !self.may_include(reading, entry.span) {
            return None;
        }
        let mut files = Vec::new();
        for (name, span) in &names {
            let path = self.path("include", name, reading.folder, *span)?;
            if reading.trail.contains(&path) {
                self.circle(reading.trail, &path, *span);
                return None;
            }
            let documents = self.read(&path, "an included file", *span)?;
            files.push((path, documents));
        }
        let folder = match entry.get("project_directory").and_then(Node::as_str) {
            Some(dir) => self.path("include", dir, reading.folder, entry.span)?,
            None => files.first()?.0.parent().unwrap_or(self.home).to_path_buf(),
        };
        if folder != self.home && self.files.is_file(&folder.join(".env")) {
            self.only_one_env(entry.span);
            return None;
        }
        self.model(files, &folder, reading.trail)
    }

    /// Counts an include; `false` where files lead to files without an end (told).
    fn may_include(&mut self, reading: &Reading, span: Span) -> bool {
        if reading.trail.len() > MAX_NESTED {
            let title = format!("includes lead from file to file more than {MAX_NESTED} deep");
            let d = Diagnostic::error("compose.too-deep", title).at(span);
            self.diagnostics.push(d.hint("look for a folder that links to itself, or include the last file directly"));
            return false;
        }
        self.includes += 1;
        if self.includes == MAX_INCLUDES + 1 {
            let title = format!("more than {MAX_INCLUDES} includes lead from one file to another");
            let d = Diagnostic::error("compose.too-large", title).at(span);
            self.diagnostics.push(d.hint("include each file once, from one place"));
        }
        self.includes <= MAX_INCLUDES
    }

    fn only_one_env(&mut self, span: Span) {
        self.diagnostics.push(
            Diagnostic::error("spec.second-env", "an included file cannot bring variables of its own into a home")
                .at(span)
                .hint("move them into the home's .env, which gives all variables"),
        );
    }

    fn circle(&mut self, trail: &[PathBuf], again: &Path, span: Span) {
        let home = self.home;
        let shown = |path: &Path| path.strip_prefix(home).unwrap_or(path).display().to_string();
        let story: Vec<String> = trail.iter().map(PathBuf::as_path).chain([again]).map(shown).collect();
        let title = format!("these files include each other in a circle: {}", wording::chain(&story));
        self.diagnostics.push(
            Diagnostic::error("compose.include-cycle", title).at(span).hint("remove one `include` of the circle"),
        );
    }

    fn import(&mut self, mut included: Node, tree: &mut Node) {
        for section in super::SECTIONS {
            let Some(Value::Map(from)) = included.as_map_mut().and_then(|m| m.remove(section)).map(|n| n.value) else {
                continue;
            };
            let span = tree.span;
            let Some(root) = tree.as_map_mut() else { return };
            if root.get(section).and_then(Node::as_map).is_none() {
                root.set(section, Node::map(span));
            }
            let Some(to) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
            for (name, entry) in from.0 {
                match to.0.get(&name) {
                    None => {
                        to.0.insert(name, entry);
                    }
                    Some(own) if own.node == entry.node => {}
                    Some(own) => self.diagnostics.push(
                        Diagnostic::error(
                            "compose.include-conflict",
                            format!("`{section}.{name}` is defined here and in an included file"),
                        )
                        .at(own.key)
                        .field(format!("{section}.{name}"))
                        .related(entry.key, "the included one")
                        .hint("rename one of them, or extend the included service under another name"),
                    ),
                }
            }
        }
    }

    // extends

    fn extend_all(&mut self, tree: &mut Node, reading: &Reading, resets: &Resets) {
        let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) else { return };
        let all = services.iter().filter(|(_, s)| s.get("extends").is_some());
        let names: Vec<String> = all.map(|(name, _)| name.clone()).collect();
        for name in names {
            let _ = self.extend(&name, services, reading, resets, &mut Vec::new());
        }
    }

    /// The service with all that it inherits, kept in `services`. `None` where it cannot be had (told).
    fn extend(
        &mut self,
        name: &str,
        services: &mut Map,
        reading: &Reading,
        resets: &Resets,
        trail: &mut Vec<(PathBuf, String)>,
    ) -> Option<Node> {
        let service = services.get(name)?.clone();
        let Some(extends) = service.get("extends").cloned() else { return Some(service) };
        let here = (reading.file.to_path_buf(), name.to_string());
        if self.circles.contains(&here) || !self.may_extend(trail, &here, extends.span) {
            return None;
        }
        let (file, wanted) = match &extends.value {
            Value::Str(service) => (None, service.clone()),
            Value::Map(map) => (map.get("file").and_then(Node::as_str), map.get("service")?.as_str()?.to_string()),
            // The schema tells of it.
            _ => return None,
        };
        trail.push(here);
        let base = match file {
            None => self.base(&wanted, services, reading, resets, trail, extends.span),
            Some(file) => self.foreign_base(file, &wanted, reading, trail, extends.span),
        };
        trail.pop();
        let mut base = base?;
        let before = self.inherited;
        self.inherited += yaml::size_of(&base);
        if self.inherited > yaml::MAX_EXPANDED {
            if before <= yaml::MAX_EXPANDED {
                let title = format!("services inherit more than {} values from one another", yaml::MAX_EXPANDED);
                let d = Diagnostic::error("compose.too-large", title).at(extends.span);
                self.diagnostics.push(d.hint("extend a smaller base, or write out what is meant"));
            }
            return None;
        }
        resets.apply(&mut base, &["services", name]);
        let mut merged = merge::merge_at(base, service, &["services", "x"], self.diagnostics);
        merged.as_map_mut()?.remove("extends");
        services.set(name, merged.clone());
        Some(merged)
    }

    /// `false` where services extend one another in a circle or without an end (told once).
    fn may_extend(&mut self, trail: &[(PathBuf, String)], here: &(PathBuf, String), span: Span) -> bool {
        let d = if trail.contains(here) {
            let names: Vec<&str> = trail.iter().map(|(_, name)| name.as_str()).chain([here.1.as_str()]).collect();
            let title = format!("these services extend each other in a circle: {}", wording::chain(&names));
            Diagnostic::error("compose.extends-cycle", title).hint("remove one `extends` of the circle")
        } else if trail.len() >= MAX_CHAIN {
            let title = format!("services extend one another more than {MAX_CHAIN} deep");
            Diagnostic::error("compose.too-deep", title).hint("extend the last base directly")
        } else {
            return true;
        };
        self.diagnostics.push(d.at(span));
        self.circles.extend(trail.iter().cloned());
        false
    }

    fn base(
        &mut self,
        wanted: &str,
        services: &mut Map,
        reading: &Reading,
        resets: &Resets,
        trail: &mut Vec<(PathBuf, String)>,
        span: Span,
    ) -> Option<Node> {
        if services.contains(wanted) {
            return self.extend(wanted, services, reading, resets, trail);
        }
        let shown = reading.file.strip_prefix(self.home).unwrap_or(reading.file).display();
        let title = format!("there is no service `{wanted}` to extend in {shown}");
        let d = Diagnostic::error("compose.extends-no-service", title).at(span);
        let d = match wording::nearest(wanted, services.0.keys().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint("check the name, and the `file` where it stands in another one"),
        };
        self.diagnostics.push(d);
        None
    }

    fn foreign_base(
        &mut self,
        file: &str,
        wanted: &str,
        reading: &Reading,
        trail: &mut Vec<(PathBuf, String)>,
        span: Span,
    ) -> Option<Node> {
        let path = self.path("extends", file, reading.folder, span)?;
        let (mut services, resets) = match self.foreign.remove(&path) {
            Some(known) => known,
            None => self.foreign_file(&path, span)?,
        };
        let folder = path.parent().unwrap_or(self.home).to_path_buf();
        let inner = Reading { file: &path, folder: &folder, trail: reading.trail };
        let base = self.base(wanted, &mut services, &inner, &resets, trail, span);
        self.foreign.insert(path, (services, resets));
        base
    }

    fn foreign_file(&mut self, path: &Path, asked: Span) -> Option<(Map, Resets)> {
        let documents = self.read(path, "the extended file", asked)?;
        let folder = path.parent().unwrap_or(self.home).to_path_buf();
        let mut whole: Option<Node> = None;
        let mut resets = Resets::default();
        for mut tree in documents {
            resets = Resets::take(&mut tree);
            if folder != self.home {
                self.rewrite(&mut tree, &folder);
            }
            whole = Some(match whole {
                None => tree,
                Some(mut base) => {
                    resets.apply(&mut base, &[]);
                    merge::merge(base, tree, self.diagnostics)
                }
            });
        }
        match whole.and_then(|mut tree| tree.as_map_mut()?.remove("services")).map(|n| n.value) {
            Some(Value::Map(services)) => Some((services, resets)),
            _ => {
                let shown = path.strip_prefix(self.home).unwrap_or(path).display();
                let d = Diagnostic::error("compose.extends-no-service", format!("{shown} has no services to extend"));
                self.diagnostics.push(d.at(asked).hint("name a file with a `services:` section"));
                None
            }
        }
    }
}
