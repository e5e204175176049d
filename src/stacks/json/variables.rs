//! Variables of stacks and their secret files: which there are, where they are used, and whether they are set. A value goes in and never comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path as FilePath, PathBuf};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::verbs::refused;
use super::{Api, meant};
use crate::auth::who::Admin;
use crate::base::secret::is_secret_name;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::home::{Home, Read, env, secrets};
use crate::web::Refusal;
use crate::web::read::{Json as Body, Path};

/// Bytes of a value.
const MOST: usize = 1 << 20;

/// A variable that stacks use, or that stands in `.env`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Variable {
    #[schema(example = "DB_PASSWORD")]
    pub name: String,
    /// It stands in `.env`.
    pub set: bool,
    /// Without it nothing can be loaded.
    pub required: bool,
    /// What the stack says that it is, where it is required.
    pub why: String,
    /// The stack has a value for where it is not set.
    pub has_default: bool,
    /// Its name says that its value is a secret.
    pub secret: bool,
    /// Why the value is no good one, as in "its value ...".
    #[schema(required)]
    pub weak: Option<String>,
    /// The stacks that use it.
    pub stacks: Vec<String>,
    /// The services that do.
    pub services: Vec<String>,
}

/// A file with a secret that stacks hand to services.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SecretFile {
    pub name: String,
    /// Relative to the home.
    pub file: String,
    /// There is such a file, and it is not empty.
    pub set: bool,
    /// It lies in the home, so that it can be written from here.
    pub own: bool,
    pub stack: String,
    pub services: Vec<String>,
}

/// All of both.
#[derive(Debug, Serialize, ToSchema)]
pub struct Variables {
    pub variables: Vec<Variable>,
    pub secrets: Vec<SecretFile>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariableText)]
pub struct Text {
    /// The new value. It is in no answer.
    pub text: String,
}

/// Variables that stacks use and others in `.env`, and secret files; no value of any. Stacks with mistakes are refused with all of them.
#[utoipa::path(get, path = "/api/v1/variables", responses((status = 200, body = Variables)))]
pub async fn list(_: Admin, State(api): State<Api>) -> Result<Json<Variables>, Response> {
    let home = api.home().map_err(refused)?;
    let read = home.read().map_err(refused)?;
    let variables = all(&home, &read).map_err(|d| Refusal(d).into_response())?;
    Ok(Json(Variables { variables, secrets: files(&home, &read) }))
}

fn all(home: &Home, read: &Read) -> Result<Vec<Variable>, Diagnostic> {
    let text = home.env_text()?;
    let used = read.variables();
    let statements = env::statements(&text);
    let set: BTreeSet<&str> = statements.iter().map(|one| one.name.as_str()).collect();
    let weak: BTreeMap<String, &str> = secrets::weak(&text).into_iter().map(|weak| (weak.name, weak.why)).collect();
    let mut uses: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for (service, (stack, names)) in read.uses() {
        for name in names {
            let (stacks, services) = uses.entry(name).or_default();
            stacks.insert(stack.clone());
            services.insert(service.clone());
        }
    }
    let values = home.env_values()?;
    // One that has to be set is not by an empty line.
    let is_empty = |name: &str| values.get(name).is_none_or(String::is_empty);
    let names: BTreeSet<&str> = used.all.iter().map(String::as_str).chain(set.iter().copied()).collect();
    let one = |name: &str| {
        let required = used.required.get(name);
        let (stacks, services) = uses.get(name).cloned().unwrap_or_default();
        Variable {
            name: name.to_owned(),
            set: set.contains(name) && !(required.is_some() && is_empty(name)),
            required: required.is_some(),
            why: required.map(|required| required.why.clone()).unwrap_or_default(),
            has_default: used.defaults.contains_key(name),
            secret: is_secret_name(name),
            weak: weak.get(name).map(|why| (*why).to_owned()),
            stacks: stacks.into_iter().collect(),
            services: services.into_iter().collect(),
        }
    };
    // Which profiles are on is turned on and off, and written by that.
    Ok(names.into_iter().filter(|name| *name != env::PROFILES).map(one).collect())
}

fn files(home: &Home, read: &Read) -> Vec<SecretFile> {
    let all = read.spec.resources.get("secrets").into_iter().flatten();
    all.filter_map(|(name, secret)| {
        let file = secret.node.get("file")?.as_str()?.to_owned();
        let inner = inner(home, &file);
        let there = inner.as_ref().and_then(|inner| std::fs::symlink_metadata(home.dir.join(inner)).ok());
        let services = read.spec.services.iter().filter(|(_, service)| read.names_secret(service, name));
        Some(SecretFile {
            name: name.clone(),
            set: there.is_some_and(|there| there.len() > 0),
            own: inner.is_some(),
            file,
            stack: read.spec.stacks.get(secret.stack).map(|stack| stack.name.clone()).unwrap_or_default(),
            services: services.map(|(name, _)| name.clone()).collect(),
        })
    })
    .collect()
}

/// A file below the home, and nothing that Hearth or the home is made of; `None` where it lies elsewhere, or a variable says where.
fn inner(home: &Home, file: &str) -> Option<PathBuf> {
    const OTHERS: [&str; 7] = ["stacks", "compose", "state", "hearth.yaml", "compose.yaml", ".env", ".git"];
    let path = FilePath::new(file);
    let path = if path.is_absolute() { path.strip_prefix(&home.dir).ok()? } else { path };
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => clean.push(part),
            _ => return None,
        }
    }
    let first = clean.components().next()?.as_os_str().to_str()?;
    (!file.contains('$') && !OTHERS.contains(&first)).then_some(clean)
}

