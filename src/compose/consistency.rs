//! What must hold between parts of a project: every name that is used is defined, and no two wishes exclude each other.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Project, Resource, Service};
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics};

/// Checks all enabled services; of those in `broken` (by the keys that have an error of their own; an empty one is the whole
/// service) only the names that their other keys use. Sets `deploy.replicas` to `scale` where both stand (Compose does).
pub(super) fn check(project: &mut Project, broken: &BTreeMap<String, BTreeSet<String>>, diagnostics: &mut Diagnostics) {
    let names: Vec<String> = project.services.keys().filter(|n| !broken.contains_key(*n)).cloned().collect();
    for (name, keys) in broken {
        if let Some(service) = project.services.get(name).filter(|s| s.extends.is_none()) {
            let mut told = Diagnostics::default();
            Judge { project, name, diagnostics: &mut told }.references(service);
            told.0.retain(|d| !repeats(d, name, keys));
            diagnostics.0.append(&mut told.0);
        }
    }
    for name in &names {
        let service = &project.services[name];
        // What it extends could not be had (told): whatever it lacks may have come from there.
        if service.extends.is_some() {
            continue;
        }
        let mut judge = Judge { project, name, diagnostics: &mut *diagnostics };
        judge.source(service);
        judge.references(service);
        judge.values(service);
        judge.mounts(service);
    }
    for name in &names {
        if let Some(service) = project.services.get_mut(name)
            && let (Some(scale), Some(deploy)) = (service.scale, &mut service.deploy)
        {
            deploy.replicas = Some(scale);
        }
    }
    secrets(project, diagnostics);
    cycle(project, diagnostics);
}

/// It is about a key that has an error already.
fn repeats(d: &Diagnostic, service: &str, keys: &BTreeSet<String>) -> bool {
    let path = d.field.as_deref().and_then(|field| field.strip_prefix("services.")?.strip_prefix(service));
    let key = path.unwrap_or_default().trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
    keys.contains("") || keys.contains(key)
}

