//! What the model of Traefik's label grammar says that a mistake costs, beside what a real Traefik makes of the same labels.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use hearth::traefik::grammar::{self, Label};
use serde_json::Value;

use crate::rig::{Done, Scratch, Skip, Traefik, cases, until};

cases![
    together: a_mistake_costs_what_the_model_says, one_name_in_two_containers_is_what_the_model_says,
        the_default_certificate_is_dropped_where_two_places_set_it;
    alone: a_bracket_that_nothing_opens_stops_the_docker_provider;
];

const SOON: Duration = Duration::from_secs(10);

/// What a mistake at the router `NAME` costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// Nothing that Traefik would tell.
    Nothing,
    /// That router.
    Router,
    /// All routers of the container.
    Container,
}

/// The labels of a container with the routers NAME, where the mistake is, and NAME-ok.
fn labels(name: &str, mistake: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("traefik.enable".to_string(), "true".to_string())]);
    for router in [name.to_string(), format!("{name}-ok")] {
        let mut add = |key: &str, value: String| all.insert(format!("traefik.http.{key}"), value);
        add(&format!("routers.{router}.rule"), format!("Host(`{router}.test`)"));
        add(&format!("routers.{router}.entrypoints"), "web".into());
        add(&format!("routers.{router}.service"), router.clone());
        add(&format!("services.{router}.loadbalancer.server.port"), "80".into());
    }
    for line in mistake.lines() {
        let (key, value) = line.trim().split_once('=').unwrap_or((line.trim(), ""));
        all.insert(key.replace("NAME", name), value.replace("NAME", name));
    }
    all
}

/// A service of that name that only waits.
fn service(s: &Scratch, name: &str, labels: &BTreeMap<String, String>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('$', "$$").replace('\'', "''"));
    let lines: String = labels.iter().map(|(k, v)| format!("      {}: {}\n", quoted(k), quoted(v))).collect();
    format!(
        "  {name}:\n    image: hearth-test/busybox:1\n    stop_signal: SIGKILL\n    command: [sleep, '1000']\n    labels:\n      hearth-test.case: {}\n{lines}",
        s.project
    )
}

/// A Traefik that reads Docker itself, but only containers of this case. It may run in a container, which the engine's socket is not in.
fn traefik(s: &Scratch) -> Result<Traefik<'_>, Skip> {
    let flags = [
        format!("providers.docker.endpoint=tcp://127.0.0.1:{}", relay(s.socket())),
        "providers.docker.exposedbydefault=false".to_owned(),
        format!("providers.docker.constraints=Label(`hearth-test.case`,`{}`)", s.project),
        "providers.providersthrottleduration=200ms".to_owned(),
    ];
    Traefik::start(s, &flags)
}

/// A port of loopback that leads to a unix socket, as long as this program runs.
fn relay(socket: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback can be had");
    let port = listener.local_addr().expect("a listener has an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(engine) = UnixStream::connect(&socket) else { continue };
            let (Ok(client_in), Ok(engine_in)) = (client.try_clone(), engine.try_clone()) else { continue };
            std::thread::spawn(move || copy(client_in, engine_in, |engine| engine.shutdown(Shutdown::Write)));
            std::thread::spawn(move || copy(engine, client, |client| client.shutdown(Shutdown::Both)));
        }
    });
    port
}

/// Copies until the end, and says so to the other side.
fn copy<R: std::io::Read, W: std::io::Write>(mut from: R, mut to: W, end: impl Fn(&W) -> std::io::Result<()>) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = end(&to);
}

/// Routers of containers, by name.
fn routers(traefik: &Traefik<'_>) -> BTreeMap<String, Value> {
    let all = traefik.api("/api/http/routers?per_page=1000");
    let named = all.as_array().into_iter().flatten();
    named
        .filter_map(|router| Some((router["name"].as_str()?.strip_suffix("@docker")?.to_string(), router.clone())))
        .collect()
}

/// What the model says: the worst of all mistakes.
fn told(labels: &BTreeMap<String, String>) -> (Cost, String) {
    let all: Vec<Label> = labels.iter().map(|(key, value)| Label::new(key, value)).collect();
    let titles: Vec<String> = grammar::read(&all).diagnostics.0.into_iter().map(|d| d.title).collect();
    let says = |words: &str| titles.iter().any(|title| title.contains(words));
    let cost = match () {
        () if says("drop all routes of this container") => Cost::Container,
        () if says("would not serve the router") || says("would be off") => Cost::Router,
        () => Cost::Nothing,
    };
    (cost, titles.join("; "))
}

