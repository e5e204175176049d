//! Routes into other Compose projects: which containers they lead to, as the engine says it. Compose's labels tell, since a name is
//! anybody's choice (`container_name:`, Compose 1, a number that is not 1).

use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan::observed::Foreign;
use crate::spec::routes::Outside;
use crate::traefik::{Route, Target};

/// What becomes of a route while none of its containers can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The waiting page answers. For whoever hears of each change, and then writes it anew.
    Page,
    /// Their names stay, and Traefik finds nobody: they are reached as soon as they run, also where nobody is there to write it anew.
    Names,
}

/// Leads each route of `outside` among `all` to the containers of its service that are ready on the network that Traefik joins. `containers`:
/// every one on the engine; without them the name that Compose gives is taken.
pub fn lead(
    outside: &[Outside],
    all: &mut [Route],
    containers: Option<&[Foreign]>,
    absent: Absent,
    told: &mut Diagnostics,
) {
    for outside in outside {
        let Some((project, service)) = &outside.into else { continue };
        let Some(route) = all.iter_mut().find(|route| route.name == outside.route.name) else { continue };
        let Target::Container { port, scheme } = &route.target else { continue };
        let network = outside.network.as_deref().unwrap_or_default();
        let of = |c: &&Foreign| c.project.as_ref() == Some(project) && c.service.as_ref() == Some(service);
        let own: Option<Vec<&Foreign>> = containers.map(|all| all.iter().filter(of).collect());
        let mut hosts: Vec<String> = Vec::new();
        if let Some(own) = own {
            let on = |c: &Foreign| c.networks.iter().any(|name| name == network);
            let names = |good: &dyn Fn(&Foreign) -> bool| -> Vec<String> {
                own.iter().filter(|c| good(c)).map(|c| c.name.clone()).collect()
            };
            hosts = names(&|c| c.ready && on(c));
            if hosts.is_empty() {
                told.push(lost(outside, &own, network));
                if absent == Absent::Page {
                    route.target = Target::Nobody(format!("{project}/{service}"));
                    continue;
                }
                hosts = names(&on);
            }
            hosts.sort();
        }
        if hosts.is_empty() {
            hosts.push(format!("{project}-{service}-1"));
        }
        let addresses = hosts.iter().map(|host| route.entry.address(scheme, host, port)).collect();
        route.target = Target::Addresses(addresses);
    }
}

