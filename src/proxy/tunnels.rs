//! Tunnels: programs by which the world comes in to this machine from within. Whoever comes by one seems to be this machine itself.

use std::collections::BTreeSet;

use crate::base::wording;
use crate::stacks::Around;

/// Words of an image's name that say what it is.
const IMAGES: [&str; 17] = [
    "bore",
    "boringproxy",
    "chisel",
    "cloudflared",
    "frpc",
    "inlets",
    "localtonet",
    "localtunnel",
    "netbird",
    "newt",
    "ngrok",
    "pagekite",
    "playit",
    "rathole",
    "tailscale",
    "tailscaled",
    "zrok",
];

/// Images whose own name says nothing, with their owner.
const OWNED: [&str; 1] = ["twingate/connector"];

/// Programs, as the kernel names their processes.
const PROGRAMS: [&str; 17] = [
    "bore",
    "boringproxy",
    "chisel",
    "cloudflared",
    "frpc",
    "inlets",
    "inlets-pro",
    "localtonet",
    "netbird",
    "newt",
    "ngrok",
    "playit",
    "playit-agent",
    "playitd",
    "rathole",
    "tailscaled",
    "zrok",
];

/// Whether an image is a tunnel, by the name of its repository: `docker.io/cloudflare/cloudflared:2025.1.0`, `registry/mirror/newt`.
pub fn is_image(reference: &str) -> bool {
    let repository = repository(reference).to_ascii_lowercase();
    let own = repository.rsplit('/').next().unwrap_or_default();
    let says = own.split(['-', '_', '.']).any(|word| IMAGES.contains(&word));
    says || OWNED.iter().any(|name| repository == *name || repository.ends_with(&format!("/{name}")))
}

/// A reference without tag and digest.
fn repository(reference: &str) -> &str {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    // A colon before the last slash is a registry's port.
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}

/// Whether a program is one, by the name of its process.
pub fn is_program(name: &str) -> bool {
    PROGRAMS.contains(&name)
}

/// The tunnels that are there, or about to be, in words; empty where none is known. Stopped containers count: they may be started at
/// any time, by anybody. `programs`: what runs on this machine.
pub fn seen(around: Option<&Around>, programs: impl FnOnce() -> BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(around) = around {
        let there = around.containers.iter().filter(|c| is_image(&c.image));
        found.extend(there.map(|c| format!("the container {} ({})", c.name, c.image)));
        if found.is_empty() {
            let coming = around.coming.iter().filter(|(_, image)| is_image(image));
            found.extend(coming.map(|(service, image)| format!("the service {service} ({image})")));
        }
    }
    // The process of a container that was found would only be the same tunnel again.
    if found.is_empty() {
        let running = programs();
        let running = PROGRAMS.iter().filter(|name| running.contains(**name));
        found.extend(running.map(|name| format!("the program {name} on this machine")));
    }
    found
}

/// `the container a (x) is a tunnel`.
pub fn are(tunnels: &[String]) -> String {
    let verb = if tunnels.len() == 1 { "is a tunnel" } else { "are tunnels" };
    format!("{} {verb}", wording::list(tunnels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::observed::Foreign;

    #[test]
    fn tunnels_are_known_by_the_name_of_their_image_wherever_it_comes_from() {
        for tunnel in [
            "cloudflare/cloudflared",
            "cloudflare/cloudflared:2025.11.1",
            "docker.io/cloudflare/cloudflared:latest@sha256:0123",
            "registry.home.arpa:5000/mirror/cloudflared:1",
            "tailscale/tailscale:stable",
            "ghcr.io/tailscale/tailscale",
            "ngrok/ngrok:3-alpine",
            "fosrl/newt:1.6",
            "rapiz1/rathole",
            "snowdreamtech/frpc:0.65",
            "fatedier/frpc:v0.65.0",
            "ghcr.io/inlets/inlets-pro:0.11",
            "ghcr.io/playit-cloud/playit-agent:0.16",
            "jpillora/chisel",
            "openziti/zrok",
            "twingate/connector:1",
            "home-cloudflared",
        ] {
            assert!(is_image(tunnel), "{tunnel}");
        }
        for other in [
            "",
            "traefik:v3.7",
            "nginx:1.29",
            "ngrok/other-thing",
            "fatedier/frps:v0.65.0",
            "newton/app:newt",
            "localhost:5000/app",
            "chiselled/app",
            "sha256:0123456789",
            "someone/connector",
        ] {
            assert!(!is_image(other), "{other}");
        }
    }

    #[test]
    fn containers_what_is_about_to_start_and_programs_count() {
        let running = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<BTreeSet<_>>();
        assert!(seen(Some(&Around::default()), || running(&["bash", "newts"])).is_empty());
        let container = Foreign { name: "way-in".into(), image: "fosrl/newt:1".into(), ..Foreign::default() };
        let there = Around { containers: vec![container, Foreign::default()], ..Around::default() };
        assert_eq!(seen(Some(&there), || running(&["newt"])), ["the container way-in (fosrl/newt:1)"]);
        let coming = Around { coming: vec![("vpn".into(), "tailscale/tailscale".into())], ..Around::default() };
        assert_eq!(seen(Some(&coming), || running(&[])), ["the service vpn (tailscale/tailscale)"]);
        let programs = seen(None, || running(&["cloudflared", "tailscaled"]));
        assert_eq!(
            are(&programs),
            "the program cloudflared on this machine and the program tailscaled on this machine are tunnels"
        );
    }
}
