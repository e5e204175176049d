//! What happens to containers of Compose projects, as the engine tells it (`GET /events`).

use futures_util::stream::BoxStream;
use hyper::Request;
use serde_json::{Value, json};

use super::errors::Fault;
use super::wire::{self, query};
use super::{DockerEngine, convert};
use crate::engine::streams::{Happening, What};
use crate::plan::request::{PROJECT, SERVICE};

/// Health probes are programs too, and there are many of them: what is not asked for is not sent.
const WORDS: [&str; 9] = ["create", "start", "die", "oom", "health_status", "pause", "unpause", "rename", "destroy"];

/// From now on, until the engine ends the stream.
pub async fn follow(engine: &DockerEngine) -> Result<BoxStream<'static, Result<Happening, Fault>>, Fault> {
    let filters = json!({"type": ["container"], "event": WORDS, "label": [PROJECT]}).to_string();
    let request = Request::get(format!("http://engine/events{}", query(&[("filters", &filters)])));
    let lines = engine.wire.json_lines(request.body(wire::empty()).map_err(Fault::other)?).await?;
    Ok(lines.each(of))
}

fn of(value: &Value) -> Option<Happening> {
    let attributes = &value["Actor"]["Attributes"];
    let text = |key: &str| convert::text(&attributes[key]);
    let what = match value["Action"].as_str()?.split(':').map(str::trim).collect::<Vec<_>>()[..] {
        ["create"] => What::Created,
        ["start"] => What::Started,
        ["die"] => What::Exited,
        ["oom"] => What::OutOfMemory,
        ["health_status", "healthy"] => What::Healthy,
        ["health_status", "unhealthy"] => What::Unhealthy,
        ["health_status", "starting"] => What::Starting,
        ["pause"] => What::Paused,
        ["unpause"] => What::Unpaused,
        ["rename"] => What::Renamed,
        ["destroy"] => What::Removed,
        _ => return None,
    };
    Some(Happening {
        at: value["timeNano"].as_i64().unwrap_or_default(),
        what,
        container: convert::text(&value["Actor"]["ID"]),
        name: text("name"),
        project: text(PROJECT),
        service: text(SERVICE),
        exit_code: text("exitCode").parse().ok().filter(|_| what == What::Exited),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_by_what_it_changes() {
        let of = |action: &str| {
            of(&json!({"Type": "container", "Action": action, "timeNano": 7, "Actor": {"ID": "c", "Attributes": {
                "name": "p-web-1", PROJECT: "p", SERVICE: "web", "exitCode": "137",
            }}}))
        };
        let exited = of("die").unwrap();
        assert_eq!((exited.what, exited.exit_code, exited.at), (What::Exited, Some(137), 7));
        assert_eq!((exited.name.as_str(), exited.project.as_str(), exited.service.as_str()), ("p-web-1", "p", "web"));
        assert_eq!(of("health_status: unhealthy").unwrap().what, What::Unhealthy);
        assert_eq!(of("start").unwrap().exit_code, None);
        assert_eq!(of("exec_start: sh -c true"), None);
    }
}
