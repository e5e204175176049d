//! `HostConfig`: mounts, ports, limits, rights.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::value::{is_nothing, same, shown, sorted_words, words};
use super::{Drift, Found};
use crate::base::units;
use crate::plan::FieldChange;
use crate::plan::wanted::Update;

/// How two values of a field compare.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Bytes,
    /// Billionths of a processor.
    Nano,
    /// The order of a list means nothing.
    Set,
    /// The Engine has a default of its own: only a wanted value can differ.
    Silent,
}

/// `(Engine field, name in a stack, how it compares)`.
const FIELDS: [(&str, &str, Kind); 52] = [
    ("Annotations", "annotations", Kind::Plain),
    ("BlkioDeviceReadBps", "blkio_config device_read_bps", Kind::Plain),
    ("BlkioDeviceReadIOps", "blkio_config device_read_iops", Kind::Plain),
    ("BlkioDeviceWriteBps", "blkio_config device_write_bps", Kind::Plain),
    ("BlkioDeviceWriteIOps", "blkio_config device_write_iops", Kind::Plain),
    ("BlkioWeight", "blkio_config weight", Kind::Plain),
    ("BlkioWeightDevice", "blkio_config weight_device", Kind::Plain),
    ("CgroupParent", "cgroup_parent", Kind::Plain),
    ("CgroupnsMode", "cgroup", Kind::Silent),
    ("CpuCount", "cpu_count", Kind::Plain),
    ("CpuPercent", "cpu_percent", Kind::Plain),
    ("CpuPeriod", "cpu_period", Kind::Plain),
    ("CpuQuota", "cpu_quota", Kind::Plain),
    ("CpuRealtimePeriod", "cpu_rt_period", Kind::Plain),
    ("CpuRealtimeRuntime", "cpu_rt_runtime", Kind::Plain),
    ("CpuShares", "cpu_shares", Kind::Plain),
    ("CpusetCpus", "cpuset", Kind::Plain),
    ("CpusetMems", "cpuset mems", Kind::Plain),
    ("DeviceCgroupRules", "device_cgroup_rules", Kind::Set),
    ("DeviceRequests", "gpus and devices", Kind::Plain),
    ("Dns", "dns", Kind::Plain),
    ("DnsOptions", "dns_opt", Kind::Plain),
    ("DnsSearch", "dns_search", Kind::Plain),
    ("ExtraHosts", "extra_hosts", Kind::Set),
    ("GroupAdd", "group_add", Kind::Set),
    ("Init", "init", Kind::Silent),
    ("Isolation", "isolation", Kind::Silent),
    ("LogConfig", "logging", Kind::Silent),
    ("MaskedPaths", "security_opt systempaths", Kind::Silent),
    ("Memory", "limits memory", Kind::Bytes),
    ("MemoryReservation", "mem_reservation", Kind::Bytes),
    ("MemorySwap", "memswap_limit", Kind::Bytes),
    ("MemorySwappiness", "mem_swappiness", Kind::Silent),
    ("NanoCpus", "limits cpus", Kind::Nano),
    ("OomKillDisable", "oom_kill_disable", Kind::Plain),
    ("OomScoreAdj", "oom_score_adj", Kind::Plain),
    ("PidMode", "pid", Kind::Plain),
    ("PidsLimit", "limits pids", Kind::Plain),
    ("Privileged", "privileged", Kind::Plain),
    ("ReadonlyPaths", "security_opt systempaths (read-only)", Kind::Silent),
    ("ReadonlyRootfs", "read_only", Kind::Plain),
    ("Runtime", "runtime", Kind::Silent),
    ("ShmSize", "shm_size", Kind::Bytes),
    ("StorageOpt", "storage_opt", Kind::Plain),
    ("Sysctls", "sysctls", Kind::Plain),
    ("Tmpfs", "tmpfs", Kind::Plain),
    ("UTSMode", "uts", Kind::Plain),
    ("Ulimits", "ulimits", Kind::Set),
    ("UsernsMode", "userns_mode", Kind::Silent),
    ("VolumeDriver", "volume_driver", Kind::Plain),
    ("VolumesFrom", "volumes_from", Kind::Set),
    ("IpcMode", "ipc", Kind::Silent),
];

