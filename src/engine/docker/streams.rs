//! Logs, and programs in running containers.

use std::collections::VecDeque;

use async_trait::async_trait;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, ReadHalf};

use super::errors::Fault;
use super::frames::{self, Lines, Outputs};
use super::wire::{self, CHANGE, LOOK, query, segment};
use super::{DockerEngine, convert, happenings, stats};
use crate::engine::EngineError;
use crate::engine::streams::{ExecRequest, ExecSession, Happening, LogLine, LogOptions, Output, Stats, Streams};

#[async_trait]
impl Streams for DockerEngine {
    async fn logs(
        &self,
        id: &str,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine, EngineError>>, EngineError> {
        let what = format!("read the log of the container {id}");
        let outputs = logs(self, id, options).await.map_err(|f| self.tell(f, &what))?;
        let engine = self.clone();
        Ok(lines(outputs, options.timestamps).map(move |line| line.map_err(|f| engine.tell(f, &what))).boxed())
    }

    async fn exec(&self, id: &str, request: &ExecRequest) -> Result<ExecSession, EngineError> {
        let program = request.command.first().map_or("", String::as_str);
        let what = format!("run `{program}` in the container {id}");
        let (exec, outputs, input) = exec(self, id, request).await.map_err(|f| self.tell(f, &what))?;
        let engine = self.clone();
        let output = outputs.map(move |output| output.map_err(|f| engine.tell(f, &what))).boxed();
        Ok(ExecSession { id: exec, output, input })
    }

    async fn resize(&self, exec: &str, rows: u16, columns: u16) -> Result<(), EngineError> {
        let path = format!("/exec/{exec}/resize?h={rows}&w={columns}");
        match self.wire.call(Method::POST, &path, None, CHANGE).await {
            // It has ended meanwhile: there is no terminal to resize.
            Ok(_) | Err(Fault::Refused { .. }) => Ok(()),
            Err(fault) => Err(self.tell(fault, "resize the terminal")),
        }
    }

    async fn exit_code(&self, exec: &str) -> Result<i64, EngineError> {
        exit_code(self, exec).await.map_err(|f| self.tell(f, "read the exit code"))
    }

    async fn hang_up(&self, exec: &str) -> Result<(), EngineError> {
        hang_up(self, exec).await.map_err(|f| self.tell(f, "end the program"))
    }

    async fn stats(&self, id: &str) -> Result<BoxStream<'static, Result<Stats, EngineError>>, EngineError> {
        let what = format!("see what the container {id} uses");
        let figures = stats::follow(self, id).await.map_err(|f| self.tell(f, &what))?;
        let engine = self.clone();
        Ok(figures.map(move |one| one.map_err(|f| engine.tell(f, &what))).boxed())
    }

    async fn happenings(&self) -> Result<BoxStream<'static, Result<Happening, EngineError>>, EngineError> {
        let what = "hear what happens to containers";
        let all = happenings::follow(self).await.map_err(|f| self.tell(f, what))?;
        let engine = self.clone();
        Ok(all.map(move |one| one.map_err(|f| engine.tell(f, what))).boxed())
    }
}

/// The output that the log of a container has kept.
pub async fn logs(engine: &DockerEngine, id: &str, options: &LogOptions) -> Result<Outputs, Fault> {
    let path = format!("/containers/{}", segment(id));
    let framed = engine.wire.get(&format!("{path}/json")).await?["Config"]["Tty"] != json!(true);
    let flag = |on: bool| if on { "1" } else { "0" };
    let tail = options.tail.map_or("all".into(), |n| n.to_string());
    let mut pairs = vec![("stdout", "1"), ("stderr", "1"), ("tail", tail.as_str())];
    pairs.extend([("follow", flag(options.follow)), ("timestamps", flag(options.timestamps))]);
    let times = [("since", &options.since), ("until", &options.until)];
    pairs.extend(times.into_iter().filter_map(|(key, time)| Some((key, time.as_deref()?))));
    let request = Request::get(format!("http://engine{path}/logs{}", query(&pairs))).body(wire::empty());
    let answer = engine.wire.answered(request.map_err(Fault::other)?).await?;
    Ok(frames::of_body(engine.wire.clone(), answer.into_body(), framed))
}

fn lines(outputs: Outputs, timestamps: bool) -> BoxStream<'static, Result<LogLine, Fault>> {
    let state = (outputs, Lines::default(), VecDeque::new(), false);
    let next = move |(mut outputs, mut lines, mut ready, mut ended): (
        Outputs,
        Lines,
        VecDeque<(bool, Bytes)>,
        bool,
    )| async move {
        loop {
            if let Some((stderr, text)) = ready.pop_front() {
                return Some((Ok(line(stderr, text, timestamps)), (outputs, lines, ready, ended)));
            }
            if ended {
                return None;
            }
            match outputs.next().await {
                Some(Ok(output)) => ready.extend(lines.add(&output)),
                Some(Err(fault)) => return Some((Err(fault), (outputs, lines, ready, true))),
                None => {
                    ready.extend(lines.finish());
                    ended = true;
                }
            }
        }
    };
    stream::unfold(state, next).boxed()
}

