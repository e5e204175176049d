//! `hearth gate`: the small always-running service that shows Traefik as much of Docker as it reads, and answers for services
//! that cannot.
//!
//! | subject | file |
//! |---|---|
//! | the calls that Traefik makes | `docker` |
//! | the project as the engine shows it | `view` |
//! | what of it leaves | `show` |
//! | how long a look serves | `looks` |
//! | events, and who hears them | `news`, `hub` |
//! | pages for services that cannot answer | `pages`, `words` |
//! | a listener | `listen` |
//!
//! It knows no home and no plan, holds nothing that must survive, and goes on when Hearth is stopped.

pub mod cli;
mod docker;
mod hub;
mod listen;
mod looks;
mod news;
mod pages;
mod show;
mod view;
mod words;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;

use crate::base::clock::SystemClock;
use crate::diag::{Diagnostic, Kind};
use crate::engine::docker::reader::Reader;
use view::View;

/// Connections of Docker clients at once: Traefik needs two.
const CLIENTS: usize = 64;
/// How long a client waits at the start for an engine that does not say whether it is there.
const BEGIN: Duration = Duration::from_secs(2);
/// Connections for pages at once: Traefik keeps as many open as it has requests.
const VISITORS: usize = 256;

/// What gate is told at its start.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The engine's socket.
    pub socket: PathBuf,
    /// The Compose project whose containers are shown.
    pub project: String,
    /// Where Traefik asks for Docker.
    pub docker: SocketAddr,
    /// Where waiting pages are.
    pub pages: SocketAddr,
}

/// Serves until `stop`. Fails only where it cannot begin: an engine that is away is waited for.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), Diagnostic> {
    let reader = Reader::unix(&settings.socket)
        .map_err(|e| Diagnostic::error("gate.failed", e.to_string()).kind(Kind::Failed))?;
    let docker = listen::open(settings.docker).await.map_err(no_listener)?;
    let pages = listen::open(settings.pages).await.map_err(no_listener)?;
    let view = Arc::new(View::new(reader, settings.project, Arc::new(SystemClock)));
    let serving = async {
        // A list from before its events are heard would have to be made again.
        let _ = tokio::time::timeout(BEGIN, view.begun.cancelled()).await;
        listen::serve(docker, docker::Docker(view.clone()), CLIENTS, stop.clone()).await;
    };
    let router = TowerToHyperService::new(pages::router(view.clone()));
    let showing = listen::serve(pages, router, VISITORS, stop.clone());
    let ending = async {
        stop.cancelled().await;
        // Streams of events have no end of their own, which a server would wait for.
        view.hub.close();
    };
    tokio::select! {
        _ = async { tokio::join!(serving, showing, ending) } => {}
        () = view.hear() => {}
        () = view.make_good() => {}
    }
    Ok(())
}

fn no_listener(words: String) -> Diagnostic {
    Diagnostic::error("gate.no-listener", words)
        .kind(Kind::Failed)
        .hint("see what listens there: ss -ltnp, or name another address: --docker, --pages")
}
