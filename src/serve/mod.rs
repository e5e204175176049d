//! `hearth serve`: wiring of store, engine, clock, rooms, loops and listeners, and their orderly stop.
//!
//! | subject | file |
//! |---|---|
//! | one server for a home | `lock` |
//! | its own certificate, kept up to date | `own` |
//! | from plain HTTP to HTTPS | `redirect` |
//! | what programs of this machine have over plain HTTP | `near` |
//! | the way from Traefik | `inner`, `joined` (in a container) |
//! | other ways to sign in than a password | `keys` |
//! | certificates by ACME | `renewal` |
//! | rules about people that change | `rules` |
//! | the login in front of services | `login` |
//! | what handlers work with | `api` |
//! | what goes on in the background | `loops` |
//! | arguments, log, signals | `cli` |

mod api;
pub mod cli;
mod inner;
mod joined;
mod keys;
mod lock;
mod login;
mod loops;
mod near;
mod own;
mod redirect;
mod renewal;
mod rules;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use loops::Loops;

use crate::about;
use crate::auth::accounts::{Auth, Parts};
use crate::auth::audit::Log;
use crate::auth::forward::Forward;
use crate::auth::own_name::{OwnName, is_everybodys};
use crate::auth::page::forms;
use crate::auth::passwords::Passwords;
use crate::auth::place::Place;
use crate::auth::table::{Guard, Table};
use crate::base::clock::Clock;
use crate::base::random::{Random, SystemRandom};
use crate::base::secret::Secret;
use crate::certs::room::Room;
use crate::certs::{self, local};
use crate::diag::{Diagnostic, Kind};
use crate::engine::docker::inside;
use crate::proxy;
use crate::routes::{self, App};
use crate::stacks::Home;
use crate::stacks::works::Works;
use crate::store::Db;
use crate::web::{self, Door, Limits, Manner, Server, Tls};
use inner::Inner;
use own::Own;

/// Where a home that says nothing is answered: on the machine itself.
const HTTPS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
const HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);

/// For requests under way and loops, when the server stops: all of it in under 5 s.
const PATIENCE: Duration = Duration::from_secs(4);
/// For works under way, before that: a container that is watched is watched to its end.
const WORKS: Duration = Duration::from_secs(30);

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// HTTPS; never empty.
    pub listen: Vec<SocketAddr>,
    /// Plain HTTP.
    pub http: Option<SocketAddr>,
}

impl Settings {
    /// What flags say counts, then what `hearth.yaml` says. `http`: `Some(None)` is "nowhere".
    pub fn of(home: &Home, listen: Vec<SocketAddr>, http: Option<Option<SocketAddr>>) -> Settings {
        let said = &home.config.server;
        let listen = Some(listen).filter(|l| !l.is_empty()).or_else(|| said.listen.clone());
        Settings { listen: listen.unwrap_or_else(|| vec![HTTPS]), http: http.or(said.http).unwrap_or(Some(HTTP)) }
    }
}

/// A server that answers.
pub struct Serving {
    server: Server,
    loops: Loops,
    own: Arc<Own>,
    /// Under which a person reaches it, the nearest first.
    pub urls: Vec<String>,
    auth: Arc<Auth>,
    works: Works,
    audit: Log,
    database: Db,
    /// Where HTTPS and plain HTTP really are (a port 0 was some port).
    pub https: Vec<SocketAddr>,
    pub http: Option<SocketAddr>,
    _lock: lock::Lock,
}

