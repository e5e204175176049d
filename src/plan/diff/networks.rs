//! Which networks a container is on, and under which names and addresses.

use serde_json::Value;

use super::Found;
use super::value::{is_nothing, same, shown, sorted_words};
use crate::plan::observed::Container;
use crate::plan::wanted::{ContainerRequest, Endpoint};

pub(super) fn compare(wanted: &ContainerRequest, container: &Container, settings: &Value, found: &mut Found) {
    for name in container.networks.keys() {
        // A namespace shared with the host or another container shows networks of its own kind.
        if !wanted.endpoints.is_empty() && !wanted.endpoints.iter().any(|(n, _)| n == name) {
            found.add("networks", Some(name.clone()), None);
        }
    }
    for (name, endpoint) in &wanted.endpoints {
        match container.networks.contains_key(name) {
            true => one(wanted, container, name, endpoint, &settings["Networks"][name], found),
            false => found.add("networks", None, Some(name.clone())),
        }
    }
}

fn one(
    wanted: &ContainerRequest,
    container: &Container,
    network: &str,
    endpoint: &Endpoint,
    actual: &Value,
    found: &mut Found,
) {
    if is_nothing(actual) {
        return;
    }
    let field = |what: &str| format!("network {network} {what}");
    for (key, to) in [("IPv4Address", &endpoint.ipv4_address), ("IPv6Address", &endpoint.ipv6_address)] {
        let from = actual["IPAMConfig"][key].as_str().unwrap_or_default();
        let what = if key == "IPv4Address" { "ipv4_address" } else { "ipv6_address" };
        found.text(&field(what), from, to);
    }
    // The Engine shows the address in use: only one that was asked for can be wrong.
    let mac = actual["MacAddress"].as_str().unwrap_or_default();
    if !endpoint.mac_address.is_empty() && !mac.is_empty() {
        found.text(&field("mac_address"), &mac.to_lowercase(), &endpoint.mac_address.to_lowercase());
    }
    let mut links: Vec<&str> = endpoint.links.iter().map(String::as_str).collect();
    links.sort();
    if sorted_words(&actual["Links"]) != links {
        found.add(field("links"), shown(&actual["Links"]), Some(links.join(" ")).filter(|l| !l.is_empty()));
    }
    let options = serde_json::json!(endpoint.driver_opts);
    if !same(&actual["DriverOpts"], &options) {
        found.add(field("driver_opts"), shown(&actual["DriverOpts"]), shown(&options));
    }
    // Lost names are mended by connecting again; one too many is a difference.
    let by_engine = |alias: &str| {
        container.id.starts_with(alias) || alias == container.name || alias == wanted.name || alias.is_empty()
    };
    let more: Vec<&str> = sorted_words(&actual["Aliases"])
        .into_iter()
        .filter(|alias| !by_engine(alias) && !endpoint.aliases.iter().any(|a| a == alias))
        .collect();
    if !more.is_empty() {
        found.add(field("aliases"), Some(more.join(" ")), None);
    }
}
