//! Definitions of stacks: the files below `stacks/` that a person edits. What is saved is what loads.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::verbs::refused;
use super::{Api, meant};
use crate::auth::accounts::Auth;
use crate::auth::table::Looked;
use crate::auth::who::{Admin, Identity, Viewer};
use crate::base::clock::rfc3339;
use crate::diag::text::to_json;
use crate::diag::{Diagnostic, Diagnostics, Severity, Sources};
use crate::spec::StackFile;
use crate::stacks::home::{self, Home, Refused, STACKS};
use crate::stacks::versions::{self, Author, Book, Change};
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Path, Query};
use crate::web::{Etag, Refusal};

/// One stack, as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stack {
    pub name: String,
    pub title: String,
    pub about: String,
    pub services: Vec<String>,
    pub profiles: Vec<String>,
    /// When its file was last written.
    #[schema(required)]
    pub changed: Option<String>,
    /// Mistakes in its file. As long as any stack has one, nothing of the home can be planned.
    pub errors: usize,
}

/// One stack with its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Definition {
    pub name: String,
    /// YAML, byte for byte as on the disk.
    pub text: String,
}

/// What was saved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedStack)]
pub struct Saved {
    pub name: String,
    /// YAML, byte for byte as on the disk.
    pub text: String,
    /// Of its history: a commit, where the home is a git repository. Null where the text is the last version's, or was not kept.
    #[schema(required)]
    pub version: Option<String>,
    /// Why it was saved and yet not kept as a version.
    #[schema(required)]
    pub not_kept: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StackText)]
pub struct Text {
    /// YAML: a plain Compose file plus `x-hearth`.
    #[schema(example = "services:\n  hello:\n    image: traefik/whoami:v1.11\n    profiles: [hello]\n")]
    pub text: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SaveStack)]
pub struct Save {
    /// YAML: a plain Compose file plus `x-hearth`.
    #[schema(example = "services:\n  hello:\n    image: traefik/whoami:v1.11\n    profiles: [hello]\n")]
    pub text: String,
    /// Why, for its history. At most 2000 characters count.
    #[serde(default)]
    #[schema(example = "Say hello")]
    pub message: String,
}

/// What the stacks of the home would be with a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Judged {
    /// It could be saved: there are no errors.
    pub valid: bool,
    /// Errors and warnings, each with its place.
    #[schema(value_type = Vec<Object>)]
    pub diagnostics: Vec<Value>,
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

/// All stacks. Of one that holds mistakes they are counted, and what else is said of it is what can be read.
#[utoipa::path(get, path = "/api/v1/stacks", params(Which), responses((status = 200, body = Page<Stack>)))]
pub async fn list(
    _: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Stack>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let mut all = all(&api.home().map_err(refused)?).map_err(refused)?;
    all.retain(|one| which.profile.as_ref().is_none_or(|profile| one.profiles.contains(profile)));
    Ok(Json(asked.page(all, |one| one.name.clone())))
}

/// Every stack of the home, by name.
pub fn all(home: &Home) -> Result<Vec<Stack>, Refused> {
    let (files, unread) = home.stack_texts()?;
    let (whole, told, sources) = match home.read() {
        Ok(read) => (Some(read.spec), read.diagnostics, read.sources),
        Err(refused) => (None, refused.diagnostics, refused.sources),
    };
    // A folder that is not there, or too much together: then no stack can be told of.
    if files.is_empty() && unread.has_errors() {
        return Err(Refused { diagnostics: unread, sources: Sources::default() });
    }
    let errors = told.0.iter().filter(|d| d.severity == Severity::Error);
    let places: Vec<&std::path::Path> = errors.filter_map(|d| d.place.map(|place| sources.path(place.file))).collect();
    let one = |file: &StackFile| {
        let alone = whole.is_none().then(|| home.alone(file)).flatten();
        let spec = whole.as_ref().or(alone.as_ref());
        let at = spec.and_then(|spec| spec.stacks.iter().position(|stack| stack.name == file.name));
        let stack = spec.zip(at).map(|(spec, at)| &spec.stacks[at]);
        let own = spec.into_iter().flat_map(|spec| &spec.services).filter(|(_, service)| Some(service.stack) == at);
        let mut services: Vec<String> = own.clone().map(|(name, _)| name.clone()).collect();
        let mut profiles: Vec<String> = own.flat_map(|(_, service)| service.profiles.iter().cloned()).collect();
        services.sort();
        profiles.sort();
        profiles.dedup();
        Stack {
            name: file.name.clone(),
            title: stack.and_then(|stack| stack.keys.title.clone()).unwrap_or_default(),
            about: stack.and_then(|stack| stack.keys.about.clone()).unwrap_or_default(),
            services,
            profiles,
            changed: std::fs::metadata(&file.path).and_then(|there| there.modified()).ok().map(|at| rfc3339(at.into())),
            errors: places.iter().filter(|path| **path == file.path).count(),
        }
    };
    let mut all: Vec<Stack> = files.iter().map(one).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
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
) -> Result<(Extension<Looked>, Json<Judged>), Response> {
    well_named(&name)?;
    let home = api.home().map_err(refused)?;
    let shown = |all: &Diagnostics, sources: &Sources| all.0.iter().map(|d| to_json(d, sources)).collect();
    let judged = match home.read_with(Some((&name, Some(&asked.text)))) {
        Ok(read) => Judged { valid: true, diagnostics: shown(&read.diagnostics, &read.sources) },
        Err(refused) => Judged { valid: false, diagnostics: shown(&refused.diagnostics, &refused.sources) },
    };
    Ok((Extension(Looked), Json(judged)))
}

