//! Reading the stacks of a home, rendered in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::secrets::Variables;
use super::{Home, Refused, STACKS, unreadable, unreadable_words};
use crate::cli::Out;
use crate::compose::{self, Files};
use crate::config;
use crate::diag::{Diagnostic, Diagnostics, Kind, Severity, Sources};
use crate::spec::{self, Mode, Rendered, Spec, StackFile};
use crate::stacks::Disk;

/// The stacks of a home, read and rendered in memory.
pub struct Read {
    pub spec: Spec,
    pub rendered: Rendered,
    /// The texts of the stacks.
    pub sources: Sources,
    /// Warnings; there were no errors.
    pub diagnostics: Diagnostics,
}

/// A name that a stack made from elsewhere may have: it becomes a file's.
pub fn is_stack_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(['_', '-'])
}

impl Home {
    /// Reads all stacks and renders them in memory. Networks keep the subnets of the file rendered last.
    pub fn read(&self) -> Result<Read, Refused> {
        self.read_with(None)
    }

    /// As [`Home::read`], with another text of one stack than is on the disk, or without that stack: what would be if it were saved.
    pub fn read_with(&self, other: Option<(&str, Option<&str>)>) -> Result<Read, Refused> {
        let disk = Disk::beneath(&self.dir).map_err(|e| unreadable(&self.dir, &e))?;
        self.read_from(&disk, other)
    }

    pub(super) fn read_from(&self, files: &dyn Files, other: Option<(&str, Option<&str>)>) -> Result<Read, Refused> {
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
