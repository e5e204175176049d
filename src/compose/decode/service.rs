//! `services.<name>`.

use std::collections::BTreeMap;

use super::Fields;
use super::resources::{blkio, deploy, device, device_request};
use crate::compose::Compat;
use crate::compose::model::*;

pub(super) fn service(f: &Fields) -> Service {
    let mut service = Service {
        profiles: f.strings("profiles"),
        annotations: f.mapping("annotations"),
        attach: f.flag_opt("attach"),
        build: f.sub("build").map(|b| build(&b)),
        develop: f.sub("develop").map(|d| develop(&d)),
        command: f.command("command"),
        configs: f.each("configs", file_reference),
        container_name: f.text("container_name"),
        credential_spec: f.sub("credential_spec").map(|c| CredentialSpec {
            config: c.text("config"),
            file: c.text("file"),
            registry: c.text("registry"),
            extensions: c.extensions(),
        }),
        depends_on: dependencies(f),
        domainname: f.text("domainname"),
        entrypoint: f.command("entrypoint"),
        provider: f.sub("provider").map(|p| provider(&p)),
        environment: f.mapping_with_nulls("environment"),
        env_file: f.each("env_file", |e| EnvFile {
            path: e.text("path"),
            required: e.flag("required"),
            format: e.text("format"),
        }),
        extends: f.sub("extends").map(|e| Extends { file: e.text("file"), service: e.text("service") }),
        hostname: f.text("hostname"),
        healthcheck: f.sub("healthcheck").map(|h| healthcheck(&h)),
        image: f.text("image"),
        labels: f.mapping("labels"),
        label_file: f.strings("label_file"),
        logging: f.sub("logging").map(|l| Logging {
            driver: l.text("driver"),
            options: l.mapping("options"),
            extensions: l.extensions(),
        }),
        models: f.map_of("models", |m| ServiceModel {
            endpoint_var: m.text("endpoint_var"),
            model_var: m.text("model_var"),
            extensions: m.extensions(),
        }),
        platform: f.text("platform"),
        pull_policy: f.text("pull_policy"),
        restart: f.text("restart"),
        scale: f.int_opt("scale"),
        secrets: f.each("secrets", file_reference),
        stop_grace_period: f.duration_opt("stop_grace_period"),
        stop_signal: f.text("stop_signal"),
        stdin_open: f.flag("stdin_open"),
        tty: f.flag("tty"),
        user: f.text("user"),
        working_dir: f.text("working_dir"),
        pre_start: if f.compat == Compat::V5 { f.each("pre_start", |h| hook(&h)) } else { Vec::new() },
        post_start: f.each("post_start", |h| hook(&h)),
        pre_stop: f.each("pre_stop", |h| hook(&h)),
        extensions: f.extensions(),
        ..Service::default()
    };
    limits(f, &mut service);
    network_and_storage(f, &mut service);
    isolation(f, &mut service);
    service
}

fn limits(f: &Fields, s: &mut Service) {
    s.blkio_config = f.sub("blkio_config").map(|b| blkio(&b));
    s.cpu_count = f.int("cpu_count");
    s.cpu_percent = f.float("cpu_percent");
    s.cpu_period = f.int("cpu_period");
    s.cpu_quota = f.int("cpu_quota");
    s.cpu_rt_period = f.int("cpu_rt_period");
    s.cpu_rt_runtime = f.int("cpu_rt_runtime");
    s.cpus = f.float("cpus");
    s.cpuset = f.text("cpuset");
    s.cpu_shares = f.int("cpu_shares");
    s.deploy = f.sub("deploy").map(|d| deploy(&d));
    s.device_cgroup_rules = f.strings("device_cgroup_rules");
    s.devices = f.each("devices", device);
    s.gpus = f.each("gpus", device_request);
    s.mem_limit = f.bytes("mem_limit");
    s.mem_reservation = f.bytes("mem_reservation");
    s.memswap_limit = f.bytes("memswap_limit");
    s.mem_swappiness = f.bytes("mem_swappiness");
    s.oom_kill_disable = f.flag("oom_kill_disable");
    s.oom_score_adj = f.int("oom_score_adj");
    s.pids_limit = f.int("pids_limit");
    s.shm_size = f.bytes("shm_size");
    s.ulimits = ulimits(f);
}

