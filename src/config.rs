//! `hearth.yaml`: what a home has decided for itself. Read with a place for every mistake, edited without touching another byte.
//!
//! Each key is documented in `docs/guide/hearth-yaml.md` and in the file that `hearth init` writes ([`fresh`]).

mod audit;
pub mod certificates;
mod edit;
mod front;
pub mod known;
pub mod oidc;
pub mod one;
pub mod people;
mod server;

pub use audit::Audit;
pub use edit::{remove_adopted, set_adopted, set_left_alone, set_mode, set_profiles};
pub use server::{ADDRESS, Server, address};

use std::collections::BTreeMap;

use crate::base::wording;
use crate::compose::tree::{Map, Node, Value};
use crate::compose::{normal_name, yaml};
use crate::diag::{Diagnostic, Diagnostics, FileId, Sources, Span};
use crate::spec::{Cidr, Mode, keys};
use crate::traefik::statics;

/// The file's name; where it lies is the home.
pub const FILE: &str = "hearth.yaml";

/// A home's own settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The Compose project that all stacks make.
    pub name: String,
    pub mode: Mode,
    /// Profiles that are on, in the order written.
    pub profiles: Vec<String>,
    /// The range that networks take their subnets from.
    pub networks: Cidr,
    /// Other Compose projects of this machine that this home looks after, by project name.
    pub adopted: BTreeMap<String, Adopted>,
    /// Compose projects of this machine that somebody has decided to leave alone: nobody is asked about them again.
    pub left_alone: Vec<String>,
    pub traefik: statics::Settings,
    /// Where somebody is at home; `None`: in the networks of this machine.
    pub lan: Option<Vec<ipnet::IpNet>>,
    /// Routes to what is not a service of this home, by the name that they have here.
    pub routes: Vec<(String, keys::Route)>,
    pub server: Server,
    pub certificates: certificates::Certificates,
    pub people: people::People,
    pub audit: Audit,
}

impl Config {
    /// Whether services are reached by name.
    pub fn has_names(&self) -> bool {
        self.mode == Mode::Domain
    }
}

/// A project that was taken over as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Its Compose files, in order; absolute, or relative to `directory`.
    pub files: Vec<String>,
    /// `--env-file`s; empty: `.env` beside the project.
    pub env_files: Vec<String>,
    /// The project directory, absolute.
    pub directory: String,
}

/// What may stand at its top.
pub const KEYS: [&str; 14] = [
    "name",
    "mode",
    "profiles",
    "networks",
    "adopted",
    "left_alone",
    "traefik",
    "lan",
    "routes",
    "server",
    "certificates",
    "auth",
    "api",
    "audit",
];
const ADOPTED: [&str; 3] = ["directory", "files", "env_files"];

/// The range of a home that says none.
pub fn default_networks() -> Cidr {
    Cidr::new(std::net::Ipv4Addr::new(10, 213, 0, 0), 16)
}

