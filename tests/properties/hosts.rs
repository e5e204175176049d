//! Whose answer a request gets: homes whose services, stacks and hosts look alike, from the text of their stacks to what Traefik is told, and
//! a small Traefik that says which router a request meets. What was written is judged beside it, by what each spelling means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use hearth::compose::{self, Request, yaml};
use hearth::diag::{Diagnostics, Severity, Sources};
use hearth::spec::keys;
use hearth::spec::{self, Mode, Settings, StackFile};
use hearth::traefik::file::{Content, Inner, Pair};
use hearth::traefik::forward::OWN;
use hearth::traefik::rule::{self, Matcher, Name, Protocol, Rule};
use hearth::traefik::{file, statics};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::project::Memory;

const ENV: &str = "DOMAIN=x.test\nSUB=a\nWHOLE=B.x.test.\n";
const PANEL: &str = "panel.x.test";
/// Whoever passes it is asked for nothing; it keeps the login's cookie.
const SHIELD: &str = "login--shield";

/// Ways to write a host, and the one name that each means with [`ENV`].
const HOSTS: [(&str, &str); 21] = [
    ("a", "a.x.test"),
    ("A", "a.x.test"),
    ("a.x.test", "a.x.test"),
    ("A.x.TEST.", "a.x.test"),
    ("${SUB}.x.test", "a.x.test"),
    ("${SUB}.${DOMAIN}", "a.x.test"),
    ("b", "b.x.test"),
    ("$WHOLE", "b.x.test"),
    ("aa", "aa.x.test"),
    ("a-b", "a-b.x.test"),
    ("a.b", "a.b"),
    ("a.b.", "a.b"),
    ("a.a.x.test", "a.a.x.test"),
    ("${SUB}.a.x.test", "a.a.x.test"),
    ("@", "x.test"),
    ("x.test", "x.test"),
    ("xx.test", "xx.test"),
    ("bücher", "xn--bcher-kva.x.test"),
    ("BÜCHER", "xn--bcher-kva.x.test"),
    ("xn--bcher-kva", "xn--bcher-kva.x.test"),
    ("test", "test.x.test"),
];
/// And ways to ask for one that nobody wrote.
const STRANGERS: [&str; 4] = ["zz.x.test", "x.test.a", "a.x.test.x.test", "z.a.b"];
const PATHS: [&str; 7] = ["/", "/a", "/a/", "/ab", "/a/b", "/A", "/~a.b"];
const ASKED: [&str; 10] = ["/", "/a", "/a/", "/ab", "/a/b", "/a/bc", "/A", "/~a.b/c", "/z", "/.well-known/hearth/x"];
/// Names that become one when they are cleaned up, or look like what names are made of.
const SERVICES: [&str; 12] =
    ["a", "A", "a-b", "a.b", "a_b", "A-B", "a--2", "a-2", "out-a", "-out-a", "a-b--headers", "out--a"];
const OUTSIDE: [&str; 5] = ["a", "b", "a--2", "-out-a", "A"];
const STACKS: [&str; 3] = ["a", "a-b", "a_b"];
/// What a stack may write itself, and where it leads if it is taken.
const RULES: [&str; 9] = [
    "Host(`free.x.test`)",
    "Host(`A.x.test.`)",
    "Host(`*.x.test`)",
    "HOST(`*.X.Test`)",
    "Host(`*`)",
    "PathPrefix(`/`)",
    "Host(`b.x.test`) || Host(`free.x.test`)",
    "Host(`aa.x.test`) && PathPrefix(`/a`)",
    "Host(`panel.x.test`)",
];
const ROUTERS: [&str; 6] = ["raw", "home-a", "home-a-b", "HOME-a", "home-a--2", "RAW"];

#[derive(Debug, Clone)]
struct Service {
    routes: Vec<Route>,
    /// Router, rule, priority.
    raw: Option<(usize, usize, Option<u32>)>,
    stack: usize,
    away: bool,
    start_first: bool,
}

#[derive(Debug, Clone)]
struct Route {
    hosts: Vec<usize>,
    path: Option<usize>,
    access: usize,
    https: bool,
}

#[derive(Debug, Clone)]
struct Home {
    services: BTreeMap<&'static str, Service>,
    outside: BTreeMap<&'static str, Route>,
}