fn network_and_storage(f: &Fields, s: &mut Service) {
    s.dns = f.strings("dns");
    s.dns_opt = f.strings("dns_opt");
    s.dns_search = f.strings("dns_search");
    s.expose = f.strings("expose");
    s.external_links = f.strings("external_links");
    s.extra_hosts = f.hosts("extra_hosts");
    s.links = f.strings("links");
    s.mac_address = f.text("mac_address");
    s.network_mode = f.text("network_mode");
    s.networks = f.map_of("networks", service_network);
    s.ports = f.each("ports", port);
    s.storage_opt = f.mapping("storage_opt");
    s.tmpfs = f.strings("tmpfs");
    s.volumes = f.each("volumes", |m| mount(&m));
    s.volumes_from = f.strings("volumes_from");
}

fn isolation(f: &Fields, s: &mut Service) {
    s.cap_add = f.strings("cap_add");
    s.cap_drop = f.strings("cap_drop");
    s.cgroup_parent = f.text("cgroup_parent");
    s.cgroup = f.text("cgroup");
    s.group_add = f.strings("group_add");
    s.init = f.flag_opt("init");
    s.ipc = f.text("ipc");
    s.isolation = f.text("isolation");
    s.pid = f.text("pid");
    s.privileged = f.flag("privileged");
    s.read_only = f.flag("read_only");
    s.runtime = f.text("runtime");
    s.security_opt = f.strings("security_opt");
    s.sysctls = f.mapping("sysctls");
    s.use_api_socket = f.flag("use_api_socket");
    s.userns_mode = f.text("userns_mode");
    s.uts = f.text("uts");
}

fn build(f: &Fields) -> Build {
    Build {
        context: f.text("context"),
        // An empty text stays empty: only what is not written at all gets the default.
        dockerfile: if f.has("dockerfile") || f.has("dockerfile_inline") {
            f.text("dockerfile")
        } else {
            "Dockerfile".into()
        },
        dockerfile_inline: f.text("dockerfile_inline"),
        entitlements: f.strings("entitlements"),
        args: f.mapping_with_nulls("args"),
        provenance: f.text("provenance"),
        sbom: f.text("sbom"),
        ssh: f
            .entries("ssh")
            .map(|(id, node, _)| SshKey { id: id.clone(), path: node.scalar_text().unwrap_or_default() })
            .collect(),
        labels: f.mapping("labels"),
        cache_from: f.strings("cache_from"),
        cache_to: f.strings("cache_to"),
        no_cache: f.flag("no_cache"),
        no_cache_filter: f.strings("no_cache_filter"),
        additional_contexts: f.mapping("additional_contexts"),
        pull: f.flag("pull"),
        extra_hosts: f.hosts("extra_hosts"),
        isolation: f.text("isolation"),
        network: f.text("network"),
        target: f.text("target"),
        secrets: f.each("secrets", file_reference),
        shm_size: f.bytes("shm_size"),
        tags: f.strings("tags"),
        ulimits: ulimits(f),
        platforms: f.strings("platforms"),
        privileged: f.flag("privileged"),
        extensions: f.extensions(),
    }
}

fn dependencies(f: &Fields) -> BTreeMap<String, Dependency> {
    let read = |d: Fields| Dependency {
        condition: d.text("condition"),
        restart: d.flag("restart"),
        required: d.flag("required"),
        extensions: d.extensions(),
    };
    f.map_of("depends_on", read).into_iter().map(|(name, d)| (name, d.unwrap_or_default())).collect()
}

fn develop(f: &Fields) -> Develop {
    Develop {
        watch: f.each("watch", |w| Watch {
            path: w.text("path"),
            action: w.text("action"),
            target: w.text("target"),
            exec: w.sub("exec").map(|h| hook(&h)).unwrap_or_default(),
            include: w.strings("include"),
            ignore: w.strings("ignore"),
            initial_sync: w.flag("initial_sync"),
            extensions: w.extensions(),
        }),
        extensions: f.extensions(),
    }
}

fn hook(f: &Fields) -> Hook {
    Hook {
        command: f.command("command"),
        image: f.text("image"),
        user: f.text("user"),
        privileged: f.flag("privileged"),
        working_dir: f.text("working_dir"),
        environment: f.mapping_with_nulls("environment"),
        per_replica: f.flag("per_replica"),
        extensions: f.extensions(),
    }
}

