//! A home's routed names: where each leads, and whether authorities can be asked for its certificates.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rustls::RootCertStore;
use tokio::time::timeout;

use super::authority;
use super::clock::Other;
use super::finding::{About, Finding, unread};
use super::names::{At, Facts, Verdict, judge};
use crate::base::clock::Clock;
use crate::base::net::{is_nowhere, is_of_the_world};
use crate::certs::challenges::PROBE;
use crate::certs::dns::Lookup;
use crate::certs::preflight::{self, Question, Reach};
use crate::certs::room::Room;
use crate::config::certificates::{Challenge, Issuer};
use crate::diag::{Diagnostic, Diagnostics};
use crate::engine::docker;
use crate::plan::observed::{Container, Health, State};
use crate::plan::request::SERVICE;
use crate::proxy::{self, Values};
use crate::stacks::home::{Home, Read, Refused};
use crate::traefik::{Access, Entry, Route, Target, statics};

/// Names that are looked at together.
const AT_ONCE: usize = 16;
/// Addresses of one name that are tried.
const ADDRESSES: usize = 6;
/// All questions about one name to name servers.
const LOOKUP: Duration = Duration::from_secs(6);

/// A home in domain mode, as it is read.
pub struct Routed<'h> {
    pub home: &'h Home,
    read: Read,
    values: Values,
    domain: String,
    pub routes: Vec<Route>,
}

