//! `HostConfig` of one service.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::*;
use crate::base::wording::nearest;
use crate::compose::model::{BlkioConfig, DeviceRequest, Project, Resource, Service};
use crate::plan::wanted::{Ref, RefField};

pub(super) fn host_config(
    project: &Project,
    name: &str,
    s: &Service,
    context: &Context,
    refs: &mut Vec<Ref>,
    refusals: &mut Vec<Refusal>,
) -> Value {
    let mut map = Map::new();
    let (binds, mounts) = mounts::mounts(project, name, s, context.compat, refusals);
    set(&mut map, "Binds", json!(binds));
    set(&mut map, "Mounts", json!(mounts));
    set(&mut map, "Annotations", json!(s.annotations));
    set(&mut map, "CapAdd", json!(s.cap_add));
    set(&mut map, "CapDrop", json!(s.cap_drop));
    map.insert("NetworkMode".into(), json!(network_mode(project, s, refs)));
    if let Some(init) = s.init {
        map.insert("Init".into(), json!(init));
    }
    set(&mut map, "IpcMode", json!(namespace(&s.ipc, RefField::Ipc, refs)));
    set(&mut map, "PidMode", json!(namespace(&s.pid, RefField::Pid, refs)));
    set(&mut map, "CgroupnsMode", json!(s.cgroup));
    set(&mut map, "ReadonlyRootfs", json!(s.read_only));
    refuse_restart(name, s, refusals);
    map.insert("RestartPolicy".into(), restart_policy(s));
    set(&mut map, "ShmSize", json!(s.shm_size.0));
    set(&mut map, "Sysctls", json!(s.sysctls));
    set(&mut map, "PortBindings", port_bindings(s));
    set(&mut map, "VolumeDriver", json!(s.volume_driver));
    set(&mut map, "VolumesFrom", json!(volumes_from(s, refs)));
    set(&mut map, "Dns", json!(s.dns));
    set(&mut map, "DnsSearch", json!(s.dns_search));
    set(&mut map, "DnsOptions", json!(s.dns_opt));
    let hosts: Vec<String> = s.extra_hosts.iter().map(|h| h.replacen('=', ":", 1)).collect();
    set(&mut map, "ExtraHosts", json!(hosts));
    security(project, name, s, context, &mut map, refusals);
    set(&mut map, "StorageOpt", json!(s.storage_opt));
    set(&mut map, "UsernsMode", json!(s.userns_mode));
    set(&mut map, "UTSMode", json!(s.uts));
    set(&mut map, "Privileged", json!(s.privileged));
    set(&mut map, "Tmpfs", tmpfs(s));
    set(&mut map, "Isolation", json!(s.isolation));
    set(&mut map, "Runtime", json!(s.runtime));
    if let Some(logging) = &s.logging {
        map.insert("LogConfig".into(), json!({ "Type": logging.driver, "Config": logging.options }));
    }
    set(&mut map, "GroupAdd", json!(s.group_add));
    set(&mut map, "OomScoreAdj", json!(s.oom_score_adj));
    resources(s, &mut map);
    Value::Object(map)
}

fn network_mode(project: &Project, s: &Service, refs: &mut Vec<Ref>) -> String {
    if !s.network_mode.is_empty() {
        return namespace(&s.network_mode, RefField::Network, refs);
    }
    let primary = s.networks_by_priority().first().and_then(|key| project.networks.get(*key));
    primary.map_or("none".into(), |network| network.name.clone())
}

fn namespace(mode: &str, field: RefField, refs: &mut Vec<Ref>) -> String {
    if let Some(service) = mode.strip_prefix("service:") {
        refs.push(Ref { field, service: service.to_string() });
    }
    mode.to_string()
}

fn volumes_from(s: &Service, refs: &mut Vec<Ref>) -> Vec<String> {
    for (i, from) in s.volumes_from.iter().enumerate().filter(|(_, f)| !f.starts_with("container:")) {
        let service = from.split(':').next().unwrap_or_default().to_string();
        refs.push(Ref { field: RefField::VolumesFrom(i), service });
    }
    s.volumes_from.clone()
}

/// `restart`, overridden by `deploy.restart_policy`.
pub fn restart_policy(s: &Service) -> Value {
    let name = |condition: &str| match condition {
        "none" | "no" | "" => "no".to_string(),
        "any" => "always".into(),
        other => other.to_string(),
    };
    if let Some(policy) = s.deploy.as_ref().and_then(|d| d.restart_policy.as_ref()) {
        return json!({ "Name": name(&policy.condition), "MaximumRetryCount": policy.max_attempts.unwrap_or(0) });
    }
    let (condition, attempts) = s.restart.split_once(':').unwrap_or((&s.restart, "0"));
    json!({ "Name": name(condition), "MaximumRetryCount": attempts.parse::<u64>().unwrap_or(0) })
}

