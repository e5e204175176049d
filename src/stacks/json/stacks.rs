//! Definitions of stacks: the files below `stacks/` that a person edits. What is saved is what loads.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::verbs::refused;
use super::{Api, meant};
use crate::auth::who::{Admin, Viewer};
use crate::diag::text::to_json;
use crate::diag::{Diagnostic, Diagnostics, Sources};
use crate::stacks::home::{self, Home, STACKS};
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Path, Query};
use crate::web::{Etag, Refusal};

/// One stack, as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stack {
    name: String,
    title: String,
    about: String,
    services: Vec<String>,
    profiles: Vec<String>,
}

/// One stack with its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Definition {
    name: String,
    /// YAML, byte for byte as on the disk.
    text: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StackText)]
pub struct Text {
    /// YAML: a plain Compose file plus `x-hearth`.
    #[schema(example = "services:\n  hello:\n    image: traefik/whoami:v1.11\n    profiles: [hello]\n")]
    text: String,
}

/// What the stacks of the home would be with a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Judged {
    /// It could be saved: there are no errors.
    valid: bool,
    /// Errors and warnings, each with its place.
    #[schema(value_type = Vec<Object>)]
    diagnostics: Vec<Value>,
}

crate::order! { By of Stack, false:
    Name "name" => |one| one.name.as_str().into(),
    Title "title" => |one| one.title.as_str().into(),
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
    /// Only those with a service of this profile.
    profile: Option<String>,
}

/// All stacks. Stacks that hold mistakes are refused with all of them.
#[utoipa::path(get, path = "/api/v1/stacks", params(Which), responses((status = 200, body = Page<Stack>)))]
pub async fn list(
    _: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Stack>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let read = api.home().and_then(|home| home.read()).map_err(refused)?;
    let mut all = Vec::new();
    for (i, stack) in read.spec.stacks.iter().enumerate() {
        let own: Vec<_> = read.spec.services.iter().filter(|(_, service)| service.stack == i).collect();
        let mut profiles: Vec<String> = own.iter().flat_map(|(_, service)| service.profiles.iter().cloned()).collect();
        profiles.sort();
        profiles.dedup();
        all.push(Stack {
            name: stack.name.clone(),
            title: stack.keys.title.clone().unwrap_or_default(),
            about: stack.keys.about.clone().unwrap_or_default(),
            services: own.iter().map(|(name, _)| (*name).clone()).collect(),
            profiles,
        });
    }
    all.retain(|one| which.profile.as_ref().is_none_or(|profile| one.profiles.contains(profile)));
    Ok(Json(asked.page(all, |one| one.name.clone())))
}

/// The text of one stack; its ETag is wanted for saving it.
#[utoipa::path(get, path = "/api/v1/stacks/{name}", params(("name" = String, Path)), responses((status = 200, body = Definition)))]
pub async fn one(_: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<Response, Response> {
    let home = api.home().map_err(refused)?;
    let text = there(&home, &name)?.ok_or_else(|| gone(&home, &name))?;
    Ok(([Etag::of(text.as_bytes()).header()], Json(Definition { name, text })).into_response())
}

/// Looks at a text as it would be with the home's other stacks. Nothing is saved.
#[utoipa::path(post, path = "/api/v1/stacks/{name}/validate", params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")), request_body = Text,
    responses((status = 200, body = Judged)))]
pub async fn validate(
    _: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Text>,
) -> Result<Json<Judged>, Response> {
    well_named(&name)?;
    let home = api.home().map_err(refused)?;
    let shown = |all: &Diagnostics, sources: &Sources| all.0.iter().map(|d| to_json(d, sources)).collect();
    Ok(Json(match home.read_with(Some((&name, Some(&asked.text)))) {
        Ok(read) => Judged { valid: true, diagnostics: shown(&read.diagnostics, &read.sources) },
        Err(refused) => Judged { valid: false, diagnostics: shown(&refused.diagnostics, &refused.sources) },
    }))
}

