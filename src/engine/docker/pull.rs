//! Pulling an image, layer by layer.

use hyper::{Method, Request};
use serde_json::Value;

use super::credentials::{self, Login};
use super::errors::Fault;
use super::wire::{self, query};
use super::{DockerEngine, convert};
use crate::engine::{EngineError, Outcome, Progress, Tell};

/// Pulls `reference`; gives the id of the local image. There is no limit on the whole, only on silence.
pub async fn pull(
    engine: &DockerEngine,
    reference: &str,
    platform: Option<&str>,
    progress: Tell<'_>,
) -> Result<Outcome, EngineError> {
    let what = format!("pull the image `{reference}`");
    let login = credentials::login(&engine.place, reference).await;
    let done = run(engine, reference, platform, &login, progress).await;
    match done {
        Ok(()) => {
            let image = engine.find_image(reference).await.map_err(|f| engine.tell(f, &what))?;
            Ok(Outcome { id: image.map(|value| convert::text(&value["Id"])), warnings: Vec::new() })
        }
        Err(fault) => {
            let mut error = engine.tell(fault, &what);
            if error.diagnostic.code == "engine.registry-denied" {
                error.diagnostic.hints.extend(login.trouble);
            }
            Err(error)
        }
    }
}

async fn run(
    engine: &DockerEngine,
    reference: &str,
    platform: Option<&str>,
    login: &Login,
    progress: Tell<'_>,
) -> Result<(), Fault> {
    let (name, tag) = name_and_tag(reference);
    let platform = platform.map(|p| ("platform", p));
    let pairs: Vec<(&str, &str)> = [("fromImage", name), ("tag", tag)].into_iter().chain(platform).collect();
    let mut request =
        Request::builder().method(Method::POST).uri(format!("http://engine/images/create{}", query(&pairs)));
    if let Some(header) = &login.header {
        request = request.header("x-registry-auth", header.expose());
    }
    let request = request.body(wire::empty()).map_err(Fault::other)?;
    let mut lines = engine.wire.json_lines(request).await?;
    while let Some(line) = lines.next().await? {
        if let Some(layer) = layer(&line) {
            progress(layer);
        }
    }
    Ok(())
}

/// One line of the pull; lines about the whole image have no id of a layer, or name the tag in its place.
fn layer(line: &Value) -> Option<Progress> {
    let id = line["id"].as_str()?.to_string();
    let status = convert::text(&line["status"]);
    if status.starts_with("Pulling from ") {
        return None;
    }
    let number = |key: &str| line["progressDetail"][key].as_u64().unwrap_or(0);
    Some(Progress::Layer { id, status, current: number("current"), total: number("total") })
}

/// `name` and `tag` or digest, as the API wants them apart: without a tag it would pull every one there is.
fn name_and_tag(reference: &str) -> (&str, &str) {
    let (name, digest) = reference.split_once('@').map_or((reference, None), |(n, d)| (n, Some(d)));
    let last = name.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match name[last..].rfind(':') {
        Some(at) => (&name[..last + at], &name[last + at + 1..]),
        None => (name, "latest"),
    };
    (name, digest.unwrap_or(tag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_is_taken_apart_for_the_api() {
        for (reference, expected) in [
            ("nginx", ("nginx", "latest")),
            ("nginx:1.2", ("nginx", "1.2")),
            ("r.example:5000/a/b", ("r.example:5000/a/b", "latest")),
            ("r.example:5000/a/b:3", ("r.example:5000/a/b", "3")),
            ("a/b@sha256:0f", ("a/b", "sha256:0f")),
            ("a/b:1@sha256:0f", ("a/b", "sha256:0f")),
        ] {
            assert_eq!(name_and_tag(reference), expected, "{reference}");
        }
    }

    #[test]
    fn layers_are_told_and_words_about_the_whole_are_not() {
        let line = json!({ "id": "ab12", "status": "Downloading", "progressDetail": { "current": 5, "total": 10 } });
        assert!(matches!(layer(&line), Some(Progress::Layer { current: 5, total: 10, .. })));
        assert!(layer(&json!({ "id": "latest", "status": "Pulling from library/nginx" })).is_none());
        assert!(layer(&json!({ "status": "Digest: sha256:0" })).is_none());
    }
}
