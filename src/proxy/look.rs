//! One look at all routes of a home: containers, Traefik, and every name tried from outside.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::timeout;

use super::adopted::Absent;
use super::client::{self, Seen};
use super::content::{self, Values};
use super::judge;
use super::state::{self, Facts, Served, State};
use super::traefik::{Api, Router};
use crate::certs::shown::{Leaf, Shown};
use crate::diag::{Diagnostic, Diagnostics};
use crate::engine::{Engine, Scope};
use crate::plan::observed::{Container, Observed, State as Run};
use crate::spec::front;
use crate::stacks::home::{Home, Read};
use crate::traefik::forward::bypass::{self, Needs};
use crate::traefik::{Door, Entry, Route, Target, name};

/// Names that are tried at once.
const AT_ONCE: usize = 16;

/// How one name of a route is.
#[derive(Debug, Clone)]
pub struct Row {
    pub service: String,
    pub url: String,
    pub access: String,
    pub certificate: Option<Served>,
    pub state: State,
    /// The addresses that the name has on this machine's resolver; empty: none. `None` for what has no name.
    pub addresses: Option<Vec<IpAddr>>,
}

/// What is known before anything is tried.
pub struct Known<'a> {
    pub home: &'a Home,
    pub read: &'a Read,
    pub routes: Vec<Route>,
    pub containers: Option<Vec<Container>>,
    pub routers: Option<BTreeMap<String, Router>>,
    roots: Arc<RootCertStore>,
}

/// Asks the engine and Traefik. What cannot be asked is left out, with the reason in `told`.
pub async fn know<'a>(
    home: &'a Home,
    read: &'a Read,
    engine: Option<&dyn Engine>,
    told: &mut Diagnostics,
) -> Result<Known<'a>, Diagnostic> {
    let values = Values::of(home)?;
    let scope = Scope { project: home.config.name.clone(), inspect: true, ..Scope::default() };
    let observed: Option<Observed> = match engine {
        None => None,
        Some(engine) => match engine.observe(&scope).await {
            Ok(observed) => Some(observed),
            Err(error) => {
                told.push(*error.diagnostic);
                None
            }
        },
    };
    let everyone = observed.as_ref().map(Observed::everyone);
    let routes = content::resolved(&read.rendered.routes, &values, everyone.as_deref(), Absent::Page, told);
    let containers = observed.map(|o| o.containers);
    let routers = match containers.as_deref().and_then(|all| api(home, all)) {
        Some(api) => match api.routers().await {
            Ok(routers) => {
                // A tag as `v3.7` does not tell: only now it is known.
                let version = api.version().await.ok();
                if let Some(old) = version.filter(|version| *version < home.config.traefik.minimum) {
                    told.push(judge::too_old(old, home.config.traefik.minimum));
                }
                Some(routers)
            }
            Err(why) => {
                let d = Diagnostic::warning(
                    "proxy.traefik-silent",
                    format!("Traefik does not say how its routes are: {}", why.words()),
                );
                told.push(d.hint("whether it runs: hearth ps traefik; why not: hearth logs traefik"));
                None
            }
        },
        None => None,
    };
    Ok(Known { home, read, routes, containers, routers, roots: Arc::new(roots(home)) })
}

/// Traefik's own view of itself, where it runs.
pub fn api(home: &Home, containers: &[Container]) -> Option<Api> {
    let traefik = containers.iter().find(|c| c.is_of(front::TRAEFIK))?;
    let core = format!("{}_{}", home.config.name, front::CORE);
    let attached = traefik.networks.get(&core).or_else(|| traefik.networks.values().next())?;
    let ip = attached.ip_address.parse().ok()?;
    Api::new(ip, &super::certificates::client(home)?)
}

/// Whom this machine believes, and the home's own CA.
pub fn roots(home: &Home) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if let Some(pem) = super::certificates::local_root(home) {
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).flatten());
    }
    roots
}

/// Whether a profile of a route's service is on.
pub fn is_on(home: &Home, read: &Read, route: &Route) -> bool {
    home.has_on(profiles_of(read, route).unwrap_or_default())
}

/// The profiles of a route's service; `None`: it is no service of this home.
fn profiles_of<'r>(read: &'r Read, route: &Route) -> Option<&'r [String]> {
    read.spec.services.get(&route.service).map(|s| s.profiles.as_slice())
}

