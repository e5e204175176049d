//! Services: what the stacks name, what runs of it, and why not where it does not.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::containers::project_of;
use super::plans::Of;
use super::verbs::refused;
use super::{Api, containers, meant};
use crate::auth::who::Viewer;
use crate::diag::Diagnostic;
use crate::stacks::seen::service::{self, Service, Standing, weight};
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::{Path, Query};

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
    let mut seen = containers::observed(api, &project).await?;
    containers::look_up_ends(api, &mut seen).await?;
    let read = home.read().ok();
    Ok(service::all(&home, read.as_ref(), &project, &seen))
}
