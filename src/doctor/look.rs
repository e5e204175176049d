//! Asks everybody: the engine, Traefik, the kernel, resolvers, authorities. What comes back is judged elsewhere.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::clock::{self as hours, Other};
use super::finding::{About, Finding, Grade};
use super::ports::{self, Holders, Wanted};
use super::routed::{self, Routed};
use super::{docker, traefik};
use crate::base::clock::Clock;
use crate::base::files;
use crate::certs::room::Room;
use crate::certs::store::pair;
use crate::engine::docker::{Checkup, DockerEngine, listeners};
use crate::engine::{Engine, Scope, fake};
use crate::plan::observed::{Container, Foreign, Observed, State};
use crate::plan::request::SERVICE;
use crate::proxy;
use crate::spec::{Mode, front};
use crate::stacks::home::{Home, secrets};
use crate::traefik::statics::{self, Settings};

/// All findings, in the order in which they are shown. `home`: none where there is none; `env`: the process environment.
pub async fn look(home: Option<&Home>, env: &BTreeMap<String, String>, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut others = Vec::new();
    let routed = home.and_then(|home| at_home(home, &mut all));
    let lan = routed.as_ref().is_some_and(Routed::has_lan);
    let engine = engine(env, clock.as_ref(), lan, &mut others, &mut all).await;
    let observed = match (&engine, home) {
        (Some((engine, _)), Some(home)) => observe(engine, home, routed.as_ref(), &mut all).await,
        (Some((engine, _)), None) => engine.observe(&Scope::default()).await.ok(),
        _ => None,
    };
    let checkup = engine.as_ref().map(|(_, checkup)| checkup);
    if let Some(routed) = &routed {
        all.extend(of_traefik(routed, checkup, observed.as_ref()).await);
    }
    all.extend(of_ports(home, routed.as_ref(), checkup, observed.as_ref()));
    if let Some(routed) = &routed {
        let (found, clocks) = routed::look(routed, clock.clone()).await;
        all.extend(found);
        others.extend(clocks);
    }
    let facts = hours::Facts { others, youngest: home.and_then(youngest), keeper: hours::keeper() };
    all.extend(hours::judge(&facts, clock.now()));
    all.sort_by_key(|finding| finding.about);
    all
}

/// What is read of a home in domain mode; what cannot be read is a finding.
fn at_home<'h>(home: &'h Home, all: &mut Vec<Finding>) -> Option<Routed<'h>> {
    all.extend(weak_secrets(home));
    let mode = if home.config.mode == Mode::Domain { "domain" } else { "localhost" };
    let words = format!("the home {} in {} is in {mode} mode", home.config.name, home.dir.display());
    all.push(Finding::ok(About::Home, "home", words));
    if home.config.mode != Mode::Domain {
        return None;
    }
    match Routed::read(home) {
        Ok(routed) => Some(routed),
        Err(finding) => {
            all.push(*finding);
            None
        }
    }
}

/// Values of `.env` that too many may know, whoever uses them.
fn weak_secrets(home: &Home) -> Vec<Finding> {
    // What cannot be read is told by what needs it.
    let text = files::read_text(&home.dir.join(".env")).unwrap_or_default();
    let finding = |weak: secrets::Weak| {
        let words = format!("the value of {} in .env (line {}) {}", weak.name, weak.line, weak.why);
        Finding::warning(About::Home, "weak-secret", words)
            .fix("put a random value there: openssl rand -hex 16 makes one; the service may have to be told of it too")
    };
    secrets::weak(&text).into_iter().map(finding).collect()
}

async fn engine(
    env: &BTreeMap<String, String>,
    clock: &dyn Clock,
    lan: bool,
    others: &mut Vec<Other>,
    all: &mut Vec<Finding>,
) -> Option<(DockerEngine, Checkup)> {
    if env.get("DOCKER_HOST").is_some_and(|host| host == fake::ADDRESS) {
        let words = "the engine is the one in memory, a test double: nothing of it really runs";
        all.push(
            Finding::warning(About::Docker, "test-double", words)
                .fix("take DOCKER_HOST=memory: away to use a real one"),
        );
        return None;
    }
    let asked = async {
        let engine = DockerEngine::connect(env).await?;
        let checkup = engine.checkup().await?;
        Ok::<_, crate::engine::EngineError>((engine, checkup))
    };
    match asked.await {
        Ok((engine, checkup)) => {
            let forced = env.get("DOCKER_API_VERSION").and_then(|text| text.split_once('.'));
            let forced = forced.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            all.extend(docker::judge(&checkup, engine.host(), forced, lan));
            // On this machine it has the same clock.
            if let Some(time) = checkup.time.filter(|_| !checkup.is_here) {
                others.push(Other { whose: "the engine".into(), ahead: time - clock.now() });
            }
            Some((engine, checkup))
        }
        Err(error) => {
            all.push(docker::away(&error.diagnostic));
            None
        }
    }
}

async fn observe(
    engine: &DockerEngine,
    home: &Home,
    routed: Option<&Routed<'_>>,
    all: &mut Vec<Finding>,
) -> Option<Observed> {
    let images = routed.map(|routed| routed.image()).into_iter().collect();
    let scope = Scope { project: home.config.name.clone(), inspect: true, images, ..Scope::default() };
    match engine.observe(&scope).await {
        Ok(observed) => Some(observed),
        Err(error) => {
            // Why it refuses may be told already, with the way out.
            if !all.iter().any(|found| ["api-forced", "engine-too-new"].contains(&found.check)) {
                all.push(docker::away(&error.diagnostic));
            }
            None
        }
    }
}

