//! The `x-hearth` keys of a stack and of its services: what may be written, and every mistake in place.
//!
//! Numbers may be written as variables (`${PORT:-7096}`): those are kept as text and judged when they are resolved.

use crate::base::wording;
use crate::compose::short::size;
use crate::compose::template;
use crate::compose::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// `x-hearth` at the top of a stack.
#[derive(Debug, Clone, Default)]
pub struct StackKeys {
    pub title: Option<String>,
    pub about: Option<String>,
}

/// `x-hearth` of a service.
#[derive(Debug, Clone, Default)]
pub struct ServiceKeys {
    pub routes: Vec<Route>,
    pub localhost: Vec<Localhost>,
    pub backup: Option<Backup>,
    /// Out to the internet although only other services talk to this one.
    pub internet: bool,
    /// `traefik.*` labels are taken as they are written.
    pub raw_labels: bool,
}

/// How people reach the service by name; rendered in domain mode.
#[derive(Debug, Clone)]
pub struct Route {
    pub hosts: Vec<String>,
    /// Inside the container.
    pub port: Option<String>,
    pub access: String,
    pub span: Span,
}

/// A port on this machine in localhost mode.
#[derive(Debug, Clone)]
pub struct Localhost {
    /// On the host: a number, or a text with variables.
    pub port: String,
    /// Inside the container; the route's port where it is not written.
    pub target: Option<String>,
    pub bind: String,
    pub protocol: String,
    pub span: Span,
}

/// What belongs into a backup.
#[derive(Debug, Clone, Default)]
pub struct Backup {
    pub volumes: Vec<String>,
    pub exclude: Vec<String>,
}

const STACK: [&str; 2] = ["title", "about"];
const SERVICE: [&str; 6] = ["route", "localhost", "backup", "internet", "raw-labels", "update"];
const ROUTE: [&str; 12] = [
    "host",
    "port",
    "path",
    "scheme",
    "access",
    "timeout",
    "headers",
    "sticky",
    "health",
    "strip-prefix",
    "tcp",
    "udp",
];
const LOCALHOST: [&str; 4] = ["port", "target", "bind", "protocol"];
const BACKUP: [&str; 2] = ["volumes", "exclude"];
const UPDATE: [&str; 1] = ["window"];

/// Reads the keys at the top of a stack.
pub fn stack(node: &Node, diagnostics: &mut Diagnostics) -> StackKeys {
    let mut reader = Reader { path: "x-hearth".into(), diagnostics };
    let Some(map) = reader.mapping(node, &STACK) else { return StackKeys::default() };
    StackKeys { title: reader.text(map, "title"), about: reader.text(map, "about") }
}

/// Reads the keys of the service `name`.
pub fn service(name: &str, node: &Node, diagnostics: &mut Diagnostics) -> ServiceKeys {
    let mut reader = Reader { path: format!("services.{name}.x-hearth"), diagnostics };
    let Some(map) = reader.mapping(node, &SERVICE) else { return ServiceKeys::default() };
    let routes = reader.several(map, "route", Reader::route);
    let mut localhost = reader.several(map, "localhost", Reader::localhost);
    let port = routes.iter().find_map(|r| r.port.clone());
    for entry in localhost.iter_mut().filter(|l| l.target.is_none()) {
        match &port {
            Some(port) => entry.target = Some(port.clone()),
            None => reader.tell(
                Diagnostic::error("spec.no-target", "this does not say which port inside the container is meant")
                    .at(entry.span)
                    .hint(format!("write localhost: {{port: {}, target: PORT}}, or a route with its port", entry.port)),
                "localhost",
            ),
        }
    }
    localhost.retain(|l| l.target.is_some());
    let backup = map.get("backup").and_then(|node| reader.within("backup", |r| r.backup(node)));
    if let Some(node) = map.get("update") {
        reader.within("update", |r| r.update(node));
    }
    ServiceKeys {
        routes,
        localhost,
        backup,
        internet: reader.flag(map, "internet"),
        raw_labels: reader.flag(map, "raw-labels"),
    }
}

struct Reader<'d> {
    path: String,
    diagnostics: &'d mut Diagnostics,
}

