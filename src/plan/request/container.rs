//! `Config`, endpoints and references of one service.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::compose::hash;
use crate::compose::model::{HealthCheck, Project, Service};

/// The request of a service's containers, for number 1; [`numbered`] fits it to another.
pub(super) fn request(
    project: &Project,
    name: &str,
    service: &Service,
    context: &Context,
    refusals: &mut Vec<Refusal>,
) -> ContainerRequest {
    let mut refs = Vec::new();
    let host_config = host::host_config(project, name, service, context, &mut refs, refusals);
    ContainerRequest {
        service: name.into(),
        number: 1,
        name: container_name(&project.name, service, name, 1),
        platform: Some(service.platform.clone())
            .filter(|p| !p.is_empty())
            .or_else(|| project.environment.get("DOCKER_DEFAULT_PLATFORM").cloned().filter(|p| !p.is_empty())),
        config: config(project, name, service, context),
        host_config,
        endpoints: endpoints(project, name, service),
        refs,
        renew: false,
        hashed: hash::hashed(service),
        compat: context.compat,
    }
}

/// `<project>-<service>-<n>`, or the fixed name.
pub fn container_name(project: &str, service: &Service, name: &str, number: u32) -> String {
    match service.container_name.as_str() {
        "" => format!("{project}-{name}-{number}"),
        fixed => fixed.to_string(),
    }
}

fn config(project: &Project, name: &str, s: &Service, context: &Context) -> Value {
    let mut map = Map::new();
    map.insert("Image".into(), json!(s.image_or_default(&project.name, name)));
    set(&mut map, "Hostname", json!(s.hostname));
    set(&mut map, "Domainname", json!(s.domainname));
    set(&mut map, "User", json!(s.user));
    set(&mut map, "ExposedPorts", exposed(s));
    set(&mut map, "Tty", json!(s.tty));
    set(&mut map, "OpenStdin", json!(s.stdin_open));
    map.insert("AttachStdout".into(), json!(true));
    map.insert("AttachStderr".into(), json!(true));
    // A list that is explicitly empty differs from one that is not there.
    for (key, words) in [("Cmd", &s.command), ("Entrypoint", &s.entrypoint)] {
        if let Some(words) = words {
            map.insert(key.into(), json!(words));
        }
    }
    set(&mut map, "WorkingDir", json!(s.working_dir));
    set(&mut map, "NetworkDisabled", json!(s.network_mode == "disabled"));
    set(&mut map, "StopSignal", json!(s.stop_signal));
    set(&mut map, "Env", json!(environment(s, &context.proxies)));
    if let Some(check) = &s.healthcheck {
        set(&mut map, "Healthcheck", healthcheck(check));
    }
    if let Some(grace) = s.stop_grace_period {
        map.insert("StopTimeout".into(), json!(grace.0 / 1_000_000_000));
    }
    map.insert("Labels".into(), labels_of(project, name, s, context));
    Value::Object(map)
}

fn environment(s: &Service, proxies: &BTreeMap<String, String>) -> Vec<String> {
    let mut all: BTreeMap<&str, Option<&str>> = proxies.iter().map(|(k, v)| (k.as_str(), Some(v.as_str()))).collect();
    all.extend(s.environment.iter().map(|(k, v)| (k.as_str(), v.as_deref())));
    all.into_iter()
        .map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => key.to_string(),
        })
        .collect()
}

fn exposed(s: &Service) -> Value {
    let ports = s.expose.iter().cloned().chain(s.ports.iter().map(|p| format!("{}/{}", p.target, p.protocol)));
    Value::Object(ports.map(|port| (port, json!({}))).collect())
}

fn healthcheck(check: &HealthCheck) -> Value {
    let test = if check.disable { vec!["NONE".to_string()] } else { check.test.clone() };
    let mut map = Map::new();
    set(&mut map, "Test", json!(test));
    let times = [
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("StartInterval", check.start_interval),
    ];
    for (key, value) in times {
        set(&mut map, key, json!(value.map_or(0, |d| d.0)));
    }
    set(&mut map, "Retries", json!(check.retries.unwrap_or(0)));
    Value::Object(map)
}

