//! Traps that load in silence and then do something else than they seem to say. All are warnings.

use super::short::command;
use super::tree::{Node, Value};
use crate::base::secret::is_secret_name;
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};

/// Looks at a merged model before it is typed.
pub fn tree(tree: &Node, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Some(services) = tree.get("services").and_then(Node::as_map) else { return };
    for (name, service) in services.iter() {
        let mut lint = Lint { service: name, sources, diagnostics: &mut *diagnostics };
        lint.commands(service);
        lint.sizes(service);
        lint.health(service);
        lint.mounts(service);
        lint.image(service);
        lint.ports(service);
        lint.environment(service);
        lint.swallowed(service);
    }
}

struct Lint<'a> {
    service: &'a str,
    sources: &'a Sources,
    diagnostics: &'a mut Diagnostics,
}

/// Ports on which databases and brokers listen.
const DATABASE_PORTS: [(i64, &str); 14] = [
    (1433, "SQL Server"),
    (1883, "MQTT"),
    (3306, "MySQL or MariaDB"),
    (5432, "PostgreSQL"),
    (5672, "RabbitMQ"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (7700, "Meilisearch"),
    (8086, "InfluxDB"),
    (9042, "Cassandra"),
    (9200, "Elasticsearch"),
    (11211, "memcached"),
    (27017, "MongoDB"),
    (28015, "RethinkDB"),
];

impl Lint<'_> {
    fn warn(&mut self, code: &'static str, span: Span, key: &str, title: String, hint: impl Into<String>) {
        let field = format!("services.{}.{key}", self.service);
        self.diagnostics.push(Diagnostic::warning(code, title).at(span).field(field).hint(hint));
    }

    fn commands(&mut self, service: &Node) {
        for key in ["command", "entrypoint"] {
            let Some(node) = service.get(key) else { continue };
            if let Some(sign) = node.as_str().and_then(command::cut_by) {
                let title = format!("everything from `{sign}` on is dropped: `{key}` is not run by a shell");
                self.warn(
                    "lint.command-cut",
                    node.span,
                    key,
                    title,
                    "write it as [\"sh\", \"-c\", \"...\"], or as a list of words",
                );
            }
        }
    }

    fn sizes(&mut self, service: &Node) {
        for key in ["mem_limit", "mem_reservation", "memswap_limit", "shm_size"] {
            let Some(node) = service.get(key) else { continue };
            if matches!(node.value, Value::Float(_)) {
                let title = format!("`{key}` is ignored: a decimal number without a unit is no size to Compose");
                self.warn(
                    "lint.size-ignored",
                    node.span,
                    key,
                    title,
                    "write a whole number of bytes, or a text such as 512m",
                );
            }
        }
    }

    fn health(&mut self, service: &Node) {
        let Some(test) = service.at(&["healthcheck", "test"]) else { return };
        if test.as_str() == Some("NONE") {
            let title = "this runs a command named NONE; it does not switch the health check off".to_string();
            self.warn(
                "lint.health-none",
                test.span,
                "healthcheck.test",
                title,
                "write test: [\"NONE\"], or disable: true",
            );
        }
    }

    fn mounts(&mut self, service: &Node) {
        for (i, mount) in service.get("volumes").and_then(Node::as_seq).unwrap_or_default().iter().enumerate() {
            let target = mount.get("target").and_then(Node::as_str).unwrap_or_default();
            let drive = target.len() > 2 && target.as_bytes()[0].is_ascii_alphabetic() && target.as_bytes()[1] == b':';
            if drive && mount.get("source").is_none() {
                let (letter, path) = target.split_at(1);
                let title = format!(
                    "the volume `{letter}` is not used: a one-letter name is read as a Windows drive, and the data goes to an anonymous volume"
                );
                let hint = format!("give the volume a name of two letters or more, as {letter}{letter}{path}");
                self.warn("lint.one-letter-volume", mount.span, &format!("volumes[{i}]"), title, hint);
            }
        }
    }

    fn image(&mut self, service: &Node) {
        let Some(node) = service.get("image") else { return };
        let image = node.as_str().unwrap_or_default();
        if image.is_empty() || image.contains('@') || service.get("build").is_some() {
            return;
        }
        let last = image.rsplit('/').next().unwrap_or(image);
        let tag = last.split_once(':').map(|(_, tag)| tag);
        if matches!(tag, None | Some("latest")) {
            let title = format!(
                "`{image}` names no version: what runs changes whenever it is pulled, and there is no way back"
            );
            self.warn("lint.latest", node.span, "image", title, "pin a tag, as name:1.2");
        }
    }

    fn ports(&mut self, service: &Node) {
        for (i, port) in service.get("ports").and_then(Node::as_seq).unwrap_or_default().iter().enumerate() {
            let Some(Value::Int(target)) = port.get("target").map(|t| &t.value) else { continue };
            let everywhere = port
                .get("host_ip")
                .and_then(Node::as_str)
                .is_none_or(|ip| ip.is_empty() || ip == "0.0.0.0" || ip == "::");
            let published = port.get("published").and_then(Node::scalar_text).filter(|p| !p.is_empty());
            let Some((_, what)) = DATABASE_PORTS.iter().find(|(n, _)| n == target) else { continue };
            if let Some(published) = published.filter(|_| everywhere) {
                let title = format!(
                    "{what} is open to everyone who reaches this machine, whatever its firewall says: port {published} is published on all addresses"
                );
                let hint = format!(
                    "publish it on this machine only, as \"127.0.0.1:{published}:{target}\", or not at all: other containers reach it by name"
                );
                self.warn("lint.open-database", port.span, &format!("ports[{i}]"), title, hint);
            }
        }
    }

    fn environment(&mut self, service: &Node) {
        let Some(environment) = service.get("environment") else { return };
        match &environment.value {
            Value::Map(map) => {
                for (name, entry) in &map.0 {
                    if let Some(text) = entry.node.scalar_text() {
                        self.variable(name, &text, entry.node.span);
                    }
                }
            }
            Value::Seq(items) => {
                for item in items {
                    if let Some((name, text)) = item.as_str().and_then(|t| t.split_once('=')) {
                        self.variable(name, text, item.span);
                    }
                }
            }
            _ => {}
        }
    }

    /// `x-*` keys in mappings of texts, which Compose takes for notes.
    fn swallowed(&mut self, service: &Node) {
        const MAPPINGS: [&[&str]; 7] = [
            &["annotations"],
            &["build", "args"],
            &["build", "labels"],
            &["deploy", "labels"],
            &["environment"],
            &["labels"],
            &["sysctls"],
        ];
        for keys in MAPPINGS {
            let Some(map) = service.at(keys).and_then(Node::as_map) else { continue };
            for (name, entry) in map.0.iter().filter(|(name, _)| name.starts_with("x-")) {
                let title = format!(
                    "`{name}` is not set: Compose takes keys in `x-` for notes and writes `#extensions` instead"
                );
                let hint = format!("write the mapping as a list: - {name}=...");
                self.warn("lint.swallowed-key", entry.key, &keys.join("."), title, hint);
            }
        }
    }

    fn variable(&mut self, name: &str, text: &str, span: Span) {
        // A path to a secret is none, and what came from a variable stands elsewhere.
        let written = !self.sources.line(span).contains('$');
        if is_secret_name(name) && written && text.len() > 1 && !name.ends_with("_FILE") && !text.starts_with('/') {
            let title = format!("the value of {name} stands in the file for everyone who reads it");
            self.warn(
                "lint.plain-secret",
                span,
                "environment",
                title,
                format!("put it into .env and write {name}: ${{{name}}}"),
            );
        }
    }
}
