//! Routes that lead where none should: back to Traefik, which would ask itself without end, to what Hearth keeps for itself, to the Docker Engine, and to
//! what only this machine is told. What an address is called is judged, not where DNS leads it: that may change at any time.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::names;
use crate::base::net::{ENGINE, is_told_here_only, plain};
use crate::diag::{Diagnostic, Diagnostics};
use crate::spec::Cidr;
use crate::spec::front;
use crate::stacks::home::Home;
use crate::traefik::{Route, Target};

/// Names of Hearth's own, for Traefik only, end so.
const OWN: [&str; 2] = [".hearth.internal", ".traefik.internal"];
/// This machine, as Traefik calls it.
const MACHINE: &str = "host.docker.internal";

/// Judges where all routes of a home lead; each that may not is told where it stands.
pub fn judge(home: &Home, domain: &str, routes: &[Route], told: &mut Diagnostics) {
    let panel = format!("{}.{domain}", names::PANEL);
    let mut hosts = names::hosts(routes);
    hosts.insert(&panel);
    let traefik = &home.config.traefik;
    let place = Place {
        hosts,
        ports: [traefik.http, traefik.https],
        is_inner: &|ip| matches!(ip, IpAddr::V4(ip) if home.config.networks.contains(Cidr::new(ip, 32))),
    };
    for route in routes {
        let Target::Addresses(all) = &route.target else { continue };
        let wrong = all.iter().find_map(|address| Some((address, place.why_not(address)?)));
        let Some((address, (why, hint))) = wrong else { continue };
        let title = format!("`{address}`, where the route of `{}` leads, {why}", route.service);
        told.push(Diagnostic::error("proxy.leads-inward", title).at(route.span).hint(hint));
    }
}

/// What there is of a home that no route may lead to.
struct Place<'a> {
    /// Of routes and the panel.
    hosts: BTreeSet<&'a str>,
    /// Traefik's, on this machine.
    ports: [u16; 2],
    is_inner: &'a dyn Fn(IpAddr) -> bool,
}

impl Place<'_> {
    /// Why an address is not for a route, as the end of a sentence, and what to write.
    fn why_not(&self, address: &str) -> Option<(&'static str, &'static str)> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let (host, port) = match rest.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())) {
            Some((host, port)) => (host, port.parse().unwrap_or(0)),
            None => (rest, if scheme == "https" { 443 } else { 80 }),
        };
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok().map(plain);
        if ENGINE.contains(&port) {
            return Some((
                "is a port of the Docker Engine, and whoever gets there has this machine",
                "lead the route to a program that asks for a login of its own",
            ));
        }
        if host == "localhost"
            || host.ends_with(".localhost")
            || ip.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified())
        {
            return Some((
                "is Traefik's own container, which would ask itself without end",
                "write host.docker.internal where this machine is meant, and let the program there listen on more than loopback",
            ));
        }
        if ip.is_some_and(is_told_here_only) {
            return Some((
                "is an address at which only this machine is told things",
                "write the address that the other machine has in your network",
            ));
        }
        if OWN.iter().any(|end| host.ends_with(end)) || [front::TRAEFIK, front::GATE].contains(&host.as_str()) {
            return Some(("is Hearth's own, for nobody but Traefik", "the panel is at https://panel.DOMAIN"));
        }
        let here = host == MACHINE || ip.is_some_and(self.is_inner);
        if self.hosts.contains(host.as_str()) || here && self.ports.contains(&port) {
            return Some((
                "leads to this home's own Traefik, which would ask itself without end",
                "write the address and the port of what answers behind it, as http://192.168.1.20:5000",
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> bool {
        let place = Place {
            hosts: BTreeSet::from(["media.example.org", "panel.example.org"]),
            ports: [80, 443],
            is_inner: &|ip| ip.to_string().starts_with("10.213."),
        };
        place.why_not(address).is_some()
    }

    #[test]
    fn hostile_06_no_route_leads_back_to_traefik_or_to_what_is_hearths_own() {
        for address in [
            "https://127.0.0.1:443",
            "http://127.8.8.8:5000",
            "http://[::1]:5000",
            "http://[::ffff:127.0.0.1]:5000",
            "http://0.0.0.0:5000",
            "http://localhost:8096",
            "http://a.localhost.:8096",
            "http://169.254.169.254",
            "http://[fe80::1]:80",
            "http://100.100.100.200",
            "http://gate.hearth.internal:2375",
            "http://GATE.hearth.internal.:8081",
            "https://api.traefik.internal:8082",
            "http://gate:8081",
            "https://traefik",
            "http://host.docker.internal:2375",
            "192.168.1.20:2376",
            "https://media.example.org",
            "https://Panel.example.org.:8443",
            "https://host.docker.internal",
            "http://host.docker.internal",
            "https://10.213.4.1",
            "10.213.4.1:443",
            "localhost:53",
        ] {
            assert!(refused(address), "{address}");
        }
        for address in [
            "http://192.168.1.20:5000",
            "https://192.168.1.20",
            "http://nas",
            "http://host.docker.internal:8096",
            "http://grafana:3000",
            "http://[fd00::1]:80",
            "10.213.4.1:53",
            "host.docker.internal:5432",
            "https://other.example.org",
            "http://example.org",
        ] {
            assert!(!refused(address), "{address}");
        }
    }
}
