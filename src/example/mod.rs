//! Two small services to see something run without a registry: `hearth example counter` keeps a number, `hearth example web`
//! shows it, and `hearth example check` is a health check for an image without a shell.
//!
//! Not part of the control plane: it serves plain HTTP inside a container of `stacks/example.yaml`.

mod counter;
mod http;
mod page;
mod web;

use std::time::Duration;

use crate::cli::{Done, Failure};
use crate::diag::{Diagnostic, Kind};

/// Which of the programs to be.
#[derive(Debug, Clone)]
pub enum Which {
    Web,
    Counter,
    /// The URL that must answer 200.
    Check(String),
}

/// Runs until it is told to stop (SIGTERM or SIGINT, exit code 0), or once for a check.
/// `setting` gives LISTEN, COUNTER and DATA; each has a default that fits the example stack.
pub fn run(which: Which, setting: &dyn Fn(&str) -> Option<String>) -> Done {
    let value = |name: &str, default: &str| setting(name).filter(|v| !v.is_empty()).unwrap_or_else(|| default.into());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(format!("the example cannot start: {error}")))?;
    runtime.block_on(async move {
        match which {
            Which::Check(url) => check(&url).await,
            Which::Counter => {
                let counter = counter::Counter::open(value("DATA", "/data").into()).map_err(failed)?;
                until_stopped(http::serve(value("LISTEN", "0.0.0.0:8081"), counter)).await
            }
            Which::Web => {
                let web = web::Web::new(value("COUNTER", "http://counter:8081"));
                until_stopped(http::serve(value("LISTEN", "0.0.0.0:8080"), web)).await
            }
        }
    })
}

async fn check(url: &str) -> Done {
    match http::fetch("GET", url, Duration::from_secs(4)).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(failed(format!("{url} answers {}", answer.status))),
        Err(why) => Err(failed(format!("{url} does not answer: {why}"))),
    }
}

/// As process 1 of a container nothing else handles SIGTERM.
async fn until_stopped(server: impl Future<Output = Result<(), String>>) -> Done {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return Err(failed("signals cannot be received".to_string()));
    };
    tokio::select! {
        ended = server => ended.map_err(failed),
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
    }
}

fn failed(title: String) -> Failure {
    Diagnostic::error("example.failed", title).kind(Kind::Failed).hint("hearth logs SERVICE shows more").into()
}
