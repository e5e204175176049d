//! Logs, figures and programs of running containers: what streams beside the plan.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::io::AsyncWrite;

use super::EngineError;

/// Which lines of a container's log.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// Go on as lines come, until the container ends.
    pub follow: bool,
    /// Only so many of the last lines; `None` is all.
    pub tail: Option<u64>,
    /// Unix seconds, with a fraction or without: `1700000000.5`.
    pub since: Option<String>,
    pub until: Option<String>,
    /// Fill [`LogLine::at`].
    pub timestamps: bool,
}

/// One line, without its end. Bytes as the program wrote them: no promise of UTF-8, nor of harmlessness on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Written to standard error. A container with a terminal has only one stream, which counts as standard output.
    pub stderr: bool,
    /// RFC 3339 with nanoseconds, where asked for.
    pub at: Option<String>,
    pub text: Bytes,
}

/// What a container uses, at one moment. Sums are since its start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// RFC 3339.
    pub at: String,
    /// Of one core: 100 is one core at work.
    pub cpu_percent: f64,
    /// Bytes, without what the kernel only keeps as cache; the limit of the container, or of the machine.
    pub memory: u64,
    pub memory_limit: u64,
    /// Bytes over the network, all interfaces together.
    pub received: u64,
    pub sent: u64,
    /// Bytes from and to disks.
    pub read: u64,
    pub written: u64,
    pub processes: u64,
}

/// A program to run in a container.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    /// An argument list, never a shell string.
    pub command: Vec<String>,
    pub user: String,
    pub working_dir: String,
    /// `NAME=value`.
    pub environment: Vec<String>,
    pub privileged: bool,
    /// With a terminal; its size in rows and columns.
    pub tty: Option<(u16, u16)>,
    /// Whether something will be written to its standard input.
    pub stdin: bool,
}

/// A piece of a program's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub stderr: bool,
    pub bytes: Bytes,
}

/// A program that has been started.
pub struct ExecSession {
    /// For [`Streams::resize`] and [`Streams::exit_code`].
    pub id: String,
    /// Ends when the program does.
    pub output: BoxStream<'static, Result<Output, EngineError>>,
    /// Shut it down to end the program's input.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
}

/// Something that happened to a container of a Compose project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Happening {
    /// Nanoseconds since 1970, by the engine's clock.
    pub at: i64,
    pub what: What,
    pub container: String,
    pub name: String,
    /// What its labels say.
    pub project: String,
    pub service: String,
    /// With [`What::Exited`].
    pub exit_code: Option<i64>,
}

/// What happened. Only what may change how a container is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum What {
    #[default]
    Created,
    Started,
    Exited,
    OutOfMemory,
    Starting,
    Healthy,
    Unhealthy,
    Paused,
    Unpaused,
    Renamed,
    Removed,
}

impl What {
    /// As programs are told.
    pub fn word(self) -> &'static str {
        match self {
            What::Created => "created",
            What::Started => "started",
            What::Exited => "exited",
            What::OutOfMemory => "out-of-memory",
            What::Starting => "starting",
            What::Healthy => "healthy",
            What::Unhealthy => "unhealthy",
            What::Paused => "paused",
            What::Unpaused => "unpaused",
            What::Renamed => "renamed",
            What::Removed => "removed",
        }
    }
}

/// Streams of one engine. Each is watched: it fails in words when the engine goes silent, and waits for ever otherwise.
#[async_trait]
pub trait Streams: Send + Sync {
    /// The log of a container by id or name.
    async fn logs(
        &self,
        id: &str,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine, EngineError>>, EngineError>;
    /// Starts a program in a running container.
    async fn exec(&self, id: &str, request: &ExecRequest) -> Result<ExecSession, EngineError>;
    /// Tells the program's terminal its new size.
    async fn resize(&self, exec: &str, rows: u16, columns: u16) -> Result<(), EngineError>;
    /// The exit code, once the output has ended.
    async fn exit_code(&self, exec: &str) -> Result<i64, EngineError>;
    /// Ends a program that was started in a terminal, as closing its window would: the engine itself leaves it running. Only where it can be seen from here.
    async fn hang_up(&self, _exec: &str) -> Result<(), EngineError> {
        Ok(())
    }
    /// What a running container uses, about once a second; ends when it is gone.
    async fn stats(&self, id: &str) -> Result<BoxStream<'static, Result<Stats, EngineError>>, EngineError>;
    /// What happens to containers of Compose projects from now on; ends when the engine does.
    async fn happenings(&self) -> Result<BoxStream<'static, Result<Happening, EngineError>>, EngineError>;
}
