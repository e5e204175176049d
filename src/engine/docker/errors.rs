//! The one place where failures become diagnostics: those of the connection here, the engine's refusals in `refusals`.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use super::connect::{Address, Place};
use super::refusals;
use super::wire::DialError;
use crate::base::{units, wording};
use crate::diag::{Code, Diagnostic, Kind};
use crate::engine::EngineError;

/// What went wrong, before it is put in words.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection could be opened.
    #[error("{0}")]
    Connect(std::io::Error),
    #[error("{0}")]
    Tls(String),
    /// A connection, and no answer to a ping on it.
    #[error("no answer within {}", units::duration(*.0))]
    Silent(Duration),
    /// It answers pings, but this call took longer than any such call may.
    #[error("not done within {}", units::duration(*.0))]
    Slow(Duration),
    /// The connection ended before the answer did.
    #[error("{0}")]
    Lost(String),
    /// The engine said no.
    #[error("{message}")]
    Refused { status: u16, message: String },
    /// An answer that no Docker Engine gives.
    #[error("{0}")]
    Garbled(String),
    /// Something on this machine, in words of ours.
    #[error("{0}")]
    Local(String),
}

impl Fault {
    pub fn other(error: impl std::fmt::Display) -> Fault {
        Fault::Local(error.to_string())
    }

    /// The engine's refusals that come inside a stream (`{"error": ...}`).
    pub fn said(message: impl Into<String>) -> Fault {
        Fault::Refused { status: 500, message: message.into() }
    }

    /// From the pooled client: a connection that could not be opened, or one that broke.
    pub fn from_client(error: hyper_util::client::legacy::Error) -> Fault {
        let connecting = error.is_connect();
        let mut source = error.source();
        while let Some(cause) = source {
            match cause.downcast_ref::<DialError>() {
                Some(DialError::Tls(words)) => return Fault::Tls(words.clone()),
                Some(DialError::Io(io)) => return Fault::Connect(copy(io)),
                None => {}
            }
            if let Some(io) = cause.downcast_ref::<std::io::Error>().filter(|_| connecting) {
                return Fault::Connect(copy(io));
            }
            source = cause.source();
        }
        Fault::Lost(chain(&error))
    }

    /// From bollard, whose transport carries our own faults inside an I/O error.
    pub fn from_bollard(error: bollard::errors::Error) -> Fault {
        use bollard::errors::Error as E;
        match error {
            E::DockerResponseServerError { status_code, message } => Fault::Refused { status: status_code, message },
            E::DockerStreamError { error } => Fault::said(error),
            E::IOError { err } if err.get_ref().is_some_and(|inner| inner.is::<Fault>()) => match err.into_inner() {
                Some(inner) => inner.downcast::<Fault>().map_or_else(|e| Fault::Lost(e.to_string()), |fault| *fault),
                None => Fault::Lost(String::new()),
            },
            E::JsonDataError { message, .. } => Fault::Garbled(message),
            E::JsonSerdeError { err } => Fault::Garbled(err.to_string()),
            other => Fault::Lost(chain(&other)),
        }
    }

    /// As bollard's transport wants it.
    pub fn into_bollard(self) -> bollard::errors::Error {
        bollard::errors::Error::IOError { err: std::io::Error::other(self) }
    }
}

