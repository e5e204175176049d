//! The route of one service changed in the text of its stack; every other byte stays (comments, order, ends of lines).
//!
//! What comes of a change is read again, and must be what was read before with that change and no other. So what cannot be changed safely is refused, with
//! why and what to write by hand: the editor takes it.

#[cfg(test)]
mod tests;
mod text;

use text::{Style, Text};

use crate::compose::tree::{Map, Node, Value};
use crate::compose::yaml;
use crate::diag::{Diagnostic, Diagnostics, FileId, Kind, Sources, Span};

const OWN: &str = "x-hearth";
const ROUTE: &str = "route";
/// What is changed of a route.
const KEYS: [&str; 3] = ["host", "port", "access"];

/// What a route is to say. What is `None` stays as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub host: Option<String>,
    pub port: Option<String>,
    pub access: Option<String>,
}

/// What a route says, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Several are joined by commas.
    pub host: String,
    pub port: String,
    pub access: String,
}

/// What the route of a service says in a stack's text; `None` where it has none. Refuses where it can only be changed by hand.
pub fn said(text: &str, service: &str) -> Result<Option<Said>, Diagnostic> {
    said_in(tree(text).as_ref(), service)
}

/// The tree of a stack's text; `None` where it holds mistakes or is no single mapping.
pub fn tree(text: &str) -> Option<Node> {
    read(plain(text).1)
}

/// As [`said`], of the text's [`tree`].
pub fn said_in(tree: Option<&Node>, service: &str) -> Result<Option<Said>, Diagnostic> {
    let by_hand = |why: &str| by_hand(service, why, &Wanted::default());
    let tree = tree.ok_or_else(|| by_hand("its stack is no single mapping"))?;
    let Some(route) = found(tree, service).map_err(by_hand)? else { return Ok(None) };
    let text = |key: &str| match route.get(key).map(|node| (&node.value, node.scalar_text())) {
        Some((Value::Seq(items), _)) => items.iter().filter_map(Node::scalar_text).collect::<Vec<_>>().join(", "),
        Some((_, text)) => text.unwrap_or_default(),
        None => String::new(),
    };
    let access = Some(text("access")).filter(|access| !access.is_empty()).unwrap_or_else(|| "user".into());
    Ok(Some(Said { host: text("host"), port: text("port"), access }))
}

/// The text with another route, or a first one, which has to have a host and a port.
pub fn set(text: &str, service: &str, wanted: &Wanted) -> Result<String, Diagnostic> {
    let now = said(text, service)?;
    let values = [&wanted.host, &wanted.port, &wanted.access];
    let values: Vec<(&str, Value)> =
        KEYS.iter().zip(values).filter_map(|(key, value)| Some((*key, value_of(key, value.as_deref()?)))).collect();
    let (bom, body) = plain(text);
    let refuse = || by_hand(service, "it is written in a way that other lines depend on", wanted);
    let Some(now) = now else {
        let edited = changed(body, service, &Change::Route(&values)).ok_or_else(refuse)?;
        return Ok(format!("{bom}{edited}"));
    };
    let mut edited = body.to_owned();
    for (key, value) in &values {
        let stands = [&now.host, &now.port, &now.access][KEYS.iter().position(|k| k == key).unwrap_or_default()];
        if shown(value) != *stands {
            edited = changed(&edited, service, &Change::Key(key, value)).ok_or_else(refuse)?;
        }
    }
    Ok(format!("{bom}{edited}"))
}

/// The text without the service's route.
pub fn remove(text: &str, service: &str) -> Result<String, Diagnostic> {
    if said(text, service)?.is_none() {
        return Ok(text.to_owned());
    }
    let (bom, body) = plain(text);
    let refuse = || by_hand(service, "it is written in a way that other lines depend on", &Wanted::default());
    Ok(format!("{bom}{}", changed(body, service, &Change::Gone).ok_or_else(refuse)?))
}

/// One change of the tree.
enum Change<'c> {
    Route(&'c [(&'c str, Value)]),
    Key(&'c str, &'c Value),
    Gone,
}

/// The text with a change, where one way of writing it says that and nothing else.
fn changed(text: &str, service: &str, change: &Change) -> Option<String> {
    let before = read(text)?;
    let mut expected = before.clone();
    let own = expected.get_mut("services")?.get_mut(service)?.as_map_mut()?;
    change.of(own);
    let ways = ways(&before, &Text::new(text), service, change)?;
    ways.into_iter().find(|edited| read(edited).as_ref() == Some(&expected))
}

impl Change<'_> {
    fn of(&self, service: &mut Map) {
        if service.get(OWN).is_none_or(Node::is_null) {
            service.set(OWN, Node::map(NOWHERE));
        }
        let Some(own) = service.get_mut(OWN).and_then(Node::as_map_mut) else { return };
        match self {
            Change::Route(values) => {
                let mut route = Map::default();
                values.iter().for_each(|(key, value)| route.set(*key, Node::new(NOWHERE, value.clone())));
                own.set(ROUTE, Node::new(NOWHERE, Value::Map(route)));
            }
            Change::Key(key, value) => {
                if let Some(route) = own.get_mut(ROUTE).and_then(Node::as_map_mut) {
                    route.set(*key, Node::new(NOWHERE, (*value).clone()));
                }
            }
            Change::Gone => drop(own.remove(ROUTE)),
        }
        if own.is_empty() {
            service.remove(OWN);
        }
    }
}

/// Equality is of content: places of what is expected mean nothing.
const NOWHERE: Span = Span { file: FileId(0), line: 1, column: 1, width: 1 };

