//! Where a server listens, and what is answered there.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;

use super::rooms::Rooms;
use super::{HTTPS, Settings, near, redirect};
use crate::auth::table::{Guard, Table};
use crate::diag::{Diagnostic, Kind};
use crate::routes::{self, App};
use crate::web::{self, Door, Limits, Manner, Server, Tls};

/// Ports that are this server's, before anything is answered at them.
pub struct Ports {
    secure: Vec<TcpListener>,
    plain: Option<TcpListener>,
}

impl Ports {
    pub async fn bind(settings: &Settings) -> Result<Ports, Diagnostic> {
        let mut secure = Vec::new();
        for address in &settings.listen {
            secure.push(listener(*address, "server.listen").await?);
        }
        let plain = match settings.http {
            Some(address) => Some(listener(address, "server.http").await?),
            None => None,
        };
        Ok(Ports { secure, plain })
    }

    /// Where HTTPS really is (a port 0 was some port).
    pub fn https(&self) -> Vec<SocketAddr> {
        self.secure.iter().filter_map(|l| l.local_addr().ok()).collect()
    }

    /// Where plain HTTP really is.
    pub fn http(&self) -> Option<SocketAddr> {
        self.plain.as_ref().and_then(|l| l.local_addr().ok())
    }

    /// Answers from here on. `secure`: what is answered over HTTPS.
    pub fn open(self, server: &Server, guard: &Arc<Guard>, rooms: &Rooms, secure: &Router) -> Result<(), Diagnostic> {
        let leads = self.https().first().copied().unwrap_or(HTTPS);
        let tls = Arc::new(Tls::new(rooms.own.certificates())?);
        let manner = || Manner { out_of_turn: routes::OUT_OF_TURN, ..Manner::default() };
        for listener in self.secure {
            let (tls, router) = (Some(tls.clone()), secure.clone());
            server.open(listener, Door { tls, limits: Limits::default(), manner: manner(), router });
        }
        if let Some(listener) = self.plain {
            let named = rooms.own.clone();
            let is_ours: redirect::IsOurs = Arc::new(move |name: &str| named.is_ours(name));
            let router = plain_router(guard, rooms.app.clone(), leads, is_ours);
            let router = near::first(secure.clone(), router);
            let limits = Limits { connections_each: 64, ..Limits::default() };
            server.open(listener, Door { tls: None, limits, manner: manner(), router });
        }
        Ok(())
    }
}

/// What is answered over plain HTTP to anybody; all else is sent to `https`.
fn plain_router(guard: &Arc<Guard>, app: App, https: SocketAddr, is_ours: redirect::IsOurs) -> Router {
    let mut table = Table::default();
    routes::open(&mut table);
    let away = move |request: Request| async move { redirect::redirect(&request, https.port(), &*is_ours) };
    table.router(guard).with_state(app).fallback(away)
}

async fn listener(address: SocketAddr, field: &str) -> Result<TcpListener, Diagnostic> {
    web::bind(address).await.map_err(|told| match told.kind {
        Kind::Failed => told,
        _ => {
            let flag = if field == "server.http" { "--http" } else { "--listen" };
            told.hint(format!("where it listens is said by {flag}, else by `{field}` in hearth.yaml"))
        }
    })
}
