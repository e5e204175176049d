//! A home on the disk: `hearth.yaml`, `stacks/`, `.env`, and what is rendered from them.
//!
//! ```text
//! let home = Home::find(global.home.as_deref(), &cwd)?     None: no hearth.yaml here or above
//! let read = home.read()?                                   stacks read and rendered, in memory
//! home.write_rendered(&read)?                               compose.yaml and compose/, only what changed
//! let loaded = home.load(&read, &given, &loading, None)     exactly as Compose loads the home's compose.yaml;
//!                                                           places point into stacks/. None: the profiles that are on
//! home.hand_edit()                                          COMPOSE_PROFILES in .env against hearth.yaml: ask before `up`
//! home.check_profiles(&read, &names)?                       names a person typed: known, or the nearest
//! home.set_profiles(|now| now.with(&names))?                records in hearth.yaml and .env together, over what stands there by now
//! home.edit_config(|text| config::set_adopted(text, ...))   hearth.yaml, every other byte kept
//! let known = readings.later().await?                       `known::Readings`: home and read of a server, kept while no file of it changes
//! let _editing = editing::begin(&home.dir)?                 held by whoever edits files otherwise than by these two, which hold it themselves
//! ```
//!
//! A refusal is [`Refused`]: diagnostics with the texts that they point into; `refused.tell(&out)` ends a command with it.

pub mod editing;
pub mod env;
pub mod init;
pub mod known;
mod load;
mod outside;
pub mod secrets;
pub mod told;
mod way;
pub mod write;

pub use way::Way;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Disk;
use crate::base::{files, wording};
use crate::cli::{Failure, Out};
use crate::compose::{self, Compat, FileError, Files, dotenv};
use crate::config::{self, Config};
use crate::diag::{Diagnostic, Diagnostics, Kind, Severity, Sources};
use crate::spec::{self, Mode, Rendered, Spec, StackFile};
use crate::store::{self, Location};
use secrets::Variables;

/// What a person edits, below the home.
pub const STACKS: &str = "stacks";

/// A home and what its `hearth.yaml` says.
#[derive(Debug, Clone)]
pub struct Home {
    /// Absolute.
    pub dir: PathBuf,
    pub config: Config,
}

/// Why something about a home cannot be done, with the texts that the diagnostics point into.
#[derive(Debug, Default)]
pub struct Refused {
    pub diagnostics: Diagnostics,
    pub sources: Sources,
}

impl Refused {
    /// Says it all on standard error, and gives how the command ends.
    pub fn tell(self, out: &Out) -> Failure {
        self.diagnostics.0.iter().for_each(|d| out.diagnostic(d, &self.sources));
        Failure::Code(self.diagnostics.exit_code().max(1))
    }
}

impl From<Diagnostic> for Refused {
    fn from(diagnostic: Diagnostic) -> Refused {
        Refused { diagnostics: diagnostic.into(), sources: Sources::default() }
    }
}

/// The stacks of a home, read and rendered in memory.
pub struct Read {
    pub spec: Spec,
    pub rendered: Rendered,
    /// The texts of the stacks.
    pub sources: Sources,
    /// Warnings; there were no errors.
    pub diagnostics: Diagnostics,
}

/// `COMPOSE_PROFILES` in `.env` says something else than `hearth.yaml`: somebody changed one of them by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandEdit {
    /// On in `hearth.yaml`.
    pub recorded: Vec<String>,
    /// On in `.env`.
    pub in_env: Vec<String>,
}

impl HandEdit {
    /// The question to ask before `hearth.yaml` wins.
    pub fn question(&self) -> String {
        let shown = |list: &[String]| if list.is_empty() { "nothing".to_string() } else { wording::list(list) };
        format!(
            "COMPOSE_PROFILES in .env turns on {}, hearth.yaml turns on {}. Go on with what hearth.yaml says and write it into .env?",
            shown(&self.in_env),
            shown(&self.recorded)
        )
    }
}

/// Whether a folder has a `hearth.yaml`, of whatever kind: what cannot be one is told when it is read, and not passed over for the one
/// of a folder above.
fn is_there(dir: &Path) -> bool {
    std::fs::symlink_metadata(dir.join(config::FILE)).is_ok()
}

/// A name that a stack made from elsewhere may have: it becomes a file's.
pub fn is_stack_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(['_', '-'])
}

