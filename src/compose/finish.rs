//! The whole project: implicit defaults, profiles, consistency, selection, and what env and label files add.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::load::Loader;
use super::model::{Dependency, Places, Project, Service};
use super::short::volume::clean;
use super::{Compat, Request, consistency, discover, dotenv};
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics, FileId, Kind, Severity, Span};

/// Completes a decoded project. `None` only where nothing sensible is left.
pub(super) fn finish(
    mut project: Project,
    profiles: &[String],
    request: &Request,
    loader: &mut Loader,
) -> Option<Project> {
    normalize(&mut project, loader.compat);
    apply_profiles(&mut project, profiles);
    let broken = broken_services(&loader.diagnostics);
    consistency::check(&mut project, &broken, &mut loader.diagnostics);
    select(&mut project, &request.targets, &mut loader.diagnostics)?;
    consistency::unique_container_names(&project, &mut loader.diagnostics);
    if !request.all_resources {
        prune(&mut project);
    }
    for (name, service) in &mut project.services {
        env_files(name, service, &project.environment, &project.places, loader);
        label_files(name, service, &project.places, loader);
    }
    Some(project)
}

/// Services that have an error of their own, and in which keys: checks of the whole would only repeat it in other words.
fn broken_services(diagnostics: &Diagnostics) -> BTreeMap<String, BTreeSet<String>> {
    let mut broken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for d in diagnostics.0.iter().filter(|d| d.severity == Severity::Error) {
        let Some(path) = d.field.as_ref().and_then(|field| field.strip_prefix("services.")) else { continue };
        let mut parts = path.split(['.', '[']);
        let service = parts.next().unwrap_or_default().to_string();
        broken.entry(service).or_default().insert(parts.next().unwrap_or_default().to_string());
    }
    broken
}

fn normalize(project: &mut Project, compat: Compat) {
    let mut default_used = false;
    let environment = project.environment.clone();
    for service in project.services.values_mut() {
        if service.provider.is_none() && service.network_mode.is_empty() {
            if service.networks.is_empty() {
                service.networks.insert("default".into(), None);
            }
            default_used |= service.networks.contains_key("default");
        }
        if service.pull_policy == "if_not_present" {
            service.pull_policy = "missing".into();
        }
        if let Some(build) = &mut service.build {
            if build.context.is_empty() {
                build.context = ".".into();
            }
            build.args.retain(|name, value| {
                if value.is_none() {
                    *value = environment.get(name).cloned();
                }
                value.is_some()
            });
        }
        for (name, value) in service.environment.iter_mut().filter(|(_, value)| value.is_none()) {
            *value = environment.get(name).cloned();
        }
        implicit_dependencies(service);
        for mount in &mut service.volumes {
            mount.target = clean(&mount.target);
        }
        if compat == Compat::V5 && !service.image.is_empty() {
            for hook in service.pre_start.iter_mut().filter(|h| h.image.is_empty()) {
                hook.image = service.image.clone();
            }
        }
    }
    if default_used {
        project.networks.entry("default".into()).or_default();
    }
    names(project);
}

/// Links, shared namespaces and `volumes_from` need their service to be there first.
fn implicit_dependencies(service: &mut Service) {
    let mut found: Vec<(String, bool)> = Vec::new();
    for link in &service.links {
        let parts: Vec<&str> = link.split(':').collect();
        found.push((if parts.len() == 2 { parts[0] } else { link }.to_string(), true));
    }
    for namespace in [&service.network_mode, &service.ipc, &service.pid, &service.uts, &service.cgroup] {
        found.extend(namespace.strip_prefix("service:").map(|name| (name.to_string(), true)));
    }
    for from in service.volumes_from.iter().filter(|from| !from.starts_with("container:")) {
        found.push((from.split(':').next().unwrap_or_default().to_string(), false));
    }
    for (name, restart) in found {
        service.depends_on.entry(name).or_insert_with(|| Dependency {
            condition: "service_started".into(),
            restart,
            required: true,
            extensions: Default::default(),
        });
    }
}

