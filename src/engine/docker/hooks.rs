//! `post_start` and `pre_stop`: a command in a running container, its output told line by line.

use std::collections::VecDeque;

use futures_util::StreamExt;

use super::errors::{self, Fault};
use super::frames::Lines;
use super::{DockerEngine, streams};
use crate::diag::{Diagnostic, Kind};
use crate::engine::streams::ExecRequest;
use crate::engine::{EngineError, Outcome, Progress, Tell};
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
    let (exec, last) = follow(engine, id, hook, progress).await.map_err(tell)?;
    let code = streams::exit_code(engine, &exec).await.map_err(tell)?;
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

/// Starts it and tells each line; gives its id and its last lines.
async fn follow(
    engine: &DockerEngine,
    id: &str,
    hook: &Hook,
    progress: Tell<'_>,
) -> Result<(String, Vec<String>), Fault> {
    let request = ExecRequest {
        command: hook.command.clone(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        environment: hook.environment.clone(),
        privileged: hook.privileged,
        ..ExecRequest::default()
    };
    let (exec, mut outputs, _input) = streams::exec(engine, id, &request).await?;
    let (mut lines, mut last) = (Lines::default(), VecDeque::new());
    let mut say = |(_, text): (bool, bytes::Bytes)| {
        let line = errors::clean(&String::from_utf8_lossy(&text));
        progress(Progress::Line(line.clone()));
        last.push_back(line);
        if last.len() > KEPT_LINES {
            last.pop_front();
        }
    };
    while let Some(output) = outputs.next().await {
        lines.add(&output?).into_iter().for_each(&mut say);
    }
    lines.finish().into_iter().for_each(&mut say);
    Ok((exec, last.into()))
}