impl Home {
    /// Whether a service with these profiles is on: it has none, or one of them is.
    pub fn has_on(&self, profiles: &[String]) -> bool {
        profiles.is_empty() || profiles.iter().any(|profile| self.config.profiles.contains(profile))
    }

    /// The home that is named, else the one here or in a folder above. `None` where there is none.
    pub fn find(given: Option<&Path>, cwd: &Path) -> Result<Option<Home>, Refused> {
        if let Some(given) = given {
            let dir = PathBuf::from(compose::short::volume::clean(&cwd.join(given).to_string_lossy()));
            if !is_there(&dir) {
                let title = format!("{} is no home: there is no hearth.yaml in it", dir.display());
                let d = Diagnostic::error("home.none", title).kind(Kind::NotFound);
                return Err(d.hint(format!("make one with: hearth init {}", given.display())).into());
            }
            return Home::open(dir).map(Some);
        }
        match cwd.ancestors().find(|dir| is_there(dir)) {
            Some(dir) => Home::open(dir.to_path_buf()).map(Some),
            None => Ok(None),
        }
    }

    /// As [`Home::find`], where a command makes no sense without one.
    pub fn required(given: Option<&Path>, cwd: &Path) -> Result<Home, Refused> {
        Home::find(given, cwd)?.ok_or_else(|| {
            Diagnostic::error("home.none", format!("there is no hearth.yaml in {} or above it", cwd.display()))
                .kind(Kind::NotFound)
                .hint("go to a home, name one with --home DIR, or make one with: hearth init DIR")
                .into()
        })
    }

    /// The home whose `hearth.yaml` lies in `dir`, an absolute path.
    pub fn open(dir: PathBuf) -> Result<Home, Refused> {
        let disk = Disk::beneath(&dir).map_err(|e| unreadable(&dir, &e))?;
        Home::open_from(dir, &disk)
    }

    fn open_from(dir: PathBuf, files: &dyn Files) -> Result<Home, Refused> {
        let path = dir.join(config::FILE);
        let text = compose::discover::read_text(files, &path).map_err(|why| why.words("hearth.yaml"))?;
        let mut refused = Refused::default();
        let file = refused.sources.add(path, text);
        match config::parse(file, &refused.sources, &mut refused.diagnostics) {
            Some(config) => Ok(Home { dir, config }),
            None => Err(refused),
        }
    }

    /// Reads all stacks and renders them in memory. Networks keep the subnets of the file rendered last.
    pub fn read(&self) -> Result<Read, Refused> {
        self.read_with(None)
    }

    /// As [`Home::read`], with another text of one stack than is on the disk, or without that stack: what would be if it were saved.
    pub fn read_with(&self, other: Option<(&str, Option<&str>)>) -> Result<Read, Refused> {
        let disk = Disk::beneath(&self.dir).map_err(|e| unreadable(&self.dir, &e))?;
        self.read_from(&disk, other)
    }

    fn read_from(&self, files: &dyn Files, other: Option<(&str, Option<&str>)>) -> Result<Read, Refused> {
        let mut refused = Refused::default();
        // First, as in `open`: the places of routes that stand in it then mean the same here.
        let path = self.dir.join(config::FILE);
        let text = compose::discover::read_text(files, &path).map_err(|why| why.words("hearth.yaml"))?;
        refused.sources.add(path, text);
        let mut stacks = self.stack_files(files, &mut refused.diagnostics);
        if let Some((name, text)) = other {
            let there = stacks.iter().position(|stack| stack.name == name);
            let path = there.map(|at| stacks.remove(at).path);
            if let Some(text) = text {
                let path = path.unwrap_or_else(|| self.dir.join(STACKS).join(format!("{name}.yaml")));
                stacks.push(StackFile { name: name.to_string(), path, text: text.to_string() });
                stacks.sort_by(|a, b| a.path.cmp(&b.path));
            }
        }
        let Refused { diagnostics, sources } = &mut refused;
        let spec = spec::read(&self.dir, &stacks, files, sources, diagnostics);
        let mode = self.config.mode;
        let other = if mode == Mode::Domain { Mode::Localhost } else { Mode::Domain };
        let text = |mode: Mode| String::from_utf8(files.read(&self.dir.join(mode.file())).ok()?).ok();
        let previous: Vec<String> = [mode, other].into_iter().filter_map(text).collect();
        let settings = spec::Settings {
            project: &self.config.name,
            mode,
            range: self.config.networks,
            previous: previous.iter().map(String::as_str).collect(),
            traefik: &self.config.traefik,
            outside: &self.config.routes,
        };
        let rendered = spec.as_ref().and_then(|spec| spec::render(spec, &settings, diagnostics));
        compose::load::tidy(diagnostics);
        match (spec, rendered) {
            (Some(_), Some(mut rendered)) if !diagnostics.has_errors() => {
                let spec = std::mem::take(&mut rendered.spec);
                Ok(Read { spec, rendered, sources: refused.sources, diagnostics: refused.diagnostics })
            }
            _ => Err(refused),
        }
    }

