//! Which files make the project, where it lives, what it is called, and which variables it sees (Compose's own rules).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::short::volume::clean;
use super::{Compat, FileError, Files, Request, dotenv};
use crate::diag::{Diagnostic, Diagnostics, FileId, Kind, Sources, Span};

const MAIN_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDE_FILES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// What was found before any YAML was read.
pub(super) struct Found {
    /// Absolute, or `-`.
    pub files: Vec<PathBuf>,
    pub working_dir: PathBuf,
    pub environment: BTreeMap<String, String>,
    pub env_files: Vec<PathBuf>,
    pub profiles: Vec<String>,
}

/// Follows Compose's order: process environment, `.env` here, `COMPOSE_FILE` or discovery upward, `.env` of the project.
pub(super) fn find(
    request: &Request,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Found> {
    let mut environment = request.environment.clone();
    environment.entry("PWD".into()).or_insert_with(|| request.cwd.to_string_lossy().into_owned());
    let absolute = |path: &Path| absolute(&request.cwd, path);
    let mut given = Environment { files, sources, diagnostics, compat: request.compat, variables: &mut environment };
    let mut paths: Vec<PathBuf> = request.files.iter().map(|f| absolute(f)).collect();
    let mut env_files: Vec<PathBuf> = request.env_files.clone();
    if env_files.is_empty() {
        let listed = given.variables.get("COMPOSE_ENV_FILES").cloned().unwrap_or_default();
        env_files = listed.split(',').filter(|f| !f.is_empty()).map(PathBuf::from).collect();
    }
    let env_files: Vec<PathBuf> = env_files.iter().map(|f| absolute(f)).collect();
    let project_directory = request.project_directory.as_ref().map(|dir| absolute(dir));
    let working_dir = |paths: &[PathBuf]| working_dir(project_directory.as_deref(), paths, &request.cwd);
    given.read_all(&env_files, &working_dir(&paths));
    if paths.is_empty() {
        paths = from_environment(given.variables, request, given.files, given.diagnostics)?;
    }
    if paths.is_empty() {
        paths = search(&working_dir(&[]), given.files, given.diagnostics);
    }
    given.read_all(&env_files, &working_dir(&paths));
    let working_dir = working_dir(&paths);
    if paths.is_empty() {
        diagnostics.push(
            Diagnostic::error(
                "compose.no-file",
                format!("there is no Compose file in {} or above it", working_dir.display()),
            )
            .kind(Kind::NotFound)
            .hint("name one with -f FILE, or go to the folder that holds compose.yaml"),
        );
        return None;
    }
    let profiles = match request.profiles.is_empty() {
        false => request.profiles.clone(),
        true => {
            let listed = environment.get("COMPOSE_PROFILES").cloned().unwrap_or_default();
            listed.split(',').map(|p| p.trim().to_string()).collect()
        }
    };
    Some(Found { files: paths, working_dir, environment, env_files, profiles })
}

/// `path` below `cwd` unless absolute, cleaned lexically; `-` stays.
pub(super) fn absolute(cwd: &Path, path: &Path) -> PathBuf {
    match path.as_os_str() == "-" {
        true => path.to_path_buf(),
        false => PathBuf::from(clean(&cwd.join(path).to_string_lossy())),
    }
}

fn working_dir(project_directory: Option<&Path>, paths: &[PathBuf], cwd: &Path) -> PathBuf {
    let of_first = || paths.iter().find(|p| p.as_os_str() != "-").and_then(|p| p.parent()).map(Path::to_path_buf);
    project_directory.map(Path::to_path_buf).or_else(of_first).unwrap_or_else(|| cwd.to_path_buf())
}

fn from_environment(
    variables: &BTreeMap<String, String>,
    request: &Request,
    files: &dyn Files,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<PathBuf>> {
    let Some(list) = variables.get("COMPOSE_FILE") else { return Some(Vec::new()) };
    let separator = variables.get("COMPOSE_PATH_SEPARATOR").filter(|s| !s.is_empty()).map_or(":", String::as_str);
    let mut paths = Vec::new();
    for name in list.split(separator) {
        let path = absolute(&request.cwd, Path::new(name));
        if name != "-" && !files.is_file(&path) {
            diagnostics.push(
                Diagnostic::error(
                    "compose.no-file",
                    format!("COMPOSE_FILE names {}, which is not there", path.display()),
                )
                .kind(Kind::NotFound)
                .hint("correct COMPOSE_FILE, or name files with -f"),
            );
            return None;
        }
        paths.push(path);
    }
    Some(paths)
}

/// The first folder from `from` upward that holds a main file, with its one override.
fn search(from: &Path, files: &dyn Files, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    let mut found = |names: &[&str], dir: &Path| -> Option<PathBuf> {
        let there: Vec<PathBuf> = names.iter().map(|n| dir.join(n)).filter(|p| files.is_file(p)).collect();
        if there.len() > 1 {
            let names: Vec<String> =
                there.iter().filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned())).collect();
            let title =
                format!("{} has {}; only {} is read", dir.display(), crate::base::wording::list(&names), names[0]);
            diagnostics.push(
                Diagnostic::warning("compose.several-files", title).hint("remove the others, or name the file with -f"),
            );
        }
        there.into_iter().next()
    };
    for dir in from.ancestors() {
        if let Some(main) = found(&MAIN_FILES, dir) {
            return std::iter::once(main).chain(found(&OVERRIDE_FILES, dir)).collect();
        }
    }
    Vec::new()
}

