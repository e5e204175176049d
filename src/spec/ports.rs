//! `localhost:` as plain `ports:`, on the service whose network it is.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Spec, keys::Localhost};
use crate::compose::short::ports;
use crate::compose::tree::{Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Ports to add, by service, in the order of the services that asked for them.
pub(super) fn publish(spec: &Spec, diagnostics: &mut Diagnostics) -> IndexMap<String, Vec<Node>> {
    let mut added: IndexMap<String, Vec<Node>> = IndexMap::new();
    let mut taken = Taken::default();
    for (name, service) in &spec.services {
        taken.written(name, &service.node);
    }
    for (name, service) in &spec.services {
        let owner = spec.network_owner(name);
        let mode = spec.services.get(owner).and_then(|s| s.node.get("network_mode")).and_then(Node::as_str);
        for entry in &service.keys.localhost {
            match mode {
                Some("host") => {
                    diagnostics.push(no_effect(name, entry.span, "on the machine's own network"));
                    continue;
                }
                Some(mode) if mode == "none" || mode.starts_with("container:") || mode.starts_with("service:") => {
                    diagnostics.push(no_effect(name, entry.span, "without a network of its own"));
                    continue;
                }
                _ => {}
            }
            if let (Ok(port), Some(first)) = (entry.port.parse(), taken.claim(spec, name, entry)) {
                diagnostics.push(collision(name, entry, port, first));
                continue;
            }
            added.entry(owner.to_string()).or_default().push(Node::str(entry.span, short(entry)));
        }
    }
    added
}

/// `127.0.0.1:7096:8096`, `[::1]:53:53/udp`.
fn short(entry: &Localhost) -> String {
    let bind = if entry.bind.contains(':') && !entry.bind.contains('$') {
        format!("[{}]", entry.bind)
    } else {
        entry.bind.clone()
    };
    let protocol = if entry.protocol == "tcp" { String::new() } else { format!("/{}", entry.protocol) };
    format!("{bind}:{}:{}{protocol}", entry.port, entry.target.as_deref().unwrap_or(&entry.port))
}

fn no_effect(name: &str, span: Span, why: &str) -> Diagnostic {
    Diagnostic::warning("lint.localhost-ignored", format!("`localhost` has no effect: `{name}` runs {why}"))
        .at(span)
        .field(format!("services.{name}.x-hearth.localhost"))
        .hint("remove it, or remove `network_mode`")
}

fn collision(name: &str, entry: &Localhost, port: u16, (other, span): (String, Span)) -> Diagnostic {
    Diagnostic::error(
        "spec.port-twice",
        format!("port {port} of this machine is wanted twice: by `{name}` and by `{other}`"),
    )
    .at(entry.span)
    .field(format!("services.{name}.x-hearth.localhost"))
    .related(span, format!("`{other}` has it"))
    .hint("give one of them another port")
}

/// Who has which port of the machine: `(port, protocol)` to the addresses.
#[derive(Default)]
struct Taken(BTreeMap<(u16, String), Vec<Holder>>);

/// A service, the address it binds, and where it says so.
type Holder = (String, String, Span);

impl Taken {
    /// Notes the literal ports of a service.
    fn written(&mut self, name: &str, service: &Node) {
        for item in service.get("ports").and_then(Node::as_seq).unwrap_or_default() {
            let found = match &item.value {
                Value::Str(text) => ports::parse(text).unwrap_or_default(),
                Value::Map(map) => {
                    let published = map.get("published").and_then(Node::scalar_text).unwrap_or_default();
                    let text = |key: &str| map.get(key).and_then(Node::as_str).unwrap_or_default().to_string();
                    let protocol = Some(text("protocol")).filter(|p| !p.is_empty()).unwrap_or("tcp".into());
                    vec![ports::ShortPort { host_ip: text("host_ip"), target: 0, published, protocol }]
                }
                _ => Vec::new(),
            };
            for port in found {
                if let Ok(number) = port.published.parse() {
                    let entry = (name.to_string(), port.host_ip, item.span);
                    self.0.entry((number, port.protocol)).or_default().push(entry);
                }
            }
        }
    }

    /// Takes the port, or says who has it. Services that are never on together may share one.
    fn claim(&mut self, spec: &Spec, name: &str, entry: &Localhost) -> Option<(String, Span)> {
        let port: u16 = entry.port.parse().ok()?;
        let holders = self.0.entry((port, entry.protocol.clone())).or_default();
        let first = holders.iter().find(|(other, bind, span)| {
            *span != entry.span && together(spec, name, other) && same_address(bind, &entry.bind)
        });
        let first = first.map(|(other, _, span)| (other.clone(), *span));
        holders.push((name.to_string(), entry.bind.clone(), entry.span));
        first
    }
}

fn together(spec: &Spec, a: &str, b: &str) -> bool {
    let profiles = |name: &str| spec.services.get(name).map(|s| s.profiles.as_slice()).unwrap_or_default();
    let (a, b) = (profiles(a), profiles(b));
    a.is_empty() || b.is_empty() || a.iter().any(|p| b.contains(p))
}

fn same_address(a: &str, b: &str) -> bool {
    let all = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
    a == b || all(a) || all(b)
}