/// The user's labels, then Compose's, then ours. Number, hash and image id come with the call.
fn labels_of(project: &Project, name: &str, s: &Service, context: &Context) -> Value {
    let mut labels: BTreeMap<String, String> = s.labels.clone();
    let joined = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|p| p.to_string_lossy().into_owned()).collect::<Vec<_>>().join(",")
    };
    let depends: Vec<String> =
        s.depends_on.iter().map(|(on, d)| format!("{on}:{}:{}", d.condition, d.restart)).collect();
    let ours = [
        (PROJECT, project.name.clone()),
        (SERVICE, name.to_string()),
        (VERSION, version_label(context.compat).to_string()),
        (WORKING_DIR, project.working_dir.to_string_lossy().into_owned()),
        (CONFIG_FILES, joined(&project.config_files)),
        (ONEOFF, "False".to_string()),
        (DEPENDS_ON, depends.join(",")),
    ];
    labels.extend(ours.map(|(key, value)| (key.to_string(), value)));
    if !project.env_files.is_empty() {
        labels.insert(ENVIRONMENT_FILE.into(), joined(&project.env_files));
    }
    json!(labels)
}

/// Endpoints by network name, the primary one first.
fn endpoints(project: &Project, name: &str, s: &Service) -> Vec<(String, Endpoint)> {
    if !s.network_mode.is_empty() {
        return Vec::new();
    }
    let links = links(project, s);
    let keys = s.networks_by_priority();
    let mut list: Vec<(String, Endpoint)> = Vec::new();
    for (i, key) in keys.iter().enumerate() {
        let Some(network) = project.networks.get(*key) else { continue };
        let mut endpoint = Endpoint { links: links.clone(), ..Endpoint::default() };
        // The container's own name is added when its number is known.
        endpoint.aliases.push(name.to_string());
        if let Some(own) = s.networks.get(*key).and_then(Option::as_ref) {
            endpoint.aliases.extend(own.aliases.iter().cloned());
            endpoint.ipv4_address = own.ipv4_address.clone();
            endpoint.ipv6_address = own.ipv6_address.clone();
            endpoint.link_local_ips = own.link_local_ips.clone();
            endpoint.mac_address = own.mac_address.clone();
            endpoint.driver_opts = own.driver_opts.clone();
            if !own.interface_name.is_empty() {
                endpoint.driver_opts.insert("com.docker.network.endpoint.ifname".into(), own.interface_name.clone());
            }
            endpoint.gw_priority = own.gw_priority;
        }
        if i == 0 && endpoint.mac_address.is_empty() {
            endpoint.mac_address = s.mac_address.clone();
        }
        list.push((network.name.clone(), endpoint));
    }
    list
}

fn links(project: &Project, s: &Service) -> Vec<String> {
    let mut all = Vec::new();
    for link in &s.links {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        let Some(linked) = project.services.get(target) else { continue };
        for number in 1..=linked.replicas() as u32 {
            let container = container_name(&project.name, linked, target, number);
            all.push(format!("{container}:{alias}"));
            all.push(format!("{container}:{target}-{number}"));
            all.push(format!("{container}:{}-{target}-{number}", project.name));
        }
    }
    for link in &s.external_links {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        all.push(format!("{target}:{alias}"));
    }
    all
}

/// The request for container number `number`, with name and aliases of that number, and our own labels.
pub fn numbered(service: &WantedService, project: &str, number: u32) -> ContainerRequest {
    let mut request = service.request.clone();
    request.number = number;
    request.name = container_name(project, &service.service, &service.name, number);
    for (_, endpoint) in &mut request.endpoints {
        endpoint.aliases.insert(0, request.name.clone());
    }
    if let Value::Object(labels) = &mut request.config["Labels"] {
        labels.insert(FINGERPRINT.into(), json!(service.fingerprint));
        if !service.files.is_empty() {
            labels.insert(FILES.into(), json!(files_label(&service.files)));
        }
    }
    request
}
