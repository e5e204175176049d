//! The engine's classic build: the context as a tar, a Dockerfile from inside it, from elsewhere, or inline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use hyper::{Method, Request};
use serde_json::json;

use super::context::{self, Context};
use super::credentials;
use super::errors::{self, Fault};
use super::ignore::Ignore;
use super::wire::{self, query};
use super::{DockerEngine, convert, own};
use crate::base::files;
use crate::diag::{Diagnostic, Kind};
use crate::engine::{EngineError, Outcome, Progress, Tell};
use crate::plan::wanted::BuildRequest;

/// The name in the tar of a Dockerfile that is not in the context.
const OUTSIDE: &str = ".hearth.dockerfile";

/// Bytes that a build may say without ending the line: more is told in pieces.
const MOST_OF_LINE: usize = 1 << 20;

/// Builds and tags; every line that the build says is told. Gives the id of the image.
pub async fn build(engine: &DockerEngine, request: &BuildRequest, progress: Tell<'_>) -> Result<Outcome, EngineError> {
    let what = format!("build the image `{}`", request.image);
    let tell = |fault: Fault| engine.tell(fault, &what);
    if request.if_absent
        && let Some(value) = engine.find_image(&request.image).await.map_err(tell)?
    {
        return Ok(Outcome { id: Some(convert::text(&value["Id"])), warnings: Vec::new() });
    }
    let recipe = match request.of_hearth {
        true => own::recipe().map_err(|why| own::refusal(&why))?,
        false => recipe(request)?,
    };
    let references = images_in(&recipe.text);
    let logins = credentials::build_logins(&engine.place, &references).await;
    let proxies = engine.place.settings.proxies_for(&engine.place.host);
    let pairs = pairs(request, &recipe.name, &proxies);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let mut call = Request::builder()
        .method(Method::POST)
        .uri(format!("http://engine/build{}", query(&pairs)))
        .header("content-type", "application/x-tar");
    if let Some(logins) = logins {
        call = call.header("x-registry-config", logins.expose());
    }
    // The engine ends the request early when the tar breaks off: why it did is known on our side only.
    let broken = std::sync::Arc::new(std::sync::Mutex::new(None::<String>));
    let seen = broken.clone();
    let chunks = context::stream(recipe.context).inspect(move |chunk| {
        if let (Err(error), Ok(mut seen)) = (chunk, seen.lock()) {
            *seen = Some(error.to_string());
        }
    });
    let call = call.body(wire::streamed(chunks)).map_err(|e| tell(Fault::other(e)))?;
    let done = follow(engine, call, progress).await;
    let why = broken.lock().ok().and_then(|mut b| b.take());
    match (done, why) {
        (_, Some(why)) => Err(tell(Fault::Local(format!("the build context cannot be read: {why}")))),
        (Ok(id), None) => Ok(Outcome { id, warnings: Vec::new() }),
        (Err(Fault::Refused { status, message }), None) => Err(failed(engine, &what, status, message)),
        (Err(fault), None) => Err(tell(fault)),
    }
}

/// Most failures of a build are the Dockerfile's own: what it printed has been told, its last word is the title.
fn failed(engine: &DockerEngine, what: &str, status: u16, message: String) -> EngineError {
    let known = engine.tell(Fault::Refused { status, message: message.clone() }, what);
    if known.diagnostic.code != "engine.refused" {
        return known;
    }
    let title = format!("could not {what}: {}", errors::clean(message.lines().next().unwrap_or_default()));
    let diagnostic =
        Diagnostic::error("engine.build", title).kind(Kind::Failed).hint("the lines above say which step it was");
    EngineError { diagnostic: Box::new(diagnostic), ..known }
}

async fn follow(engine: &DockerEngine, call: Request<wire::Body>, progress: Tell<'_>) -> Result<Option<String>, Fault> {
    let mut lines = engine.wire.json_lines(call).await?;
    let (mut id, mut pending) = (None, String::new());
    while let Some(line) = lines.next().await? {
        if let Some(made) = line["aux"]["ID"].as_str() {
            id = Some(made.to_string());
        }
        if let (Some(layer), Some(status)) = (line["id"].as_str(), line["status"].as_str()) {
            // A base image is being pulled.
            let number = |key: &str| line["progressDetail"][key].as_u64().unwrap_or(0);
            progress(Progress::Layer {
                id: layer.into(),
                status: status.into(),
                current: number("current"),
                total: number("total"),
            });
        }
        pending.push_str(line["stream"].as_str().unwrap_or_default());
        let ended = pending.rfind('\n').map_or(0, |end| end + 1);
        for text in pending[..ended].lines().filter(|text| !text.trim().is_empty()) {
            progress(Progress::Line(errors::clean(text.trim_end())));
        }
        pending.drain(..ended);
        if pending.len() > MOST_OF_LINE {
            progress(Progress::Line(errors::clean(&std::mem::take(&mut pending))));
        }
    }
    if !pending.trim().is_empty() {
        progress(Progress::Line(errors::clean(pending.trim_end())));
    }
    Ok(id)
}

