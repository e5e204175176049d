//! The label model on labels that Hearth writes, and what several containers say.

use super::*;
use crate::diag::Diagnostic;
use crate::traefik::route::tests::route;
use crate::traefik::rule::{self, Host, Protocol};
use crate::traefik::{Access, Route, labels};

fn of(text: &str) -> Vec<Label> {
    let pairs = text.lines().map(str::trim).filter(|line| !line.is_empty());
    pairs.filter_map(|line| line.split_once('=')).map(|(key, value)| Label::new(key, value)).collect()
}

fn told(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn what_hearth_writes_is_read_back() {
    let mut written = route("home-web", "web.example.org", Some("/api"), Access::Lan);
    written.sticky = true;
    written.health = Some("/health".into());
    written.request_headers.insert("X-Script-Name".into(), "/api".into());
    let all: Vec<Label> =
        labels::of(&[&written], "home_media", false).into_iter().map(|(k, v)| Label::new(k, v)).collect();
    let read = read(&all);
    assert_eq!(told(&read.diagnostics.0), Vec::<&str>::new());
    let labels = &read.labels;
    assert_eq!((labels.enable, labels.docker_network.as_deref()), (Some(true), Some("home_media")));
    let router = &labels.http.routers["home-web"];
    let rule = rule::parse(router.rule().unwrap(), Protocol::Http).unwrap();
    let reach = rule::reach::of(&rule);
    assert_eq!(reach[0].host, Host::Name("web.example.org".into()));
    let paths: Vec<&rule::Path> = reach.iter().map(|way| &way.path).collect();
    assert_eq!(paths, [&rule::Path::Prefix("/api/".into()), &rule::Path::Exact("/api".into())]);
    assert_eq!(router.entry_points(), ["websecure"]);
    assert!(router.tls().is_some_and(|tls| tls.options().is_none() && tls.domains().is_empty()));
    assert_eq!((router.service(), router.middlewares()[0].as_str()), (Some("home-web"), "plain-path@file"));
    assert!(router.priority().is_some());
    let balancer = labels.http.services["home-web"].load_balancer().unwrap();
    assert_eq!((balancer.port(), balancer.scheme(), balancer.url()), (Some("8080"), None, None));
    assert_eq!(balancer.sticky_cookie().and_then(|cookie| cookie.flag("httponly")), Some(true));
    assert_eq!(balancer.health_check().and_then(|check| check.text("path")), Some("/health"));
    let headers = labels.http.middlewares["home-web-headers"].request_headers();
    assert_eq!(headers.get("X-Script-Name"), Some(&"/api"));
}

#[test]
fn labels_of_others_are_passed_over() {
    let read = read(&of("com.docker.compose.project=home\ntraefikx.http=a\nhearth.traefik=enable\n"));
    assert_eq!((read.labels, read.diagnostics.0.len()), (Labels::default(), 0));
}

#[test]
fn what_is_not_written_has_traefiks_defaults() {
    let read = read(&of("traefik.http.services.web.loadbalancer.server.port=80"));
    let services = read.labels.http.services["web"].0.effective(model::fields("http", "services"));
    assert_eq!(services.flag("loadbalancer.passhostheader"), Some(true));
    assert_eq!(services.duration("loadbalancer.responseforwarding.flushinterval"), Some(100_000_000));
    assert_eq!(services.get("loadbalancer.healthcheck"), None);
}

#[test]
fn replicas_are_no_conflict_and_other_servers_are() {
    let one = "traefik.http.routers.web.rule=Host(`a.b`)\ntraefik.http.routers.web.entrypoints=web\n\
               traefik.http.services.web.loadbalancer.server.port=80";
    let (one, same) =
        (read(&of(one)), read(&of(&format!("{one}\ntraefik.http.services.web.loadbalancer.passhostheader=1"))));
    let other = read(&of("traefik.http.services.web.loadbalancer.server.url=http://10.0.0.1"));
    let container = |name, read: &Read| -> (String, Labels, Places) {
        (String::from(name), read.labels.clone(), read.places.clone())
    };
    let all = [container("a", &one), container("b", &same), container("c", &other)];
    let seen: Vec<Container<'_>> =
        all.iter().map(|(name, labels, places)| Container { name, labels, places }).collect();
    assert_eq!(told(&conflicts(&seen[..2])), Vec::<&str>::new());
    assert_eq!(told(&conflicts(&seen)), ["traefik.conflict"]);
}

#[test]
fn the_priority_of_hearths_own_address_is_kept() {
    let codes = |priority: u64| {
        let labels = format!(
            "traefik.enable=true\ntraefik.http.routers.r.rule=Host(`a.b`)\ntraefik.http.routers.r.entrypoints=web\n\
             traefik.http.routers.r.priority={priority}"
        );
        told(&read(&of(&labels)).diagnostics.0).into_iter().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(codes(9_223_372_036_854_774_807), ["traefik.reserved-priority"]);
    assert_eq!(codes(9_223_372_036_854_774_000), ["traefik.reserved-priority"]);
    assert_eq!(codes(9_223_372_036_854_773_999), Vec::<String>::new());
}

#[test]
fn hosts_of_routes_and_the_panel_are_taken_by_no_label() {
    let mut app = route("home-app", "app.example.org", None, Access::Admin);
    app.service = "app".into();
    let takes = |service: &str, protocol: &str, rule: &str, more: &str| {
        let read = read(&of(&format!("traefik.{protocol}.routers.r.rule={rule}\n{more}")));
        let container = Container { name: service, labels: &read.labels, places: &read.places };
        let told = claims(&[container], std::slice::from_ref(&app), &[], Some("panel.example.org"));
        told.first().map(|d| (d.code, d.title.clone()))
    };
    let high = "traefik.http.routers.r.priority=5000";
    let (code, title) = takes("raw", "http", "Host(`APP.example.org`) && PathPrefix(`/`)", "").unwrap();
    assert_eq!(code, "traefik.host-taken");
    assert_eq!(title, "the router `r` of `raw` takes app.example.org, which is routed to `app` (access: admin)");
    assert!(takes("raw", "http", "Host(`x.org`) || Host(`panel.example.org`)", "").unwrap().1.contains("Hearth's own"));
    assert!(takes("raw", "tcp", "HostSNI(`app.example.org`)", "").is_some());
    assert!(takes("raw", "http", "PathPrefix(`/`)", high).is_some(), "it would win over every route");
    assert!(takes("raw", "http", "PathPrefix(`/`)", "").is_some(), "it would win while `app` is away");
    assert!(takes("raw", "http", "Host(`*.example.org`)", "").is_some());
    let low = "traefik.http.routers.r.priority=2";
    assert_eq!(takes("raw", "http", "Host(`*.example.org`)", low), None, "the route wins, and what stands in for it");
    for (pattern, taken) in [
        (r"^.+\.example\.org$", true),
        ("app", true),
        (r"\Qapp\E", true),
        (r"^raw\.example\.org$", false),
        (r"^[a-z]{4,}\.example\.org$", false),
    ] {
        let rule = format!("HostRegexp(`{pattern}`)");
        assert_eq!(takes("raw", "http", &rule, "").is_some(), taken, "{pattern}");
        assert_eq!(takes("raw", "http", &rule, low), None, "{pattern}");
    }
    for (points, more, taken) in [
        ("web", "", true),
        ("websecure", "", true),
        ("websecure", "traefik.tcp.routers.r.tls=true", false),
        ("tcp-5432", "", false),
    ] {
        let more = format!("traefik.tcp.routers.r.entrypoints={points}\n{more}");
        assert_eq!(takes("raw", "tcp", "HostSNI(`*`)", &more).is_some(), taken, "{points} {more}");
    }
    assert_eq!(takes("raw", "http", "Host(`raw.example.org`)", high), None);
    assert_eq!(takes("app", "http", "Host(`app.example.org`) && Path(`/x`)", high), None, "its own host");
    let version = read(&of("traefik.http.routers.home-app--v0a1b2c3d.rule=Host(`app.example.org`)"));
    let container = Container { name: "app", labels: &version.labels, places: &version.places };
    let part = Route { service: "part".into(), ..route("home-part", "app.example.org", Some("/x"), Access::Public) };
    assert!(claims(&[container], &[app.clone(), part], &[], None).is_empty(), "the version of a route is the route");
    let raw = read(&of("traefik.http.routers.r.rule=Host(`app.example.org`)"));
    let container = Container { name: "app", labels: &raw.labels, places: &raw.places };
    assert_eq!(claims(&[container], &[], &[app.clone()], None).len(), 1, "a key of hearth.yaml is no service");
}

#[test]
fn names_are_the_same_in_any_case() {
    for (a, b) in [("Web", "wEB"), ("WÉB", "wéb"), ("ſ", "S"), ("ς", "σ"), ("K", "k"), ("µ", "μ")] {
        assert!(keys::same_name(a, b), "{a} {b}");
    }
    for (a, b) in [("web", "wéb"), ("ı", "i"), ("a", "ab")] {
        assert!(!keys::same_name(a, b), "{a} {b}");
    }
}

#[test]
fn labels_made_to_harm_are_answered_soon() {
    let deep = "x.".repeat(200_000);
    assert_eq!(told(&read(&of(&format!("traefik.http.{deep}y=1"))).diagnostics.0), ["traefik.bad-key"]);
    let wide: Vec<Label> = (0..20_000)
        .flat_map(|i| {
            let key = |option: &str| format!("traefik.http.routers.router-{i}.{option}");
            [Label::new(key("service"), format!("gone-{i}")), Label::new(key("rule"), "Host(`a`".repeat(3))]
        })
        .collect();
    let read = read(&wide);
    // Not enabled once, and for each router: no entry points, a bad rule, no such service.
    assert_eq!(read.diagnostics.0.len(), 60_001);
}
