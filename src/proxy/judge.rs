//! What of a home's routes cannot work, or will surprise, as the images and containers on this machine tell.

use std::net::IpAddr;

use super::adopted::Absent;
use super::content::{self, Values};
use super::{certificates, door, filled, look, machine, names, place, tunnels};
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics, Kind};
use crate::engine::docker::own;
use crate::plan::observed::{Image, Observed};
use crate::plan::wanted::{VERSION_LABEL, Wanted};
use crate::spec::front;
use crate::spec::stack::is_traefik_label;
use crate::stacks::Around;
use crate::stacks::home::{Home, Read};
use crate::traefik::{Door, Entry, Route, Target, statics};

/// The code of a Traefik below the minimum.
pub const TOO_OLD: &str = "proxy.traefik-too-old";

/// All of it; an error means that nothing should be started.
pub fn judge(home: &Home, read: &Read, seen: Option<(&Wanted, &Observed)>) -> Diagnostics {
    let mut told = Diagnostics::default();
    let around = seen.map(|(wanted, observed)| Around::of(observed, Some(wanted)));
    match Values::of(home) {
        Ok(values) => {
            let containers = around.as_ref().map(|around| around.containers.as_slice());
            let (domain, routes) = filled::routes(home, read, &values, containers, Absent::Names, &mut told);
            uncovered(home, read, &domain, &routes, &mut told);
            place::foresee(home, door::owner(&values)).unwrap_or_else(|why| told.push(why));
        }
        Err(why) => told.push(why),
    }
    tunnelled(home, read, &tunnels::seen(around.as_ref(), || machine::programs(&machine::state(home))), &mut told);
    leads_off(home, read, &mut told);
    stripped(read, &mut told);
    if let Some((wanted, observed)) = seen {
        on_engine(home, read, wanted, observed, &mut told);
    }
    told
}

/// What images and the engine tell.
fn on_engine(home: &Home, read: &Read, wanted: &Wanted, observed: &Observed, told: &mut Diagnostics) {
    let image_of = |service: &str| {
        let wanted = wanted.services.get(service)?;
        observed.images.get(&wanted.service.image_or_default(&home.config.name, service))
    };
    if let Some(traefik) = wanted.services.get(front::TRAEFIK) {
        version(
            home,
            &traefik.service.image_or_default(&home.config.name, front::TRAEFIK),
            image_of(front::TRAEFIK),
            told,
        );
    }
    if let Some(gate) = wanted.services.get(front::GATE).and_then(|gate| gate.build.as_ref()) {
        made_of_this(observed.images.get(&gate.image), observed, told);
    }
    for (service, routes) in &read.rendered.routes.services {
        let Some(image) = image_of(service) else { continue };
        for route in routes {
            if let Target::Container { port, .. } = &route.target {
                exposed(service, port, image, route.span, told);
            }
        }
    }
    beside(read, wanted, told);
    hidden(read, home, &observed.engine.hides_clients, told);
    for name in wanted.services.keys() {
        let Some(image) = image_of(name) else { continue };
        dropped(name, image, read, told);
    }
}

/// Routes that take their path away behind a login.
fn stripped(read: &Read, told: &mut Diagnostics) {
    for route in read.rendered.routes.all() {
        let Entry::Web { strip: true, .. } = &route.entry else { continue };
        if route.door() == Door::Login {
            let title = format!("the route of `{}` takes its path away behind a login", route.service);
            told.push(
                Diagnostic::warning("lint.strip-prefix-login", title)
                    .at(route.span)
                    .hint("rewritten paths have led past logins before: give it a host of its own instead of a path"),
            );
        }
    }
}

/// Gate's image, where it is made of this program: whether it can be, and whether what is there is of this Hearth.
fn made_of_this(image: Option<&Image>, observed: &Observed, told: &mut Diagnostics) {
    let ours = env!("CARGO_PKG_VERSION");
    let Some(image) = image else {
        if let Some(why) = own::obstacle(&observed.engine.os, &observed.engine.arch) {
            told.push(*own::refusal(&why).diagnostic);
        }
        return;
    };
    let theirs = image.config["Labels"][VERSION_LABEL].as_str().unwrap_or("of unknown version");
    if theirs != ours {
        let title = format!("gate runs a Hearth {theirs}, and this is Hearth {ours}");
        told.push(Diagnostic::warning("lint.gate-version", title).hint("make its image anew with: hearth up --build"));
    }
}