fn copy(error: &std::io::Error) -> std::io::Error {
    error
        .raw_os_error()
        .map_or_else(|| std::io::Error::new(error.kind(), error.to_string()), std::io::Error::from_raw_os_error)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

/// Puts a fault in words. `what` says in the infinitive what was being done: ``create the container `web-1` ``.
pub fn tell(fault: Fault, what: &str, place: &Place) -> EngineError {
    let detail = clean(&fault.to_string());
    let host = &place.host;
    let lost = "run the same command again once the engine answers: it goes on from what is there";
    let (diagnostic, status) = match fault {
        Fault::Connect(error) => (connecting(&error, place), None),
        Fault::Tls(words) => {
            let title = format!("no secure connection to the Docker Engine at {host}: {}", clean(&words));
            let hint = format!("look at the certificates that {} names", place.because);
            (unavailable("engine.tls", title).hint(hint), None)
        }
        Fault::Silent(after) => {
            let title = format!(
                "the Docker Engine at {host} does not answer ({} of silence): could not {what}",
                units::duration(after)
            );
            (unavailable("engine.silent", title).hint("see what it is doing: systemctl status docker").hint(lost), None)
        }
        Fault::Slow(limit) => {
            let title =
                format!("the Docker Engine could not {what} within {}, though it answers", units::duration(limit));
            (
                failed("engine.slow", title)
                    .hint("look at the load of the machine and at the engine's log: journalctl -u docker"),
                None,
            )
        }
        Fault::Lost(_) => {
            let title = format!("the connection to the Docker Engine at {host} broke off: could not {what}");
            (
                unavailable("engine.lost", title)
                    .hint("it was stopped or restarted: systemctl status docker")
                    .hint(lost),
                None,
            )
        }
        Fault::Garbled(_) => {
            let title = format!("what answers at {host} does not speak as a Docker Engine does: could not {what}");
            (
                unavailable("engine.garbled", title)
                    .hint(format!("check the address: it comes from {}", place.because)),
                None,
            )
        }
        Fault::Local(words) => (failed("engine.client", format!("could not {what}: {}", clean(&words))), None),
        Fault::Refused { status, message } => (refusals::words(status, &clean(&message), what), Some(status)),
    };
    EngineError { diagnostic: Box::new(diagnostic), detail, status }
}

/// As [`tell`], for the first call of all: whatever breaks it off there was never an engine behind it.
pub fn greeting(fault: Fault, place: &Place) -> EngineError {
    let broke = matches!(fault, Fault::Lost(_));
    let mut error = tell(fault, "connect to it", place);
    if !broke {
        return error;
    }
    let title = format!("what answers at {} ends the connection at once", place.host);
    let hint = match place.address {
        Address::Tls { .. } => "it may want a client certificate: cert.pem and key.pem beside ca.pem",
        Address::Tcp { .. } => "it may want TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a docker context",
        Address::Unix(_) => "see whether it is a Docker Engine: systemctl status docker",
    };
    let diagnostic = unavailable("engine.garbled", title).hint(hint);
    *error.diagnostic = diagnostic.hint(format!("the address comes from {}", place.because));
    error
}

fn unavailable(code: Code, title: String) -> Diagnostic {
    Diagnostic::error(code, title).kind(Kind::Unavailable)
}

pub fn failed(code: Code, title: String) -> Diagnostic {
    Diagnostic::error(code, title).kind(Kind::Failed)
}

fn connecting(error: &std::io::Error, place: &Place) -> Diagnostic {
    use std::io::ErrorKind;
    let host = &place.host;
    let from = format!("the address comes from {}", place.because);
    let diagnostic = match error.kind() {
        ErrorKind::NotFound => {
            unavailable("engine.no-socket", format!("no Docker Engine at {host}: there is no such socket"))
                .hint("is Docker installed and running? systemctl start docker, or: apt install docker.io")
        }
        ErrorKind::PermissionDenied => {
            Diagnostic::error("engine.socket-denied", format!("you may not use the Docker Engine's socket {host}"))
                .kind(Kind::Denied)
                .hint("join the group that owns it, then sign in again: sudo usermod -aG docker $USER")
        }
        ErrorKind::ConnectionRefused => {
            unavailable("engine.not-running", format!("no Docker Engine answers at {host}"))
                .hint("start it: systemctl start docker")
        }
        _ => unavailable(
            "engine.unreachable",
            format!("the Docker Engine at {host} cannot be reached: {}", clean(&error.to_string())),
        ),
    };
    let rootless = place
        .rootless
        .as_ref()
        .map(|path| format!("a rootless engine has its socket at {0}: export DOCKER_HOST=unix://{0}", path.display()));
    rootless.into_iter().fold(diagnostic.hint(from), Diagnostic::hint)
}

/// One line of at most 400 characters.
pub fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(400) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None if line.is_empty() => "nothing".into(),
        None => line,
    }
}