/// A restart policy that the Engine would refuse in the middle of the work. Docker Compose takes any text for one.
fn refuse_restart(service: &str, s: &Service, refusals: &mut Vec<Refusal>) {
    const KNOWN: [&str; 6] = ["no", "always", "unless-stopped", "on-failure", "none", "any"];
    let deploy = s.deploy.as_ref().and_then(|d| d.restart_policy.as_ref());
    let (key, given) = match deploy {
        Some(policy) => ("deploy.restart_policy.condition", policy.condition.as_str()),
        None => ("restart", s.restart.as_str()),
    };
    let (condition, attempts) = match given.split_once(':').filter(|_| deploy.is_none()) {
        Some((condition, attempts)) => (condition, attempts.parse::<u64>().ok()),
        None => (given, Some(deploy.and_then(|p| p.max_attempts).unwrap_or(0))),
    };
    let mut refuse = |key: &str, title: String, hint: String| {
        let field = Some(format!("services.{service}.{key}"));
        refusals.push(Refusal { code: "plan.restart-policy".into(), field, title, hints: vec![hint] });
    };
    if !condition.is_empty() && !KNOWN.contains(&condition) {
        let hint = match nearest(condition, KNOWN) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write one of {POLICIES}"),
        };
        return refuse(key, format!("`{service}` has no known restart policy: `{condition}`"), hint);
    }
    let only = "only `on-failure` counts attempts".to_string();
    match attempts {
        None => {
            let title =
                format!("`{service}` has the restart policy `{given}`: what follows `:` is no number of attempts");
            refuse(key, title, format!("write one of {POLICIES}"));
        }
        Some(n) if n > 0 && condition != "on-failure" => match deploy {
            Some(_) => {
                let title = format!("`{service}` limits its restarts to {n} attempts, which its restart policy cannot");
                refuse("deploy.restart_policy.max_attempts", title, format!("{only}: write `condition: on-failure`"));
            }
            None => {
                let title = format!("`{service}` has the restart policy `{given}`, which cannot count attempts");
                refuse(key, title, format!("{only}: `on-failure:{n}`"));
            }
        },
        Some(_) => {}
    }
}

/// The restart policies, as a person writes them.
const POLICIES: &str = "`\"no\"`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`";

fn port_bindings(s: &Service) -> Value {
    let mut bindings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for port in &s.ports {
        let binding = json!({ "HostIp": port.host_ip, "HostPort": port.published });
        bindings.entry(format!("{}/{}", port.target, port.protocol)).or_default().push(binding);
    }
    json!(bindings)
}

fn tmpfs(s: &Service) -> Value {
    let split = |t: &String| {
        let (path, options) = t.split_once(':').unwrap_or((t, ""));
        (path.to_string(), json!(options))
    };
    Value::Object(s.tmpfs.iter().map(split).collect())
}

fn security(
    project: &Project,
    name: &str,
    s: &Service,
    context: &Context,
    map: &mut Map<String, Value>,
    refusals: &mut Vec<Refusal>,
) {
    let mut options = Vec::new();
    for option in &s.security_opt {
        if option == "systempaths=unconfined" {
            map.insert("MaskedPaths".into(), json!([]));
            map.insert("ReadonlyPaths".into(), json!([]));
            continue;
        }
        let profile = option.strip_prefix("seccomp=").or_else(|| option.strip_prefix("seccomp:"));
        let Some(file) = profile.filter(|p| !matches!(*p, "unconfined" | "builtin")) else {
            options.push(option.clone());
            continue;
        };
        let path = project.working_dir.join(file);
        let read =
            context.files.read(Path::new(&path)).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        match read {
            Some(profile) => options.push(format!("seccomp={profile}")),
            None => refusals.push(Refusal {
                code: "plan.seccomp-profile".into(),
                field: Some(format!("services.{name}.security_opt")),
                title: format!("the seccomp profile {} is not there, or is no JSON", path.display()),
                hints: vec!["correct its path".into()],
            }),
        }
    }
    set(map, "SecurityOpt", json!(options));
}

