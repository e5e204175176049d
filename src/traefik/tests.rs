//! What is written for Traefik is what Traefik's grammar reads: routes become labels and a file, and the model makes the same routes
//! of them, key by key.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::forward::bypass::{Bypass, Needs};
use super::forward::wire::Key;
use super::grammar::{self, Label, Labels};
use super::route::Rate;
use super::rule::{self, Protocol, reach};
use super::{Access, Door, Entry, Route, Target, file, labels, name};

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
    // Values as people write them, with what could end a label, a list, a text or a template's hole.
    let value = prop_oneof!["[ -~]{0,24}", "\\PC{0,12}", "(\\{\\{|\\}\\}|`|\"|'|\\\\|,|=|\\.|@){1,6}"];
    proptest::collection::btree_map("X-[A-Z][a-z]{0,6}", value, 0..3)
}

fn scheme() -> impl Strategy<Value = String> {
    prop_oneof!["http", "https", "h2c"]
}

/// A container's port, or addresses of one scheme.
fn target(raw: bool) -> impl Strategy<Value = Target> {
    let container = (1u16.., scheme()).prop_map(move |(port, scheme)| Target::Container {
        port: port.to_string(),
        scheme: if raw { "http".into() } else { scheme },
    });
    let ends = proptest::collection::vec(("[a-z][a-z0-9.-]{0,8}[a-z]|192\\.168\\.1\\.[1-9]", 1u16..), 1..4);
    let addresses = (ends, scheme()).prop_map(move |(ends, scheme)| {
        let prefix = if raw { String::new() } else { format!("{scheme}://") };
        Target::Addresses(ends.into_iter().map(|(host, port)| format!("{prefix}{host}:{port}")).collect())
    });
    prop_oneof![3 => container.boxed(), 1 => addresses.boxed()]
}

prop_compose! {
    fn web()(
        hosts in proptest::collection::btree_set(host(), 1..4),
        path in proptest::option::of("(/[a-zA-Z0-9._~-]{1,8}){1,3}"),
        strip in any::<bool>(),
        access in access(),
        bypass in proptest::option::of(any::<bool>()),
        target in target(false),
        timeout in proptest::option::of(1u32..600_000),
        request_headers in headers(),
        response_headers in headers(),
        sticky in any::<bool>(),
        health in proptest::option::of("(/[a-zA-Z0-9._~=?&-]{0,8}){1,3}"),
        (shares_paths, beside_login) in any::<(bool, bool)>(),
        rate in proptest::option::of((1u32.., prop_oneof![Just("1s"), Just("1m"), Just("1h")], 1u32..)),
    ) -> Route {
        let strip = strip && path.is_some();
        Route {
            name: String::new(),
            service: String::new(),
            profile: None,
            entry: Entry::Web { hosts: hosts.into_iter().collect(), path, strip },
            bypass: match access {
                Access::Public | Access::Lan => Vec::new(),
                _ => bypass.into_iter().map(bypassed).collect(),
            },
            access,
            target,
            timeout: timeout.map(|ms| format!("{ms}ms")),
            request_headers,
            response_headers,
            sticky,
            health,
            rate: rate.map(|(average, period, burst)| Rate { average, period, burst }),
            shares_paths,
            beside_login,
            span: None,
        }
    }
}

/// A path that needs no session, told apart only by whether it takes a token.
fn bypassed(token: bool) -> Bypass {
    Bypass { path: "/api".into(), needs: if token { Needs::Token } else { Needs::Nothing } }
}

fn raw() -> impl Strategy<Value = Route> {
    (any::<bool>(), 1u16.., access(), target(true)).prop_map(|(udp, listen, access, target)| Route {
        name: String::new(),
        service: String::new(),
        profile: None,
        entry: if udp { Entry::Udp(listen) } else { Entry::Tcp(listen) },
        // Nobody can be kept from a UDP route: `spec` refuses any other access.
        access: if udp { Access::Public } else { access },
        bypass: Vec::new(),
        target,
        timeout: None,
        request_headers: BTreeMap::new(),
        response_headers: BTreeMap::new(),
        sticky: false,
        health: None,
        rate: None,
        shares_paths: false,
        beside_login: false,
        span: None,
    })
}