/// Without control characters, and without `user:password@` in addresses.
pub fn clean(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let mut from = 0;
    while let Some(at) = out[from..].find("://").map(|i| from + i + 3) {
        let end = out[at..].find(|c: char| c.is_whitespace() || "/\"'?#".contains(c)).map_or(out.len(), |i| at + i);
        from = at;
        if let Some(user) = out[at..end].rfind('@') {
            out.replace_range(at..at + user, "(hidden)");
        }
    }
    out
}

pub fn config(path: &Path, why: &str) -> EngineError {
    let title = format!("the docker settings {} cannot be read: {}", path.display(), clean(why));
    own(Diagnostic::error("engine.docker-config", title)
        .hint("mend the file, or name another directory in DOCKER_CONFIG"))
}

pub fn no_context(name: &str, known: &[String]) -> EngineError {
    let diagnostic =
        Diagnostic::error("engine.no-context", format!("there is no docker context `{name}`")).kind(Kind::NotFound);
    let diagnostic = match wording::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.hint(format!("there are: {}", wording::list(known))),
    };
    own(diagnostic.hint("choose one with DOCKER_CONTEXT or `docker context use`; `default` is the local socket"))
}

pub fn ssh(host: &str, because: &str) -> EngineError {
    let title =
        format!("the engine's address {} (from {because}) is an ssh one, which Hearth does not open", clean(host));
    own(Diagnostic::error("engine.ssh", title)
        .hint("run hearth on that machine, which is what it is for")
        .hint("or forward the socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, then DOCKER_HOST=unix:///tmp/docker.sock"))
}

pub fn bad_address(host: &str, because: &str) -> EngineError {
    let title = format!("the engine's address `{}` (from {because}) is not one that Hearth can open", clean(host));
    own(Diagnostic::error("engine.bad-address", title).hint("write unix:///path/to/docker.sock or tcp://HOST:PORT"))
}

/// The engine speaks only API versions that are older than what Hearth writes.
pub fn too_old(server: &str, api: (u32, u32)) -> EngineError {
    let title = format!("this Docker Engine is too old: {server} speaks API {}.{}", api.0, api.1);
    own(unavailable("engine.too-old", title).hint("bring Docker to 20.10 or newer"))
}

/// A failure in our own words alone.
pub fn own(diagnostic: Diagnostic) -> EngineError {
    EngineError { detail: diagnostic.title.clone(), diagnostic: Box::new(diagnostic), status: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        super::super::connect::find(&Default::default()).unwrap()
    }

    #[test]
    fn a_socket_that_is_closed_to_us_names_the_group() {
        for (kind, code, exit) in [
            (std::io::ErrorKind::PermissionDenied, "engine.socket-denied", 4),
            (std::io::ErrorKind::NotFound, "engine.no-socket", 6),
            (std::io::ErrorKind::ConnectionRefused, "engine.not-running", 6),
        ] {
            let error = tell(Fault::Connect(kind.into()), "look at the engine", &place());
            assert_eq!((error.diagnostic.code, error.diagnostic.kind.exit_code()), (code, exit));
            assert!(!error.diagnostic.hints.is_empty());
        }
    }

    #[test]
    fn logins_in_addresses_and_control_characters_are_not_shown() {
        assert_eq!(
            clean("get https://me:pw@r.example/v2/?x: \u{1b}[31mno"),
            "get https://(hidden)@r.example/v2/?x:  [31mno"
        );
        assert_eq!(clean("tcp://a and http://u@b"), "tcp://a and http://(hidden)@b");
    }
}
