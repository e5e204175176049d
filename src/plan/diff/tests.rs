//! What counts as a difference, and what only the engine or the image adds.

use serde_json::{Value, json};

use super::*;

fn changes(wanted: (Value, Value), actual: (Value, Value), image: Value) -> Vec<String> {
    let request =
        ContainerRequest { name: "web-1".into(), config: wanted.0, host_config: wanted.1, ..Default::default() };
    let container = Container { id: "0123456789abcdef".into(), name: "web-1".into(), ..Default::default() };
    let detail = Detail { config: actual.0, host_config: actual.1, network_settings: json!({}), ..Detail::default() };
    let image = Image { config: image, ..Default::default() };
    diff(&request, &container, &detail, Some(&image), &[]).iter().map(crate::plan::text::field).collect()
}

#[test]
fn what_engine_and_image_add_is_no_difference() {
    let wanted = (
        json!({"Image": "x", "Env": ["A=1", "UNSET"]}),
        json!({"NetworkMode": "n", "CapAdd": ["net_admin"], "Memory": 100}),
    );
    let actual = (
        json!({"Image": "x", "Env": ["A=1", "PATH=/bin"], "Cmd": ["run"], "Hostname": "0123456789ab", "WorkingDir": "/app",
            "ExposedPorts": {"80/tcp": {}}, "Labels": {"maintainer": "m", "com.docker.compose.project": "p"},
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5}}),
        json!({"NetworkMode": "n", "CapAdd": ["CAP_NET_ADMIN"], "Memory": 100, "MemorySwap": 200, "ShmSize": 67_108_864, "IpcMode": "private",
            "CgroupnsMode": "private", "Runtime": "runc", "PidsLimit": -1, "MaskedPaths": ["/proc/acpi"], "RestartPolicy": {"Name": ""},
            "LogConfig": {"Type": "json-file", "Config": {}},
            "Mounts": [{"Type": "volume", "Source": "v", "Target": "/data"}]}),
    );
    let image = json!({"Env": ["PATH=/bin"], "Cmd": ["run"], "WorkingDir": "/app", "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}},
        "Labels": {"maintainer": "m"}, "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5}});
    assert_eq!(changes(wanted, actual, image), Vec::<String>::new());
}

#[test]
fn each_difference_is_named_as_in_the_stack() {
    let wanted = (
        json!({"Image": "x:2", "Env": ["TZ=Europe/Berlin", "NEW=1"], "Cmd": ["serve"], "StopTimeout": 5, "Labels": {"a": "2"}}),
        json!({"NetworkMode": "n", "Memory": 268_435_456, "NanoCpus": 1_500_000_000_u64, "Binds": ["data:/data:ro"],
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}]}, "RestartPolicy": {"Name": "always"}}),
    );
    let actual = (
        json!({"Image": "x:1", "Env": ["TZ=UTC", "OLD=1"], "Cmd": ["run"], "Hostname": "0123456789ab", "Labels": {"a": "1"}}),
        json!({"NetworkMode": "n", "Memory": 536_870_912, "Binds": ["data:/data:rw"], "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}),
    );
    let expected = [
        "command: run to serve",
        "environment NEW: 1 (new)",
        "environment OLD: 1 (gone)",
        "environment TZ: UTC to Europe/Berlin",
        "image: x:1 to x:2",
        "label a: 1 to 2",
        "limits cpus: 1.5 (new)",
        "limits memory: 512 MiB to 256 MiB",
        "port 80/tcp: 8080 to 127.0.0.1:8081",
        "restart: no to always",
        "stop_grace_period: 5s (new)",
        "volumes /data: volume data to volume data, ro",
    ];
    assert_eq!(changes(wanted, actual, json!({"Env": []})), expected);
}

#[test]
fn secrets_are_hidden_by_name_by_place_and_by_value() {
    let wanted = (
        json!({"Image": "x", "Env": ["DB_PASSWORD=hunter22", "URL=postgres://u:hunter22@db/x", "PLAIN=a-hunter22"],
            "Cmd": ["redis", "--requirepass", "other"], "Labels": {"token": "t0ken"}}),
        json!({"NetworkMode": "n"}),
    );
    let actual = (
        json!({"Image": "x", "Env": ["DB_PASSWORD=hunter21"], "Hostname": "0123456789ab"}),
        json!({"NetworkMode": "n"}),
    );
    let all = changes(wanted, actual, json!({"Env": []})).join("\n");
    for secret in ["hunter21", "hunter22", "other", "t0ken"] {
        assert!(!all.contains(secret), "{all}");
    }
    assert!(all.contains("environment DB_PASSWORD: (hidden) to (hidden)"), "{all}");
}

#[test]
fn limits_changed_by_hand_are_put_back_without_a_stop() {
    let wanted = json!({"Memory": 100_000_000, "RestartPolicy": {"Name": "always"}});
    let actual =
        json!({"Memory": 50_000_000, "MemorySwap": 100_000_000, "RestartPolicy": {"Name": "no"}, "PidsLimit": 7});
    let drift = drift(&wanted, &actual);
    let body = drift.update.unwrap().body;
    assert_eq!(
        body,
        json!({"Memory": 100_000_000, "PidsLimit": -1, "RestartPolicy": {"Name": "always"}, "MemorySwap": 200_000_000})
    );
    assert!(drift.fixed.is_empty());
}

#[test]
fn a_limit_that_should_not_be_there_needs_a_new_container() {
    let drift = drift(&json!({}), &json!({"Memory": 50_000_000, "MemorySwap": 100_000_000}));
    assert!(drift.update.is_none());
    assert_eq!(crate::plan::text::field(&drift.fixed[0]), "limits memory: 47.7 MiB (gone)");
}
