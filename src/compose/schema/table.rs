//! Every attribute of the Compose specification and what it may hold: one line each, in alphabetical order of subject.
//!
//! This is what Compose's own schema accepts before short forms are written long; what it means is decided later.

use super::shape::*;
use crate::compose::Compat;

/// `x-*` keys allowed, nothing else.
const EXT: (bool, bool) = (true, false);
/// Only the keys listed.
const CLOSED: (bool, bool) = (false, false);
/// Any other key passes.
const OPEN: (bool, bool) = (false, true);

const STR: Shape = Shape::Scalar(Kinds(TEXT));
const FLAG: Shape = Shape::Scalar(Kinds(BOOL | TEXT));
const BOOLEAN: Shape = Shape::Scalar(Kinds(BOOL));
const INT: Shape = Shape::Scalar(Kinds(WHOLE));
const INT_OR_TEXT: Shape = Shape::Scalar(Kinds(WHOLE | TEXT));
const NUM_OR_TEXT: Shape = Shape::Scalar(Kinds(NUMBER | TEXT));
const TEXT_OR_NULL: Shape = Shape::Scalar(Kinds(TEXT | NULL));
const NOTHING: Shape = Shape::Scalar(Kinds(NULL));

const STRINGS: Shape = Shape::List { items: &STR, unique: false };
const UNIQUE_STRINGS: Shape = Shape::List { items: &STR, unique: true };
const UNIQUE_TEXT_OR_NUMBERS: Shape = Shape::List { items: &NUM_OR_TEXT, unique: true };
const STRING_OR_LIST: Shape = Shape::OneOf(&[&STR, &UNIQUE_STRINGS]);
const COMMAND: Shape = Shape::OneOf(&[&TEXT_OR_NULL, &STRINGS]);
const SCALARS: Shape = Shape::Scalar(Kinds(TEXT | NUMBER | BOOL | NULL));
const LIST_OR_DICT: Shape = Shape::OneOf(&[&Shape::Dict { keys: Keys::Any, values: &SCALARS }, &UNIQUE_STRINGS]);
const OPTIONS: Shape = Shape::Dict { keys: Keys::Any, values: &NUM_OR_TEXT };
const STRING_DICT: Shape = Shape::Dict { keys: Keys::Any, values: &STR };
const HOSTS: Shape = Shape::OneOf(&[
    &Shape::Dict { keys: Keys::NoExtensions, values: &Shape::OneOf(&[&STR, &STRINGS]) },
    &UNIQUE_STRINGS,
]);

object!(ROOT, "a Compose file", EXT, [], {
    configs: Shape::Dict { keys: Keys::Names, values: &CONFIG },
    include: Shape::List { items: &INCLUDE, unique: false },
    models: Shape::Dict { keys: Keys::NamesOrWhatever, values: &MODEL },
    name: STR,
    networks: Shape::Dict { keys: Keys::NamesOrWhatever, values: &NETWORK },
    secrets: Shape::Dict { keys: Keys::Names, values: &SECRET },
    services: Shape::Dict { keys: Keys::Names, values: &SERVICE },
    version: STR,
    volumes: Shape::Dict { keys: Keys::Names, values: &VOLUME },
});

