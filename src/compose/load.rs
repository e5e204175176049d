//! The stages of loading, in Compose's order: per file, per model, then the whole project.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::discover::{self, Found};
use super::model::Project;
use super::reset::Resets;
use super::tree::{Map, Node, Value};
use super::{
    Compat, Files, Loaded, Request, canonical, checks, decode, finish, interpolate, lint, merge, paths, schema, unique,
    yaml,
};
use crate::base::secret::{Secret, is_secret_name};
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics, FileId, Kind, Sources, Span};

/// Loads a project: every mistake is told in one run, and there is a project only where there was no error.
pub fn load(request: &Request, files: &dyn Files) -> Loaded {
    let mut loader = Loader::new(request, files);
    let project = loader.project(request);
    let mut diagnostics = loader.diagnostics;
    tidy(&mut diagnostics);
    conceal(&mut diagnostics, &loader.environment, &loader.included_secrets);
    let project = project.filter(|_| !diagnostics.has_errors());
    Loaded { project, diagnostics, sources: loader.sources }
}

/// One mistake at one place is told once: later stages trip over what an earlier one named already.
pub(crate) fn tidy(diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<Span, ()> = HashMap::new();
    let mut told: std::collections::HashSet<(Option<Span>, String)> = Default::default();
    diagnostics.0.retain(|d| match (d.severity, d.place) {
        (crate::diag::Severity::Error, Some(place)) => seen.insert(place, ()).is_none(),
        _ => told.insert((d.place, d.title.clone())),
    });
    let more = diagnostics.0.len().saturating_sub(MAX_TOLD);
    if more > 0 {
        // Errors first: what is cut off must not be the reason of the refusal.
        diagnostics.0.sort_by_key(|d| std::cmp::Reverse(d.severity));
        diagnostics.0.truncate(MAX_TOLD);
        let title = format!("{} not shown", wording::count(more, "more message"));
        diagnostics.0.push(Diagnostic::warning("compose.too-many", title).hint("correct those above and look again"));
    }
}

/// Values of variables whose names say that they are secrets do not stand in messages, wherever a file names them.
fn conceal(diagnostics: &mut Diagnostics, environment: &BTreeMap<String, String>, included: &[String]) {
    /// Shorter texts are no secrets worth the name, and would hide half of everything.
    const SHORTEST: usize = 4;
    /// More secrets than any home has: a hostile file must not make each message slow.
    const MOST: usize = 5000;
    if diagnostics.0.is_empty() {
        return;
    }
    let own = environment.iter().filter(|(name, _)| is_secret_name(name)).map(|(_, value)| value);
    let all = own.chain(included).filter(|value| value.len() >= SHORTEST);
    let mut secrets: Vec<&str> = all.take(MOST).map(String::as_str).collect();
    // A longer one may hold a shorter one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for d in &mut diagnostics.0 {
        let stories = d.related.iter_mut().map(|(_, story)| story);
        for words in std::iter::once(&mut d.title).chain(&mut d.hints).chain(stories) {
            for secret in secrets.iter().filter(|secret| words.contains(**secret)).collect::<Vec<_>>() {
                *words = words.replace(*secret, "(hidden)");
            }
        }
    }
}

/// Bytes of all texts of one project.
pub(crate) const MAX_TOGETHER: usize = 64 << 20;

/// The refusal of a project whose texts pass [`MAX_TOGETHER`] with this one.
pub(crate) fn too_much_together(file: FileId) -> Diagnostic {
    Diagnostic::error("compose.too-large", "the files of this project are larger than 64 MiB together")
        .at(Span { file, line: 1, column: 1, width: 1 })
        .hint("include and name fewer or smaller files")
}

/// Messages told in one run.
const MAX_TOLD: usize = 200;

