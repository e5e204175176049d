//! Services: what the stacks name, what runs of it, and why not where it does not.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::containers::{Container, project_of};
use super::plans::Of;
use super::verbs::refused;
use super::{Api, containers, meant};
use crate::auth::who::Viewer;
use crate::diag::Diagnostic;
use crate::plan::observed::{self, Health, State as Run};
use crate::plan::request;
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::{Path, Query};

/// One service of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Service {
    pub name: String,
    /// The stack that it stands in; null where no stack names it any more, or it is of an adopted project.
    #[schema(required)]
    stack: Option<String>,
    profiles: Vec<String>,
    /// Whether the home wants it to run.
    on: bool,
    state: Standing,
    /// Why it is so, where that is not how it should be.
    #[schema(required)]
    why: Option<String>,
    containers: Vec<Container>,
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
    /// It ended badly.
    Failed,
}

crate::order! { By of Service, false:
    Name "name" => |one| one.name.as_str().into(),
    Stack "stack" => |one| one.stack.as_deref().unwrap_or_default().into(),
    State "state" => |one| i64::from(weight(one.state)).into(),
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
    /// In which order.
    #[param(inline)]
    sort: Option<Sort>,
    /// Only those of this stack.
    stack: Option<String>,
    /// Only those of this profile.
    profile: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<Standing>,
}

/// All services. In the order of `-state` what is wrong comes first.
#[utoipa::path(get, path = "/api/v1/services", params(Which), responses((status = 200, body = Page<Service>)))]
pub async fn list(
    _: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Service>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let mut all = all(&api, which.project.as_deref()).await?;
    all.retain(|one| {
        which.stack.as_ref().is_none_or(|stack| one.stack.as_ref() == Some(stack))
            && which.profile.as_ref().is_none_or(|profile| one.profiles.contains(profile))
            && which.state.is_none_or(|state| one.state == state)
    });
    let mut page = asked.page(all, |one| one.name.clone());
    look_up_starts(&api, &mut page.items).await?;
    Ok(Json(page))
}

/// One service.
#[utoipa::path(get, path = "/api/v1/services/{name}", params(("name" = String, Path), Of), responses((status = 200, body = Service)))]
pub async fn one(
    _: Viewer,
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Service>, Response> {
    let mut all = all(&api, of.project.as_deref()).await?;
    if let Some(at) = all.iter().position(|one| one.name == name) {
        let mut found = [all.swap_remove(at)];
        look_up_starts(&api, &mut found).await?;
        let [found] = found;
        return Ok(Json(found));
    }
    let d = Diagnostic::error("compose.no-such-service", format!("there is no service `{name}`"));
    let known = all.iter().map(|one| one.name.as_str());
    Err(Refusal(meant(d, &name, known, "/api/v1/services")).into_response())
}

async fn look_up_starts(api: &Api, all: &mut [Service]) -> Result<(), Response> {
    let all = all.iter_mut().flat_map(|one| one.containers.iter_mut());
    containers::look_up_starts(&*containers::engine(api).await?, all).await;
    Ok(())
}

/// What the stacks name and what is on the engine, by name. Stacks that cannot be read leave what runs.
async fn all(api: &Api, project: Option<&str>) -> Result<Vec<Service>, Response> {
    let (home, project) = project_of(api, project).map_err(refused)?;
    let seen = containers::observed(api, &project).await?;
    let mut all = Vec::new();
    let mut named = BTreeSet::new();
    if project == home.config.name
        && let Ok(read) = home.read()
    {
        for (name, service) in &read.spec.services {
            let of: Vec<&observed::Container> = seen.iter().filter(|c| c.is_of(name)).collect();
            let stack = read.spec.stacks.get(service.stack).map(|stack| stack.name.clone());
            let on = home.has_on(&service.profiles);
            named.insert(name.clone());
            all.push(judged(name.clone(), stack, service.profiles.clone(), on, &of));
        }
    }
    let others: BTreeSet<String> = seen.iter().filter_map(|c| c.labels.get(request::SERVICE).cloned()).collect();
    for name in others.into_iter().filter(|name| !named.contains(name)) {
        let of: Vec<&observed::Container> = seen.iter().filter(|c| c.is_of(&name)).collect();
        // Of an adopted project only what is there is known.
        all.push(judged(name, None, Vec::new(), project != home.config.name, &of));
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

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

fn weight(state: Standing) -> u8 {
    match state {
        Standing::Failed => 7,
        Standing::Restarting => 6,
        Standing::Unhealthy => 5,
        Standing::Paused => 4,
        Standing::Starting => 3,
        Standing::Stopped => 2,
        Standing::Running => 1,
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
        (Run::Exited | Run::Dead, _) => (Standing::Failed, Some(ended)),
        (Run::Created, _) if !c.error.is_empty() => (Standing::Failed, Some(ended)),
        (Run::Created, _) => (Standing::Stopped, Some("it was made, and never started".into())),
        (Run::Removing, _) => (Standing::Stopped, Some("it is being removed".into())),
    }
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
    }
}
