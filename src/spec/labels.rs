//! `traefik.*` labels that a stack may write itself (`raw-labels: true`), judged by the model of Traefik's label grammar.
//!
//! Twice: as they stand in the stack, where a value with a variable is judged by its key only, and again when the project is loaded, with
//! all values and with the labels that Hearth adds.

use std::collections::BTreeMap;

use super::Routes;
use crate::compose::tree::{Node, Value};
use crate::compose::{Compat, template};
use crate::diag::{Diagnostic, Diagnostics, Severity, Span};
use crate::traefik::Route;
use crate::traefik::grammar::{self, Container, Label, Read};

/// Judges one group of labels of a service, `labels` or `deploy.labels`, which stands at `field`. `routed`: Hearth adds labels.
pub(super) fn written(field: &str, labels: Option<&Node>, routed: bool, diagnostics: &mut Diagnostics) {
    let mut all = Vec::new();
    for (text, key_span, value) in labels.map(pairs).unwrap_or_default() {
        let (key, value, value_span) = match value {
            Some(node) => (text.clone(), node.scalar_text().unwrap_or_default(), node.span),
            None => {
                let (key, value) = text.split_once('=').unwrap_or((&text, ""));
                (key.to_string(), value.to_string(), key_span)
            }
        };
        if !grammar::is_traefik(&key) {
            continue;
        }
        if value_span == key_span && !template::variables(&key).is_empty() {
            let title = "a label's name holds a variable, so that nobody can say what it means to Traefik";
            let d = Diagnostic::error("traefik.bad-key", title).at(key_span).field(format!("{field}.{key}"));
            diagnostics.push(d.hint("write the name out; variables may stand in the value"));
            continue;
        }
        if key.contains(char::is_whitespace) {
            let title = "a label's name holds a blank: Traefik would not get to see it";
            let d = Diagnostic::error("traefik.bad-key", title).at(key_span).field(format!("{field}.{key}"));
            diagnostics.push(d.hint("gate passes on what the label hearth.traefik lists, with blanks between"));
            continue;
        }
        let known = template::variables(&value).is_empty();
        let value = if known { plain(&value) } else { value };
        all.push(Label { key, value, known, key_span: Some(key_span), value_span: Some(value_span) });
    }
    let told = grammar::read(&all).diagnostics.0.into_iter().filter(|d| !routed || !added_by_routes(d.code));
    diagnostics.0.extend(told.map(|d| below(d, field)));
}

/// What Hearth's own labels may bring: all is judged again when they are there.
fn added_by_routes(code: &str) -> bool {
    ["traefik.not-enabled", "traefik.no-router", "traefik.no-such-name"].contains(&code)
}

/// Texts with their places: a key with its value, or an item of a list.
fn pairs(labels: &Node) -> Vec<(String, Span, Option<&Node>)> {
    match &labels.value {
        Value::Map(map) => map.0.iter().map(|(key, entry)| (key.clone(), entry.key, Some(&entry.node))).collect(),
        Value::Seq(items) => items.iter().filter_map(|i| Some((i.as_str()?.to_string(), i.span, None))).collect(),
        _ => Vec::new(),
    }
}

/// Without variables: `$$` is a `$`.
fn plain(text: &str) -> String {
    let mut scope = template::Scope { lookup: &|_| None, compat: Compat::V5, unset: &mut |_| {} };
    template::substitute(text, &mut scope).unwrap_or_else(|_| text.to_string())
}

fn below(mut diagnostic: Diagnostic, field: &str) -> Diagnostic {
    diagnostic.field = Some(match diagnostic.field {
        Some(key) => format!("{field}.{key}"),
        None => field.to_string(),
    });
    diagnostic
}

/// A service of the loaded project.
pub struct Service<'s> {
    pub name: &'s str,
    /// With the values that its containers get.
    pub labels: Vec<(&'s str, &'s str)>,
    /// Where its labels stand.
    pub place: Option<Span>,
    /// Whether a stack writes some of them itself.
    pub raw: bool,
}

/// Judges the labels that containers would get: those of services with labels of their own, and what all say under one name. Only
/// errors: the rest was told when the stacks were read. `routes` with `values` of `.env` are those whose hosts nobody else may take,
/// as is `panel`.
pub fn loaded(
    services: &[Service<'_>],
    routes: &Routes,
    values: &BTreeMap<String, String>,
    panel: Option<&str>,
) -> Diagnostics {
    let mut told = Diagnostics::default();
    if !services.iter().any(|service| service.raw) {
        return told;
    }
    let read: Vec<(&Service<'_>, Read)> = services.iter().map(|service| (service, read(service))).collect();
    for (service, read) in read.iter().filter(|(service, _)| service.raw) {
        let field = format!("services.{}.labels", service.name);
        let errors = read.diagnostics.0.iter().filter(|d| d.severity == Severity::Error);
        told.0.extend(errors.map(|d| below(d.clone(), &field)));
    }
    let containers: Vec<Container<'_>> = read
        .iter()
        .map(|(service, read)| Container { name: service.name, labels: &read.labels, places: &read.places })
        .collect();
    told.0.extend(grammar::conflicts(&containers));
    // What a route lacks is told where the file for Traefik is written.
    let resolved = |route: &Route| route.resolve(&|name| values.get(name).cloned()).ok();
    let outside: Vec<Route> = routes.outside.iter().filter_map(|outside| resolved(&outside.route)).collect();
    let own: Vec<Route> = routes.services.values().flatten().filter_map(resolved).collect();
    let raw: Vec<Container<'_>> = containers
        .into_iter()
        .zip(services)
        .filter(|(_, service)| service.raw)
        .map(|(container, _)| container)
        .collect();
    told.0.extend(grammar::claims(&raw, &own, &outside, panel));
    told
}

fn read(service: &Service<'_>) -> Read {
    let label = |(key, value): &(&str, &str)| Label {
        key_span: service.place,
        value_span: service.place,
        ..Label::new(*key, *value)
    };
    grammar::read(&service.labels.iter().map(label).collect::<Vec<_>>())
}
