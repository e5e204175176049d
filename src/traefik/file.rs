//! The one file of Traefik's file provider: certificates, TLS options, shared middlewares, what answers for services that are away,
//! routes to what is not in Docker, Hearth's own routes.
//!
//! What was learned on a real Traefik 3.7.9 and must stay: an empty object anywhere voids the whole directory; the text goes through
//! Go's templates first, so no value may bring a `{{`; every router names its entry points, else it joins all of them.

mod identity;
mod login;
mod paths;
mod text;

use std::collections::BTreeMap;

pub use paths::PARAMETERS_PAGE;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use identity::IDENTITY;

use super::forward;
use super::forward::wire::Key;
use super::labels::{cookie, tcp_middleware};
use super::route::{
    CHALLENGE, CLEAN, CLEAN_BEHIND, CLEAN_PANEL, Door, Entry, LAST, LOGIN, PANEL, PLAIN, Rate, Route, Target,
};
use crate::base::net::CHALLENGES;

/// Where gate answers for services that are away, closed or unknown, as Traefik reaches it.
pub const PAGES: &str = "http://gate.hearth.internal:8081";
/// Under which name, in TLS and HTTP, Traefik answers Hearth about itself.
pub const API_NAME: &str = "api.traefik.internal";
/// Half a year, in seconds: how long browsers come back over HTTPS only, where every certificate is from a public CA.
pub const HSTS: u64 = 15_552_000;
/// Tells gate whose page is asked for: a service of the home, or `project/service` of another project.
pub const ROUTE_HEADER: &str = "X-Hearth-Route";
/// By what that is turned on, where a profile does.
pub const PROFILE_HEADER: &str = "X-Hearth-Profile";
/// The middleware that all requests on HTTPS come through first.
pub const CROWD: &str = "crowd";
/// How many requests of one address may wait for their answers at once, WebSockets and streams among them: more than a family in one house comes to, and
/// with 64 KiB each a fifth of Traefik's memory.
const AT_ONCE: u32 = 500;
/// What gate writes into each of its answers, so that they are told from a service's own.
pub const GATE_HEADER: &str = "X-Hearth-Gate";

/// A certificate with its key, both PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    pub chain: String,
    pub key: String,
}

/// How Traefik reaches Hearth itself, and knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Inner {
    /// `https://10.213.4.1:8444`.
    pub url: String,
    /// What Hearth's certificate for Traefik is made out to.
    pub server_name: String,
    /// What Traefik shows.
    pub client: Pair,
    /// Who made Hearth's certificate and Traefik's, PEM.
    pub authority: String,
    /// The panel's whole host name.
    pub panel: Option<String>,
}

/// All that the file says.
#[derive(Clone, Default)]
pub struct Content<'a> {
    /// Resolved: no variables.
    pub routes: &'a [Route],
    /// As browsers see it; what is asked on port 80 is sent there.
    pub https_port: u16,
    /// Who is at home, as CIDR. Empty: nobody is.
    pub lan: &'a [String],
    /// In the order in which Traefik prefers them.
    pub certificates: &'a [Pair],
    /// For unknown hosts.
    pub default: Option<&'a Pair>,
    pub inner: Option<&'a Inner>,
    /// The key with which gate is asked who may enter; without it nobody may.
    pub login: Option<&'a Key>,
    /// Whether browsers are told to come back over HTTPS only; only where every certificate is from a public CA.
    pub hsts: bool,
}

/// The name of a middleware that nobody uses begins so: its end tells which text it was that Traefik read.
pub const REVISION: &str = "hearth-revision-";

/// The file's text: JSON, which is YAML too, with nothing in it that Go's templates read.
pub fn render(content: &Content) -> String {
    whole(root(content))
}

