//! A case's world: what an `up` of a stack left behind, and what happened to it since.
//!
//! ```yaml
//! made-by: hearth            # or compose, compose5, nothing: who ran the `up` (default nothing)
//! of: |                      # the stack of then, where it was another one
//!   services: ...
//! profiles: [media]          # that were on then
//! next:                      # containers that an interrupted `up` of the present stack made beside the old ones;
//!   shop-web-1: {state: created, name: OLD_shop-web-1}   # `OLD` is the old one's short id, `stale: true` another stack's
//! inspect: false             # the look did not inspect
//! containers:                # by name; changes to what the `up` left
//!   shop-web-1: { state: exited, exit: 1, health: healthy, name: other, gone: true, image: sha256:..,
//!                 labels: {key: value or null}, host: {Memory: 5}, config: {User: x},
//!                 networks: {shop_default: null}, like: shop-db-1, id: text, inspect: false }
//! networks: { shop_default: {gone: true, id: text, labels: {...}, attached: [names]} }
//! volumes:  { shop_data: {gone: true, labels: {...}} }
//! images:   { "nginx:1": {gone: true, id: text, config: {...}, tagged: time} }
//! foreign:  [ {name: x, project: y, running: true, ports: ["127.0.0.1:80/tcp"], volumes: [], networks: []} ]
//! host:     { ports: ["80/tcp"], missing: [/srv/x] }
//! subnets:  { "10.0.0.0/8": name }
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use hearth::compose::model::Project;
use hearth::compose::{self, Compat, FileError, Files, Request, tree, yaml};
use hearth::diag::{Diagnostics, Sources};
use hearth::plan::observed::*;
use hearth::plan::request::container::numbered;
use hearth::plan::request::{self, Context, FILES, FINGERPRINT};
use hearth::plan::wanted::{Wanted, WantedService};
use hearth::plan::{self, Options, Plan, Recreate, Verb, json as plan_json, text};

pub struct Case {
    pub wanted: Wanted,
    pub observed: Observed,
    pub options: Options,
    steps: bool,
    json: bool,
}

impl Case {
    /// `head` is the command line and the stack, `world` the world.
    pub fn read(name: &str, head: &str, world: &str) -> Case {
        let (command, stack) = head.split_once('\n').unwrap_or((head, ""));
        let command = Command::read(name, command);
        let project = load(name, stack, &command.profiles, command.compat, &command.load_targets());
        let wanted = wanted(&project, command.compat);
        let world = parse(name, world);
        let observed = observe(name, stack, &wanted, &world, command.compat);
        Case { wanted, observed, options: command.options, steps: command.steps, json: command.json }
    }

    pub fn plan(&self) -> Plan {
        plan::plan(&self.wanted, &self.observed, &self.options)
    }

    pub fn show(&self, plan: &Plan) -> String {
        match self.json {
            true => format!("{}\n", serde_json::to_string_pretty(&plan_json::to_json(plan)).unwrap()),
            false => text::render(plan, self.steps),
        }
    }

    /// The same input in other orders.
    pub fn turned(&self) -> Vec<(Wanted, Observed)> {
        let mut backward = self.observed.clone();
        backward.containers.reverse();
        backward.foreign.reverse();
        backward.subnets.reverse();
        backward.host.taken_ports.reverse();
        backward.networks.values_mut().for_each(|n| n.attached.reverse());
        let mut rotated = self.observed.clone();
        let half = rotated.containers.len() / 2;
        rotated.containers.rotate_left(half);
        vec![(self.wanted.clone(), backward), (self.wanted.clone(), rotated)]
    }
}

#[derive(Default)]
struct Command {
    options: Options,
    profiles: Vec<String>,
    compat: Compat,
    steps: bool,
    json: bool,
}

