//! Profiles: what can be turned on and off.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::verbs::yes;
use super::{Accepted, Api, meant};
use crate::args::{Answer, Json as AsJson, Toggle};
use crate::auth::who::{Identity, Operator, Viewer};
use crate::cli::Failure;
use crate::diag::Diagnostic;
use crate::stacks::Home;
use crate::stacks::cli::profiles::{self as verb, Profile};
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Path, Query};
use crate::web::{Refusal, Refusals};

crate::order! { By of Profile, false:
    Name "name" => |one| one.name.as_str().into(),
    On "on" => |one| i64::from(one.on).into(),
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
    /// In which order.
    #[param(inline)]
    sort: Option<Sort>,
    /// Only those that are on, or off.
    on: Option<bool>,
}

/// All profiles.
#[utoipa::path(get, path = "/api/v1/profiles", params(Which), responses((status = 200, body = Page<Profile>)))]
pub async fn list(
    who: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Profile>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let mut all = all(&api, &who).await.map_err(IntoResponse::into_response)?;
    all.retain(|one| which.on.is_none_or(|on| one.on == on));
    Ok(Json(asked.page(all, |one| one.name.clone())))
}

/// One profile.
#[utoipa::path(get, path = "/api/v1/profiles/{name}", params(("name" = String, Path)), responses((status = 200, body = Profile)))]
pub async fn one(who: Viewer, State(api): State<Api>, Path(name): Path<String>) -> Result<Json<Profile>, Response> {
    named(&api, &who, &name).await.map(Json)
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ToggleProfile)]
pub struct Asked {
    /// Also start, or stop, what it turns on or off: then the answer is a work.
    now: bool,
    /// Answers yes to what would be asked.
    yes: bool,
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Toggled {
    profile: Profile,
}

/// Turns a profile on: recorded in hearth.yaml and `.env`; with `now` also started.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/enable", params(("name" = String, Path)), request_body = Asked,
    responses((status = 200, body = Toggled), (status = 202, body = Accepted)))]
pub async fn enable(
    who: Operator,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Response, Response> {
    toggle(&api, &who, name, asked, true).await
}

/// Turns a profile off: recorded in hearth.yaml and `.env`; with `now` also stopped and removed. Volumes stay.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/disable", params(("name" = String, Path)), request_body = Asked,
    responses((status = 200, body = Toggled), (status = 202, body = Accepted)))]
pub async fn disable(
    who: Operator,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Response, Response> {
    toggle(&api, &who, name, asked, false).await
}

async fn toggle(api: &Api, who: &Identity, name: String, asked: Asked, on: bool) -> Result<Response, Response> {
    // Of a name that is none nothing is begun.
    named(api, who, &name).await?;
    let (global, door) = (api.works.setting().global(), api.door.clone());
    let word = if on { "enable" } else { "disable" };
    let args = Toggle {
        profiles: vec![name.clone()],
        now: asked.now,
        answer: Answer { yes: asked.yes },
        json: AsJson { json: true },
    };
    let mut words = vec![word, name.as_str()];
    words.extend(asked.now.then_some("--now"));
    words.extend(yes(asked.yes));
    if asked.now {
        let begun = api.begin(who, word, &words, move |out| verb::toggle(&global, args, on, door.as_ref(), out));
        return begun.map(IntoResponse::into_response).map_err(IntoResponse::into_response);
    }
    let done = api.ask(who, &words, move |out| verb::toggle(&global, args, on, door.as_ref(), out)).await;
    done.map_err(IntoResponse::into_response)?;
    let profile = named(api, who, &name).await?;
    Ok(Json(Toggled { profile }).into_response())
}

async fn named(api: &Api, who: &Identity, name: &str) -> Result<Profile, Response> {
    let mut all = all(api, who).await.map_err(IntoResponse::into_response)?;
    if let Some(at) = all.iter().position(|one| one.name == name) {
        return Ok(all.swap_remove(at));
    }
    let d = Diagnostic::error("home.no-profile", format!("no stack has a profile `{name}`"));
    let known = all.iter().map(|one| one.name.as_str());
    Err(Refusal(meant(d, name, known, "/api/v1/profiles")).into_response())
}

async fn all(api: &Api, who: &Identity) -> Result<Vec<Profile>, Refusals> {
    let dir = api.works.setting().home.clone();
    api.ask(who, &["profiles"], move |out| {
        let told = |refused: crate::stacks::home::Refused| -> Failure { refused.tell(out) };
        let home = Home::open(dir).map_err(told)?;
        let read = home.read().map_err(told)?;
        let (mut all, _) = verb::all(&home, &read, out);
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    })
    .await
}