/// What the Engine can change on a living container.
const UPDATABLE: [&str; 13] = [
    "Memory",
    "MemorySwap",
    "MemoryReservation",
    "NanoCpus",
    "CpuShares",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpusetCpus",
    "CpusetMems",
    "PidsLimit",
    "BlkioWeight",
];

/// An Engine field as a person would write it in the stack.
pub fn field_name(key: &str) -> String {
    match FIELDS.iter().find(|(field, ..)| *field == key) {
        Some((_, name, _)) => (*name).into(),
        None if key == "RestartPolicy" => "restart".into(),
        None => key.into(),
    }
}

pub(super) fn compare(wanted: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    for (key, name, kind) in FIELDS {
        if !is_equal(key, kind, wanted, actual) {
            found.add(name, in_words(kind, &actual[key]), in_words(kind, &wanted[key]));
        }
    }
    restart(wanted, actual, &mut |from, to| found.add("restart", from, to));
    network_mode(wanted, actual, found);
    rights(wanted, actual, found);
    devices(wanted, actual, found);
    ports(wanted, actual, found);
    mounts(wanted, actual, image, found);
}

fn is_equal(key: &str, kind: Kind, wanted: &Value, actual: &Value) -> bool {
    let (to, from) = (&wanted[key], &actual[key]);
    if is_nothing(to) && !to.is_array() {
        match (key, kind) {
            // The namespace of the host or of another container is no engine's default.
            ("IpcMode" | "UsernsMode", _) => {
                return from.as_str().is_none_or(|mode| mode != "host" && !mode.starts_with("container:"));
            }
            (_, Kind::Silent) => return true,
            // Twice the memory limit, unless said otherwise; -1 is no limit.
            ("MemorySwap", _) => {
                let limit = actual["Memory"].as_i64().unwrap_or(0);
                return is_nothing(from) || from == -1 || from.as_i64() == Some(limit.saturating_mul(2));
            }
            ("ShmSize", _) => return is_nothing(from) || from == 67_108_864,
            ("PidsLimit", _) => return is_nothing(from) || from == -1,
            _ => {}
        }
    }
    match kind {
        Kind::Set => {
            let sort = |v: &Value| {
                let mut items: Vec<String> = v.as_array().into_iter().flatten().map(Value::to_string).collect();
                items.sort();
                items
            };
            sort(to) == sort(from)
        }
        _ => same(to, from),
    }
}

fn in_words(kind: Kind, value: &Value) -> Option<String> {
    match (kind, value.as_i64()) {
        (Kind::Bytes, Some(n)) if n > 0 => Some(units::bytes(n as u64)),
        (Kind::Nano, Some(n)) if n > 0 => Some(format!("{}", n as f64 / 1e9)),
        _ => shown(value),
    }
}

fn restart(wanted: &Value, actual: &Value, add: &mut dyn FnMut(Option<String>, Option<String>)) {
    let said = |v: &Value| {
        let policy = &v["RestartPolicy"];
        let name = policy["Name"].as_str().filter(|n| !n.is_empty()).unwrap_or("no");
        match policy["MaximumRetryCount"].as_i64().unwrap_or(0) {
            n if n > 0 && name == "on-failure" => format!("{name}:{n}"),
            _ => name.to_string(),
        }
    };
    let (from, to) = (said(actual), said(wanted));
    if from != to {
        add(Some(from), Some(to));
    }
}

/// `default` and `bridge` are one; a reference that is not filled in cannot be compared.
fn network_mode(wanted: &Value, actual: &Value, found: &mut Found) {
    let plain = |v: &Value| match v["NetworkMode"].as_str().unwrap_or_default() {
        "" | "bridge" => "default".to_string(),
        mode => mode.into(),
    };
    let (from, to) = (plain(actual), plain(wanted));
    if !to.starts_with("service:") {
        found.text("network_mode", &from, &to);
    }
}

