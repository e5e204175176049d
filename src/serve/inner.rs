//! The way from Traefik to Hearth: a listener on the machine's address in the core stack's network, or on that of Hearth's own container
//! there, which lets in nobody without the certificate that stands in Traefik's file. A source address is never identity: every container of that network has one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::renewal::RENEWED;
use crate::auth::audit::Log;
use crate::base::clock::Clock;
use crate::certs::local::mtls::{LOOK, Mtls};
use crate::diag::Diagnostic;
use crate::proxy::{Found, HSTS};
use crate::routes;
use crate::web::{Certificates, Door, Limits, Manner, Pair, Server, Tls};

/// The network, and with it the address, is made when Traefik is: until then it is looked for.
const AGAIN: Duration = Duration::from_secs(1);

/// The listener for Traefik.
pub struct Inner {
    mtls: Mtls,
    clock: Arc<dyn Clock>,
    tls: Arc<Tls>,
    certificates: Arc<Certificates>,
    hsts: Arc<AtomicU64>,
    server: Server,
    router: Router,
    /// Where Traefik expects it, as the keeper of Traefik's file says.
    found: watch::Receiver<Found>,
    /// Says that Traefik's file has to be written anew.
    changed: Arc<dyn Fn() + Send + Sync>,
    /// Where it is entered that certificates are new.
    log: Option<Log>,
}

impl Inner {
    /// `state`: the home's. `router`: what Traefik gets to see.
    pub fn new(
        state: PathBuf,
        clock: Arc<dyn Clock>,
        server: Server,
        router: Router,
        found: watch::Receiver<Found>,
        changed: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Inner, Diagnostic> {
        let mtls = Mtls::open(&state.join("mtls"), &*clock)?;
        let material = mtls.material();
        let pair = Pair { chain: &material.server.chain, key: &material.server.key };
        let certificates = Certificates::new(&[pair])?;
        let tls = Arc::new(Tls::for_clients_of(certificates.clone(), &material.roots)?);
        let hsts = Arc::new(AtomicU64::new(0));
        Ok(Inner { mtls, clock, tls, certificates, hsts, server, router, found, changed, log: None })
    }

    pub fn noted_in(self, log: Log) -> Inner {
        Inner { log: Some(log), ..self }
    }

    /// Listens where it is expected, and renews what both sides show, until `stop`.
    pub async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let mut found = self.found.clone();
        let mut open: Vec<SocketAddr> = Vec::new();
        let mut renew = tokio::time::interval(LOOK.try_into().unwrap_or(Duration::from_secs(5)));
        loop {
            let Found { entrance, public, .. } = found.borrow_and_update().clone();
            let mut waiting = false;
            if let Some(address) = entrance.map(|entrance| entrance.listen) {
                self.hsts.store(if public { HSTS } else { 0 }, Ordering::Relaxed);
                if !open.contains(&address) {
                    match crate::web::bind(address).await {
                        Ok(listener) => {
                            self.serve(listener);
                            open.push(address);
                            tracing::info!(%address, "Traefik reaches Hearth");
                        }
                        Err(why) => {
                            tracing::debug!(why = %why.title, "Traefik cannot reach Hearth yet");
                            waiting = true;
                        }
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                // Its sender lives as long as the keeper of Traefik's file, which lives as long as this.
                changed = found.changed() => if changed.is_err() { return stop.cancelled().await },
                () = tokio::time::sleep(AGAIN), if waiting => {}
                _ = renew.tick() => self.clone().renew().await,
            }
        }
    }

    fn serve(&self, listener: tokio::net::TcpListener) {
        let manner =
            Manner { behind_proxy: true, tls: true, hsts: self.hsts.clone(), out_of_turn: routes::OUT_OF_TURN };
        let door =
            Door { tls: Some(self.tls.clone()), limits: Limits::of_proxy(), manner, router: self.router.clone() };
        self.server.open(listener, door);
    }

    async fn renew(self: Arc<Self>) {
        let log = self.log.clone();
        // It waits for locks and disks.
        let renewed = tokio::task::spawn_blocking(move || {
            let done = self.mtls.refresh(&*self.clock).and_then(|new| {
                if new {
                    let material = self.mtls.material();
                    self.tls.trust(&material.roots)?;
                    self.certificates.set(&[Pair { chain: &material.server.chain, key: &material.server.key }])?;
                    (self.changed)();
                }
                Ok(new)
            });
            done.unwrap_or_else(|why| {
                tracing::error!(why = %why.title, "the certificates between Traefik and Hearth are not renewed");
                false
            })
        })
        .await;
        if let (Ok(true), Some(log)) = (renewed, log) {
            log.add_own(RENEWED, "the certificates between Traefik and Hearth", Value::Null).await;
        }
    }
}