/// The same, marked with its [`REVISION`].
pub fn render_marked(content: &Content) -> String {
    let mut root = root(content);
    let digest = Sha256::digest(whole(root.clone()));
    let name = digest.iter().take(8).fold(REVISION.to_string(), |name, byte| format!("{name}{byte:02x}"));
    let unused = json!({ "headers": { "customResponseHeaders": { "X-Hearth-Revision": "" } } });
    if let Some(middlewares) = root.get_mut("http").and_then(|http| http.get_mut("middlewares")) {
        middlewares[name] = unused;
    }
    whole(root)
}

/// The [`REVISION`] of a text that was marked.
pub fn revision(text: &str) -> Option<&str> {
    let at = text.find(REVISION)?;
    text[at..].split('"').next()
}

fn whole(root: Map<String, Value>) -> String {
    text::of(&Value::Object(root))
}

fn root(content: &Content) -> Map<String, Value> {
    let mut root = Map::new();
    let mut http = Section::default();
    let mut tcp = Section::default();
    let mut udp = Section::default();
    shared(content, &mut http, &mut tcp);
    for route in content.routes {
        match (&route.entry, &route.target) {
            (Entry::Web { .. }, Target::Container { .. }) => {
                // Also where its labels name none: an older container may still do, until it is replaced.
                transport(route, &mut http);
                stand_in(route, &route.service, &mut http);
            }
            (Entry::Web { .. }, Target::Nobody(of)) => stand_in(route, of, &mut http),
            (Entry::Web { .. }, Target::Addresses(urls)) => {
                if route.has_transport() {
                    transport(route, &mut http);
                }
                web(route, urls, &mut http);
            }
            (Entry::Tcp(_), Target::Addresses(all)) => tcp_route(route, all, &mut tcp),
            (Entry::Udp(_), Target::Addresses(all)) => udp_route(route, all, &mut udp),
            _ => {}
        }
    }
    root.insert("http".into(), http.value());
    for (name, section) in [("tcp", tcp), ("udp", udp)] {
        if !section.is_empty() {
            root.insert(name.into(), section.value());
        }
    }
    root.insert("tls".into(), tls(content));
    root
}

/// `http`, `tcp` or `udp`.
#[derive(Default)]
struct Section {
    routers: Map<String, Value>,
    services: Map<String, Value>,
    middlewares: Map<String, Value>,
    transports: Map<String, Value>,
}

impl Section {
    fn is_empty(&self) -> bool {
        self.routers.is_empty() && self.services.is_empty() && self.middlewares.is_empty()
    }

    fn value(self) -> Value {
        let all = [
            ("routers", self.routers),
            ("services", self.services),
            ("middlewares", self.middlewares),
            ("serversTransports", self.transports),
        ];
        let kept = all.into_iter().filter(|(_, map)| !map.is_empty());
        Value::Object(kept.map(|(name, map)| (name.to_string(), Value::Object(map))).collect())
    }

    fn router(&mut self, name: &str, value: Value) {
        self.routers.insert(name.into(), value);
    }

    fn service<U: AsRef<str>>(&mut self, name: &str, urls: &[U], more: Value) {
        let servers: Vec<Value> = urls.iter().map(|url| json!({ "url": url.as_ref() })).collect();
        let mut balancer = json!({ "servers": servers });
        if let (Value::Object(balancer), Value::Object(more)) = (&mut balancer, more) {
            balancer.extend(more);
        }
        self.services.insert(name.into(), json!({ "loadBalancer": balancer }));
    }

    fn middleware(&mut self, name: &str, value: Value) {
        self.middlewares.insert(name.into(), value);
    }
}

/// An address that no client has: a list that nobody is in.
const NOBODY: &str = "255.255.255.255/32";
/// What the list for the home network answers inside, so that an application's own 403 is not taken for it: "Not Extended", which no
/// program uses. Traefik takes only numbers that Go has a name for.
const REFUSED: u16 = 510;

