//! What is written for Traefik is what Traefik's grammar reads: routes become labels, and the model makes the same routes of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::grammar::{self, Label, Labels};
use super::route::Rate;
use super::rule::{self, Protocol, reach};
use super::{Access, Entry, Route, Target, labels, name};

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![
        Just(Access::Public),
        Just(Access::Lan),
        Just(Access::LanOrUser),
        Just(Access::User),
        Just(Access::Admin),
        "[a-z]{1,8}".prop_map(Access::Group),
    ]
}

fn host() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\\.[a-z]{2,6}){1,3}"
}

fn headers() -> impl Strategy<Value = BTreeMap<String, String>> {
    // Values as people write them, with what could end a label or a list.
    proptest::collection::btree_map("X-[A-Z][a-z]{0,6}", "[ -~]{0,24}", 0..3)
}

prop_compose! {
    fn web()(
        hosts in proptest::collection::btree_set(host(), 1..4),
        path in proptest::option::of("(/[a-zA-Z0-9._~-]{1,8}){1,3}"),
        strip in any::<bool>(),
        access in access(),
        port in 1u16..,
        scheme in prop_oneof![Just("http"), Just("https"), Just("h2c")],
        timeout in proptest::option::of(1u32..600_000),
        request_headers in headers(),
        response_headers in headers(),
        sticky in any::<bool>(),
        health in proptest::option::of("/[a-z]{1,8}"),
        rate in proptest::option::of((1u32.., prop_oneof![Just("1s"), Just("1m"), Just("1h")], 1u32..)),
    ) -> Route {
        let strip = strip && path.is_some();
        Route {
            name: String::new(),
            service: String::new(),
            entry: Entry::Web { hosts: hosts.into_iter().collect(), path, strip },
            access,
            target: Target::Container { port: port.to_string(), scheme: scheme.into() },
            timeout: timeout.map(|ms| format!("{ms}ms")),
            request_headers,
            response_headers,
            sticky,
            health,
            rate: rate.map(|(average, period, burst)| Rate { average, period, burst }),
            shares_paths: false,
            span: None,
        }
    }
}

fn raw() -> impl Strategy<Value = Route> {
    (any::<bool>(), 1u16.., 1u16.., access()).prop_map(|(udp, listen, port, access)| Route {
        name: String::new(),
        service: String::new(),
        entry: if udp { Entry::Udp(listen) } else { Entry::Tcp(listen) },
        access,
        target: Target::Container { port: port.to_string(), scheme: "http".into() },
        timeout: None,
        request_headers: BTreeMap::new(),
        response_headers: BTreeMap::new(),
        sticky: false,
        health: None,
        rate: None,
        shares_paths: false,
        span: None,
    })
}

/// Services with some routes each, named as a home names them.
fn home() -> impl Strategy<Value = Vec<Vec<Route>>> {
    let service = proptest::collection::vec(prop_oneof![4 => web().boxed(), 1 => raw().boxed()], 1..4);
    proptest::collection::btree_map("[a-zA-Z0-9._-]{1,12}", service, 1..5).prop_map(|services| {
        let named = |(service, routes): (String, Vec<Route>)| {
            let number = |(i, route): (usize, Route)| Route {
                name: name::route("home", &service, i),
                service: service.clone(),
                ..route
            };
            routes.into_iter().enumerate().map(number).collect()
        };
        services.into_iter().map(named).collect()
    })
}

/// What Traefik will do for a route, as the labels alone tell.
#[derive(Debug, PartialEq)]
struct Meant {
    hosts: BTreeSet<String>,
    path: Option<String>,
    points: Vec<String>,
    tls: bool,
    middlewares: Vec<String>,
    port: String,
    scheme: String,
    transport: Option<String>,
    sticky: bool,
    headers: [BTreeMap<String, String>; 2],
}