impl Serving {
    /// Begins to serve a home. Everything that can be refused is refused here. `env`: the process environment, as the engine is found by it;
    /// `domain`: the home's, where it has one.
    pub async fn begin(
        home: &Home,
        settings: &Settings,
        domain: Option<String>,
        env: BTreeMap<String, String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Serving, Diagnostic> {
        let state_dir = home.dir.join("state");
        let lock = lock::take(&state_dir, clock.now())?;
        // What must be free is looked at first: a CA is not made for a server that cannot start.
        let mut listeners = Vec::new();
        for address in &settings.listen {
            listeners.push(listener(*address, "server.listen").await?);
        }
        let plain = match settings.http {
            Some(address) => Some(listener(address, "server.http").await?),
            None => None,
        };
        let zones: Vec<String> = domain.clone().into_iter().collect();
        let names = home.config.server.names.clone();
        let named = domain.as_deref().filter(|_| home.config.has_names());
        if named.is_some_and(|domain| domain.trim_end_matches('.').ends_with(".localhost")) {
            tracing::warn!(
                "the domain is below localhost: every program on this machine sees the sessions there; it is good for trying out only"
            );
        }
        let name = own_name(home)?.within(named);
        for address in settings.listen.iter().filter(|at| at.ip().is_loopback() && !is_everybodys(at.ip())) {
            tracing::warn!(
                "nobody signs in at https://{address}: the panel's own name leads to 127.0.0.1 and ::1; listen there"
            );
        }
        let own = Arc::new(Own::open(&state_dir, name.clone(), zones, names, settings.listen.clone(), clock.clone())?);

        let room = Room::open(home)?;
        let answers = room.challenges.clone();
        let challenge: certs::page::Challenge = Arc::new(move |token: &str| answers.answer(token));
        // Opened with its first use: one that is away keeps nothing from being served.
        let database = Db::at(home.database(&env)?);
        let log = Log::new(database.clone(), clock.clone());
        let state = Arc::new(about::state::State::new(home, database.clone()));
        let trusted = own.clone();
        let table = routes::table();
        let api = serde_json::to_value(table.openapi(about::json::VERSION)).unwrap_or_default();
        let docs = Arc::new(about::docs::Docs::new(&api));
        let auth = Arc::new(people(home, database.clone(), clock.clone()).await?);
        let https: Vec<SocketAddr> = listeners.iter().filter_map(|l| l.local_addr().ok()).collect();
        let place = keys::place(home, named, &name, &https);
        let desk = keys::desk(home, place, &auth, &database, &clock)?;
        let pages = Arc::new(forms::Pages::new(auth.clone(), Arc::new(SystemRandom), desk.clone()));
        let (oidc, passkeys) = (desk.oidc.clone(), desk.passkeys.clone());
        let ways = Arc::new(proxy::Ways::new(home.dir.clone()));
        let stacks = api::of_stacks(home, &env, clock.clone(), auth.clone());
        let works = stacks.works.clone();
        let certs = api::of_certs(stacks.clone());
        let trust: certs::page::Trust = Arc::new(move || trusted.ca());
        let (found, seen) = watch::channel(proxy::Found::default());
        let (doors, known) = watch::channel(None);
        let doors = Arc::new(doors);
        let forward = Arc::new(Forward::new(auth.clone(), known, clock.clone(), Arc::new(SystemRandom)));
        let app = App {
            auth: auth.clone(),
            audit: log.clone(),
            forward,
            pages,
            desk,
            oidc,
            passkeys,
            ways,
            about: state.clone(),
            trust,
            challenge,
            docs,
            stacks,
            certs,
        };
        let cors = auth.rules().cors_origins.clone();
        let guard = Arc::new(Guard::new(auth.clone(), Arc::new(log.clone()), name.clone(), cors, rand::random()));
        let secure = table.router(&guard).with_state(app.clone());
        let server = Server::default();
        let tls = Arc::new(Tls::new(own.certificates())?);
        for listener in listeners {
            let door = Door {
                tls: Some(tls.clone()),
                limits: Limits::default(),
                manner: Manner { out_of_turn: routes::OUT_OF_TURN, ..Manner::default() },
                router: secure.clone(),
            };
            server.open(listener, door);
        }
        let http = plain.as_ref().and_then(|l| l.local_addr().ok());
        if let Some(listener) = plain {
            let named = own.clone();
            let is_ours: redirect::IsOurs = Arc::new(move |name: &str| named.is_ours(name));
            let router = plain_router(&guard, app, https.first().copied().unwrap_or(HTTPS), is_ours);
            let router = near::first(secure.clone(), router);
            let limits = Limits { connections_each: 64, ..Limits::default() };
            let manner = Manner { out_of_turn: routes::OUT_OF_TURN, ..Manner::default() };
            server.open(listener, Door { tls: None, limits, manner, router });
        }

        let (certificates, changed) = watch::channel(0u64);
        let say = Arc::new(certificates);
        let anew: Arc<dyn Fn() + Send + Sync> = Arc::new(move || say.send_modify(|n| *n += 1));
        let inner = Inner::new(state_dir, clock.clone(), server.clone(), secure, seen.clone(), anew.clone())?;
        let inner = inner.noted_in(log.clone());
        let inner = Arc::new(inner);

        let mut loops = Loops::default();
        let (dir, environment) = (home.dir.clone(), env.clone());
        loops.spawn("front door", move |stop| {
            let (dir, environment) = (dir.clone(), environment.clone());
            let (changed, found) = (changed.clone(), found.clone());
            proxy::keep(dir, environment, changed, found, stop)
        });
        if inside().is_some() {
            let (environment, seen) = (env.clone(), seen.clone());
            loops.spawn("own network", move |stop| joined::keep(environment.clone(), seen.clone(), stop));
        }
        let of_doors = seen.clone();
        renewal::begin(home, &room, &mut loops, log.clone(), seen, anew)?;
        let (dir, people, kept, found) = (home.dir.clone(), auth.clone(), log.clone(), of_doors);
        loops.spawn("login", move |stop| {
            login::keep(dir.clone(), people.clone(), kept.clone(), found.clone(), doors.clone(), stop)
        });
        loops.spawn("inner door", move |stop| inner.clone().keep(stop));
        let (dir, people) = (home.dir.clone(), auth.clone());
        loops.spawn("rules", move |stop| rules::keep(dir.clone(), people.clone(), stop));
        let (people, kept) = (auth.clone(), log.clone());
        loops.spawn("people", move |stop| people.clone().keep(kept.clone(), stop));
        let (keep, audit) = (home.config.audit, log.clone());
        let (kept, noted) = (own.clone(), log.clone());
        loops.spawn("own certificate", move |stop| kept.clone().keep(noted.clone(), stop));
        loops.spawn("audit", move |stop| {
            let log = log.clone();
            async move { log.keep(&keep, stop).await }
        });
        loops.spawn("state", move |stop| {
            let (state, env) = (state.clone(), env.clone());
            async move { state.look(&env, stop).await }
        });
        let urls = addresses(home, &name, named, &https);
        Ok(Serving { server, loops, own, urls, auth, audit, database, works, https, http, _lock: lock })
    }

    /// More loops of this process; they end with it.
    pub fn loops(&mut self) -> &mut Loops {
        &mut self.loops
    }

    /// The fingerprint of the local CA.
    pub fn fingerprint(&self) -> String {
        self.own.ca().fingerprint()
    }

    /// The link by which the first admin is made, where there is none; the one printed before holds no longer.
    pub async fn setup_link(&self) -> Result<Option<Secret>, Diagnostic> {
        if self.auth.is_set_up() {
            return Ok(None);
        }
        let token = self.auth.setup_token().await?;
        let url = self.urls.first().cloned().unwrap_or_default();
        Ok(Some(Secret::new(format!("{url}/setup?token={}", token.expose()))))
    }

    /// Serves until `stop`, then ends in order, in less than five seconds where no work is under way.
    pub async fn until(self, stop: CancellationToken) {
        stop.cancelled().await;
        let begun = tokio::time::Instant::now();
        // What has begun is finished or taken back, as after Ctrl-C at a terminal; meanwhile it can still be looked at.
        let left = self.works.stop(WORKS).await;
        if left > 0 {
            tracing::warn!(works = left, "works were left half done: the same command again goes on from there");
        }
        let (drained, late) = tokio::join!(self.server.stop(PATIENCE), self.loops.end(PATIENCE));
        let last = async {
            if let Err(why) = self.audit.tell_crowd().await {
                tracing::warn!(%why, "what was refused could not be entered into the audit log");
            }
            self.database.close().await;
        };
        let _ = tokio::time::timeout(Duration::from_millis(500), last).await;
        if drained.cut > 0 {
            tracing::warn!(connections = drained.cut, "connections were cut: their clients took too long");
        }
        if !late.is_empty() {
            tracing::warn!(loops = ?late, "background tasks did not end by themselves");
        }
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(ms, "stopped");
    }
}

/// Whether a `hearth serve` looks after the home of this `state/` now, on this machine.
pub fn is_running(state: &std::path::Path) -> bool {
    lock::is_held(state)
}

/// What is answered over plain HTTP to anybody; all else is sent to `https`.
fn plain_router(guard: &Arc<Guard>, app: App, https: SocketAddr, is_ours: redirect::IsOurs) -> Router {
    let mut table = Table::default();
    routes::open(&mut table);
    let away = move |request: Request| async move { redirect::redirect(&request, https.port(), &*is_ours) };
    table.router(guard).with_state(app).fallback(away)
}

/// The panel's name on this machine.
fn own_name(home: &Home) -> Result<OwnName, Diagnostic> {
    OwnName::open(&home.dir.join("state/auth"), &SystemRandom)
}

/// Under which URLs a person reaches a server that listens there: on this machine first, then in its network, and last by `domain`, where that counts.
pub fn urls(home: &Home, domain: Option<&str>, https: &[SocketAddr]) -> Result<Vec<String>, Diagnostic> {
    Ok(addresses(home, &own_name(home)?, domain, https))
}

fn addresses(home: &Home, name: &OwnName, domain: Option<&str>, https: &[SocketAddr]) -> Vec<String> {
    let mut all = Vec::new();
    for address in https {
        let ip = address.ip();
        if is_everybodys(ip) || ip.is_unspecified() {
            all.push(name.url(address.port()));
        } else {
            all.push(format!("https://{address}"));
        }
        if ip.is_unspecified() {
            // Whether a container is reached from elsewhere is said by whoever publishes its ports.
            let host = local::host().filter(|_| inside().is_none());
            all.extend(host.map(|host| format!("https://{host}.local:{}", address.port())));
        }
    }
    all.extend(domain.map(|domain| Place::of_domain(domain, home.config.traefik.https).origin()));
    all
}

/// The people of the home, with all that signs them in.
async fn people(home: &Home, db: Db, clock: Arc<dyn Clock>) -> Result<Auth, Diagnostic> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let passwords = Passwords::of_server(db.clone(), random.clone());
    let near = proxy::near(home);
    let rules = home.config.people.clone();
    Auth::open(&home.dir.join("state"), Parts { db, clock, random, rules, near, passwords }).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_addresses_at_which_it_listens() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("hearth.yaml"), "name: home\ntraefik: {https: 9443}\n").unwrap();
        let home = Home::open(dir.path().to_owned()).map_err(|_| "refused").unwrap();
        let own = own_name(&home).unwrap();
        let told = |domain: Option<&str>, listen: &str| urls(&home, domain, &[listen.parse().unwrap()]).unwrap();
        assert_eq!(told(None, "127.0.0.1:8443"), [own.url(8443)]);
        assert_eq!(told(None, "[::1]:443"), [own.url(443)]);
        // The name leads to this machine's usual loopback addresses, and nothing answers there.
        assert_eq!(told(None, "192.168.1.5:8443"), ["https://192.168.1.5:8443"]);
        assert_eq!(told(None, "127.0.0.5:8443"), ["https://127.0.0.5:8443"]);
        assert_eq!(told(None, "0.0.0.0:8443")[0], own.url(8443));
        let named = told(Some("home.example"), "0.0.0.0:8443");
        assert_eq!(
            (&named[0], named.last().map(String::as_str)),
            (&own.url(8443), Some("https://panel.home.example:9443"))
        );
    }
}
