//! Routes as labels of the containers that they lead to.

use super::name;
use super::route::{Door, Entry, Rate, Route, Target};

/// The label with the keys that are ours: what else an image brings is dropped by gate.
pub const OURS: &str = "hearth.traefik";

/// The labels of one service's containers, sorted by key. `network` is the real name of the network over which Traefik reaches
/// them. No routes give no labels.
///
/// `beside`: a new container of it runs for a while beside an old one, which may have other labels. Of two that say different things
/// under one name Traefik takes neither, so the names then tell what is said under them.
pub fn of(routes: &[&Route], network: &str, beside: bool) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for route in routes {
        let said = named(route, &route.name);
        match beside {
            true => all.extend(named(route, &name::version(&route.name, &said))),
            false => all.extend(said),
        }
    }
    if all.is_empty() {
        return Vec::new();
    }
    all.push(("traefik.enable".into(), "true".into()));
    all.push(("traefik.docker.network".into(), network.into()));
    all.sort();
    let ours = ours(all.iter().map(|(key, _)| key.as_str()));
    all.insert(0, (OURS.into(), ours));
    all
}

/// The value of [`OURS`] for these keys: without `traefik.`, separated by a blank.
pub fn ours<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    let short: Vec<&str> = keys.filter_map(|key| key.strip_prefix("traefik.")).collect();
    short.join(" ")
}

/// The labels of one route, whose objects are called `name`.
fn named(route: &Route, name: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let own = Route { name: name.to_string(), ..route.clone() };
    match route.entry {
        Entry::Web { .. } => web(&own, &route.name, &mut all),
        Entry::Tcp(_) => tcp(&own, &mut all),
        Entry::Udp(_) => udp(&own, &mut all),
    }
    all
}

fn target(route: &Route) -> (&str, &str) {
    match &route.target {
        Target::Container { port, scheme } => (port, scheme),
        Target::Addresses(_) | Target::Nobody(_) => ("", "http"),
    }
}

/// `lasting` is what the file calls it, and its cookie, whatever its own name is.
fn web(route: &Route, lasting: &str, all: &mut Vec<(String, String)>) {
    let name = &route.name;
    let mut add = |key: String, value: String| all.push((format!("traefik.http.{key}"), value));
    add(format!("routers.{name}.rule"), route.rule());
    add(format!("routers.{name}.entrypoints"), route.entry.point());
    add(format!("routers.{name}.tls"), "true".into());
    add(format!("routers.{name}.service"), name.clone());
    add(
        format!("routers.{name}.middlewares"),
        Route { name: lasting.into(), ..route.clone() }.middlewares("@file", "", name).join(","),
    );
    if let (Some(priority), _) = route.priorities() {
        add(format!("routers.{name}.priority"), priority.to_string());
    }
    let (port, scheme) = target(route);
    let service = format!("services.{name}.loadbalancer");
    add(format!("{service}.server.port"), port.into());
    if scheme != "http" {
        add(format!("{service}.server.scheme"), scheme.into());
    }
    if route.has_transport() {
        add(format!("{service}.serverstransport"), format!("{lasting}@file"));
    }
    if route.sticky {
        for (key, value) in
            [("name", cookie(lasting).as_str()), ("secure", "true"), ("httponly", "true"), ("samesite", "lax")]
        {
            add(format!("{service}.sticky.cookie.{key}"), value.into());
        }
    }
    if let Some(path) = &route.health {
        add(format!("{service}.healthcheck.path"), path.clone());
    }
    if let Some(Rate { average, period, burst }) = &route.rate {
        let limit = format!("middlewares.{name}-rate.ratelimit");
        add(format!("{limit}.average"), average.to_string());
        add(format!("{limit}.period"), period.to_string());
        add(format!("{limit}.burst"), burst.to_string());
        add(format!("{limit}.sourcecriterion.ipstrategy.ipv6subnet"), Rate::SUBNET.to_string());
    }
    for (kind, headers) in [("request", &route.request_headers), ("response", &route.response_headers)] {
        for (header, value) in headers {
            add(format!("middlewares.{name}-headers.headers.custom{kind}headers.{header}"), value.clone());
        }
    }
    if let Entry::Web { path: Some(path), strip: true, .. } = &route.entry {
        add(format!("middlewares.{name}-strip.stripprefix.prefixes"), path.clone());
    }
}

/// The cookie that keeps a browser with one container.
pub(super) fn cookie(name: &str) -> String {
    format!("hearth-{name}")
}

fn tcp(route: &Route, all: &mut Vec<(String, String)>) {
    let name = &route.name;
    let mut add = |key: String, value: String| all.push((format!("traefik.tcp.{key}"), value));
    add(format!("routers.{name}.rule"), route.rule());
    add(format!("routers.{name}.entrypoints"), route.entry.point());
    add(format!("routers.{name}.service"), name.clone());
    if let Some(middleware) = tcp_middleware(route.door()) {
        add(format!("routers.{name}.middlewares"), format!("{middleware}@file"));
    }
    add(format!("services.{name}.loadbalancer.server.port"), target(route).0.into());
}

/// The middleware that keeps a TCP route to those who may enter.
pub(super) fn tcp_middleware(door: Door) -> Option<&'static str> {
    match door {
        Door::Open => None,
        Door::Lan => Some("lan"),
        Door::Login | Door::Closed => Some("closed"),
    }
}