/// The query of `POST /build`. Proxies of the docker CLI's settings are arguments below the request's own.
fn pairs(request: &BuildRequest, dockerfile: &str, proxies: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    let mut args: BTreeMap<&str, Option<&str>> = proxies.iter().map(|(k, v)| (k.as_str(), Some(v.as_str()))).collect();
    args.extend(request.args.iter().map(|(k, v)| (k.as_str(), v.as_deref())));
    let mut pairs: Vec<(&'static str, String)> = vec![("t", request.image.clone())];
    pairs.extend(request.tags.iter().map(|tag| ("t", tag.clone())));
    pairs.push(("dockerfile", dockerfile.to_string()));
    pairs.push(("rm", "1".into()));
    pairs.push(("forcerm", "1".into()));
    pairs.push(("buildargs", json!(args).to_string()));
    pairs.push(("labels", json!(request.labels).to_string()));
    pairs.extend(request.extra_hosts.iter().map(|host| ("extrahosts", host.clone())));
    if !request.cache_from.is_empty() {
        pairs.push(("cachefrom", json!(request.cache_from).to_string()));
    }
    if request.shm_size > 0 {
        pairs.push(("shmsize", request.shm_size.to_string()));
    }
    let texts = [
        ("target", request.target.clone()),
        ("networkmode", request.network.clone()),
        ("platform", request.platform.clone().unwrap_or_default()),
    ];
    pairs.extend(texts.into_iter().filter(|(_, text)| !text.is_empty()));
    let flags = [("nocache", request.no_cache), ("pull", request.pull)];
    pairs.extend(flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "1".to_string())));
    pairs
}

/// The Dockerfile's text, its name in the tar, and the tar.
pub(super) struct Recipe {
    pub text: String,
    pub name: String,
    pub context: Context,
}

fn recipe(request: &BuildRequest) -> Result<Recipe, EngineError> {
    let root = PathBuf::from(&request.context);
    if !root.is_dir() {
        let title =
            format!("the build context {} of the service `{}` is not a directory", root.display(), request.service);
        return Err(refuse("engine.no-context-dir", title, "correct `build.context`"));
    }
    let mut ignore = read_ignore(&root)?;
    let own_ignore = files::read(&root.join(".dockerignore")).ok();
    if !request.dockerfile_inline.is_empty() {
        let text = request.dockerfile_inline.clone();
        return Ok(outside(root, ignore, own_ignore, text));
    }
    let wanted = if request.dockerfile.is_empty() { "Dockerfile" } else { &request.dockerfile };
    let path = root.join(wanted);
    let text = files::read(&path).map_err(|e| {
        let title =
            format!("the Dockerfile {} of the service `{}` cannot be read: {e}", path.display(), request.service);
        refuse("engine.no-dockerfile", title, "correct `build.dockerfile`, which is relative to the context")
    })?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let Some(inside) = beneath(&root, &path) else { return Ok(outside(root, ignore, own_ignore, text)) };
    // The engine needs both, ignored or not; it takes them out again itself.
    ignore.keep(&inside);
    ignore.keep(".dockerignore");
    Ok(Recipe { text, name: inside, context: Context { root: Some(root), ignore, ..Context::default() } })
}

/// A Dockerfile that is not in the context goes along beside it, and is ignored by the build itself.
fn outside(root: PathBuf, ignore: Ignore, own_ignore: Option<Vec<u8>>, text: String) -> Recipe {
    let mut lines = own_ignore.unwrap_or_else(|| b".dockerignore".to_vec());
    lines.extend_from_slice(format!("\n{OUTSIDE}\n").as_bytes());
    let extra =
        BTreeMap::from([(OUTSIDE.to_string(), text.clone().into_bytes()), (".dockerignore".to_string(), lines)]);
    let context = Context { root: Some(root), ignore, extra, ..Context::default() };
    Recipe { text, name: OUTSIDE.into(), context }
}