/// The ways to write a change, the best first.
fn ways(tree: &Node, text: &Text, service: &str, change: &Change) -> Option<Vec<String>> {
    let of_service = tree.get("services")?.as_map()?.0.get(service)?;
    let holder = text.place(of_service.key)?;
    let own = of_service.node.as_map()?.0.get(OWN);
    let own_place = match own {
        Some(own) => Some(text.place(own.key)?),
        None => None,
    };
    let route = own.and_then(|own| own.node.as_map()?.0.get(ROUTE));
    let is_flow = |style: Style| matches!(style, Style::Flow(_));
    match change {
        Change::Route(values) => {
            let flow = format!("{ROUTE}: {}", braces(values));
            Some(match (own_place, route) {
                (Some(own), None) => text.with_entry(&own, &[(0, flow.clone())], &flow),
                (Some(_), Some(route)) => {
                    let at = text.place(route.key)?;
                    text.with(at.colon, 0, &format!(" {}", braces(values))).into_iter().collect()
                }
                (None, _) => {
                    let lines = [(0, format!("{OWN}:")), (1, flow.clone())];
                    text.with_entry(&holder, &lines, &format!("{OWN}: {{ {flow} }}"))
                }
            })
        }
        Change::Key(key, value) => {
            let at = text.place(route?.key)?;
            let entry = format!("{key}: {}", written(value));
            let Some(old) = route?.node.as_map()?.0.get(*key) else {
                return Some(text.with_entry(&at, &[(0, entry.clone())], &entry));
            };
            let old = text.place(old.key)?;
            let edited = match old.style {
                Style::Scalar(start) => {
                    let end = text.scalar_end(start, is_flow(at.style))?;
                    text.with(start, end - start, &written(value))
                }
                Style::Below => text.with(old.colon, 0, &format!(" {}", written(value))),
                Style::Flow(_) => None,
            };
            Some(edited.into_iter().collect())
        }
        Change::Gone => {
            let own_place = own_place?;
            let alone = own?.node.as_map()?.0.len() == 1;
            let edited = match alone {
                true => text.without_entry(&own_place, is_flow(holder.style)),
                false => text.without_entry(&text.place(route?.key)?, is_flow(own_place.style)),
            };
            Some(edited.into_iter().collect())
        }
    }
}

/// The route of a service in the tree, or why it can only be changed by hand.
fn found<'n>(tree: &'n Node, service: &str) -> Result<Option<&'n Map>, &'static str> {
    let Some(of) = tree.at(&["services", service]) else {
        return Err("it does not stand in its stack's own file, but in one that the stack includes");
    };
    let Some(map) = of.as_map() else { return Err("it has nothing but its name") };
    if map.contains("extends") {
        return Err("it takes what it is from another service, with `extends`");
    }
    let own = match map.get(OWN) {
        None => return Ok(None),
        Some(node) if node.is_null() => return Ok(None),
        Some(node) => node.as_map().ok_or("its `x-hearth` is no mapping")?,
    };
    match own.get(ROUTE).map(|node| &node.value) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Map(route)) if route.contains("tcp") || route.contains("udp") => {
            Err("its route is of a port of this machine, and of no name")
        }
        Some(Value::Map(route)) => Ok(Some(route)),
        Some(Value::Seq(_)) => Err("it has a list of routes"),
        Some(_) => Err("its `route` is no mapping"),
    }
}

fn by_hand(service: &str, why: &str, wanted: &Wanted) -> Diagnostic {
    let value =
        |key: &str, value: &Option<String>, without: &str| written(&value_of(key, value.as_deref().unwrap_or(without)));
    let route = format!(
        "x-hearth: {{ route: {{ host: {}, port: {}, access: {} }} }}",
        value("host", &wanted.host, "NAME"),
        value("port", &wanted.port, "NUMBER"),
        value("access", &wanted.access, "user"),
    );
    Diagnostic::error(
        "spec.by-hand",
        format!("the route of `{service}` can only be changed in its stack's text: {why}"),
    )
    .kind(Kind::Conflict)
    .hint(format!("open the stack in the editor; a route of one service is written there as `{route}`"))
}

/// The mark that some editors put before a text, and the text.
fn plain(text: &str) -> (&str, &str) {
    text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body))
}

/// The only mapping of a text without mistakes.
fn read(text: &str) -> Option<Node> {
    let (mut sources, mut told) = (Sources::default(), Diagnostics::default());
    let file = sources.add("stack.yaml", text);
    let mut all = yaml::parse(file, &sources, &mut told);
    all.retain(|node| !node.is_null());
    match (all.pop(), all.is_empty(), told.has_errors()) {
        (Some(node), true, false) if node.as_map().is_some() => Some(node),
        _ => None,
    }
}

/// A port is a number, where it is one; all else is text.
fn value_of(key: &str, text: &str) -> Value {
    let number = text.parse::<u16>().ok().filter(|number| key == "port" && number.to_string() == text);
    number.map_or_else(|| Value::Str(text.to_owned()), |number| Value::Int(number.into()))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Str(text) => text.clone(),
        _ => String::new(),
    }
}

/// As it is written, in quotes where it would be another thing without them.
fn written(value: &Value) -> String {
    let text = shown(value);
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let word = |part: &str| !part.is_empty() && part.chars().all(safe);
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.split(':').all(word);
    match value {
        Value::Str(_) if !plain || !matches!(yaml::resolve(&text), Value::Str(_)) => {
            serde_json::Value::from(text).to_string()
        }
        _ => text,
    }
}

fn braces(values: &[(&str, Value)]) -> String {
    let all: Vec<String> = values.iter().map(|(key, value)| format!("{key}: {}", written(value))).collect();
    format!("{{ {} }}", all.join(", "))
}
