//! What the Docker provider and the routers would make of labels that the decoder took.

use std::collections::BTreeMap;

use super::model::{Middleware, Router, Routing, Service};
use super::{Labels, Object, Places, Read, loss};
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics};
use crate::traefik::route::PANEL;
use crate::traefik::rule::{self, Name, Protocol, Rule};

/// The highest priority that a router of labels may have.
pub const MAX_PRIORITY: i64 = i64::MAX - 1000;
/// The entry point for HTTPS of Hearth's Traefik.
const SECURE: &str = "websecure";
/// Entry points for services; besides there is one for each raw route, as `tcp-5432`.
const POINTS: [&str; 2] = ["web", SECURE];
/// Where Hearth asks Traefik about itself.
const PRIVATE: [&str; 2] = ["api", "ping"];

/// Among more names none is looked for that is nearly the one wanted.
const MANY: usize = 200;

pub(super) fn judge(read: &mut Read) {
    let mut judge = Judge { labels: &read.labels, places: &read.places, told: Diagnostics::default(), protocol: "" };
    judge.container();
    for (name, routing, protocol) in read.labels.protocols() {
        judge.protocol = name;
        judge.routing(routing, protocol);
    }
    read.diagnostics.extend(judge.told);
    read.diagnostics.0.sort_by_key(|d| d.place);
}

struct Judge<'r> {
    labels: &'r Labels,
    places: &'r Places,
    told: Diagnostics,
    protocol: &'static str,
}

