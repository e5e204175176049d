//! What of a home's routes concerns people: the groups that they are for, and what a token's scope may name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::accounts::ROUTE;
use crate::base::wording;
use crate::diag::{Diagnostic, Kind};

/// A route, as far as people are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The service that it leads to, or its key in `hearth.yaml`.
    pub service: String,
    /// The group that it is for, if it is for one.
    pub group: Option<String>,
    /// It asks for a login, and lets in whose account is for its service alone.
    pub login: bool,
}

/// Reads the home's files for its routes as they are now; `None` where they cannot be read.
#[derive(Clone)]
pub struct Routes(Arc<dyn Fn() -> Option<Vec<Routed>> + Send + Sync>);

impl Routes {
    pub fn new(look: impl Fn() -> Option<Vec<Routed>> + Send + Sync + 'static) -> Routes {
        Routes(Arc::new(look))
    }

    /// On a thread where reading may take its time. `None`: they cannot be read, and nobody is refused for that.
    pub async fn look(&self) -> Option<Vec<Routed>> {
        let look = self.0.clone();
        tokio::task::spawn_blocking(move || look()).await.ok().flatten()
    }

    /// As [`named`], with the routes as they are now. Where there are none to be read nothing is refused.
    pub async fn named(&self, scopes: &[String], field: &str) -> Result<(), Diagnostic> {
        if !scopes.iter().any(|scope| scope.starts_with(ROUTE)) {
            return Ok(());
        }
        self.look().await.map_or(Ok(()), |routes| named(&routes, scopes, field))
    }

    /// As [`served`], with the routes as they are now.
    pub async fn served(&self, only: &[String], before: &[String], field: &str) -> Result<(), Diagnostic> {
        if only.is_empty() {
            return Ok(());
        }
        self.look().await.map_or(Ok(()), |routes| served(&routes, only, before, field))
    }
}

/// Refuses a scope for a service that no route leads to: its token would enter nowhere. `field`: where the scopes stand.
pub fn named(routes: &[Routed], scopes: &[String], field: &str) -> Result<(), Diagnostic> {
    let known: BTreeSet<&str> = routes.iter().map(|route| route.service.as_str()).collect();
    let named = scopes.iter().filter_map(|scope| scope.strip_prefix(ROUTE));
    let Some(name) = named.filter(|name| !name.is_empty()).find(|name| !known.contains(name)) else { return Ok(()) };
    let title = format!("no route of this home leads to a service `{name}`");
    let d = Diagnostic::error("auth.bad-token-request", title).kind(Kind::NotFound).field(field);
    Err(match wording::nearest(name, known.iter().copied()) {
        Some(near) => d.hint(format!("did you mean `{ROUTE}{near}`?")),
        None => d.hint("`hearth routes` lists them; a scope names the service, or the key of a route in hearth.yaml"),
    })
}

/// Refuses a service that no route leads to: an account for it alone would enter nowhere. `before`: those that the account is for already, which may have
/// gone meanwhile.
pub fn served(routes: &[Routed], only: &[String], before: &[String], field: &str) -> Result<(), Diagnostic> {
    let known: BTreeSet<&str> = routes.iter().map(|route| route.service.as_str()).collect();
    let unknown = only.iter().find(|name| !known.contains(name.as_str()) && !before.contains(name));
    let Some(name) = unknown else { return Ok(()) };
    let d =
        Diagnostic::error("auth.bad-only", format!("no route of this home leads to a service `{name}`")).field(field);
    Err(match wording::nearest(name, known.iter().copied()) {
        Some(near) => d.hint(format!("did you mean `{near}`?")),
        None => d.hint("`hearth routes` lists them: the service, or the key of a route in hearth.yaml"),
    })
}

/// The services for which alone an account can be, in order.
pub fn logins(routes: &[Routed]) -> Vec<&str> {
    let all: BTreeSet<&str> = routes.iter().filter(|route| route.login).map(|route| route.service.as_str()).collect();
    all.into_iter().collect()
}

/// The services that let in nobody but this group and admins, in order.
pub fn of_group<'r>(routes: &'r [Routed], name: &str) -> Vec<&'r str> {
    let of = routes.iter().filter(|route| route.group.as_deref() == Some(name));
    let services: BTreeSet<&str> = of.map(|route| route.service.as_str()).collect();
    services.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_for_a_service_without_a_route_is_refused_with_the_nearest() {
        let routes = ["photos", "films"].map(|service| Routed { service: service.into(), group: None, login: true });
        let told = |scope: &str| named(&routes, &["read".into(), scope.into()], "scopes").err();
        assert!(told("route:photos").is_none() && told("operate").is_none() && told("route:").is_none());
        let near = told("route:photo").unwrap();
        assert_eq!((near.code, &*near.hints[0]), ("auth.bad-token-request", "did you mean `route:photos`?"));
        assert!(told("route:nope").unwrap().hints[0].contains("hearth routes"));
        let told = |only: &str, before: &str| served(&routes, &[only.into()], &[before.into()], "only").err();
        assert!(told("photos", "").is_none() && told("gone", "gone").is_none());
        let near = told("photo", "gone").unwrap();
        assert_eq!((near.code, &*near.hints[0]), ("auth.bad-only", "did you mean `photos`?"));
        assert!(told("nope", "").unwrap().hints[0].contains("hearth routes"));
    }
}