pub(super) struct Loader<'a> {
    pub files: &'a dyn Files,
    pub home_dir: Option<PathBuf>,
    pub compat: Compat,
    pub stdin: Option<String>,
    pub sources: Sources,
    pub diagnostics: Diagnostics,
    /// Values of `secrets.*.environment`, by secret key.
    pub secrets: BTreeMap<String, Secret>,
    /// Variables of the main model, and secrets that included env files bring: for messages, which do not show them.
    pub environment: BTreeMap<String, String>,
    pub included_secrets: Vec<String>,
    /// Foreign files that services extend, as loaded: a common file is read once.
    pub foreign: HashMap<PathBuf, (Map, Resets)>,
    /// Services of circles and overlong chains of `extends` that were told.
    pub circles: std::collections::HashSet<(PathBuf, String)>,
    /// Values that `extends` has added so far.
    pub inherited: usize,
    /// Files included so far.
    pub includes: usize,
    /// All texts together are too large: nothing more is read.
    pub full: bool,
    /// Env and label files, as read: a common one is read once.
    pub texts: HashMap<PathBuf, (FileId, Arc<str>)>,
    /// `false`: variables stay as written (`render`, `--no-interpolate`).
    pub interpolate: bool,
}

/// One model: files that merge, the directory of their relative paths, and their variables.
pub(super) struct Model {
    pub files: Vec<PathBuf>,
    /// Where each file was asked for, if it stands in another one.
    pub asked: Vec<Span>,
    pub working_dir: PathBuf,
    pub environment: BTreeMap<String, String>,
    /// Files that led here, for cycles.
    pub included: Vec<PathBuf>,
}

