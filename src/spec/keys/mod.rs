//! The `x-hearth` keys of a stack and of its services: what may be written, and every mistake in place.
//!
//! Numbers may be written as variables (`${PORT:-7096}`): those are kept as text and judged when they are resolved.

mod rate;
mod reader;
mod route;
mod shape;

use reader::Reader;
pub use route::{Listen, Route, Way};
pub use shape::{is_address, is_path, is_port, is_route_path, is_url, too_long};

use crate::compose::template;
use crate::compose::tree::{Node, Value};
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
const LOCALHOST: [&str; 4] = ["port", "target", "bind", "protocol"];
const BACKUP: [&str; 2] = ["volumes", "exclude"];
const UPDATE: [&str; 1] = ["window"];

/// Reads the keys at the top of a stack.
pub fn stack(node: &Node, diagnostics: &mut Diagnostics) -> StackKeys {
    let mut reader = Reader { path: "x-hearth".into(), diagnostics };
    let Some(map) = reader.mapping(node, &STACK) else { return StackKeys::default() };
    StackKeys { title: reader.text(map, "title"), about: reader.text(map, "about") }
}

/// Reads a route of `hearth.yaml`, which stands at `field`.
pub fn outside(field: &str, node: &Node, diagnostics: &mut Diagnostics) -> Option<Route> {
    Reader { path: field.to_string(), diagnostics }.outside(node)
}

/// Reads the keys of the service `name`.
pub fn service(name: &str, node: &Node, diagnostics: &mut Diagnostics) -> ServiceKeys {
    let mut reader = Reader { path: format!("services.{name}.x-hearth"), diagnostics };
    let Some(map) = reader.mapping(node, &SERVICE) else { return ServiceKeys::default() };
    let routes = reader.several(map, "route", Reader::route);
    let mut localhost = reader.several(map, "localhost", Reader::localhost);
    let port = routes.iter().find_map(|r| match &r.way {
        Way::Port { port, .. } => Some(port.clone()),
        _ => None,
    });
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

impl Reader<'_> {
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
                "9:services.web.x-hearth.route.path spec.wrong-value (write /x)",
                "8:services.web.x-hearth.route.access spec.wrong-value (did you mean `user`?)",
                "2:services.web.x-hearth.localhost spec.wrong-value (a port is a number from 1 to 65535)",
                "10:services.web.x-hearth.backup spec.wrong-type ()",
                "4:services.web.x-hearth.update.window spec.wrong-value (write 5s for seconds; other units are ms, m and h)",
                "3:services.web.x-hearth.internet spec.wrong-type (write true: in a Compose file (YAML 1.2) `yes` is a text)",
            ]
        );
    }

    #[test]
    fn a_path_that_no_request_has_is_told_in_its_place() {
        for path in [
            "/a/../x",
            "/..",
            "/.",
            "/a/%2e%2E",
            "/a/.%2e/b",
            "/a%2f..",
            "/a%2fb",
            "/a%5Cb",
            "/a%252e",
            "/a%00",
            "/a%3Bb",
            "/a;b",
            "/a%20b",
            "/caf%C3%A9",
            "/.well-known/acme-challenge/x",
        ] {
            let (_, told) = read(&format!("route:\n  host: a\n  port: 80\n  path: {path}\n"));
            assert_eq!(told.len(), 1, "{path} {told:?}");
            assert!(told[0].starts_with("4:services.web.x-hearth.route.path spec.wrong-value"), "{told:?}");
        }
        for path in ["/a/...", "/.well-known", "/a..b", "/café", "/a/"] {
            let (_, told) = read(&format!("route:\n  host: a\n  port: 80\n  path: {path}\n"));
            assert_eq!(told, Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn a_localhost_port_needs_to_know_the_port_inside() {
        let (keys, told) = read("localhost: 7096\n");
        assert!(keys.localhost.is_empty());
        assert!(told[0].contains("spec.no-target"));
    }
}
