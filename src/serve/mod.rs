//! `hearth serve`: wiring of store, engine, clock, rooms, loops and listeners, and their orderly stop.
//!
//! | subject | file |
//! |---|---|
//! | one server for a home | `lock` |
//! | where it listens | `ports` |
//! | the rooms, put together | `rooms` |
//! | its own certificate, kept up to date | `own` |
//! | from plain HTTP to HTTPS | `redirect` |
//! | what programs of this machine have over plain HTTP | `near` |
//! | the way from Traefik | `inner`, `joined` (in a container) |
//! | other ways to sign in than a password | `keys` |
//! | certificates by ACME | `renewal` |
//! | rules about people that change | `rules` |
//! | the login in front of services | `login` |
//! | what handlers work with | `api` |
//! | what goes on in the background | `background`, by `loops` |
//! | memory that is given back | `memory` |
//! | arguments, log, signals | `cli` |

mod api;
mod background;
pub mod cli;
mod inner;
mod joined;
mod keys;
mod lock;
mod login;
mod loops;
mod memory;
mod near;
mod own;
mod ports;
mod redirect;
mod renewal;
mod rooms;
mod rules;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use loops::Loops;

use crate::about;
use crate::auth::audit::Log;
use crate::auth::own_name::{OwnName, is_everybodys};
use crate::auth::place::Place;
use crate::auth::table::Guard;
use crate::base::clock::Clock;
use crate::base::random::SystemRandom;
use crate::base::secret::Secret;
use crate::certs::local;
use crate::diag::Diagnostic;
use crate::engine::docker::inside;
use crate::routes;
use crate::stacks::Home;
use crate::stacks::works::Works;
use crate::store::Db;
use crate::web::Server;
use inner::Inner;
use own::Own;
use ports::Ports;
use rooms::{Names, Rooms};

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
    works: Works,
    audit: Log,
    database: Db,
    setup: Option<Secret>,
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
        let state = home.dir.join("state");
        let lock = lock::take(&state, clock.now())?;
        // What must be free is looked at first: a CA is not made for a server that cannot start.
        let ports = Ports::bind(settings).await?;
        let (https, http) = (ports.https(), ports.http());
        let named = domain.clone().filter(|_| home.config.has_names());
        warn(settings, named.as_deref());
        let own = own_name(home)?.within(named.as_deref());
        let names = Names { own, domain, named, listen: settings.listen.clone(), https: https.clone() };
        let table = routes::table();
        let api = serde_json::to_value(table.openapi(about::json::VERSION)).unwrap_or_default();
        let rooms = Rooms::of(home, &names, &env, &clock, about::docs::Docs::new(&api)).await?;

        let app = &rooms.app;
        let (auth, audit) = (app.auth.clone(), app.audit.clone());
        let cors = auth.rules().cors_origins.clone();
        let guard = Guard::new(auth.clone(), Arc::new(audit.clone()), names.own.clone(), cors, rand::random());
        let guard = Arc::new(guard);
        let secure = table.router(&guard).with_state(app.clone());
        let server = Server::default();
        // Before anybody is answered: whoever sees an answer and asks for a link at the terminal has the last one.
        let setup = if auth.is_set_up() { None } else { Some(auth.setup_token().await?) };
        ports.open(&server, &guard, &rooms, &secure)?;

        let (certificates, _) = watch::channel(0u64);
        let say = certificates.clone();
        let anew = Arc::new(move || say.send_modify(|n| *n += 1));
        let inner = Inner::new(state, clock, server.clone(), secure, rooms.found.subscribe(), anew)?;
        let inner = inner.noted_in(audit.clone());
        let loops = background::begin(home, &rooms, &env, inner, certificates)?;
        let urls = addresses(home, &names.own, names.named.as_deref(), &https);
        let works = rooms.app.stacks.works.clone();
        let Rooms { own, database, .. } = rooms;
        Ok(Serving { server, loops, own, urls, audit, database, works, setup, https, http, _lock: lock })
    }

    /// More loops of this process; they end with it.
    pub fn loops(&mut self) -> &mut Loops {
        &mut self.loops
    }

    /// The fingerprint of the local CA.
    pub fn fingerprint(&self) -> String {
        self.own.ca().fingerprint()
    }

    /// The link by which the first admin is made, where there was none; those printed before hold no longer.
    pub fn setup_link(&self) -> Option<Secret> {
        let url = self.urls.first().cloned().unwrap_or_default();
        self.setup.as_ref().map(|token| Secret::new(format!("{url}/setup?token={}", token.expose())))
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
                tracing::warn!(why = %why.whole(), "what was refused could not be entered into the audit log");
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

/// What a person should know who has it listen there, and under that domain.
fn warn(settings: &Settings, named: Option<&str>) {
    if named.is_some_and(|domain| domain.trim_end_matches('.').ends_with(".localhost")) {
        tracing::warn!(
            "the domain is below localhost: every program on this machine sees the sessions there; it is good for trying out only"
        );
    }
    for address in settings.listen.iter().filter(|at| at.ip().is_loopback() && !is_everybodys(at.ip())) {
        tracing::warn!(
            "nobody signs in at https://{address}: the panel's own name leads to 127.0.0.1 and ::1; listen there"
        );
    }
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
