//! What a container may do to its machine. Whoever runs programs in one with the engine's socket, or with the machine's own folders or
//! namespaces, is root on the machine: that is for admins. Judged is what the engine says of the container, not what a file says.
//!
//! A folder of the home that is bound is harmless only as long as nobody can lay a link in its place: the engine follows it at the next start, and
//! the machine's root is in the container. Three things must hold, and what cannot be found out counts against it:
//! - The kernel has mounted in the container what is at that place now ([`mounts`]): a link that was there at the start and is gone is seen.
//!   Where that cannot be seen, as when Hearth is in a container itself, every bind counts, since links cannot be judged there either.
//! - It lies below no other folder that a container can write to. Else a link could be laid and the container begin anew between the look and the
//!   program's start.
//! - Nothing that any container or stack binds lies below it, where it can be written to. Else whoever is in it lays the link for another service,
//!   begins that one, and its application shows them the machine without any program being run in it.

mod mounts;

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::compose::short::volume::clean;
use crate::engine::docker;
use crate::plan::observed::{Container, Mount, Observed, SERVER};
use crate::plan::request::{PROJECT, SERVICE};
use crate::spec::{Mode, front};

use super::home::Home;
pub use mounts::Mounts;

/// What of a home no service has: keys, passwords, and what says what will run.
const KEPT: [&str; 6] = ["state", "ca", "stacks", "compose", "compose.yaml", "hearth.yaml"];
/// Files of the machine that may be shown, read-only: they tell the time.
const CLOCKS: [&str; 3] = ["/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"];
/// What engines listen on.
const SOCKETS: [&str; 3] = ["docker.sock", "podman.sock", "containerd.sock"];

/// Whether a container is Hearth's own: gate, Traefik, or the panel itself. Nobody enters these from afar.
pub fn is_hearths(container: &Container, home: &Home) -> bool {
    let label = |name: &str| container.labels.get(name).map(String::as_str);
    let core = home.config.mode == Mode::Domain
        && label(PROJECT) == Some(home.config.name.as_str())
        && matches!(label(SERVICE), Some(front::TRAEFIK | front::GATE));
    core || docker::inside() == Some(container.id.as_str())
        || label(SERVER).is_some()
        || variable(container, front::GATE_PROJECT)
        || container.mounts.iter().any(|m| m.destination == front::CERTIFICATES)
}

fn variable(container: &Container, name: &str) -> bool {
    let all = container.detail.as_ref().and_then(|detail| detail.config["Env"].as_array());
    all.into_iter().flatten().filter_map(Value::as_str).any(|one| one.split('=').next() == Some(name))
}

/// What a container's binds are judged by.
pub struct Around<'a> {
    /// The containers of every project of the engine, the judged one too.
    pub containers: &'a [Container],
    /// Sources of the binds of all stacks, those that are off too; `None` where the stacks cannot be read.
    pub named: Option<&'a [String]>,
    /// What the kernel has mounted in it; `None` where that cannot be seen.
    pub mounts: Option<Mounts>,
    /// Where a path leads at last; `None` where that cannot be found out.
    pub real: &'a dyn Fn(&Path) -> Option<PathBuf>,
}

