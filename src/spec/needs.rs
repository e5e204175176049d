//! Which other services a service cannot be without, as its author wrote it (short or long, variables unresolved).

use crate::compose::tree::{Node, Value};
use crate::diag::Span;

/// One service's need of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub service: String,
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `depends_on` and `links`: the two talk to each other.
    Talks,
    /// `depends_on` with `service_completed_successfully`: it runs before and is gone.
    RunsBefore,
    /// `depends_on` with `required: false`: only where the other is there anyway.
    Optional,
    /// `network_mode: service:X`: both are one host on the network.
    SharesNetwork,
    /// `ipc`, `pid`, `uts`, `cgroup` and `volumes_from`.
    SharesOther,
}

impl Need {
    /// Whether Compose refuses the one without the other.
    pub fn is_required(&self) -> bool {
        self.kind != Kind::Optional
    }
}

/// All needs of a service, in the order of the attributes here.
pub fn of(service: &Node) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut need = |service: &str, span, kind| needs.push(Need { service: service.to_string(), span, kind });
    match service.get("depends_on").map(|n| &n.value) {
        Some(Value::Seq(items)) => {
            for item in items {
                if let Some(name) = item.as_str() {
                    need(name, item.span, Kind::Talks);
                }
            }
        }
        Some(Value::Map(map)) => {
            for (name, entry) in &map.0 {
                need(name, entry.key, dependency(&entry.node));
            }
        }
        _ => {}
    }
    for item in service.get("links").and_then(Node::as_seq).unwrap_or_default() {
        if let Some(text) = item.as_str() {
            need(text.split(':').next().unwrap_or(text), item.span, Kind::Talks);
        }
    }
    for (key, kind) in [
        ("network_mode", Kind::SharesNetwork),
        ("ipc", Kind::SharesOther),
        ("pid", Kind::SharesOther),
        ("uts", Kind::SharesOther),
        ("cgroup", Kind::SharesOther),
    ] {
        let node = service.get(key);
        if let Some((node, name)) = node.and_then(|n| Some((n, n.as_str()?.strip_prefix("service:")?))) {
            need(name, node.span, kind);
        }
    }
    for item in service.get("volumes_from").and_then(Node::as_seq).unwrap_or_default() {
        if let Some(text) = item.as_str().filter(|t| !t.starts_with("container:")) {
            need(text.split(':').next().unwrap_or(text), item.span, Kind::SharesOther);
        }
    }
    needs
}

fn dependency(node: &Node) -> Kind {
    match node.get("required").map(|n| &n.value) {
        Some(Value::Bool(false)) => return Kind::Optional,
        Some(Value::Str(text)) if text == "false" => return Kind::Optional,
        _ => {}
    }
    match node.get("condition").and_then(Node::as_str) {
        Some("service_completed_successfully") => Kind::RunsBefore,
        _ => Kind::Talks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;
    use crate::diag::{Diagnostics, Sources};

    #[test]
    fn needs_are_found_in_every_form() {
        let mut sources = Sources::default();
        let file = sources.add(
            "s.yaml",
            "depends_on: {a: {condition: service_healthy}, b: {condition: service_completed_successfully}, c: {condition: service_started, required: false}}\n\
             links: ['d:alias']\nnetwork_mode: service:e\npid: host\nvolumes_from: ['f:ro', 'container:x']\n",
        );
        let tree = yaml::parse(file, &sources, &mut Diagnostics::default()).remove(0);
        let found: Vec<(String, Kind)> = of(&tree).into_iter().map(|n| (n.service, n.kind)).collect();
        let name = |s: &str| s.to_string();
        assert_eq!(
            found,
            [
                (name("a"), Kind::Talks),
                (name("b"), Kind::RunsBefore),
                (name("c"), Kind::Optional),
                (name("d"), Kind::Talks),
                (name("e"), Kind::SharesNetwork),
                (name("f"), Kind::SharesOther),
            ]
        );
    }
}
