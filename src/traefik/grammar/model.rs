//! What the labels of a container say, typed. Each type is an [`Object`] of the table with names for what is asked most.

use std::collections::BTreeMap;

use super::table::{self, Field, ROOT, Shape};
use super::value::{self, Object, Value};
use crate::traefik::rule::Protocol;

/// The labels of one container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    pub enable: Option<bool>,
    /// The network over which Traefik reaches the container.
    pub docker_network: Option<String>,
    /// Routes stay while the container does not run.
    pub allow_non_running: Option<bool>,
    pub http: Routing,
    pub tcp: Routing,
    pub udp: Routing,
    /// What has no field of its own: `docker.lbswarm`, `http.models`, `tls.stores.default`, values with variables.
    pub rest: Object,
}

/// Routers, services and middlewares of one protocol, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    pub routers: BTreeMap<String, Router>,
    pub services: BTreeMap<String, Service>,
    pub middlewares: BTreeMap<String, Middleware>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Router(pub Object);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service(pub Object);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Middleware(pub Object);

/// `tls` of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterTls<'o>(pub &'o Object);

/// `loadbalancer` of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadBalancer<'o>(pub &'o Object);

impl Router {
    /// As written; [`crate::traefik::rule::parse`] reads it.
    pub fn rule(&self) -> Option<&str> {
        self.0.text("rule")
    }
    pub fn entry_points(&self) -> &[String] {
        self.0.list("entrypoints")
    }
    pub fn middlewares(&self) -> &[String] {
        self.0.list("middlewares")
    }
    pub fn service(&self) -> Option<&str> {
        self.0.text("service").filter(|name| !name.is_empty())
    }
    /// Nothing and 0 both mean: the length of the rule.
    pub fn priority(&self) -> Option<i64> {
        self.0.int("priority")
    }
    pub fn tls(&self) -> Option<RouterTls<'_>> {
        self.0.object("tls").map(RouterTls)
    }
}

impl<'o> RouterTls<'o> {
    pub fn options(&self) -> Option<&'o str> {
        self.0.text("options")
    }
    pub fn cert_resolver(&self) -> Option<&'o str> {
        self.0.text("certresolver")
    }
    /// TCP only: the service itself speaks TLS.
    pub fn passthrough(&self) -> bool {
        self.0.flag("passthrough").unwrap_or(false)
    }
    /// Each with its main name and further ones.
    pub fn domains(&self) -> Vec<(&'o str, &'o [String])> {
        match self.0.get("domains") {
            Some(Value::Objects(all)) => all.iter().map(|o| (o.text("main").unwrap_or(""), o.list("sans"))).collect(),
            _ => Vec::new(),
        }
    }
}

impl Service {
    pub fn load_balancer(&self) -> Option<LoadBalancer<'_>> {
        self.0.object("loadbalancer").map(LoadBalancer)
    }
    pub fn middlewares(&self) -> &[String] {
        self.0.list("middlewares")
    }
}

impl<'o> LoadBalancer<'o> {
    /// The port inside the container, as written.
    pub fn port(&self) -> Option<&'o str> {
        self.0.text("server.port")
    }
    pub fn scheme(&self) -> Option<&'o str> {
        self.0.text("server.scheme")
    }
    /// Excludes port and scheme.
    pub fn url(&self) -> Option<&'o str> {
        self.0.text("server.url").filter(|url| !url.is_empty())
    }
    pub fn weight(&self) -> Option<i64> {
        self.0.int("server.weight")
    }
    pub fn preserve_path(&self) -> bool {
        self.0.flag("server.preservepath").unwrap_or(false)
    }
    pub fn pass_host_header(&self) -> bool {
        self.0.flag("passhostheader").unwrap_or(true)
    }
    pub fn servers_transport(&self) -> Option<&'o str> {
        self.0.text("serverstransport")
    }
    pub fn strategy(&self) -> &'o str {
        self.0.text("strategy").unwrap_or("wrr")
    }
    /// The cookie of a sticky service: `name`, `secure`, `httponly`, `samesite`, `maxage`, `path`, `domain`.
    pub fn sticky_cookie(&self) -> Option<&'o Object> {
        self.0.object("sticky.cookie")
    }
    /// `path`, `port`, `scheme`, `interval` and more.
    pub fn health_check(&self) -> Option<&'o Object> {
        self.0.object("healthcheck")
    }
    /// How long parts of an answer may be held back, in nanoseconds.
    pub fn flush_interval(&self) -> Option<i64> {
        self.0.duration("responseforwarding.flushinterval")
    }
}