fn resources(s: &Service, map: &mut Map<String, Value>) {
    let deploy = s.deploy.as_ref().map(|d| &d.resources);
    let limits = deploy.and_then(|r| r.limits.as_ref());
    let reservations = deploy.and_then(|r| r.reservations.as_ref());
    let either = |own: i64, other: Option<i64>| other.filter(|n| *n != 0).unwrap_or(own);
    set(map, "CgroupParent", json!(s.cgroup_parent));
    set(map, "Memory", json!(either(s.mem_limit.0, limits.map(|l| l.memory.0))));
    set(map, "MemorySwap", json!(s.memswap_limit.0));
    set(map, "MemoryReservation", json!(either(s.mem_reservation.0, reservations.map(|r| r.memory.0))));
    if s.mem_swappiness.0 != 0 {
        map.insert("MemorySwappiness".into(), json!(s.mem_swappiness.0));
    }
    map.insert("OomKillDisable".into(), json!(s.oom_kill_disable));
    set(map, "CpuCount", json!(s.cpu_count));
    set(map, "CpuPeriod", json!(s.cpu_period));
    set(map, "CpuQuota", json!(s.cpu_quota));
    set(map, "CpuRealtimePeriod", json!(s.cpu_rt_period));
    set(map, "CpuRealtimeRuntime", json!(s.cpu_rt_runtime));
    set(map, "CpuShares", json!(s.cpu_shares));
    // Single precision times 1e9, as Compose computes it.
    let nano = |cpus: f32| (cpus * 1e9) as i64;
    set(map, "NanoCpus", json!(either(nano(s.cpus.0), limits.map(|l| nano(l.cpus.0)))));
    set(map, "CpuPercent", json!((s.cpu_percent.0 * 100.0) as i64));
    set(map, "CpusetCpus", json!(s.cpuset));
    set(map, "DeviceCgroupRules", json!(s.device_cgroup_rules));
    let pids = limits.map(|l| l.pids).filter(|n| *n > 0).unwrap_or(s.pids_limit);
    set(map, "PidsLimit", json!(pids));
    if let Some(blkio) = &s.blkio_config {
        self::blkio(blkio, map);
    }
    devices(s, reservations, map);
    let ulimits: Vec<Value> = s
        .ulimits
        .iter()
        .map(|(name, limit)| {
            let (soft, hard) = limit.bounds();
            json!({ "Name": name, "Soft": soft, "Hard": hard })
        })
        .collect();
    set(map, "Ulimits", json!(ulimits));
}

fn blkio(blkio: &BlkioConfig, map: &mut Map<String, Value>) {
    set(map, "BlkioWeight", json!(blkio.weight));
    let weights: Vec<Value> =
        blkio.weight_device.iter().map(|d| json!({ "Path": d.path, "Weight": d.weight })).collect();
    set(map, "BlkioWeightDevice", json!(weights));
    let lists = [
        ("BlkioDeviceReadBps", &blkio.device_read_bps),
        ("BlkioDeviceReadIOps", &blkio.device_read_iops),
        ("BlkioDeviceWriteBps", &blkio.device_write_bps),
        ("BlkioDeviceWriteIOps", &blkio.device_write_iops),
    ];
    for (key, list) in lists {
        let list: Vec<Value> = list.iter().map(|d| json!({ "Path": d.path, "Rate": d.rate.0 })).collect();
        set(map, key, json!(list));
    }
}

fn devices(s: &Service, reservations: Option<&Resource>, map: &mut Map<String, Value>) {
    let mut requests: Vec<Value> = Vec::new();
    let request = |d: &DeviceRequest, capabilities: Vec<String>| {
        let mut map = Map::new();
        set(&mut map, "Driver", json!(d.driver));
        set(&mut map, "Count", json!(d.count));
        set(&mut map, "DeviceIDs", json!(d.device_ids));
        map.insert("Capabilities".into(), json!([capabilities]));
        set(&mut map, "Options", json!(d.options));
        Value::Object(map)
    };
    requests.extend(reservations.iter().flat_map(|r| &r.devices).map(|d| request(d, d.capabilities.clone())));
    // `vendor.com/class=name` names a device that a CDI file describes.
    let (cdi, plain): (Vec<_>, Vec<_>) = s.devices.iter().partition(|d| {
        d.source == d.target && d.source.contains('=') && d.source.contains('/') && !d.source.starts_with('/')
    });
    if !cdi.is_empty() {
        let names: Vec<&str> = cdi.iter().map(|d| d.source.as_str()).collect();
        requests.push(json!({ "Driver": "cdi", "DeviceIDs": names }));
    }
    requests
        .extend(s.gpus.iter().map(|d| request(d, d.capabilities.iter().cloned().chain(["gpu".to_string()]).collect())));
    set(map, "DeviceRequests", json!(requests));
    let plain: Vec<Value> = plain
        .iter()
        .map(|d| json!({ "PathOnHost": d.source, "PathInContainer": d.target, "CgroupPermissions": d.permissions }))
        .collect();
    set(map, "Devices", json!(plain));
}