    /// Where a stack lies; `None` where there is none of this name.
    pub fn stack_path(&self, name: &str) -> Option<PathBuf> {
        let dir = self.dir.join(STACKS);
        let paths = ["yaml", "yml"].map(|ending| dir.join(format!("{name}.{ending}")));
        paths.into_iter().find(|path| is_stack_name(name) && std::fs::symlink_metadata(path).is_ok())
    }

    /// The text of a stack as it stands; `None` where there is none of this name. What a link shows from elsewhere is not the home's.
    pub fn stack_text(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        let Some(path) = self.stack_path(name) else { return Ok(None) };
        let disk = Disk::beneath(&self.dir).map_err(|error| unreadable_words(&self.dir, &error))?;
        compose::discover::read_text(&disk, &path).map(Some).map_err(|why| why.words("a stack"))
    }

    /// The files of stacks as they stand, by path, and what keeps others from being read.
    pub fn stack_texts(&self) -> Result<(Vec<StackFile>, Diagnostics), Refused> {
        let disk = Disk::beneath(&self.dir).map_err(|e| unreadable(&self.dir, &e))?;
        let mut told = Diagnostics::default();
        let all = self.stack_files(&disk, &mut told);
        Ok((all, told))
    }

    /// What one of them says by itself; `None` where it holds mistakes.
    pub fn alone(&self, stack: &StackFile) -> Option<Spec> {
        let disk = Disk::beneath(&self.dir).ok()?;
        let (mut sources, mut told) = (Sources::default(), Diagnostics::default());
        // What other stacks have is not missing.
        let spec = spec::read(&self.dir, std::slice::from_ref(stack), &disk, &mut sources, &mut told);
        spec.filter(|_| !told.has_errors())
    }

    fn stack_files(&self, files: &dyn Files, diagnostics: &mut Diagnostics) -> Vec<StackFile> {
        let dir = self.dir.join(STACKS);
        let mut names: Vec<PathBuf> = match std::fs::read_dir(&dir) {
            Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
            Err(_) => {
                let d = Diagnostic::error("home.no-stacks", format!("there is no folder {}", dir.display()));
                diagnostics
                    .push(d.kind(Kind::NotFound).hint("make it, and put a Compose file into it: stacks/NAME.yaml"));
                return Vec::new();
            }
        };
        names.sort();
        let mut stacks: Vec<StackFile> = Vec::new();
        let mut bytes = 0;
        for path in names {
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            let Some(name) = path.file_stem().and_then(|n| n.to_str()).map(str::to_string) else { continue };
            // Files of editors, and folders with parts that stacks include.
            if !matches!(ending, "yaml" | "yml") || name.starts_with('.') || files.is_dir(&path) {
                continue;
            }
            if stacks.iter().any(|s| s.name == name) {
                let title = format!("stacks/{name}.yaml and stacks/{name}.yml are one stack twice");
                diagnostics.push(Diagnostic::error("home.stack-twice", title).hint("keep one of the two files"));
                continue;
            }
            match compose::discover::read_text(files, &path) {
                Ok(text) if bytes + text.len() > compose::load::MAX_TOGETHER => {
                    let title =
                        format!("the stacks are larger than {} MiB together", compose::load::MAX_TOGETHER >> 20);
                    let d = Diagnostic::error("compose.too-large", title);
                    diagnostics.push(d.hint("keep only stacks in the folder, and shorten them"));
                    return Vec::new();
                }
                Ok(text) => {
                    bytes += text.len();
                    stacks.push(StackFile { name, path, text });
                }
                Err(why) => diagnostics.push(why.words("a stack").kind(Kind::Invalid)),
            }
        }
        stacks
    }