const MISTAKES: &[(&str, Cost, &str)] = &[
    ("none", Cost::Nothing, ""),
    ("unknown-key", Cost::Container, "traefik.http.routers.NAME.entrypoint=web"),
    ("unknown-section", Cost::Container, "traefik.http.router.NAME.rule=x"),
    ("dotted-name", Cost::Container, "traefik.http.routers.my.app.rule=Host(`x.test`)"),
    ("bad-int", Cost::Container, "traefik.http.routers.NAME.priority=high"),
    ("bad-enable", Cost::Container, "traefik.enable=yes"),
    ("enabled", Cost::Container, "traefik.enabled=true"),
    ("upper-root", Cost::Container, "TRAEFIK.http.routers.NAME.priority=1"),
    ("empty-part", Cost::Container, "traefik.http.routers..rule=x"),
    ("leading-bracket", Cost::Container, "traefik.http.routers.NAME.tls.[0]=x"),
    ("standalone", Cost::Container, "traefik.http.middlewares.NAME.headers=true"),
    ("below-a-text", Cost::Container, "traefik.http.routers.NAME.rule.x=y"),
    ("bad-duration", Cost::Container, "traefik.http.services.NAME.loadbalancer.healthcheck.interval=1d"),
    ("weighted", Cost::Container, "traefik.http.services.w.weighted.services[0].name=NAME"),
    ("bare-service", Cost::Container, "traefik.http.services.w=true"),
    ("url-and-port", Cost::Container, "traefik.http.services.NAME.loadbalancer.server.url=http://127.0.0.1:1"),
    ("plugin-comma", Cost::Container, "traefik.http.middlewares.NAME.plugin.p.a.b=,x"),
    ("open-rule", Cost::Router, "traefik.http.routers.NAME.rule=Host(`x.test`"),
    ("two-arguments", Cost::Router, "traefik.http.routers.NAME.rule=Host(`x.test`, `y.test`)"),
    ("letters", Cost::Router, "traefik.http.routers.NAME.rule=Host(`bücher.test`)"),
    ("unknown-matcher", Cost::Router, "traefik.http.routers.NAME.rule=Hots(`x.test`)"),
    ("bad-expression", Cost::Router, "traefik.http.routers.NAME.rule=PathRegexp(`(`)"),
    ("bad-path", Cost::Router, "traefik.http.routers.NAME.rule=Path(`x`)"),
    ("no-entry-point", Cost::Router, "traefik.http.routers.NAME.entrypoints=https"),
    ("no-middleware", Cost::Router, "traefik.http.routers.NAME.middlewares=gone"),
    ("empty-middleware", Cost::Router, "traefik.http.routers.NAME.middlewares=,"),
    ("no-service", Cost::Router, "traefik.http.routers.NAME.service=gone"),
    ("no-choice", Cost::Router, "traefik.http.routers.NAME.service="),
    ("no-transport", Cost::Router, "traefik.http.services.NAME.loadbalancer.serverstransport=gone"),
    ("service-middleware", Cost::Router, "traefik.http.services.NAME.middlewares=gone"),
    (
        "chain",
        Cost::Router,
        "traefik.http.routers.NAME.middlewares=c
         traefik.http.middlewares.c.chain.middlewares=gone",
    ),
    (
        "errors",
        Cost::Router,
        "traefik.http.routers.NAME.middlewares=e
         traefik.http.middlewares.e.errors.status=500
         traefik.http.middlewares.e.errors.service=gone",
    ),
    (
        "two-kinds",
        Cost::Router,
        "traefik.http.routers.NAME.middlewares=two
         traefik.http.middlewares.two.addprefix.prefix=/x
         traefik.http.middlewares.two.stripprefix.prefixes=/x",
    ),
    (
        "no-kind",
        Cost::Router,
        "traefik.http.routers.NAME.middlewares=nothing
         traefik.http.middlewares.nothing=true",
    ),
    (
        "kind-off",
        Cost::Router,
        "traefik.http.routers.NAME.middlewares=off
         traefik.http.middlewares.off.compress=no",
    ),
    ("priority", Cost::Router, "traefik.http.routers.NAME.priority=9223372036854774808"),
    ("bad-port", Cost::Router, "traefik.http.services.NAME.loadbalancer.server.port=abc"),
    ("bad-strategy", Cost::Router, "traefik.http.services.NAME.loadbalancer.strategy=random"),
    ("large-port", Cost::Nothing, "traefik.http.services.NAME.loadbalancer.server.port=99999"),
    ("bad-scheme", Cost::Nothing, "traefik.http.services.NAME.loadbalancer.server.scheme=htps"),
    ("bad-same-site", Cost::Nothing, "traefik.http.services.NAME.loadbalancer.sticky.cookie.samesite=some"),
    ("not-read", Cost::Nothing, "traefik.foo=bar"),
    ("certificates", Cost::Nothing, "traefik.tls.certificates[0].certfile=/x"),
    ("parent", Cost::Nothing, "traefik.http.routers.NAME.parentrefs=x"),
    ("transport", Cost::Nothing, "traefik.http.serverstransports.t.insecureskipverify=true"),
    ("tls-maybe", Cost::Nothing, "traefik.http.routers.NAME.tls=maybe"),
    ("tls-on", Cost::Nothing, "traefik.http.routers.NAME.tls="),
    (
        "list-index",
        Cost::Nothing,
        "traefik.http.routers.NAME.entrypoints=\ntraefik.http.routers.NAME.entrypoints[0]=websecure",
    ),
];