impl Judge<'_> {
    /// Places a diagnostic at the value of what stands at the path, or at the nearest thing above it.
    fn tell(&mut self, diagnostic: Diagnostic, path: &[&str]) {
        let exact = self.places.of(path).map(|place| place.value_span.or(place.key_span));
        let Some(place) = self.places.near(path) else { return self.told.push(diagnostic) };
        let diagnostic = diagnostic.or_at(exact.unwrap_or(place.key_span));
        self.told.push(diagnostic.field(place.key.clone()));
    }

    fn error(&mut self, code: &'static str, title: String, hint: &str, path: &[&str]) {
        let d = Diagnostic::error(code, title);
        self.tell(if hint.is_empty() { d } else { d.hint(hint) }, path);
    }

    /// Whether a value holds a variable, so that nothing can be said about it.
    fn later(&self, path: &[&str]) -> bool {
        self.places.of(path).is_some_and(|place| place.later)
    }

    /// Whether something was written and could not be read, which was told.
    fn unread(&self, object: &Object, path: &[&str; 4]) -> bool {
        self.places.of(path).is_some() && object.get(path[3]).is_none()
    }

    fn container(&mut self) {
        let labels = self.labels;
        let routing = [&labels.http, &labels.tcp, &labels.udp];
        let says_something = routing.iter().any(|r| !r.is_empty());
        if says_something && labels.enable.is_none() && self.places.of(&["enable"]).is_none() {
            let first = ["http", "tcp", "udp"].into_iter().find(|name| self.places.near(&[name]).is_some());
            let path = first.and_then(|name| self.places.first_below(name)).unwrap_or_default();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let d = Diagnostic::warning(
                "traefik.not-enabled",
                "nothing here says traefik.enable=true, so Traefik looks at no label of this container",
            );
            self.tell(d.hint("add the label traefik.enable=true"), &path);
        }
        let alone = labels.http.is_empty() && (!labels.tcp.is_empty_of_routes() || !labels.udp.is_empty_of_routes());
        if labels.enable == Some(true) && labels.http.routers.is_empty() && !alone {
            let title =
                "no HTTP router is named: Traefik would make one itself, for a host made of the container's name";
            self.error(
                "traefik.no-router",
                title.into(),
                "write traefik.http.routers.NAME.rule and its entry points",
                &["enable"],
            );
        }
        if labels.rest.get("tls").is_some() {
            let title =
                "the default certificate stands in Hearth's file already: Traefik drops it where it is set twice";
            self.error("traefik.default-certificate", title.into(), "remove the label", &["tls", "stores", "default"]);
        }
        if labels.rest.get("http.models").is_some() {
            let title = format!("models are made by entry points: {}", loss::IGNORED);
            self.error("traefik.ignored-label", title, "remove the label", &["http", "models"]);
        }
    }

    fn routing(&mut self, routing: &Routing, protocol: Option<Protocol>) {
        let named = [
            ("routers", routing.routers.keys().collect::<Vec<_>>()),
            ("services", routing.services.keys().collect()),
            ("middlewares", routing.middlewares.keys().collect()),
        ];
        for (section, name) in named.iter().flat_map(|(section, names)| names.iter().map(move |name| (section, name))) {
            if name.contains(['@', '[', ',']) || name.trim() != name.as_str() {
                let title = format!("`{name}` is no name for one of Traefik's {section}: nothing could refer to it");
                let hint = "make names of letters, digits, `-` and `_`";
                self.error("traefik.bad-name", title, hint, &[self.protocol, section, name]);
            }
        }
        for (name, router) in &routing.routers {
            self.router(name, router, routing, protocol);
        }
        for (name, service) in &routing.services {
            self.service(name, service, routing);
        }
        for (name, middleware) in &routing.middlewares {
            self.middleware(name, middleware, routing);
        }
    }

    fn router(&mut self, name: &str, router: &Router, routing: &Routing, protocol: Option<Protocol>) {
        let path = |key: &'static str| [self.protocol, "routers", name, key];
        let (entry_points, tls, priority) = (path("entrypoints"), path("tls"), path("priority"));
        let (service, middlewares) = (path("service"), path("middlewares"));
        let incomplete = self.places.is_incomplete(&[self.protocol, "routers", name]);
        if router.entry_points().is_empty() && !incomplete && !self.unread(&router.0, &entry_points) {
            let title = format!(
                "the router `{name}` names no entry points: Traefik would choose them, plain or private ones among them"
            );
            let hint = format!("write traefik.{}.routers.{name}.entrypoints", self.protocol);
            self.error("traefik.no-entry-points", title, &hint, &entry_points);
        }
        if !self.later(&entry_points) {
            router.entry_points().iter().for_each(|point| self.entry_point(name, point, &entry_points));
        }
        let on_secure = router.entry_points().iter().any(|point| point == SECURE);
        if protocol == Some(Protocol::Http) && on_secure && router.tls().is_none() && self.places.of(&tls).is_none() {
            let title = format!(
                "the router `{name}` is on {SECURE} without TLS: but for a setting there Traefik would speak plain HTTP"
            );
            self.error("traefik.no-tls", title, &format!("write traefik.http.routers.{name}.tls=true"), &entry_points);
        }
        if router.tls().is_some_and(|tls| tls.cert_resolver().is_some_and(|resolver| !resolver.is_empty())) {
            let d = Diagnostic::warning(
                "traefik.cert-resolver",
                "Hearth's Traefik has no certificate resolvers: Hearth itself gets certificates, and this says nothing",
            );
            self.tell(d.hint("remove the label"), &[self.protocol, "routers", name, "tls", "certresolver"]);
        }
        if let Some(over) = router.priority().filter(|n| *n >= PANEL as i64) {
            let (title, code) = match over > MAX_PRIORITY {
                true => {
                    (format!("the priority {over} is above the highest: {}", loss::router(name)), "traefik.bad-value")
                }
                false => (format!("the priority {over} is kept for Hearth's own address"), "traefik.reserved-priority"),
            };
            self.error(code, title, &format!("the highest for services is {}", PANEL - 1), &priority);
        }
        if let Some(protocol) = protocol {
            self.rule(name, router, protocol, incomplete);
        }
        match router.service() {
            Some(wanted) => self.reference("service", wanted, &routing.services, &service, &loss::router(name)),
            None if routing.services.len() > 1 => {
                let title = format!(
                    "the router `{name}` does not say which of {} services it is for: {}",
                    routing.services.len(),
                    loss::router(name)
                );
                let known: Vec<&str> = routing.services.keys().map(String::as_str).collect();
                let hint =
                    format!("write traefik.{}.routers.{name}.service with one of: {}", self.protocol, known.join(", "));
                self.error("traefik.no-service", title, &hint, &[self.protocol, "routers", name]);
            }
            None => {}
        }
        for wanted in router.middlewares() {
            self.reference("middleware", wanted, &routing.middlewares, &middlewares, &loss::router(name));
        }
    }

    /// An entry point must be there, and be for services.
    fn entry_point(&mut self, router: &str, point: &str, path: &[&str]) {
        let raw = |begin| point.strip_prefix(begin).is_some_and(|port: &str| port.parse::<u16>().is_ok());
        if POINTS.contains(&point) || raw("tcp-") || raw("udp-") {
            return;
        }
        let title = match PRIVATE.contains(&point) {
            true => format!("the entry point `{point}` is Hearth's own: the router `{router}` has no business there"),
            false => format!("Hearth's Traefik has no entry point `{point}`: {} there", loss::router(router)),
        };
        let hint = match wording::nearest(point, POINTS) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.protocol == "http" => format!("write {SECURE}, or web for plain HTTP"),
            None => format!("those for {} come with a route of Hearth's, as {0}-5432", self.protocol),
        };
        self.error("traefik.no-such-entry-point", title, &hint, path);
    }

    fn rule(&mut self, name: &str, router: &Router, protocol: Protocol, incomplete: bool) {
        let path = [self.protocol, "routers", name, "rule"];
        let syntax = [self.protocol, "routers", name, "rulesyntax"];
        if router.0.text("rulesyntax").is_some_and(|syntax| !["", "v3", "default"].contains(&syntax)) {
            let title = format!("only rules of version 3 are read here: what `{name}` would match is not known");
            self.error("traefik.bad-rule", title, "remove the label, and write the rule in version 3", &syntax);
            return;
        }
        if self.later(&path) || self.unread(&router.0, &path) || incomplete && router.rule().is_none() {
            return;
        }
        let Some(text) = router.rule().filter(|text| !text.is_empty()) else {
            let title = match protocol {
                Protocol::Http => {
                    format!("the router `{name}` has no rule: Traefik would take a host made of the container's name")
                }
                Protocol::Tcp => format!("the router `{name}` has no rule: {}", loss::router(name)),
            };
            let example = if protocol == Protocol::Http { "Host(`name.example.org`)" } else { "HostSNI(`*`)" };
            self.error(
                "traefik.no-rule",
                title,
                &format!("write traefik.{}.routers.{name}.rule={example}", self.protocol),
                &path,
            );
            return;
        };
        match rule::parse(text, protocol) {
            Err(error) => {
                // The value's place is that of its first character only where YAML needed no quotes: say where in words.
                let title = match error.at {
                    0 => format!("{}: {}", error.title, loss::router(name)),
                    at => format!("{}, at character {} of the rule: {}", error.title, at + 1, loss::router(name)),
                };
                self.error("traefik.bad-rule", title, &error.hint.unwrap_or_default(), &path);
            }
            Ok(rule) if protocol == Protocol::Tcp && router.tls().is_none() => {
                if first_sni(&rule).is_some_and(|host| host != "*") {
                    let title = format!(
                        "a connection tells its host only with TLS, and the router `{name}` has none: {}",
                        loss::router(name)
                    );
                    self.error("traefik.no-tls", title, "write HostSNI(`*`), or switch tls on", &path);
                }
            }
            Ok(_) => {}
        }
    }

    /// A name of something in the same container, or with its provider (`name@file`).
    fn reference<T>(&mut self, kind: &str, wanted: &str, known: &BTreeMap<String, T>, path: &[&str], lost: &str) {
        if self.later(path) {
            return;
        }
        match wanted.split_once('@') {
            Some((name, provider)) if !name.is_empty() && !provider.is_empty() && !provider.contains('@') => return,
            None if known.contains_key(wanted) => return,
            _ => {}
        }
        let title = match wanted.is_empty() {
            true => format!("a {kind} without a name stands in this list: {lost}"),
            false => format!("this container has no {kind} `{wanted}`: {lost}"),
        };
        let known: Vec<&str> = known.keys().map(String::as_str).take(MANY).collect();
        let folded = known.iter().find(|name| name.eq_ignore_ascii_case(wanted));
        let hint = match folded.copied().or_else(|| wording::nearest(wanted, known.iter().copied())) {
            Some(near) if folded.is_some() => format!("names are compared with their case: write `{near}`"),
            Some(near) => format!("did you mean `{near}`?"),
            None if wanted.is_empty() => "remove the comma".to_string(),
            None if wanted.contains('@') => "write NAME@PROVIDER, as lan@file".to_string(),
            None if kind == "servers transport" => {
                format!("labels make none: write {wanted}@file where Traefik's file has it")
            }
            None => {
                format!("where it stands elsewhere, say where: {wanted}@file, or {wanted}@docker for another container")
            }
        };
        self.error("traefik.no-such-name", title, &hint, path);
    }

    fn service(&mut self, name: &str, service: &Service, routing: &Routing) {
        let path = [self.protocol, "services", name];
        let Some(balancer) = service.load_balancer() else {
            if self.places.is_incomplete(&path) {
                return;
            }
            let title = format!("the service `{name}` has no load balancer: {}", loss::CONTAINER);
            let hint = format!("write traefik.{}.services.{name}.loadbalancer.server.port", self.protocol);
            self.error("traefik.no-load-balancer", title, &hint, &path);
            return;
        };
        let protocol = self.protocol;
        let below = |key: &'static str| [protocol, "services", name, "loadbalancer", "server", key];
        if balancer.url().is_some() {
            for (key, text) in [("port", balancer.port()), ("scheme", balancer.scheme())] {
                if text.is_some_and(|text| !text.is_empty()) {
                    let title = format!("a server has an URL or a {key}, not both: {}", loss::CONTAINER);
                    self.error("traefik.bad-value", title, "remove one of them", &below(key));
                }
            }
        }
        let transport = [self.protocol, "services", name, "loadbalancer", "serverstransport"];
        if let Some(wanted) = balancer.servers_transport().filter(|wanted| !wanted.is_empty()) {
            let lost = format!("routers to the service `{name}` would be off");
            self.reference("servers transport", wanted, &BTreeMap::<String, ()>::new(), &transport, &lost);
        }
        let middlewares = [self.protocol, "services", name, "middlewares"];
        for wanted in service.middlewares() {
            let lost = format!("routers to the service `{name}` would be off");
            self.reference("middleware", wanted, &routing.middlewares, &middlewares, &lost);
        }
    }

    fn middleware(&mut self, name: &str, middleware: &Middleware, routing: &Routing) {
        let path = [self.protocol, "middlewares", name];
        let lost = format!("routers with the middleware `{name}` would be off");
        match middleware.kinds()[..] {
            [_] => {}
            // What was written below it was told.
            [] if self.places.is_incomplete(&path) || self.places.has_below(&path) => {}
            [] => {
                let title = format!("the middleware `{name}` does nothing: {lost}");
                self.error(
                    "traefik.bad-middleware",
                    title,
                    "below its name stands what it does, as headers or ratelimit",
                    &path,
                );
            }
            ref kinds => {
                let title = format!("the middleware `{name}` is {} at once: {lost}", wording::list(kinds));
                self.error("traefik.bad-middleware", title, "make a middleware of each", &path);
            }
        }
        for wanted in middleware.0.list("chain.middlewares") {
            let list = [self.protocol, "middlewares", name, "chain", "middlewares"];
            self.reference("middleware", wanted, &routing.middlewares, &list, &lost);
        }
        if let Some(wanted) = middleware.0.text("errors.service") {
            let service = [self.protocol, "middlewares", name, "errors", "service"];
            self.reference("service", wanted, &routing.services, &service, &lost);
        }
    }
}

impl Routing {
    pub fn is_empty(&self) -> bool {
        self.is_empty_of_routes() && self.middlewares.is_empty()
    }
    fn is_empty_of_routes(&self) -> bool {
        self.routers.is_empty() && self.services.is_empty()
    }
}

/// The first literal host of a TCP rule, in the order written.
fn first_sni(rule: &Rule) -> Option<&str> {
    match rule {
        Rule::Is(matcher) if matcher.name == Name::HostSni => matcher.arguments.first().map(String::as_str),
        Rule::Is(_) => None,
        Rule::Not(inner) => first_sni(inner),
        Rule::All(rules) | Rule::Any(rules) => rules.iter().find_map(first_sni),
    }
}