const ACCESS: [(&str, Option<&str>); 6] = [
    ("public", None),
    ("lan", Some("lan")),
    ("user", Some("login--user")),
    ("admin", Some("login--admin")),
    ("group:a-b", Some("login--group-a-b")),
    ("lan-or-user", Some("login--home")),
];

fn route() -> impl Strategy<Value = Route> {
    let hosts = vec(0..HOSTS.len(), 1..3);
    (hosts, option::weighted(0.6, 0..PATHS.len()), 0..ACCESS.len(), any::<bool>())
        .prop_map(|(hosts, path, access, https)| Route { hosts, path, access, https })
}

fn home() -> impl Strategy<Value = Home> {
    let priority = option::of(select(vec![1u32, 2, 9, 16, 22, 500, 200_000, 4_000_000]));
    let raw = option::weighted(0.25, (0..ROUTERS.len(), 0..RULES.len(), priority));
    let service = (vec(route(), 0..3), raw, 0..STACKS.len(), prop::bool::weighted(0.3), prop::bool::weighted(0.2))
        .prop_map(|(routes, raw, stack, away, start_first)| Service { routes, raw, stack, away, start_first });
    let services = btree_map(select(SERVICES.to_vec()), service, 1..5);
    let outside = btree_map(select(OUTSIDE.to_vec()), route(), 0..3);
    (services, outside).prop_map(|(services, outside)| Home { services, outside })
}

/// A host and path that somebody wrote, with whom it leads to and who may enter.
struct Wanted<'h> {
    host: &'static str,
    path: &'static str,
    owner: String,
    away: bool,
    door: Option<&'h str>,
}

impl Home {
    /// What was written, by what it means.
    fn ways(&self) -> Vec<Wanted<'_>> {
        let mut all = Vec::new();
        let services = self
            .services
            .iter()
            .flat_map(|(name, s)| s.routes.iter().map(move |r| (format!("service {name}"), r, s.away)));
        let outside = self.outside.iter().map(|(key, route)| (format!("outside {key}"), route, false));
        for (owner, route, away) in services.chain(outside) {
            for host in &route.hosts {
                let path = route.path.map_or("/", |i| PATHS[i]);
                all.push(Wanted {
                    host: HOSTS[*host].1,
                    path,
                    owner: owner.clone(),
                    away,
                    door: ACCESS[route.access].1,
                });
            }
        }
        all
    }

    /// Whether two routes want the same host and path.
    fn has_twice(&self) -> bool {
        let mut seen = BTreeSet::new();
        !self.ways().iter().all(|way| seen.insert((way.host, way.path.trim_end_matches('/'))))
    }

    fn stack(&self, index: usize) -> String {
        let mut text = String::from("services:\n");
        for (name, service) in self.services.iter().filter(|(_, s)| s.stack == index) {
            let routes: Vec<Value> = service.routes.iter().map(written).collect();
            let own = json!({ "route": routes, "raw-labels": true });
            let mut all = json!({ "image": "i", "x-hearth": own });
            if service.start_first {
                all["deploy"] = json!({ "update_config": { "order": "start-first" } });
            }
            if let Some((router, rule, priority)) = service.raw {
                let key = |rest: &str| format!("traefik.http.routers.{}.{rest}", ROUTERS[router]);
                let mut labels = BTreeMap::from([
                    ("traefik.enable".to_string(), json!("true")),
                    (key("rule"), json!(RULES[rule])),
                    (key("entrypoints"), json!("websecure")),
                    (key("tls"), json!("true")),
                    (key("service"), json!(format!("raw-{}", ROUTERS[router]))),
                    (format!("traefik.http.services.raw-{}.loadbalancer.server.port", ROUTERS[router]), json!("80")),
                ]);
                labels.extend(priority.map(|p| (key("priority"), json!(p.to_string()))));
                all["labels"] = json!(labels);
            }
            let _ = writeln!(text, "  {}: {all}", json!(name));
        }
        text
    }
}

fn written(route: &Route) -> Value {
    let hosts: Vec<&str> = route.hosts.iter().map(|i| HOSTS[*i].0).collect();
    let mut all = json!({ "host": hosts, "port": 80, "access": ACCESS[route.access].0, "scheme": if route.https { "https" } else { "http" } });
    if let Some(path) = route.path {
        all["path"] = json!(PATHS[path]);
    }
    all
}

/// What Traefik gets of a home: the labels of each service that runs, and the file.
struct Told {
    containers: BTreeMap<String, BTreeMap<String, String>>,
    file: Value,
}

