//! Limits, devices and `deploy`.

use super::Fields;
use crate::compose::model::*;

pub(super) fn blkio(f: &Fields) -> BlkioConfig {
    let throttles = |key: &str| {
        f.each(key, |d| ThrottleDevice { path: d.text("path"), rate: d.bytes("rate"), extensions: d.extensions() })
    };
    BlkioConfig {
        weight: f.number_of_bits("weight"),
        weight_device: f.each("weight_device", |d| WeightDevice {
            path: d.text("path"),
            weight: d.number_of_bits("weight"),
            extensions: d.extensions(),
        }),
        device_read_bps: throttles("device_read_bps"),
        device_read_iops: throttles("device_read_iops"),
        device_write_bps: throttles("device_write_bps"),
        device_write_iops: throttles("device_write_iops"),
        extensions: f.extensions(),
    }
}

pub(super) fn device(f: Fields) -> DeviceMapping {
    DeviceMapping {
        source: f.text("source"),
        target: f.text("target"),
        permissions: f.text("permissions"),
        extensions: f.extensions(),
    }
}

pub(super) fn device_request(f: Fields) -> DeviceRequest {
    DeviceRequest {
        capabilities: f.strings("capabilities"),
        driver: f.text("driver"),
        count: f.device_count("count"),
        device_ids: f.strings("device_ids"),
        options: f.mapping("options"),
    }
}

pub(super) fn deploy(f: &Fields) -> Deploy {
    let update = |u: Fields| UpdateConfig {
        parallelism: u.uint_opt("parallelism"),
        delay: u.duration("delay"),
        failure_action: u.text("failure_action"),
        monitor: u.duration("monitor"),
        max_failure_ratio: u.float("max_failure_ratio"),
        order: u.text("order"),
        extensions: u.extensions(),
    };
    Deploy {
        mode: f.text("mode"),
        replicas: f.int_opt("replicas"),
        labels: f.mapping("labels"),
        update_config: f.sub("update_config").map(update),
        rollback_config: f.sub("rollback_config").map(update),
        resources: f.sub("resources").map(|r| resources(&r)).unwrap_or_default(),
        restart_policy: f.sub("restart_policy").map(|p| RestartPolicy {
            condition: p.text("condition"),
            delay: p.duration_opt("delay"),
            max_attempts: p.uint_opt("max_attempts"),
            window: p.duration_opt("window"),
            extensions: p.extensions(),
        }),
        placement: f.sub("placement").map(|p| placement(&p)).unwrap_or_default(),
        endpoint_mode: f.text("endpoint_mode"),
        extensions: f.extensions(),
    }
}

fn placement(f: &Fields) -> Placement {
    Placement {
        constraints: f.strings("constraints"),
        preferences: f
            .each("preferences", |p| PlacementPreference { spread: p.text("spread"), extensions: p.extensions() }),
        max_replicas_per_node: f.uint_opt("max_replicas_per_node").unwrap_or_default(),
        extensions: f.extensions(),
    }
}

fn resources(f: &Fields) -> Resources {
    let resource = |r: Fields| Resource {
        cpus: r.float("cpus"),
        memory: r.bytes("memory"),
        pids: r.int("pids"),
        devices: r.each("devices", device_request),
        generic_resources: r.each("generic_resources", |g| GenericResource {
            discrete_resource_spec: g.sub("discrete_resource_spec").map(|d| DiscreteResource {
                kind: d.text("kind"),
                value: d.int("value"),
                extensions: d.extensions(),
            }),
            extensions: g.extensions(),
        }),
        extensions: r.extensions(),
    };
    Resources {
        limits: f.sub("limits").map(resource),
        reservations: f.sub("reservations").map(resource),
        extensions: f.extensions(),
    }
}