/// Services with some routes each, named as a home names them.
fn home() -> impl Strategy<Value = Vec<Vec<Route>>> {
    let service = proptest::collection::vec(prop_oneof![4 => web().boxed(), 1 => raw().boxed()], 1..4);
    // Any name, and names that only their punctuation tells apart.
    let name = prop_oneof!["[a-zA-Z0-9._-]{1,12}", "[aA][-._]{0,2}[bB2]?"];
    proptest::collection::btree_map(name, service, 1..5).prop_map(|services| {
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

/// The route as Traefik can know it: a route with a path shares paths in any case, and there is no
/// place in a file.
fn known(route: &Route) -> Route {
    let path = matches!(&route.entry, Entry::Web { path: Some(_), .. });
    Route {
        access: match route.door() {
            Door::Open => Access::Public,
            Door::Lan => Access::Lan,
            // Which one it is stands in the file.
            Door::Login => route.access.clone(),
            Door::Closed => Access::User,
        },
        bypass: route.bypass.iter().map(|_| bypassed(true)).collect(),
        shares_paths: route.shares_paths || path,
        beside_login: route.is_shielded(),
        span: None,
        ..route.clone()
    }
}

/// What stands under the name of one router, in labels or in the file, with what it names there.
#[derive(Debug, Default)]
struct Said {
    rule: Option<String>,
    points: Vec<String>,
    tls: bool,
    /// With the middleware's kind and content where it is the route's own.
    middlewares: Vec<(String, Option<Middleware>)>,
    target: Option<Target>,
    transport: Option<String>,
    /// Name, secure, httponly, samesite.
    cookie: Option<[String; 4]>,
    health: Option<BTreeMap<String, String>>,
}

#[derive(Debug)]
enum Middleware {
    Headers(BTreeMap<String, String>, BTreeMap<String, String>),
    Strip(Vec<String>),
    /// Average, period in seconds, burst, and how much of an IPv6 address is one client.
    Rate(u32, u64, u32, u8),
}

/// The route that is said, or why it is none. Each field is read from what Traefik gets; one that nobody reads does not compile.
fn route(name: &str, service: &str, protocol: &str, said: Said, file: &Value) -> Result<Route, String> {
    let no = |what: &str| Err(format!("{name}: {what}: {said:?}"));
    let [point] = &said.points[..] else { return no("not one entry point") };
    let mut all = said.middlewares.iter().filter(|(_, own)| own.is_none()).map(|(name, _)| name.as_str()).peekable();
    let mut shared = |wanted: &str| all.next_if(|name| *name == wanted).is_some();
    let plain = shared("plain-path");
    let door = shared("lan").then_some(Access::Lan).or(shared("closed").then_some(Access::User));
    let mut bypass = Vec::new();
    let shield = shared("login--shield");
    let asked = file["http"]["middlewares"]["login--shield"]["forwardAuth"]["address"].as_str();
    if shield && !asked.is_some_and(|asked| asked.ends_with("?p=public")) {
        return no("our cookies would reach the service");
    }
    let is_login = |name: &&str| name.starts_with("login--") && *name != "login--shield";
    let login = said.middlewares.iter().map(|(name, _)| name.as_str()).find(is_login);
    let login = match login.filter(|login| shared(login)) {
        None => None,
        Some(login) => {
            let asks = &file["http"]["middlewares"][login]["forwardAuth"];
            let Some((_, query)) = asks["address"].as_str().and_then(|a| a.split_once("?p=")) else {
                return no("a login that asks nobody");
            };
            let (access, of) = query.split_once("&r=").map_or((query, None), |(access, of)| (access, Some(of)));
            if of.is_some_and(|of| of != name) {
                return no("another route's paths need no session");
            }
            if !texts(&asks["authResponseHeaders"]).iter().any(|h| h == "Authorization") {
                return no("a token of ours would reach the service");
            }
            // The paths themselves are told to gate by the panel; here is only that there are some.
            bypass.extend(of.map(|_| bypassed(true)));
            Some(access.parse().map_err(|()| "no access")?)
        }
    };
    let access = match (door, login) {
        (None, None) => Access::Public,
        (Some(access), None) | (None, Some(access)) => access,
        (Some(_), Some(_)) => return no("two doors"),
    };
    let clean = shared(if said.middlewares.iter().any(|(m, _)| is_login(&m.as_str())) {
        "clean--behind-login"
    } else {
        "clean"
    });
    let (mut headers, mut strip, mut rate) = ((BTreeMap::new(), BTreeMap::new()), None, None);
    if all.next().is_some() {
        return no("a middleware that no route has, or in another order");
    }
    for own in said.middlewares.iter().filter_map(|(_, own)| own.as_ref()) {
        match own {
            Middleware::Headers(request, response) => headers = (request.clone(), response.clone()),
            Middleware::Strip(prefixes) => strip = Some(prefixes.clone()),
            Middleware::Rate(average, seconds, burst, 64) => {
                let period = BTreeMap::from([(1, "1s"), (60, "1m"), (3600, "1h")]).get(seconds).copied();
                rate = Some(Rate { average: *average, period: period.ok_or("another period")?, burst: *burst });
            }
            Middleware::Rate(..) => return no("another share of an address"),
        }
    }
    let entry = match (protocol, point.split_once('-')) {
        ("http", None) if point == "websecure" && said.tls && clean => {
            let rule = rule::parse(said.rule.as_deref().unwrap_or(""), Protocol::Http).map_err(|e| e.title)?;
            let ways = reach::of(&rule);
            let one = |way: &reach::Reach| match (&way.host, &way.path) {
                (reach::Host::Name(host), reach::Path::Any) if !way.narrowed => Some((host.clone(), None)),
                // A path, and all below it.
                (reach::Host::Name(host), reach::Path::Exact(path)) if !way.narrowed => {
                    Some((host.clone(), Some(path.clone())))
                }
                (reach::Host::Name(host), reach::Path::Prefix(path)) if !way.narrowed => {
                    Some((host.clone(), Some(path.strip_suffix('/')?.to_string())))
                }
                _ => None,
            };
            let Some(ways) = ways.iter().map(one).collect::<Option<Vec<_>>>() else {
                return no("more than host and path");
            };
            let paths: BTreeSet<Option<String>> = ways.iter().map(|(_, path)| path.clone()).collect();
            let hosts: BTreeSet<String> = ways.into_iter().map(|(host, _)| host).collect();
            let hosts = hosts.into_iter().collect();
            let path = match (paths.len(), paths.into_iter().next()) {
                (1, Some(path)) => path,
                _ => return no("not one path"),
            };
            if strip.as_ref().is_some_and(|prefixes| Some(prefixes) != path.clone().map(|path| vec![path]).as_ref()) {
                return no("another path is taken away");
            }
            Entry::Web { hosts, path, strip: strip.is_some() }
        }
        ("tcp", Some(("tcp", port))) if said.rule.as_deref() == Some("HostSNI(`*`)") && !said.tls => {
            Entry::Tcp(port.parse().map_err(|_| "no port")?)
        }
        ("udp", Some(("udp", port))) if said.rule.is_none() => Entry::Udp(port.parse().map_err(|_| "no port")?),
        _ => return no("no way in"),
    };
    let Some(target) = said.target.clone() else { return no("leads nowhere") };
    let secure = match &target {
        Target::Container { scheme, .. } => scheme == "https",
        Target::Addresses(all) => all.iter().all(|url| url.starts_with("https://")),
        Target::Nobody(_) => return no("leads to nobody"),
    };
    let timeout = match &said.transport {
        None => None,
        Some(transport) if *transport == name => {
            let transport = &file["http"]["serversTransports"][transport];
            let timeout = &transport["forwardingTimeouts"]["responseHeaderTimeout"];
            if transport["insecureSkipVerify"].as_bool().unwrap_or(false) != secure {
                return no("its transport has another scheme");
            }
            if timeout.is_null() && !secure {
                return no("a transport for nothing");
            }
            timeout.as_str().map(str::to_string)
        }
        Some(_) => return no("somebody else's transport"),
    };
    if secure && said.transport.is_none() {
        return no("no transport for https");
    }
    let cookie = [format!("hearth-{name}"), "true".into(), "true".into(), "lax".into()];
    if said.cookie.as_ref().is_some_and(|said| *said != cookie) {
        return no("another cookie");
    }
    let health = match &said.health {
        None => None,
        Some(check) if check.len() == 1 && check.contains_key("path") => check.get("path").cloned(),
        Some(_) => return no("more of a health check"),
    };
    let (request_headers, response_headers) = headers;
    Ok(Route {
        name: name.into(),
        profile: None,
        service: service.into(),
        entry,
        access,
        bypass,
        target,
        timeout,
        request_headers,
        response_headers,
        sticky: said.cookie.is_some(),
        health,
        rate,
        shares_paths: plain,
        beside_login: shield,
        span: None,
    })
}

fn owned(map: BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    map.into_iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_string)).collect()
}

fn limit(own: &grammar::Object) -> Result<Middleware, String> {
    let number = |key: &str| own.int(&format!("ratelimit.{key}")).ok_or(format!("no {key}"));
    let period = own.duration("ratelimit.period").ok_or("no period")?;
    let small = |n: i64| u32::try_from(n).map_err(|e| e.to_string());
    let subnet = small(number("sourcecriterion.ipstrategy.ipv6subnet")?)?;
    Ok(Middleware::Rate(
        small(number("average")?)?,
        period as u64 / 1_000_000_000,
        small(number("burst")?)?,
        subnet as u8,
    ))
}

/// All routes that the labels of one container say, by name; the name of a version is that of its route.
fn of_labels(labels: &Labels, service: &str, file: &Value) -> Result<BTreeMap<String, Route>, String> {
    let mut all = BTreeMap::new();
    for (protocol, routing, _) in labels.protocols() {
        for (object, router) in &routing.routers {
            let name = object.split_once("--v").map_or(object.as_str(), |(name, _)| name);
            let balancer = router.service().and_then(|service| routing.services.get(service)?.load_balancer());
            let balancer = balancer.ok_or(format!("{object} leads to no service of its own"))?;
            let known = ["server", "serverstransport", "sticky", "healthcheck"];
            if let Some(more) = balancer.0.0.keys().find(|key| !known.contains(*key)) {
                return Err(format!("{object}: nobody reads {more}"));
            }
            let middleware = |text: &String| match text.strip_suffix("@file") {
                Some(shared) => Ok((shared.to_string(), None)),
                None => {
                    let own = routing.middlewares.get(text).ok_or(format!("{text} is not there"))?;
                    let content = match own.kinds()[..] {
                        ["headers"] => Middleware::Headers(owned(own.request_headers()), owned(own.response_headers())),
                        ["ratelimit"] => limit(&own.0)?,
                        ["stripprefix"] => Middleware::Strip(own.0.list("stripprefix.prefixes").to_vec()),
                        _ => return Err(format!("{text} is of another kind")),
                    };
                    Ok((text.clone(), Some(content)))
                }
            };
            let shown = |object: &grammar::Object, key: &str| {
                let flag = object.flag(key).map(|flag| flag.to_string());
                flag.or(object.text(key).map(str::to_string)).unwrap_or_default()
            };
            let check =
                |check: &grammar::Object| check.0.keys().map(|key| (key.to_string(), shown(check, key))).collect();
            let said = Said {
                rule: router.rule().map(str::to_string),
                points: router.entry_points().to_vec(),
                tls: router.tls().is_some(),
                middlewares: router.middlewares().iter().map(middleware).collect::<Result<_, _>>()?,
                target: balancer.port().map(|port| Target::Container {
                    port: port.into(),
                    scheme: balancer.scheme().unwrap_or("http").into(),
                }),
                transport: balancer.servers_transport().and_then(|t| t.strip_suffix("@file")).map(str::to_string),
                cookie: balancer
                    .sticky_cookie()
                    .map(|c| ["name", "secure", "httponly", "samesite"].map(|key| shown(c, key))),
                health: balancer.health_check().map(check),
            };
            let away = &file["http"]["middlewares"][format!("{name}--away")]["headers"]["customRequestHeaders"];
            if protocol == "http" && away[file::ROUTE_HEADER] != *service {
                return Err(format!("{name}: while it is away, gate is asked for {away}"));
            }
            all.insert(name.to_string(), route(name, service, protocol, said, file)?);
        }
    }
    Ok(all)
}

/// The route that the file says under a name.
fn of_file(file: &Value, protocol: &str, name: &str, service: &str) -> Result<Route, String> {
    let router = &file[protocol]["routers"][name];
    let own = &file[protocol]["services"][router["service"].as_str().unwrap_or("")]["loadBalancer"];
    let strings = |value: &Value| -> BTreeMap<String, String> {
        let text = |(k, v): (&String, &Value)| (k.clone(), v.as_str().map_or_else(|| v.to_string(), str::to_string));
        value.as_object().into_iter().flatten().map(text).collect()
    };
    let middleware = |name: String| {
        let all = &file[protocol]["middlewares"][&name];
        let of_route = |kind: &str| name.strip_suffix(kind).is_some_and(|route| route == router["service"]);
        let own = if of_route("-headers") {
            let headers = &all["headers"];
            Some(Middleware::Headers(
                strings(&headers["customRequestHeaders"]),
                strings(&headers["customResponseHeaders"]),
            ))
        } else if of_route("-rate") {
            let limit = &all["rateLimit"];
            let number = |value: &Value| value.as_u64().unwrap_or(0);
            let unit = BTreeMap::from([("1s", 1), ("1m", 60), ("1h", 3600)]);
            let period = limit["period"].as_str().and_then(|period| unit.get(period).copied()).unwrap_or(0);
            let subnet = number(&limit["sourceCriterion"]["ipStrategy"]["ipv6Subnet"]);
            Some(Middleware::Rate(
                number(&limit["average"]) as u32,
                period,
                number(&limit["burst"]) as u32,
                subnet as u8,
            ))
        } else if of_route("-strip") {
            Some(Middleware::Strip(texts(&all["stripPrefix"]["prefixes"])))
        } else {
            None
        };
        (name, own)
    };
    let servers = own["servers"].as_array().ok_or(format!("{name} leads nowhere"))?;
    let key = if protocol == "http" { "url" } else { "address" };
    let addresses: Vec<String> = servers.iter().filter_map(|s| s[key].as_str().map(str::to_string)).collect();
    let cookie = strings(&own["sticky"]["cookie"]);
    let said = Said {
        rule: router["rule"].as_str().map(str::to_string),
        points: texts(&router["entryPoints"]),
        tls: !router["tls"].is_null(),
        middlewares: texts(&router["middlewares"]).into_iter().map(middleware).collect(),
        target: (addresses.len() == servers.len()).then_some(Target::Addresses(addresses)),
        transport: own["serversTransport"].as_str().map(str::to_string),
        cookie: (!cookie.is_empty()).then(|| {
            ["name", "secure", "httpOnly", "sameSite"].map(|key| cookie.get(key).cloned().unwrap_or_default())
        }),
        health: own["healthCheck"].as_object().map(|_| strings(&own["healthCheck"])),
    };
    route(name, service, protocol, said, file)
}

/// How a person's text could break out: of a list, a rule, a text in quotes, a line, a template.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,20}", "([{}`\"'\\\\\n\r\t\u{0}\u{85}\u{2028}#&*!|> ,:%@$-]|\\{\\{|env|\\.|a){1,12}"]
}

