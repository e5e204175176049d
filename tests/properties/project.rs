//! Generated projects: a shape that proptest shrinks, written as Compose YAML and read by the real loader.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use hearth::compose::{self, Compat, FileError, Files, Request};
use hearth::plan::request::{self, Context};
use hearth::plan::wanted::Wanted;
use hearth::plan::{Options, Recreate, Verb};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub const NETWORKS: usize = 3;
pub const VOLUMES: usize = 4;
pub const IMAGES: usize = 3;

/// A project. Everything that can change from one edit to the next is here.
#[derive(Clone)]
pub struct Shape {
    pub services: Vec<Service>,
    /// Changes the label of a network, so that it must be made anew.
    pub networks: Vec<u8>,
    /// Part of a volume's name.
    pub volumes: Vec<u8>,
    /// What a tag points at.
    pub images: Vec<u8>,
    /// Text of the inline config.
    pub config: u8,
    /// The profile `extra` is on.
    pub extra: bool,
}

#[derive(Debug, Clone)]
pub struct Service {
    pub present: bool,
    pub image: usize,
    pub env: u8,
    /// Ends by itself with 0.
    pub job: bool,
    pub restart: u8,
    pub health: bool,
    /// `(how far back, condition, restart: true, required: true)`
    pub depends: Vec<(usize, u8, bool, bool)>,
    pub volumes: Vec<(usize, bool)>,
    /// A volume without a name.
    pub anonymous: bool,
    pub networks: Vec<usize>,
    /// How far back the service is whose network, links, ipc or volumes it shares.
    pub shares: Option<(usize, u8)>,
    pub scale: u8,
    pub port: bool,
    pub named: bool,
    pub start_first: bool,
    pub config: bool,
    pub extra: bool,
    pub memory: u8,
    pub hooks: u8,
    pub pull: u8,
}

pub fn shape(most: usize) -> impl Strategy<Value = Shape> {
    let few = |n: usize| vec(0..3u8, n);
    let services = vec(service(), 1..=most);
    (services, few(NETWORKS), few(VOLUMES), few(IMAGES), 0..3u8, any::<bool>()).prop_map(
        |(services, networks, volumes, images, config, extra)| {
            Shape { services, networks, volumes, images, config, extra }.valid()
        },
    )
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.2)
}

fn service() -> impl Strategy<Value = Service> {
    let depends = vec((1..4usize, 0..3u8, rarely(), prop::bool::weighted(0.8)), 0..3);
    let first = (prop::bool::weighted(0.9), 0..IMAGES, 0..3u8, rarely(), 0..4u8, any::<bool>(), depends);
    let second = (
        vec((0..VOLUMES, rarely()), 0..3),
        rarely(),
        vec(0..NETWORKS, 0..3),
        option::weighted(0.25, (1..4usize, 0..4u8)),
        prop_oneof![4 => Just(1u8), 1 => 0..4u8],
    );
    let third = (rarely(), rarely(), rarely(), rarely(), rarely(), 0..3u8, 0..4u8, 0..4u8);
    (first, second, third).prop_map(|(a, b, c)| {
        let (present, image, env, job, restart, health, depends) = a;
        let (volumes, anonymous, networks, shares, scale) = b;
        let (port, named, start_first, config, extra, memory, hooks, pull) = c;
        Service {
            present,
            image,
            env,
            job,
            restart,
            health,
            depends,
            volumes,
            anonymous,
            networks,
            shares,
            scale,
            port,
            named,
            start_first,
            config,
            extra,
            memory,
            hooks,
            pull,
        }
    })
}

/// How a shape is edited: what of another shape is taken over.
#[derive(Debug)]
struct Edit {
    other: Shape,
    take: Vec<bool>,
    parts: u8,
}

/// A project and an edit of it.
pub fn edited(most: usize) -> impl Strategy<Value = (Shape, Shape)> {
    (shape(most), edit(most)).prop_map(|(first, edit)| {
        let second = first.edited(&edit);
        (first, second)
    })
}

fn edit(most: usize) -> impl Strategy<Value = Edit> {
    (shape(most), vec(prop::bool::weighted(0.35), most), any::<u8>()).prop_map(|(other, take, parts)| Edit {
        other,
        take,
        parts,
    })
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let jobs: Vec<usize> = (0..self.services.len()).filter(|i| self.services[*i].job).collect();
        write!(f, "\n{}# images {:?}, jobs {jobs:?}, extra {}\n", self.yaml(false), self.images, self.extra)
    }
}

