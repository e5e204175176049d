//! Logs, figures and programs of containers in memory: simple answers, so that whoever shows them can be driven without Docker.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::refused;
use super::{Double, happenings, observe};
use crate::engine::stored::Stored;
use crate::engine::streams::{ExecRequest, ExecSession, Happening, LogLine, LogOptions, Output, Stats, Streams};
use crate::engine::{EngineError, Host};
use crate::plan::observed::Container;
use crate::plan::request::PROJECT;

/// How often a log that is followed, and what a container uses, is looked at.
const AGAIN: Duration = Duration::from_millis(200);

#[async_trait]
impl Streams for Double {
    /// What the container wrote when it started; all at one time.
    async fn logs(
        &self,
        id: &str,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine, EngineError>>, EngineError> {
        let lines = self.lines(id, options)?;
        let skipped = lines.len();
        let first = stream::iter(lines.into_iter().map(Ok));
        if !options.follow {
            return Ok(first.boxed());
        }
        let all = LogOptions { tail: None, since: None, ..options.clone() };
        let already = self.lines(id, &all)?.len().max(skipped);
        let state = (self.clone(), id.to_string(), all, already);
        let later = stream::unfold(state, |(double, id, options, seen)| async move {
            tokio::time::sleep(AGAIN).await;
            let runs = double.fake.world().containers.get(&id).is_some_and(|c| c.is_running());
            let lines = double.lines(&id, &options).ok().filter(|lines| runs || lines.len() > seen)?;
            let new: Vec<_> = lines.iter().skip(seen).cloned().map(Ok).collect();
            Some((stream::iter(new), (double, id, options, lines.len())))
        });
        Ok(first.chain(later.flatten()).boxed())
    }

    /// Every program says what it is, and then everything that is typed; it ends with its input, with 0. Only `sleep` reads nothing.
    async fn exec(&self, id: &str, request: &ExecRequest) -> Result<ExecSession, EngineError> {
        let running = self.fake.world().containers.get(id).map(|c| c.is_running());
        match running {
            None => return Err(refused(404, format!("No such container: {id}"))),
            Some(false) => return Err(refused(409, format!("container {id} is not running"))),
            Some(true) => {}
        }
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        let said = format!("in memory: {}\r\n", request.command.join(" "));
        let first = stream::once(async move { Ok(Output { stderr: false, bytes: said.into() }) });
        let reads = request.command.first().is_none_or(|program| program != "sleep");
        let typed = stream::unfold(theirs, move |mut typed| async move {
            if !reads {
                // As long as somebody waits for it.
                let () = std::future::pending().await;
            }
            let mut buffer = vec![0; 4096];
            match typed.read(&mut buffer).await {
                Ok(n) if n > 0 => {
                    Some((Ok(Output { stderr: false, bytes: Bytes::copy_from_slice(&buffer[..n]) }), typed))
                }
                _ => None,
            }
        });
        let mut input: Box<dyn tokio::io::AsyncWrite + Send + Unpin> = Box::new(ours);
        if !request.stdin {
            // Nobody will write: its input is at its end.
            let _ = input.shutdown().await;
        }
        let number = self.execs.fetch_add(1, Ordering::Relaxed);
        Ok(ExecSession { id: format!("exec-{number}"), output: first.chain(typed).boxed(), input })
    }

    async fn resize(&self, _: &str, _: u16, _: u16) -> Result<(), EngineError> {
        Ok(())
    }

    async fn exit_code(&self, _: &str) -> Result<i64, EngineError> {
        Ok(0)
    }

    /// The same figures as long as it runs.
    async fn stats(&self, id: &str) -> Result<BoxStream<'static, Result<Stats, EngineError>>, EngineError> {
        if !self.fake.world().containers.contains_key(id) {
            return Err(refused(404, format!("No such container: {id}")));
        }
        let state = (self.clone(), id.to_string(), false);
        Ok(stream::unfold(state, |(double, id, again)| async move {
            if again {
                tokio::time::sleep(AGAIN).await;
            }
            let at = {
                let world = double.fake.world();
                world.containers.get(&id).filter(|c| c.is_running())?;
                observe::stamp(Some(world.now))
            };
            let stats = Stats { at, memory: 1 << 20, memory_limit: 1 << 30, processes: 1, ..Stats::default() };
            Some((Ok(stats), (double, id, true)))
        })
        .boxed())
    }

    async fn happenings(&self) -> Result<BoxStream<'static, Result<Happening, EngineError>>, EngineError> {
        Ok(happenings::follow(self, AGAIN))
    }
}

impl Double {
    fn lines(&self, id: &str, options: &LogOptions) -> Result<Vec<LogLine>, EngineError> {
        let world = self.fake.world();
        let Some(container) = world.containers.get(id) else {
            return Err(refused(404, format!("No such container: {id}")));
        };
        let at = options.timestamps.then(|| observe::stamp(container.started.or(Some(0))));
        let line = |text: &String| LogLine { stderr: false, at: at.clone(), text: Bytes::from(text.clone()) };
        let skip =
            options.tail.map_or(0, |n| container.words.len().saturating_sub(usize::try_from(n).unwrap_or(usize::MAX)));
        Ok(container.words.iter().skip(skip).map(line).collect())
    }
}

#[async_trait]
impl Host for Double {
    async fn compose_containers(&self) -> Result<Vec<Container>, EngineError> {
        let world = self.fake.world();
        let of_projects = world.containers.values().filter(|c| c.labels.contains_key(PROJECT));
        Ok(of_projects.map(|c| observe::container(c, false)).collect())
    }

    async fn containers(&self) -> Result<Vec<Container>, EngineError> {
        Ok(self.fake.world().containers.values().map(|c| observe::container(c, false)).collect())
    }

    async fn stored(&self) -> Result<Stored, EngineError> {
        Ok(observe::stored(&self.fake.world()))
    }

    fn is_double(&self) -> bool {
        true
    }
}