/// Why whoever is root in the container is more than that, in words for people; `None`: they are not. `container` as inspected; `seen`: a look at its
/// project and at the volumes that containers mount.
pub fn over(container: &Container, seen: &Observed, home: &Home, around: &Around) -> Option<String> {
    let Some(detail) = &container.detail else { return Some("the engine does not say what it may".into()) };
    let host = &detail.host_config;
    let some = |value: &Value| value.as_array().is_some_and(|all| !all.is_empty());
    if host["Privileged"].as_bool().unwrap_or(false) {
        return Some("it is privileged".into());
    }
    for (key, what) in [("PidMode", "processes"), ("IpcMode", "memory"), ("UTSMode", "name"), ("UsernsMode", "users")] {
        match host[key].as_str().unwrap_or_default() {
            "host" => return Some(format!("it has the machine's own {what} ({key}: host)")),
            other if other.starts_with("container:") => {
                return Some(format!("it has the {what} of another container ({key})"));
            }
            _ => {}
        }
    }
    if let Some(why) = network(container, seen, home) {
        return Some(why);
    }
    if some(&host["CapAdd"]) {
        return Some("it has capabilities that others have not (cap_add)".into());
    }
    for key in ["Devices", "DeviceRequests", "DeviceCgroupRules"] {
        if some(&host[key]) {
            return Some(format!("it has devices of the machine ({key})"));
        }
    }
    let options = host["SecurityOpt"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(option) = options.into_iter().find(|option| loosens(option)) {
        let name = option.split(['=', ':']).next().unwrap_or_default();
        return Some(format!("what keeps it apart from the machine is loosened (security_opt: {name})"));
    }
    if host["MaskedPaths"].as_array().is_some_and(Vec::is_empty) {
        return Some("it sees what the engine hides of the machine (systempaths)".into());
    }
    if variable(container, "DOCKER_HOST") {
        return Some("it speaks to an engine (DOCKER_HOST)".into());
    }
    container.mounts.iter().find_map(|mount| mounted(mount, seen, home, around))
}

/// Whether an option takes protection away, or brings its own in place of the engine's.
fn loosens(option: &str) -> bool {
    let (name, value) = option.split_once(['=', ':']).unwrap_or((option, ""));
    match name {
        "no-new-privileges" => false,
        "seccomp" => value != "builtin",
        "apparmor" => value != "docker-default",
        // For SELinux a type or level may be given; `disable` is none.
        "label" => value.contains("disable") || value.contains("spc_t"),
        _ => true,
    }
}

fn network(container: &Container, seen: &Observed, home: &Home) -> Option<String> {
    let mut at = container;
    // What shares with what shares: more than a few is a ring.
    for _ in 0..8 {
        match at.network_mode.as_str() {
            "host" => return Some("it is on the machine's own network (network_mode: host)".into()),
            mode => match mode.strip_prefix("container:") {
                None => return None,
                Some(id) => match seen.containers.iter().find(|c| c.id == id) {
                    Some(next) if !is_hearths(next, home) => at = next,
                    _ => return Some("it shares the network of a container that is not its project's".into()),
                },
            },
        }
    }
    Some("it cannot be told whose network it has".into())
}

fn mounted(mount: &Mount, seen: &Observed, home: &Home, around: &Around) -> Option<String> {
    let shown = match mount.kind.as_str() {
        "bind" | "volume" => match source(mount, seen) {
            Some("") => return None,
            Some(shown) => shown,
            None => return Some(format!("it cannot be told what the volume {} is", mount.name)),
        },
        "tmpfs" | "image" => return None,
        other => return Some(format!("it has a mount of a kind that is not known ({other})")),
    };
    let cleaned = clean(shown);
    let clock = CLOCKS.iter().any(|clock| Path::new(&cleaned).starts_with(clock));
    if clock && mount.kind == "bind" && !mount.writable {
        return None;
    }
    let at = &mount.destination;
    let path = (around.real)(Path::new(shown)).unwrap_or_default();
    let socket = path.file_name().is_some_and(|name| SOCKETS.iter().any(|socket| name == *socket));
    let root = (around.real)(&home.dir).unwrap_or_default();
    match path.strip_prefix(&root) {
        Ok(below) if !socket && !root.as_os_str().is_empty() && is_free(below) => {}
        _ => return Some(format!("{shown} of the machine is in it, at {at}")),
    }
    let places = Places { home: &home.dir, root: &root, real: around.real };
    if places.of(shown).iter().any(|place| *place != path) {
        return Some(format!("{shown}, at {at}, goes through a link"));
    }
    match &around.mounts {
        None => return Some(format!("it cannot be seen from here what is mounted at {at}")),
        Some(mounts) if !mounts.shows(&path, Path::new(at)) => {
            return Some(format!("at {at} it has not what is at {shown} now; after a restart it may"));
        }
        Some(_) => {}
    }
    let below = |inner: &str, outer: &str| {
        let (inner, outer) = (places.of(inner), places.of(outer));
        inner.iter().any(|inner| outer.iter().any(|outer| inner != outer && inner.starts_with(outer)))
    };
    let binds = around.containers.iter().filter(|c| !is_hearths(c, home)).flat_map(|c| {
        let of = move |m| Some((c.name.as_str(), source(m, seen).filter(|s| !s.is_empty())?, m.writable));
        c.mounts.iter().filter_map(of)
    });
    for (name, other, writable) in binds {
        if writable && below(shown, other) {
            return Some(format!("a link can be laid in place of {shown} from within {name}, which has {other}"));
        }
        if mount.writable && below(other, shown) {
            return Some(format!("a link can be laid from within it in place of {other}, which {name} has"));
        }
    }
    if !mount.writable {
        return None;
    }
    let Some(named) = around.named else {
        return Some(format!("{shown} is in it, and the stacks cannot be read that may bind what is below"));
    };
    let other = named.iter().find(|other| below(other, shown))?;
    Some(format!("a link can be laid from within it in place of {other}, which a stack binds"))
}

/// The path of the machine that a mount shows, as the engine was told: empty for none, `None` where it cannot be told.
fn source<'a>(mount: &'a Mount, seen: &'a Observed) -> Option<&'a str> {
    match mount.kind.as_str() {
        "bind" => Some(&mount.source),
        "volume" => seen.volumes.get(&mount.name).map(|volume| volume.of_machine.as_str()),
        _ => Some(""),
    }
}

/// Where paths of the machine are: as written, with the home at its real place, and as they lead now.
struct Places<'a> {
    home: &'a Path,
    root: &'a Path,
    real: &'a dyn Fn(&Path) -> Option<PathBuf>,
}