fn udp(route: &Route, all: &mut Vec<(String, String)>) {
    let name = &route.name;
    let mut add = |key: String, value: String| all.push((format!("traefik.udp.{key}"), value));
    add(format!("routers.{name}.entrypoints"), route.entry.point());
    add(format!("routers.{name}.service"), name.clone());
    add(format!("services.{name}.loadbalancer.server.port"), target(route).0.into());
}

#[cfg(test)]
mod tests {
    use super::super::forward::bypass::{Bypass, Needs};
    use super::super::route::{Access, tests::route};
    use super::*;

    fn value<'l>(labels: &'l [(String, String)], key: &str) -> Option<&'l str> {
        labels.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    #[test]
    fn a_route_says_everything_that_traefik_would_otherwise_guess() {
        let labels = of(&[&route("home-web", "web.example.org", None, Access::Lan)], "home_media", false);
        let get = |key: &str| value(&labels, &format!("traefik.http.{key}"));
        assert_eq!(get("routers.home-web.rule"), Some("Host(`web.example.org`)"));
        assert_eq!(get("routers.home-web.entrypoints"), Some("websecure"));
        assert_eq!(get("routers.home-web.tls"), Some("true"));
        assert_eq!(get("routers.home-web.service"), Some("home-web"));
        assert_eq!(get("routers.home-web.middlewares"), Some("lan@file,clean@file"));
        assert_eq!(get("routers.home-web.priority"), None);
        assert_eq!(get("services.home-web.loadbalancer.server.port"), Some("8080"));
        assert_eq!(value(&labels, "traefik.docker.network"), Some("home_media"));
        let ours: Vec<&str> = value(&labels, OURS).unwrap().split(' ').collect();
        assert_eq!(ours.len() + 1, labels.len(), "every key but the list itself stands in the list");
    }

    #[test]
    fn what_needs_a_login_asks_gate_first() {
        for (access, login) in [
            (Access::User, "login--user"),
            (Access::Admin, "login--admin"),
            (Access::LanOrUser, "login--home"),
            (Access::Group("family".into()), "login--group-family"),
        ] {
            let mut route = route("r", "a.b", Some("/x"), access);
            route.entry = Entry::Web { hosts: vec!["a.b".into()], path: Some("/x".into()), strip: true };
            route.rate = Some(Rate { average: 1, period: "1s", burst: 1 });
            let labels = of(&[&route], "n", false);
            let wanted = format!("plain-path@file,{login}@file,r-rate,clean--behind-login@file,r-strip");
            assert_eq!(value(&labels, "traefik.http.routers.r.middlewares"), Some(wanted.as_str()));
        }
    }

    #[test]
    fn a_route_with_paths_of_its_own_asks_by_its_own_name_in_every_version() {
        let mut route = route("r", "a.b", None, Access::User);
        route.bypass = vec![Bypass { path: "/api".into(), needs: Needs::Token }];
        for beside in [false, true] {
            let labels = of(&[&route], "n", beside);
            let (_, all) = labels.iter().find(|(key, _)| key.ends_with(".middlewares")).unwrap();
            assert_eq!(all, "login--of-r@file,clean--behind-login@file");
        }
    }

    #[test]
    fn a_path_is_above_every_host_and_its_stand_in_between() {
        let whole = route("a", "x.example.org", None, Access::Public);
        let part = route("b", "x.example.org", Some("/api"), Access::Public);
        let deep = route("c", "x.example.org", Some("/api/v1"), Access::Public);
        let ((_, whole), (Some(part), part_in), (Some(deep), deep_in)) =
            (whole.priorities(), part.priorities(), deep.priorities())
        else {
            panic!("paths have priorities");
        };
        assert!(whole < part_in && part_in < part && part < deep_in && deep_in < deep);
    }

    #[test]
    fn where_two_run_beside_each_other_no_name_says_two_things() {
        let mut old = route("home-web", "web.example.org", None, Access::Lan);
        old.sticky = true;
        old.timeout = Some("5s".into());
        let mut new = old.clone();
        new.access = Access::Public;
        let names = |route: &Route| {
            let labels = of(&[route], "n", true);
            let named = |(key, _): &(String, String)| {
                key.strip_prefix("traefik.http.routers.")?.split('.').next().map(str::to_string)
            };
            let names: std::collections::BTreeSet<String> = labels.iter().filter_map(named).collect();
            assert_eq!(names.len(), 1);
            let name = names.into_iter().next().unwrap();
            // What the file has, and what a browser keeps, is the same for both.
            let service = format!("traefik.http.services.{name}.loadbalancer");
            assert_eq!(value(&labels, &format!("{service}.serverstransport")), Some("home-web@file"));
            assert_eq!(value(&labels, &format!("{service}.sticky.cookie.name")), Some("hearth-home-web"));
            name
        };
        assert_ne!(names(&old), names(&new));
        assert_eq!(names(&old), names(&old.clone()), "scaling merges what says the same");
        assert!(name::is_of(&names(&new), "home-web") && name::is_of("home-web", "home-web"));
        assert!(!name::is_of("home-web--2", "home-web"));
    }

    #[test]
    fn no_routes_give_no_labels() {
        assert_eq!(of(&[], "n", true), []);
    }
}