struct Judge<'a> {
    project: &'a Project,
    name: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl Judge<'_> {
    fn tell(&mut self, code: &'static str, key: &str, title: String, hint: impl Into<String>) {
        let base = format!("services.{}", self.name);
        let field = if key.is_empty() { base.clone() } else { format!("{base}.{key}") };
        let place = place(self.project, &field);
        self.diagnostics.push(Diagnostic::error(code, title).at(place).field(field).hint(hint));
    }

    fn source(&mut self, s: &Service) {
        let name = self.name;
        if s.build.is_none() && s.image.is_empty() && s.provider.is_none() {
            self.tell(
                "compose.no-image",
                "",
                format!("the service `{name}` has neither an image nor a build"),
                "add `image: name:tag`",
            );
        }
        let Some(build) = &s.build else { return };
        if !build.dockerfile_inline.is_empty() && !build.dockerfile.is_empty() {
            self.tell(
                "compose.conflict",
                "build",
                "`dockerfile` and `dockerfile_inline` exclude each other".into(),
                "keep one of them",
            );
        }
        for (key, context) in &build.additional_contexts {
            let Some(target) = context.strip_prefix("service:") else { continue };
            if self.project.services.get(target).is_none_or(|t| t.build.is_none()) {
                let title =
                    format!("the additional context `{key}` names `{target}`, which is no service that is built");
                self.tell("compose.undefined-service", "build", title, "name a service with a `build` section");
            }
        }
        if !build.platforms.is_empty() && !s.platform.is_empty() && !build.platforms.contains(&s.platform) {
            let title = format!("`build.platforms` lacks the service's own platform {}", s.platform);
            self.tell("compose.conflict", "build", title, "add it to `build.platforms`");
        }
    }

    fn undefined<'k>(&mut self, what: &str, key: &str, used: &str, known: impl Iterator<Item = &'k String>) {
        let section = if what == "build secret" { "secret" } else { what };
        let near = wording::nearest(used, known.map(String::as_str)).map(str::to_string);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let body = match section {
                    "secret" | "config" => format!(" file: ./{used} "),
                    "model" => format!(" model: ai/{used} "),
                    _ => String::new(),
                };
                format!("define it at the end of the file: {section}s: {{ {used}: {{{body}}} }}")
            }
        };
        self.tell(
            "compose.undefined",
            key,
            format!("the service `{}` uses the {what} `{used}`, which is not defined", self.name),
            hint,
        );
    }

    fn references(&mut self, s: &Service) {
        let project = self.project;
        if !s.network_mode.is_empty() && !s.networks.is_empty() {
            self.tell(
                "compose.conflict",
                "network_mode",
                "`network_mode` and `networks` exclude each other".into(),
                "keep one of them",
            );
        }
        for network in s.networks.keys().filter(|n| n.starts_with("x-")) {
            let title = format!("no service can join the network `{network}`: Compose takes keys in `x-` for notes");
            self.tell("compose.reserved-key", &format!("networks.{network}"), title, "give the network another key");
        }
        for network in s.networks.keys().filter(|n| !project.networks.contains_key(*n)) {
            self.undefined("network", &format!("networks.{network}"), network, project.networks.keys());
        }
        for (on, dependency) in &s.depends_on {
            let known = project.services.contains_key(on);
            let disabled = project.disabled.get(on);
            if known || disabled.is_some() && !dependency.required {
                continue;
            }
            let key = format!("depends_on.{on}");
            match disabled {
                Some(off) => {
                    let title = format!(
                        "the service `{}` needs `{on}`, whose profiles are off: {}",
                        self.name,
                        wording::list(&off.profiles)
                    );
                    let hint = format!("turn one of them on, or write `required: false` below depends_on.{on}");
                    self.tell("compose.disabled-dependency", &key, title, hint);
                }
                None => {
                    let known = project.services.keys().chain(project.disabled.keys()).map(String::as_str);
                    let hint = match wording::nearest(on, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("check the name, or define a service `{on}`"),
                    };
                    let title = format!("the service `{}` needs `{on}`, which is not defined", self.name);
                    let key = implied_by(s, on).unwrap_or(key);
                    self.tell("compose.undefined-service", &key, title, hint);
                }
            }
        }
        for (i, mount) in s.volumes.iter().enumerate() {
            if mount.kind == "volume" && !mount.source.is_empty() && !project.volumes.contains_key(&mount.source) {
                let key = format!("volumes[{i}]");
                if mount.source.contains('/') {
                    let title = format!(
                        "`{}` is read as the name of a volume, since it does not begin with `.` or `/`",
                        mount.source
                    );
                    self.tell("compose.undefined", &key, title, format!("for a folder write ./{}", mount.source));
                } else {
                    self.undefined("volume", &key, &mount.source, project.volumes.keys());
                }
            }
        }
        let built = s.build.iter().flat_map(|b| &b.secrets);
        for secret in built.filter(|r| !project.secrets.contains_key(&r.source)) {
            self.undefined("build secret", "build", &secret.source, project.secrets.keys());
        }
        for (i, config) in s.configs.iter().enumerate().filter(|(_, r)| !project.configs.contains_key(&r.source)) {
            self.undefined("config", &format!("configs[{i}]"), &config.source, project.configs.keys());
        }
        for (i, secret) in s.secrets.iter().enumerate().filter(|(_, r)| !project.secrets.contains_key(&r.source)) {
            self.undefined("secret", &format!("secrets[{i}]"), &secret.source, project.secrets.keys());
        }
        for model in s.models.keys().filter(|m| !project.models.contains_key(*m)) {
            self.undefined("model", &format!("models.{model}"), model, project.models.keys());
        }
    }

    fn values(&mut self, s: &Service) {
        if let Some(first) = s.healthcheck.as_ref().and_then(|h| h.test.first())
            && !matches!(first.as_str(), "CMD" | "CMD-SHELL" | "NONE")
        {
            let title = format!("a health check's list begins with CMD, CMD-SHELL or NONE, not `{first}`");
            self.tell("compose.bad-value", "healthcheck", title, format!("write test: [\"CMD\", \"{first}\", ...]"));
        }
        let replicas = s.deploy.as_ref().and_then(|d| d.replicas);
        if let (Some(scale), Some(replicas)) = (s.scale, replicas)
            && scale != replicas
        {
            self.tell(
                "compose.conflict",
                "scale",
                format!("`scale: {scale}` and `deploy.replicas: {replicas}` differ"),
                "keep one of them",
            );
        }
        for (key, number) in [("scale", s.scale), ("deploy", replicas)] {
            if number.is_some_and(|n| n < 0) {
                self.tell(
                    "compose.bad-value",
                    key,
                    "the number of containers cannot be negative".into(),
                    "write 0 or more",
                );
            }
        }
        let limits = s.deploy.as_ref().and_then(|d| d.resources.limits.as_ref());
        let reservations = s.deploy.as_ref().and_then(|d| d.resources.reservations.as_ref());
        let mut twice = |key: &str,
                         set: bool,
                         other: Option<&Resource>,
                         at: &str,
                         equal: &dyn Fn(&Resource) -> bool| {
            if set && other.is_some_and(|r| !equal(r)) {
                let title = format!(
                    "`{key}` and `deploy.resources.{at}` say different things (a missing value there counts as none)"
                );
                self.tell(
                    "compose.conflict",
                    key,
                    title,
                    format!("keep one of them, or write the same value in `deploy.resources.{at}`"),
                );
            }
        };
        twice("cpus", s.cpus.0 != 0.0, limits, "limits.cpus", &|r| r.cpus == s.cpus);
        twice("mem_limit", s.mem_limit.0 != 0, limits, "limits.memory", &|r| r.memory == s.mem_limit);
        twice("mem_reservation", s.mem_reservation.0 != 0, reservations, "reservations.memory", &|r| {
            r.memory == s.mem_reservation
        });
        twice("pids_limit", s.pids_limit != 0, limits, "limits.pids", &|r| r.pids == s.pids_limit);
        let count = s.scale.or(replicas).unwrap_or(1);
        if count > 1 && !s.container_name.is_empty() {
            let title = format!("`container_name` fits one container, and {count} are wanted");
            self.tell("compose.conflict", "container_name", title, "remove container_name, or scale to 1");
        }
        for watch in s.develop.iter().flat_map(|d| &d.watch) {
            if watch.target.is_empty() && !matches!(watch.action.as_str(), "rebuild" | "restart") {
                let title = format!("the watch action `{}` needs a target", watch.action);
                self.tell("compose.missing-key", "develop", title, "add `target:`, the path inside the container");
            }
        }
    }

    fn mounts(&mut self, s: &Service) {
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        let tmpfs = s.tmpfs.iter().enumerate().map(|(i, t)| (t.split(':').next().unwrap_or(t), format!("tmpfs[{i}]")));
        let volumes = s.volumes.iter().enumerate().map(|(i, v)| (v.target.as_str(), format!("volumes[{i}]")));
        for (target, key) in tmpfs.chain(volumes) {
            if let Some(first) = seen.get(target) {
                let title = format!("{target} is mounted twice: as {first} and as {key}");
                self.tell("compose.mounted-twice", &key, title, "give one of them another target");
                continue;
            }
            seen.insert(target, key);
        }
    }
}

