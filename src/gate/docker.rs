//! The Docker side: GET and HEAD on ping, version, container list, inspect and events. Everything else is refused and logged.
//!
//! Nothing is passed through: gate asks the engine itself and writes an answer of its own.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc;
use tracing::{error, warn};

use super::show;
use super::view::View;
use crate::engine::docker::reader::Unread;

/// A call that gate answers.
#[derive(Debug, PartialEq)]
pub enum Call<'r> {
    Ping,
    Version,
    /// With those that do not run.
    List {
        all: bool,
    },
    Inspect(&'r str),
    Events,
}

/// Which call a path means, with or without a `/v1.NN` before it; `None` is refused. A path is taken as it is written: one with `%`, an empty
/// part or `..` in it means nothing here.
pub fn call<'r>(path: &'r str, query: &str) -> Option<Call<'r>> {
    match unversioned(path) {
        "/_ping" => Some(Call::Ping),
        "/version" => Some(Call::Version),
        "/containers/json" => Some(Call::List { all: is_set(query, "all") }),
        "/events" => Some(Call::Events),
        other => {
            let id = other.strip_prefix("/containers/")?.strip_suffix("/json")?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
            let named = id.bytes().all(plain) && id.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
            (named && id.len() <= 255).then_some(Call::Inspect(id))
        }
    }
}

fn unversioned(path: &str) -> &str {
    let number = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let versioned = path.strip_prefix("/v").and_then(|rest| rest.split_once('/')).and_then(|(version, _)| {
        version.split_once('.').filter(|(major, minor)| number(major) && number(minor))?;
        Some(&path[2 + version.len()..])
    });
    versioned.unwrap_or(path)
}

/// A flag as the engine reads it: there, and not one of its words for no.
fn is_set(query: &str, name: &str) -> bool {
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    let no = ["", "0", "no", "false", "none"];
    value.is_some_and(|(_, value)| !no.contains(&value.trim().to_ascii_lowercase().as_str()))
}

/// A service for one listener; clones share the view.
#[derive(Clone)]
pub struct Docker(pub Arc<View>);

impl hyper::service::Service<Request<Incoming>> for Docker {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let view = self.0.clone();
        Box::pin(async move { Ok(answer(&view, request.method(), request.uri()).await) })
    }
}

async fn answer(view: &View, method: &Method, uri: &hyper::Uri) -> Response<Answer> {
    let known = call(uri.path(), uri.query().unwrap_or_default());
    let Some(call) = known.filter(|_| [Method::GET, Method::HEAD].contains(method)) else {
        // Without the query, which may hold what is secret; the path's length is the client's choice.
        let path: String = uri.path().chars().take(200).collect();
        warn!(%method, ?path, "refused");
        let mut refusal = plain(StatusCode::FORBIDDEN, show::message("gate does not pass this call"));
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    };
    let done = match call {
        Call::Ping => ping(view).await,
        Call::Version => version(view).await,
        Call::List { all } => view.list().await.map(|found| {
            let ids = found.iter().filter(|c| all || c.running).map(|c| c.id.as_str());
            plain(StatusCode::OK, show::list(ids))
        }),
        Call::Inspect(id) => view.inspect(id).await.map(|found| match found {
            Some(shown) => plain(StatusCode::OK, shown.json.clone()),
            None => plain(StatusCode::NOT_FOUND, show::message(&format!("No such container: {id}"))),
        }),
        Call::Events if method == Method::HEAD => Ok(plain(StatusCode::OK, Bytes::new())),
        Call::Events => {
            let mut stream = with(StatusCode::OK, Answer::Lines(view.hub.join()));
            // One that is let go must not hold its place until it asks for something else.
            stream.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            Ok(stream)
        }
    };
    done.unwrap_or_else(|why| failed(uri.path(), &why))
}

/// The engine's words go to the log only. Away is 503 for a ping, as for any server; the rest is 500, which a Docker client reports as a
/// failure and does not take for "no such container".
fn failed(path: &str, why: &Unread) -> Response<Answer> {
    error!(path, "not answered: {why}");
    let status =
        if unversioned(path) == "/_ping" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    plain(status, show::message("the Docker Engine did not answer gate as it should"))
}

async fn ping(view: &View) -> Result<Response<Answer>, Unread> {
    let pong = view.reader.ping().await?;
    let mut answer = plain(StatusCode::OK, Bytes::from_static(b"OK"));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in [("api-version", pong.api), ("ostype", pong.os)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    Ok(answer)
}

async fn version(view: &View) -> Result<Response<Answer>, Unread> {
    let (pong, raw) = (view.reader.ping().await?, view.reader.get("/version").await?);
    let shown = show::version(&raw, &pong).ok_or_else(|| Unread::Away("its version is not readable".into()))?;
    Ok(plain(StatusCode::OK, shown))
}

fn plain(status: StatusCode, body: impl Into<Bytes>) -> Response<Answer> {
    with(status, Answer::Whole(Full::new(body.into())))
}

fn with(status: StatusCode, body: Answer) -> Response<Answer> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A body: whole, or lines as they come.
pub enum Answer {
    Whole(Full<Bytes>),
    Lines(mpsc::Receiver<Bytes>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Answer::Whole(body) => Pin::new(body).poll_frame(cx),
            Answer::Lines(lines) => lines.poll_recv(cx).map(|line| line.map(|line| Ok(Frame::data(line)))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(body) => body.size_hint(),
            Answer::Lines(_) => SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Whole(body) => body.is_end_stream(),
            Answer::Lines(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_calls_are_known_with_and_without_a_version() {
        for version in ["", "/v1.24", "/v1.45", "/v1.54"] {
            let known = |path: &str, query: &str| format!("{:?}", call(&format!("{version}{path}"), query));
            assert_eq!(known("/_ping", ""), "Some(Ping)");
            assert_eq!(known("/version", ""), "Some(Version)");
            assert_eq!(known("/containers/json", "all=1&filters=x"), "Some(List { all: true })");
            assert_eq!(known("/containers/json", "all=false"), "Some(List { all: false })");
            assert_eq!(known("/containers/json", ""), "Some(List { all: false })");
            assert_eq!(known("/containers/home-web-1/json", "size=1"), "Some(Inspect(\"home-web-1\"))");
            assert_eq!(known("/events", "filters=x"), "Some(Events)");
        }
    }

    #[test]
    fn every_other_path_is_unknown() {
        for path in [
            "/",
            "",
            "*",
            "/info",
            "/_ping/",
            "//_ping",
            "/v1.45",
            "/v1.45/",
            "/vx.45/_ping",
            "/v1.45/v1.45/_ping",
            "/v1.45//_ping",
            "/containers/json/",
            "/containers//json",
            "/containers/../json",
            "/containers/a/b/json",
            "/containers/%2e%2e/json",
            "/containers/a%2Fjson",
            "/containers/a/logs",
            "/containers/a/top",
            "/containers/a/archive",
            "/containers/a/json/x",
            "/containers/.a/json",
            "/images/json",
            "/images/a/json",
            "/networks",
            "/networks/a",
            "/volumes",
            "/secrets",
            "/configs",
            "/services",
            "/tasks",
            "/nodes",
            "/swarm",
            "/system/df",
            "/session",
            "/grpc",
            "/build",
            "/auth",
            "/plugins",
            "/exec/a/json",
            "/distribution/a/json",
            "/EVENTS",
            "/events/",
            "/version/x",
        ] {
            assert_eq!(call(path, ""), None, "{path}");
        }
        assert_eq!(call(&format!("/containers/{}/json", "a".repeat(300)), ""), None);
    }
}
