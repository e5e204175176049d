//! What of a home goes into the file that Traefik reads.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::adopted::{self, Absent};
use super::lan::{self, Interface, Machine};
use super::machine;
use crate::compose::Compat;
use crate::compose::template::{self, Scope, TemplateError};
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan::observed::Foreign;
use crate::spec::{Routes, routes};
use crate::stacks::Around;
use crate::stacks::home::{Home, Read, domain_of};
use crate::traefik::Route;

/// The values of `.env`.
pub struct Values(BTreeMap<String, String>);

impl Values {
    pub fn of(home: &Home) -> Result<Values, Diagnostic> {
        home.env_values().map(Values)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The text with its variables; what cannot be filled stays as it is.
    pub fn filled(&self, text: &str) -> String {
        let lookup = |name: &str| self.0.get(name).cloned();
        let mut unset = |_: &str| {};
        let mut scope = Scope { lookup: &lookup, compat: Compat::default(), unset: &mut unset };
        template::substitute(text, &mut scope).unwrap_or_else(|_| text.to_string())
    }

    /// The home's domain, as names are compared.
    pub fn domain(&self) -> Option<String> {
        domain_of(&self.0)
    }
}

/// All routes with their values; those into other projects lead to the containers that are there, `absent` says what where none is.
/// `containers`: every one on the engine, where it was asked.
pub fn resolved(
    routes: &Routes,
    values: &Values,
    containers: Option<&[Foreign]>,
    absent: Absent,
    told: &mut Diagnostics,
) -> Vec<Route> {
    let lookup = |name: &str| values.0.get(name).cloned();
    let mut all = Vec::new();
    for route in routes.all() {
        match route.resolve(&lookup) {
            Ok(route) => all.push(route),
            Err(TemplateError::Required { name, .. }) => {
                let title =
                    format!("the route of `{}` needs the variable {name}, which .env does not set", route.service);
                told.push(
                    Diagnostic::error("proxy.no-value", title).at(route.span).hint(format!("set {name} in .env")),
                );
            }
            Err(_) => {
                let title = format!("the route of `{}` has a `$` that begins no variable", route.service);
                told.push(Diagnostic::error("proxy.no-value", title).at(route.span).hint("write $$ for a plain $"));
            }
        }
    }
    adopted::lead(&routes.outside, &mut all, containers, absent, told);
    // Names that only turn out to be one with their values.
    routes::names_twice(all.iter(), told);
    all
}

/// Who is at home, as this machine sees it now. The machine itself is only where it is sure that nobody else seems to be it.
/// `tunnels`: those that are known.
pub fn lan(home: &Home, read: &Read, around: Option<&Around>, tunnels: &[String]) -> Vec<String> {
    let interfaces = interfaces(home);
    let addresses = itself(home, read, &interfaces);
    let gateways: Vec<IpAddr> = gateways(read).collect();
    let seen = around.is_some_and(|around| around.engine.hides_clients.is_empty());
    let machine = match (tunnels, v4_only(home) && seen) {
        ([], true) => Machine::AtHome(&gateways),
        ([], false) => Machine::AtHome(&[]),
        _ => Machine::Anybody(&addresses),
    };
    let own = home.config.networks.to_string();
    let others = around.iter().flat_map(|around| around.subnets.iter().map(String::as_str));
    let docker: Vec<IpNet> = others.chain([own.as_str()]).filter_map(|range| range.parse().ok()).collect();
    lan::ranges(home.config.lan.as_deref(), &interfaces, &docker, &machine)
}

/// The addresses of this machine that `lan:` of `hearth.yaml` names one by one: they are let in, whoever comes from there.
pub fn named_itself(home: &Home, read: &Read) -> Vec<IpAddr> {
    let itself = itself(home, read, &interfaces(home));
    let said = home.config.lan.iter().flatten().filter(|net| net.prefix_len() == net.max_prefix_len());
    said.map(IpNet::addr).filter(|ip| itself.contains(ip)).collect()
}

/// The addresses under which this machine itself, and whoever comes through a program on it, reaches Traefik.
fn itself(home: &Home, read: &Read, interfaces: &[Interface]) -> Vec<IpAddr> {
    let own = interfaces.iter().map(|i| i.net.addr()).filter(|ip| ip.is_ipv4() || !v4_only(home));
    own.chain(gateways(read)).collect()
}

fn gateways(read: &Read) -> impl Iterator<Item = IpAddr> {
    read.rendered.gateways.values().map(|ip| IpAddr::V4(*ip))
}

fn v4_only(home: &Home) -> bool {
    home.config.traefik.bind.iter().all(IpAddr::is_ipv4)
}

/// The address under which devices of the home reach this machine.
pub fn own_address(home: &Home) -> Option<IpAddr> {
    let all = interfaces(home);
    let docker: Vec<IpNet> = crate::config::default_networks().to_string().parse().into_iter().collect();
    let ranges = lan::ranges(None, &all, &docker, &Machine::AtHome(&[]));
    let ranges: Vec<IpNet> = ranges.iter().filter_map(|range| range.parse().ok()).collect();
    let at_home = |i: &&Interface| i.net.addr().is_ipv4() && ranges.iter().any(|r| r.contains(&i.net.addr()));
    all.iter().find(at_home).map(|i| i.net.addr())
}

/// The networks from which people of the home come, for what is no access but a kindness: nobody gets in by it.
pub fn near(home: &Home) -> Vec<IpNet> {
    let docker: Vec<IpNet> = home.config.networks.to_string().parse().into_iter().collect();
    let ranges = lan::ranges(home.config.lan.as_deref(), &interfaces(home), &docker, &Machine::AtHome(&[]));
    ranges.iter().filter_map(|range| range.parse().ok()).collect()
}

/// All addresses of this machine.
pub fn own_addresses(home: &Home) -> Vec<IpAddr> {
    interfaces(home).iter().map(|i| i.net.addr()).collect()
}

fn interfaces(home: &Home) -> Vec<Interface> {
    machine::interfaces(&machine::state(home))
}