fn line(stderr: bool, mut text: Bytes, timestamps: bool) -> LogLine {
    let space = text.iter().position(|b| *b == b' ').filter(|_| timestamps);
    let at = space.map(|at| String::from_utf8_lossy(&text.split_to(at + 1)).trim_end().to_string());
    LogLine { stderr, at, text }
}

/// `POST /containers/{id}/exec`.
pub fn exec_body(request: &ExecRequest) -> Value {
    let mut body = Map::new();
    body.insert("AttachStdin".into(), json!(request.stdin));
    body.insert("AttachStdout".into(), json!(true));
    body.insert("AttachStderr".into(), json!(true));
    body.insert("Cmd".into(), json!(request.command));
    body.insert("Privileged".into(), json!(request.privileged));
    body.insert("Tty".into(), json!(request.tty.is_some()));
    for (key, value) in [("User", &request.user), ("WorkingDir", &request.working_dir)] {
        if !value.is_empty() {
            body.insert(key.into(), json!(value));
        }
    }
    if !request.environment.is_empty() {
        body.insert("Env".into(), json!(request.environment));
    }
    Value::Object(body)
}

type Started = (String, Outputs, Box<dyn tokio::io::AsyncWrite + Send + Unpin>);

/// Starts a program; its id, its output and its input.
pub async fn exec(engine: &DockerEngine, id: &str, request: &ExecRequest) -> Result<Started, Fault> {
    let path = format!("/containers/{}/exec", segment(id));
    let reply = engine.wire.call(Method::POST, &path, Some(&exec_body(request)), CHANGE).await?;
    let exec = convert::text(&reply.json()?["Id"]);
    if let Some((rows, columns)) = request.tty {
        let (output, input) = terminal(engine, &exec).await?;
        // Before the program has started there is nothing to resize; a failure only leaves the default size.
        let path = format!("/exec/{exec}/resize?h={rows}&w={columns}");
        engine.wire.call(Method::POST, &path, None, CHANGE).await.ok();
        return Ok((exec, output, input));
    }
    let started = engine.bollard.start_exec(&exec, None).await.map_err(Fault::from_bollard)?;
    let StartExecResults::Attached { output, input } = started else {
        return Err(Fault::Garbled("the program was started without its output".into()));
    };
    let chunk = |output: Result<LogOutput, bollard::errors::Error>| {
        let output = output.map_err(Fault::from_bollard)?;
        Ok(Output { stderr: matches!(output, LogOutput::StdErr { .. }), bytes: output.into_bytes() })
    };
    let wire = engine.wire.clone();
    let watched = stream::unfold((wire, output.map(chunk).boxed()), |(wire, mut output): (_, Outputs)| async move {
        // A program may be silent for long: as long as the engine answers, it is waited for.
        let next = wire.watched(std::time::Duration::MAX, async { output.next().await.transpose() }).await;
        next.transpose().map(|output_chunk| (output_chunk, (wire, output)))
    });
    Ok((exec, watched.boxed(), Box::new(input)))
}

/// A program with a terminal: the connection itself becomes the terminal, byte for byte. (bollard takes what begins with
/// a byte below 3 for the head of a frame.)
async fn terminal(
    engine: &DockerEngine,
    exec: &str,
) -> Result<(Outputs, Box<dyn tokio::io::AsyncWrite + Send + Unpin>), Fault> {
    let request = Request::post(format!("http://engine/exec/{exec}/start"))
        .header("content-type", "application/json")
        .header("connection", "Upgrade")
        .header("upgrade", "tcp")
        .body(wire::whole(json!({ "Detach": false, "Tty": true }).to_string()))
        .map_err(Fault::other)?;
    let answer = engine.wire.answered(request).await?;
    let connection = hyper::upgrade::on(answer).await.map_err(|e| Fault::Lost(e.to_string()))?;
    let (read, write) = tokio::io::split(TokioIo::new(connection));
    let next = |mut read: ReadHalf<TokioIo<hyper::upgrade::Upgraded>>| async move {
        let mut buffer = Vec::with_capacity(16 * 1024);
        match read.read_buf(&mut buffer).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Output { stderr: false, bytes: buffer.into() }), read)),
            Err(error) => Some((Err(Fault::Lost(error.to_string())), read)),
        }
    };
    Ok((stream::unfold(read, next).boxed(), Box::new(write)))
}

/// Tells the program that its terminal is gone, which ends shells and what they run; what takes no notice is killed.
async fn hang_up(engine: &DockerEngine, exec: &str) -> Result<(), Fault> {
    for signal in [rustix::process::Signal::HUP, rustix::process::Signal::KILL] {
        let value = engine.wire.get(&format!("/exec/{exec}/json")).await?;
        let pid = value["Pid"].as_i64().filter(|pid| *pid > 1 && value["Running"] == json!(true));
        let Some(pid) = pid else { return Ok(()) };
        // Of another machine, or seen from within a container, that number is somebody else's.
        if super::itself::container_of_process(pid).as_deref() != value["ContainerID"].as_str() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, signal).ok();
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    Ok(())
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