object!(SERVICE, "a service", EXT, [], {
    annotations: LIST_OR_DICT,
    attach: FLAG,
    blkio_config: BLKIO,
    build: Shape::OneOf(&[&STR, &BUILD]),
    cap_add: UNIQUE_STRINGS,
    cap_drop: UNIQUE_STRINGS,
    cgroup: Shape::Enum(&["host", "private"]),
    cgroup_parent: STR,
    command: COMMAND,
    configs: FILE_REFERENCES,
    container_name: Shape::Matching(is_container_name, "two characters or more: a letter or digit, then letters, digits, `_`, `.` or `-`"),
    cpu_count: Shape::Between(0, i64::MAX),
    cpu_percent: Shape::Between(0, 100),
    cpu_period: NUM_OR_TEXT,
    cpu_quota: NUM_OR_TEXT,
    cpu_rt_period: NUM_OR_TEXT,
    cpu_rt_runtime: NUM_OR_TEXT,
    cpu_shares: NUM_OR_TEXT,
    cpus: NUM_OR_TEXT,
    cpuset: STR,
    credential_spec: CREDENTIAL_SPEC,
    depends_on: Shape::OneOf(&[&UNIQUE_STRINGS, &Shape::Dict { keys: Keys::Names, values: &DEPENDENCY }]),
    deploy: Shape::OneOf(&[&NOTHING, &DEPLOY]),
    develop: Shape::OneOf(&[&NOTHING, &DEVELOP]),
    device_cgroup_rules: UNIQUE_STRINGS,
    devices: Shape::List { items: &Shape::OneOf(&[&STR, &DEVICE]), unique: false },
    dns: STRING_OR_LIST,
    dns_opt: UNIQUE_STRINGS,
    dns_search: STRING_OR_LIST,
    domainname: STR,
    entrypoint: COMMAND,
    env_file: Shape::OneOf(&[&STR, &Shape::List { items: &Shape::OneOf(&[&STR, &ENV_FILE]), unique: false }]),
    environment: LIST_OR_DICT,
    expose: UNIQUE_TEXT_OR_NUMBERS,
    extends: Shape::OneOf(&[&STR, &EXTENDS]),
    external_links: UNIQUE_STRINGS,
    extra_hosts: HOSTS,
    gpus: Shape::OneOf(&[&Shape::Enum(&["all"]), &Shape::List { items: &GPU, unique: false }]),
    group_add: Shape::List { items: &INT_OR_TEXT, unique: true },
    healthcheck: HEALTHCHECK,
    hostname: STR,
    image: STR,
    init: FLAG,
    ipc: STR,
    isolation: STR,
    label_file: Shape::OneOf(&[&STR, &STRINGS]),
    labels: LIST_OR_DICT,
    links: UNIQUE_STRINGS,
    logging: LOGGING,
    mac_address: STR,
    mem_limit: NUM_OR_TEXT,
    mem_reservation: INT_OR_TEXT,
    mem_swappiness: INT_OR_TEXT,
    memswap_limit: NUM_OR_TEXT,
    models: Shape::OneOf(&[
        &UNIQUE_STRINGS,
        &Shape::Dict { keys: Keys::NamesOrWhatever, values: &Shape::OneOf(&[&NOTHING, &SERVICE_MODEL]) },
    ]),
    network_mode: STR,
    networks: Shape::OneOf(&[
        &UNIQUE_STRINGS,
        &Shape::Dict { keys: Keys::Names, values: &Shape::OneOf(&[&NOTHING, &SERVICE_NETWORK]) },
    ]),
    oom_kill_disable: FLAG,
    oom_score_adj: Shape::Between(-1000, 1000),
    pid: TEXT_OR_NULL,
    pids_limit: NUM_OR_TEXT,
    platform: STR,
    ports: Shape::List { items: &Shape::OneOf(&[&NUM_OR_TEXT, &PORT]), unique: true },
    post_start: Shape::List { items: &HOOK, unique: false },
    pre_start @ V5: Shape::List { items: &PRE_START, unique: false },
    pre_stop: Shape::List { items: &HOOK, unique: false },
    privileged: FLAG,
    profiles: UNIQUE_STRINGS,
    provider: PROVIDER,
    pull_policy: Shape::Matching(
        is_pull_policy,
        "one of always, never, missing, build, refresh, daily, weekly or every_<duration>",
    ),
    pull_refresh_after: STR,
    read_only: FLAG,
    restart: STR,
    runtime: STR,
    scale: INT_OR_TEXT,
    secrets: FILE_REFERENCES,
    security_opt: UNIQUE_STRINGS,
    shm_size: NUM_OR_TEXT,
    stdin_open: FLAG,
    stop_grace_period: STR,
    stop_signal: STR,
    storage_opt: Shape::Dict { keys: Keys::NoExtensions, values: &Shape::Any },
    sysctls: LIST_OR_DICT,
    tmpfs: STRING_OR_LIST,
    tty: FLAG,
    ulimits: ULIMITS,
    use_api_socket: BOOLEAN,
    user: STR,
    userns_mode: STR,
    uts: STR,
    volumes: Shape::List { items: &Shape::OneOf(&[&STR, &MOUNT]), unique: true },
    volumes_from: UNIQUE_STRINGS,
    working_dir: STR,
});