impl Reader<'_> {
    fn tell(&mut self, diagnostic: Diagnostic, key: &str) {
        let field = if key.is_empty() { self.path.clone() } else { format!("{}.{key}", self.path) };
        self.diagnostics.push(diagnostic.field(field));
    }

    fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(if key.starts_with('[') { "" } else { "." });
        self.path.push_str(key);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    fn wrong_type(&mut self, node: &Node, key: &str, wanted: &str) {
        let name =
            if key.is_empty() { self.path.rsplit('.').next().unwrap_or_default().to_string() } else { key.into() };
        let title = format!("`{name}` must be {wanted}, not {}", node.kind());
        self.tell(Diagnostic::error("spec.wrong-type", title).at(node.span), key);
    }

    fn wrong_value(&mut self, span: Span, key: &str, title: String, hint: impl Into<String>) {
        self.tell(Diagnostic::error("spec.wrong-value", title).at(span).hint(hint), key);
    }

    /// The mapping, with its unknown keys told. Nothing written is an empty one.
    fn mapping<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<&'n Map> {
        let Value::Map(map) = &node.value else {
            if !node.is_null() {
                self.wrong_type(node, "", "a mapping");
            }
            return None;
        };
        for (key, entry) in &map.0 {
            if known.contains(&key.as_str()) {
                continue;
            }
            let d = Diagnostic::error("spec.unknown-key", format!("`{key}` means nothing here")).at(entry.key);
            let d = match wording::nearest(key, known.iter().copied()) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d.hint(format!("known here: {}", known.join(", "))),
            };
            self.tell(d, key);
        }
        Some(map)
    }

    /// One value or a list of them.
    fn several<T>(&mut self, map: &Map, key: &str, read: fn(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        let Some(node) = map.get(key) else { return Vec::new() };
        self.within(key, |reader| match &node.value {
            Value::Seq(items) => {
                let each = items.iter().enumerate();
                each.filter_map(|(i, item)| reader.within(&format!("[{i}]"), |r| read(r, item))).collect()
            }
            _ => read(reader, node).into_iter().collect(),
        })
    }

    fn text(&mut self, map: &Map, key: &str) -> Option<String> {
        let node = map.get(key)?;
        match node.as_str() {
            Some(text) => Some(text.to_string()),
            None => {
                self.wrong_type(node, key, "text");
                None
            }
        }
    }

    fn flag(&mut self, map: &Map, key: &str) -> bool {
        match map.get(key).map(|node| (node, &node.value)) {
            None => false,
            Some((_, Value::Bool(flag))) => *flag,
            Some((node, _)) => {
                self.wrong_type(node, key, "true or false");
                false
            }
        }
    }

    fn texts(&mut self, map: &Map, key: &str) -> Vec<String> {
        let Some(node) = map.get(key) else { return Vec::new() };
        match &node.value {
            Value::Str(text) => vec![text.clone()],
            Value::Seq(items) if items.iter().all(|i| i.as_str().is_some()) => {
                items.iter().filter_map(Node::as_str).map(str::to_string).collect()
            }
            _ => {
                self.wrong_type(node, key, "text or a list of texts");
                Vec::new()
            }
        }
    }

    /// A port as text: 1 to 65535, or something with a variable in it.
    fn port(&mut self, node: &Node, key: &str) -> Option<String> {
        match &node.value {
            Value::Int(n) if (1..=65535).contains(n) => Some(n.to_string()),
            Value::Str(text) if !template::variables(text).is_empty() => Some(text.clone()),
            Value::Str(text) if text.parse::<u16>().is_ok_and(|n| n > 0) => Some(text.clone()),
            Value::Int(_) | Value::Str(_) => {
                let shown = node.scalar_text().unwrap_or_default();
                self.wrong_value(node.span, key, format!("`{shown}` is no port"), "a port is a number from 1 to 65535");
                None
            }
            _ => {
                self.wrong_type(node, key, "a port number");
                None
            }
        }
    }

    fn one_of(&mut self, map: &Map, key: &str, words: &[&str]) -> Option<String> {
        let text = self.text(map, key)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let span = map.get(key)?.span;
        let hint = match wording::nearest(&text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of: {}", words.join(", ")),
        };
        self.wrong_value(span, key, format!("`{text}` is not known here"), hint);
        None
    }

    fn route(&mut self, node: &Node) -> Option<Route> {
        let map = self.mapping(node, &ROUTE)?;
        let hosts = self.texts(map, "host");
        let raw = map.contains("tcp") || map.contains("udp");
        if hosts.is_empty() && !raw && map.get("host").is_none() {
            let d = Diagnostic::error("spec.missing-key", "a route needs a `host`").at(node.span);
            self.tell(d.hint("write host: NAME, the name under your domain"), "");
        }
        let port = map.get("port").and_then(|node| self.port(node, "port"));
        if !raw && map.get("port").is_none() {
            let d = Diagnostic::error("spec.missing-key", "a route needs a `port`").at(node.span);
            self.tell(d.hint("write port: NUMBER, the port inside the container"), "");
        }
        let access = self.text(map, "access").unwrap_or_else(|| "user".into());
        self.access(map, &access);
        if let Some(path) = self.text(map, "path").filter(|p| !p.starts_with('/')) {
            let span = map.get("path").map_or(node.span, |n| n.span);
            self.wrong_value(
                span,
                "path",
                format!("the path `{path}` does not begin with `/`"),
                format!("write /{path}"),
            );
        }
        self.one_of(map, "scheme", &["http", "https", "h2c"]);
        self.duration(map, "timeout");
        if let Some(node) = map.get("headers").filter(|n| n.as_map().is_none()) {
            self.wrong_type(node, "headers", "a mapping");
        }
        Some(Route { hosts, port, access, span: node.span })
    }

    fn access(&mut self, map: &Map, access: &str) {
        const WORDS: [&str; 5] = ["public", "lan", "lan-or-user", "user", "admin"];
        let group = access.strip_prefix("group:").is_some_and(|g| !g.is_empty());
        if group || WORDS.contains(&access) {
            return;
        }
        let Some(node) = map.get("access") else { return };
        let hint = match wording::nearest(access, WORDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "one of: public, lan, lan-or-user, user, group:NAME, admin".to_string(),
        };
        self.wrong_value(node.span, "access", format!("`{access}` is no access rule"), hint);
    }

    fn localhost(&mut self, node: &Node) -> Option<Localhost> {
        let plain =
            |port| Localhost { port, target: None, bind: "127.0.0.1".into(), protocol: "tcp".into(), span: node.span };
        let Value::Map(_) = &node.value else { return self.port(node, "").map(plain) };
        let map = self.mapping(node, &LOCALHOST)?;
        let Some(port) = map.get("port") else {
            let d = Diagnostic::error("spec.missing-key", "this needs a `port`").at(node.span);
            self.tell(d.hint("write port: NUMBER, the port on this machine"), "");
            return None;
        };
        let mut entry = plain(self.port(port, "port")?);
        entry.target = map.get("target").and_then(|node| self.port(node, "target"));
        if let Some(bind) = self.text(map, "bind") {
            if bind.parse::<std::net::IpAddr>().is_err() && template::variables(&bind).is_empty() {
                let span = map.get("bind").map_or(node.span, |n| n.span);
                self.wrong_value(
                    span,
                    "bind",
                    format!("`{bind}` is no IP address"),
                    "write one, as 127.0.0.1 or 0.0.0.0",
                );
            }
            entry.bind = bind;
        }
        if let Some(protocol) = self.one_of(map, "protocol", &["tcp", "udp"]) {
            entry.protocol = protocol;
        }
        Some(entry)
    }

    fn backup(&mut self, node: &Node) -> Option<Backup> {
        let map = self.mapping(node, &BACKUP)?;
        Some(Backup { volumes: self.texts(map, "volumes"), exclude: self.texts(map, "exclude") })
    }

    fn update(&mut self, node: &Node) {
        if let Some(map) = self.mapping(node, &UPDATE) {
            self.duration(map, "window");
        }
    }

    fn duration(&mut self, map: &Map, key: &str) {
        let Some(text) = self.text(map, key) else { return };
        if size::duration(&text).is_err() {
            let span = map.get(key).map(|n| n.span);
            let d = Diagnostic::error("spec.wrong-value", format!("`{text}` is no duration")).at(span);
            self.tell(d.hint("write a number with its unit, as 90s or 5m"), key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;
    use crate::diag::Sources;

    fn read(text: &str) -> (ServiceKeys, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("s.yaml", text);
        let mut told = Diagnostics::default();
        let tree = yaml::parse(file, &sources, &mut told).remove(0);
        let keys = service("web", &tree, &mut told);
        let shown = |d: &Diagnostic| {
            let hint = d.hints.first().cloned().unwrap_or_default();
            format!("{}:{} {} ({hint})", d.place.map_or(0, |p| p.line), d.field.clone().unwrap_or_default(), d.code)
        };
        (keys, told.0.iter().map(shown).collect())
    }

    #[test]
    fn everything_that_may_be_written_is_read() {
        let (keys, told) = read(
            "route: {host: media, port: 8096, access: 'group:family'}\n\
             localhost: [7096, {port: '${P:-53}', target: 53, bind: 0.0.0.0, protocol: udp}]\n\
             backup: {volumes: [data], exclude: ['cache/**']}\ninternet: true\nupdate: {window: 2m}\n",
        );
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(keys.localhost[0].target.as_deref(), Some("8096"));
        assert_eq!((keys.localhost[1].port.as_str(), keys.localhost[1].bind.as_str()), ("${P:-53}", "0.0.0.0"));
        assert!(keys.internet && !keys.raw_labels);
        assert_eq!(keys.backup.unwrap().volumes, ["data"]);
    }

    #[test]
    fn every_mistake_is_told_in_its_place_with_the_nearest_name() {
        let (_, told) = read(
            "rout: {}\nlocalhost: 70960\ninternet: 'yes'\nupdate: {window: 5}\n\
             route:\n  host: a\n  port: 80\n  access: users\n  path: x\nbackup: [a]\n",
        );
        assert_eq!(
            told,
            [
                "1:services.web.x-hearth.rout spec.unknown-key (did you mean `route`?)",
                "8:services.web.x-hearth.route.access spec.wrong-value (did you mean `user`?)",
                "9:services.web.x-hearth.route.path spec.wrong-value (write /x)",
                "2:services.web.x-hearth.localhost spec.wrong-value (a port is a number from 1 to 65535)",
                "10:services.web.x-hearth.backup spec.wrong-type ()",
                "4:services.web.x-hearth.update.window spec.wrong-type ()",
                "3:services.web.x-hearth.internet spec.wrong-type ()",
            ]
        );
    }

    #[test]
    fn a_localhost_port_needs_to_know_the_port_inside() {
        let (keys, told) = read("localhost: 7096\n");
        assert!(keys.localhost.is_empty());
        assert!(told[0].contains("spec.no-target"));
    }
}