/// The attribute that makes a dependency nobody wrote in `depends_on`.
fn implied_by(s: &Service, on: &str) -> Option<String> {
    let shared =
        [("network_mode", &s.network_mode), ("ipc", &s.ipc), ("pid", &s.pid), ("uts", &s.uts), ("cgroup", &s.cgroup)];
    let by_namespace = shared
        .into_iter()
        .find(|(_, value)| value.strip_prefix("service:") == Some(on))
        .map(|(key, _)| key.to_string());
    let listed = |key: &str, items: &[String]| {
        let at = items.iter().position(|item| item.split(':').next() == Some(on))?;
        Some(format!("{key}[{at}]"))
    };
    by_namespace.or_else(|| listed("links", &s.links)).or_else(|| listed("volumes_from", &s.volumes_from))
}

fn place(project: &Project, field: &str) -> Option<crate::diag::Span> {
    let mut field = field;
    loop {
        if let Some(place) = project.places.get(field) {
            return Some(*place);
        }
        field = &field[..field.rfind(['.', '['])?];
    }
}

fn secrets(project: &Project, diagnostics: &mut Diagnostics) {
    for (key, secret) in &project.secrets {
        if secret.external || !secret.file.is_empty() || !secret.environment.is_empty() {
            continue;
        }
        let field = format!("secrets.{key}");
        let told = diagnostics.0.iter().any(|d| d.field.as_ref().is_some_and(|f| f.starts_with(&field)));
        if !told {
            diagnostics.push(
                Diagnostic::error(
                    "compose.no-source",
                    format!("the secret `{key}` has no source: `file` or `environment`"),
                )
                .at(place(project, &field))
                .field(field)
                .hint("add `file: ./path` or `environment: NAME`"),
            );
        }
    }
}

/// Two services may not fix the same container name.
pub(super) fn unique_container_names(project: &Project, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in project.services.iter().filter(|(_, s)| !s.container_name.is_empty()) {
        if let Some(other) = seen.insert(&service.container_name, name) {
            let field = format!("services.{name}.container_name");
            let mut d = Diagnostic::error(
                "compose.conflict",
                format!("`{}` is the container name of `{other}` already", service.container_name),
            )
            .at(place(project, &field))
            .field(field)
            .hint("give each its own name, or leave container_name out");
            if let Some(first) = place(project, &format!("services.{other}.container_name")) {
                d = d.related(first, "first used here");
            }
            diagnostics.push(d);
        }
    }
}

fn cycle(project: &Project, diagnostics: &mut Diagnostics) {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in project.services.keys() {
        let mut trail: Vec<&str> = Vec::new();
        if let Some(circle) = walk(project, start, &mut trail, &mut done) {
            let field = format!("services.{}.depends_on.{}", circle[circle.len() - 2], circle[circle.len() - 1]);
            diagnostics.push(
                Diagnostic::error(
                    "compose.dependency-cycle",
                    format!("these services need each other in a circle: {}", wording::chain(&circle)),
                )
                .at(place(project, &field))
                .field(field)
                .hint("remove one `depends_on` of the circle"),
            );
            return;
        }
    }
}

/// Depth first, without recursion: a thousand services may stand in one chain.
fn walk<'p>(
    project: &'p Project,
    start: &'p str,
    trail: &mut Vec<&'p str>,
    done: &mut BTreeSet<&'p str>,
) -> Option<Vec<&'p str>> {
    let mut stack: Vec<(&str, bool)> = vec![(start, false)];
    while let Some((name, leaving)) = stack.pop() {
        if leaving {
            trail.pop();
            done.insert(name);
            continue;
        }
        if let Some(at) = trail.iter().position(|seen| *seen == name) {
            return Some(trail[at..].iter().copied().chain([name]).collect());
        }
        if done.contains(name) {
            continue;
        }
        trail.push(name);
        stack.push((name, true));
        if let Some(service) = project.services.get(name) {
            stack.extend(
                service.depends_on.keys().filter(|d| project.services.contains_key(*d)).map(|d| (d.as_str(), false)),
            );
        }
    }
    None
}
