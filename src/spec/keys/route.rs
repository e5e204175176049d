//! `route`: how people reach a service by name or on a port of its own. The same keys stand in `hearth.yaml` for what is not in
//! Docker, where a route says its own address instead of a container's port.

use std::collections::BTreeMap;

use super::Reader;
use super::shape::{decoded, denied, has_dots, host, is_address, is_challenge, is_own, is_path, is_url};
use crate::base::wording;
use crate::compose::template;
use crate::compose::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Span};
use crate::traefik::forward::bypass::{self, Bypass, Needs};
use crate::traefik::route::Rate;
use crate::traefik::{Access, route};

/// A route as it is written. Texts may hold variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub listen: Listen,
    pub way: Way,
    pub access: Access,
    pub bypass: Vec<Bypass>,
    /// As a Go duration.
    pub timeout: Option<String>,
    pub request_headers: BTreeMap<String, String>,
    pub response_headers: BTreeMap<String, String>,
    pub sticky: bool,
    pub health: Option<String>,
    pub rate: Option<Rate>,
    /// In `hearth.yaml`: the Docker network that Traefik joins for it, by its real name.
    pub network: Option<String>,
    pub span: Span,
}

/// What it listens to.
#[derive(Debug, Clone, PartialEq)]
pub enum Listen {
    /// Names under the domain (`media`), whole names (`media.example.org`), `@` for the domain itself.
    Hosts {
        hosts: Vec<(String, Span)>,
        path: Option<String>,
        strip: bool,
    },
    Tcp(u16),
    Udp(u16),
}

/// Where it leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// A port inside the service's containers.
    Port { port: String, scheme: String },
    /// In `hearth.yaml`: what is not in Docker.
    Address(String),
    /// In `hearth.yaml`: a container of another Compose project.
    Project { project: String, service: String, port: String, scheme: String },
}

impl Route {
    /// Whether its access asks anything of anybody.
    pub fn keeps_somebody_out(&self) -> bool {
        self.access != Access::Public
    }
}

const COMMON: [&str; 12] = [
    "host",
    "path",
    "access",
    "bypass",
    "timeout",
    "headers",
    "sticky",
    "health",
    "rate-limit",
    "strip-prefix",
    "tcp",
    "udp",
];
const BYPASS: [&str; 2] = ["path", "needs"];
const SERVICE: [&str; 2] = ["port", "scheme"];
const OUTSIDE: [&str; 6] = ["url", "project", "service", "port", "scheme", "network"];
const HEADERS: [&str; 2] = ["request", "response"];