fn shared(content: &Content, http: &mut Section, tcp: &mut Section) {
    let challenge = format!("PathPrefix(`{CHALLENGES}`)");
    let all = "PathPrefix(`/`)";
    let inner = if content.inner.is_some() { "hearth" } else { "gate" };
    http.router(
        "challenge",
        json!({ "entryPoints": ["web"], "rule": challenge, "priority": CHALLENGE, "middlewares": ["nameless"], "service": inner }),
    );
    http.router(
        // No route can be called so.
        "challenge--secure",
        json!({ "entryPoints": ["websecure"], "rule": challenge, "priority": CHALLENGE, "middlewares": ["nameless"], "service": inner, "tls": {} }),
    );
    http.router(
        "redirect",
        json!({ "entryPoints": ["web"], "rule": all, "priority": LAST, "middlewares": ["redirect"], "service": "noop@internal" }),
    );
    http.router(
        "unknown",
        json!({ "entryPoints": ["websecure"], "rule": all, "priority": LAST, "middlewares": ["nameless", "unknown"], "service": "gate", "tls": {} }),
    );
    let mut to = json!({ "scheme": "https", "permanent": true });
    if content.https_port != 443 {
        to["port"] = json!(content.https_port.to_string());
    }
    // The first of all: each request that waits has its head in memory, and whoever sends many of them would have Traefik killed.
    let address = json!({ "ipStrategy": { "ipv6Subnet": 64 } });
    http.middleware(CROWD, json!({ "inFlightReq": { "amount": AT_ONCE, "sourceCriterion": address } }));
    http.middleware("redirect", json!({ "redirectScheme": to }));
    http.middleware("unknown", json!({ "replacePath": { "path": "/unknown" } }));
    // Else anybody could ask gate how any service is. And a browser sends what an application of a name above set for all names below.
    let nameless = json!({ ROUTE_HEADER: "", "Cookie": "", "Authorization": "" });
    http.middleware("nameless", json!({ "headers": { "customRequestHeaders": nameless } }));
    paths::add(content.routes, http);
    http.service("gate", &[PAGES], json!({ "serversTransport": "gate" }));
    http.transports.insert("gate".into(), json!({ "forwardingTimeouts": { "dialTimeout": "2s" } }));
    for (name, kept) in [(CLEAN, &[][..]), (CLEAN_PANEL, &[]), (CLEAN_BEHIND, &forward::IDENTITY)] {
        let taken = IDENTITY.iter().filter(|name| !kept.contains(name));
        let mut clean: Map<String, Value> = taken.map(|name| (name.to_string(), json!(""))).collect();
        clean.insert(ROUTE_HEADER.into(), json!(""));
        // No service can pass its own answer off as gate's, nor take every host's cookies from a browser: `Clear-Site-Data: "cookies"` of one is for
        // all below the domain.
        let mut answers = json!({ GATE_HEADER: "" });
        if name != CLEAN_PANEL {
            answers["Clear-Site-Data"] = json!("");
        }
        let mut headers = json!({ "customRequestHeaders": clean, "customResponseHeaders": answers });
        if content.hsts {
            headers["stsSeconds"] = json!(HSTS);
        }
        http.middleware(name, json!({ "headers": headers }));
    }
    login::add(content, http);
    let words = |status: u16, query: &str| {
        let mut errors = json!({ "status": [status.to_string()], "service": "gate", "query": query, "errorRequestHeaders": ["Accept"] });
        if status == REFUSED {
            errors["statusRewrites"] = json!({ REFUSED.to_string(): 403 });
        }
        json!({ "errors": errors })
    };
    let lan: Vec<&str> = match content.lan {
        [] => vec![NOBODY],
        ranges => ranges.iter().map(String::as_str).collect(),
    };
    http.middleware("closed", json!({ "chain": { "middlewares": ["closed-words", "nobody"] } }));
    http.middleware("closed-words", words(403, "/closed"));
    http.middleware("nobody", json!({ "ipAllowList": { "sourceRange": [NOBODY] } }));
    http.middleware("lan", json!({ "chain": { "middlewares": ["lan-words", "at-home"] } }));
    http.middleware("lan-words", words(REFUSED, "/refused"));
    http.middleware("at-home", json!({ "ipAllowList": { "sourceRange": lan, "rejectStatusCode": REFUSED } }));
    let by_name = |route: &Route| matches!(route.entry, Entry::Tcp(_));
    if content.routes.iter().any(by_name) {
        tcp.middleware("lan", json!({ "ipAllowList": { "sourceRange": lan } }));
        tcp.middleware("closed", json!({ "ipAllowList": { "sourceRange": [NOBODY] } }));
    }
    if let Some(inner) = content.inner {
        hearth(inner, http);
    }
}

