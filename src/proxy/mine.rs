//! The services that somebody may enter, as their start page shows them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::content::Values;
use super::{cli, is_on};
use crate::auth::who::{Identity, Role};
use crate::diag::Diagnostic;
use crate::spec::Mode;
use crate::stacks::home::known::Readings;
use crate::stacks::home::{Home, Read};
use crate::traefik::Access;
use crate::traefik::forward::wire::Guest;
use crate::traefik::route::Entry;

/// A change of the home's files is seen after so long at most.
const KEPT: Duration = Duration::from_secs(5);

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mine {
    pub service: String,
    /// What its stack is called, or says of itself.
    pub about: String,
    pub url: String,
    pub access: Access,
}

impl Mine {
    /// Whether somebody gets in, as far as that depends on who they are.
    pub fn admits(&self, who: &Identity) -> bool {
        let guest = Guest { admin: who.role == Role::Admin, groups: &who.groups, only: &who.only };
        match &self.access {
            // Nobody is asked there: what somebody is here for alone is all that they are shown.
            Access::Public | Access::Lan => who.only.is_empty() || who.only.contains(&self.service),
            access => access.admits(guest, &[&self.service]),
        }
    }
}

/// All ways in to a home that are on.
pub struct Ways {
    readings: Arc<Readings>,
    kept: Mutex<Option<(Instant, Vec<Mine>)>>,
}

impl Ways {
    pub fn new(readings: Arc<Readings>) -> Ways {
        Ways { readings, kept: Mutex::default() }
    }

    /// Those of one person, in the order of the stacks. Reads the home's files, on a thread where that may take its time. While they cannot be read
    /// (somebody is editing them) it is what it was before.
    pub async fn of(self: Arc<Self>, who: &Identity) -> Vec<Mine> {
        let all = tokio::task::spawn_blocking(move || self.all()).await.unwrap_or_default();
        all.into_iter().filter(|way| way.admits(who)).collect()
    }

    fn all(&self) -> Vec<Mine> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, all)) = kept.as_ref().filter(|(at, _)| at.elapsed() < KEPT) {
            return all.clone();
        }
        let all = match self.readings.now().map(|known| ways(&known.home, &known.read)) {
            Ok(Ok(all)) => all,
            _ => kept.take().map(|(_, all)| all).unwrap_or_default(),
        };
        *kept = Some((Instant::now(), all.clone()));
        all
    }
}

fn ways(home: &Home, read: &Read) -> Result<Vec<Mine>, Diagnostic> {
    let about = |service: &str| {
        let stack = read.spec.services.get(service).and_then(|s| read.spec.stacks.get(s.stack));
        let said = stack.and_then(|stack| stack.keys.title.clone().or(Some(stack.name.clone())));
        said.unwrap_or_default()
    };
    if home.config.mode == Mode::Localhost {
        let ports = cli::routes::ports(home, read)?.into_iter().filter(|(_, url, on)| *on && url.starts_with("http"));
        // On 127.0.0.1 nobody is asked who they are.
        let mine = |(service, url, _): (String, String, bool)| Mine {
            about: about(&service),
            service,
            url,
            access: Access::Public,
        };
        return Ok(ports.map(mine).collect());
    }
    let values = Values::of(home)?;
    let lookup = |name: &str| values.get(name).map(str::to_owned);
    let port = home.config.traefik.https;
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let mut all = Vec::new();
    for route in read.rendered.routes.all().filter(|route| is_on(home, read, route)) {
        let Ok(route) = route.resolve(&lookup) else { continue };
        let Entry::Web { hosts, path, .. } = &route.entry else { continue };
        let Some(host) = hosts.first() else { continue };
        let url = format!("https://{host}{port}{}", path.as_deref().unwrap_or("/"));
        let about = about(&route.service);
        all.push(Mine { service: route.service, about, url, access: route.access });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::who::By;

    #[test]
    fn everybody_sees_what_is_open_to_them() {
        let who = |role, groups: &[&str]| Identity {
            user: 1,
            name: "ada".into(),
            role,
            groups: groups.iter().map(|g| g.to_string()).collect(),
            only: Vec::new(),
            by: By::Session("s".into()),
        };
        let way = |access: &str| Mine {
            service: "web".into(),
            about: String::new(),
            url: String::new(),
            access: access.parse().unwrap(),
        };
        assert!(way("user").admits(&who(Role::Viewer, &[])) && way("lan-or-user").admits(&who(Role::Member, &[])));
        assert!(!way("admin").admits(&who(Role::Operator, &[])) && way("admin").admits(&who(Role::Admin, &[])));
        assert!(!way("group:family").admits(&who(Role::Member, &["friends"])));
        assert!(way("group:family").admits(&who(Role::Member, &["friends", "family"])));
        let guest = |only: &str| Identity { only: vec![only.into()], ..who(Role::Member, &["family"]) };
        for (access, named, other) in [
            ("public", true, false),
            ("lan", true, false),
            ("lan-or-user", true, false),
            ("user", true, false),
            ("group:family", true, true),
            ("group:other", true, false),
            ("admin", false, false),
        ] {
            assert_eq!(
                (way(access).admits(&guest("web")), way(access).admits(&guest("w"))),
                (named, other),
                "{access}"
            );
        }
    }
}
