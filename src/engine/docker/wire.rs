//! The connection: HTTP/1.1 over a Unix socket, TCP or TLS, with a pinned API version and bounded time.
//!
//! Requests of the planner and looks at the world are JSON values on both sides and go out as they are; bollard runs over
//! these same connections for programs in containers. Why: `docs/decisions/0005-json-over-our-own-connection.md`.
//!
//! Time: a call waits as long as the engine answers a ping; a silent engine fails the call within
//! [`ASK_AFTER`] + [`PING`], and the calls after it within [`AGAIN`], until it answers again. Above that each call has a
//! limit of its own.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout};

use super::connect::Address;
use super::errors::Fault;
use super::tls;

/// A body as bollard's transport hands it over, so that both share one client.
pub type Body =
    Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send>>>>;

/// A call without an answer asks after this time whether the engine is still there.
pub const ASK_AFTER: Duration = Duration::from_secs(4);
/// How long the engine may take to answer a ping, connecting included.
pub const PING: Duration = Duration::from_secs(5);
/// How long an engine that has just been silent may take: clearing up after a failure must not wait for each call anew.
pub const AGAIN: Duration = Duration::from_secs(1);
/// Limit of a look, and of a change, on an engine that answers pings.
pub const LOOK: Duration = Duration::from_secs(60);
pub const CHANGE: Duration = Duration::from_secs(600);
/// How long a pull or a build may say nothing while the engine answers pings.
pub const IDLE: Duration = Duration::from_secs(1800);

/// Bytes of one answer that is read whole, of what is read of a refusal, and of one line of a pull or a build: far more than
/// an engine ever says, and little enough to hold.
const MOST: usize = 64 << 20;
const MOST_OF_REFUSAL: usize = 1 << 20;
const MOST_OF_LINE: usize = 8 << 20;

/// The newest API whose requests and answers Hearth knows, and the oldest it writes down to (engine 20.10).
pub const NEWEST: (u32, u32) = (1, 51);
pub const OLDEST: (u32, u32) = (1, 41);

/// `1.45` as numbers.
pub fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What every answer of an engine says about it.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    pub api: (u32, u32),
    /// Product and version as `Docker/26.1.5 (linux)`.
    pub server: String,
    /// As `linux`.
    pub os: String,
}

/// One answer, read whole.
#[derive(Debug, Clone)]
pub struct Reply {
    pub body: Bytes,
}

impl Reply {
    pub fn json(&self) -> Result<Value, Fault> {
        serde_json::from_slice(&self.body).map_err(|e| Fault::Garbled(e.to_string()))
    }
}

/// A connection pool to one engine. Clones share it.
#[derive(Clone)]
pub struct Wire {
    client: Client<Dial, Body>,
    /// `/v1.45`; empty until the engine was greeted.
    prefix: Arc<str>,
    /// The last ping was not answered.
    silent: Arc<AtomicBool>,
}

impl Wire {
    pub fn new(address: &Address) -> Result<Wire, Fault> {
        let dial = Dial::new(address)?;
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(32).build(dial);
        Ok(Wire { client, prefix: "".into(), silent: Arc::default() })
    }

    /// The same connections, every request under `/v<major>.<minor>`.
    pub fn pinned(&self, api: (u32, u32)) -> Wire {
        Wire { prefix: format!("/v{}.{}", api.0, api.1).into(), ..self.clone() }
    }

    /// The same connections, requests without a version: the engine answers in its newest.
    pub fn unpinned(&self) -> Wire {
        Wire { prefix: "".into(), ..self.clone() }
    }

    /// Asks whether the engine is there, within [`PING`]; gives its API version.
    pub async fn greet(&self) -> Result<Greeting, Fault> {
        self.ask(PING).await
    }

    async fn ask(&self, within: Duration) -> Result<Greeting, Fault> {
        let request = Request::get("http://engine/_ping").body(empty()).map_err(Fault::other)?;
        let answer = timeout(within, self.client.request(request)).await;
        self.silent.store(answer.is_err(), Ordering::Relaxed);
        let answer = answer.map_err(|_| Fault::Silent(PING))?;
        let answer = answer.map_err(Fault::from_client)?;
        let header =
            |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_string();
        let api = version(&header("api-version")).ok_or_else(|| Fault::Garbled("it names no API version".into()))?;
        Ok(Greeting { api, server: header("server"), os: header("ostype") })
    }