/// Variables, and the files that add to them.
pub(super) struct Environment<'a> {
    pub files: &'a dyn Files,
    pub sources: &'a mut Sources,
    pub diagnostics: &'a mut Diagnostics,
    pub compat: Compat,
    pub variables: &'a mut BTreeMap<String, String>,
}

impl Environment<'_> {
    /// The files given, else `.env` of `dir` unless `COMPOSE_DISABLE_ENV_FILE` says no. What is set stays.
    fn read_all(&mut self, given: &[PathBuf], dir: &Path) {
        if !given.is_empty() {
            return self.read(given);
        }
        let disabled = self
            .variables
            .get("COMPOSE_DISABLE_ENV_FILE")
            .is_some_and(|v| matches!(v.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"));
        let dotenv = dir.join(".env");
        if !disabled && self.files.is_file(&dotenv) {
            self.read(&[dotenv]);
        }
    }

    /// Reads the files in order, a later one winning over an earlier one and neither over what is set.
    pub fn read(&mut self, paths: &[PathBuf]) {
        let mut map = BTreeMap::new();
        for path in paths {
            let Some((file, text)) = open(self.files, path, self.sources, self.diagnostics, "an env file") else {
                continue;
            };
            let seen = map.clone();
            let lookup = |name: &str| self.variables.get(name).or_else(|| seen.get(name)).cloned();
            if let Err(error) = dotenv::parse(&text, &mut map, &lookup, self.compat) {
                self.diagnostics.push(dotenv_diagnostic(file, &error));
            }
        }
        for (name, value) in map {
            self.variables.entry(name).or_insert(value);
        }
    }
}

pub(super) fn dotenv_diagnostic(file: FileId, error: &dotenv::DotenvError) -> Diagnostic {
    Diagnostic::error("compose.bad-env-file", error.title.clone())
        .at(Span { file, line: error.line, column: error.column, width: 1 })
        .hint(error.hint)
}

/// Reads a text file, telling why where it cannot be read. `what` is for the message: `an env file`.
pub(super) fn open(
    files: &dyn Files,
    path: &Path,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
    what: &str,
) -> Option<(FileId, String)> {
    match read_text(files, path) {
        Ok(text) => Some((sources.add(path, names_only(&text)), text)),
        Err(refusal) => {
            diagnostics.push(refusal.tell(what, path, sources));
            None
        }
    }
}

/// What a file with variables may show of itself in a message: names and comments, no value.
pub(crate) fn names_only(text: &str) -> String {
    // A key that was pasted over several lines is Base64, which may end with the sign: nobody's name looks so.
    let is_base64 = |name: &str| name.contains(['+', '/']) || name.len() > 48;
    let line = |line: &str| -> String {
        match line.find(['=', ':']) {
            Some(at) if !line.trim_start().starts_with('#') && is_base64(&line[..at]) => "...".to_string(),
            _ if line.trim_start().starts_with('#') => line.to_string(),
            Some(at) if at + 1 < line.len() => format!("{}...", &line[..=at]),
            Some(_) => line.to_string(),
            // It may be the second line of a value.
            None if line.trim().is_empty() => String::new(),
            None => "...".to_string(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Why a file cannot be read as text.
pub(crate) struct Refusal {
    code: &'static str,
    /// Behind "an env file", with the path.
    title: String,
    hint: &'static str,
    /// Where the text stops to be UTF-8, and the text as far as it can be shown.
    broken: Option<(u32, u32, String)>,
}

impl Refusal {
    /// In words, without a place. `what` begins them: `an env file`.
    pub fn words(&self, what: &str) -> Diagnostic {
        Diagnostic::error(self.code, format!("{what} {}", self.title)).hint(self.hint)
    }

    /// As `words`; a text that is broken inside is shown at that place.
    pub fn tell(self, what: &str, path: &Path, sources: &mut Sources) -> Diagnostic {
        let diagnostic = self.words(what);
        match self.broken {
            Some((line, column, text)) => {
                let file = sources.add(
                    path,
                    if what.ends_with("env file") || what.ends_with("label file") { names_only(&text) } else { text },
                );
                diagnostic.at(Span { file, line, column, width: 1 })
            }
            None => diagnostic,
        }
    }

    pub fn is_missing(&self) -> bool {
        self.code == "compose.file-not-found"
    }
}

/// The file as text, or why not.
pub(crate) fn read_text(files: &dyn Files, path: &Path) -> Result<String, Refusal> {
    let shown = path.display();
    let refusal = |code, title: String, hint| Refusal { code, title, hint, broken: None };
    match files.read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
            let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let line = good.matches('\n').count() as u32 + 1;
            let column = good.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let mut refusal = refusal(
                "compose.not-utf8",
                format!("must be UTF-8 text: {shown}"),
                "save it as UTF-8; this file may not be a text file",
            );
            refusal.broken = Some((line, column, text));
            refusal
        }),
        Err(FileError::NotFound) => Err(refusal(
            "compose.file-not-found",
            format!("is not there: {shown}"),
            "check the path; relative paths start from the project directory",
        )),
        Err(FileError::Outside) => Err(refusal(
            "compose.file-outside",
            format!("lies outside the home: {shown}"),
            "move it into the home; files elsewhere are read only where you name them with -f",
        )),
        Err(FileError::Other(why)) => Err(refusal(
            "compose.file-unreadable",
            format!("cannot be read: {shown}: {why}"),
            "check that it is a file and that you may read it",
        )),
    }
}