impl Middleware {
    /// What it does: exactly one in a middleware that works.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.0.0.keys().copied().collect()
    }
    /// Headers set on what is asked, of a `headers` middleware; an empty value takes one away.
    pub fn request_headers(&self) -> BTreeMap<&str, &str> {
        self.0.texts("headers.customrequestheaders")
    }
    /// The same on the answer.
    pub fn response_headers(&self) -> BTreeMap<&str, &str> {
        self.0.texts("headers.customresponseheaders")
    }
}

impl From<Object> for Labels {
    fn from(mut root: Object) -> Labels {
        let mut labels = Labels { enable: root.flag("enable"), ..Labels::default() };
        if labels.enable.is_some() {
            root.0.remove("enable");
        }
        if let Some(Value::Object(mut docker)) = root.0.remove("docker") {
            labels.allow_non_running = docker.flag("allownonrunning");
            if labels.allow_non_running.is_some() {
                docker.0.remove("allownonrunning");
            }
            if let Some(Value::Text(network)) = docker.0.get("network") {
                labels.docker_network = Some(network.clone());
                docker.0.remove("network");
            }
            if !docker.0.is_empty() {
                root.0.insert("docker", Value::Object(docker));
            }
        }
        for (name, routing) in [("http", &mut labels.http), ("tcp", &mut labels.tcp), ("udp", &mut labels.udp)] {
            let Some(Value::Object(mut all)) = root.0.remove(name) else { continue };
            routing.routers = objects(&mut all, "routers", Router);
            routing.services = objects(&mut all, "services", Service);
            routing.middlewares = objects(&mut all, "middlewares", Middleware);
            if !all.0.is_empty() {
                root.0.insert(name, Value::Object(all));
            }
        }
        labels.rest = root;
        labels
    }
}

fn objects<T>(all: &mut Object, section: &str, make: fn(Object) -> T) -> BTreeMap<String, T> {
    let Some(Value::Named(named)) = all.0.remove(section) else { return BTreeMap::new() };
    let object = |value| match value {
        Value::Object(object) => Some(object),
        _ => None,
    };
    named.into_iter().filter_map(|(name, value)| Some((name, make(object(value)?)))).collect()
}

impl Labels {
    /// Everything below `traefik.` as one object of the table.
    pub fn root(&self) -> Object {
        let mut root = self.rest.clone();
        root.0.extend(self.enable.map(|flag| ("enable", Value::Bool(flag))));
        let docker = [
            ("network", self.docker_network.clone().map(Value::Text)),
            ("allownonrunning", self.allow_non_running.map(Value::Bool)),
        ];
        for (name, value) in docker {
            add(&mut root, "docker", name, value);
        }
        for (name, routing) in [("http", &self.http), ("tcp", &self.tcp), ("udp", &self.udp)] {
            let routers = routing.routers.iter().map(|(name, router)| (name, &router.0));
            add(&mut root, name, "routers", values(routers));
            let services = routing.services.iter().map(|(name, service)| (name, &service.0));
            add(&mut root, name, "services", values(services));
            let middlewares = routing.middlewares.iter().map(|(name, middleware)| (name, &middleware.0));
            add(&mut root, name, "middlewares", values(middlewares));
        }
        root
    }

    /// Labels that say the same, sorted by key; all keys in lower case but for names that a person chose.
    pub fn print(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        value::print(&self.root(), ROOT, "traefik", &mut labels);
        labels
    }

    /// The protocols that have routers, each with its name, its routes and how its rules are read (UDP has none).
    pub fn protocols(&self) -> [(&'static str, &Routing, Option<Protocol>); 3] {
        [("http", &self.http, Some(Protocol::Http)), ("tcp", &self.tcp, Some(Protocol::Tcp)), ("udp", &self.udp, None)]
    }
}

fn add(root: &mut Object, outer: &'static str, inner: &'static str, value: Option<Value>) {
    let Some(value) = value else { return };
    let slot = root.0.entry(outer).or_insert_with(|| Value::Object(Object::default()));
    if let Value::Object(object) = slot {
        object.0.insert(inner, value);
    }
}

fn values<'l>(all: impl Iterator<Item = (&'l String, &'l Object)>) -> Option<Value> {
    let named: BTreeMap<String, Value> = all.map(|(name, o)| (name.clone(), Value::Object(o.clone()))).collect();
    (!named.is_empty()).then_some(Value::Named(named))
}

/// The table's row of the objects in `http.routers` and the like.
pub(super) fn fields(protocol: &str, section: &str) -> &'static [Field] {
    let below = |fields: &'static [Field], name: &str| fields.iter().find(|field| field.name == name).map(|f| f.shape);
    let protocol = match below(ROOT, protocol) {
        Some(Shape::Struct(fields)) => fields,
        _ => &[],
    };
    match below(protocol, section) {
        Some(Shape::Named(Shape::Struct(fields))) => fields,
        _ => &[] as &[table::Field],
    }
}
