//! A later file over an earlier one (Compose specification, 13-merge), attribute by attribute as Compose does it.

use super::tree::{Entry, Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics};

/// Puts `over` onto `base`. What cannot be merged is told, and the earlier value stays.
pub fn merge(base: Node, over: Node, diagnostics: &mut Diagnostics) -> Node {
    Merger { diagnostics }.node(base, over, &mut Vec::new())
}

/// As [`merge`] for a part of a file that hangs at `at` (`["services", "web"]`).
pub fn merge_at(base: Node, over: Node, at: &[&str], diagnostics: &mut Diagnostics) -> Node {
    let mut path = at.iter().map(|key| key.to_string()).collect();
    Merger { diagnostics }.node(base, over, &mut path)
}

/// The attributes with a rule of their own.
#[derive(Clone, Copy)]
enum Rule {
    /// Written as a list of KEY=VALUE, then appended.
    Sequence,
    /// The later one stands alone.
    Replace,
    Build,
    DependsOn,
    /// A list of names is a mapping without values.
    Names,
    ExtraHosts,
    Logging,
    Pools,
}

fn rule(path: &[String]) -> Option<Rule> {
    use Rule::*;
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    Some(match keys.as_slice() {
        ["networks", _, "ipam", "config"] => Pools,
        ["networks" | "volumes", _, "labels"] => Sequence,
        ["services", _, rest @ ..] => match rest {
            [
                "annotations" | "dns" | "dns_opt" | "dns_search" | "env_file" | "label_file" | "environment" | "labels"
                | "sysctls" | "tmpfs",
            ]
            | ["build", "args" | "additional_contexts" | "labels"]
            | ["deploy", "labels"] => Sequence,
            ["command" | "entrypoint"] | ["healthcheck", "test"] | ["ulimits", _] => Replace,
            ["build"] => Build,
            ["depends_on"] => DependsOn,
            ["models" | "networks"] => Names,
            ["extra_hosts"] | ["build", "extra_hosts"] => ExtraHosts,
            ["logging"] => Logging,
            _ => return None,
        },
        _ => return None,
    })
}

struct Merger<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Merger<'_> {
    fn node(&mut self, base: Node, over: Node, path: &mut Vec<String>) -> Node {
        match rule(path) {
            Some(rule) => self.special(rule, base, over, path),
            None if over.is_null() => base,
            None => match (base.value, over.value) {
                (Value::Map(left), Value::Map(right)) => {
                    Node { value: Value::Map(self.maps(left, right, path)), span: over.span, mark: base.mark }
                }
                (Value::Seq(mut left), Value::Seq(right)) => {
                    left.extend(right);
                    Node { value: Value::Seq(left), span: over.span, mark: base.mark }
                }
                (left @ (Value::Map(_) | Value::Seq(_)), right) => {
                    let base = Node { value: left, ..Node::null(base.span) };
                    let over = Node { value: right, ..Node::null(over.span) };
                    self.refuse(&base, &over, path);
                    base
                }
                (_, right) => Node { value: right, ..Node::null(over.span) },
            },
        }
    }

    fn refuse(&mut self, base: &Node, over: &Node, path: &[String]) {
        let field = path.join(".");
        self.diagnostics.push(
            Diagnostic::error(
                "compose.cannot-override",
                format!("`{field}` is {} and cannot be overridden by {}", base.kind(), over.kind()),
            )
            .at(over.span)
            .field(field)
            .related(base.span, "first written here")
            .hint("write both alike, or replace it whole with `!override`"),
        );
    }

    fn maps(&mut self, mut left: Map, right: Map, path: &mut Vec<String>) -> Map {
        for (key, entry) in right.0 {
            match left.0.get_mut(&key) {
                None => {
                    left.0.insert(key, entry);
                }
                Some(slot) => {
                    let base = std::mem::replace(&mut slot.node, Node::null(entry.key));
                    path.push(key);
                    slot.node = self.node(base, entry.node, path);
                    path.pop();
                    slot.key = entry.key;
                }
            }
        }
        left
    }

    fn special(&mut self, rule: Rule, base: Node, over: Node, path: &mut Vec<String>) -> Node {
        let span = over.span;
        let node = |value| Node::new(span, value);
        match rule {
            Rule::Replace => over,
            Rule::Sequence => {
                let mut items = sequence(base);
                items.extend(sequence(over));
                node(Value::Seq(items))
            }
            Rule::ExtraHosts => {
                let mut items = sequence(base);
                let more: Vec<Node> = sequence(over).into_iter().filter(|item| !items.contains(item)).collect();
                items.extend(more);
                node(Value::Seq(items))
            }
            Rule::Build => {
                let map = |n: Node| match n.value {
                    Value::Str(_) => Map::from_iter([("context".to_string(), n)]),
                    Value::Map(map) => map,
                    _ => Map::default(),
                };
                node(Value::Map(self.maps(map(base), map(over), path)))
            }
            Rule::DependsOn => {
                let (left, right) = (mapping(base, true), mapping(over, true));
                node(Value::Map(self.maps(left, right, path)))
            }
            Rule::Names => {
                let (left, right) = (mapping(base, false), mapping(over, false));
                node(Value::Map(self.maps(left, right, path)))
            }
            Rule::Logging => match (base.value, over.value) {
                (Value::Map(left), Value::Map(right)) => {
                    let alike = match (left.get("driver"), right.get("driver")) {
                        (Some(a), Some(b)) => a == b,
                        _ => true,
                    };
                    node(Value::Map(if alike { self.maps(left, right, path) } else { right }))
                }
                (left, Value::Null) => node(left),
                (_, right) => node(right),
            },
            Rule::Pools => self.pools(base, over, path),
        }
    }

    /// Address pools are the same pool when their subnets are equal.
    fn pools(&mut self, base: Node, over: Node, path: &mut Vec<String>) -> Node {
        let span = over.span;
        let (Value::Seq(left), Value::Seq(right)) = (&base.value, &over.value) else {
            self.refuse(&base, &over, path);
            return base;
        };
        let mut out: Vec<Node> = Vec::new();
        let subnet = |n: &Node| n.get("subnet").cloned();
        for original in left {
            let mut kept = original.clone();
            for pool in right {
                if subnet(pool) != subnet(&kept) && !out.iter().any(|o| subnet(o) == subnet(pool)) {
                    out.push(pool.clone());
                    continue;
                }
                if let (Value::Map(a), Value::Map(b)) = (kept.value.clone(), pool.value.clone()) {
                    kept = Node::new(span, Value::Map(self.maps(a, b, path)));
                }
                match out.iter_mut().find(|o| subnet(o) == subnet(&kept)) {
                    Some(slot) => *slot = kept.clone(),
                    None => out.push(kept.clone()),
                }
            }
        }
        Node::new(span, Value::Seq(out))
    }
}