impl<'a> Loader<'a> {
    pub fn new(request: &Request, files: &'a dyn Files) -> Loader<'a> {
        Loader {
            files,
            home_dir: request.home_dir.clone(),
            compat: request.compat,
            stdin: request.stdin.clone(),
            sources: Sources::default(),
            diagnostics: Diagnostics::default(),
            secrets: BTreeMap::new(),
            environment: BTreeMap::new(),
            included_secrets: Vec::new(),
            foreign: HashMap::new(),
            circles: Default::default(),
            inherited: 0,
            includes: 0,
            full: false,
            texts: HashMap::new(),
            interpolate: true,
        }
    }

    fn project(&mut self, request: &Request) -> Option<Project> {
        let mut found = discover::find(request, self.files, &mut self.sources, &mut self.diagnostics)?;
        self.environment = found.environment.clone();
        let mut texts = self.read_main(&found)?;
        let name = self.name(request, &found, &mut texts)?;
        found.environment.insert("COMPOSE_PROJECT_NAME".into(), name.clone());
        let model = Model {
            files: found.files.clone(),
            asked: Vec::new(),
            working_dir: found.working_dir.clone(),
            environment: found.environment.clone(),
            included: Vec::new(),
        };
        let tree = self.model(&model, Some(texts))?;
        if tree.as_map().is_none_or(Map::is_empty) && !self.diagnostics.has_errors() {
            self.diagnostics.push(
                Diagnostic::error("compose.empty", "the Compose file says nothing")
                    .at(tree.span)
                    .hint("begin with `services:` and a service with an `image:`"),
            );
            return None;
        }
        lint::tree(&tree, &self.sources, &mut self.diagnostics);
        let mut project = decode::project(&tree, self.compat, &mut self.diagnostics);
        project.name = name;
        project.working_dir = found.working_dir;
        project.config_files = found.files;
        project.env_files = found.env_files;
        project.environment = found.environment;
        project.secret_values = std::mem::take(&mut self.secrets);
        finish::finish(project, &found.profiles, request, self)
    }

    /// The main files' documents: parsed once, used for the name and for the model.
    fn read_main(&mut self, found: &Found) -> Option<Vec<Vec<Node>>> {
        let mut all = Vec::new();
        for path in &found.files {
            all.push(self.documents(path, "a Compose file", Kind::NotFound)?);
        }
        Some(all)
    }

    fn documents(&mut self, path: &Path, what: &str, missing: Kind) -> Option<Vec<Node>> {
        if self.full {
            return None;
        }
        let file = if path.as_os_str() == "-" {
            self.sources.add("(standard input)", self.stdin.clone().unwrap_or_default())
        } else {
            match discover::read_text(self.files, path) {
                Ok(text) => self.sources.add(path, text),
                Err(refusal) => {
                    let kind = if refusal.is_missing() { missing } else { Kind::Invalid };
                    self.diagnostics.push(refusal.tell(what, path, &mut self.sources).kind(kind));
                    return None;
                }
            }
        };
        if !self.fits(file) {
            return None;
        }
        let before = self.diagnostics.0.len();
        let mut documents = yaml::parse(file, &self.sources, &mut self.diagnostics);
        if documents.is_empty() && self.diagnostics.0.len() == before {
            documents.push(Node::map(Span { file, line: 1, column: 1, width: 1 }));
        }
        Some(documents)
    }

    /// The documents of a file that another one asks for at a place: what is wrong with the whole of it is told there.
    fn asked(&mut self, path: &Path, what: &str, asked: Option<Span>) -> Option<Vec<Node>> {
        let before = self.diagnostics.0.len();
        let documents = self.documents(path, what, Kind::Invalid);
        if let Some(d) = self.diagnostics.0.get_mut(before).filter(|d| d.place.is_none()) {
            d.place = asked;
        }
        documents
    }

    /// Whether all texts read so far are of a bearable size together.
    pub fn fits(&mut self, file: FileId) -> bool {
        if self.sources.bytes() <= MAX_TOGETHER {
            return true;
        }
        if !std::mem::replace(&mut self.full, true) {
            self.diagnostics.push(too_much_together(file));
        }
        false
    }

    /// `-p`, COMPOSE_PROJECT_NAME, `name:` of the last file that has one, else the directory.
    fn name(&mut self, request: &Request, found: &Found, documents: &mut [Vec<Node>]) -> Option<String> {
        let given = request.project_name.clone().filter(|n| !n.is_empty());
        let from_env = || found.environment.get("COMPOSE_PROJECT_NAME").cloned().filter(|n| !n.is_empty());
        if let Some(name) = given.or_else(from_env) {
            if normal_name(&name) == name {
                return Some(name);
            }
            let suggestion = normal_name(&name);
            let mut d = Diagnostic::error("compose.bad-project-name", format!("`{name}` cannot be a project's name"))
                .hint("it is made of lower-case letters, digits, `-` and `_`, and begins with a letter or digit");
            if !suggestion.is_empty() {
                d = d.hint(format!("use `{suggestion}`"));
            }
            self.diagnostics.push(d);
            return None;
        }
        let named = documents
            .iter()
            .flatten()
            .filter_map(|d| d.get("name"))
            .rfind(|n| n.as_str().is_some_and(|t| !t.is_empty()));
        let mut name = String::new();
        if let Some(node) = named {
            let mut node = node.clone();
            let before = self.diagnostics.0.len();
            interpolate::interpolate(&mut node, &found.environment, self.compat, &mut self.diagnostics);
            // What is wrong with it is told when the file itself is interpolated.
            self.diagnostics.0.truncate(before);
            name = normal_name(node.as_str().unwrap_or_default());
        }
        if name.is_empty() && named.is_none() {
            let dir = found.working_dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            name = normal_name(&dir);
        }
        if name.is_empty() {
            let mut d = Diagnostic::error("compose.bad-project-name", "the project has no name that could be used")
                .hint("add `name: mystack` to the file, or give -p NAME");
            d.place = named.map(|n| n.span);
            self.diagnostics.push(d);
            return None;
        }
        Some(name)
    }

    /// Merges the files of one model and resolves what belongs to it alone.
    pub fn model(&mut self, model: &Model, texts: Option<Vec<Vec<Node>>>) -> Option<Node> {
        let mut whole: Option<Node> = None;
        let mut texts = texts.map(Vec::into_iter);
        for (i, path) in model.files.iter().enumerate() {
            let documents = match &mut texts {
                Some(texts) => texts.next()?,
                None => self.asked(path, "an included file", model.asked.get(i).copied())?,
            };
            for document in documents {
                whole = self.document(document, whole, path, model);
            }
        }
        let mut tree = whole?;
        canonical::set_defaults(&mut tree, self.compat);
        checks::check(&tree, &mut self.diagnostics);
        paths::resolve(&mut tree, &model.working_dir, self.home_dir.as_deref());
        checks::resolve_environment(&mut tree, &model.environment, &mut self.secrets);
        Some(tree)
    }

    /// One YAML document onto what was merged before.
    fn document(&mut self, mut tree: Node, whole: Option<Node>, path: &Path, model: &Model) -> Option<Node> {
        if tree.as_map().is_none() {
            let title = format!("a Compose file is a mapping, not {}", tree.kind());
            self.diagnostics.push(
                Diagnostic::error("compose.not-a-mapping", title)
                    .at(tree.span)
                    .hint("begin with `services:` and a service below it"),
            );
            return whole;
        }
        let resets = Resets::take(&mut tree);
        if self.interpolate {
            interpolate::interpolate(&mut tree, &model.environment, self.compat, &mut self.diagnostics);
        }
        let mut base = whole.unwrap_or_else(|| Node::map(tree.span));
        let mut included = model.included.clone();
        included.push(path.to_path_buf());
        match self.compat {
            Compat::V2 => {
                self.extend_all(&mut tree, path, model, &resets);
                resets.apply(&mut base, &[]);
                self.include_all(&mut tree, model, &included, &resets);
            }
            Compat::V5 => {
                self.include_all(&mut tree, model, &included, &resets);
                resets.apply(&mut base, &[]);
                self.extend_all(&mut tree, path, model, &resets);
            }
        }
        let mut tree = merge::merge(base, tree, &mut self.diagnostics);
        unique::enforce(&mut tree, &mut self.diagnostics);
        schema::validate(&tree, self.compat, &mut self.diagnostics);
        if let Some(version) = tree.as_map_mut().and_then(|map| map.remove("version")) {
            self.diagnostics.push(
                Diagnostic::warning("compose.obsolete-version", "`version` means nothing any more and is ignored")
                    .at(version.span)
                    .field("version")
                    .hint("remove the line"),
            );
        }
        canonical::canonicalize(&mut tree, self.compat, &mut self.diagnostics);
        unique::enforce(&mut tree, &mut self.diagnostics);
        Some(tree)
    }

    /// A file whose service is extended: interpolated, canonical, with its own paths; its own `extends` still to do.
    pub fn foreign_file(&mut self, path: &Path, model: &Model, asked: Span) -> Option<(Map, Resets)> {
        let documents = self.asked(path, "the extended file", Some(asked))?;
        let mut whole: Option<Node> = None;
        let mut last = Resets::default();
        for mut tree in documents {
            let resets = Resets::take(&mut tree);
            if self.interpolate {
                interpolate::interpolate(&mut tree, &model.environment, self.compat, &mut self.diagnostics);
            }
            let mut base = whole.take().unwrap_or_else(|| Node::map(tree.span));
            resets.apply(&mut base, &[]);
            let mut tree = merge::merge(base, tree, &mut self.diagnostics);
            unique::enforce(&mut tree, &mut self.diagnostics);
            canonical::canonicalize(&mut tree, self.compat, &mut self.diagnostics);
            unique::enforce(&mut tree, &mut self.diagnostics);
            whole = Some(tree);
            last = resets;
        }
        let mut tree = whole?;
        let dir = path.parent().unwrap_or(Path::new("/"));
        paths::resolve(&mut tree, dir, self.home_dir.as_deref());
        match tree.as_map_mut().and_then(|map| map.remove("services")).map(|n| n.value) {
            Some(Value::Map(services)) => Some((services, last)),
            _ => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "compose.extends-no-service",
                        format!("{} has no services to extend", path.display()),
                    )
                    .at(asked)
                    .hint("name a file with a `services:` section"),
                );
                None
            }
        }
    }
}

/// What Compose makes of a name: lower case, only `[a-z0-9_-]`, no `_` or `-` in front.
pub fn normal_name(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_string()
}