/// Saves a stack: over the version that `If-Match` names, or a new one with `If-None-Match: *`. A text with mistakes is refused with all of
/// them in `errors`, and nothing is saved. What was saved is a version of its history: a commit of that file alone, where the home is a git repository. Nothing is started or
/// stopped.
#[utoipa::path(put, path = "/api/v1/stacks/{name}", params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that was changed, in its quotes; `*` is whatever version there is"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is no stack of this name yet")),
    request_body = Save,
    responses((status = 200, body = Saved), (status = 201, body = Saved),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn save(
    who: Admin,
    State(api): State<Api>,
    State(auth): State<Arc<Auth>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<Save>,
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
    let verb = if now.is_some() { "change" } else { "add" };
    let keeping = Keeping { api: &api, auth: &auth, home: &home, who: &who };
    let without = format!("stacks: {verb} {name}");
    let kept = keeping.keep(inner, now.as_deref(), Some(&asked.text), &asked.message, &without);
    let (version, not_kept) = kept.await;
    let status = if now.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let tag = Etag::of(asked.text.as_bytes()).header();
    Ok((status, [tag], Json(Saved { name, text: asked.text, version, not_kept })).into_response())
}

/// Why a stack is deleted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// For its history.
    pub message: Option<String>,
}

/// Deletes a stack's file, over the version that `If-Match` names; its history stays. What runs of it goes on, and is an orphan: `up` with `remove_orphans` ends it.
#[utoipa::path(delete, path = "/api/v1/stacks/{name}", params(("name" = String, Path), Why,
        ("If-Match" = String, Header, description = "The ETag of the version that is deleted, in its quotes; `*` is whatever version there is")),
    responses((status = 204),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it means")))]
pub async fn delete(
    who: Admin,
    State(api): State<Api>,
    State(auth): State<Arc<Auth>>,
    Path(name): Path<String>,
    Query(why): Query<Why>,
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
    let keeping = Keeping { api: &api, auth: &auth, home: &home, who: &who };
    let message = why.message.unwrap_or_default();
    let (_, not_kept) = keeping.keep(inner, Some(&text), None, &message, &format!("stacks: remove {name}")).await;
    if let Some(why) = not_kept {
        tracing::warn!(stack = name, why, "a deleted stack has no version of its own");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Who saves where.
struct Keeping<'a> {
    api: &'a Api,
    auth: &'a Auth,
    home: &'a Home,
    who: &'a Identity,
}

impl Keeping<'_> {
    /// Keeps a version: its id, or why it was not kept.
    async fn keep(
        &self,
        path: &std::path::Path,
        before: Option<&str>,
        now: Option<&str>,
        message: &str,
        without: &str,
    ) -> (Option<String>, Option<String>) {
        let name = self.who.name.clone();
        let account = self.auth.person(self.who.user).await.ok();
        let email = account.and_then(|account| account.email.clone());
        let author = Author { email: email.unwrap_or_else(|| format!("{name}@{}", self.home.config.name)), name };
        let message = versions::message(message, without);
        let at = self.api.works.setting().clock.now();
        let change = Change { before, now, author: &author, message: &message, at };
        match Book::of(self.home).await.record(path, change).await {
            Ok(version) => (version, None),
            Err(told) => (None, Some(told.title)),
        }
    }
}

/// The text on the disk; `None` where there is no such stack.
pub(super) fn there(home: &Home, name: &str) -> Result<Option<String>, Response> {
    home.stack_text(name).map_err(|d| Refusal(d).into_response())
}

pub(super) fn gone(home: &Home, name: &str) -> Response {
    let d = Diagnostic::error("home.no-stack", format!("there is no stack `{name}`"));
    // Of stacks with mistakes in them no name is known.
    let known: Vec<String> =
        home.read().map_or_else(|_| Vec::new(), |read| read.spec.stacks.into_iter().map(|s| s.name).collect());
    Refusal(meant(d, name, known.iter().map(String::as_str), "/api/v1/stacks")).into_response()
}

/// A name becomes a file's: it has nothing in it that leads anywhere else.
pub(super) fn well_named(name: &str) -> Result<(), Response> {
    if home::is_stack_name(name) {
        return Ok(());
    }
    let d = Diagnostic::error("home.stack-name", "this cannot be a stack's name").field("name");
    let d = d.hint("names are made of lower-case letters, digits, `_` and `-`, begin with a letter or digit, and have at most 64 characters");
    Err(Refusal(d).within("path"))
}