impl Command {
    fn read(name: &str, line: &str) -> Command {
        let mut command = Command { compat: Compat::V2, ..Command::default() };
        let mut words = line.split_whitespace();
        let options = &mut command.options;
        options.verb = match words.next() {
            Some("up") => Verb::Up,
            Some("update") => {
                options.update = true;
                Verb::Up
            }
            Some("down") => Verb::Down,
            Some("start") => Verb::Start,
            Some("stop") => Verb::Stop,
            Some("restart") => Verb::Restart,
            Some("pull") => Verb::Pull,
            other => panic!("{name}: the first line is a command, not {other:?}"),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{name}: {word} wants a value")).to_string();
            match word {
                "--force-recreate" => options.recreate = Recreate::Force,
                "--no-recreate" => options.recreate = Recreate::Never,
                "-V" => options.renew_anonymous_volumes = true,
                "--remove-orphans" => options.remove_orphans = true,
                "--home-networks" => options.networks = Some(value().split(',').map(str::to_string).collect()),
                "--rerun" => options.rerun = true,
                "-t" => options.timeout = Some(value().parse().unwrap()),
                "--wait" => options.wait = true,
                "--wait-timeout" => options.wait_timeout = Some(value().parse().unwrap()),
                "--volumes" => options.volumes.push(value()),
                "--anonymous-volumes" => options.anonymous_volumes = true,
                "--no-deps" => options.no_deps = true,
                "--pull" => options.pull = Some(value()),
                "--no-start" => options.no_start = true,
                "--build" => options.build = true,
                "--pulled" => options.pulled = true,
                "--now" => options.now = hearth::base::clock::parse(&value()),
                "--profile" => command.profiles.push(value()),
                "--compat" => command.compat = if value() == "5" { Compat::V5 } else { Compat::V2 },
                "--steps" => command.steps = true,
                "--json" => command.json = true,
                service if !service.starts_with('-') => options.only.push(service.into()),
                other => panic!("{name}: no flag {other}"),
            }
        }
        command
    }

    fn load_targets(&self) -> Vec<String> {
        match self.options.verb {
            Verb::Up => self.options.only.clone(),
            _ => Vec::new(),
        }
    }
}

struct OneFile(String);

impl Files for OneFile {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        match self.is_file(path) {
            true => Ok(self.0.clone().into_bytes()),
            false => Err(FileError::NotFound),
        }
    }
    fn is_file(&self, path: &Path) -> bool {
        path == Path::new("/srv/shop/compose.yaml")
    }
    fn is_dir(&self, _: &Path) -> bool {
        false
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Some(path.into())
    }
}

fn load(name: &str, stack: &str, profiles: &[String], compat: Compat, targets: &[String]) -> Project {
    let request = Request {
        files: vec!["/srv/shop/compose.yaml".into()],
        cwd: "/srv/shop".into(),
        environment: BTreeMap::from([("DB_PASSWORD".into(), "s3cr3t-variable".into())]),
        profiles: profiles.to_vec(),
        compat,
        targets: targets.to_vec(),
        ..Request::default()
    };
    let loaded = compose::load(&request, &OneFile(stack.into()));
    let said: Vec<String> = loaded.diagnostics.0.iter().map(|d| d.title.clone()).collect();
    loaded.project.unwrap_or_else(|| panic!("{name}: the stack does not load: {said:?}"))
}

fn wanted(project: &Project, compat: Compat) -> Wanted {
    let context = Context { compat, files: &OneFile(String::new()), proxies: BTreeMap::new() };
    request::wanted(project, &context)
}

fn parse(name: &str, text: &str) -> Value {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let file = sources.add("world", text);
    let nodes = yaml::parse(file, &sources, &mut diagnostics);
    assert!(diagnostics.0.is_empty(), "{name}: the world does not parse: {:?}", diagnostics.0[0].title);
    nodes.first().map_or(Value::Null, value_of)
}

fn value_of(node: &tree::Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(b) => json!(b),
        tree::Value::Int(n) => json!(n),
        tree::Value::Uint(n) => json!(n),
        tree::Value::Float(f) => json!(f),
        tree::Value::Date(s) | tree::Value::Str(s) => json!(s),
        tree::Value::Seq(items) => Value::Array(items.iter().map(value_of).collect()),
        tree::Value::Map(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), value_of(v))).collect()),
    }
}

/// 64 hex digits that are always the same for a name.
fn id_of(kind: &str, name: &str) -> String {
    Sha256::digest(format!("{kind} {name}")).iter().map(|b| format!("{b:02x}")).collect()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn entries<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value[key].as_object().into_iter().flatten()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text_of).collect()
}