    /// The rendered files that differ from the disk, relative to the home, and whether each is there at all.
    pub fn differing(&self, read: &Read) -> Vec<(PathBuf, bool)> {
        let all = read.rendered.files.iter().map(|(path, text)| (path, text, self.on_disk(path)));
        all.filter(|(_, text, old)| old.as_deref() != Ok(text.as_bytes()))
            .map(|(path, _, old)| (path.clone(), old != Err(FileError::NotFound)))
            .collect()
    }

    /// A file of the home, in bounded time and size, and nothing that a link shows from elsewhere.
    fn on_disk(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        Disk::beneath(&self.dir).and_then(|disk| disk.read(&self.dir.join(path)))
    }

    /// Its folder, to write in.
    pub fn folder(&self) -> Result<write::Beneath, Diagnostic> {
        write::Beneath::open(&self.dir)
    }

    /// Writes what differs, each file atomically, the root last. Gives what was written.
    pub fn write_rendered(&self, read: &Read) -> Result<Vec<PathBuf>, Diagnostic> {
        self.refuse_foreign_files(read)?;
        let mut differing: Vec<PathBuf> = self.differing(read).into_iter().map(|(path, _)| path).collect();
        differing.sort_by_key(|path| path == Path::new(spec::ROOT));
        let folder = self.folder()?;
        for path in &differing {
            folder.write(path, &read.rendered.files[path], 0o644)?;
        }
        Ok(differing)
    }

    /// Refuses to render where that would overwrite what is not Hearth's.
    pub fn refuse_foreign_files(&self, read: &Read) -> Result<(), Diagnostic> {
        self.differing(read).iter().try_for_each(|(path, _)| self.refuse_foreign(path))
    }

    /// A file under a rendered name that Hearth did not write is somebody's work, and what a link shows from elsewhere is not
    /// the home's.
    fn refuse_foreign(&self, path: &Path) -> Result<(), Diagnostic> {
        let whole = self.dir.join(path);
        let why = match self.on_disk(path) {
            Err(FileError::NotFound) => return Ok(()),
            Ok(bytes) if bytes.trim_ascii().is_empty() || bytes.starts_with(spec::HEADER.as_bytes()) => return Ok(()),
            Ok(_) => "was not written by Hearth".to_string(),
            Err(FileError::Outside) => "leads out of the home by a link".to_string(),
            Err(FileError::Other(why)) => format!("cannot be read ({why})"),
        };
        let title = format!("{} {why}, so it is not overwritten", whole.display());
        let d = Diagnostic::error("home.foreign-file", title).kind(Kind::Conflict);
        Err(d.hint("move it to stacks/ under a name of its own, or delete it, and run this again"))
    }

    /// The domain that `.env` names, as names are compared.
    pub fn domain(&self) -> Result<Option<String>, Diagnostic> {
        Ok(domain_of(&self.env_values()?))
    }

    /// [`Home::domain`] where services are reached by it: in domain mode.
    pub fn zone(&self) -> Result<Option<String>, Diagnostic> {
        Ok(self.domain()?.filter(|_| self.config.has_names()))
    }

    /// `.env` as it stands; empty where there is none. What cannot be read whole must not be written either.
    pub fn env_text(&self) -> Result<String, Diagnostic> {
        env_text(&self.dir)
    }

    /// The values of `.env`. What is wrong in it is told by whoever loads the project.
    pub fn env_values(&self) -> Result<BTreeMap<String, String>, Diagnostic> {
        env_values(&self.dir)
    }

    /// Where the home's database is. `environment`: that of the process, for where `.env` says nothing.
    pub fn database(&self, environment: &BTreeMap<String, String>) -> Result<Location, Diagnostic> {
        database(&self.dir, environment)
    }

    /// Whether `COMPOSE_PROFILES` was changed by hand, or `hearth.yaml` was. A missing variable is no edit.
    pub fn hand_edit(&self) -> Option<HandEdit> {
        // What is wrong with the file is told by whoever loads it or writes to it.
        let text = self.env_text().ok()?;
        env::statements(&text).iter().find(|s| s.name == env::PROFILES)?;
        let mut values = BTreeMap::new();
        let _ = dotenv::parse(&text, &mut values, &|_| None, Compat::default());
        let listed = values.get(env::PROFILES).map(String::as_str).unwrap_or_default();
        let in_env: Vec<String> = listed.split(',').map(|p| p.trim().to_string()).filter(|p| !p.is_empty()).collect();
        let sorted = |list: &[String]| list.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        (sorted(&in_env) != sorted(&self.config.profiles))
            .then(|| HandEdit { recorded: self.config.profiles.clone(), in_env })
    }

