//! Variables in every value of a file, and the casts that follow at known places (Compose specification, 12-interpolation).

use std::collections::BTreeMap;

use super::Compat;
use super::template::{self, Scope, TemplateError};
use super::tree::{Node, Path, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Bytes that variables may bring into one file.
const MAX_GROWN: usize = 32 << 20;

/// What text becomes at a place that wants something else.
#[derive(Clone, Copy)]
enum Cast {
    Int,
    Float,
    Bool,
}

/// Replaces variables in all values (never in keys), then casts text where Compose does.
pub fn interpolate(
    tree: &mut Node,
    environment: &BTreeMap<String, String>,
    compat: Compat,
    diagnostics: &mut Diagnostics,
) {
    let mut walker = Walker { environment, compat, diagnostics, grown: 0 };
    let mut path = Path::default();
    walker.node(tree, &mut path);
}

struct Walker<'a> {
    environment: &'a BTreeMap<String, String>,
    compat: Compat,
    diagnostics: &'a mut Diagnostics,
    /// Bytes that variables brought in so far.
    grown: usize,
}

impl Walker<'_> {
    fn node<'t>(&mut self, node: &'t mut Node, path: &mut Path<'t>) {
        let span = node.span;
        let value = &mut node.value;
        match value {
            Value::Str(text) => {
                if text.contains('$') {
                    match self.text(text, span, path) {
                        Some(new) => *text = new,
                        None => return,
                    }
                }
                if let Some(kind) = cast_at(path.keys(), self.compat)
                    && let Some(cast) = self.cast(text, kind, span, path)
                {
                    *value = cast;
                }
            }
            Value::Map(map) => {
                for (key, entry) in map.0.iter_mut() {
                    path.push(key);
                    self.node(&mut entry.node, path);
                    path.pop();
                }
            }
            Value::Seq(items) => {
                for (i, item) in items.iter_mut().enumerate() {
                    path.push_index(i);
                    self.node(item, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, span: Span, path: &Path) -> Option<String> {
        let mut unset: Vec<String> = Vec::new();
        let lookup = |name: &str| self.environment.get(name).cloned();
        let mut scope = Scope { lookup: &lookup, compat: self.compat, unset: &mut |name| unset.push(name.to_string()) };
        let result = template::substitute(text, &mut scope);
        for name in unset {
            self.diagnostics.push(
                Diagnostic::warning(
                    "compose.unset-variable",
                    format!("the variable {name} is not set; an empty text is used"),
                )
                .at(span)
                .field(path.to_string())
                .hint(format!("set {name} in .env, or give a default: ${{{name}:-default}}")),
            );
        }
        match result {
            Ok(new) => {
                let before = self.grown;
                self.grown += new.len();
                if before <= MAX_GROWN && self.grown > MAX_GROWN {
                    let title = "with their variables the values of this file are larger than 32 MiB".to_string();
                    self.limit(title, span, path);
                }
                (self.grown <= MAX_GROWN).then_some(new)
            }
            Err(TemplateError::Limit(words)) => {
                self.limit(words.to_string(), span, path);
                None
            }
            Err(TemplateError::Invalid) => {
                self.diagnostics.push(
                    Diagnostic::error("compose.bad-variable", "a `$` here begins no variable")
                        .at(span)
                        .field(path.to_string())
                        .hint("write $$ for a literal dollar sign, or ${NAME} for a variable"),
                );
                None
            }
            Err(TemplateError::Required { name, message }) => {
                let said = if message.is_empty() { String::new() } else { format!(": {message}") };
                self.diagnostics.push(
                    Diagnostic::error(
                        "compose.missing-variable",
                        format!("the variable {name} is needed here and has no value{said}"),
                    )
                    .at(span)
                    .field(path.to_string())
                    .hint(format!("set {name} in .env")),
                );
                None
            }
        }
    }

    fn limit(&mut self, title: String, span: Span, path: &Path) {
        self.diagnostics.push(
            Diagnostic::error("compose.too-large", title)
                .at(span)
                .field(path.to_string())
                .hint("write out less, or shorten the variable's value"),
        );
    }

    fn cast(&mut self, text: &str, kind: Cast, span: Span, path: &Path) -> Option<Value> {
        let (value, wanted) = match kind {
            Cast::Int => (whole(text).map(Value::Int), "a whole number"),
            Cast::Float => (go_parse_float(text).map(Value::Float), "a number"),
            Cast::Bool => (self.boolean(text, span, path).map(Value::Bool), "true or false"),
        };
        if value.is_none() {
            let was = if text.is_empty() { "and it is empty".to_string() } else { format!("not `{text}`") };
            self.diagnostics.push(
                Diagnostic::error("compose.bad-cast", format!("`{path}` must be {wanted}, {was}"))
                    .at(span)
                    .field(path.to_string())
                    .hint(if text.is_empty() {
                        "give the variable a value or a default"
                    } else {
                        "correct the value, or the variable that it comes from"
                    }),
            );
        }
        value
    }

    fn boolean(&mut self, text: &str, span: Span, path: &Path) -> Option<bool> {
        let lower = text.to_lowercase();
        let value = match lower.as_str() {
            "true" => return Some(true),
            "false" => return Some(false),
            "y" | "yes" | "on" => true,
            "n" | "no" | "off" => false,
            _ => return None,
        };
        self.diagnostics.push(
            Diagnostic::warning(
                "compose.loose-boolean",
                format!("`{text}` is no YAML 1.2 boolean; it is taken as {value}"),
            )
            .at(span)
            .field(path.to_string())
            .hint(format!("write {value}")),
        );
        Some(value)
    }
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Go's `strconv.ParseFloat`: as Rust's, but digits that no double can hold are no number.
fn go_parse_float(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() || !text.contains(|c: char| c.is_ascii_digit())).then_some(number)
}

/// The places at which Compose casts text, from 12-interpolation and its implementation.
fn cast_at(keys: &[&str], compat: Compat) -> Option<Cast> {
    use Cast::*;
    match keys {
        ["services", _, rest @ ..] => match rest {
            ["cpu_count" | "cpu_period" | "cpu_quota" | "cpu_rt_period" | "cpu_rt_runtime" | "cpu_shares"] => Some(Int),
            ["oom_score_adj" | "pids_limit" | "scale"] => Some(Int),
            ["cpu_percent" | "cpus"] => Some(Float),
            ["init" | "oom_kill_disable" | "privileged" | "read_only" | "stdin_open" | "tty"] => Some(Bool),
            ["deploy", "replicas"] | ["deploy", "update_config" | "rollback_config", "parallelism"] => Some(Int),
            ["deploy", "update_config" | "rollback_config", "max_failure_ratio"] => Some(Float),
            ["deploy", "restart_policy", "max_attempts"] | ["deploy", "placement", "max_replicas_per_node"] => {
                Some(Int)
            }
            ["healthcheck", "retries"] => Some(Int),
            ["healthcheck", "disable"] => Some(Bool),
            ["ports", "[]", "target"] | ["ulimits", _] | ["ulimits", _, "hard" | "soft"] => Some(Int),
            ["volumes", "[]", "read_only"] | ["volumes", "[]", "volume", "nocopy"] => Some(Bool),
            ["depends_on", _, "required" | "restart"] if compat == Compat::V5 => Some(Bool),
            _ => None,
        },
        ["networks", _, "external" | "internal" | "attachable" | "enable_ipv4" | "enable_ipv6"] => Some(Bool),
        ["volumes" | "secrets" | "configs", _, "external"] => Some(Bool),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;
    use crate::diag::Sources;

    fn run(text: &str) -> (Node, Vec<&'static str>) {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", text);
        let mut diagnostics = Diagnostics::default();
        let mut tree = yaml::parse(file, &sources, &mut diagnostics).remove(0);
        let environment = BTreeMap::from([("N".to_string(), "3".to_string()), ("B".into(), "yes".into())]);
        interpolate(&mut tree, &environment, Compat::V5, &mut diagnostics);
        (tree, diagnostics.0.iter().map(|d| d.code).collect())
    }

    #[test]
    fn values_are_replaced_and_cast_at_known_places_only() {
        let (tree, told) = run("services: {a: {scale: $N, tty: $B, image: 'x:$N', labels: {k$N: $N}}}");
        let a = tree.at(&["services", "a"]).unwrap();
        assert_eq!(a.get("scale").unwrap().value, Value::Int(3));
        assert_eq!(a.get("tty").unwrap().value, Value::Bool(true));
        assert_eq!(a.at(&["labels", "k$N"]).unwrap().value, Value::Str("3".into()));
        assert_eq!(told, ["compose.loose-boolean"]);
    }

    #[test]
    fn every_missing_variable_is_told() {
        let (_, told) = run("services: {a: {image: '${X:?x}', user: '${Y?}', hostname: $Z, scale: $Z}}");
        assert_eq!(
            told,
            [
                "compose.missing-variable",
                "compose.missing-variable",
                "compose.unset-variable",
                "compose.unset-variable",
                "compose.bad-cast"
            ]
        );
    }
}