fn is(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

fn observe(name: &str, stack: &str, now: &Wanted, world: &Value, compat: Compat) -> Observed {
    let maker = world["made-by"].as_str().unwrap_or("nothing");
    let mut observed = Observed::default();
    let made_compat = match maker {
        "compose" => Compat::V2,
        "compose5" => Compat::V5,
        _ => compat,
    };
    let profiles = words(&world["profiles"]);
    let then = load(name, world["of"].as_str().unwrap_or(stack), &profiles, made_compat, &[]);
    let then = wanted(&then, made_compat);
    images(&mut observed, [now, &then], world);
    if maker != "nothing" {
        made(&mut observed, &then, maker == "hearth");
    }
    networks(&mut observed, now, world);
    volumes(&mut observed, now, world);
    let next = next(&observed, now, world, maker == "hearth");
    containers(&mut observed, world);
    observed.containers.extend(next);
    surroundings(&mut observed, world);
    observed.containers.sort_by(|a, b| a.name.cmp(&b.name));
    observed
}

fn images(observed: &mut Observed, all: [&Wanted; 2], world: &Value) {
    for service in all.iter().flat_map(|w| w.services.values()) {
        let reference = text_of(&service.request.config["Image"]);
        let id = format!("sha256:{}", id_of("image", &reference));
        let config = json!({ "Env": ["PATH=/bin"], "Cmd": ["run"] });
        let image = Image { label_id: id.clone(), id, last_tag_time: String::new(), config };
        observed.images.entry(reference).or_insert(image);
    }
    for (name, change) in entries(world, "images") {
        let image = observed.images.entry(name.clone()).or_default();
        if let Some(id) = change["id"].as_str() {
            (image.id, image.label_id) = (id.into(), id.into());
        }
        if let Some(label) = change["label"].as_str() {
            image.label_id = label.into();
        }
        for (key, value) in entries(change, "config") {
            image.config[key] = value.clone();
        }
        image.last_tag_time = change["tagged"].as_str().unwrap_or_default().into();
    }
}

/// What an `up` of `then` leaves behind.
fn made(observed: &mut Observed, then: &Wanted, by_hearth: bool) {
    for request in then.networks.values() {
        let labels = if request.external { BTreeMap::new() } else { labels_of(&request.body) };
        let network =
            Network { id: id_of("network", &request.name), name: request.name.clone(), labels, ..Network::default() };
        observed.networks.insert(request.name.clone(), network);
    }
    for request in then.volumes.values() {
        let labels = if request.external { BTreeMap::new() } else { labels_of(&request.body) };
        observed
            .volumes
            .insert(request.name.clone(), Volume { name: request.name.clone(), labels, ..Volume::default() });
    }
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut left: Vec<&WantedService> = then.services.values().collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|service| {
            if service.request.refs.iter().any(|r| !known.contains_key(&r.service)) {
                return true;
            }
            for number in 1..=service.service.replicas() as u32 {
                let container = container(observed, then, service, number, &known, by_hearth);
                known.entry(service.name.clone()).or_insert(container.id.clone());
                observed.containers.push(container);
            }
            false
        });
        assert!(left.len() < before, "a circle of references");
    }
}

/// What an interrupted `up` of the present stack made.
fn next(observed: &Observed, now: &Wanted, world: &Value, by_hearth: bool) -> Vec<Container> {
    let mut list = Vec::new();
    for (name, change) in entries(world, "next") {
        let old = observed.containers.iter().find(|c| c.name == *name).expect("an old container");
        let service = &now.services[&old.labels["com.docker.compose.service"]];
        let number = old.labels["com.docker.compose.container-number"].parse().unwrap();
        let mut new = container(observed, now, service, number, &BTreeMap::new(), by_hearth);
        new.id = id_of("next", name);
        new.created_at = "2026-11-02T10:00:00Z".into();
        if is(change, "stale") {
            new.labels.insert(FINGERPRINT.into(), "another".into());
            if let Some(detail) = &mut new.detail {
                detail.config["Env"] = json!(["TZ=elsewhere", "PATH=/bin"]);
            }
        }
        alter(&mut new, change);
        new.name = new.name.replace("OLD", &old.id[..12]);
        list.push(new);
    }
    list
}

fn labels_of(body: &Value) -> BTreeMap<String, String> {
    entries(body, "Labels").map(|(k, v)| (k.clone(), text_of(v))).collect()
}