fn read_ignore(root: &Path) -> Result<Ignore, EngineError> {
    let path = root.join(".dockerignore");
    let text = match files::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ignore::default()),
        Err(error) => {
            return Err(refuse(
                "engine.dockerignore",
                format!("{} cannot be read: {error}", path.display()),
                "make it readable",
            ));
        }
    };
    Ignore::parse(&text).map_err(|line| {
        let title = format!("line {line} of {} is no pattern", path.display());
        refuse(
            "engine.dockerignore",
            title,
            "see how patterns are written in Docker's documentation of `.dockerignore`",
        )
    })
}

/// `path` relative to `root`, where it lies below it (links resolved).
fn beneath(root: &Path, path: &Path) -> Option<String> {
    let (root, path) = (root.canonicalize().ok()?, path.canonicalize().ok()?);
    Some(path.strip_prefix(root).ok()?.to_str()?.to_string())
}

pub(super) fn refuse(code: crate::diag::Code, title: String, hint: &str) -> EngineError {
    errors::own(Diagnostic::error(code, title).kind(Kind::Failed).hint(hint))
}

/// What the Dockerfile takes images from, to know which logins to send along.
fn images_in(dockerfile: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    let from = |line: Vec<String>| {
        let is_from = line.first().is_some_and(|w| w.eq_ignore_ascii_case("from"));
        is_from.then(|| line.into_iter().skip(1).find(|w| !w.starts_with("--"))).flatten()
    };
    dockerfile.lines().map(words).filter_map(from).filter(|image| !image.contains('$')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_all_that_the_request_says() {
        let request = BuildRequest {
            image: "p-web".into(),
            tags: vec!["p:2".into()],
            args: BTreeMap::from([("A".into(), Some("b".into())), ("HTTP_PROXY".into(), Some("own".into()))]),
            target: "final".into(),
            no_cache: true,
            extra_hosts: vec!["a:1.2.3.4".into(), "b:::1".into()],
            ..BuildRequest::default()
        };
        let proxies = BTreeMap::from([
            ("HTTP_PROXY".to_string(), "set".to_string()),
            ("http_proxy".to_string(), "set".to_string()),
        ]);
        let pairs = pairs(&request, "Dockerfile", &proxies);
        let of = |name: &str| pairs.iter().filter(|(n, _)| *n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
        assert_eq!(of("t"), ["p-web", "p:2"]);
        assert_eq!(of("buildargs"), [r#"{"A":"b","HTTP_PROXY":"own","http_proxy":"set"}"#]);
        assert_eq!((of("target"), of("nocache"), of("pull")), (vec!["final"], vec!["1"], vec![]));
        assert_eq!(of("extrahosts").len(), 2);
    }

    #[test]
    fn a_dockerfile_is_found_inside_and_carried_along_from_outside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ctx");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/Dockerfile"), "FROM a").unwrap();
        std::fs::write(root.join(".dockerignore"), "*").unwrap();
        std::fs::write(dir.path().join("Other"), "FROM b").unwrap();
        let with = |dockerfile: &str| BuildRequest {
            context: root.to_str().unwrap().into(),
            dockerfile: dockerfile.into(),
            ..Default::default()
        };
        let inside = recipe(&with("sub/Dockerfile")).ok().unwrap();
        assert_eq!(inside.name, "sub/Dockerfile");
        assert!(!inside.context.ignore.ignores("sub/Dockerfile") && inside.context.ignore.ignores("x"));
        let other = recipe(&with("../Other")).ok().unwrap();
        assert_eq!((other.name.as_str(), other.text.as_str()), (OUTSIDE, "FROM b"));
        assert_eq!(other.context.extra[".dockerignore"], format!("*\n{OUTSIDE}\n").into_bytes());
        assert_eq!(recipe(&with("None")).err().unwrap().diagnostic.code, "engine.no-dockerfile");
    }

    #[test]
    fn base_images_are_found_for_their_logins() {
        let text = "ARG X\nFROM --platform=linux/amd64 r.example/a/b:1 AS base\nfrom $X\n# FROM no\nRUN echo FROM no\nFROM base";
        assert_eq!(images_in(text), ["r.example/a/b:1", "base"]);
    }
}