impl Places<'_> {
    fn of(&self, source: &str) -> Vec<PathBuf> {
        let written = PathBuf::from(clean(source));
        let written = written.strip_prefix(self.home).map(|rest| self.root.join(rest)).unwrap_or(written.clone());
        std::iter::once(written).chain((self.real)(Path::new(source))).collect()
    }
}

/// Whether a path below a home is one of its services' folders.
fn is_free(below: &Path) -> bool {
    let Some(Component::Normal(first)) = below.components().next() else { return false };
    let first = first.to_string_lossy();
    !first.starts_with('.') && !KEPT.contains(&first.as_ref())
}

/// Where a path of this machine leads: through every link that is in it. What is not there leads nowhere.
pub fn real(path: &Path) -> Option<PathBuf> {
    path.is_absolute().then(|| path.canonicalize().ok())?
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use std::slice::from_ref;

    use super::*;
    use crate::plan::observed::{Detail, Volume};

    fn home() -> Home {
        let text = "name: lab\nmode: domain\n";
        let (mut sources, mut told) = (crate::diag::Sources::default(), crate::diag::Diagnostics::default());
        let file = sources.add("hearth.yaml", text);
        let config = crate::config::parse(file, &sources, &mut told).unwrap();
        Home { dir: "/srv/home".into(), config }
    }

    fn plain() -> Container {
        let labels = [(PROJECT, "lab"), (SERVICE, "web")];
        Container {
            id: "c1".into(),
            labels: labels.map(|(name, value)| (name.to_string(), value.to_string())).into(),
            network_mode: "lab_web".into(),
            mounts: vec![bind("/srv/home/data/web", true), bind("/etc/localtime", false), volume("plain")],
            detail: Some(Detail {
                config: json!({ "Env": ["TZ=UTC"] }),
                host_config: json!({ "Privileged": false, "PidMode": "", "IpcMode": "private", "CapAdd": null, "Devices": [],
                    "SecurityOpt": ["no-new-privileges:true"], "MaskedPaths": ["/proc/kcore"] }),
                ..Detail::default()
            }),
            ..Container::default()
        }
    }

    fn bind(source: &str, writable: bool) -> Mount {
        let (kind, destination) = ("bind".into(), format!("/x{source}"));
        Mount { kind, source: source.into(), destination, writable, ..Mount::default() }
    }

    fn volume(name: &str) -> Mount {
        Mount {
            kind: "volume".into(),
            name: name.into(),
            destination: format!("/v/{name}"),
            writable: true,
            ..Mount::default()
        }
    }

    fn seen() -> Observed {
        let volume = |name: &str, options: Value| {
            (name.to_string(), Volume { name: name.into(), of_machine: Volume::shows(&options), ..Volume::default() })
        };
        let other = Container { id: "c2".into(), network_mode: "lab_web".into(), ..plain() };
        let outside = Container { id: "c3".into(), network_mode: "host".into(), ..plain() };
        let mut gate = Container { id: "c4".into(), ..plain() };
        gate.labels.insert(SERVICE.into(), "gate".into());
        Observed {
            containers: vec![other, outside, gate],
            volumes: BTreeMap::from([
                volume("plain", Value::Null),
                volume("far", json!({ "type": "nfs", "device": ":/films", "o": "addr=10.0.0.2" })),
                volume("trick", json!({ "type": "none", "device": "/", "o": "bind" })),
                volume("hidden", json!({ "type": "nfs", "device": "/etc", "o": "rw,rbind" })),
                volume("layers", json!({ "type": "overlay", "device": "overlay", "o": "lowerdir=/" })),
                volume("disk", json!({ "type": "ext4", "device": "/dev/sda1" })),
                volume("own", json!({ "type": "none", "device": "/srv/home/data", "o": "bind" })),
            ]),
            ..Observed::default()
        }
    }

    /// Links: `/srv/home/link` leads to `/`.
    fn real(path: &Path) -> Option<PathBuf> {
        match path.strip_prefix("/srv/home/link") {
            Ok(rest) => Some(Path::new("/").join(rest)),
            Err(_) => Some(clean(&path.to_string_lossy()).into()),
        }
    }

    /// As the kernel tells it when nobody has laid a link.
    fn honest(container: &Container) -> Mounts {
        let line = |m: &Mount| {
            let shown = seen();
            let from = source(m, &shown).unwrap_or_default().to_string();
            format!("9 7 8:1 {from} {} rw - ext4 /dev/sda1 rw\n", m.destination)
        };
        Mounts::parse("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n", &container.mounts.iter().map(line).collect::<String>())
    }

    fn among(container: &Container, others: &[Container], named: &[&str], mounts: Option<Mounts>) -> Option<String> {
        let containers: Vec<Container> = others.iter().chain([container]).cloned().collect();
        let named: Vec<String> = named.iter().map(|name| name.to_string()).collect();
        over(container, &seen(), &home(), &Around { containers: &containers, named: Some(&named), mounts, real: &real })
    }

    fn why(container: &Container) -> Option<String> {
        among(container, &[], &["/srv/home/data/web", "/srv/home/data/db"], Some(honest(container)))
    }

    #[test]
    fn a_service_that_has_nothing_of_the_machine_has_no_power_over_it() {
        assert_eq!(why(&plain()), None);
        let mut shares = plain();
        shares.network_mode = "container:c2".into();
        shares.mounts = vec![volume("far"), bind("/srv/home/media", true)];
        assert_eq!(why(&shares), None);
        shares.mounts = vec![volume("own")];
        assert_eq!(among(&shares, &[], &["/srv/home/data"], Some(honest(&shares))), None);
    }

    #[test]
    fn hostile_14_no_link_is_laid_in_place_of_a_folder_that_is_bound() {
        let with = |mounts: Vec<Mount>| Container { mounts, name: "one".into(), ..plain() };
        let (inner, outer) = (with(vec![bind("/srv/home/data/app/config", false)]), bind("/srv/home/data/app", true));
        assert_eq!(among(&inner, &[], &["/srv/home/data/app/config"], Some(honest(&inner))), None);
        // What was mounted through a link that is gone, and what cannot be seen.
        let line = |root: &str| {
            let at = &inner.mounts[0].destination;
            Mounts::parse("1 0 8:1 / / rw - ext4 x rw\n", &format!("9 7 8:1 {root} {at} rw - ext4 x rw\n"))
        };
        for root in ["/", "/root", "/srv/home/state", "/srv/home/data/app", "/srv/home/data/app/config//deleted"] {
            assert!(among(&inner, &[], &[], Some(line(root))).is_some(), "{root}");
        }
        assert!(among(&inner, &[], &[], None).is_some(), "what cannot be seen is not trusted");
        assert_eq!(among(&with(vec![bind("/etc/localtime", false), volume("plain")]), &[], &[], None), None);
        // Whoever could lay one: in the same container, from another, by a volume; and for another, that runs or that a stack names.
        let other = with(vec![outer.clone()]);
        assert!(why(&with(vec![inner.mounts[0].clone(), outer])).is_some());
        assert!(among(&inner, from_ref(&other), &[], Some(honest(&inner))).is_some());
        assert!(among(&inner, &[with(vec![volume("own")])], &[], Some(honest(&inner))).is_some());
        assert!(among(&other, from_ref(&inner), &[], Some(honest(&other))).is_some());
        assert!(among(&other, &[], &["/srv/home/data/app/new"], Some(honest(&other))).is_some());
        assert!(why(&with(vec![bind("/srv/home/data", true)])).is_some());
        // Who only reads lays none.
        let reads = with(vec![bind("/srv/home/data/app", false)]);
        assert_eq!(among(&inner, from_ref(&reads), &[], Some(honest(&inner))), None);
        assert_eq!(among(&reads, from_ref(&inner), &["/srv/home/data/app/new"], Some(honest(&reads))), None);
        // Nor does Hearth's own server, which nobody enters.
        let mut server = with(vec![bind("/srv/home", true)]);
        server.labels.insert(SERVER.into(), "/srv/home".into());
        assert_eq!(among(&inner, &[server], &[], Some(honest(&inner))), None);
    }

    #[test]
    fn hostile_14_every_way_from_a_container_to_its_machine_is_known() {
        for (key, value) in [
            ("Privileged", json!(true)),
            ("PidMode", json!("host")),
            ("PidMode", json!("container:c2")),
            ("IpcMode", json!("host")),
            ("IpcMode", json!("container:c2")),
            ("UTSMode", json!("host")),
            ("UsernsMode", json!("host")),
            ("CapAdd", json!(["NET_ADMIN"])),
            ("Devices", json!([{ "PathOnHost": "/dev/sda" }])),
            ("DeviceRequests", json!([{ "Driver": "nvidia" }])),
            ("DeviceCgroupRules", json!(["a *:* rwm"])),
            ("SecurityOpt", json!(["seccomp=unconfined"])),
            ("SecurityOpt", json!(["no-new-privileges:true", "apparmor:unconfined"])),
            ("SecurityOpt", json!(["label=disable"])),
            ("SecurityOpt", json!(["systempaths=unconfined"])),
            ("MaskedPaths", json!([])),
        ] {
            let mut one = plain();
            one.detail.as_mut().unwrap().host_config[key] = value.clone();
            assert!(why(&one).is_some(), "{key}: {value}");
        }
        for mount in [
            bind("/", false),
            bind("/etc", false),
            bind("/etc/localtime", true),
            bind("/etc/localtime/../shadow", false),
            bind("/var/run/docker.sock", false),
            bind("/run", true),
            bind("/srv", true),
            bind("/srv/home", true),
            bind("/srv/home-of-another", true),
            bind("/srv/home/state/hearth.db", false),
            bind("/srv/home/stacks", true),
            bind("/srv/home/.env", false),
            bind("/srv/home/data/../../../etc", true),
            bind("/srv/home/link", true),
            bind("/srv/home/link/etc", true),
            bind("/srv/home/data/docker.sock", true),
            volume("trick"),
            volume("hidden"),
            volume("layers"),
            volume("disk"),
            volume("nobody-knows"),
            Mount { kind: "npipe".into(), ..Mount::default() },
        ] {
            let one = Container { mounts: vec![mount.clone()], ..plain() };
            assert!(why(&one).is_some(), "{mount:?}");
        }
        for mode in ["host", "container:c3", "container:c4", "container:unknown"] {
            let one = Container { network_mode: mode.into(), ..plain() };
            assert!(why(&one).is_some(), "{mode}");
        }
        let mut speaks = plain();
        speaks.detail.as_mut().unwrap().config["Env"] = json!(["DOCKER_HOST=tcp://socket-proxy:2375"]);
        assert!(why(&speaks).is_some());
        assert!(why(&Container { detail: None, ..plain() }).is_some(), "what is not known is not trusted");
    }

    #[test]
    fn hearths_own_containers_are_known_in_every_project() {
        let home = home();
        assert!(!is_hearths(&plain(), &home));
        for name in ["gate", "traefik"] {
            let mut one = plain();
            one.labels.insert(SERVICE.into(), name.into());
            assert!(is_hearths(&one, &home), "{name}");
            one.labels.insert(PROJECT.into(), "adopted".into());
            assert!(!is_hearths(&one, &home), "another project may call a service so");
        }
        let mut gate = plain();
        gate.labels.insert(PROJECT.into(), "another-home".into());
        gate.detail.as_mut().unwrap().config["Env"] = json!(["HEARTH_GATE_PROJECT=another-home"]);
        assert!(is_hearths(&gate, &home));
        let mut server = plain();
        server.labels.insert(SERVER.into(), "/srv/home".into());
        assert!(is_hearths(&server, &home));
        let mut traefik = plain();
        traefik.mounts[0].destination = front::CERTIFICATES.into();
        assert!(is_hearths(&traefik, &home));
    }
}