    /// Sends one request and reads the whole answer. Anything but success and "not modified" is a [`Fault::Refused`].
    /// `path` starts with `/` and has no version; `limit` counts on an engine that answers pings.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Reply, Fault> {
        let bytes = body.map(|b| Bytes::from(b.to_string()));
        self.call_with(method, path, "application/json", bytes.unwrap_or_default(), limit).await
    }

    /// As [`Wire::call`], with a body of any type.
    pub async fn call_with(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<Reply, Fault> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://engine{path}"))
            .header("content-type", content_type)
            .body(whole(body))
            .map_err(Fault::other)?;
        self.watched(limit, async {
            let answer = self.client.request(self.versioned(request)?).await.map_err(Fault::from_client)?;
            let status = answer.status();
            if status.is_success() || status == StatusCode::NOT_MODIFIED {
                return Ok(Reply { body: whole_body(answer.into_body(), MOST).await? });
            }
            let body = whole_body(answer.into_body(), MOST_OF_REFUSAL).await?;
            Err(Fault::Refused { status: status.as_u16(), message: message_of(&body) })
        })
        .await
    }

    pub async fn get(&self, path: &str) -> Result<Value, Fault> {
        self.call(Method::GET, path, None, LOOK).await?.json()
    }

    /// As [`Wire::get`], `None` where the engine knows no such thing.
    pub async fn find(&self, path: &str) -> Result<Option<Value>, Fault> {
        match self.get(path).await {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Refused { status: 404, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Sends a request whose answer is read line by line while the engine works.
    pub async fn json_lines(&self, request: Request<Body>) -> Result<JsonLines, Fault> {
        let answer = self.answered(request).await?;
        let (pending, searched) = (BytesMut::new(), 0);
        Ok(JsonLines { wire: self.clone(), body: answer.into_body(), pending, searched, ended: false })
    }

    /// As [`Wire::send`], a refusal being read as the failure that it is.
    pub async fn answered(&self, request: Request<Body>) -> Result<Response<Incoming>, Fault> {
        let answer = self.send(request).await?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        let body = self.watched(LOOK, whole_body(answer.into_body(), MOST_OF_REFUSAL)).await?;
        Err(Fault::Refused { status: status.as_u16(), message: message_of(&body) })
    }

    /// The head of the answer, the body being the caller's to read. Sending a body takes as long as it takes.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Fault> {
        let request = self.versioned(request)?;
        self.watched(Duration::MAX, async { self.client.request(request).await.map_err(Fault::from_client) }).await
    }

    /// Runs `work` as long as the engine answers pings, for `limit` at most.
    pub async fn watched<T>(&self, limit: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        if self.silent.load(Ordering::Relaxed) {
            self.ask(AGAIN).await?;
        }
        tokio::pin!(work);
        let started = Instant::now();
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(ASK_AFTER) => {}
            }
            tokio::select! {
                done = &mut work => return done,
                alive = self.greet() => { alive?; }
            }
            if started.elapsed() >= limit {
                return Err(Fault::Slow(limit));
            }
        }
    }

    /// Puts the pinned version before the path, unless a version is there already.
    fn versioned(&self, mut request: Request<Body>) -> Result<Request<Body>, Fault> {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let is_versioned = path.strip_prefix("/v").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let path = if is_versioned { path.to_string() } else { format!("{}{path}", self.prefix) };
        *request.uri_mut() = format!("http://engine{path}").parse::<Uri>().map_err(Fault::other)?;
        Ok(request)
    }
}

/// A body in one piece; one that is larger than `most` is no engine's.
pub async fn whole_body(body: Incoming, most: usize) -> Result<Bytes, Fault> {
    let limited = Limited::new(body, most).collect().await;
    let told = |error: Box<dyn std::error::Error + Send + Sync>| match error.is::<LengthLimitError>() {
        true => too_large(most),
        false => Fault::Lost(error.to_string()),
    };
    limited.map(|body| body.to_bytes()).map_err(told)
}

fn too_large(most: usize) -> Fault {
    Fault::Garbled(format!("its answer is larger than {}", crate::base::units::bytes(most as u64)))
}

/// A body of nothing.
pub fn empty() -> Body {
    Either::Left(Full::default())
}

pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(bytes.into()))
}