fn container(
    observed: &Observed,
    then: &Wanted,
    service: &WantedService,
    number: u32,
    known: &BTreeMap<String, String>,
    by_hearth: bool,
) -> Container {
    let request = numbered(service, &then.project, number);
    let reference = text_of(&request.config["Image"]);
    let image = observed.images[&reference].clone();
    let (mut config, host) = request::finalize(&request, known, &image.label_id).unwrap();
    if !by_hearth && let Value::Object(labels) = &mut config["Labels"] {
        labels.shift_remove(FINGERPRINT);
        labels.shift_remove(FILES);
    }
    merge_image(&mut config, &image.config);
    let mut container = Container {
        id: id_of("container", &request.name),
        name: request.name.clone(),
        image: reference,
        image_id: image.id.clone(),
        labels: labels_of(&config),
        state: State::Running,
        created_at: "2026-11-01T10:00:00Z".into(),
        started_at: "2026-11-01T10:00:01Z".into(),
        network_mode: text_of(&host["NetworkMode"]),
        mounts: mounts(&request.name, &host, &image.config),
        ..Container::default()
    };
    for port in &service.service.ports {
        if let Ok(published) = port.published.parse() {
            container.ports.push((port.host_ip.clone(), published, port.protocol.clone()));
        }
    }
    if config.get("Healthcheck").is_some_and(|h| h["Test"][0] != "NONE") {
        container.health = Some(Health::Healthy);
    }
    let mut settings = Map::new();
    for (network, endpoint) in &request.endpoints {
        let attachment = Attachment {
            network_id: id_of("network", network),
            aliases: endpoint.aliases.clone(),
            ip_address: "172.20.0.2".into(),
            mac_address: String::new(),
        };
        container.networks.insert(network.clone(), attachment);
        let ipam = match endpoint.ipv4_address.as_str() {
            "" => Value::Null,
            address => json!({ "IPv4Address": address }),
        };
        settings.insert(
            network.clone(),
            json!({ "Aliases": endpoint.aliases, "IPAMConfig": ipam, "Links": endpoint.links }),
        );
    }
    let network_settings = json!({ "Networks": settings });
    container.detail =
        Some(Detail { config, host_config: engine_defaults(host), network_settings, ..Detail::default() });
    container
}

/// What the Engine takes from the image where the request says nothing.
fn merge_image(config: &mut Value, image: &Value) {
    let Value::Object(config) = config else { return };
    let own = config.get("Env").map(words).unwrap_or_default();
    let names: Vec<String> = own.iter().map(|e| e.split('=').next().unwrap_or_default().to_string()).collect();
    let inherited = words(&image["Env"]).into_iter().filter(|e| !names.iter().any(|n| e.starts_with(&format!("{n}="))));
    let env: Vec<String> = own.iter().filter(|e| e.contains('=')).cloned().chain(inherited).collect();
    config.insert("Env".into(), json!(env));
    let is_empty = |v: Option<&Value>| v.and_then(Value::as_array).is_none_or(Vec::is_empty);
    if is_empty(config.get("Entrypoint")) {
        if is_empty(config.get("Cmd")) {
            config.insert("Cmd".into(), image["Cmd"].clone());
        }
        if !config.contains_key("Entrypoint") {
            config.insert("Entrypoint".into(), image["Entrypoint"].clone());
        }
    }
    for key in ["User", "WorkingDir", "StopSignal", "Healthcheck", "Volumes"] {
        if !config.contains_key(key) && !image[key].is_null() {
            config.insert(key.into(), image[key].clone());
        }
    }
    if let Some(Value::Object(check)) = config.get_mut("Healthcheck") {
        for (key, value) in entries(image, "Healthcheck") {
            check.entry(key.clone()).or_insert(value.clone());
        }
    }
    if let Some(Value::Object(labels)) = config.get_mut("Labels") {
        for (key, value) in entries(image, "Labels") {
            labels.entry(key.clone()).or_insert(value.clone());
        }
    }
    config.entry("Tty").or_insert(json!(false));
    config.entry("OpenStdin").or_insert(json!(false));
    config.entry("Hostname").or_insert(json!(""));
}

