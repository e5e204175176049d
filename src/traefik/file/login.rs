//! What asks gate who may enter, and where the panel answers on hosts with a login.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Content, PAGES, Section};
use crate::traefik::forward::wire::Key;
use crate::traefik::forward::{AUTH, IDENTITY, OWN, READ};
use crate::traefik::route::{Access, CLEAN, Door, Entry, OWN_PATH, Route, SHIELD};

/// Bytes of gate's answer that Traefik takes: a page and the cookies of an application.
const ANSWER: usize = 96 << 10;

/// Asks gate about each request; what it gives goes on.
fn asks(key: &Key, access: &str) -> Value {
    // A token of Hearth's goes no further than gate, whether it opens anything or not; any other is the application's own.
    let mut sets = vec!["Cookie", "Authorization"];
    sets.extend(IDENTITY);
    json!({ "forwardAuth": {
        "address": format!("{PAGES}{AUTH}{}?p={access}", key.text()),
        "trustForwardHeader": false,
        "authRequestHeaders": READ,
        "authResponseHeaders": sets,
        "maxBodySize": 1024,
        "maxResponseBodySize": ANSWER,
    } })
}

/// The middlewares that routes name ([`Route::login`]), and the router for [`OWN`].
pub(super) fn add(content: &Content, http: &mut Section) {
    let asked: Vec<&Route> = content.routes.iter().filter(|route| route.door() == Door::Login).collect();
    for route in &asked {
        let value = match content.login {
            None => json!({ "chain": { "middlewares": ["closed"] } }),
            Some(key) => {
                let of = if route.bypass.is_empty() { String::new() } else { format!("&r={}", route.name) };
                asks(key, &format!("{}{of}", route.access))
            }
        };
        http.middleware(&route.login(), value);
    }
    if content.routes.iter().any(Route::is_shielded) {
        let value = match content.login {
            // Nobody can be asked which are ours.
            None => json!({ "headers": { "customRequestHeaders": { "Cookie": "", "Authorization": "" } } }),
            Some(key) => asks(key, &Access::Public.to_string()),
        };
        http.middleware(SHIELD, value);
    }
    let hosts: BTreeSet<&String> = asked
        .iter()
        .filter_map(|route| match &route.entry {
            Entry::Web { hosts, .. } => Some(hosts),
            _ => None,
        })
        .flatten()
        .collect();
    if hosts.is_empty() {
        return;
    }
    let hosts: Vec<String> = hosts.iter().map(|host| format!("Host(`{host}`)")).collect();
    let (service, first) = match content.inner {
        Some(_) => ("hearth", CLEAN),
        None => ("gate", "closed"),
    };
    let rule = format!("PathPrefix(`{OWN}`) && ({})", hosts.join(" || "));
    http.router(
        // No route can be called so.
        "login--own",
        json!({ "entryPoints": ["websecure"], "rule": rule, "priority": OWN_PATH, "middlewares": [first], "service": service, "tls": {} }),
    );
}
