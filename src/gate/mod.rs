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
//! | who may enter a service with a login | `auth` |
//! | a listener | `listen` |
//!
//! It knows no home and no plan, holds nothing that must survive, and goes on when Hearth is stopped.

pub mod auth;
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

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;

use crate::base::clock::SystemClock;
use crate::base::random::SystemRandom;
use crate::diag::{Diagnostic, Kind};
use crate::engine::docker::reader::Reader;
use crate::traefik::file::ROUTE_HEADER;
use crate::traefik::forward::AUTH;
use auth::Auth;
use view::View;

/// Connections of Docker clients at once: Traefik needs two.
const CLIENTS: usize = 64;
/// How long a client waits at the start for an engine that does not say whether it is there.
const BEGIN: Duration = Duration::from_secs(2);
/// Connections for pages and questions at once: Traefik has as many open as it has requests under way.
const VISITORS: usize = 2048;

/// What gate is told at its start.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The engine's socket.
    pub socket: PathBuf,
    /// The Compose project whose containers are shown.
    pub project: String,
    /// Where Traefik asks for Docker.
    pub docker: SocketAddr,
    /// Where waiting pages are, and where Traefik asks who may enter.
    pub pages: SocketAddr,
    /// The socket at which the panel listens.
    pub panel: PathBuf,
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
    let auth = Arc::new(Auth::new(settings.panel, Arc::new(SystemClock), Arc::new(SystemRandom)));
    let front = Front { auth: auth.clone(), pages: TowerToHyperService::new(pages::router(view.clone())) };
    let showing = listen::serve(pages, front, VISITORS, stop.clone());
    let ending = async {
        stop.cancelled().await;
        // Streams of events have no end of their own, which a server would wait for.
        view.hub.close();
    };
    tokio::select! {
        _ = async { tokio::join!(serving, showing, ending, auth.keep(stop.clone())) } => {}
        () = view.hear() => {}
        () = view.make_good() => {}
    }
    Ok(())
}

/// Questions who may enter, and pages, on one listener.
#[derive(Clone)]
struct Front {
    auth: Arc<Auth>,
    pages: TowerToHyperService<Router>,
}

impl Service<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // What is asked for a service that is away has that header, and any path of its client's; the key no client knows.
        let path = request.uri().path();
        if path.starts_with(AUTH) && (self.auth.has_key(path) || !request.headers().contains_key(ROUTE_HEADER)) {
            let auth = self.auth.clone();
            return Box::pin(async move { Ok(auth.answer(request.uri(), request.headers()).await) });
        }
        Box::pin(self.pages.call(request))
    }
}

fn no_listener(words: String) -> Diagnostic {
    Diagnostic::error("gate.no-listener", words)
        .kind(Kind::Failed)
        .hint("see what listens there: ss -ltnp, or name another address: --docker, --pages")
}
