//! What stacks said before: who changed one, when and why, and back to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::stacks::{self, Save};
use super::verbs::refused;
use crate::auth::accounts::Auth;
use crate::auth::who::Admin;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::home;
use crate::stacks::versions::{self, Book};
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Path, Query};

/// More versions of one stack than anybody looks through.
const MOST: usize = 1000;

/// One version of a stack, as its history shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StackVersion)]
pub struct Version {
    /// A commit, where the home is a git repository; else a number.
    pub id: String,
    pub at: String,
    /// Empty where nobody knows: it stood there before the first that was saved here.
    pub who: String,
    pub message: String,
}

/// One version with its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StackVersionText)]
pub struct Whole {
    #[serde(flatten)]
    pub version: Version,
    /// YAML; null where the stack was deleted with it.
    #[schema(required)]
    pub text: Option<String>,
}

impl From<versions::Version> for Version {
    fn from(one: versions::Version) -> Version {
        Version { id: one.id, at: one.at, who: one.who, message: one.message }
    }
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// Versions of a stack, newest first; also of one that was deleted.
#[utoipa::path(get, path = "/api/v1/stacks/{name}/history", params(("name" = String, Path), Which),
    responses((status = 200, body = Page<Version>)))]
pub async fn list(
    _: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Version>>, Response> {
    let limit = list::limit(which.limit).map_err(|d| Refusal(d).into_response())?;
    let after: Option<String> = list::key(which.after.as_deref()).map_err(|d| Refusal(d).into_response())?;
    let all = all(&api, &name).await?;
    let from = match &after {
        Some(id) => all.iter().position(|one| one.id == *id).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let found = all.into_iter().skip(from).take(limit + 1).collect();
    Ok(Json(Page::of(found, limit, |one: &Version| one.id.clone())))
}

/// All that are looked through, newest first. Neither a stack nor versions of one of that name: refused.
async fn all(api: &Api, name: &str) -> Result<Vec<Version>, Response> {
    let home = api.home().map_err(refused)?;
    // What cannot be a stack's name is no file's either.
    if !home::is_stack_name(name) {
        return Err(stacks::gone(&home, name));
    }
    let all = Book::of(&home).await.list(name, MOST).await.map_err(|d| Refusal(d).into_response())?;
    if all.is_empty() && stacks::there(&home, name)?.is_none() {
        return Err(stacks::gone(&home, name));
    }
    Ok(all.into_iter().map(Version::from).collect())
}

/// Whether versions are commits of the home's repository.
pub async fn in_git(api: &Api) -> bool {
    match api.home() {
        Ok(home) => Book::of(&home).await.is_git(),
        Err(_) => false,
    }
}

/// One version of a stack, with its text.
#[utoipa::path(get, path = "/api/v1/stacks/{name}/history/{id}", params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Whole)))]
pub async fn one(
    _: Admin,
    State(api): State<Api>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Whole>, Response> {
    find(&api, &name, &id).await.map(Json)
}

async fn find(api: &Api, name: &str, id: &str) -> Result<Whole, Response> {
    let version = all(api, name).await?.into_iter().find(|one| one.id == id).ok_or_else(|| no_such(name, id))?;
    let home = api.home().map_err(refused)?;
    let text = Book::of(&home).await.text(name, id).await.map_err(|d| Refusal(d).into_response())?;
    Ok(Whole { version, text: text.ok_or_else(|| no_such(name, id))? })
}

fn no_such(name: &str, id: &str) -> Response {
    let d =
        Diagnostic::error("versions.none", format!("the stack `{name}` has no version `{id}`")).kind(Kind::NotFound);
    Refusal(d.hint(format!("see which there are: GET /api/v1/stacks/{name}/history"))).into_response()
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RestoreStack)]
pub struct Restore {
    /// Why, for its history; without it, that it was restored, and from when.
    pub message: String,
}

/// Saves a stack as it was in a version: a save like any other, refused where the text does not fit the home as it is now.
#[utoipa::path(post, path = "/api/v1/stacks/{name}/history/{id}/restore", params(("name" = String, Path), ("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is replaced, in its quotes; `*` is whatever version there is"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is no stack of this name any more")),
    request_body = Restore,
    responses((status = 200, body = stacks::Saved), (status = 201, body = stacks::Saved),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn restore(
    who: Admin,
    api: State<Api>,
    auth: State<Arc<Auth>>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
    Body(asked): Body<Restore>,
) -> Result<Response, Response> {
    let whole = find(&api, &name, &id).await?;
    let Some(text) = whole.text else {
        let d = Diagnostic::error("versions.deleted", format!("in this version the stack `{name}` was deleted"));
        return Err(Refusal(d.hint("restore the one before it, or delete the stack")).into_response());
    };
    let without = format!("stacks: restore {name} as of {}", whole.version.at);
    let message = versions::message(&asked.message, &without);
    stacks::save(who, api, auth, Path(name), headers, Body(Save { text, message })).await
}