fn healthcheck(f: &Fields) -> HealthCheck {
    let mut test = f.strings("test");
    if f.is_text("test") {
        test.insert(0, "CMD-SHELL".into());
    }
    HealthCheck {
        test,
        timeout: f.duration_opt("timeout"),
        interval: f.duration_opt("interval"),
        retries: f.uint_opt("retries"),
        start_period: f.duration_opt("start_period"),
        start_interval: f.duration_opt("start_interval"),
        disable: f.flag("disable"),
        extensions: f.extensions(),
    }
}

fn port(f: Fields) -> Port {
    Port {
        name: f.text("name"),
        mode: f.text("mode"),
        host_ip: f.text("host_ip"),
        target: f.uint_opt("target").unwrap_or_default() as u32,
        published: f.text("published"),
        protocol: f.text("protocol"),
        app_protocol: f.text("app_protocol"),
        extensions: f.extensions(),
    }
}

fn service_network(f: Fields) -> ServiceNetwork {
    ServiceNetwork {
        aliases: f.strings("aliases"),
        driver_opts: f.mapping("driver_opts"),
        gw_priority: f.int("gw_priority"),
        interface_name: f.text("interface_name"),
        ipv4_address: f.text("ipv4_address"),
        ipv6_address: f.text("ipv6_address"),
        link_local_ips: f.strings("link_local_ips"),
        mac_address: f.text("mac_address"),
        priority: f.int("priority"),
        extensions: f.extensions(),
    }
}

fn file_reference(f: Fields) -> FileReference {
    FileReference {
        source: f.text("source"),
        target: f.text("target"),
        uid: f.text("uid"),
        gid: f.text("gid"),
        mode: f.mode_opt("mode"),
        extensions: f.extensions(),
    }
}

fn provider(f: &Fields) -> Provider {
    let texts = |node: &crate::compose::tree::Node| match node.as_seq() {
        Some(items) => items.iter().filter_map(|i| i.scalar_text()).collect(),
        None => node.scalar_text().into_iter().collect(),
    };
    Provider {
        kind: f.text("type"),
        options: f.entries("options").map(|(name, node, _)| (name.clone(), texts(node))).collect(),
        extensions: f.extensions(),
    }
}

fn ulimits(f: &Fields) -> BTreeMap<String, Ulimit> {
    let Some(limits) = f.sub("ulimits") else { return BTreeMap::new() };
    f.entries("ulimits")
        .map(|(name, node, _)| {
            let limit = match node.as_map() {
                Some(_) => limits
                    .sub(name)
                    .map_or(Ulimit::Single(0), |pair| Ulimit::Pair { soft: pair.int("soft"), hard: pair.int("hard") }),
                None => Ulimit::Single(limits.int(name)),
            };
            (name.clone(), limit)
        })
        .collect()
}

fn mount(f: &Fields) -> Mount {
    let compat = f.compat;
    Mount {
        kind: f.text("type"),
        source: f.text("source"),
        target: f.text("target"),
        read_only: f.flag("read_only"),
        consistency: f.text("consistency"),
        bind: f.sub("bind").map(|b| BindOptions {
            selinux: b.text("selinux"),
            propagation: b.text("propagation"),
            create_host_path: shown(b.flag_opt("create_host_path"), compat),
            recursive: b.text("recursive"),
            extensions: b.extensions(),
        }),
        volume: f.sub("volume").map(|v| VolumeOptions {
            labels: v.mapping("labels"),
            nocopy: v.flag("nocopy"),
            subpath: v.text("subpath"),
            extensions: v.extensions(),
        }),
        tmpfs: f.sub("tmpfs").map(|t| TmpfsOptions {
            size: t.bytes("size"),
            mode: t.number_of_bits::<u32>("mode"),
            extensions: t.extensions(),
        }),
        image: f.sub("image").map(|i| ImageOptions { subpath: i.text("subpath"), extensions: i.extensions() }),
        extensions: f.extensions(),
    }
}

/// 2.x writes `true` and leaves out `false`; 5.x the other way round.
fn shown(written: Option<bool>, compat: Compat) -> Option<bool> {
    match compat {
        Compat::V2 => written.filter(|creates| *creates),
        Compat::V5 => written.filter(|creates| !*creates),
    }
}