/// Hearth's own listener, and Traefik's own view of itself for Hearth only.
fn hearth(inner: &Inner, http: &mut Section) {
    http.service("hearth", &[&inner.url], json!({ "serversTransport": "hearth" }));
    http.transports.insert(
        "hearth".into(),
        json!({
            "serverName": inner.server_name,
            "rootCAs": [inner.authority],
            "certificates": [{ "certFile": inner.client.chain, "keyFile": inner.client.key }],
            "forwardingTimeouts": { "dialTimeout": "2s" },
        }),
    );
    http.router(
        "api",
        // TLS options are bound to names: without a Host in the rule Traefik would serve everybody.
        json!({ "entryPoints": ["api"], "rule": format!("Host(`{API_NAME}`)"), "priority": PANEL, "service": "api@internal", "tls": { "options": "hearth" } }),
    );
    if let Some(panel) = &inner.panel {
        http.router(
            "panel",
            json!({ "entryPoints": ["websecure"], "rule": format!("Host(`{panel}`)"), "priority": PANEL, "middlewares": [CLEAN_PANEL], "service": "hearth", "tls": {} }),
        );
    }
}

fn router(route: &Route, middlewares: Vec<String>, service: &str, priority: Option<u64>) -> Value {
    let mut router = json!({
        "entryPoints": [route.entry.point()],
        "rule": route.rule(),
        "middlewares": middlewares,
        "service": service,
        "tls": {},
    });
    if let Some(priority) = priority {
        router["priority"] = json!(priority);
    }
    router
}

/// Answers while no container of the service does: same door, no cookies, gate's page. `of` tells gate whose.
fn stand_in(route: &Route, of: &str, http: &mut Section) {
    let name = format!("{}--away", route.name);
    let mut middlewares: Vec<String> = route.middlewares("", "", &route.name);
    middlewares.retain(|m| matches!(m.as_str(), PLAIN | "lan" | "closed") || m.starts_with(LOGIN));
    middlewares.push(name.clone());
    // Set or taken away: nobody else says it.
    let profile = route.profile.as_deref().unwrap_or_default();
    let headers = json!({ ROUTE_HEADER: of, PROFILE_HEADER: profile, "Cookie": "", "Authorization": "" });
    http.middleware(&name, json!({ "headers": { "customRequestHeaders": headers } }));
    http.router(&name, router(route, middlewares, "gate", Some(route.priorities().1)));
}