/// The whole way of a home's text; refusals by their codes.
fn told(home: &Home) -> Result<Told, Vec<&'static str>> {
    let root = Path::new("/home");
    let used: BTreeSet<usize> = home.services.values().map(|s| s.stack).collect();
    let stacks: Vec<StackFile> = used
        .iter()
        .map(|i| StackFile {
            name: STACKS[*i].into(),
            path: root.join(format!("stacks/{}.yaml", STACKS[*i])),
            text: home.stack(*i),
        })
        .collect();
    let mut files: BTreeMap<PathBuf, String> = stacks.iter().map(|s| (s.path.clone(), s.text.clone())).collect();
    files.insert(root.join(".env"), ENV.into());
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let refused = |told: &Diagnostics| -> Vec<&'static str> {
        told.0.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code).collect()
    };
    let read = spec::read(root, &stacks, &Memory(files.clone()), &mut sources, &mut diagnostics);
    let settings = Settings {
        project: "home",
        mode: Mode::Domain,
        range: "10.213.0.0/16".parse().map_err(|_| vec!["no range"])?,
        previous: Vec::new(),
        traefik: &statics::Settings::default(),
        outside: &home.outside.iter().map(|(key, route)| outside(key, route)).collect::<Vec<_>>(),
    };
    let rendered = read.as_ref().and_then(|read| spec::render(read, &settings, &mut diagnostics));
    let Some(rendered) = rendered else { return Err(refused(&diagnostics)) };
    files.insert(root.join("compose.yaml"), rendered.files[Path::new(spec::DOMAIN)].clone());
    let request = Request {
        cwd: root.into(),
        files: vec![root.join("compose.yaml")],
        project_name: Some("home".into()),
        ..Request::default()
    };
    let loaded = compose::load(&request, &Memory(files));
    let Some(project) = &loaded.project else { return Err(refused(&loaded.diagnostics)) };
    let values = BTreeMap::from([("DOMAIN", "x.test"), ("SUB", "a"), ("WHOLE", "B.x.test.")]);
    let values: BTreeMap<String, String> = values.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    let services: Vec<spec::labels::Service<'_>> = project
        .services
        .iter()
        .map(|(name, service)| spec::labels::Service {
            name,
            labels: service.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            place: None,
            raw: home.services.contains_key(name.as_str()),
        })
        .collect();
    diagnostics.extend(spec::labels::loaded(&services, &rendered.routes, &values, Some(PANEL)));
    let lookup = |name: &str| values.get(name).cloned();
    let routes: Vec<_> = rendered.routes.all().filter_map(|route| route.resolve(&lookup).ok()).collect();
    assert_eq!(routes.len(), rendered.routes.all().count());
    let names: BTreeSet<&str> = routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names.len(), routes.len(), "two routes have one name: {names:?}");
    spec::routes::names_twice(routes.iter(), &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(refused(&diagnostics));
    }
    let pair = Pair { chain: "C".into(), key: "K".into() };
    let inner = Inner {
        url: "https://hearth".into(),
        server_name: "h".into(),
        client: pair,
        authority: "A".into(),
        panel: Some(PANEL.into()),
    };
    let content = Content { routes: &routes, https_port: 443, inner: Some(&inner), ..Content::default() };
    let file = serde_json::from_str(&file::render(&content)).map_err(|_| vec!["no JSON"])?;
    let running = project.services.iter().filter(|(name, _)| home.services.get(name.as_str()).is_none_or(|s| !s.away));
    let containers = running
        .map(|(name, s)| (name.clone(), s.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect()))
        .collect();
    Ok(Told { containers, file })
}

/// As `hearth.yaml` has it.
fn outside(key: &str, route: &Route) -> (String, keys::Route) {
    let mut all = written(route);
    all["url"] = json!(address(key, route));
    all.as_object_mut().into_iter().for_each(|all| drop((all.remove("port"), all.remove("scheme"))));
    let (mut sources, mut told) = (Sources::default(), Diagnostics::default());
    let file = sources.add("hearth.yaml", all.to_string());
    let read = yaml::parse(file, &sources, &mut told).first().and_then(|node| keys::outside(key, node, &mut told));
    (key.to_string(), read.unwrap_or_else(|| panic!("{:?}", told.0)))
}

fn address(key: &str, route: &Route) -> String {
    format!(
        "{}://192.168.1.20:{}",
        if route.https { "https" } else { "http" },
        5000 + OUTSIDE.iter().position(|k| *k == key).unwrap_or(0)
    )
}

