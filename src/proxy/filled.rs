//! What the values of `.env` make of a home's routes: judged before anything is written, so that a plan refuses what could not work.

use std::sync::Arc;

use super::adopted::Absent;
use super::content::{self, Values};
use super::{inward, names};
use crate::auth::routed::{Routed, Routes};
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan::observed::Foreign;
use crate::spec::{Mode, keys};
use crate::stacks::home::known::Readings;
use crate::stacks::home::{Home, Read};
use crate::traefik::route::Door as Guard;
use crate::traefik::{Access, Entry, Route, Target};

/// A home's routes, as far as people are concerned; `None` where its stacks cannot be read.
pub fn routed(home: &Home) -> Option<Vec<Routed>> {
    home.read().ok().map(|read| routed_in(home, &read))
}

fn routed_in(home: &Home, read: &Read) -> Vec<Routed> {
    let group = |access: &Access| match access {
        Access::Group(name) => Some(name.clone()),
        _ => None,
    };
    let asks = home.config.mode == Mode::Domain;
    let one = |route: &Route| Routed {
        service: route.service.clone(),
        group: group(&route.access),
        // On ports of this machine nobody asks.
        login: asks && route.door() == Guard::Login && route.access != Access::Admin,
    };
    read.rendered.routes.all().map(one).collect()
}

/// The same of a home as it is whenever they are looked at.
pub fn routes_of(readings: Arc<Readings>) -> Routes {
    Routes::new(move || readings.now().ok().map(|known| routed_in(&known.home, &known.read)))
}

/// The home's domain, and all routes with their values. What is wrong with them is in `told`. `containers`: every one on the engine,
/// where it was asked.
pub fn routes(
    home: &Home,
    read: &Read,
    values: &Values,
    containers: Option<&[Foreign]>,
    absent: Absent,
    told: &mut Diagnostics,
) -> (String, Vec<Route>) {
    let routes = content::resolved(&read.rendered.routes, values, containers, absent, told);
    let domain = values.domain().unwrap_or_default();
    names::judge(&domain, &routes, told);
    routes.iter().for_each(|route| judge(route, told));
    inward::judge(home, &domain, &routes, told);
    (domain, routes)
}

/// What only its value tells of one route, besides its names. One that was written out was judged where it stands.
fn judge(route: &Route, told: &mut Diagnostics) {
    let mut wrong = |title: String, hint: &str| {
        told.push(
            Diagnostic::error("proxy.bad-value", title)
                .at(route.span)
                .hint(hint)
                .hint("it comes from a variable: .env has its value"),
        );
    };
    match &route.target {
        Target::Container { port, .. } if !keys::is_port(port) => {
            wrong(format!("`{port}`, where the route of `{}` leads, is no port", route.service), PORT);
        }
        Target::Container { .. } | Target::Nobody(_) => {}
        Target::Addresses(all) => {
            let raw = !matches!(route.entry, Entry::Web { .. });
            let good = |address: &&String| if raw { keys::is_address(address) } else { keys::is_url(address) };
            for address in all.iter().filter(|address| !good(address)) {
                let title = format!("`{address}` is no address that the route of `{}` can lead to", route.service);
                wrong(title, if raw { "write ADDRESS:PORT, as 192.168.1.20:53" } else { URL });
            }
        }
    }
    if let Some(path) = route.health.as_ref().filter(|path| !keys::is_path(path)) {
        wrong(
            format!("`{path}`, by which the route of `{}` is tested, is no path", route.service),
            "write it as /health",
        );
    }
    for (name, value) in route.request_headers.iter().chain(&route.response_headers) {
        if value.chars().any(char::is_control) {
            let title = format!(
                "the header `{name}` of the route of `{}` has a line break or control character in its value",
                route.service
            );
            wrong(title, "write it in one line");
        }
    }
}

const PORT: &str = "a port is a number from 1 to 65535";
const URL: &str = "write http:// or https:// with a host and no path, as http://192.168.1.20:5000";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traefik::{Access, route::tests};

    fn told(change: impl FnOnce(&mut Route)) -> Vec<String> {
        let mut route = tests::route("r", "a.example.org", None, Access::Public);
        change(&mut route);
        let mut told = Diagnostics::default();
        judge(&route, &mut told);
        assert!(told.0.iter().all(|d| d.code == "proxy.bad-value" && !d.hints.is_empty()));
        told.0.into_iter().map(|d| d.title).collect()
    }

    #[test]
    fn a_value_that_is_no_port_address_path_or_header_is_refused() {
        let port = |text: &str| {
            let target = Target::Container { port: text.into(), scheme: "http".into() };
            told(|route| route.target = target)
        };
        assert_eq!(port("abc"), ["`abc`, where the route of `web` leads, is no port"]);
        assert_eq!((port("").len(), port("0").len(), port("8080`)").len(), port("8080").len()), (1, 1, 1, 0));
        let url = |text: &str| told(|route| route.target = Target::Addresses(vec![text.into()]));
        assert_eq!(url("http://host.docker.internal:abc").len(), 1);
        assert_eq!((url("nas").len(), url("http://nas:5000").len()), (1, 0));
        let raw = |text: &str| {
            told(|route| {
                route.entry = Entry::Tcp(5432);
                route.target = Target::Addresses(vec![text.into()]);
            })
        };
        assert_eq!((raw("nas").len(), raw("http://nas:1").len(), raw("nas:5432").len()), (1, 1, 0));
        assert_eq!(told(|route| route.health = Some("health".into())).len(), 1);
        let header = told(|route| drop(route.request_headers.insert("X-A".into(), "a\r\nRemote-User: root".into())));
        assert_eq!(header.len(), 1);
        assert!(!header[0].contains("root"), "a value may be a secret: {header:?}");
    }
}