    /// Refuses names that no stack has as a profile, with the nearest that one has.
    pub fn check_profiles(&self, read: &Read, names: &[String]) -> Result<(), Diagnostic> {
        let known = read.spec.profiles();
        let Some(name) = names.iter().find(|name| !known.contains(name)) else { return Ok(()) };
        let d = Diagnostic::error("home.no-profile", format!("no stack has a profile `{name}`")).kind(Kind::NotFound);
        Err(match wording::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("there are: {}", wording::list(&known))),
        })
    }

    /// The first of these names that no stack has as a service, with the nearest that one has.
    pub fn check_services(&self, read: &Read, names: &[String]) -> Result<(), Diagnostic> {
        let known = &read.spec.services;
        let Some(name) = names.iter().find(|name| !known.contains_key(*name)) else { return Ok(()) };
        let title = format!("no stack has a service `{name}`");
        let d = Diagnostic::error("compose.no-such-service", title).kind(Kind::NotFound).field("services");
        Err(match wording::nearest(name, known.keys().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("there are: {}", wording::list(&known.keys().collect::<Vec<_>>()))),
        })
    }

    /// The profiles that are on and these too, each once.
    pub fn with(&self, names: &[String]) -> Vec<String> {
        let mut all = self.config.profiles.clone();
        for name in names {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
        all
    }

    /// The profiles that are on without these.
    pub fn without(&self, names: &[String]) -> Vec<String> {
        self.config.profiles.iter().filter(|p| !names.contains(p)).cloned().collect()
    }

    /// Records which profiles are on: in `hearth.yaml`, and in `COMPOSE_PROFILES` of `.env` so that plain Compose means the
    /// same. Every other byte of both stays. `wanted` is asked of the home as it is by then: another command may have turned profiles on or off
    /// since this one was read. Gives whether `hearth.yaml` said something else.
    pub fn set_profiles(&mut self, wanted: impl FnOnce(&Home) -> Vec<String>) -> Result<bool, Diagnostic> {
        let _editing = editing::begin(&self.dir)?;
        self.take_up(self.config_text()?);
        let profiles = wanted(self);
        let text = self.env_text()?;
        let changed = self.config.profiles != profiles;
        if changed {
            self.write_config(|text| config::set_profiles(text, &profiles))?;
        }
        let new = env::with_profiles(&text, &profiles);
        if new != text {
            self.folder()?.write(Path::new(".env"), &new, 0o600)?;
        }
        Ok(changed)
    }

    /// Changes `hearth.yaml` by one of the edits of [`config`], and this home with it.
    pub fn edit_config(&mut self, edit: impl FnOnce(&str) -> Result<String, Diagnostic>) -> Result<(), Diagnostic> {
        let _editing = editing::begin(&self.dir)?;
        self.write_config(edit)
    }

    /// As [`Home::edit_config`], by who holds the lock.
    fn write_config(&mut self, edit: impl FnOnce(&str) -> Result<String, Diagnostic>) -> Result<(), Diagnostic> {
        let text = self.config_text()?;
        let new = edit(&text)?;
        if new != text {
            self.folder()?.write(Path::new(config::FILE), &new, 0o644)?;
        }
        self.take_up(new);
        Ok(())
    }

    /// `hearth.yaml`, byte for byte as it stands.
    pub fn config_text(&self) -> Result<String, Diagnostic> {
        let path = self.dir.join(config::FILE);
        files::read_text(&path).map_err(|error| write::failed(&path, &error))
    }

    /// What a text of `hearth.yaml` says holds for this home from now on; one with mistakes is told by who edits it.
    fn take_up(&mut self, text: String) {
        let mut sources = Sources::default();
        let file = sources.add(self.dir.join(config::FILE), text);
        if let Some(config) = config::parse(file, &sources, &mut Diagnostics::default()) {
            self.config = config;
        }
    }
}

impl Read {
    /// All variables of the services and resources, and which are required.
    pub fn variables(&self) -> Variables {
        self.collected(|_| true)
    }

    /// Those of one stack, by its index in the spec.
    pub fn variables_of(&self, stack: usize) -> Variables {
        self.collected(|of| of == stack)
    }