fn a_mistake_costs_what_the_model_says(s: &Scratch) -> Done {
    let all: Vec<(&str, Cost, BTreeMap<String, String>)> =
        MISTAKES.iter().map(|(name, cost, mistake)| (*name, *cost, labels(name, mistake))).collect();
    let services: String = all.iter().map(|(name, _, labels)| service(s, name, labels)).collect();
    s.stack(&format!("services:\n{services}"));
    s.compose("up -d").ok();
    let traefik = traefik(s)?;
    let whole =
        until(SOON, || routers(&traefik).contains_key("none-ok") && routers(&traefik).contains_key("not-read-ok"));
    assert!(whole, "{}", traefik.log());
    let routers = routers(&traefik);
    let enabled = |name: &str| routers.get(name).is_some_and(|router| router["status"] == "enabled");
    let mut wrong = Vec::new();
    for (name, cost, labels) in &all {
        let seen = match (enabled(name), enabled(&format!("{name}-ok"))) {
            (true, true) => Cost::Nothing,
            (false, true) => Cost::Router,
            _ => Cost::Container,
        };
        let (told, titles) = told(labels);
        let mistaken = !["none", "tls-on"].contains(name);
        if seen != *cost || told != *cost || titles.is_empty() == mistaken {
            wrong.push(format!("{name}: expected {cost:?}, Traefik {seen:?}, told {told:?}: {titles}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What Traefik does not tell anybody.
    let tls = |name: &str| !routers[name]["tls"].is_null();
    assert_eq!((tls("tls-maybe"), tls("tls-on")), (false, true));
    let points = routers["list-index"]["entryPoints"].as_array().map_or(0, Vec::len);
    assert!(points > 1, "the index was not read, so it is on all entry points: {}", routers["list-index"]);
    Ok(())
}

fn one_name_in_two_containers_is_what_the_model_says(s: &Scratch) -> Done {
    let with = |name: &str, more: &str| service(s, name, &labels(name, more));
    let one = "traefik.http.routers.shared.rule=Host(`one-shared.test`)
        traefik.http.routers.shared.entrypoints=web
        traefik.http.routers.shared.service=one
        traefik.http.routers.same.rule=Host(`same.test`)
        traefik.http.routers.same.entrypoints=web
        traefik.http.routers.same.service=port
        traefik.http.routers.Case.rule=Host(`one-case.test`)
        traefik.http.routers.Case.entrypoints=web
        traefik.http.routers.Case.service=one
        traefik.http.services.port.loadbalancer.server.port=80
        traefik.http.services.option.loadbalancer.server.port=80
        traefik.http.services.default.loadbalancer.server.port=80
        traefik.http.middlewares.m.addprefix.prefix=/one";
    let two = one
        .replace("`one-", "`two-")
        .replace("Case", "case")
        .replace("service=one", "service=two")
        .replace("port.loadbalancer.server.port=80", "port.loadbalancer.server.port=81")
        .replace("/one", "/two")
        + "\ntraefik.http.services.option.loadbalancer.passhostheader=false
           traefik.http.services.default.loadbalancer.passhostheader=true";
    s.stack(&format!("services:\n{}{}", with("one", one), with("two", &two)));
    s.compose("up -d").ok();
    let traefik = traefik(s)?;
    // Until it has looked at both; before that it may have seen one of them alone.
    let wanted = ["Case", "case", "one", "one-ok", "same", "two", "two-ok"];
    assert!(until(SOON, || routers(&traefik).keys().eq(wanted)), "{:?}", routers(&traefik).keys());
    let servers = |name: &str| {
        let service = traefik.api(&format!("/api/http/services/{name}@docker"));
        service["loadBalancer"]["servers"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((servers("port"), servers("default"), servers("option")), (2, 2, 0));
    let middlewares = traefik.api("/api/http/middlewares?per_page=1000").to_string();
    assert!(!middlewares.contains("m@docker"), "{middlewares}");

    let read = |name: &str, more: &str| {
        let all = labels(name, more);
        grammar::read(&all.iter().map(|(key, value)| Label::new(key, value)).collect::<Vec<_>>())
    };
    let (first, second) = (read("one", one), read("two", &two));
    let seen = [("one", &first), ("two", &second)].map(|(name, read)| grammar::Container {
        name,
        labels: &read.labels,
        places: &read.places,
    });
    let told: Vec<String> = grammar::conflicts(&seen).into_iter().map(|d| d.title).collect();
    let about = |words: &str| told.iter().filter(|title| title.contains(words)).count();
    assert_eq!(
        [
            about("the router `shared` has another `rule`"),
            about("the routers `Case` and `case` differ only in case"),
            about(
                "the service `port` has another `server.port` in `two` than in `one`: Traefik would take them for one"
            ),
            about("the service `option` has another `loadbalancer.passhostheader`"),
            about("the middleware `m` has another `addprefix.prefix`"),
        ],
        [1; 5],
        "{told:?}"
    );
    assert_eq!(told.len(), 5, "{told:?}");
    Ok(())
}

fn the_default_certificate_is_dropped_where_two_places_set_it(s: &Scratch) -> Done {
    let labels = labels("store", "traefik.tls.stores.default.defaultgeneratedcert.resolver=NAME");
    s.stack(&format!("services:\n{}", service(s, "store", &labels)));
    s.compose("up -d").ok();
    let traefik = traefik(s)?;
    let complains = || traefik.log().contains("Default TLS Store defined in multiple providers");
    assert!(until(SOON, || routers(&traefik).contains_key("store")) && !complains(), "{}", traefik.log());
    let file = "tls: { stores: { default: { defaultCertificate: { certFile: a.pem, keyFile: b.pem } } } }\n";
    std::fs::write(traefik.dynamic.join("own.yml"), file).expect("the folder can be written");
    assert!(until(SOON, complains), "{}", traefik.log());
    let all: Vec<Label> = labels.iter().map(|(key, value)| Label::new(key, value)).collect();
    let codes: Vec<&str> = grammar::read(&all).diagnostics.0.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["traefik.default-certificate"]);
    Ok(())
}

fn a_bracket_that_nothing_opens_stops_the_docker_provider(s: &Scratch) -> Done {
    let bad = labels("bad", "traefik.http.routers.bad.tls.domains0].main=x");
    let services = [
        service(s, "before", &labels("before", "")),
        service(s, "bad", &bad),
        service(s, "after", &labels("after", "")),
    ];
    s.stack(&format!("services:\n{}", services.concat()));
    s.compose("up -d before").ok();
    let traefik = traefik(s)?;
    assert!(until(SOON, || routers(&traefik).contains_key("before")), "{}", traefik.log());
    s.compose("up -d bad").ok();
    s.compose("up -d after").ok();
    std::thread::sleep(SOON);
    let names: Vec<String> = routers(&traefik).into_keys().collect();
    assert_eq!(names, ["before", "before-ok"], "no change is seen any more\n{}", traefik.log());
    let all: Vec<Label> = bad.iter().map(|(key, value)| Label::new(key, value)).collect();
    let titles: Vec<String> = grammar::read(&all).diagnostics.0.into_iter().map(|d| d.title).collect();
    assert!(titles.iter().any(|title| title.contains("see no change of any container any more")), "{titles:?}");
    // Without it all is well again, though not at once: Traefik waits longer after each failure.
    s.compose("rm -s -f bad").ok();
    let well = until(Duration::from_secs(90), || routers(&traefik).contains_key("after"));
    assert!(well, "{}", traefik.log());
    Ok(())
}