object!(BUILD, "a build", EXT, [], {
    additional_contexts: LIST_OR_DICT,
    args: LIST_OR_DICT,
    cache_from: STRINGS,
    cache_to: STRINGS,
    context: STR,
    dockerfile: STR,
    dockerfile_inline: STR,
    entitlements: STRINGS,
    extra_hosts: HOSTS,
    isolation: STR,
    labels: LIST_OR_DICT,
    network: STR,
    no_cache: FLAG,
    no_cache_filter @ V5: STRING_OR_LIST,
    platforms: STRINGS,
    privileged: FLAG,
    provenance: FLAG,
    pull: FLAG,
    sbom: FLAG,
    secrets: FILE_REFERENCES,
    shm_size: INT_OR_TEXT,
    ssh: LIST_OR_DICT,
    tags: STRINGS,
    target: STR,
    ulimits: ULIMITS,
});

object!(BLKIO, "a blkio_config", CLOSED, [], {
    device_read_bps: THROTTLES,
    device_read_iops: THROTTLES,
    device_write_bps: THROTTLES,
    device_write_iops: THROTTLES,
    weight: INT_OR_TEXT,
    weight_device: Shape::List { items: &WEIGHT, unique: false },
});
const THROTTLES: Shape = Shape::List { items: &THROTTLE, unique: false };
object!(THROTTLE, "a device limit", CLOSED, [], { path: STR, rate: INT_OR_TEXT });
object!(WEIGHT, "a device weight", CLOSED, [], { path: STR, weight: INT_OR_TEXT });

object!(CREDENTIAL_SPEC, "a credential_spec", EXT, [], { config: STR, file: STR, registry: STR });

object!(DEPENDENCY, "a dependency", EXT, ["condition"], {
    condition: Shape::Enum(&["service_started", "service_healthy", "service_completed_successfully"]),
    required: BOOLEAN,
    restart: FLAG,
});

object!(DEPLOY, "a deploy section", EXT, [], {
    endpoint_mode: STR,
    labels: LIST_OR_DICT,
    mode: STR,
    placement: PLACEMENT,
    replicas: INT_OR_TEXT,
    resources: RESOURCES,
    restart_policy: RESTART_POLICY,
    rollback_config: UPDATE,
    update_config: UPDATE,
});
object!(PLACEMENT, "a placement", EXT, [], {
    constraints: STRINGS,
    max_replicas_per_node: INT_OR_TEXT,
    preferences: Shape::List { items: &PREFERENCE, unique: false },
});
object!(PREFERENCE, "a placement preference", EXT, [], { spread: STR });
object!(RESOURCES, "deploy.resources", EXT, [], { limits: LIMITS, reservations: RESERVATIONS });
object!(LIMITS, "resource limits", EXT, [], { cpus: NUM_OR_TEXT, memory: STR, pids: INT_OR_TEXT });
object!(RESERVATIONS, "resource reservations", EXT, [], {
    cpus: NUM_OR_TEXT,
    devices: Shape::List { items: &RESERVED_DEVICE, unique: false },
    generic_resources: Shape::List { items: &GENERIC, unique: false },
    memory: STR,
});
object!(RESERVED_DEVICE, "a device request", EXT, ["capabilities"], {
    capabilities: UNIQUE_STRINGS,
    count: INT_OR_TEXT,
    device_ids: UNIQUE_STRINGS,
    driver: STR,
    options: LIST_OR_DICT,
});
object!(GPU, "a gpu request", OPEN, [], {
    capabilities: UNIQUE_STRINGS,
    count: INT_OR_TEXT,
    device_ids: UNIQUE_STRINGS,
    driver: STR,
    options: LIST_OR_DICT,
});
object!(GENERIC, "a generic resource", EXT, [], { discrete_resource_spec: DISCRETE });
object!(DISCRETE, "a discrete resource", EXT, [], { kind: STR, value: NUM_OR_TEXT });
object!(RESTART_POLICY, "a restart policy", EXT, [], {
    condition: STR,
    delay: STR,
    max_attempts: INT_OR_TEXT,
    window: STR,
});
object!(UPDATE, "an update_config", EXT, [], {
    delay: STR,
    failure_action: STR,
    max_failure_ratio: NUM_OR_TEXT,
    monitor: STR,
    order: Shape::Enum(&["start-first", "stop-first"]),
    parallelism: INT_OR_TEXT,
});