fn engine_defaults(host: Value) -> Value {
    let mut all = json!({
        "Binds": null, "Mounts": null, "CapAdd": null, "CapDrop": null, "ShmSize": 67108864, "Runtime": "runc", "IpcMode": "private",
        "CgroupnsMode": "private", "Memory": 0, "MemorySwap": 0, "NanoCpus": 0, "PidsLimit": null, "Privileged": false,
        "LogConfig": {"Type": "json-file", "Config": {}}, "PortBindings": {}, "Ulimits": [], "MaskedPaths": ["/proc/acpi"],
    });
    if let Value::Object(host) = host {
        let memory = host.get("Memory").and_then(Value::as_i64).unwrap_or(0);
        for (key, value) in host {
            all[key] = value;
        }
        if memory > 0 && all["MemorySwap"] == 0 {
            all["MemorySwap"] = json!(memory * 2);
        }
    }
    all
}

fn mounts(name: &str, host: &Value, image: &Value) -> Vec<Mount> {
    let mut list = Vec::new();
    for bind in words(&host["Binds"]) {
        let parts: Vec<&str> = bind.split(':').collect();
        let volume = !parts[0].starts_with('/');
        list.push(Mount {
            kind: if volume { "volume" } else { "bind" }.into(),
            name: if volume { parts[0].into() } else { String::new() },
            source: parts[0].into(),
            destination: parts[1].into(),
            writable: !parts.get(2).is_some_and(|o| o.starts_with("ro")),
        });
    }
    for mount in host["Mounts"].as_array().into_iter().flatten() {
        let kind = text_of(&mount["Type"]);
        let source = mount["Source"]
            .as_str()
            .map_or_else(|| id_of("volume", &format!("{name}{}", mount["Target"])), str::to_string);
        list.push(Mount {
            name: if kind == "volume" { source.clone() } else { String::new() },
            kind,
            source,
            destination: text_of(&mount["Target"]),
            writable: mount["ReadOnly"] != true,
        });
    }
    for (target, _) in entries(image, "Volumes") {
        if !list.iter().any(|m| m.destination == *target) {
            let volume = id_of("volume", &format!("{name}{target}"));
            let mount = Mount {
                kind: "volume".into(),
                name: volume.clone(),
                source: volume,
                destination: target.clone(),
                writable: true,
            };
            list.push(mount);
        }
    }
    list
}

fn networks(observed: &mut Observed, now: &Wanted, world: &Value) {
    for (name, change) in entries(world, "networks") {
        if is(change, "gone") {
            observed.networks.remove(name);
            continue;
        }
        let network = observed.networks.entry(name.clone()).or_insert_with(|| {
            let request = now.networks.values().find(|n| n.name == *name && !n.external);
            let labels = request.map(|r| labels_of(&r.body)).unwrap_or_default();
            Network { id: id_of("network", name), name: name.clone(), labels, ..Network::default() }
        });
        if let Some(id) = change["id"].as_str() {
            network.id = id.into();
        }
        relabel(&mut network.labels, change);
        network.attached = words(&change["attached"]).iter().map(|n| id_of("container", n)).collect();
    }
}

fn volumes(observed: &mut Observed, now: &Wanted, world: &Value) {
    for (name, change) in entries(world, "volumes") {
        if is(change, "gone") {
            observed.volumes.remove(name);
            continue;
        }
        let volume = observed.volumes.entry(name.clone()).or_insert_with(|| {
            let request = now.volumes.values().find(|v| v.name == *name && !v.external);
            let labels = request.map(|r| labels_of(&r.body)).unwrap_or_default();
            Volume { name: name.clone(), labels, ..Volume::default() }
        });
        relabel(&mut volume.labels, change);
    }
}

/// A label of null is taken away; `labels: {}` alone takes all.
fn relabel(labels: &mut BTreeMap<String, String>, change: &Value) {
    if change["labels"].as_object().is_some_and(Map::is_empty) {
        labels.clear();
    }
    for (key, value) in entries(change, "labels") {
        match value {
            Value::Null => labels.remove(key),
            value => labels.insert(key.clone(), text_of(value)),
        };
    }
}

