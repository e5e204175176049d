//! The face of `hearth gate`.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::args::Gate;
use crate::cli::{Done, Failure};
use crate::diag::{Diagnostic, Kind};

/// For each answer of a check.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn run(args: Gate) -> Done {
    if args.check {
        return check(args.docker, args.pages);
    }
    let Some(project) = args.project.filter(|name| !name.is_empty()) else {
        return Err(Diagnostic::error("gate.no-project", "gate was not told which Compose project to show")
            .kind(Kind::Invalid)
            .field("--project")
            .hint("name it: --project NAME, or HEARTH_GATE_PROJECT in its environment")
            .into());
    };
    log();
    let settings = Settings { socket: args.socket, project, docker: args.docker, pages: args.pages, panel: args.panel };
    // Two threads: a flood of events does not hold up a page.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failed(format!("gate cannot start: {error}")))?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        // As process 1 of a container nothing else handles these.
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            return Err(failed("signals cannot be received".into()));
        };
        let stopper = stop.clone();
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            stopper.cancel();
        });
        super::run(settings, stop).await.map_err(Failure::from)
    })
}

/// One line an event, to standard error, which is where a container's log is.
fn log() {
    let written = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false);
    // A second one in the same process would be refused, and is not needed.
    let _ = written.with_max_level(tracing::Level::INFO).try_init();
}

/// Whether the gate that listens at these addresses works: both listeners answer, and the engine answers through it.
///
/// An engine that is away makes this fail on purpose. The engine itself runs health checks, so while it is down none is run; a check that
/// finds no engine has found that gate's own way to it is broken (a socket that may not be read, or one from before the engine was started
/// anew). Docker restarts no container for being unhealthy, and gate itself never ends for it.
fn check(docker: SocketAddr, pages: SocketAddr) -> Done {
    let (docker, pages) = (near(docker), near(pages));
    match status(docker, "/_ping") {
        Ok(200) => {}
        Ok(_) => return Err(failed(format!("gate answers on {docker}, but reaches no Docker Engine"))),
        Err(why) => return Err(failed(format!("gate does not answer on {docker}: {why}"))),
    }
    status(pages, "/unknown").map_err(|why| failed(format!("gate does not answer on {pages}: {why}")))?;
    Ok(())
}

/// Where a client on this machine reaches a listener.
fn near(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn status(address: SocketAddr, path: &str) -> Result<u16, String> {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok::<_, std::io::Error>(head)
    };
    let head = ask().map_err(|e| e.to_string())?;
    let code = std::str::from_utf8(&head).ok().and_then(|head| head.strip_prefix("HTTP/1.1 ")?.parse().ok());
    code.ok_or_else(|| String::from("what answers there speaks no HTTP"))
}

fn failed(title: String) -> Failure {
    Diagnostic::error("gate.failed", title).kind(Kind::Failed).hint("docker compose logs gate shows more").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_goes_to_this_machine() {
        for (listens, asked) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.1:1", "10.0.0.1:1")] {
            assert_eq!(near(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }

    #[test]
    fn a_check_says_what_does_not_answer() {
        let closed: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let Err(Failure::Told(told)) = check(closed, closed) else { panic!("nothing listens there") };
        assert!(told.0[0].title.contains("does not answer on 127.0.0.1:1"), "{:?}", told.0[0]);
    }
}
