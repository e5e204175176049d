//! What several containers say under one name, and what Traefik makes of it.
//!
//! Routers and middlewares of one name must be the same in every effective value, or nobody has them. Services of one name are one, with
//! the servers of all (that is how replicas work), if everything but the servers is the same. Names are compared with their case,
//! though keys are not.

use std::collections::BTreeMap;

use super::model::{self, Routing};
use super::value::{Object, Value};
use super::{Labels, Places};
use crate::diag::Diagnostic;
use crate::traefik::rule::{self, Matcher, Name, Protocol, Rule};

/// One container (of several replicas only one).
#[derive(Debug, Clone, Copy)]
pub struct Container<'c> {
    /// As a person knows it: the Compose service.
    pub name: &'c str,
    pub labels: &'c Labels,
    pub places: &'c Places,
}

/// Something that a container says, with its effective values.
struct Said<'c> {
    container: Container<'c>,
    object: Object,
}

/// Where two containers get into each other's way. Values with variables that nobody has resolved are taken to fit.
pub fn conflicts(all: &[Container<'_>]) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for (i, protocol) in ["http", "tcp", "udp"].into_iter().enumerate() {
        for section in ["routers", "services", "middlewares"] {
            let mut by_name: BTreeMap<&str, Vec<Said<'_>>> = BTreeMap::new();
            for container in all {
                let (_, routing, _) = container.labels.protocols()[i];
                for (name, object) in objects(routing, section, container.name) {
                    let object = object.effective(model::fields(protocol, section));
                    by_name.entry(name).or_default().push(Said { container: *container, object });
                }
            }
            for (name, said) in &by_name {
                for later in &said[1..] {
                    let path = [protocol, section, name];
                    told.extend(match section {
                        "services" => services(&path, &said[0], later),
                        _ => identical(&path, &said[0], later),
                    });
                }
            }
            told.extend(case(protocol, section, &by_name));
        }
    }
    told.extend(same_rules(all));
    told
}

fn objects<'l>(routing: &'l Routing, section: &str, container: &str) -> Vec<(&'l str, Object)> {
    match section {
        "routers" => {
            let all = routing.routers.iter();
            all.map(|(name, router)| (name.as_str(), linked(&router.0, routing, container))).collect()
        }
        "services" => routing.services.iter().map(|(name, service)| (name.as_str(), service.0.clone())).collect(),
        _ => routing.middlewares.iter().map(|(name, middleware)| (name.as_str(), middleware.0.clone())).collect(),
    }
}

/// A router that names no service is for the only one, or for that which Traefik makes of the container.
fn linked(router: &Object, routing: &Routing, container: &str) -> Object {
    let mut router = router.clone();
    if router.text("service").unwrap_or("").is_empty() {
        let only = routing.services.keys().next().filter(|_| routing.services.len() == 1);
        let service = only.cloned().unwrap_or_else(|| format!("the service of {container}"));
        router.0.insert("service", Value::Text(service));
    }
    router
}

fn error(code: &'static str, title: String, path: &[&str], first: &Said<'_>, later: &Said<'_>) -> Diagnostic {
    let d = Diagnostic::error(code, title);
    let d = match later.container.places.near(path) {
        Some(place) => d.at(place.key_span).field(place.key.clone()),
        None => d,
    };
    match first.container.places.near(path).and_then(|place| place.key_span) {
        Some(span) => d.related(span, format!("it stands in `{}` too", first.container.name)),
        None => d,
    }
}

/// What two containers say of one thing, as the begin of a sentence.
fn unlike(path: &[&str], what: &str, first: &Said<'_>, later: &Said<'_>) -> String {
    let noun = path[1].trim_end_matches('s');
    let (one, other) = (first.container.name, later.container.name);
    format!("the {noun} `{}` has another `{what}` in `{other}` than in `{one}`", path[2])
}

/// Routers and middlewares.
fn identical(path: &[&str], first: &Said<'_>, later: &Said<'_>) -> Option<Diagnostic> {
    let what = difference(&first.object, &later.object)?;
    let lost = match path[1] {
        "routers" => "Traefik would serve neither",
        _ => "Traefik would drop both, and no router that names it would work",
    };
    let title = format!("{}: {lost}", unlike(path, &what, first, later));
    Some(error("traefik.conflict", title, path, first, later).hint("give one of them another name"))
}

fn services(path: &[&str], first: &Said<'_>, later: &Said<'_>) -> Option<Diagnostic> {
    let split = |object: &Object| {
        let mut rest = object.clone();
        let server = match rest.0.get_mut("loadbalancer") {
            Some(Value::Object(balancer)) => balancer.0.remove("server"),
            _ => None,
        };
        (Object(BTreeMap::from([("server", server.unwrap_or(Value::Object(Object::default())))])), rest)
    };
    let ((first_server, first_rest), (later_server, later_rest)) = (split(&first.object), split(&later.object));
    if let Some(what) = difference(&first_rest, &later_rest) {
        let begin = unlike(path, &what, first, later);
        let title = format!("{begin}: Traefik would drop both, and no router to it would work");
        return Some(error("traefik.conflict", title, path, first, later).hint("give one of them another name"));
    }
    let what = difference(&first_server, &later_server)?;
    let begin = unlike(path, &what, first, later);
    let title = format!("{begin}: Traefik would take them for one, and send each a part of the other's requests");
    Some(error("traefik.conflict", title, path, first, later).hint("give one of them another name"))
}

