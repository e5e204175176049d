//! What of a home goes into the file that Traefik reads.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::adopted;
use super::lan::{self, Interface};
use crate::compose::Compat;
use crate::compose::template::{self, Scope, TemplateError};
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan::observed::{EngineFacts, Foreign};
use crate::spec::{Routes, routes};
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

/// All routes with their values; those into other projects lead to the containers that are there. `containers`: every one on
/// the engine, where it was asked.
pub fn resolved(
    routes: &Routes,
    values: &Values,
    containers: Option<&[Foreign]>,
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
    adopted::lead(&routes.outside, &mut all, containers, told);
    // Names that only turn out to be one with their values.
    routes::names_twice(all.iter(), told);
    all
}

/// Who is at home, as this machine sees it now. The machine itself is only where it is sure that nobody else seems to be it.
pub fn lan(home: &Home, read: &Read, engine: Option<&EngineFacts>) -> Vec<String> {
    let seen = engine.is_some_and(|engine| engine.hides_clients.is_empty());
    let v4_only = home.config.traefik.bind.iter().all(IpAddr::is_ipv4);
    let gateways: Vec<IpAddr> = match v4_only && seen {
        true => read.rendered.gateways.values().map(|ip| IpAddr::V4(*ip)).collect(),
        false => Vec::new(),
    };
    lan::ranges(home.config.lan.as_deref(), &interfaces(), home.config.networks, &[], &gateways)
}

/// The address under which devices of the home reach this machine.
pub fn own_address() -> Option<IpAddr> {
    let all = interfaces();
    let home = lan::ranges(None, &all, crate::config::default_networks(), &[], &[]);
    let ranges: Vec<IpNet> = home.iter().filter_map(|range| range.parse().ok()).collect();
    let at_home = |i: &&Interface| i.net.addr().is_ipv4() && ranges.iter().any(|r| r.contains(&i.net.addr()));
    all.iter().find(at_home).map(|i| i.net.addr())
}

/// All addresses of this machine.
pub fn own_addresses() -> Vec<IpAddr> {
    interfaces().iter().map(|i| i.net.addr()).collect()
}

fn interfaces() -> Vec<Interface> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let one = |found: if_addrs::Interface| {
        let prefix = match &found.addr {
            if_addrs::IfAddr::V4(v4) => v4.prefixlen,
            if_addrs::IfAddr::V6(v6) => v6.prefixlen,
        };
        Some(Interface { net: IpNet::new(found.ip(), prefix).ok()?, name: found.name })
    };
    all.into_iter().filter_map(one).collect()
}