/// Why nothing can answer; it may be there later.
fn lost(outside: &Outside, own: &[&Foreign], network: &str) -> Diagnostic {
    let (project, service) = outside.into.as_ref().map_or(("", ""), |(project, service)| (project, service));
    let on = |c: &&&Foreign| c.networks.iter().any(|name| name == network);
    if let Some(container) = own.iter().filter(on).find(|c| c.running) {
        let title = format!("the route `{}` leads to nobody: {} is not ready", outside.route.service, container.name);
        return Diagnostic::warning("proxy.no-container", title)
            .hint("it is paused, or its health check has not passed")
            .at(outside.route.span);
    }
    let running = own.iter().find(|c| c.running);
    let what = format!("the route `{}` leads to nobody", outside.route.service);
    let d = match (running, own.first()) {
        (Some(container), _) => {
            let title = format!("{what}: {} is not on the network `{network}`", container.name);
            let on: Vec<&str> = container.networks.iter().map(String::as_str).collect();
            Diagnostic::warning("proxy.other-network", title)
                .hint(format!("it is on {}: name one of them in the route, as network: NAME", wording::list(&on)))
        }
        (None, Some(container)) => {
            Diagnostic::warning("proxy.no-container", format!("{what}: {} does not run", container.name))
                .hint(format!("start it: docker start {}", container.name))
        }
        (None, None) => {
            let title = format!("{what}: the project `{project}` has no container of a service `{service}`");
            Diagnostic::warning("proxy.no-container", title)
                .hint(format!("docker compose -p {project} ps shows what it has"))
        }
    };
    d.at(outside.route.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traefik::{Access, route::tests};

    fn foreign(name: &str, project: &str, service: Option<&str>, running: bool, networks: &[&str]) -> Foreign {
        Foreign {
            name: name.into(),
            project: Some(project.into()),
            service: service.map(str::to_string),
            running,
            ready: running,
            networks: networks.iter().map(|n| n.to_string()).collect(),
            ..Foreign::default()
        }
    }

    fn led(foreign: Option<&[Foreign]>) -> (Vec<String>, Vec<String>) {
        let (target, told) = led_with(foreign, Absent::Names);
        let Target::Addresses(addresses) = target else { panic!("it leads to addresses") };
        (addresses, told)
    }

    fn led_with(foreign: Option<&[Foreign]>, absent: Absent) -> (Target, Vec<String>) {
        let route = tests::route("out-photos", "photos.example.org", None, Access::Lan);
        let into = Some(("photos".into(), "server".into()));
        let outside = Outside { route: route.clone(), into, network: Some("photos_default".into()) };
        let (mut all, mut told) = (vec![route], Diagnostics::default());
        lead(&[outside], &mut all, foreign, absent, &mut told);
        (all[0].target.clone(), told.0.iter().map(|d| format!("{}: {}", d.code, d.title)).collect())
    }

    #[test]
    fn whatever_its_containers_are_called_they_are_found_by_their_labels() {
        let all = [
            foreign("photos_server_2", "photos", Some("server"), true, &["photos_default"]),
            foreign("my-photos", "photos", Some("server"), true, &["photos_default", "other"]),
            foreign("photos-server-run-1", "photos", None, true, &["photos_default"]),
            foreign("photos-db-1", "photos", Some("db"), true, &["photos_default"]),
            foreign("else-server-1", "else", Some("server"), true, &["photos_default"]),
            foreign("photos-server-3", "photos", Some("server"), false, &["photos_default"]),
        ];
        let wanted = ["http://my-photos:8080", "http://photos_server_2:8080"].map(String::from).to_vec();
        assert_eq!(led(Some(&all)), (wanted, Vec::new()));
    }

    #[test]
    fn without_a_look_the_usual_name_is_taken() {
        assert_eq!(led(None), (vec!["http://photos-server-1:8080".into()], Vec::new()));
    }

    #[test]
    fn while_nobody_is_ready_the_waiting_page_answers_or_the_names_stay() {
        let mut one = foreign("p", "photos", Some("server"), true, &["photos_default"]);
        let led = |one: &Foreign, absent: Absent| led_with(Some(std::slice::from_ref(one)), absent).0;
        let address = Target::Addresses(vec!["http://p:8080".into()]);
        let page = Target::Nobody("photos/server".into());
        assert_eq!(led(&one, Absent::Page), address);
        one.ready = false;
        assert_eq!((led(&one, Absent::Page), led(&one, Absent::Names)), (page.clone(), address.clone()), "not healthy");
        one.running = false;
        assert_eq!((led(&one, Absent::Page), led(&one, Absent::Names)), (page.clone(), address), "stopped");
        assert_eq!(led_with(Some(&[]), Absent::Page).0, page, "gone");
        assert!(matches!(led_with(None, Absent::Page).0, Target::Addresses(_)), "who was not asked knows nothing");
    }

    #[test]
    fn why_nobody_answers_is_told() {
        let words = |all: &[Foreign]| led(Some(all)).1;
        assert_eq!(
            words(&[]),
            [
                "proxy.no-container: the route `web` leads to nobody: the project `photos` has no container of a service `server`"
            ]
        );
        assert_eq!(
            words(&[foreign("p", "photos", Some("server"), false, &["photos_default"])]),
            ["proxy.no-container: the route `web` leads to nobody: p does not run"]
        );
        assert_eq!(
            words(&[foreign("p", "photos", Some("server"), true, &["front"])]),
            ["proxy.other-network: the route `web` leads to nobody: p is not on the network `photos_default`"]
        );
    }
}
