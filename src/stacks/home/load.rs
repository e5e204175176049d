//! A home's project, loaded as Compose would load it, with every place in the stacks; and what is wrong with its `.env`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Home, Read, domain_of, env, outside, secrets, unreadable};
use crate::compose::{self, Compat, Loaded, Request, dotenv};
use crate::diag::{Diagnostic, Diagnostics, FileId, Sources, Span};
use crate::spec::{self, Origins};
use crate::stacks::{Disk, Given, Loading};

impl Home {
    /// Loads the project as Compose would load the home's `compose.yaml` if it were rendered now. Only `.env` gives variables.
    /// `profiles`: those to load with; `None` takes those that are on.
    pub fn load(&self, read: &Read, given: &Given, loading: &Loading, profiles: Option<&[String]>) -> Loaded {
        let mut disk = match Disk::beneath(&self.dir) {
            Ok(disk) => disk,
            Err(error) => {
                let diagnostics = unreadable(&self.dir, &error).diagnostics;
                return Loaded { project: None, diagnostics, sources: Sources::default() };
            }
        };
        // Without it every variable would be missing, and told one by one.
        if let Err(why) = self.env_text() {
            let mut diagnostics = Diagnostics::default();
            diagnostics.push(why);
            return Loaded { project: None, diagnostics, sources: Sources::default() };
        }
        for (path, text) in &read.rendered.files {
            disk.lay_over(self.dir.join(path), text.clone());
        }
        let all = ["*".to_string()];
        let on = if loading.all_profiles { &all } else { profiles.unwrap_or(&self.config.profiles) };
        let request = Request {
            // An empty name stands for none: without any, COMPOSE_PROFILES would be asked.
            profiles: if on.is_empty() { vec![String::new()] } else { on.to_vec() },
            cwd: self.dir.clone(),
            home_dir: given.home_dir(),
            compat: given.compat(),
            all_resources: loading.all_resources,
            targets: loading.targets.clone(),
            ..Request::default()
        };
        let mut loaded = compose::load(&request, &disk);
        let places = read.rendered.places.iter().map(|(path, places)| (self.dir.join(path), places)).collect();
        let origins = Origins { files: places, sources: &read.sources, warnings: &read.diagnostics };
        let moved = origins.apply(&mut loaded);
        let mut problems = self.env_problems(read, given, &mut loaded.sources);
        for (span, _) in problems.0.iter_mut().flat_map(|d| &mut d.related) {
            span.file = moved.get(&span.file).copied().unwrap_or(span.file);
        }
        loaded.diagnostics.0.splice(0..0, problems.0);
        self.labels(read, &moved, &mut loaded);
        if let Some(project) = &loaded.project {
            outside::refuse(project, &self.dir, &mut loaded.diagnostics);
        }
        if loaded.diagnostics.has_errors() {
            loaded.project = None;
        }
        loaded
    }

    /// What is wrong with `.env`, or may surprise whoever also runs plain Compose. Related places are those of `read`.
    fn env_problems(&self, read: &Read, given: &Given, sources: &mut Sources) -> Diagnostics {
        let mut told = Diagnostics::default();
        let path = self.dir.join(".env");
        // Why it cannot be read is told by the loader, as are mistakes in its syntax.
        let text = self.env_text().unwrap_or_default();
        let file = sources.find(&path).unwrap_or_else(|| sources.add(&path, compose::discover::names_only(&text)));
        let statements = env::statements(&text);
        let mut values = BTreeMap::new();
        let _ = dotenv::parse(&text, &mut values, &|_| None, Compat::default());
        for statement in &statements {
            let place = Span { file, line: statement.line, column: 1, width: statement.name.len().max(1) as u32 };
            let value = values.get(&statement.name).map(String::as_str).unwrap_or_default();
            if redirects(&statement.name, value, &self.config.name) {
                let title = format!("{} in .env would make Compose read something else than this home", statement.name);
                told.push(Diagnostic::error("home.env-redirects", title).at(place).hint("remove the line"));
            }
        }
        let variables = read.variables();
        secrets::refuse_placeholders(&variables, &text, file, &mut told);
        secrets::warn_of_weak(&variables, &text, file, &mut told);
        let names = variables.all.iter().chain(values.keys()).collect::<BTreeSet<_>>();
        for name in names.into_iter().filter(|n| *n != "PWD") {
            let Some(exported) = given.environment.get(name) else { continue };
            if values.get(name) != Some(exported) {
                let line = statements.iter().rfind(|s| s.name == *name).map(|s| s.line);
                let title =
                    format!("{name} is exported in this shell with another value than in .env, which counts here");
                let d = Diagnostic::warning("home.exported-variable", title).at(line.map(|line| Span {
                    file,
                    line,
                    column: 1,
                    width: name.chars().count().max(1) as u32,
                }));
                told.push(d.hint(format!(
                    "plain docker compose would take the exported one: unset {name}, or write it into .env"
                )));
            }
        }
        told
    }

    /// Labels that came from a label file or a variable: those that stand in a stack were judged when it was read. And hosts that they
    /// take from routes. `moved`: the files of `read` among those of `loaded`.
    fn labels(&self, read: &Read, moved: &HashMap<FileId, FileId>, loaded: &mut Loaded) {
        let Some(project) = &loaded.project else { return };
        for (name, service) in project.services.iter().chain(&project.disabled) {
            let raw = read.spec.services.get(name).is_none_or(|s| s.keys.raw_labels);
            let ours = read.rendered.labels.get(name).map(Vec::as_slice).unwrap_or_default();
            let foreign = |label: &&String| !ours.iter().any(|(key, _)| key == *label);
            let refused =
                |label: &&String| spec::stack::is_traefik_label(label) && !raw || spec::stack::is_reserved_label(label);
            for label in service.labels.keys().filter(foreign).filter(refused) {
                let field = format!("services.{name}.labels");
                let place = project.places.get(&field).or_else(|| project.places.get(&format!("services.{name}")));
                loaded.diagnostics.push(spec::stack::raw_label(label, &field).at(place.copied()));
            }
        }
        let services = project.services.iter().map(|(name, service)| {
            let field = format!("services.{name}.labels");
            spec::labels::Service {
                name,
                labels: service.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
                place: project.places.get(&field).or_else(|| project.places.get(&format!("services.{name}"))).copied(),
                raw: read.spec.services.get(name).is_some_and(|s| s.keys.raw_labels),
            }
        });
        let values = self.env_values().unwrap_or_default();
        let panel = domain_of(&values).map(|domain| format!("{}.{domain}", spec::routes::PANEL));
        let services: Vec<_> = services.collect();
        let mut routes = read.rendered.routes.clone();
        let outside = routes.outside.iter_mut().map(|outside| &mut outside.route);
        for span in routes.services.values_mut().flatten().chain(outside).filter_map(|route| route.span.as_mut()) {
            span.file = moved.get(&span.file).copied().unwrap_or(span.file);
        }
        let told = spec::labels::loaded(&services, &routes, &values, panel.as_deref());
        loaded.diagnostics.extend(told);
    }
}

/// Variables of Compose that decide which files or which project is meant.
fn redirects(name: &str, value: &str, project: &str) -> bool {
    match name {
        "COMPOSE_FILE" | "COMPOSE_PATH_SEPARATOR" | "COMPOSE_ENV_FILES" | "COMPOSE_DISABLE_ENV_FILE" => true,
        "COMPOSE_PROJECT_NAME" => value != project,
        _ => false,
    }
}