    fn collected(&self, wanted: impl Fn(usize) -> bool) -> Variables {
        let mut variables = Variables::default();
        let services = self.spec.services.values().filter(|service| wanted(service.stack));
        services.for_each(|service| self.collect(&mut variables, service));
        for resource in self.spec.resources.values().flat_map(|all| all.values()).filter(|r| wanted(r.stack)) {
            variables.collect(&resource.node);
        }
        variables
    }

    /// The variables of one service, those of its `localhost` ports included.
    fn collect(&self, variables: &mut Variables, service: &spec::Service) {
        variables.collect(&service.node);
        for entry in &service.keys.localhost {
            for text in [Some(&entry.port), Some(&entry.bind), entry.target.as_ref()].into_iter().flatten() {
                variables.text(text, entry.span);
            }
        }
    }

    /// By service: its stack, and the names of variables that it uses.
    pub fn uses(&self) -> BTreeMap<String, (String, Vec<String>)> {
        let one = |(name, service): (&String, &spec::Service)| {
            let mut variables = Variables::default();
            self.collect(&mut variables, service);
            let stack = self.spec.stacks.get(service.stack).map(|stack| stack.name.clone()).unwrap_or_default();
            (name.clone(), (stack, variables.all.into_iter().collect()))
        };
        self.spec.services.iter().map(one).collect()
    }

    /// Whether a service is handed a secret of this name.
    pub fn names_secret(&self, service: &spec::Service, secret: &str) -> bool {
        let Some(compose::tree::Value::Seq(all)) = service.node.get("secrets").map(|node| &node.value) else {
            return false;
        };
        let source = |one: &compose::tree::Node| one.as_str().or_else(|| one.get("source")?.as_str()) == Some(secret);
        all.iter().any(source)
    }

    /// Says the warnings that reading the stacks gave.
    pub fn tell_warnings(&self, out: &Out) {
        let warnings = self.diagnostics.0.iter().filter(|d| d.severity == Severity::Warning);
        warnings.for_each(|d| out.diagnostic(d, &self.sources));
    }
}

/// The domain among the values of `.env`, as names are compared.
pub fn domain_of(values: &BTreeMap<String, String>) -> Option<String> {
    let domain = values.get(spec::routes::DOMAIN)?.trim_end_matches('.').to_ascii_lowercase();
    Some(domain).filter(|domain| !domain.is_empty())
}

fn unreadable(dir: &Path, error: &FileError) -> Refused {
    unreadable_words(dir, error).into()
}

/// `.env` of the home in `dir`, as [`Home::env_text`].
fn env_text(dir: &Path) -> Result<String, Diagnostic> {
    let disk = Disk::beneath(dir).map_err(|error| unreadable_words(dir, &error))?;
    match compose::discover::read_text(&disk, &dir.join(".env")) {
        Ok(text) if text.len() > compose::yaml::MAX_BYTES => {
            let title = format!("the file .env is larger than {} MiB", compose::yaml::MAX_BYTES >> 20);
            Err(Diagnostic::error("compose.too-large", title).hint("keep only variables in it"))
        }
        Ok(text) => Ok(text),
        Err(refusal) if refusal.is_missing() => Ok(String::new()),
        Err(refusal) => Err(refusal.words("the file .env")),
    }
}

fn env_values(dir: &Path) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut values = BTreeMap::new();
    let _ = dotenv::parse(&env_text(dir)?, &mut values, &|_| None, Compat::default());
    Ok(values)
}

/// Where the database of the home in `dir` is: `HEARTH_DATABASE_URL` in its `.env`, else in the environment, else a file in `state/`.
pub fn database(dir: &Path, environment: &BTreeMap<String, String>) -> Result<Location, Diagnostic> {
    let values = env_values(dir)?;
    let url = values.get(store::URL).or_else(|| environment.get(store::URL));
    Location::of_home(dir, url.map(String::as_str))
}

fn unreadable_words(dir: &Path, error: &FileError) -> Diagnostic {
    let why = match error {
        FileError::NotFound => "it is not there".to_string(),
        FileError::Outside => "it leads outside".to_string(),
        FileError::Other(why) => why.clone(),
    };
    let d = Diagnostic::error("home.unreadable", format!("the home {} cannot be read: {why}", dir.display()));
    d.kind(Kind::Failed).hint("check that it is a folder and that you may read it")
}

#[cfg(test)]
mod tests;