impl Reader<'_> {
    /// A route of a service.
    pub(super) fn route(&mut self, node: &Node) -> Option<Route> {
        if let Value::Str(text) = &node.value {
            return self.only_text(node, text);
        }
        let map = self.mapping(node, &[&COMMON[..], &SERVICE[..]].concat())?;
        let way = self.port_way(node, map);
        self.common(node, map, way?)
    }

    /// A route of `hearth.yaml`.
    pub(super) fn outside(&mut self, node: &Node) -> Option<Route> {
        let map = self.mapping(node, &[&COMMON[..], &OUTSIDE[..]].concat())?;
        let way = match (map.get("url"), map.get("project")) {
            (Some(url), None) => self.address(url, map),
            (None, Some(_)) => self.project_way(node, map),
            (Some(_), Some(project)) => {
                let title = "a route leads to a `url` or into a `project`, not both".to_string();
                self.wrong_value(project.span, "project", title, "keep one of the two");
                None
            }
            (None, None) => {
                let d = Diagnostic::error("spec.missing-key", "a route needs a `url`, or a `project`").at(node.span);
                self.tell(
                    d.hint("write url: http://192.168.1.20, or project:, service: and port: of an adopted project"),
                    "",
                );
                None
            }
        };
        let mut route = self.common(node, map, way?)?;
        route.network = self.text(map, "network").or(match &route.way {
            // What Compose calls it where a file says nothing.
            Way::Project { project, .. } => Some(format!("{project}_default")),
            _ => None,
        });
        Some(route)
    }

    /// `site:80`, as one would write a published port.
    fn only_text(&mut self, node: &Node, text: &str) -> Option<Route> {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, "NUMBER"));
        let host = if host.is_empty() { "NAME" } else { host };
        let d = Diagnostic::error("spec.wrong-type", "`route` must be a mapping, not text").at(node.span);
        self.tell(d.hint(format!("write route: {{host: {host}, port: {port}}}")), "");
        None
    }

    fn port_way(&mut self, node: &Node, map: &Map) -> Option<Way> {
        let Some(port) = map.get("port") else {
            // Whoever mistyped it has just been told.
            if map.0.iter().any(|(key, _)| wording::nearest(key, ["port"]).is_some()) {
                return None;
            }
            let d = Diagnostic::error("spec.missing-key", "a route needs a `port`").at(node.span);
            self.tell(d.hint("write port: NUMBER, the port inside the container"), "");
            return None;
        };
        let port = self.port(port, "port")?;
        let scheme = self.one_of(map, "scheme", &["http", "https", "h2c"]).unwrap_or_else(|| "http".into());
        Some(Way::Port { port, scheme })
    }

    fn project_way(&mut self, node: &Node, map: &Map) -> Option<Way> {
        let project = self.text(map, "project")?;
        let Some(service) = self.text(map, "service") else {
            let d = Diagnostic::error("spec.missing-key", "a route into a project needs a `service`").at(node.span);
            self.tell(d.hint("write service: NAME, as the project's Compose file calls it"), "");
            return None;
        };
        match self.port_way(node, map)? {
            Way::Port { port, scheme } => Some(Way::Project { project, service, port, scheme }),
            other => Some(other),
        }
    }

    fn address(&mut self, node: &Node, map: &Map) -> Option<Way> {
        let Some(url) = node.as_str() else {
            self.wrong_type(node, "url", "text");
            return None;
        };
        let raw = map.contains("tcp") || map.contains("udp");
        let good = match raw {
            true => is_address(url),
            false => is_url(url),
        };
        if !good && template::variables(url).is_empty() {
            let hint = if raw {
                "write ADDRESS:PORT, as 192.168.1.20:53"
            } else {
                "write http:// or https:// with a host and no path, as http://192.168.1.20:5000"
            };
            self.wrong_value(node.span, "url", format!("`{url}` is no address that a route can lead to"), hint);
            return None;
        }
        Some(Way::Address(url.trim_end_matches('/').to_string()))
    }

    fn common(&mut self, node: &Node, map: &Map, way: Way) -> Option<Route> {
        let listen = self.listen(node, map)?;
        let access = self.access(map);
        if matches!(listen, Listen::Udp(_)) && access != Access::Public {
            let span = map.get("access").map_or(node.span, |n| n.span);
            let title = format!("Traefik cannot keep anyone from a UDP route, so it cannot be for `{access}`");
            self.wrong_value(span, "access", title, "write access: public, or remove the route");
        }
        let timeout = self.duration(map, "timeout");
        let (request_headers, response_headers) = self.headers(map);
        let health = self.path(map, "health");
        let route = Route {
            listen,
            way,
            bypass: self.bypass(map, &access),
            access,
            timeout,
            request_headers,
            response_headers,
            sticky: self.flag(map, "sticky"),
            health,
            rate: self.rate(map),
            network: None,
            span: node.span,
        };
        self.only_by_name(map, &route);
        Some(route)
    }

    fn listen(&mut self, node: &Node, map: &Map) -> Option<Listen> {
        let ways: Vec<&str> = ["host", "tcp", "udp"].into_iter().filter(|key| map.contains(key)).collect();
        match ways[..] {
            ["host"] => {
                let hosts = self.hosts(map);
                let path = self.path(map, "path");
                let strip = self.flag(map, "strip-prefix");
                if let Some(span) = map.get("strip-prefix").map(|n| n.span).filter(|_| strip && path.is_none()) {
                    let title = "there is no `path` that could be taken away".to_string();
                    self.wrong_value(span, "strip-prefix", title, "write path: /NAME, or remove this line");
                }
                (!hosts.is_empty()).then_some(Listen::Hosts { hosts, path, strip })
            }
            ["tcp"] => self.raw_port(map, "tcp").map(Listen::Tcp),
            ["udp"] => self.raw_port(map, "udp").map(Listen::Udp),
            [] => {
                let d = Diagnostic::error("spec.missing-key", "a route needs a `host`").at(node.span);
                self.tell(d.hint("write host: NAME, the name under your domain"), "");
                None
            }
            _ => {
                let title = format!("a route is reached in one way, not by {}", wording::list(&ways));
                self.wrong_value(node.span, "", title, "write a list of routes, one for each");
                None
            }
        }
    }

    /// A port of this machine; no variable, since it becomes an entry point.
    fn raw_port(&mut self, map: &Map, key: &str) -> Option<u16> {
        let node = map.get(key)?;
        let text = self.port(node, key)?;
        let port = text.parse().ok();
        if port.is_none() {
            let title = format!("`{text}` must be a number: Traefik listens on it");
            self.wrong_value(node.span, key, title, "write the port itself");
        }
        port
    }

    fn hosts(&mut self, map: &Map) -> Vec<(String, Span)> {
        let Some(node) = map.get("host") else { return Vec::new() };
        let items: Vec<&Node> = match &node.value {
            Value::Seq(items) => items.iter().collect(),
            _ => vec![node],
        };
        if items.is_empty() {
            self.wrong_type(node, "host", "text or a list of texts");
        }
        let mut hosts = Vec::new();
        for item in items {
            match item.as_str() {
                None => self.wrong_type(item, "host", "text or a list of texts"),
                Some(text) => match host(text) {
                    Ok(host) => hosts.push((host, item.span)),
                    Err(hint) => self.wrong_value(item.span, "host", format!("`{text}` is no host name"), hint),
                },
            }
        }
        hosts
    }

    fn path(&mut self, map: &Map, key: &str) -> Option<String> {
        let path = self.text(map, key)?;
        let span = map.get(key)?.span;
        if !path.starts_with('/') {
            let title = format!("the path `{path}` does not begin with `/`");
            self.wrong_value(span, key, title, format!("write /{path}"));
            return None;
        }
        if !is_path(&path) {
            let title = format!("the path `{path}` holds what no path may");
            self.wrong_value(span, key, title, "write it as it stands in the browser's address, as /photos");
            return None;
        }
        if has_dots(&path) {
            let title = format!("the path `{path}` goes up or stays, with `.` or `..`, and no request ever has it");
            self.wrong_value(span, key, title, "write where it leads, as /photos");
            return None;
        }
        if let Some(code) = denied(&path).filter(|_| key == "path") {
            let title = format!("the path `{path}` holds `{code}`, with which every request is refused");
            self.wrong_value(span, key, title, "write a path without it, as /photos");
            return None;
        }
        if let Some(compared) = decoded(&path).filter(|_| key == "path") {
            let title =
                format!("the path `{path}` is one that Traefik never sees: it compares paths without such codes");
            let hint = match is_path(&compared) {
                true => format!("write {compared}"),
                false => "take a path without it, as /photos, or a host of its own".to_string(),
            };
            self.wrong_value(span, key, title, hint);
            return None;
        }
        if is_own(&path) && key == "path" {
            let title = format!("under the path `{path}` the login answers, on every host");
            self.wrong_value(span, key, title, "take another path, or a host of its own");
            return None;
        }
        if is_challenge(&path) && key == "path" {
            let title = format!("under the path `{path}` only answers to certificate authorities are");
            self.wrong_value(span, key, title, "take another path, or a host of its own");
            return None;
        }
        Some(path)
    }

    fn access(&mut self, map: &Map) -> Access {
        let Some(text) = self.text(map, "access") else { return Access::User };
        if let Ok(access) = text.parse() {
            return access;
        }
        if let Some(node) = map.get("access") {
            let hint = match wording::nearest(&text, route::ACCESS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "one of: public, lan, lan-or-user, user, group:NAME, admin".to_string(),
            };
            self.wrong_value(node.span, "access", format!("`{text}` is no access rule"), hint);
        }
        Access::User
    }

    /// Paths that need no session. No variables: what needs none is seen at a glance.
    fn bypass(&mut self, map: &Map, access: &Access) -> Vec<Bypass> {
        let Some(node) = map.get("bypass").filter(|n| !n.is_null()) else { return Vec::new() };
        if matches!(access, Access::Public | Access::Lan) {
            let title = format!("`bypass` has no effect where `access` is `{access}`: nobody is asked to sign in");
            self.wrong_value(node.span, "bypass", title, "remove it, or write access: user");
            return Vec::new();
        }
        let items: Vec<&Node> = match &node.value {
            Value::Seq(items) => items.iter().collect(),
            _ => vec![node],
        };
        let mut all: Vec<Bypass> = Vec::new();
        for (i, item) in items.into_iter().enumerate() {
            all.extend(self.within(&format!("bypass[{i}]"), |reader| reader.one_bypass(item)));
        }
        all.sort();
        all.dedup();
        if let Some(pair) = all.windows(2).find(|pair| pair[0].path == pair[1].path) {
            let title = format!("the path `{}` needs two things", pair[0].path);
            self.wrong_value(node.span, "bypass", title, "keep one of the two");
        }
        all
    }

    fn one_bypass(&mut self, node: &Node) -> Option<Bypass> {
        let map = self.mapping(node, &BYPASS)?;
        for key in BYPASS {
            if !map.contains(key) {
                let d = Diagnostic::error("spec.missing-key", format!("a `bypass` needs `{key}`")).at(node.span);
                self.tell(d.hint("write {path: /api/, needs: token}, or needs: nothing"), "");
                return None;
            }
        }
        let path = self.path(map, "path")?;
        let needs = self.one_of(map, "needs", &Needs::WORDS).and_then(|word| Needs::read(&word))?;
        let span = map.get("path").map_or(node.span, |n| n.span);
        let plain = path.trim_end_matches('/');
        if plain.is_empty() {
            let title = "all paths need no session by this".to_string();
            self.wrong_value(span, "path", title, "write access: public for that, or only some path here");
            return None;
        }
        if !template::variables(plain).is_empty() || bypass::normal(plain).as_deref() != Some(plain) {
            let title = format!("the path `{path}` is not written as it is compared");
            self.wrong_value(span, "path", title, "write it out, without codes and variables, as /api");
            return None;
        }
        Some(Bypass { path: plain.to_string(), needs })
    }

    fn headers(&mut self, map: &Map) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let Some(node) = map.get("headers") else { return Default::default() };
        self.within("headers", |reader| {
            let Some(map) = reader.mapping(node, &HEADERS) else { return Default::default() };
            (reader.header_map(map, "request"), reader.header_map(map, "response"))
        })
    }

    fn header_map(&mut self, map: &Map, key: &str) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let Some(node) = map.get(key) else { return all };
        let Some(map) = node.as_map() else {
            self.wrong_type(node, key, "a mapping of header names to values");
            return all;
        };
        for (name, entry) in &map.0 {
            let token = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let Some(value) = entry.node.scalar_text() else {
                self.wrong_type(&entry.node, name, "text");
                continue;
            };
            if name.is_empty() || !name.chars().all(token) {
                let hint = "header names are made of letters, digits and `-`";
                self.wrong_value(entry.key, key, format!("`{name}` is no name of a header"), hint);
            } else if value.chars().any(char::is_control) {
                self.wrong_value(
                    entry.node.span,
                    key,
                    format!("the value of `{name}` has a line break or control character"),
                    "write it in one line",
                );
            } else {
                all.insert(name.clone(), value);
            }
        }
        all
    }

    /// TCP and UDP pass what comes: nothing that reads HTTP has an effect there.
    fn only_by_name(&mut self, map: &Map, route: &Route) {
        if matches!(route.listen, Listen::Hosts { .. }) {
            return;
        }
        for key in ["path", "strip-prefix", "bypass", "timeout", "headers", "sticky", "health", "rate-limit", "scheme"]
        {
            if let Some(node) = map.get(key) {
                let title = format!("`{key}` has no effect on what passes as it comes");
                self.wrong_value(node.span, key, title, "remove it, or route by `host`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;
    use crate::diag::{Diagnostics, Sources};

    fn read(text: &str) -> (Option<Route>, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("s.yaml", text);
        let mut told = Diagnostics::default();
        let tree = yaml::parse(file, &sources, &mut told).remove(0);
        let route = Reader { path: "route".into(), diagnostics: &mut told }.route(&tree);
        let shown = |d: &Diagnostic| format!("{} ({})", d.title, d.hints.first().cloned().unwrap_or_default());
        (route, told.0.iter().map(shown).collect())
    }

    #[test]
    fn three_lines_are_a_route() {
        let (route, told) = read("host: Media\nport: 8096\naccess: lan\n");
        assert_eq!(told, Vec::<String>::new());
        let route = route.unwrap();
        assert!(matches!(&route.listen, Listen::Hosts { hosts, path: None, strip: false } if hosts[0].0 == "media"));
        assert_eq!(route.access, Access::Lan);
        assert_eq!(read("host: x\nport: 1\n").0.unwrap().access, Access::User, "the default is never open");
    }

    #[test]
    fn names_of_any_script_become_what_browsers_ask_for() {
        let (route, _) = read("host: [Bücher, a.Example.ORG., '@', '${NAME}']\nport: 80\n");
        let Listen::Hosts { hosts, .. } = route.unwrap().listen else { panic!("a route by name") };
        let hosts: Vec<&str> = hosts.iter().map(|(host, _)| host.as_str()).collect();
        assert_eq!(hosts, ["xn--bcher-kva", "a.example.org", "@", "${NAME}"]);
    }

    #[test]
    fn what_is_no_name_is_told_with_the_way_to_write_it() {
        for (host, wanted) in [
            (
                "https://media.example.org/x",
                "`https://media.example.org/x` is no host name (write only the name: media.example.org)",
            ),
            ("media:8080", "`media:8080` is no host name (write only the name, without port and path: media)"),
            ("'*.example.org'", "`*.example.org` is no host name (each name is routed by itself; list the names)"),
            (
                "'a`) || Host(`panel'",
                "`a`) || Host(`panel` is no host name (names are made of letters, digits and `-`, with dots between, as media or media.example.org)",
            ),
            ("10.0.0.1", "`10.0.0.1` is no host name (write a name, as media or media.example.org)"),
        ] {
            assert_eq!(read(&format!("host: {host}\nport: 80\n")).1, [wanted]);
        }
    }

    #[test]
    fn paths_that_need_no_session_are_plain_ones() {
        let list = "host: a\nport: 80\nbypass:\n- {path: /api/, needs: token}\n- {path: /feed, needs: nothing}\n";
        let (route, told) = read(list);
        assert_eq!(told, Vec::<String>::new());
        let one = |path: &str, needs| Bypass { path: path.into(), needs };
        assert_eq!(route.unwrap().bypass, [one("/api", Needs::Token), one("/feed", Needs::Nothing)]);
        for (bypass, wanted) in [
            ("{path: /, needs: nothing}", "all paths need no session by this"),
            ("{path: api, needs: nothing}", "the path `api` does not begin with `/`"),
            ("{path: '/a;b', needs: nothing}", "the path `/a;b` holds `;`"),
            ("{path: /a/../b, needs: nothing}", "the path `/a/../b` goes up or stays"),
            ("{path: '/$X', needs: nothing}", "the path `/$X` is not written as it is compared"),
            ("{path: /a}", "a `bypass` needs `needs`"),
            ("{path: /a, needs: user}", "`user` is not known here"),
            ("[{path: /a, needs: token}, {path: /a/, needs: nothing}]", "the path `/a` needs two things"),
            (
                "{path: /.well-known/hearth/x, needs: nothing}",
                "under the path `/.well-known/hearth/x` the login answers",
            ),
        ] {
            let (_, told) = read(&format!("host: a\nport: 80\nbypass: {bypass}\n"));
            assert!(told.first().is_some_and(|t| t.starts_with(wanted)), "{bypass}: {told:?}");
        }
        let (_, told) = read("host: a\nport: 80\naccess: lan\nbypass: {path: /a, needs: nothing}\n");
        assert!(told[0].starts_with("`bypass` has no effect where `access` is `lan`"), "{told:?}");
    }

    #[test]
    fn no_route_takes_the_place_where_the_login_answers() {
        for path in ["/.well-known/hearth", "/.well-known/hearth/", "/.well-known/hearth/callback"] {
            let (_, told) = read(&format!("host: a\nport: 80\npath: {path}\n"));
            assert!(told[0].starts_with(&format!("under the path `{path}` the login answers")), "{told:?}");
        }
        assert_eq!(read("host: a\nport: 80\npath: /.well-known/hearthstone\n").1, Vec::<String>::new());
    }

    #[test]
    fn slips_of_yaml_are_told_with_what_to_write() {
        for (text, wanted) in [
            (
                "host: a\nport: 80\npath: /x\nstrip-prefix: yes\n",
                "`strip-prefix` must be true or false, not text (write true: in a Compose file (YAML 1.2) `yes` is a text)",
            ),
            (
                "host: a\nport: 80\ntimeout: 90\n",
                "`90` is a number without its unit (write 90s for seconds; other units are ms, m and h)",
            ),
            ("host: 7\nport: 80\n", "`host` must be text or a list of texts, not a number (put it in quotes: \"7\")"),
            ("site:80", "`route` must be a mapping, not text (write route: {host: site, port: 80})"),
            ("site", "`route` must be a mapping, not text (write route: {host: site, port: NUMBER})"),
            ("host: a\nprot: 80\n", "`prot` means nothing here (did you mean `port`?)"),
        ] {
            assert_eq!(read(text).1, [wanted], "{text}");
        }
    }

    #[test]
    fn a_port_of_its_own_takes_nothing_that_reads_http() {
        let (_, told) = read("tcp: 5432\nport: 5432\naccess: lan\nheaders: {response: {A: b}}\n");
        assert_eq!(told, ["`headers` has no effect on what passes as it comes (remove it, or route by `host`)"]);
        let (_, told) = read("udp: 53\nport: 53\naccess: lan\n");
        assert!(told[0].starts_with("Traefik cannot keep anyone from a UDP route"), "{told:?}");
    }
}