/// Hosts for which browsers will be shown a certificate that is not theirs. Only of routes that are on.
fn uncovered(home: &Home, read: &Read, domain: &str, routes: &[Route], told: &mut Diagnostics) {
    if domain.is_empty() {
        return;
    }
    let panel = format!("{}.{domain}", names::PANEL);
    if !certificates::uncovered(home, std::slice::from_ref(&panel)).is_empty() {
        // Then all right under it are outside too.
        let title = format!(
            "no certificate is for names under {domain}, nor will be: the root of the home's own CA was made for another domain"
        );
        told.push(
            Diagnostic::warning("lint.host-uncovered", title)
                .hint("make a new root, which every device has to be told to trust: hearth certs new-ca")
                .hint("or bring a certificate: hearth certs import; or let an authority issue them: certificates: {issuer: acme} in hearth.yaml"),
        );
    }
    for route in routes.iter().filter(|route| look::is_on(home, read, route)) {
        let Entry::Web { hosts, .. } = &route.entry else { continue };
        let under = |host: &&String| host.split_once('.').is_some_and(|(_, parent)| parent == domain);
        let apart: Vec<String> = hosts.iter().filter(|host| !under(host)).cloned().collect();
        for host in certificates::uncovered(home, &apart) {
            let title = format!("no certificate is for {host}, nor will be: browsers refuse it, or warn");
            told.push(
                Diagnostic::warning("lint.host-uncovered", title)
                    .at(route.span)
                    .hint(format!("the home's own CA may sign for private names and for names under {domain} only, since devices trust it"))
                    .hint("bring a certificate for it: hearth certs import; or let an authority issue them: certificates: {issuer: acme} in hearth.yaml"),
            );
        }
    }
}

/// Routes of `hearth.yaml` into this very home, to a service that is off. Those of stacks are off with their service, as they should be.
fn leads_off(home: &Home, read: &Read, told: &mut Diagnostics) {
    for outside in &read.rendered.routes.outside {
        let host = match (&outside.into, &outside.route.target) {
            (Some((project, service)), _) if *project == home.config.name => service.as_str(),
            (Some(_), _) => continue,
            (None, Target::Addresses(all)) => all.first().map(|address| host_of(address)).unwrap_or_default(),
            (None, Target::Container { .. } | Target::Nobody(_)) => continue,
        };
        // By its own name, or by its container's.
        let short = host.strip_prefix(&format!("{}-", home.config.name)).and_then(|rest| rest.strip_suffix("-1"));
        let found = [Some(host), short].into_iter().flatten().find_map(|name| read.spec.services.get_key_value(name));
        let Some((service, spec)) = found else { continue };
        if home.has_on(&spec.profiles) {
            continue;
        }
        let title = format!(
            "the route `{}` leads to the service `{service}`, which is off with its profile {}",
            outside.route.service,
            spec.profiles.join(", ")
        );
        told.push(
            Diagnostic::warning("lint.route-off", title)
                .at(outside.route.span)
                .hint(format!("turn it on: hearth up {}", spec.profiles[0])),
        );
    }
}

/// The host of `http://grafana:3000` or `grafana:53`.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

/// A port that a stack publishes itself is a way in that no `access` is asked at.
fn beside(read: &Read, wanted: &Wanted, told: &mut Diagnostics) {
    for (service, routes) in &read.rendered.routes.services {
        let Some(route) = routes.iter().find(|route| route.door() != Door::Open) else { continue };
        let ports = wanted.services.get(service).map(|s| s.service.ports.as_slice()).unwrap_or_default();
        let here_only = |ip: &str| ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let open: Vec<String> = ports
            .iter()
            .filter(|port| !here_only(&port.host_ip))
            .map(
                |port| if port.published.is_empty() { "of the engine's choice".into() } else { port.published.clone() },
            )
            .collect();
        if open.is_empty() {
            continue;
        }
        let title = format!(
            "`{service}` has `access: {}`, and its stack publishes the port {} of this machine: whoever reaches that is not asked",
            route.access,
            wording::list(&open)
        );
        told.push(
            Diagnostic::warning("lint.port-beside-door", title)
                .at(route.span)
                .hint("take it out of `ports:`, or publish it on this machine only, as \"127.0.0.1:8080:80\""),
        );
    }
}

/// `access: lan` believes the address that a connection comes from.
fn hidden(read: &Read, home: &Home, why: &str, told: &mut Diagnostics) {
    let six = home.config.traefik.bind.iter().any(|ip| ip.is_ipv6());
    let why = match (why, six) {
        ("", false) => return,
        ("", true) => "over IPv6 it may pass connections on under its own address, unless its networks have IPv6 too",
        (why, _) => why,
    };
    let Some(route) = read.rendered.routes.all().find(|route| route.asks_lan()) else { return };
    let title = format!(
        "`access: lan` of `{}` cannot be promised on this engine: {why}, so everybody seems to come from one address",
        route.service
    );
    told.push(
        Diagnostic::warning("lint.lan-hidden", title)
            .at(route.span)
            .hint("that address is not let in unless hearth.yaml names it in `lan:`; do not name it there"),
    );
}