/// Reads the file; every mistake is told, and there is a config only where there was none.
pub fn parse(file: FileId, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Config> {
    let mut told = Diagnostics::default();
    let documents = yaml::parse(file, sources, &mut told);
    let begin = Span { file, line: 1, column: 1, width: 1 };
    let empty = Node::map(begin);
    let tree = documents.first().filter(|d| !d.is_null()).unwrap_or(&empty);
    if let Some(second) = documents.get(1) {
        let d = Diagnostic::error("config.wrong-type", "hearth.yaml holds one document").at(second.span);
        told.push(d.hint("remove the `---` and what follows it"));
    }
    let mut reader = Reader { diagnostics: &mut told };
    let config = reader.config(tree, begin);
    let ok = !told.has_errors();
    diagnostics.extend(told);
    config.filter(|_| ok)
}

struct Reader<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Reader<'_> {
    fn tell(&mut self, code: &'static str, title: String, span: Span, field: &str, hint: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, title).at(span).field(field).hint(hint));
    }

    fn known(&mut self, map: &Map, known: &[&str], at: &str) {
        for (key, entry) in map.0.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let hint = match wording::nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            let title =
                format!("`{key}` is no key of hearth.yaml{}", if at.is_empty() { "" } else { " at this place" });
            self.tell("config.unknown-key", title, entry.key, &format!("{at}{key}"), hint);
        }
    }

    fn config(&mut self, tree: &Node, begin: Span) -> Option<Config> {
        let Some(map) = tree.as_map() else {
            let title = format!("hearth.yaml is a mapping, not {}", tree.kind());
            self.tell("config.wrong-type", title, tree.span, "", "begin with `name: home`");
            return None;
        };
        self.known(map, &KEYS, "");
        let name = self.name(map, begin);
        let mode = self.mode(map);
        let profiles = self.texts(map, "profiles", "profiles");
        self.profile_names(map);
        let networks = self.networks(map);
        let adopted = self.adopted(map);
        let left_alone = self.texts(map, "left_alone", "left_alone");
        let traefik = self.traefik(map);
        let lan = self.lan(map);
        let routes = self.routes(map);
        let server = self.server(map);
        let certificates = self.certificates(map);
        let people = self.people(map);
        let audit = self.audit(map);
        Some(Config {
            name,
            mode,
            profiles,
            networks,
            adopted,
            left_alone,
            traefik,
            lan,
            routes,
            server,
            certificates,
            people,
            audit,
        })
    }

    fn name(&mut self, map: &Map, begin: Span) -> String {
        let Some(node) = map.get("name") else {
            let title = "hearth.yaml needs a `name`: the Compose project that all stacks make".to_string();
            self.tell("config.missing-key", title, begin, "name", "write name: home");
            return String::new();
        };
        let Some(name) = node.as_str() else {
            let title = format!("`name` must be text, not {}", node.kind());
            let hint = node.scalar_text().map_or("write name: home".into(), |t| format!("put it in quotes: \"{t}\""));
            self.tell("config.wrong-type", title, node.span, "name", hint);
            return String::new();
        };
        let normal = normal_name(name);
        if normal != name || name.is_empty() {
            let title = format!("`{name}` cannot be a project's name");
            let hint =
                if normal.is_empty() { "use letters and digits, as `home`".into() } else { format!("use `{normal}`") };
            self.tell("config.wrong-value", title, node.span, "name", hint);
        }
        name.to_string()
    }

    fn mode(&mut self, map: &Map) -> Mode {
        let Some(node) = map.get("mode") else { return Mode::Localhost };
        match node.as_str() {
            Some("localhost") => {}
            Some("domain") => return Mode::Domain,
            _ => {
                let shown = node.scalar_text().unwrap_or_else(|| node.kind().into());
                let title = format!("`{shown}` is no mode");
                self.tell("config.wrong-value", title, node.span, "mode", "write mode: localhost, or mode: domain");
            }
        }
        Mode::Localhost
    }

    fn texts(&mut self, map: &Map, key: &str, field: &str) -> Vec<String> {
        let Some(node) = map.get(key).filter(|n| !n.is_null()) else { return Vec::new() };
        match &node.value {
            Value::Seq(items) => {
                let mut texts = Vec::new();
                for (i, item) in items.iter().enumerate() {
                    match item.as_str() {
                        Some(text) => texts.push(text.to_string()),
                        None => {
                            let title = format!("`{field}[{i}]` must be text, not {}", item.kind());
                            self.tell("config.wrong-type", title, item.span, field, "put it in quotes");
                        }
                    }
                }
                texts
            }
            _ => {
                let title = format!("`{field}` must be a list of texts, not {}", node.kind());
                self.tell("config.wrong-type", title, node.span, field, format!("write {key}: [...]"));
                Vec::new()
            }
        }
    }

    /// Compose reads profiles from a comma list: a name with a comma, a blank or a star would be read as something else.
    fn profile_names(&mut self, map: &Map) {
        let items = map.get("profiles").and_then(Node::as_seq).unwrap_or_default();
        let mut seen: Vec<&str> = Vec::new();
        for item in items {
            let Some(name) = item.as_str() else { continue };
            if !is_profile_name(name) {
                let title = format!("`{name}` cannot be a profile's name");
                let hint = "names are made of letters, digits, `_`, `.` and `-`, and begin with a letter or digit";
                self.tell("config.wrong-value", title, item.span, "profiles", hint);
            }
            if seen.contains(&name) {
                let title = format!("the profile `{name}` stands here twice");
                self.tell("config.wrong-value", title, item.span, "profiles", "keep one of the two");
            }
            seen.push(name);
        }
    }

    fn networks(&mut self, map: &Map) -> Cidr {
        let Some(node) = map.get("networks").filter(|n| !n.is_null()) else { return default_networks() };
        let Some(text) = node.as_str() else {
            let title = format!("`networks` must be a range of addresses, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, "networks", "write networks: 10.213.0.0/16");
            return default_networks();
        };
        match text.parse::<Cidr>() {
            Err(why) => {
                let title = format!("`{text}` is no range of addresses");
                self.tell("config.wrong-value", title, node.span, "networks", why);
            }
            Ok(range) if !range.is_private() => {
                let title =
                    format!("{range} is no private range: containers could no longer reach what is really there");
                self.tell(
                    "config.wrong-value",
                    title,
                    node.span,
                    "networks",
                    "take one within 10.0.0.0/8, as 10.213.0.0/16",
                );
            }
            Ok(range) if range.prefix() > 22 => {
                let title = format!("{range} is too small for networks of several stacks");
                self.tell("config.wrong-value", title, node.span, "networks", "take a /16, as 10.213.0.0/16");
            }
            Ok(range) => return range,
        }
        default_networks()
    }

    fn adopted(&mut self, map: &Map) -> BTreeMap<String, Adopted> {
        let mut all = BTreeMap::new();
        let Some(node) = map.get("adopted").filter(|n| !n.is_null()) else { return all };
        let Some(projects) = node.as_map() else {
            let title = format!("`adopted` must be a mapping of projects, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, "adopted", "hearth adopt PROJECT writes it");
            return all;
        };
        for (name, node) in projects.iter() {
            let field = format!("adopted.{name}");
            let Some(map) = node.as_map() else {
                let title = format!("`{field}` must be a mapping, not {}", node.kind());
                self.tell("config.wrong-type", title, node.span, &field, "write directory: and files: below it");
                continue;
            };
            self.known(map, &ADOPTED, &format!("{field}."));
            let directory = map.get("directory").and_then(Node::as_str).unwrap_or_default();
            if !directory.starts_with('/') {
                let title = format!("`{field}.directory` must be an absolute path");
                let span = map.get("directory").map_or(node.span, |n| n.span);
                self.tell(
                    "config.wrong-value",
                    title,
                    span,
                    &format!("{field}.directory"),
                    "write the project's folder",
                );
            }
            let adopted = Adopted {
                files: self.texts(map, "files", &format!("{field}.files")),
                env_files: self.texts(map, "env_files", &format!("{field}.env_files")),
                directory: directory.to_string(),
            };
            all.insert(name.clone(), adopted);
        }
        all
    }
}

/// What Compose's `COMPOSE_PROFILES` can hold, and its schema allows.
pub fn is_profile_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// The file that `hearth init` writes: every key with what it means.
pub fn fresh(name: &str, networks: Cidr) -> String {
    format!(
        "\
# What this home has decided for itself. It belongs in git; secrets do not stand here but in .env.
# After a change by hand: hearth render, then hearth up.

# The name of the Compose project that all stacks make. Containers are called NAME-SERVICE-1.
# Renaming it means new containers and new, empty volumes.
name: {name}

# How services are reached. localhost: on ports of this machine, without a proxy. domain: by name, through Traefik with HTTPS;
# `hearth mode domain` shows first what that changes.
mode: localhost

# The profiles that are on. hearth enable, disable, up and down change this list and COMPOSE_PROFILES in .env together.
profiles: []

# The range that every network takes its addresses from. It must not overlap with networks that this machine
# reaches otherwise (the home's own, a VPN).
networks: {networks}

# Compose projects outside this home that Hearth looks after; hearth adopt writes them.
adopted: {{}}

# Where `hearth serve` listens: HTTPS, and plain HTTP for the redirect and the trust page. A port alone is for this machine only;
# 0.0.0.0:8443 lets other devices of the home in.
server:
  listen: 8443
  http: 8480
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Config>, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("hearth.yaml", text);
        let mut told = Diagnostics::default();
        let config = parse(file, &sources, &mut told);
        let shown = |d: &Diagnostic| {
            let hint = d.hints.first().cloned().unwrap_or_default();
            format!("{}:{} {} ({hint})", d.place.map_or(0, |p| p.line), d.field.clone().unwrap_or_default(), d.code)
        };
        (config, told.0.iter().map(shown).collect())
    }

    #[test]
    fn a_fresh_file_reads_back() {
        let range: Cidr = "10.140.0.0/16".parse().unwrap();
        let (config, told) = read(&fresh("home", range));
        assert_eq!(told, Vec::<String>::new());
        let config = config.unwrap();
        assert_eq!((config.name.as_str(), config.networks, config.profiles.len()), ("home", range, 0));
    }

    #[test]
    fn all_keys_are_read() {
        let (config, told) = read(
            "name: h\nmode: localhost\nprofiles: [a, b]\nnetworks: 172.20.0.0/16\n\
             adopted:\n  photos: {directory: /srv/photos, files: [compose.yaml], env_files: [x.env]}\n\
             left_alone: [games]\n\
             server: {listen: ['[::]:8443', 9443], http: false, names: nas.example.org}\n",
        );
        assert_eq!(told, Vec::<String>::new());
        let config = config.unwrap();
        assert_eq!(config.profiles, ["a", "b"]);
        assert_eq!(config.adopted["photos"].files, ["compose.yaml"]);
        assert_eq!(config.left_alone, ["games"]);
        assert_eq!(config.server.listen.unwrap(), ["[::]:8443".parse().unwrap(), "127.0.0.1:9443".parse().unwrap()]);
        assert_eq!((config.server.http, config.server.names), (Some(None), vec!["nas.example.org".to_string()]));
    }

    #[test]
    fn every_mistake_is_told_in_its_place() {
        let (config, told) = read(
            "nme: x\nname: My Home\nmode: domian\nprofiles: [a, 'b,c', a, 1]\nnetworks: 8.8.0.0/16\n\
             adopted: {p: {directory: rel, file: x}}\n",
        );
        assert!(config.is_none());
        assert_eq!(
            told,
            [
                "1:nme config.unknown-key (did you mean `name`?)",
                "2:name config.wrong-value (use `myhome`)",
                "3:mode config.wrong-value (write mode: localhost, or mode: domain)",
                "4:profiles config.wrong-type (put it in quotes)",
                "4:profiles config.wrong-value (names are made of letters, digits, `_`, `.` and `-`, and begin with a letter or digit)",
                "4:profiles config.wrong-value (keep one of the two)",
                "5:networks config.wrong-value (take one within 10.0.0.0/8, as 10.213.0.0/16)",
                "6:adopted.p.file config.unknown-key (did you mean `files`?)",
                "6:adopted.p.directory config.wrong-value (write the project's folder)",
            ]
        );
        assert_eq!(read("").1, ["1:name config.missing-key (write name: home)"]);
        assert_eq!(read("- a\n").1, ["1: config.wrong-type (begin with `name: home`)"]);
    }
}