impl Shape {
    fn edited(&self, edit: &Edit) -> Shape {
        let mut new = self.clone();
        for (i, service) in new.services.iter_mut().enumerate() {
            if let Some(other) = edit.other.services.get(i).filter(|_| edit.take[i]) {
                // What ran and should stay does not become a job: ending would be a failure.
                let job = if service.present { service.job } else { other.job };
                *service = Service { job, ..other.clone() };
            }
        }
        let part = |bit: u8| edit.parts & (1 << bit) != 0;
        for i in 0..NETWORKS {
            if part(i as u8) {
                new.networks[i] = edit.other.networks[i];
            }
        }
        for i in 0..IMAGES {
            if part(3 + i as u8) {
                new.images[i] = edit.other.images[i];
            }
        }
        if part(6) {
            new.volumes = edit.other.volumes.clone();
            new.config = edit.other.config;
        }
        if part(7) {
            new.extra = edit.other.extra;
        }
        new.valid()
    }

    /// Removes what Compose would refuse.
    fn valid(mut self) -> Shape {
        for i in 0..self.services.len() {
            let (before, rest) = self.services.split_at_mut(i);
            let s = &mut rest[0];
            let back = |n: usize| i.checked_sub(n).filter(|j| before[*j].present);
            s.depends.retain(|d| back(d.0).is_some());
            s.depends.sort();
            s.depends.dedup_by_key(|d| d.0);
            for (n, condition, _, _) in &mut s.depends {
                let on = &before[i - *n];
                *condition = match (*condition, on.job, on.health && !on.job) {
                    (_, true, _) => 2,
                    (1, _, true) => 1,
                    _ => 0,
                };
            }
            s.shares = s
                .shares
                .filter(|(n, _)| back(*n).is_some_and(|j| !before[j].job && before[j].scale > 0 && before[j].present));
            if matches!(s.shares, Some((_, 0))) {
                s.networks.clear();
                s.port = false;
            }
            if s.job {
                // Nor a hook: it may have ended before that runs.
                (s.health, s.restart, s.port, s.hooks) = (false, 0, false, s.hooks & 2);
            }
            if s.port || s.named {
                s.scale = s.scale.min(1);
            }
            s.volumes.sort();
            s.volumes.dedup_by_key(|v| v.0);
            s.networks.sort();
            s.networks.dedup();
            let needed: Vec<usize> = s.depends.iter().map(|d| i - d.0).chain(s.shares.map(|(n, _)| i - n)).collect();
            let present = s.present;
            for j in needed.into_iter().filter(|_| present) {
                self.services[j].extra = false;
            }
        }
        // What is needed is never off; found from the back, once more for chains.
        for i in (0..self.services.len()).rev() {
            if self.services[i].present && !self.services[i].extra {
                let s = self.services[i].clone();
                for j in s.depends.iter().map(|d| i - d.0).chain(s.shares.map(|(n, _)| i - n)) {
                    self.services[j].extra = false;
                }
            }
        }
        self
    }

    pub fn image(&self, image: usize) -> String {
        format!("image{image}:1")
    }

    pub fn volume_name(&self, volume: usize) -> String {
        format!("p_v{volume}-{}", self.volumes[volume])
    }

    /// The Compose file; with `reversed`, everything in another order.
    pub fn yaml(&self, reversed: bool) -> String {
        let mut services: Vec<String> = Vec::new();
        for (i, s) in self.services.iter().enumerate().filter(|(_, s)| s.present) {
            services.push(self.service_yaml(i, s));
        }
        let mut networks: Vec<String> =
            (0..NETWORKS).map(|n| format!("  n{n}: {{labels: {{v: \"{}\"}}}}\n", self.networks[n])).collect();
        let mut volumes: Vec<String> =
            (0..VOLUMES).map(|v| format!("  v{v}: {{name: {}}}\n", self.volume_name(v))).collect();
        if reversed {
            services.reverse();
            networks.reverse();
            volumes.reverse();
        }
        if services.is_empty() {
            services.push("  {}\n".into());
        }
        format!(
            "name: p\nservices:\n{}networks:\n{}volumes:\n{}configs:\n  c: {{content: \"text {}\"}}\n",
            services.concat(),
            networks.concat(),
            volumes.concat(),
            self.config
        )
    }