impl Known<'_> {
    /// Tries every name of every route that `wanted` takes, some at once: a name that no resolver answers for takes seconds.
    pub async fn look(&self, wanted: &dyn Fn(&Route) -> bool) -> Vec<Row> {
        let mut names = Vec::new();
        for route in self.routes.iter().filter(|route| wanted(route)) {
            match &route.entry {
                Entry::Web { hosts, .. } => names.extend(hosts.iter().map(|host| (route, Some(host)))),
                _ => names.push((route, None)),
            }
        }
        let rows: Vec<_> = names.into_iter().map(|(route, host)| self.row(route, host)).collect();
        stream::iter(rows).buffered(AT_ONCE).collect().await
    }

    async fn row(&self, route: &Route, host: Option<&String>) -> Row {
        match (&route.entry, host) {
            (Entry::Web { path, .. }, Some(host)) => self.web(route, host, path.as_deref().unwrap_or("/")).await,
            (entry, _) => self.raw(route, entry).await,
        }
    }

    /// Whether a profile of its service is on.
    pub fn is_on(&self, route: &Route) -> bool {
        is_on(self.home, self.read, route)
    }

    fn facts<'f>(&'f self, route: &'f Route, own: &'f Option<Vec<&'f Container>>, seen: Option<&'f Seen>) -> Facts<'f> {
        let provider = if matches!(route.target, Target::Container { .. }) { "docker" } else { "file" };
        let port = match &route.target {
            Target::Container { port, .. } => port.as_str(),
            Target::Addresses(all) => all.first().and_then(|url| url.rsplit(':').next()).unwrap_or_default(),
            Target::Nobody(_) => "",
        };
        Facts {
            door: asked_at(route),
            at_home: route.asks_lan(),
            containers: own.as_deref(),
            off: profiles_of(self.read, route).filter(|_| !self.is_on(route)),
            router: self.routers.as_ref().map(|all| {
                let of = |name: &str| {
                    name.split_once('@').is_some_and(|(name, by)| by == provider && name::is_of(name, &route.name))
                };
                let mut alike = all.range(route.name.clone()..).take_while(|(name, _)| name.starts_with(&route.name));
                alike.find(|(name, _)| of(name)).map(|(_, router)| router)
            }),
            port,
            outside: match &route.target {
                Target::Addresses(all) => Some(all),
                Target::Container { .. } | Target::Nobody(_) => None,
            },
            nobody: match &route.target {
                Target::Nobody(of) => Some(of),
                _ => None,
            },
            gate: self
                .containers
                .as_ref()
                .map(|all| all.iter().any(|c| c.is_of(front::GATE) && c.state == Run::Running)),
            seen,
        }
    }

    fn own(&self, route: &Route) -> Option<Vec<&Container>> {
        if !self.read.spec.services.contains_key(&route.service) || self.is_outside(route) {
            return None;
        }
        self.containers.as_ref().map(|all| all.iter().filter(|c| c.is_of(&route.service)).collect())
    }

    fn is_outside(&self, route: &Route) -> bool {
        self.read.rendered.routes.outside.iter().any(|outside| outside.route.name == route.name)
    }

    async fn web(&self, route: &Route, host: &str, path: &str) -> Row {
        let looked = client::look(self.front(), host, path, "application/json, text/plain;q=0.5", self.roots.clone());
        let (seen, addresses) = tokio::join!(looked, resolve(host));
        let own = self.own(route);
        let port = match self.home.config.traefik.https {
            443 => String::new(),
            port => format!(":{port}"),
        };
        Row {
            service: route.service.clone(),
            url: format!("https://{host}{port}{}", if path == "/" { "" } else { path }),
            access: route.access.to_string(),
            certificate: Served::of(&seen),
            state: state::judge(&self.facts(route, &own, Some(&seen))),
            addresses: Some(addresses),
        }
    }

    async fn raw(&self, route: &Route, entry: &Entry) -> Row {
        let knock = match entry {
            Entry::Tcp(port) => Some(client::knock(self.home.raw(*port).address()).await),
            _ => None,
        };
        let (scheme, port) = match entry {
            Entry::Tcp(port) => ("tcp", *port),
            Entry::Udp(port) => ("udp", *port),
            Entry::Web { .. } => ("https", 443),
        };
        let own = self.own(route);
        Row {
            service: route.service.clone(),
            url: format!("{scheme}://:{port}"),
            access: route.access.to_string(),
            certificate: None,
            state: state::judge_raw(&self.facts(route, &own, None), knock.as_ref()),
            addresses: None,
        }
    }

    /// Where Traefik listens, as this machine reaches it.
    fn front(&self) -> SocketAddr {
        front_address(self.home)
    }
}

/// The door at which a route is tried: with its path among those that need nothing it is open there.
fn asked_at(route: &Route) -> Door {
    let Entry::Web { path, .. } = &route.entry else { return route.door() };
    match bypass::needs(&route.bypass, path.as_deref().unwrap_or("/")) {
        Some(Needs::Nothing) => Door::Open,
        _ => route.door(),
    }
}

/// Where Traefik listens, as this machine reaches it.
pub fn front_address(home: &Home) -> SocketAddr {
    home.https().address()
}

/// What Traefik shows for each host over TLS, some at once.
pub async fn shown(home: &Home, hosts: Vec<String>) -> Vec<Shown> {
    let (front, roots) = (front_address(home), Arc::new(roots(home)));
    let one = |host: String| {
        let roots = roots.clone();
        async move {
            let leaf = leaf(front, &host, roots).await;
            Shown { host, leaf }
        }
    };
    stream::iter(hosts.into_iter().map(one)).buffered(AT_ONCE).collect().await
}

/// The certificate that is shown for a host at one address; `Err`: why none is.
pub async fn leaf(at: SocketAddr, host: &str, roots: Arc<RootCertStore>) -> Result<Leaf, String> {
    let seen = client::look(at, host, "/.well-known/hearth-probe", "*/*", roots).await;
    match (Served::of(&seen), &seen.answer) {
        (Some(served), _) => Ok(Leaf {
            fingerprint: served.fingerprint,
            issuer: served.issuer,
            not_after: served.not_after,
            distrust: served.distrust,
        }),
        (None, Err(why)) => Err(why.words().to_string()),
        (None, Ok(_)) => Err("its certificate cannot be read".into()),
    }
}

/// The addresses of a name as programs on this machine find them.
pub async fn resolve(host: &str) -> Vec<IpAddr> {
    let asked = timeout(Duration::from_secs(3), tokio::net::lookup_host((host, 443))).await;
    let mut found: Vec<IpAddr> = match asked {
        Ok(Ok(addresses)) => addresses.map(|a| a.ip()).collect(),
        _ => Vec::new(),
    };
    found.sort();
    found.dedup();
    found
}