/// Saves a stack: over the version that `If-Match` names, or a new one with `If-None-Match: *`. A text with mistakes is refused with all of
/// them in `errors`, and nothing is saved. Nothing is started or stopped.
#[utoipa::path(put, path = "/api/v1/stacks/{name}", params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that was changed, in its quotes; `*` is whatever version there is"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is no stack of this name yet")),
    request_body = Text,
    responses((status = 200, body = Definition), (status = 201, body = Definition),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn save(
    _: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<Text>,
) -> Result<Response, Response> {
    well_named(&name)?;
    // Two savers of one moment: the second finds another version.
    let _editing = api.editing().await?;
    let home = api.home().map_err(refused)?;
    let now = there(&home, &name)?;
    let version = now.as_deref().map(|text| Etag::of(text.as_bytes()));
    Etag::require(version.as_ref(), &headers, &format!("a stack `{name}`"))?;
    let read = home.read_with(Some((&name, Some(&asked.text)))).map_err(refused)?;
    let path = read.spec.stacks.iter().find(|stack| stack.name == name).map(|stack| stack.path.clone());
    let path = path.unwrap_or_else(|| home.dir.join(STACKS).join(format!("{name}.yaml")));
    let inner = path.strip_prefix(&home.dir).unwrap_or(&path);
    let done = home.folder().and_then(|folder| folder.write(inner, &asked.text, 0o644));
    done.map_err(|d| Refusal(d).into_response())?;
    let status = if now.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let tag = Etag::of(asked.text.as_bytes()).header();
    Ok((status, [tag], Json(Definition { name, text: asked.text })).into_response())
}

/// Deletes a stack's file, over the version that `If-Match` names. What runs of it goes on, and is an orphan: `up` with `remove_orphans` ends it.
#[utoipa::path(delete, path = "/api/v1/stacks/{name}", params(("name" = String, Path),
        ("If-Match" = String, Header, description = "The ETag of the version that is deleted, in its quotes; `*` is whatever version there is")),
    responses((status = 204),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it means")))]
pub async fn delete(
    _: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Response> {
    let _editing = api.editing().await?;
    let home = api.home().map_err(refused)?;
    let text = there(&home, &name)?.ok_or_else(|| gone(&home, &name))?;
    Etag::require(Some(&Etag::of(text.as_bytes())), &headers, &format!("a stack `{name}`"))?;
    // Another stack may need a service of it.
    home.read_with(Some((&name, None))).map_err(refused)?;
    let path = home.stack_path(&name).ok_or_else(|| gone(&home, &name))?;
    let inner = path.strip_prefix(&home.dir).unwrap_or(&path);
    let done = home.folder().and_then(|folder| folder.remove(inner));
    done.map_err(|d| Refusal(d).into_response())?;
    Ok(StatusCode::NO_CONTENT)
}

/// The text on the disk; `None` where there is no such stack.
fn there(home: &Home, name: &str) -> Result<Option<String>, Response> {
    home.stack_text(name).map_err(|d| Refusal(d).into_response())
}

fn gone(home: &Home, name: &str) -> Response {
    let d = Diagnostic::error("home.no-stack", format!("there is no stack `{name}`"));
    // Of stacks with mistakes in them no name is known.
    let known: Vec<String> =
        home.read().map_or_else(|_| Vec::new(), |read| read.spec.stacks.into_iter().map(|s| s.name).collect());
    Refusal(meant(d, name, known.iter().map(String::as_str), "/api/v1/stacks")).into_response()
}

/// A name becomes a file's: it has nothing in it that leads anywhere else.
fn well_named(name: &str) -> Result<(), Response> {
    if home::is_stack_name(name) {
        return Ok(());
    }
    let d = Diagnostic::error("home.stack-name", "this cannot be a stack's name").field("name");
    let d = d.hint("names are made of lower-case letters, digits, `_` and `-`, begin with a letter or digit, and have at most 64 characters");
    Err(Refusal(d).within("path"))
}