proptest! {
    #[test]
    fn labels_and_file_of_any_routes_are_read_back_as_the_same_routes(home in home(), beside in any::<bool>()) {
        let all: Vec<Route> = home.iter().flatten().cloned().collect();
        let key = Key([1; 32]);
        let content = file::Content { routes: &all, https_port: 443, login: Some(&key), ..file::Content::default() };
        let file: Value = serde_json::from_str(&file::render(&content)).unwrap();
        // Names are unique, so nothing of one container costs another anything.
        let mut seen = BTreeSet::new();
        for routes in &home {
            let is_contained = |route: &&Route| matches!(route.target, Target::Container { .. });
            let own: Vec<&Route> = routes.iter().filter(is_contained).collect();
            let written = labels::of(&own, "home_net", beside);
            let labels: Vec<Label> = written.iter().map(|(key, value)| Label::new(key, value)).collect();
            let read = grammar::read(&labels);
            prop_assert!(read.diagnostics.0.is_empty(), "{:?}", read.diagnostics.0);
            if let Some(first) = own.first() {
                prop_assert_eq!(read.labels.enable, Some(true));
                prop_assert_eq!(read.labels.docker_network.as_deref(), Some("home_net"));
                let wanted: BTreeMap<String, Route> = own.iter().map(|r| (r.name.clone(), known(r))).collect();
                prop_assert_eq!(of_labels(&read.labels, &first.service, &file), Ok(wanted));
            }
            for (protocol, routing, _) in read.labels.protocols() {
                for router in routing.routers.keys() {
                    prop_assert!(seen.insert((protocol, router.clone())), "{router} twice");
                }
            }
            for route in routes.iter().filter(|route| !is_contained(route)) {
                let protocol = match route.entry {
                    Entry::Web { .. } => "http",
                    Entry::Tcp(_) => "tcp",
                    Entry::Udp(_) => "udp",
                };
                prop_assert_eq!(of_file(&file, protocol, &route.name, &route.service), Ok(known(route)));
            }
        }
    }

    /// Go's templates read `{{`: whatever a person wrote, wherever a route or a certificate can hold it, the file has none, and reads
    /// back as it was.
    #[test]
    fn no_text_of_a_person_reaches_go_templating(t in proptest::collection::vec(hostile(), 14)) {
        let texts = |i: usize| BTreeMap::from([(t[i].clone(), t[i + 1].clone())]);
        let target = |own: bool| match own {
            true => Target::Container { port: t[0].clone(), scheme: t[1].clone() },
            false => Target::Addresses(vec![t[0].clone(), format!("https://{}", t[1])]),
        };
        let route = |name: &str, own: bool, entry: Entry| Route {
            name: name.into(),
            profile: None,
            service: t[2].clone(),
            entry,
            access: Access::Group(t[3].clone()),
            bypass: Vec::new(),
            target: target(own),
            timeout: Some(t[4].clone()),
            request_headers: texts(5),
            response_headers: texts(7),
            sticky: true,
            health: Some(t[9].clone()),
            rate: None,
            shares_paths: false,
            beside_login: false,
            span: None,
        };
        let web = || Entry::Web { hosts: vec![t[10].clone(), t[11].clone()], path: Some(t[12].clone()), strip: true };
        let routes = [
            route("own", true, web()),
            route("nas", false, web()),
            route(&t[13], false, Entry::Tcp(1)),
            Route { access: Access::Public, ..route("udp", false, Entry::Udp(1)) },
        ];
        let pair = || file::Pair { chain: t[0].clone(), key: t[1].clone() };
        let inner = file::Inner {
            url: t[2].clone(),
            server_name: t[3].clone(),
            client: pair(),
            authority: t[4].clone(),
            panel: Some(t[5].clone()),
        };
        let (lan, pairs, key) = (t[6..8].to_vec(), [pair()], Key([1; 32]));
        let content = file::Content {
            routes: &routes,
            https_port: 443,
            lan: &lan,
            certificates: &pairs,
            default: Some(&pairs[0]),
            inner: Some(&inner),
            login: Some(&key),
            hsts: true,
        };
        let text = file::render_marked(&content);
        prop_assert!(!text.contains("{{"), "{text}");
        // Neither does a brace stand before a person's: of that, no two ever meet by themselves.
        prop_assert!(!text.replace(['\n', ' '], "").contains("{{"), "{text}");
        let breaks = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
        prop_assert!(!text.contains(breaks), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        let http = &read["http"];
        prop_assert_eq!(&http["routers"]["nas"]["rule"], &Value::from(routes[1].rule()));
        prop_assert_eq!(&http["routers"]["own--away"]["rule"], &Value::from(routes[0].rule()));
        prop_assert_eq!(&http["middlewares"]["own--away"]["headers"]["customRequestHeaders"][file::ROUTE_HEADER], &t[2]);
        prop_assert_eq!(&http["serversTransports"]["own"]["forwardingTimeouts"]["responseHeaderTimeout"], &t[4]);
        prop_assert_eq!(&http["middlewares"]["nas-headers"]["headers"]["customRequestHeaders"][&t[5]], &t[6]);
        prop_assert_eq!(&http["middlewares"]["nas-headers"]["headers"]["customResponseHeaders"][&t[7]], &t[8]);
        prop_assert_eq!(&http["middlewares"]["nas-strip"]["stripPrefix"]["prefixes"][0], &t[12]);
        prop_assert_eq!(&http["services"]["nas"]["loadBalancer"]["healthCheck"]["path"], &t[9]);
        prop_assert_eq!(&http["services"]["nas"]["loadBalancer"]["servers"][0]["url"], &t[0]);
        prop_assert_eq!(&http["middlewares"]["at-home"]["ipAllowList"]["sourceRange"], &Value::from(lan.clone()));
        prop_assert_eq!(&http["services"]["hearth"]["loadBalancer"]["servers"][0]["url"], &t[2]);
        prop_assert_eq!(&http["serversTransports"]["hearth"]["rootCAs"][0], &t[4]);
        prop_assert_eq!(&http["routers"]["panel"]["rule"], &Value::from(format!("Host(`{}`)", t[5])));
        prop_assert_eq!(&read["tcp"]["services"][&t[13]]["loadBalancer"]["servers"][0]["address"], &t[0]);
        prop_assert_eq!(&read["tls"]["certificates"][0]["keyFile"], &t[1]);
        prop_assert_eq!(&read["tls"]["stores"]["default"]["defaultCertificate"]["certFile"], &t[0]);
    }
}