fn wanted(route: &Route) -> Meant {
    let Target::Container { port, scheme } = &route.target else { panic!("labels lead to containers") };
    let web = matches!(route.entry, Entry::Web { .. });
    let (hosts, path) = match &route.entry {
        Entry::Web { hosts, path, .. } => (hosts.iter().cloned().collect(), path.clone()),
        _ => (BTreeSet::new(), None),
    };
    let needs_transport = web && (scheme == "https" || route.timeout.is_some());
    Meant {
        hosts,
        path,
        points: vec![route.entry.point()],
        tls: web,
        middlewares: match &route.entry {
            Entry::Web { .. } => route.middlewares("@file", ""),
            Entry::Tcp(_) => {
                labels::tcp_middleware(route.access.door()).map(|m| format!("{m}@file")).into_iter().collect()
            }
            Entry::Udp(_) => Vec::new(),
        },
        port: port.clone(),
        scheme: if web { scheme.clone() } else { "http".into() },
        transport: needs_transport.then(|| format!("{}@file", route.name)),
        sticky: route.sticky,
        headers: [route.request_headers.clone(), route.response_headers.clone()],
    }
}

fn read_back(labels: &Labels, route: &Route) -> Option<Meant> {
    let routing = match route.entry {
        Entry::Web { .. } => &labels.http,
        Entry::Tcp(_) => &labels.tcp,
        Entry::Udp(_) => &labels.udp,
    };
    let router = routing.routers.get(&route.name)?;
    let service = routing.services.get(router.service()?)?;
    let balancer = service.load_balancer()?;
    let (mut hosts, mut path) = (BTreeSet::new(), None);
    if let Entry::Web { .. } = route.entry {
        for way in reach::of(&rule::parse(router.rule()?, Protocol::Http).ok()?) {
            if let reach::Host::Name(host) = &way.host {
                hosts.insert(host.clone());
            }
            if let reach::Path::Prefix(prefix) = &way.path {
                path = Some(prefix.clone());
            }
        }
    }
    let own = routing.middlewares.get(&format!("{}-headers", route.name));
    let owned = |map: BTreeMap<&str, &str>| map.into_iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    Some(Meant {
        hosts,
        path,
        points: router.entry_points().to_vec(),
        tls: router.tls().is_some(),
        middlewares: router.middlewares().to_vec(),
        port: balancer.port()?.to_string(),
        scheme: balancer.scheme().unwrap_or("http").to_string(),
        transport: balancer.servers_transport().map(str::to_string),
        sticky: balancer.sticky_cookie().is_some(),
        headers: [
            own.map(|m| owned(m.request_headers())).unwrap_or_default(),
            own.map(|m| owned(m.response_headers())).unwrap_or_default(),
        ],
    })
}

proptest! {
    #[test]
    fn labels_of_any_routes_are_read_back_as_the_same_routes(home in home()) {
        let mut containers = Vec::new();
        for routes in &home {
            let all: Vec<&Route> = routes.iter().collect();
            let written = labels::of(&all, "home_net", false);
            let labels: Vec<Label> = written.iter().map(|(key, value)| Label::new(key, value)).collect();
            let read = grammar::read(&labels);
            prop_assert!(read.diagnostics.0.is_empty(), "{:?}", read.diagnostics.0);
            prop_assert_eq!(read.labels.enable, Some(true));
            prop_assert_eq!(read.labels.docker_network.as_deref(), Some("home_net"));
            for route in routes {
                prop_assert_eq!(read_back(&read.labels, route), Some(wanted(route)));
            }
            containers.push(read.labels);
        }
        // Names are unique, so nothing of one container costs another anything.
        let mut seen = BTreeSet::new();
        for labels in &containers {
            for (protocol, routing, _) in labels.protocols() {
                for router in routing.routers.keys() {
                    prop_assert!(seen.insert((protocol, router.clone())), "{router} twice");
                }
            }
        }
    }

    #[test]
    fn a_request_for_one_host_never_meets_the_route_of_another(a in web(), b in web()) {
        let (Entry::Web { hosts: mine, path: my_path, .. }, Entry::Web { hosts: others, path: other_path, .. }) = (&a.entry, &b.entry) else {
            return Ok(());
        };
        let ways = |route: &Route| reach::of(&rule::parse(&route.rule(), Protocol::Http).expect("our rules are read"));
        let meet = ways(&a).iter().any(|x| ways(&b).iter().any(|y| x.meets(y)));
        let share = mine.iter().any(|host| others.contains(host));
        let nested = match (my_path, other_path) {
            (Some(x), Some(y)) => x.starts_with(y.as_str()) || y.starts_with(x.as_str()),
            _ => true,
        };
        prop_assert_eq!(meet, share && nested);
    }
}