/// The first path at which two objects differ; values with variables differ from nothing.
fn difference(a: &Object, b: &Object) -> Option<String> {
    let names: std::collections::BTreeSet<&&str> = a.0.keys().chain(b.0.keys()).collect();
    names.into_iter().find_map(|name| match (a.0.get(name), b.0.get(name)) {
        (Some(Value::Later(_)), _) | (_, Some(Value::Later(_))) => None,
        (Some(Value::Object(a)), Some(Value::Object(b))) => difference(a, b).map(|rest| match rest.as_str() {
            "" => name.to_string(),
            _ => format!("{name}.{rest}"),
        }),
        (a, b) => (a != b && !both_nothing(a, b)).then(|| name.to_string()),
    })
}

/// Not written, and written as what it is anyway.
fn both_nothing(a: Option<&Value>, b: Option<&Value>) -> bool {
    let nothing = |value: Option<&Value>| match value {
        None => true,
        Some(Value::Text(text)) => text.is_empty(),
        Some(Value::List(items)) => items.is_empty(),
        Some(Value::Int(n)) => *n == 0,
        _ => false,
    };
    nothing(a) && nothing(b)
}

/// Names that differ only in case are two things.
fn case(protocol: &str, section: &'static str, by_name: &BTreeMap<&str, Vec<Said<'_>>>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, (&str, &Said<'_>)> = BTreeMap::new();
    let mut told = Vec::new();
    for (name, said) in by_name {
        let Some(said) = said.first() else { continue };
        match seen.get(&name.to_lowercase()) {
            Some((other, first)) => {
                let noun = section.trim_end_matches('s');
                let title = format!("the {noun}s `{other}` and `{name}` differ only in case, and are two to Traefik");
                let mut d = error("traefik.case", title, &[protocol, section, name], first, said);
                d.severity = crate::diag::Severity::Warning;
                d.related
                    .iter_mut()
                    .for_each(|(_, story)| *story = format!("`{other}` stands in `{}`", first.container.name));
                told.push(d.hint("write all names in small letters"));
            }
            None => {
                seen.insert(name.to_lowercase(), (name, said));
            }
        }
    }
    told
}

/// With hosts as Traefik compares them; all else counts letter for letter, paths too.
fn folded(rule: &Rule) -> Rule {
    match rule {
        Rule::Is(Matcher { name: Name::Host, arguments }) => {
            let plain = |host: &String| host.trim_end_matches('.').to_ascii_lowercase();
            Rule::Is(Matcher { name: Name::Host, arguments: arguments.iter().map(plain).collect() })
        }
        Rule::Is(other) => Rule::Is(other.clone()),
        Rule::Not(inner) => Rule::Not(Box::new(folded(inner))),
        Rule::All(all) => Rule::All(all.iter().map(folded).collect()),
        Rule::Any(all) => Rule::Any(all.iter().map(folded).collect()),
    }
}

/// HTTP routers of different names with one rule, one priority and a common entry point: chance decides.
fn same_rules(all: &[Container<'_>]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(String, String, i64), (Container<'_>, &str)> = BTreeMap::new();
    let mut told = Vec::new();
    for container in all {
        for (name, router) in &container.labels.http.routers {
            let path = ["http", "routers", name, "rule"];
            let Some(text) = router.rule() else { continue };
            if container.places.of(&path).is_some_and(|place| place.later) {
                continue;
            }
            let Ok(rule) = rule::parse(text, Protocol::Http) else { continue };
            let priority = router.priority().filter(|n| *n != 0).unwrap_or(text.len() as i64);
            for point in router.entry_points() {
                let key = (folded(&rule).to_string(), point.clone(), priority);
                let Some((other, other_name)) = first.get(&key) else {
                    first.insert(key, (*container, name));
                    continue;
                };
                if *other_name == name.as_str() {
                    continue;
                }
                let title = format!(
                    "the routers `{other_name}` of `{}` and `{name}` of `{}` have one rule: chance decides which answers",
                    other.name, container.name
                );
                let d = Diagnostic::error("traefik.same-rule", title);
                let d = match container.places.near(&path) {
                    Some(place) => d.at(place.value_span.or(place.key_span)).field(place.key.clone()),
                    None => d,
                };
                let span =
                    other.places.of(&["http", "routers", other_name, "rule"]).and_then(|p| p.value_span.or(p.key_span));
                let d = match span {
                    Some(span) => d.related(span, "the other stands here"),
                    None => d,
                };
                told.push(d.hint("change one rule, or give one router a higher priority"));
                break;
            }
        }
    }
    told
}