impl<'h> Routed<'h> {
    pub fn read(home: &'h Home) -> Result<Routed<'h>, Box<Finding>> {
        let read = home.read().map_err(|refused| Box::new(unread(&refused)))?;
        let values = Values::of(home).map_err(|told| Box::new(unread(&Refused::from(told))))?;
        let Some(domain) = values.domain() else {
            let found = Finding::problem(
                About::Home,
                "no-domain",
                "the home is in domain mode, and .env does not say which domain",
            );
            return Err(Box::new(
                found.fix("set it in .env: DOMAIN=example.org").fix("or go without one: hearth mode localhost"),
            ));
        };
        let mut told = Diagnostics::default();
        let routes = proxy::resolved(&read.rendered.routes, &values, None, proxy::Absent::Names, &mut told);
        Ok(Routed { home, read, values, domain, routes })
    }

    /// The image of Traefik, with its variables.
    pub fn image(&self) -> String {
        self.values.get("TRAEFIK_IMAGE").unwrap_or(statics::IMAGE).to_string()
    }

    pub fn is_on(&self, route: &Route) -> bool {
        proxy::is_on(self.home, &self.read, route)
    }

    /// Whether a route that is on is for the home network.
    pub fn has_lan(&self) -> bool {
        self.routes.iter().any(|route| route.asks_lan() && self.is_on(route))
    }

    pub fn has_file(&self) -> bool {
        proxy::has_file(self.home)
    }

    /// Routers that Traefik should know by now: those of containers that are up and well.
    pub fn expected(&self, containers: &[Container]) -> Vec<(String, String)> {
        let well = |c: &Container| c.state == State::Running && matches!(c.health, None | Some(Health::Healthy));
        let up =
            |service: &str| containers.iter().any(|c| well(c) && c.labels.get(SERVICE).is_some_and(|s| s == service));
        let own =
            self.routes.iter().filter(|route| matches!(route.target, Target::Container { .. }) && up(&route.service));
        own.map(|route| (format!("{}@docker", route.name), route.service.clone())).collect()
    }

    /// The hosts of routes that are on, Hearth's own among them; whether everybody may come.
    fn hosts(&self) -> BTreeMap<String, bool> {
        let mut hosts = BTreeMap::from([(format!("{}.{}", proxy::PANEL, self.domain), false)]);
        for route in self.routes.iter().filter(|route| self.is_on(route)) {
            let Entry::Web { hosts: own, .. } = &route.entry else { continue };
            for host in own {
                *hosts.entry(host.clone()).or_default() |= route.access == Access::Public;
            }
        }
        hosts
    }
}

/// Looks at names, challenges and authorities; gives also whose clocks were seen.
pub async fn look(routed: &Routed<'_>, clock: Arc<dyn Clock>) -> (Vec<Finding>, Vec<Other>) {
    let settings = &routed.home.config.certificates;
    let acme = settings.issuer == Issuer::Acme;
    let http01 = acme && settings.challenge == Challenge::Http01;
    let hosts = routed.hosts();
    let mut all = Vec::new();
    let lookup = match Lookup::new(&settings.resolvers) {
        Ok(lookup) => lookup,
        Err(why) => {
            let words = format!("no resolver can be used: {why}");
            all.push(
                Finding::problem(About::Names, "resolver", words)
                    .fix("check resolvers: under certificates: in hearth.yaml"),
            );
            return (all, Vec::new());
        }
    };
    let mine = proxy::own_addresses(routed.home);
    let roots = Arc::new(proxy::roots(routed.home));
    let looked = hosts.iter().map(|(host, public)| {
        let (lookup, roots, mine) = (&lookup, roots.clone(), &mine);
        async move {
            let facts = Facts { mine, http01, public: *public, ..Facts::default() };
            (host.clone(), one(routed, host, lookup, roots, facts).await)
        }
    });
    let looked: Vec<(String, Facts<'_>)> = stream::iter(looked.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let mut verdicts: BTreeMap<Verdict, Vec<String>> = BTreeMap::new();
    for (host, facts) in &looked {
        for verdict in judge(facts) {
            verdicts.entry(verdict).or_default().push(host.clone());
        }
    }
    if docker::inside().is_some() {
        let words =
            "from within a container it is not tried what answers where names lead: judged by the addresses alone";
        all.push(
            Finding::note(About::Names, "names-untried", words)
                .fix("run hearth doctor on the machine itself, or try them from a device"),
        );
    }
    let own = proxy::own_address(routed.home);
    all.extend(verdicts.iter().map(|(verdict, hosts)| verdict.say(hosts, own, &routed.domain)));
    match http01 {
        true => all.extend(challenges(routed, &looked, settings.roots.is_none()).await),
        false => all.extend(server(routed).await),
    }
    let mut clocks = Vec::new();
    if acme {
        let (found, seen) = authorities(routed.home, clock).await;
        all.extend(found);
        clocks = seen;
    } else {
        let hosts: Vec<String> = looked.iter().map(|(host, _)| host.clone()).collect();
        all.push(authority::own(&proxy::uncovered(routed.home, &hosts), &routed.domain));
    }
    (all, clocks)
}

/// What is known of one name.
async fn one<'f>(
    routed: &Routed<'_>,
    host: &str,
    lookup: &Lookup,
    roots: Arc<RootCertStore>,
    facts: Facts<'f>,
) -> Facts<'f> {
    // Names of the home's own are nobody else's business, unless the home says whom to ask.
    let told = !routed.home.config.certificates.resolvers.is_empty();
    let asked = async { if told || is_of_the_world(host) { world(lookup, host).await } else { None } };
    let (system, world) = tokio::join!(proxy::resolve(host), asked);
    let home = &routed.home.config.traefik;
    let door = proxy::leaf(routed.home.https().address(), host, roots.clone()).await;
    let mut at = BTreeMap::new();
    // Docker lets no bridge through to the machine's ports: from within a container nothing is told by trying.
    if let (Ok(own), None) = (&door, docker::inside()) {
        let mut addresses: Vec<IpAddr> = system.iter().chain(world.iter().flatten()).copied().collect();
        addresses.retain(|ip| !is_nowhere(*ip));
        addresses.sort();
        addresses.dedup();
        let tried = addresses.into_iter().take(ADDRESSES).map(|ip| {
            // On this machine Traefik may have another port than the world sees.
            let port = if facts.mine.contains(&ip) || ip.is_loopback() { home.https } else { 443 };
            let roots = roots.clone();
            async move { (ip, proxy::leaf(SocketAddr::new(ip, port), host, roots).await) }
        });
        for (ip, leaf) in futures_util::future::join_all(tried).await {
            let seen = match leaf {
                Ok(leaf) if leaf.fingerprint == own.fingerprint => At::Us,
                Ok(_) => At::Else,
                Err(_) => At::Nothing,
            };
            at.insert(ip, seen);
        }
    }
    Facts { system, world, at, open: door.is_ok(), ..facts }
}