/// A router on `websecure`.
#[derive(Debug)]
struct Router {
    rule: String,
    priority: u64,
    from_file: bool,
    middlewares: Vec<String>,
    /// Who answers: `service NAME` (of the containers behind it), `away NAME`, `outside KEY`, or what Hearth itself has.
    owner: BTreeSet<String>,
}

/// The routers that Traefik makes of it; of two that say different things under one name it takes neither.
fn routers(told: &Told, home: &Home) -> Vec<Router> {
    let mut routers: BTreeMap<String, BTreeSet<BTreeMap<String, String>>> = BTreeMap::new();
    let mut servers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (container, labels) in &told.containers {
        let mut own: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (key, value) in labels {
            if let Some((name, field)) = key.strip_prefix("traefik.http.routers.").and_then(|k| k.split_once('.')) {
                own.entry(name.into()).or_default().insert(field.to_lowercase(), value.clone());
            }
            if let Some((name, _)) = key.strip_prefix("traefik.http.services.").and_then(|k| k.split_once('.')) {
                servers.entry(name.into()).or_default().insert(format!("service {container}"));
            }
        }
        for (name, router) in own {
            routers.entry(name).or_default().insert(router);
        }
    }
    let mut all = Vec::new();
    for (_, said) in routers.into_iter().filter(|(_, said)| said.len() == 1) {
        for router in said {
            let text = |key: &str| router.get(key).cloned().unwrap_or_default();
            all.push(Router {
                priority: text("priority").parse().unwrap_or(text("rule").len() as u64),
                rule: text("rule"),
                from_file: false,
                middlewares: text("middlewares").split(',').map(|m| m.replace("@file", "")).collect(),
                owner: servers.get(&text("service")).cloned().unwrap_or_default(),
            });
        }
    }
    let http = &told.file["http"];
    for (name, router) in http["routers"].as_object().into_iter().flatten() {
        if router["entryPoints"] != json!(["websecure"]) {
            continue;
        }
        let text = |key: &str| router[key].as_str().unwrap_or("").to_string();
        let middlewares: Vec<String> = router["middlewares"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| m.as_str().map(str::to_string))
            .collect();
        let asked_for = |m: &String| {
            http["middlewares"][m]["headers"]["customRequestHeaders"][file::ROUTE_HEADER].as_str().map(str::to_string)
        };
        let asked_for = middlewares.iter().rev().find_map(asked_for).filter(|name| !name.is_empty());
        let url = &http["services"][text("service")]["loadBalancer"]["servers"][0]["url"];
        let to = home
            .outside
            .iter()
            .filter(|(key, route)| *url == address(key, route))
            .map(|(key, _)| format!("outside {key}"));
        let owner = match (text("service").as_str(), asked_for) {
            ("gate", Some(service)) => BTreeSet::from([format!("away {service}")]),
            ("gate" | "hearth", _) => BTreeSet::from([name.clone()]),
            _ => to.collect(),
        };
        let priority = router["priority"].as_u64().unwrap_or(text("rule").len() as u64);
        all.push(Router { priority, rule: text("rule"), from_file: true, middlewares, owner });
    }
    all
}

/// Whether Traefik takes a request by a rule: hosts without case and final dot, `*.` for exactly one label, paths by their first letters.
fn takes(rule: &Rule, host: &str, path: &str) -> bool {
    match rule {
        Rule::Not(inner) => !takes(inner, host, path),
        Rule::All(all) => all.iter().all(|rule| takes(rule, host, path)),
        Rule::Any(all) => all.iter().any(|rule| takes(rule, host, path)),
        Rule::Is(Matcher { name: Name::Host, arguments }) => {
            let plain = |text: &str| text.trim_end_matches('.').to_lowercase();
            let (wanted, host) = (plain(&arguments[0]), plain(host));
            match wanted.strip_prefix("*.") {
                _ if wanted == "*" => true,
                Some(rest) => host.split_once('.').is_some_and(|(first, other)| !first.is_empty() && other == rest),
                None => wanted == host,
            }
        }
        Rule::Is(Matcher { name: Name::PathPrefix, arguments }) => path.starts_with(&arguments[0]),
        Rule::Is(Matcher { name: Name::Path, arguments }) => path == arguments[0],
        Rule::Is(Matcher { name: Name::PathRegexp, arguments }) if arguments[0] == ";" => path.contains(';'),
        other => panic!("a rule that nobody wrote here: {other}"),
    }
}