/// A mapping as a sorted list of KEY=VALUE; a text as a list of one.
fn sequence(node: Node) -> Vec<Node> {
    match node.value {
        Value::Map(map) => {
            let mut items = Vec::new();
            for (key, Entry { key: at, node }) in map.0 {
                match node.value {
                    Value::Null => items.push(Node::str(at, key)),
                    Value::Seq(values) => {
                        items.extend(
                            values
                                .iter()
                                .map(|v| Node::str(at, format!("{key}={}", v.scalar_text().unwrap_or_default()))),
                        );
                    }
                    _ => items.push(Node::str(at, format!("{key}={}", node.scalar_text().unwrap_or_default()))),
                }
            }
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items
        }
        Value::Seq(items) => items,
        Value::Str(_) => vec![node],
        _ => Vec::new(),
    }
}

/// A list of names as a mapping; a dependency gets its defaults.
fn mapping(node: Node, dependency: bool) -> Map {
    match node.value {
        Value::Map(map) => map,
        Value::Seq(items) => items
            .into_iter()
            .filter_map(|item| {
                let name = item.as_str()?.to_string();
                let value = match dependency {
                    false => Value::Null,
                    true => Value::Map(Map::from_iter([
                        ("condition".to_string(), Node::str(item.span, "service_started")),
                        ("required".to_string(), Node::new(item.span, Value::Bool(true))),
                    ])),
                };
                Some((name, Node::new(item.span, value)))
            })
            .collect(),
        _ => Map::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{output, yaml};
    use crate::diag::Sources;
    use serde_json::json;

    fn merged(base: &str, over: &str) -> (serde_json::Value, Vec<&'static str>) {
        let mut sources = Sources::default();
        let mut told = Diagnostics::default();
        let mut read = |text: &str| {
            let file = sources.add("f.yaml", format!("services: {{web: {text}}}"));
            yaml::parse(file, &sources, &mut told).remove(0)
        };
        let (base, over) = (read(base), read(over));
        let tree = merge(base, over, &mut told);
        let web = output::plain(tree.at(&["services", "web"]).unwrap());
        (web, told.0.iter().map(|d| d.code).collect())
    }

    #[test]
    fn scalars_are_replaced_and_nothing_keeps_the_earlier() {
        assert_eq!(merged("{image: a, user: x}", "{image: b, user: }").0, json!({"image": "b", "user": "x"}));
    }

    #[test]
    fn lists_are_appended_and_commands_replaced() {
        let (web, _) = merged("{cap_add: [a], command: [a]}", "{cap_add: [b], command: b}");
        assert_eq!(web, json!({"cap_add": ["a", "b"], "command": "b"}));
    }

    #[test]
    fn mappings_of_texts_become_lists_so_that_the_last_of_a_key_can_win() {
        let (web, _) = merged("{environment: {B: 1, A: }}", "{environment: [B=2]}");
        assert_eq!(web, json!({"environment": ["A", "B=1", "B=2"]}));
    }

    #[test]
    fn names_and_dependencies_are_lifted_to_mappings() {
        let (web, _) = merged(
            "{networks: [a], depends_on: [x]}",
            "{networks: {b: {priority: 1}}, depends_on: {x: {restart: true}}}",
        );
        assert_eq!(web["networks"], json!({"a": null, "b": {"priority": 1}}));
        assert_eq!(web["depends_on"]["x"], json!({"condition": "service_started", "required": true, "restart": true}));
    }

    #[test]
    fn another_log_driver_replaces_the_whole() {
        let base = "{logging: {driver: a, options: {x: 1}}}";
        assert_eq!(merged(base, "{logging: {driver: b}}").0, json!({"logging": {"driver": "b"}}));
        assert_eq!(merged(base, "{logging: {options: {y: 2}}}").0["logging"]["options"], json!({"x": 1, "y": 2}));
    }

    #[test]
    fn kinds_that_do_not_fit_are_told_and_the_earlier_stays() {
        let (web, told) = merged("{ports: [a], build: {target: x}}", "{ports: {a: 1}, build: ./b}");
        assert_eq!(told, ["compose.cannot-override"]);
        assert_eq!(web, json!({"ports": ["a"], "build": {"target": "x", "context": "./b"}}));
    }
}