/// The Engine writes capabilities in several ways, and adds an option to privileged containers.
fn rights(wanted: &Value, actual: &Value, found: &mut Found) {
    let capabilities = |v: &Value| -> BTreeSet<String> {
        let plain = |c: &str| c.to_uppercase().trim_start_matches("CAP_").to_string();
        words(v).into_iter().map(plain).collect()
    };
    for (key, name) in [("CapAdd", "cap_add"), ("CapDrop", "cap_drop")] {
        let (from, to) = (capabilities(&actual[key]), capabilities(&wanted[key]));
        if from != to {
            let joined = |set: BTreeSet<String>| Some(set.into_iter().collect::<Vec<_>>().join(" "));
            found.add(name, joined(from).filter(|s| !s.is_empty()), joined(to).filter(|s| !s.is_empty()));
        }
    }
    let options = |v: &Value| -> Vec<String> {
        let own = |o: &&str| !(v["Privileged"] == true && *o == "label=disable");
        sorted_words(&v["SecurityOpt"]).into_iter().filter(own).map(|o| o.replacen(':', "=", 1)).collect()
    };
    let (from, to) = (options(actual), options(wanted));
    if from != to {
        let said = |list: Vec<String>| {
            // A seccomp profile is a page of JSON.
            let short = list.iter().map(|o| if o.starts_with("seccomp={") { "seccomp=(profile)" } else { o });
            Some(short.collect::<Vec<_>>().join(" ")).filter(|s| !s.is_empty())
        };
        found.add("security_opt", said(from), said(to));
    }
}

fn devices(wanted: &Value, actual: &Value, found: &mut Found) {
    let list = |v: &Value| -> BTreeSet<String> {
        let one = |d: &Value| {
            let of = |key: &str| d[key].as_str().filter(|s| !s.is_empty());
            let host = of("PathOnHost").unwrap_or_default();
            format!("{host}:{}:{}", of("PathInContainer").unwrap_or(host), of("CgroupPermissions").unwrap_or("rwm"))
        };
        v["Devices"].as_array().into_iter().flatten().map(one).collect()
    };
    let (from, to) = (list(actual), list(wanted));
    for device in from.symmetric_difference(&to) {
        let was = from.contains(device);
        found.add("devices", was.then(|| device.clone()), (!was).then(|| device.clone()));
    }
}

fn ports(wanted: &Value, actual: &Value, found: &mut Found) {
    let by_port = |v: &Value| -> BTreeMap<String, BTreeSet<String>> {
        let one =
            |b: &Value| match (b["HostIp"].as_str().unwrap_or_default(), b["HostPort"].as_str().unwrap_or_default()) {
                ("", "") => "any host port".to_string(),
                ("", port) => port.into(),
                (ip, "") => format!("{ip}, any host port"),
                (ip, port) => format!("{ip}:{port}"),
            };
        let ports = v["PortBindings"].as_object().into_iter().flatten();
        let all = ports.map(|(k, list)| (k.clone(), list.as_array().into_iter().flatten().map(one).collect()));
        all.filter(|(_, list): &(_, BTreeSet<String>)| !list.is_empty()).collect()
    };
    let (from, to) = (by_port(actual), by_port(wanted));
    let joined = |set: Option<&BTreeSet<String>>| set.map(|s| s.iter().cloned().collect::<Vec<_>>().join(" "));
    for port in from.keys().chain(to.keys()).collect::<BTreeSet<_>>() {
        if from.get(port) != to.get(port) {
            found.add(format!("port {port}"), joined(from.get(port)), joined(to.get(port)));
        }
    }
}

/// What is mounted where, however it was asked for: `Binds` and `Mounts` are two ways to say the same.
fn mounts(wanted: &Value, actual: &Value, image: Option<&Value>, found: &mut Found) {
    let (from, to) = (mounted(actual), mounted(wanted));
    for target in from.keys().chain(to.keys()).collect::<BTreeSet<_>>() {
        let (was, will) = (from.get(target), to.get(target));
        match (was, will) {
            // A volume that the Engine named, or that moved over from an earlier container.
            (Some(was), Some(will)) if will.is_anonymous() && was.kind == "volume" => {}
            (Some(was), None) if is_from_image(was, target, image) => {}
            (None, Some(will)) if will.is_anonymous() => {}
            (was, will) if was == will => {}
            (was, will) => found.add(format!("volumes {target}"), was.map(Mounted::said), will.map(Mounted::said)),
        }
    }
}

fn is_from_image(mount: &Mounted, target: &str, image: Option<&Value>) -> bool {
    let by_engine =
        mount.kind == "volume" && mount.source.len() == 64 && mount.source.bytes().all(|b| b.is_ascii_hexdigit());
    match image {
        Some(image) => mount.kind == "volume" && image["Volumes"].get(target).is_some(),
        None => by_engine,
    }
}