/// Whether a path is this one, or below it.
fn is_under(path: &str, way: &str) -> bool {
    path.strip_prefix(way.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The routers that may get a request: all of the highest priority, of the file where that has one.
fn winners<'r>(routers: &'r [(Rule, Router)], host: &str, path: &str) -> Vec<&'r Router> {
    let taking: Vec<&Router> = routers.iter().filter(|(rule, _)| takes(rule, host, path)).map(|(_, r)| r).collect();
    let best = taking.iter().map(|r| (r.priority, r.from_file)).max();
    taking.into_iter().filter(|r| Some((r.priority, r.from_file)) == best).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_hosts_are_ever_confused(home in home()) {
        let told = match told(&home) {
            Ok(told) => told,
            // Refused is fine where there is a reason: two that want the same, or labels of a person.
            Err(codes) => {
                let raw = home.services.values().any(|s| s.raw.is_some());
                prop_assert!(home.has_twice() || raw, "refused for nothing: {codes:?}");
                return Ok(());
            }
        };
        prop_assert!(!home.has_twice(), "two routes for one host and path");
        let routers: Vec<(Rule, Router)> = routers(&told, &home)
            .into_iter()
            .filter_map(|router| Some((rule::parse(&router.rule, Protocol::Http).ok()?, router)))
            .collect();
        let ways = home.ways();
        let spell = |host: &str| [host.to_string(), host.to_uppercase(), format!("{host}.")];
        let hosts: BTreeSet<String> =
            HOSTS.iter().map(|(_, name)| *name).chain(STRANGERS).chain(["free.x.test", PANEL]).flat_map(spell).collect();
        for host in &hosts {
            let name = host.trim_end_matches('.').to_lowercase();
            for path in ASKED {
                let won = winners(&routers, host, path);
                let owners: BTreeSet<&String> = won.iter().flat_map(|r| &r.owner).collect();
                let way = ways.iter().filter(|w| w.host == name && is_under(path, w.path)).max_by_key(|w| w.path.len());
                let said = || format!("{host}{path}: {won:?}\n{}", serde_json::to_string_pretty(&told.file["http"]["routers"]).unwrap_or_default());
                let login = |way: &Wanted| way.host == name && way.door.is_some_and(|door| door.starts_with("login--"));
                if path.starts_with(OWN) && ways.iter().any(login) {
                    prop_assert!(owners == BTreeSet::from([&"login--own".to_string()]), "another than the login: {}", said());
                    continue;
                }
                let Some(way) = way else {
                    let theirs = ways.iter().any(|w| owners.contains(&w.owner) && home.services.get(&w.owner["service ".len().min(w.owner.len())..]).is_none_or(|s| s.raw.is_none()));
                    prop_assert!(!theirs, "a route answers for what it does not have: {}", said());
                    prop_assert!(name != PANEL || owners == BTreeSet::from([&"panel".to_string()]), "{}", said());
                    continue;
                };
                let wanted = if way.away { way.owner.replace("service ", "away ") } else { way.owner.clone() };
                // With labels of its own a service may open its own host further, or spoil its own route: that is what they are for.
                let raw = home.services.iter().any(|(name, s)| s.raw.is_some() && way.owner == format!("service {name}"));
                let itself = ["unknown".to_string(), way.owner.replace("service ", "away ")];
                let spoiled = raw && owners.len() == 1 && itself.iter().any(|own| owners.contains(own));
                prop_assert!(spoiled || owners == BTreeSet::from([&wanted]), "{wanted}: {}", said());
                for router in won.iter().filter(|_| !raw || way.away) {
                    let door = router.middlewares.iter().map(String::as_str).find(|m| ["lan", "closed"].contains(m) || (m.starts_with("login--") && *m != SHIELD));
                    // Whoever asks is asked before anything else is done, but for paths that are refused in any case.
                    let first = router.middlewares.iter().find(|m| *m != "plain-path").map(String::as_str);
                    prop_assert!(door.is_none() || door == first, "not first: {}", said());
                    prop_assert_eq!(door, way.door, "another door: {}", said());
                    let asks = door.is_some_and(|door| door.starts_with("login--"));
                    let shielded = router.middlewares.iter().any(|m| m == SHIELD);
                    prop_assert!(shielded || asks || !ways.iter().any(login), "the login's cookie would reach it: {}", said());
                }
            }
        }
    }
}