object!(DEVELOP, "a develop section", EXT, [], { watch: Shape::List { items: &WATCH, unique: false } });
object!(WATCH, "a watch rule", EXT, ["path", "action"], {
    action: Shape::Enum(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"]),
    exec: HOOK,
    ignore: STRING_OR_LIST,
    include: STRING_OR_LIST,
    initial_sync: BOOLEAN,
    path: STR,
    target: STR,
});

object!(DEVICE, "a device", EXT, ["source"], { permissions: STR, source: STR, target: STR });
object!(ENV_FILE, "an env_file", CLOSED, ["path"], { format: STR, path: STR, required: FLAG });
object!(EXTENDS, "an extends section", CLOSED, ["service"], { file: STR, service: STR });
object!(HEALTHCHECK, "a health check", EXT, [], {
    disable: FLAG,
    interval: STR,
    retries: NUM_OR_TEXT,
    start_interval: STR,
    start_period: STR,
    test: Shape::OneOf(&[&STR, &STRINGS]),
    timeout: STR,
});
object!(HOOK, "a hook", EXT, ["command"], {
    command: COMMAND,
    environment: LIST_OR_DICT,
    privileged: FLAG,
    user: STR,
    working_dir: STR,
});
object!(PRE_START, "a pre_start hook", EXT, [], {
    command: COMMAND,
    environment: LIST_OR_DICT,
    image: STR,
    per_replica: FLAG,
    privileged: FLAG,
    user: STR,
    working_dir: STR,
});
object!(LOGGING, "a logging section", EXT, [], {
    driver: STR,
    options: Shape::Dict { keys: Keys::Any, values: &Shape::Scalar(Kinds(TEXT | NUMBER | NULL)) },
});
object!(SERVICE_MODEL, "a service's model", EXT, [], { endpoint_var: STR, model_var: STR });
object!(SERVICE_NETWORK, "a service's network", EXT, [], {
    aliases: UNIQUE_STRINGS,
    driver_opts: OPTIONS,
    gw_priority: Shape::Scalar(Kinds(NUMBER)),
    interface_name: STR,
    ipv4_address: STR,
    ipv6_address: STR,
    link_local_ips: UNIQUE_STRINGS,
    mac_address: STR,
    priority: Shape::Scalar(Kinds(NUMBER)),
});
object!(PORT, "a port", EXT, [], {
    app_protocol: STR,
    host_ip: STR,
    mode: STR,
    name: STR,
    protocol: STR,
    published: INT_OR_TEXT,
    target: INT_OR_TEXT,
});
object!(PROVIDER, "a provider", EXT, ["type"], {
    options: Shape::Dict {
        keys: Keys::Any,
        values: &Shape::OneOf(&[&PROVIDER_VALUE, &Shape::List { items: &PROVIDER_VALUE, unique: false }]),
    },
    type: STR,
});
const PROVIDER_VALUE: Shape = Shape::Scalar(Kinds(TEXT | NUMBER | BOOL));

const FILE_REFERENCES: Shape = Shape::List { items: &Shape::OneOf(&[&STR, &FILE_REFERENCE]), unique: false };
object!(FILE_REFERENCE, "a reference to a secret or config", EXT, [], {
    gid: STR,
    mode: NUM_OR_TEXT,
    source: STR,
    target: STR,
    uid: STR,
});
const ULIMITS: Shape = Shape::Dict { keys: Keys::Limits, values: &Shape::OneOf(&[&INT_OR_TEXT, &ULIMIT]) };
object!(ULIMIT, "a ulimit", EXT, ["soft", "hard"], { hard: INT_OR_TEXT, soft: INT_OR_TEXT });

object!(MOUNT, "a volume mount", EXT, ["type"], {
    bind: BIND,
    consistency: STR,
    image: IMAGE_MOUNT,
    read_only: FLAG,
    source: STR,
    target: STR,
    tmpfs: TMPFS,
    type: Shape::Enum(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"]),
    volume: VOLUME_MOUNT,
});
object!(BIND, "bind options", EXT, [], {
    create_host_path: FLAG,
    propagation: STR,
    recursive: Shape::Enum(&["enabled", "disabled", "writable", "readonly"]),
    selinux: Shape::Enum(&["z", "Z"]),
});
object!(VOLUME_MOUNT, "volume options", EXT, [], { labels: LIST_OR_DICT, nocopy: FLAG, subpath: STR });
object!(TMPFS, "tmpfs options", EXT, [], { mode: NUM_OR_TEXT, size: Shape::Between(0, i64::MAX) });
object!(IMAGE_MOUNT, "image options", EXT, [], { subpath: STR });

object!(INCLUDE_ENTRY, "an include", CLOSED, [], {
    env_file: STRING_OR_LIST,
    path: STRING_OR_LIST,
    project_directory: STR,
});
const INCLUDE: Shape = Shape::OneOf(&[&STR, &INCLUDE_ENTRY]);

const EXTERNAL: Shape = Shape::OneOf(&[&FLAG, &EXTERNAL_NAME]);
object!(EXTERNAL_NAME, "external", EXT, [], { name: STR });
const LOOSE_EXTERNAL: Shape = Shape::OneOf(&[&FLAG, &LOOSE_EXTERNAL_NAME]);
object!(LOOSE_EXTERNAL_NAME, "external", OPEN, [], { name: STR });

const NETWORK: Shape = Shape::OneOf(&[&NOTHING, &NETWORK_BODY]);
object!(NETWORK_BODY, "a network", EXT, [], {
    attachable: FLAG,
    driver: STR,
    driver_opts: OPTIONS,
    enable_ipv4: FLAG,
    enable_ipv6: FLAG,
    external: EXTERNAL,
    internal: FLAG,
    ipam: IPAM,
    labels: LIST_OR_DICT,
    name: STR,
});
object!(IPAM, "an ipam section", EXT, [], {
    config: Shape::List { items: &IPAM_POOL, unique: false },
    driver: STR,
    options: STRING_DICT,
});
object!(IPAM_POOL, "an address pool", EXT, [], { aux_addresses: STRING_DICT, gateway: STR, ip_range: STR, subnet: STR });
const VOLUME: Shape = Shape::OneOf(&[&NOTHING, &VOLUME_BODY]);
object!(VOLUME_BODY, "a volume", EXT, [], {
    driver: STR,
    driver_opts: OPTIONS,
    external: EXTERNAL,
    labels: LIST_OR_DICT,
    name: STR,
});
object!(SECRET, "a secret", EXT, [], {
    driver: STR,
    driver_opts: OPTIONS,
    environment: STR,
    external: LOOSE_EXTERNAL,
    file: STR,
    labels: LIST_OR_DICT,
    name: STR,
    template_driver: STR,
});
object!(CONFIG, "a config", EXT, [], {
    content: STR,
    environment: STR,
    external: LOOSE_EXTERNAL,
    file: STR,
    labels: LIST_OR_DICT,
    name: STR,
    template_driver: STR,
});
object!(MODEL, "a model", EXT, ["model"], { context_size: INT, model: STR, name: STR, runtime_flags: STRINGS });

/// Somewhere in the text stands a letter or digit followed by one more allowed character (Compose does not anchor it).
fn is_container_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && allowed(pair[1]))
}

/// One of the policies stands somewhere in the text (Compose does not anchor it either).
fn is_pull_policy(text: &str) -> bool {
    let words = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
    let every = |tail: &str| {
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && tail[digits..].starts_with(['w', 'd', 'h', 'm', 's'])
    };
    words.iter().any(|word| text.contains(word)) || text.match_indices("every_").any(|(at, _)| every(&text[at + 6..]))
}