/// `<project>_<key>`, or the key itself where the resource is external.
fn names(project: &mut Project) {
    let prefix = project.name.clone();
    let name = |given: &mut String, key: &str, external: bool| {
        if given.is_empty() {
            *given = if external { key.to_string() } else { format!("{prefix}_{key}") };
        }
    };
    project.networks.iter_mut().for_each(|(key, n)| name(&mut n.name, key, n.external));
    project.volumes.iter_mut().for_each(|(key, v)| name(&mut v.name, key, v.external));
    project.secrets.iter_mut().for_each(|(key, s)| name(&mut s.name, key, s.external));
    project.configs.iter_mut().for_each(|(key, c)| name(&mut c.name, key, c.external));
}

/// A service is on when it has no profile, or one that is active.
pub fn has_profile(service: &Service, profiles: &[String]) -> bool {
    service.profiles.is_empty() || profiles.iter().any(|p| p == "*" || service.profiles.contains(p))
}

fn apply_profiles(project: &mut Project, profiles: &[String]) {
    let all = std::mem::take(&mut project.services).into_iter().chain(std::mem::take(&mut project.disabled));
    let (on, off): (BTreeMap<_, _>, BTreeMap<_, _>) = all.partition(|(_, service)| has_profile(service, profiles));
    project.services = on;
    project.disabled = off;
    project.profiles = profiles.iter().filter(|p| !p.is_empty()).cloned().collect();
}

/// Services named on the command line switch on their own profiles; then only they and what they need stay.
fn select(project: &mut Project, targets: &[String], diagnostics: &mut Diagnostics) -> Option<()> {
    if targets.is_empty() {
        return Some(());
    }
    let mut profiles = project.profiles.clone();
    for target in targets {
        profiles.extend(project.disabled.get(target).into_iter().flat_map(|s| s.profiles.clone()));
    }
    apply_profiles(project, &profiles);
    let mut kept = BTreeSet::new();
    // Name, whether it must be there, and who needs it.
    let mut queue: Vec<(String, bool, Option<String>)> = targets.iter().map(|t| (t.clone(), true, None)).collect();
    let mut missing = false;
    while let Some((name, required, needed_by)) = queue.pop() {
        match project.services.get(&name) {
            Some(service) => {
                if kept.insert(name.clone()) {
                    let needs = |(on, d): (&String, &Dependency)| (on.clone(), d.required, Some(name.clone()));
                    queue.extend(service.depends_on.iter().map(needs));
                }
            }
            None if !required => {}
            None => {
                missing = true;
                let field = needed_by.map(|by| format!("services.{by}.depends_on.{name}"));
                // The checks may have told of it, with more to say.
                if field.is_none() || !diagnostics.0.iter().any(|d| d.field == field) {
                    let mut d = no_such_service(project, &name);
                    d.place = field.as_ref().and_then(|field| project.places.get(field).copied());
                    d.field = field;
                    diagnostics.push(d);
                }
            }
        }
    }
    if missing {
        return None;
    }
    let dropped: Vec<String> = project.services.keys().filter(|name| !kept.contains(*name)).cloned().collect();
    for name in dropped {
        if let Some(service) = project.services.remove(&name) {
            project.disabled.insert(name, service);
        }
    }
    for service in project.services.values_mut() {
        service.depends_on.retain(|name, _| kept.contains(name));
    }
    Some(())
}

/// A name that is no service of the project, or one whose profiles are off.
pub fn no_such_service(project: &Project, name: &str) -> Diagnostic {
    let d = Diagnostic::error("compose.no-such-service", format!("there is no service `{name}`")).kind(Kind::NotFound);
    if let Some(service) = project.disabled.get(name) {
        return Diagnostic::error("compose.no-such-service", format!("the service `{name}` is off"))
            .kind(Kind::NotFound)
            .hint(format!(
                "it belongs to {}: add --profile {}",
                wording::list(&service.profiles),
                service.profiles.first().map_or("", |p| p)
            ));
    }
    match wording::nearest(name, project.services.keys().chain(project.disabled.keys()).map(String::as_str)) {
        Some(near) => d.hint(format!("did you mean `{near}`?")),
        None if project.services.is_empty() => {
            d.hint("the project has no services here: name its files with -f, or its folder")
        }
        None => d.hint(format!("there are {}", wording::list(&project.services.keys().collect::<Vec<_>>()))),
    }
}

