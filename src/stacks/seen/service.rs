//! A service as every face shows it: how it stands, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::container::Container;
use crate::compose::tree::Node;
use crate::plan::observed::{self, Health, State as Run};
use crate::plan::request;
use crate::spec::needs;
use crate::stacks::home::{Home, Read};

/// One service of a project.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Service {
    pub name: String,
    /// The stack that it stands in; null where no stack names it any more, or it is of an adopted project.
    #[schema(required)]
    pub stack: Option<String>,
    pub profiles: Vec<String>,
    /// Whether the home wants it to run.
    pub on: bool,
    pub state: Standing,
    /// Why it is so, where that is not how it should be.
    #[schema(required)]
    pub why: Option<String>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ServiceState)]
pub enum Standing {
    /// It is off, and nothing of it is there.
    Off,
    /// It is on, and nothing of it is there.
    Missing,
    Running,
    /// It runs, and its health check has not passed yet.
    Starting,
    /// It runs, and its health check fails.
    Unhealthy,
    /// It ends again and again.
    Restarting,
    Paused,
    /// It was stopped, or ended well.
    Stopped,
    /// It is a job, and has ended well: it is as it should be.
    Done,
    /// It ended badly.
    Failed,
}

/// What the stacks name and what is on the engine, by name. `seen`: the containers of that project; `read`: `None` where the stacks cannot be read, which
/// leaves what runs.
pub fn all(home: &Home, read: Option<&Read>, project: &str, seen: &[observed::Container]) -> Vec<Service> {
    let own = project == home.config.name;
    let mut of: BTreeMap<&str, Vec<&observed::Container>> = BTreeMap::new();
    for container in seen {
        let service = container.labels.get(request::SERVICE);
        of.entry(service.map_or("", String::as_str)).or_default().push(container);
    }
    of.remove("");
    let jobs = read.filter(|_| own).map(jobs).unwrap_or_default();
    let mut all = Vec::new();
    for (name, service) in read.filter(|_| own).iter().flat_map(|read| &read.spec.services) {
        let stack = read.and_then(|read| read.spec.stacks.get(service.stack)).map(|stack| stack.name.clone());
        let containers = of.remove(name.as_str()).unwrap_or_default();
        let on = home.has_on(&service.profiles);
        let mut one = judged(name.clone(), stack, service.profiles.clone(), on, &containers);
        let ended = |c: &&observed::Container| c.state == Run::Exited && c.exit_code == 0;
        if one.state == Standing::Stopped && jobs.contains(name.as_str()) && containers.iter().all(ended) {
            (one.state, one.why) = (Standing::Done, None);
        }
        all.push(one);
    }
    // Of an adopted project only what is there is known.
    all.extend(of.into_iter().map(|(name, of)| judged(name.to_owned(), None, Vec::new(), !own, &of)));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Services that run to their end: others wait for that, or they say themselves that they are not started again. What says neither may have been stopped.
fn jobs(read: &Read) -> BTreeSet<&str> {
    let services = &read.spec.services;
    let needs = services.values().flat_map(|service| &service.needs);
    let waited = needs.filter(|need| need.kind == needs::Kind::RunsBefore).map(|need| need.service.as_str());
    let once = services.iter().filter(|(_, service)| {
        let restart = service.node.get("restart").and_then(Node::as_str).unwrap_or_default();
        restart == "no" || restart.starts_with("on-failure")
    });
    waited.chain(once.map(|(name, _)| name.as_str())).collect()
}

/// `of`: its containers.
fn judged(
    name: String,
    stack: Option<String>,
    profiles: Vec<String>,
    on: bool,
    of: &[&observed::Container],
) -> Service {
    // The worst of them is the service's.
    let worst = of.iter().map(|c| standing(c)).max_by_key(|(state, _)| weight(*state));
    let (state, why) = worst.unwrap_or_else(|| match on {
        true => (Standing::Missing, Some("it is on, and has no container: hearth up makes one".to_string())),
        false => (Standing::Off, Some("no profile of it is on".to_string())),
    });
    Service { name, stack, profiles, on, state, why, containers: of.iter().map(|c| Container::of(c)).collect() }
}

/// The worse the higher.
pub fn weight(state: Standing) -> u8 {
    match state {
        Standing::Failed => 7,
        Standing::Restarting => 6,
        Standing::Unhealthy => 5,
        Standing::Paused => 4,
        Standing::Starting => 3,
        Standing::Stopped => 2,
        Standing::Running | Standing::Done => 1,
        Standing::Missing | Standing::Off => 0,
    }
}

fn standing(c: &observed::Container) -> (Standing, Option<String>) {
    let ended = match (c.oom_killed, c.exit_code) {
        (true, _) => "it was killed: it took more memory than it may have".to_string(),
        (false, code) if !c.error.is_empty() => format!("it could not be started ({code}): {}", c.error),
        (false, code) => format!("it ended with {code}"),
    };
    match (c.state, c.health) {
        (Run::Running, Some(Health::Unhealthy)) => {
            (Standing::Unhealthy, Some("its health check fails: its log may say why".into()))
        }
        (Run::Running, Some(Health::Starting)) => {
            (Standing::Starting, Some("its health check has not passed yet".into()))
        }
        (Run::Running, _) => (Standing::Running, None),
        (Run::Paused, _) => (Standing::Paused, Some("somebody has paused it".into())),
        (Run::Restarting, _) => (Standing::Restarting, Some(format!("it ends again and again; last, {ended}"))),
        (Run::Exited, _) if c.exit_code == 0 => (Standing::Stopped, Some("it has ended, or was stopped".into())),
        (Run::Exited, _) if was_stopped(c) => (Standing::Stopped, Some(format!("somebody has stopped it: {ended}"))),
        (Run::Exited | Run::Dead, _) => (Standing::Failed, Some(ended)),
        (Run::Created, _) if !c.error.is_empty() => (Standing::Failed, Some(ended)),
        (Run::Created, _) => (Standing::Stopped, Some("it was made, and never started".into())),
        (Run::Removing, _) => (Standing::Stopped, Some("it is being removed".into())),
    }
}

/// Whether somebody has stopped one that ended with an error. The engine starts again by itself what its policy says so of, unless it was told to stop it; and a
/// program that ends by SIGTERM was asked to. What was killed without such a policy may as well have been killed by the kernel.
fn was_stopped(c: &observed::Container) -> bool {
    const SIGTERM: i64 = 128 + 15;
    let again = ["always", "unless-stopped"].contains(&c.restart.as_str());
    !c.oom_killed && c.error.is_empty() && (again || c.exit_code == SIGTERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_as_its_worst_container_and_says_why() {
        let running = observed::Container { state: Run::Running, ..Default::default() };
        let ill = observed::Container { health: Some(Health::Unhealthy), ..running.clone() };
        let killed = observed::Container { state: Run::Exited, exit_code: 137, oom_killed: true, ..Default::default() };
        let told = |of: &[&observed::Container], on| {
            let one = judged("web".into(), None, Vec::new(), on, of);
            (one.state, one.why.unwrap_or_default())
        };
        assert_eq!(told(&[&running], true), (Standing::Running, String::new()));
        assert_eq!(told(&[&running, &ill], true).0, Standing::Unhealthy);
        let (state, why) = told(&[&killed, &ill], true);
        assert_eq!((state, why.contains("memory")), (Standing::Failed, true));
        assert_eq!((told(&[], true).0, told(&[], false).0), (Standing::Missing, Standing::Off));
        // The engine would have started it again.
        let ended = |exit_code, restart: &str| observed::Container {
            state: Run::Exited,
            exit_code,
            restart: restart.into(),
            ..Default::default()
        };
        for (exit_code, restart, state) in [
            (137, "unless-stopped", Standing::Stopped),
            (1, "always", Standing::Stopped),
            (143, "no", Standing::Stopped),
            (137, "no", Standing::Failed),
            (1, "on-failure", Standing::Failed),
            (1, "", Standing::Failed),
        ] {
            assert_eq!(told(&[&ended(exit_code, restart)], true).0, state, "{exit_code} {restart}");
        }
        let full = observed::Container { oom_killed: true, ..ended(137, "always") };
        let broken = observed::Container { error: "no such device".into(), ..ended(127, "always") };
        assert_eq!((told(&[&full], true).0, told(&[&broken], true).0), (Standing::Failed, Standing::Failed));
    }
}