/// A body that is made while it is sent.
pub fn streamed(chunks: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Body {
    Either::Right(StreamBody::new(Box::pin(chunks.map(|chunk| chunk.map(Frame::data)))))
}

/// The engine's lines of JSON, one for each thing it says while it works.
pub struct JsonLines {
    wire: Wire,
    body: Incoming,
    pending: BytesMut,
    /// How much of `pending` has no end of a line.
    searched: usize,
    ended: bool,
}

impl JsonLines {
    /// What `of` makes of each line, until the end or a failure; a line of which it makes nothing is passed over.
    pub fn each<T: Send + 'static>(
        self,
        of: impl Fn(&Value) -> Option<T> + Clone + Send + 'static,
    ) -> BoxStream<'static, Result<T, Fault>> {
        let next = move |lines: Option<JsonLines>| {
            let of = of.clone();
            async move {
                let mut lines = lines?;
                loop {
                    match lines.next().await {
                        Ok(Some(value)) => {
                            if let Some(made) = of(&value) {
                                return Some((Ok(made), Some(lines)));
                            }
                        }
                        Ok(None) => return None,
                        Err(fault) => return Some((Err(fault), None)),
                    }
                }
            }
        };
        stream::unfold(Some(self), next).boxed()
    }

    /// The next line; `None` at the end. A line with an error in it is the failure of the whole.
    pub async fn next(&mut self) -> Result<Option<Value>, Fault> {
        loop {
            if let Some(end) = self.pending[self.searched..].iter().position(|b| *b == b'\n') {
                let line = self.pending.split_to(self.searched + end + 1);
                self.searched = 0;
                match line.trim_ascii() {
                    [] => continue,
                    text => return json_line(text).map(Some),
                }
            }
            self.searched = self.pending.len();
            if self.searched > MOST_OF_LINE {
                return Err(too_large(MOST_OF_LINE));
            }
            if self.ended {
                let rest = std::mem::take(&mut self.pending);
                self.searched = 0;
                return if rest.trim_ascii().is_empty() { Ok(None) } else { json_line(rest.trim_ascii()).map(Some) };
            }
            let body = &mut self.body;
            let frame = async { body.frame().await.transpose().map_err(|e| Fault::Lost(e.to_string())) };
            match self.wire.watched(IDLE, frame).await? {
                Some(frame) => self.pending.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                None => self.ended = true,
            }
        }
    }
}

fn json_line(text: &[u8]) -> Result<Value, Fault> {
    let line: Value = serde_json::from_slice(text).map_err(|e| Fault::Garbled(e.to_string()))?;
    let message = line["errorDetail"]["message"].as_str().or(line["error"].as_str());
    match message {
        Some(message) => Err(Fault::said(message)),
        None => Ok(line),
    }
}

/// The engine's own words in an error's body.
fn message_of(body: &[u8]) -> String {
    let json = serde_json::from_slice::<Value>(body).ok();
    let message = json.as_ref().and_then(|v| v["message"].as_str()).map(str::to_string);
    message.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_string())
}

/// `?name=value&...` with everything encoded that must be; empty for no pairs.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encoded(name, ""), encoded(value, ""));
    let joined = pairs.iter().map(pair).collect::<Vec<_>>().join("&");
    if joined.is_empty() { joined } else { format!("?{joined}") }
}

/// A name or reference as part of a path; the separators of image references stay.
pub fn segment(text: &str) -> String {
    encoded(text, "/:@")
}

fn encoded(text: &str, also: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.as_bytes().contains(&byte);
        if plain {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Opens connections to one address.
#[derive(Clone)]
enum Dial {
    Unix(Arc<Path>),
    Tcp { host: Arc<str>, port: u16 },
    Tls { host: Arc<str>, port: u16, connector: tokio_rustls::TlsConnector },
}

impl Dial {
    fn new(address: &Address) -> Result<Dial, Fault> {
        Ok(match address {
            Address::Unix(path) => Dial::Unix(path.as_path().into()),
            Address::Tcp { host, port } => Dial::Tcp { host: host.as_str().into(), port: *port },
            Address::Tls { host, port, files } => {
                Dial::Tls { host: host.as_str().into(), port: *port, connector: tls::connector(files)? }
            }
        })
    }

    async fn open(self) -> Result<Link, DialError> {
        Ok(match self {
            Dial::Unix(path) => Link::new(UnixStream::connect(path).await?),
            Dial::Tcp { host, port } => Link::new(tcp(&host, port).await?),
            Dial::Tls { host, port, connector } => {
                let name = tls::server_name(&host).map_err(DialError::Tls)?;
                let stream = tcp(&host, port).await?;
                Link::new(connector.connect(name, stream).await.map_err(|e| DialError::Tls(e.to_string()))?)
            }
        })
    }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, std::io::Error> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Tls(String),
}

impl tower_service::Service<Uri> for Dial {
    type Response = Link;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Link, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().open())
    }
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// One open connection of any kind.
struct Link(TokioIo<Box<dyn Socket>>);

impl Link {
    fn new(socket: impl Socket + 'static) -> Link {
        Link(TokioIo::new(Box::new(socket)))
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_encoded() {
        assert_eq!(
            query(&[("all", "1"), ("filters", r#"{"a":["b c"]}"#)]),
            "?all=1&filters=%7B%22a%22%3A%5B%22b%20c%22%5D%7D"
        );
        assert_eq!(query(&[]), "");
        assert_eq!(segment("r.example:5000/a/b@sha256:0"), "r.example:5000/a/b@sha256:0");
        assert_eq!(segment("a?b#c d"), "a%3Fb%23c%20d");
    }

    #[test]
    fn the_engines_words_are_found_in_any_error_body() {
        assert_eq!(message_of(br#"{"message":"no such image"}"#), "no such image");
        assert_eq!(message_of(b"404 page not found\n"), "404 page not found");
    }
}
