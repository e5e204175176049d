//! `post_start` and `pre_stop`: a command in a running container, its output told line by line.

use bollard::exec::StartExecResults;
use futures_util::StreamExt;
use hyper::Method;
use serde_json::{Map, Value, json};

use super::errors::{self, Fault};
use super::perform::Tell;
use super::wire::{CHANGE, LOOK};
use super::{DockerEngine, convert};
use crate::diag::{Diagnostic, Kind};
use crate::engine::{EngineError, Outcome, Progress};
use crate::plan::wanted::Hook;

/// The most output that is kept for the error of a hook that fails.
const KEPT_LINES: usize = 10;

/// Runs the hook to its end; anything but exit code 0 is a failure that quotes its last lines.
pub async fn run(
    engine: &DockerEngine,
    id: &str,
    name: &str,
    hook: &Hook,
    progress: Tell<'_>,
) -> Result<Outcome, EngineError> {
    let command = hook.command.first().map_or("", String::as_str);
    let what = format!("run the hook `{command}` in the container `{name}`");
    let tell = |fault: Fault| engine.tell(fault, &what);
    let path = format!("/containers/{id}/exec");
    let reply = engine.wire.call(Method::POST, &path, Some(&request(hook)), CHANGE).await.map_err(tell)?;
    let exec = convert::text(&reply.json().map_err(tell)?["Id"]);
    let last = follow(engine, &exec, progress).await.map_err(tell)?;
    let code = exit_code(engine, &exec).await.map_err(tell)?;
    if code == 0 {
        return Ok(Outcome::default());
    }
    let title = format!("the hook `{command}` of the container `{name}` ended with exit code {code}");
    let diagnostic = Diagnostic::error("engine.hook", title).kind(Kind::Failed);
    let diagnostic = match last.is_empty() {
        true => diagnostic,
        false => diagnostic.hint(format!("it said: {}", last.join(" | "))),
    };
    let mut error = errors::own(diagnostic);
    error.detail = last.join("\n");
    Err(error)
}

fn request(hook: &Hook) -> Value {
    let mut body = Map::new();
    body.insert("AttachStdout".into(), json!(true));
    body.insert("AttachStderr".into(), json!(true));
    body.insert("Cmd".into(), json!(hook.command));
    body.insert("Privileged".into(), json!(hook.privileged));
    for (key, value) in [("User", &hook.user), ("WorkingDir", &hook.working_dir)] {
        if !value.is_empty() {
            body.insert(key.into(), json!(value));
        }
    }
    if !hook.environment.is_empty() {
        body.insert("Env".into(), json!(hook.environment));
    }
    Value::Object(body)
}

/// Starts it and tells each line; gives the last ones.
async fn follow(engine: &DockerEngine, exec: &str, progress: Tell<'_>) -> Result<Vec<String>, Fault> {
    let started = engine.bollard.start_exec(exec, None).await.map_err(Fault::from_bollard)?;
    let StartExecResults::Attached { mut output, .. } = started else { return Ok(Vec::new()) };
    let (mut pending, mut last) = (Vec::new(), Vec::new());
    let mut say = |bytes: &[u8]| {
        let line = errors::clean(String::from_utf8_lossy(bytes).trim_end());
        progress(Progress::Line(line.clone()));
        last.push(line);
        if last.len() > KEPT_LINES {
            last.remove(0);
        }
    };
    // A hook may be silent for long: as long as the engine answers, it is waited for.
    while let Some(chunk) = engine
        .wire
        .watched(std::time::Duration::MAX, async { output.next().await.transpose().map_err(Fault::from_bollard) })
        .await?
    {
        pending.extend_from_slice(&chunk.into_bytes());
        while let Some(end) = pending.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            say(&line);
        }
    }
    if !pending.is_empty() {
        say(&pending);
    }
    Ok(last)
}

/// The exit code of an exec whose output has ended.
pub async fn exit_code(engine: &DockerEngine, exec: &str) -> Result<i64, Fault> {
    let path = format!("/exec/{exec}/json");
    let began = tokio::time::Instant::now();
    loop {
        let value = engine.wire.get(&path).await?;
        // The output can end a moment before the engine knows the code.
        match value["ExitCode"].as_i64() {
            Some(code) if value["Running"] != json!(true) => return Ok(code),
            _ if began.elapsed() > LOOK => return Err(Fault::Slow(LOOK)),
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}
