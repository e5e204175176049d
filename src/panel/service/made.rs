//! What a service's container is made of.

use std::borrow::Cow;

use crate::base::units;
use crate::panel::words::Moment;
use crate::stacks::json::containers::{Address, Inspected, Limits, Mount};
use crate::stacks::seen::container::Port;
use crate::web::Lang;

/// A word, and what is so of it.
#[derive(Debug, Clone, Default)]
pub struct Fact {
    pub word: String,
    pub values: Vec<Said>,
}

/// One value, with the moment that it is of.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub text: String,
    pub when: Option<Moment>,
}

impl Fact {
    pub fn of(word: Cow<'_, str>, text: String) -> Fact {
        Fact { word: word.into_owned(), values: vec![Said { text, when: None }] }
    }

    fn all(word: Cow<'_, str>, texts: impl IntoIterator<Item = String>) -> Fact {
        let said = |text| Said { text, when: None };
        let texts = texts.into_iter().filter(|text: &String| !text.is_empty());
        Fact { word: word.into_owned(), values: texts.map(said).collect() }
    }
}

pub fn of(lang: Lang, one: &Inspected) -> Vec<Fact> {
    let word = |key: &str| lang.say(key);
    let all = vec![
        Fact::all(word("service-image"), [one.container.image.clone()]),
        Fact::all(word("service-digest"), digest(one)),
        Fact::all(word("service-ports"), one.container.ports.iter().map(|at| port(lang, at))),
        Fact::all(word("service-mounts"), one.mounts.iter().map(|at| mount(lang, at))),
        Fact::all(word("service-networks"), one.addresses.iter().map(|at| address(lang, at))),
        Fact::all(word("service-limits"), limits(lang, &one.limits)),
        Fact::all(word("service-command"), [one.command.join(" ")]),
        Fact::all(word("service-policy"), [one.restart_policy.clone()]),
        Fact::all(word("service-variables"), [one.environment.join(", ")]),
    ];
    all.into_iter().filter(|fact| !fact.values.is_empty()).collect()
}

/// As registries know it, or else its id.
fn digest(one: &Inspected) -> Vec<String> {
    let known = one.image_digests.iter().filter_map(|name| name.split_once('@').map(|(_, digest)| digest.to_owned()));
    let mut known: Vec<String> = known.collect();
    known.dedup();
    if known.is_empty() { vec![one.container.image_id.clone()] } else { known }
}

fn port(lang: Lang, port: &Port) -> String {
    let ip = if port.ip.contains(':') { format!("[{}]", port.ip) } else { port.ip.clone() };
    let at = if ip.is_empty() { port.port.to_string() } else { format!("{ip}:{}", port.port) };
    match port.target {
        Some(target) => lang.with(
            "service-port-to",
            [("port", at.into()), ("target", target.to_string().into()), ("protocol", port.protocol.as_str().into())],
        ),
        None => format!("{at} ({})", port.protocol),
    }
}

fn mount(lang: Lang, mount: &Mount) -> String {
    let values = [
        ("source", mount.source.as_str().into()),
        ("target", mount.target.as_str().into()),
        ("kind", mount.kind.as_str().into()),
    ];
    let words = lang.with(if mount.writable { "service-mount" } else { "service-mount-read" }, values);
    match &mount.disk {
        Some(disk) => {
            let (free, total) = (units::bytes(disk.free), units::bytes(disk.total));
            let on = lang.with(
                "service-disk",
                [("at", disk.at.as_str().into()), ("free", free.into()), ("total", total.into())],
            );
            format!("{words}; {on}")
        }
        None => words,
    }
}

fn address(lang: Lang, at: &Address) -> String {
    let names = at.names.join(", ");
    match (at.ip.is_empty(), names.is_empty()) {
        (true, _) => at.network.clone(),
        (false, true) => format!("{}: {}", at.network, at.ip),
        (false, false) => {
            let values =
                [("network", at.network.as_str().into()), ("ip", at.ip.as_str().into()), ("names", names.into())];
            lang.with("service-address", values)
        }
    }
}

fn limits(lang: Lang, limits: &Limits) -> Vec<String> {
    let none = limits.memory.is_none() && limits.cpus.is_none() && limits.pids.is_none();
    let memory = limits.memory.map(|n| lang.with("service-limit-memory", [("limit", units::bytes(n).into())]));
    let cpus = limits.cpus.map(|n| lang.with("service-limit-cpus", [("limit", format!("{n}").into())]));
    let pids = limits.pids.map(|n| lang.with("service-limit-pids", [("limit", n.into())]));
    let none = none.then(|| lang.say("service-limit-none").into_owned());
    [memory, cpus, pids, none].into_iter().flatten().collect()
}