    fn service_yaml(&self, i: usize, s: &Service) -> String {
        let mut y = format!("  s{i}:\n    image: {}\n    environment: {{V: \"{}\"}}\n", self.image(s.image), s.env);
        let restart = ["no", "always", "unless-stopped", "on-failure:3"][s.restart as usize];
        let _ = writeln!(y, "    restart: \"{restart}\"\n    scale: {}", s.scale);
        if s.job {
            y += "    command: [job]\n";
        }
        if s.health {
            y += "    healthcheck: {test: [CMD, probe], interval: 1s, timeout: 1s, retries: 3}\n";
        }
        if !s.depends.is_empty() {
            y += "    depends_on:\n";
        }
        for (n, condition, restart, required) in &s.depends {
            let condition =
                ["service_started", "service_healthy", "service_completed_successfully"][*condition as usize];
            let _ =
                writeln!(y, "      s{}: {{condition: {condition}, restart: {restart}, required: {required}}}", i - n);
        }
        match s.shares {
            Some((n, 0)) => _ = writeln!(y, "    network_mode: \"service:s{}\"", i - n),
            Some((n, 1)) => _ = writeln!(y, "    links: [s{}]", i - n),
            Some((n, 2)) => _ = writeln!(y, "    ipc: \"service:s{}\"", i - n),
            Some((n, _)) => _ = writeln!(y, "    volumes_from: [s{}]", i - n),
            None => {}
        }
        let networks: Vec<String> = s.networks.iter().map(|n| format!("n{n}")).collect();
        if !networks.is_empty() {
            let _ = writeln!(y, "    networks: [{}]", networks.join(", "));
        }
        let mut volumes: Vec<String> =
            s.volumes.iter().map(|(v, ro)| format!("\"v{v}:/v{v}{}\"", if *ro { ":ro" } else { "" })).collect();
        if s.anonymous {
            volumes.push("/anonymous".into());
        }
        if !volumes.is_empty() {
            let _ = writeln!(y, "    volumes: [{}]", volumes.join(", "));
        }
        if s.port {
            let _ = writeln!(y, "    ports: [\"{}:80\"]", 8000 + i);
        }
        if s.named {
            let _ = writeln!(y, "    container_name: fixed-{i}");
        }
        if s.start_first {
            y += "    deploy: {update_config: {order: start-first}}\n";
        }
        if s.config {
            y += "    configs: [{source: c, target: /c}]\n";
        }
        if s.extra {
            y += "    profiles: [extra]\n";
        }
        if s.memory > 0 {
            let _ = writeln!(y, "    mem_limit: {}m", 64 * u32::from(s.memory));
        }
        if s.hooks & 1 != 0 {
            y += "    post_start: [{command: [hook, up]}]\n";
        }
        if s.hooks & 2 != 0 {
            y += "    pre_stop: [{command: [hook, down]}]\n";
        }
        match s.pull {
            1 => y += "    pull_policy: always\n",
            2 => y += "    pull_policy: never\n",
            _ => {}
        }
        y
    }

    /// What the planner gets, by way of the real loader.
    pub fn wanted(&self, reversed: bool) -> Wanted {
        let yaml = self.yaml(reversed);
        let files = Memory(BTreeMap::from([(PathBuf::from("/p/compose.yaml"), yaml.clone())]));
        let request = Request {
            files: vec!["/p/compose.yaml".into()],
            profiles: if self.extra { vec!["extra".into()] } else { Vec::new() },
            cwd: "/p".into(),
            compat: Compat::V2,
            ..Request::default()
        };
        let loaded = compose::load(&request, &files);
        let Some(project) = loaded.project else { panic!("{yaml}\n{:?}", loaded.diagnostics) };
        let context = Context { compat: Compat::V2, files: &files, proxies: BTreeMap::new() };
        request::wanted(&project, &context)
    }

    /// Services that are in the file and on.
    pub fn active(&self) -> impl Iterator<Item = (String, &Service)> {
        self.services
            .iter()
            .enumerate()
            .filter(|(_, s)| s.present && (self.extra || !s.extra))
            .map(|(i, s)| (format!("s{i}"), s))
    }
}

/// A command with its flags.
#[derive(Debug, Clone)]
pub struct Asked {
    verb: Verb,
    flags: u16,
    volume: Option<usize>,
    only: Option<usize>,
}

pub fn asked() -> impl Strategy<Value = Asked> {
    let verbs = [Verb::Up, Verb::Down, Verb::Start, Verb::Stop, Verb::Restart, Verb::Pull];
    (prop::sample::select(verbs.to_vec()), any::<u16>(), option::of(0..VOLUMES), option::weighted(0.3, 0..8usize))
        .prop_map(|(verb, flags, volume, only)| Asked { verb, flags, volume, only })
}

impl Asked {
    pub fn options(&self, shape: &Shape) -> Options {
        let flag = |bit: u16| self.flags & (1 << bit) != 0;
        let only = self.only.map(|i| format!("s{i}")).filter(|name| shape.active().any(|(n, _)| n == *name));
        Options {
            verb: self.verb,
            recreate: match self.flags % 4 {
                0 => Recreate::Force,
                1 => Recreate::Never,
                _ => Recreate::Diverged,
            },
            renew_anonymous_volumes: flag(3),
            remove_orphans: flag(4),
            rerun: flag(5),
            no_deps: flag(6),
            update: flag(7),
            no_start: flag(8) && flag(9),
            volumes: self
                .volume
                .filter(|_| self.verb == Verb::Down)
                .map(|v| shape.volume_name(v))
                .into_iter()
                .collect(),
            only: only.into_iter().collect(),
            ..Options::default()
        }
    }
}

/// Files in memory.
pub struct Memory(pub BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        self.0.get(path).map(|t| t.clone().into_bytes()).ok_or(FileError::NotFound)
    }
    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        ["/", "/p", "/home"].iter().any(|dir| path == Path::new(dir))
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.is_file(path).then(|| path.to_path_buf())
    }
}