fn traefik_of(observed: &Observed) -> Option<&Container> {
    observed.containers.iter().find(|c| c.labels.get(SERVICE).is_some_and(|service| service == front::TRAEFIK))
}

async fn of_traefik(routed: &Routed<'_>, engine: Option<&Checkup>, observed: Option<&Observed>) -> Vec<Finding> {
    // Without the engine nothing is known of it.
    let Some(observed) = observed else { return Vec::new() };
    let container = traefik_of(observed);
    let image = container.map_or_else(|| routed.image(), |c| c.image.clone());
    let mut version = proxy::image_version(&image, observed.images.get(&image));
    let mut routers = None;
    if let Some(container) = container.filter(|c| c.state == State::Running)
        && let Some(api) = proxy::api(routed.home, std::slice::from_ref(container))
    {
        version = api.version().await.ok().or(version);
        routers = Some(api.routers().await.map_err(|why| why.words().to_string()));
    }
    let facts = traefik::Facts {
        image,
        version,
        container,
        wanted: routed.routes.iter().any(|route| routed.is_on(route)),
        minimum: routed.home.config.traefik.minimum,
        routers,
        expected: routed.expected(&observed.containers),
        file: routed.has_file(),
    };
    let mut all = traefik::judge(&facts);
    let oldest = engine.and_then(|engine| engine.oldest_api);
    all.extend(version.zip(oldest).and_then(|(version, oldest)| docker::traefik_insists(version, oldest)));
    all
}

fn of_ports(
    home: Option<&Home>,
    routed: Option<&Routed<'_>>,
    engine: Option<&Checkup>,
    observed: Option<&Observed>,
) -> Vec<Finding> {
    if engine.is_some_and(|engine| !engine.is_here) {
        let words = "the engine's ports are not this machine's (it is another one, or this is a container): who holds them cannot be seen from here";
        return vec![Finding::note(About::Ports, "ports", words)];
    }
    let settings = home.map_or_else(Settings::default, |home| home.config.traefik.clone());
    let wanted = wanted(&settings, routed);
    let numbers: Vec<u16> = wanted.iter().map(|one| one.port).collect();
    let mut holders = Holders { listeners: listeners(&numbers), ..Holders::default() };
    if let Some(observed) = observed {
        let parse = |text: &str| text.parse().unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let traefik = traefik_of(observed).filter(|c| c.state == State::Running);
        let ours = traefik.iter().flat_map(|c| &c.ports).filter(|(_, _, by)| by == "tcp");
        holders.ours = ours.map(|(ip, port, _)| (parse(ip), *port)).collect();
        let own = observed.containers.iter().filter(|c| traefik.is_none_or(|t| t.id != c.id));
        holders.containers = own.map(foreign).chain(observed.foreign.iter().cloned()).collect();
    }
    let mut all = ports::judge(&wanted, &holders);
    if let Some(engine) = engine.filter(|_| routed.is_some()) {
        let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
        let first = first.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024);
        all.extend(ports::low_ports(&wanted, engine.rootless, first));
    }
    if home.is_none_or(|home| home.config.mode != Mode::Domain) {
        // Nobody wants them now.
        for found in all.iter_mut().filter(|found| found.grade == Grade::Problem) {
            found.grade = Grade::Note;
            found.words.push_str("; domain mode would need it");
        }
    }
    all
}

/// The TCP ports that Traefik takes.
fn wanted(settings: &Settings, routed: Option<&Routed<'_>>) -> Vec<Wanted> {
    let entries = routed.iter().flat_map(|routed| &routed.routes).filter_map(|route| statics::entry(&route.entry));
    let raw: Vec<u16> = entries.filter(|(_, udp)| !udp).map(|(port, _)| port).collect();
    let mut all = Vec::new();
    for ip in settings.bind.iter().copied() {
        all.push(Wanted { ip, port: settings.http, key: Some("http") });
        all.push(Wanted { ip, port: settings.https, key: Some("https") });
        all.extend(raw.iter().map(|port| Wanted { ip, port: *port, key: None }));
    }
    all
}

fn foreign(container: &Container) -> Foreign {
    Foreign {
        id: container.id.clone(),
        name: container.name.clone(),
        running: container.state == State::Running,
        ports: container.ports.clone(),
        ..Foreign::default()
    }
}

/// The youngest certificate of a home: none can be made in the future.
fn youngest(home: &Home) -> Option<(String, time::OffsetDateTime)> {
    let root = proxy::local_root(home).and_then(|pem| pair::facts(&pem).ok());
    let root = root.map(|facts| ("the home's own CA".to_string(), facts.not_before));
    let held = match home.dir.join("state/certs").is_dir() {
        true => Room::open(home).and_then(|room| room.store.list()).map(|(held, _)| held).unwrap_or_default(),
        false => Vec::new(),
    };
    let named =
        |one: crate::certs::store::Held| (format!("the certificate for {}", one.names.join(" ")), one.not_before);
    held.into_iter().map(named).chain(root).max_by_key(|(_, born)| *born)
}