/// A route to what is not in Docker, or not ours.
fn web(route: &Route, urls: &[String], http: &mut Section) {
    let name = &route.name;
    let mut more = Map::new();
    if route.has_transport() {
        more.insert("serversTransport".into(), json!(name));
    }
    if route.sticky {
        let cookie = json!({ "name": cookie(name), "secure": true, "httpOnly": true, "sameSite": "lax" });
        more.insert("sticky".into(), json!({ "cookie": cookie }));
    }
    if let Some(path) = &route.health {
        more.insert("healthCheck".into(), json!({ "path": path }));
    }
    http.service(name, urls, Value::Object(more));
    if let Some(Rate { average, period, burst }) = &route.rate {
        let source = json!({ "ipStrategy": { "ipv6Subnet": Rate::SUBNET } });
        let limit = json!({ "average": average, "period": period, "burst": burst, "sourceCriterion": source });
        http.middleware(&format!("{name}-rate"), json!({ "rateLimit": limit }));
    }
    let mut headers = Map::new();
    for (kind, all) in
        [("customRequestHeaders", &route.request_headers), ("customResponseHeaders", &route.response_headers)]
    {
        if !all.is_empty() {
            headers.insert(kind.into(), json!(all));
        }
    }
    if !headers.is_empty() {
        http.middleware(&format!("{name}-headers"), json!({ "headers": headers }));
    }
    if let Entry::Web { path: Some(path), strip: true, .. } = &route.entry {
        http.middleware(&format!("{name}-strip"), json!({ "stripPrefix": { "prefixes": [path] } }));
    }
    http.router(name, router(route, route.middlewares("", "", name), name, route.priorities().0));
}

fn transport(route: &Route, http: &mut Section) {
    // Traefik's own default, so that it is no empty map, which would void the file.
    let mut timeouts = json!({ "dialTimeout": "30s" });
    let mut transport = Map::new();
    // Inside a home nobody has certificates for containers and printers; the way to them is the home's own network.
    if route.scheme() == "https" {
        transport.insert("insecureSkipVerify".into(), json!(true));
    }
    if let Some(timeout) = &route.timeout {
        timeouts["responseHeaderTimeout"] = json!(timeout);
    }
    transport.insert("forwardingTimeouts".into(), timeouts);
    http.transports.insert(route.name.clone(), Value::Object(transport));
}

fn tcp_route(route: &Route, addresses: &[String], tcp: &mut Section) {
    let mut router = json!({ "entryPoints": [route.entry.point()], "rule": route.rule(), "service": route.name });
    if let Some(middleware) = tcp_middleware(route.door()) {
        router["middlewares"] = json!([middleware]);
    }
    tcp.router(&route.name, router);
    let servers: Vec<Value> = addresses.iter().map(|address| json!({ "address": address })).collect();
    tcp.services.insert(route.name.clone(), json!({ "loadBalancer": { "servers": servers } }));
}

/// UDP knows no middlewares: only what is open to all has a router.
fn udp_route(route: &Route, addresses: &[String], udp: &mut Section) {
    if route.door() != Door::Open {
        return;
    }
    udp.router(&route.name, json!({ "entryPoints": [route.entry.point()], "service": route.name }));
    let servers: Vec<Value> = addresses.iter().map(|address| json!({ "address": address })).collect();
    udp.services.insert(route.name.clone(), json!({ "loadBalancer": { "servers": servers } }));
}

/// TLS 1.2 with forward secrecy and authenticated encryption only, and 1.3.
const CIPHERS: [&str; 6] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/// What Mozilla's intermediate profile has: those of today and the one that a later quantum computer would not help against.
const CURVES: [&str; 4] = ["X25519MLKEM768", "X25519", "CurveP256", "CurveP384"];

fn tls(content: &Content) -> Value {
    let pair = |pair: &Pair| json!({ "certFile": pair.chain, "keyFile": pair.key });
    let base = json!({ "minVersion": "VersionTLS12", "cipherSuites": CIPHERS, "curvePreferences": CURVES });
    let mut options = BTreeMap::from([("default", base.clone())]);
    if let Some(inner) = content.inner {
        let mut mutual = base;
        mutual["clientAuth"] = json!({ "caFiles": [inner.authority], "clientAuthType": "RequireAndVerifyClientCert" });
        options.insert("hearth", mutual);
    }
    let mut tls = json!({ "options": options });
    if !content.certificates.is_empty() {
        tls["certificates"] = content.certificates.iter().map(pair).collect();
    }
    if let Some(default) = content.default {
        tls["stores"] = json!({ "default": { "defaultCertificate": pair(default) } });
    }
    tls
}

#[cfg(test)]
mod tests;