/// Who comes by a tunnel seems to be this machine: so where there is one, `access: lan` does not let this machine in.
pub fn tunnelled(home: &Home, read: &Read, tunnels: &[String], told: &mut Diagnostics) {
    let route = read.rendered.routes.all().find(|route| route.asks_lan());
    let Some(route) = route.filter(|_| !tunnels.is_empty()) else { return };
    let named: Vec<String> = content::named_itself(home, read).iter().map(ToString::to_string).collect();
    let are = tunnels::are(tunnels);
    let told_at = |title: String| Diagnostic::warning("lint.lan-tunnel", title).at(route.span);
    let own_rules =
        "who may come in by the tunnel is for the tunnel's own access rules, and for a route with another `access`";
    match home.config.lan {
        // Whoever named the home, and this machine not alone, has had the last word.
        Some(_) if named.is_empty() => {}
        Some(_) => told.push(
            told_at(format!(
                "{are}: who comes by it may come from {}, which `lan:` of hearth.yaml names, and enter where `access: lan` stands, as at `{}`",
                wording::list(&named),
                route.service
            ))
            .hint("take the addresses of this machine out of `lan:` in hearth.yaml")
            .hint(own_rules),
        ),
        None => told.push(
            told_at(format!(
                "{are}, by which the world may come in as if from this machine: `access: lan` of `{}` does not let in this machine itself, nor its containers",
                route.service
            ))
            .hint("say who is at home, as lan: [192.168.1.0/24] in hearth.yaml: then this is said no more")
            .hint(own_rules),
        ),
    }
}

/// The version by the image's tag or by what its maker wrote into it. Where neither tells, Traefik is asked once it runs.
pub fn image_version(reference: &str, image: Option<&Image>) -> Option<(u32, u32, u32)> {
    let label = image.and_then(|i| i.config["Labels"][VERSION_LABEL].as_str());
    statics::version(reference).or_else(|| label.and_then(statics::version))
}

fn version(home: &Home, reference: &str, image: Option<&Image>, told: &mut Diagnostics) {
    if let Some(found) = image_version(reference, image).filter(|found| *found < home.config.traefik.minimum) {
        told.push(too_old(found, home.config.traefik.minimum));
    }
}

/// The refusal of a Traefik with known ways past a login.
pub fn too_old(found: (u32, u32, u32), minimum: (u32, u32, u32)) -> Diagnostic {
    let shown = |(a, b, c): (u32, u32, u32)| format!("{a}.{b}.{c}");
    let title = format!(
        "this is Traefik {}; below {} it has published holes by which a request gets past a login (CVE-2026-71326, CVE-2026-71324)",
        shown(found),
        shown(minimum)
    );
    Diagnostic::error(TOO_OLD, title)
        .kind(Kind::Invalid)
        .hint(format!("set TRAEFIK_IMAGE={} in .env, or remove that line", statics::IMAGE))
        .hint("where it must be: traefik: {minimum: \"VERSION\"} in hearth.yaml")
}

/// An image that says which ports it has, and not this one: most likely a slip.
fn exposed(service: &str, port: &str, image: &Image, span: Option<crate::diag::Span>, told: &mut Diagnostics) {
    let Some(ports) = image.config["ExposedPorts"].as_object().filter(|ports| !ports.is_empty()) else { return };
    if port.parse::<u16>().is_err()
        || ports.contains_key(&format!("{port}/tcp"))
        || ports.contains_key(&format!("{port}/udp"))
    {
        return;
    }
    let mut known: Vec<&str> = ports.keys().map(|p| p.trim_end_matches("/tcp")).collect();
    known.sort_by_key(|p| p.parse::<u16>().unwrap_or(u16::MAX));
    let title = format!("the route of `{service}` leads to port {port}, which its image does not name");
    told.push(Diagnostic::warning("lint.route-port", title).at(span).hint(format!(
        "its image names {}; if the service listens on {port} by its settings, all is well",
        known.join(", ")
    )));
}

/// Labels for Traefik that an image brings: gate drops them, which whoever expects them to work should know.
fn dropped(service: &str, image: &Image, read: &Read, told: &mut Diagnostics) {
    let Some(labels) = image.config["Labels"].as_object() else { return };
    let mut found: Vec<&str> = labels.keys().map(String::as_str).filter(|key| is_traefik_label(key)).collect();
    if found.is_empty() {
        return;
    }
    found.sort_unstable();
    let span = read.spec.services.get(service).map(|s| s.key);
    let title = format!("the image of `{service}` brings labels for Traefik, which are dropped: {}", found.join(", "));
    told.push(
        Diagnostic::warning("lint.image-labels", title)
            .at(span)
            .hint("what should be reachable has a route: x-hearth: {route: {host: NAME, port: NUMBER}}"),
    );
}