/// What the world is told: by the name servers of the zone, else by a public resolver.
async fn world(lookup: &Lookup, host: &str) -> Option<Vec<IpAddr>> {
    let asked = async {
        match lookup.authoritative(host).await {
            Some(found) => Some(found),
            None => lookup.found(host).await,
        }
    };
    timeout(LOOKUP, asked).await.ok().flatten()
}

/// Whether Hearth's own server answers behind Traefik. Challenges over HTTP tell the same.
async fn server(routed: &Routed<'_>) -> Option<Finding> {
    let panel = format!("{}.{}", proxy::PANEL, routed.domain);
    let asked = Question { name: &panel, token: PROBE, answer: PROBE };
    match preflight::reach(routed.home.http().address(), asked).await {
        Reach::Else(500..) => {
            let words = format!(
                "Hearth's own server does not run: no certificate is renewed, and https://{panel} does not answer"
            );
            Some(
                Finding::warning(About::Certificates, "server-away", words)
                    .fix("start it, and have it started with the machine: hearth serve"),
            )
        }
        // Where Traefik does not answer there is a finding of its own.
        _ => None,
    }
}

/// Asks for a challenge of each name as an authority would, as far as that can be done from here.
async fn challenges(routed: &Routed<'_>, looked: &[(String, Facts<'_>)], public: bool) -> Vec<Finding> {
    let front = routed.home.http().address();
    let mut hopeless: Vec<(String, Vec<String>)> = Vec::new();
    let mut proved = Vec::new();
    let asked = looked.iter().map(|(host, facts)| async move {
        let asked = Question { name: host, token: PROBE, answer: PROBE };
        let here = preflight::reach(front, asked).await;
        let there = match here {
            Reach::Us => Vec::new(),
            _ => preflight::there(facts.world.as_deref().unwrap_or_default(), asked).await,
        };
        let why = preflight::judge(host, (front, &here), facts.world.as_deref(), &there, public);
        (host, why.map(|why| why.replace(host.as_str(), "the name")))
    });
    let answers: Vec<_> = stream::iter(asked.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    for (host, why) in answers {
        match why {
            None => proved.push(host.clone()),
            // The same reason is one finding.
            Some(why) => match hopeless.iter_mut().find(|(known, _)| *known == why) {
                Some((_, hosts)) => hosts.push(host.clone()),
                None => hopeless.push((why, vec![host.clone()])),
            },
        }
    }
    authority::challenges(&hopeless, &proved)
}

/// Asks each configured authority for its directory; what its clock said comes with it.
async fn authorities(home: &Home, clock: Arc<dyn Clock>) -> (Vec<Finding>, Vec<Other>) {
    let cannot = |told: Diagnostic| {
        let found = Finding::problem(About::Certificates, "authority-unset", told.title);
        (vec![Finding { fix: told.hints, ..found }], Vec::new())
    };
    let parts = Room::open(home).and_then(|room| Ok((room.parts(clock.clone(), Arc::new(|| 0.5))?, room)));
    let (parts, room) = match parts {
        Ok(parts) => parts,
        Err(told) => return cannot(told),
    };
    let (mut all, mut clocks) = (Vec::new(), Vec::new());
    for (n, ca) in room.settings.authorities.iter().enumerate() {
        let answer = parts.issuer.directory(&ca.directory).await;
        if let Ok(date) = answer.as_ref().map(|directory| directory.date)
            && let Some(date) = date
        {
            // A header has whole seconds: on average it is half of one late.
            let ahead = date + time::Duration::milliseconds(500) - clock.now();
            clocks.push(Other { whose: ca.name.clone(), ahead });
        }
        // The profile is asked of the first; another one has others.
        let profile = room.settings.profile.as_deref().filter(|_| n == 0);
        all.push(authority::reached(&ca.name, &ca.directory, &answer, profile));
    }
    (all, clocks)
}
