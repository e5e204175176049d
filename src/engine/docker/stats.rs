//! What a running container uses, as the engine counts it.

use futures_util::stream::BoxStream;
use hyper::Request;
use serde_json::Value;

use super::errors::Fault;
use super::wire::{self, segment};
use super::{DockerEngine, convert};
use crate::engine::streams::Stats;

/// About one a second, until the container is gone.
pub async fn follow(engine: &DockerEngine, id: &str) -> Result<BoxStream<'static, Result<Stats, Fault>>, Fault> {
    let request = Request::get(format!("http://engine/containers/{}/stats?stream=1", segment(id)));
    let lines = engine.wire.json_lines(request.body(wire::empty()).map_err(Fault::other)?).await?;
    Ok(lines.each(|value| Some(of(value))))
}

/// One message. The share of the processor is that since the message before, as `docker stats` counts it.
fn of(value: &Value) -> Stats {
    let number = |path: &str| value.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let since =
        |key: &str| number(&format!("/cpu_stats/{key}")).saturating_sub(number(&format!("/precpu_stats/{key}")));
    let (own, all) = (since("cpu_usage/total_usage") as f64, since("system_cpu_usage") as f64);
    let cores = number("/cpu_stats/online_cpus").max(1) as f64;
    let cache = ["/memory_stats/stats/inactive_file", "/memory_stats/stats/total_inactive_file"].map(number);
    let networks = value["networks"].as_object();
    let network = |key: &str| networks.iter().flat_map(|all| all.values()).filter_map(|one| one[key].as_u64()).sum();
    let disk = |wanted: &str| {
        let all = convert::list(&value["blkio_stats"]["io_service_bytes_recursive"]).iter();
        let of = all.filter(|one| one["op"].as_str().is_some_and(|op| op.eq_ignore_ascii_case(wanted)));
        of.filter_map(|one| one["value"].as_u64()).sum()
    };
    Stats {
        at: convert::text(&value["read"]),
        cpu_percent: if all > 0.0 { own / all * cores * 100.0 } else { 0.0 },
        memory: number("/memory_stats/usage").saturating_sub(cache.into_iter().max().unwrap_or(0)),
        memory_limit: number("/memory_stats/limit"),
        received: network("rx_bytes"),
        sent: network("tx_bytes"),
        read: disk("read"),
        written: disk("write"),
        processes: number("/pids_stats/current"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_those_of_docker_stats() {
        let value = json!({
            "read": "2026-11-26T12:00:00Z",
            "cpu_stats": {"cpu_usage": {"total_usage": 3_000}, "system_cpu_usage": 20_000, "online_cpus": 2},
            "precpu_stats": {"cpu_usage": {"total_usage": 1_000}, "system_cpu_usage": 10_000},
            "memory_stats": {"usage": 900, "limit": 2000, "stats": {"inactive_file": 400}},
            "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
            "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": 5}, {"op": "Write", "value": 6}]},
            "pids_stats": {"current": 4},
        });
        let stats = of(&value);
        assert_eq!((stats.cpu_percent, stats.memory, stats.memory_limit), (40.0, 500, 2000));
        assert_eq!((stats.received, stats.sent, stats.read, stats.written, stats.processes), (11, 22, 5, 6, 4));
        // The first message of a container that has just started has nothing before it.
        assert_eq!(of(&json!({})).cpu_percent, 0.0);
    }
}