/// Sets a variable in `.env`; every other byte of the file stays. What runs has it after the next `up`.
#[utoipa::path(put, path = "/api/v1/variables/{name}", params(("name" = String, Path, pattern = "^[A-Za-z_][A-Za-z0-9_]{0,127}$")), request_body = Text,
    responses((status = 200, body = Variable)))]
pub async fn set(
    _: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Text>,
) -> Result<Json<Variable>, Response> {
    fit(&name).map_err(|d| Refusal(d).within("path"))?;
    if asked.text.len() > MOST || asked.text.contains('\0') {
        return Err(Refusal(unfit(&name)).into_response());
    }
    change(&api, &name, |text| env::holding(text, &name, &asked.text).ok_or_else(|| unfit(&name))).await?;
    shown(&api, &name).await.map(Json)
}

/// Takes a variable out of `.env`, with the rest of its line; every other byte stays.
#[utoipa::path(delete, path = "/api/v1/variables/{name}", params(("name" = String, Path)), responses((status = 204)))]
pub async fn unset(_: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<StatusCode, Response> {
    fit(&name).map_err(|d| Refusal(d).within("path"))?;
    change(&api, &name, |text| match env::without(text, &name) {
        Some(new) if new == text => Err(none(&name)),
        Some(new) => Ok(new),
        None => Err(Diagnostic::error(
            "variables.beside-others",
            format!("{name} stands on one line with another variable"),
        )
        .kind(Kind::Conflict)
        .hint("put each on a line of its own in .env")),
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes the file of a secret. What runs has it after it is started again.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", params(("name" = String, Path)), request_body = Text, responses((status = 200, body = SecretFile)))]
pub async fn write_file(
    _: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Text>,
) -> Result<Json<SecretFile>, Response> {
    let _editing = api.editing().await?;
    let home = api.home().map_err(refused)?;
    let read = home.read().map_err(refused)?;
    let found = |all: Vec<SecretFile>| all.into_iter().find(|one| one.name == name);
    let all = files(&home, &read);
    let known: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    let one = found(all).ok_or_else(|| {
        let d = Diagnostic::error("variables.no-secret", format!("no stack has a secret `{name}` with a file"));
        Refusal(meant(d, &name, known.iter().map(String::as_str), "/api/v1/variables")).into_response()
    })?;
    let Some(path) = inner(&home, &one.file) else {
        let d =
            Diagnostic::error("variables.elsewhere", format!("the file of the secret `{name}` is not one of the home"));
        return Err(Refusal(d.kind(Kind::Denied).hint("write it at the terminal")).into_response());
    };
    if asked.text.len() > MOST {
        return Err(Refusal(unfit(&name)).into_response());
    }
    let done = home.folder().and_then(|folder| folder.write(&path, &asked.text, 0o600));
    done.map_err(|d| Refusal(d).into_response())?;
    Ok(Json(found(files(&home, &read)).unwrap_or(one)))
}

async fn change(api: &Api, name: &str, edit: impl FnOnce(&str) -> Result<String, Diagnostic>) -> Result<(), Response> {
    let _editing = api.editing().await?;
    let home = api.home().map_err(refused)?;
    let done = home.env_text().and_then(|text| {
        let new = edit(&text)?;
        if new == text {
            return Ok(());
        }
        home.folder()?.write(FilePath::new(".env"), &new, 0o600)
    });
    done.map_err(|d| Refusal(d.field(name.to_owned())).into_response())
}

async fn shown(api: &Api, name: &str) -> Result<Variable, Response> {
    let home = api.home().map_err(refused)?;
    // It is set, whatever else the stacks hold.
    let found = home.read().ok().and_then(|read| all(&home, &read).ok()?.into_iter().find(|one| one.name == name));
    Ok(found.unwrap_or(Variable {
        name: name.to_owned(),
        set: true,
        required: false,
        why: String::new(),
        has_default: false,
        secret: is_secret_name(name),
        weak: None,
        stacks: Vec::new(),
        services: Vec::new(),
    }))
}

/// Whether a variable says which project is meant, on which engine, or where the home's database is.
pub fn is_of_the_home(name: &str) -> bool {
    ["COMPOSE_", "DOCKER_", "HEARTH_"].iter().any(|begin| name.starts_with(begin))
}

fn fit(name: &str) -> Result<(), Diagnostic> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let sound =
        (1..=128).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit());
    if !sound {
        let d = Diagnostic::error("variables.name", "this cannot be a variable's name").field("name");
        return Err(d.hint("names are made of letters, digits and `_`, and do not begin with a digit"));
    }
    if is_of_the_home(name) {
        let d = Diagnostic::error("variables.own", format!("{name} says how the home itself is run"));
        return Err(d.kind(Kind::Denied).hint("change it in .env at the terminal"));
    }
    Ok(())
}

fn unfit(name: &str) -> Diagnostic {
    Diagnostic::error("variables.value", format!("this value of {name} cannot be written so that Compose reads it"))
        .field("text")
        .hint("see that .env has no mistakes; a value has at most 1 MiB and no character 0")
}

fn none(name: &str) -> Diagnostic {
    Diagnostic::error("variables.none", format!("{name} does not stand in .env"))
        .kind(Kind::NotFound)
        .hint("see which there are: GET /api/v1/variables")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_stack_could_use_are_written() {
        for name in ["DB_PASSWORD", "_x", "tz"] {
            fit(name).unwrap();
        }
        for name in ["", "1A", "A B", "A=B", "A\nB", "COMPOSE_PROFILES", "DOCKER_HOST", "HEARTH_DATABASE_URL", "Ä"] {
            fit(name).unwrap_err();
        }
    }
}