/// Drops networks, volumes, secrets, configs and models that no enabled service uses.
fn prune(project: &mut Project) {
    let services = || project.services.values();
    let networks: BTreeSet<String> = services().flat_map(|s| s.networks.keys().cloned()).collect();
    let volumes: BTreeSet<String> = services()
        .flat_map(|s| &s.volumes)
        .filter(|v| v.kind == "volume" && !v.source.is_empty())
        .map(|v| v.source.clone())
        .collect();
    let built = services().filter_map(|s| s.build.as_ref()).flat_map(|b| &b.secrets);
    let secrets: BTreeSet<String> =
        services().flat_map(|s| &s.secrets).chain(built).map(|s| s.source.clone()).collect();
    let configs: BTreeSet<String> = services().flat_map(|s| &s.configs).map(|c| c.source.clone()).collect();
    let models: BTreeSet<String> = services().flat_map(|s| s.models.keys().cloned()).collect();
    project.networks.retain(|key, _| networks.contains(key));
    project.volumes.retain(|key, _| volumes.contains(key));
    project.secrets.retain(|key, _| secrets.contains(key));
    project.configs.retain(|key, _| configs.contains(key));
    project.models.retain(|key, _| models.contains(key));
}

fn env_files(
    name: &str,
    service: &mut Service,
    project: &BTreeMap<String, String>,
    places: &Places,
    loader: &mut Loader,
) {
    if service.env_file.is_empty() {
        return;
    }
    let own: BTreeMap<String, String> =
        service.environment.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?))).collect();
    let mut variables = own.clone();
    for (i, file) in service.env_file.iter().enumerate() {
        let place = place_of(places, name, "env_file", i);
        if !matches!(file.format.as_str(), "" | "raw") {
            loader.diagnostics.push(
                Diagnostic::error("compose.bad-value", format!("`{}` is no format of an env file", file.format))
                    .at(place)
                    .field(format!("services.{name}.env_file[{i}].format"))
                    .hint("write `raw`, or leave it out"),
            );
            continue;
        }
        let Some((id, text)) = read(loader, &file.path, "an env file", place, file.required) else { continue };
        let lookup = |key: &str| project.get(key).or_else(|| own.get(key)).cloned();
        let result = match file.format.as_str() {
            "raw" => dotenv::parse_raw(&text, &mut variables, &lookup),
            _ => dotenv::parse(&text, &mut variables, &lookup, loader.compat),
        };
        if let Err(error) = result {
            loader.diagnostics.push(discover::dotenv_diagnostic(id, &error));
        }
    }
    for (key, value) in variables {
        service.environment.entry(key).or_insert(Some(value));
    }
}

fn label_files(name: &str, service: &mut Service, places: &Places, loader: &mut Loader) {
    let mut labels = BTreeMap::new();
    for (i, path) in service.label_file.iter().enumerate() {
        let place = place_of(places, name, "label_file", i);
        let Some((id, text)) = read(loader, path, "a label file", place, true) else { continue };
        let seen = labels.clone();
        let lookup = |key: &str| -> Option<String> { seen.get(key).cloned() };
        if let Err(error) = dotenv::parse(&text, &mut labels, &lookup, loader.compat) {
            loader.diagnostics.push(discover::dotenv_diagnostic(id, &error));
        }
    }
    for (key, value) in labels {
        service.labels.entry(key).or_insert(value);
    }
}

fn place_of(places: &Places, service: &str, key: &str, i: usize) -> Option<Span> {
    places
        .get(&format!("services.{service}.{key}[{i}]"))
        .or_else(|| places.get(&format!("services.{service}.{key}")))
        .copied()
}

fn read(
    loader: &mut Loader,
    path: &str,
    what: &str,
    place: Option<Span>,
    required: bool,
) -> Option<(FileId, Arc<str>)> {
    if let Some((id, text)) = loader.texts.get(Path::new(path)) {
        return Some((*id, text.clone()));
    }
    if loader.full {
        return None;
    }
    match discover::read_text(loader.files, Path::new(path)) {
        Ok(text) => {
            let id = loader.sources.add(path, discover::names_only(&text));
            let text: Arc<str> = text.into();
            loader.texts.insert(path.into(), (id, text.clone()));
            loader.fits(id).then_some((id, text))
        }
        Err(refusal) => {
            let missing = refusal.is_missing();
            let mut d = refusal.tell(what, Path::new(path), &mut loader.sources).or_at(place);
            if missing && what == "an env file" {
                d = d.hint("or write `{path: ..., required: false}` where it may be missing");
            }
            if required || !missing {
                loader.diagnostics.push(d);
            }
            None
        }
    }
}