#[derive(PartialEq)]
struct Mounted {
    kind: String,
    source: String,
    /// Everything but the defaults, sorted.
    options: Vec<String>,
}

impl Mounted {
    fn is_anonymous(&self) -> bool {
        self.kind == "volume" && self.source.is_empty()
    }
    fn said(&self) -> String {
        let mut text = match self.source.as_str() {
            "" => self.kind.clone(),
            source => format!("{} {source}", self.kind),
        };
        for option in &self.options {
            text.push_str(", ");
            text.push_str(option);
        }
        text
    }
}

fn mounted(host: &Value) -> BTreeMap<String, Mounted> {
    let mut all = BTreeMap::new();
    for bind in words(&host["Binds"]) {
        let mut parts = bind.split(':');
        let (Some(source), Some(target)) = (parts.next(), parts.next()) else { continue };
        let options = parts.next().unwrap_or_default().split(',');
        let mut options: Vec<String> =
            options.filter(|o| !matches!(*o, "" | "rw" | "rprivate")).map(str::to_string).collect();
        options.sort();
        let kind = if source.starts_with('/') { "bind" } else { "volume" };
        all.insert(target.to_string(), Mounted { kind: kind.into(), source: source.into(), options });
    }
    for mount in host["Mounts"].as_array().into_iter().flatten() {
        let of = |key: &str| mount[key].as_str().unwrap_or_default().to_string();
        let mut options: Vec<String> = Vec::new();
        if mount["ReadOnly"] == true {
            options.push("ro".into());
        }
        for group in ["BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions"] {
            for (key, value) in mount[group].as_object().into_iter().flatten() {
                let default = is_nothing(value) || key == "CreateMountpoint" || *value == "rprivate";
                if !default {
                    options.push(match (key.as_str(), value) {
                        ("NoCopy", _) => "nocopy".into(),
                        ("Propagation", Value::String(p)) => p.clone(),
                        (key, value) => format!("{key}={}", shown(value).unwrap_or_default()),
                    });
                }
            }
        }
        options.sort();
        all.insert(of("Target"), Mounted { kind: of("Type"), source: of("Source"), options });
    }
    all
}

pub(super) fn drift(wanted: &Value, actual: &Value) -> Drift {
    let mut drift = Drift::default();
    let mut body = Map::new();
    for key in UPDATABLE {
        let Some((_, name, kind)) = FIELDS.iter().find(|(field, ..)| *field == key) else { continue };
        if is_equal(key, *kind, wanted, actual) {
            continue;
        }
        let change = FieldChange {
            field: (*name).into(),
            from: in_words(*kind, &actual[key]),
            to: in_words(*kind, &wanted[key]),
        };
        match (is_nothing(&wanted[key]), key) {
            // No update can take these away (0 says "as it is"), so the Engine never took it: the kernel does not know it.
            (false, key) if key != "PidsLimit" && is_nothing(&actual[key]) => {}
            (false, _) => {
                body.insert(key.into(), wanted[key].clone());
                drift.fields.push(change);
            }
            // -1 says "no limit"; of the others a 0 says "as it is".
            (true, "PidsLimit") => {
                body.insert(key.into(), json!(-1));
                drift.fields.push(change);
            }
            // It follows the memory limit below, or has none to follow.
            (true, "MemorySwap") => {}
            (true, _) => drift.fixed.push(change),
        }
    }
    restart(wanted, actual, &mut |from, to| {
        body.insert("RestartPolicy".into(), wanted["RestartPolicy"].clone());
        drift.fields.push(FieldChange { field: "restart".into(), from, to });
    });
    if let Some(memory) = body.get("Memory").and_then(Value::as_i64) {
        // The Engine refuses a limit above the swap limit that stands, and doubles only at creation.
        body.entry("MemorySwap").or_insert(match is_nothing(&wanted["MemorySwap"]) {
            true => json!(memory.saturating_mul(2)),
            false => wanted["MemorySwap"].clone(),
        });
    }
    drift.update = (!body.is_empty()).then(|| Update { body: Value::Object(body) });
    drift
}