fn containers(observed: &mut Observed, world: &Value) {
    for (name, change) in entries(world, "containers") {
        if let Some(like) = change["like"].as_str() {
            let mut copy = observed.containers.iter().find(|c| c.name == like).expect("a container to be like").clone();
            copy.id = id_of("container", name);
            copy.name = name.clone();
            observed.containers.push(copy);
        }
        if is(change, "gone") {
            observed.containers.retain(|c| c.name != *name);
            continue;
        }
        let container = observed.containers.iter_mut().find(|c| c.name == *name);
        let container = container.unwrap_or_else(|| panic!("there is no container {name}"));
        alter(container, change);
        container.name = container.name.replace("OLD", &container.id[..12]);
    }
    if world["inspect"] == false {
        observed.containers.iter_mut().for_each(no_inspect);
    }
    // Images that are gone are needed until here.
    let gone: Vec<&String> = entries(world, "images").filter(|(_, c)| is(c, "gone")).map(|(name, _)| name).collect();
    observed.images.retain(|name, _| !gone.contains(&name));
    // A tag that moved: containers of before keep what they came from.
    for (name, change) in entries(world, "images") {
        if let (Some(to), Some(image)) = (change["moved"].as_str(), observed.images.get_mut(name)) {
            (image.id, image.label_id) = (to.into(), to.into());
        }
    }
}

fn no_inspect(container: &mut Container) {
    container.detail = None;
    container.networks.values_mut().for_each(|n| n.aliases.clear());
}

fn alter(container: &mut Container, change: &Value) {
    if let Some(state) = change["state"].as_str() {
        container.state = serde_json::from_value(json!(state)).expect("a state");
        if !matches!(container.state, State::Running | State::Paused | State::Restarting) {
            container.health = None;
            container.ports.clear();
        }
    }
    if let Some(code) = change["exit"].as_i64() {
        container.exit_code = code;
    }
    match &change["health"] {
        Value::String(health) if health == "none" => container.health = None,
        Value::String(health) => container.health = Some(serde_json::from_value(json!(health)).expect("a health")),
        _ => {}
    }
    let texts = [
        ("id", &mut container.id),
        ("name", &mut container.name),
        ("image", &mut container.image_id),
        ("created", &mut container.created_at),
        ("network-mode", &mut container.network_mode),
    ];
    for (key, field) in texts {
        if let Some(text) = change[key].as_str() {
            *field = text.into();
        }
    }
    relabel(&mut container.labels, change);
    for (network, to) in entries(change, "networks") {
        if to.is_null() {
            container.networks.remove(network);
            continue;
        }
        let attachment = container.networks.entry(network.clone()).or_default();
        if let Some(id) = to["id"].as_str() {
            attachment.network_id = id.into();
        }
        if !to["aliases"].is_null() {
            attachment.aliases = words(&to["aliases"]);
        }
    }
    if let Some(detail) = &mut container.detail {
        for (key, value) in entries(change, "host") {
            detail.host_config[key] = value.clone();
        }
        for (key, value) in entries(change, "config") {
            detail.config[key] = value.clone();
        }
    }
    if change["inspect"] == false {
        no_inspect(container);
    }
}

fn port_of(text: &str) -> (String, u16, String) {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (ip, port) = rest.rsplit_once(':').unwrap_or(("", rest));
    (ip.into(), port.parse().expect("a port"), protocol.into())
}

fn surroundings(observed: &mut Observed, world: &Value) {
    for foreign in world["foreign"].as_array().into_iter().flatten() {
        let name = text_of(&foreign["name"]);
        observed.foreign.push(Foreign {
            id: id_of("container", &name),
            name,
            image: text_of(&foreign["image"]),
            project: foreign["project"].as_str().map(str::to_string),
            service: foreign["service"].as_str().map(str::to_string),
            running: foreign["running"].as_bool().unwrap_or(true),
            ready: foreign["running"].as_bool().unwrap_or(true),
            ports: words(&foreign["ports"]).iter().map(|p| port_of(p)).collect(),
            volumes: words(&foreign["volumes"]),
            networks: words(&foreign["networks"]),
            serves: foreign["serves"].as_str().map(str::to_string),
        });
    }
    observed.host.taken_ports = words(&world["host"]["ports"]).iter().map(|p| port_of(p)).collect();
    observed.host.missing_paths = words(&world["host"]["missing"]).into_iter().collect();
    observed.subnets = entries(world, "subnets").map(|(subnet, name)| (subnet.clone(), text_of(name))).collect();
}
