//! Settings: `hearth.yaml`, what the home has decided for itself. Secrets do not stand there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, Schema};

use super::Api;
use super::verbs::refused;
use crate::auth::accounts::Auth;
use crate::auth::who::Admin;
use crate::base::wording;
use crate::config::known::{self, Counts, KNOWN, Known, Sort, VARIABLES, Variable};
use crate::config::{self, Config, one};
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources};
use crate::stacks::home::Home;
use crate::web::read::{Json as Body, Path};
use crate::web::{Etag, Refusal, Refusals};

/// What stands in `hearth.yaml`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settings {
    /// Byte for byte as on the disk.
    text: String,
    /// The Compose project that all stacks make.
    name: String,
    /// `localhost` or `domain`.
    mode: String,
    /// Profiles that are on.
    profiles: Vec<String>,
    /// The range that networks take their addresses from.
    networks: String,
    /// Projects that this home has adopted.
    adopted: Vec<String>,
    /// Every setting, and the variables that count beside the file.
    all: Vec<KnownSetting>,
}

/// A setting with what it means.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KnownSetting {
    /// Its keys with dots between, or the name of a variable.
    #[schema(example = "auth.registration")]
    pub key: String,
    pub about: String,
    /// What holds, as one writes it; of a secret only that there is one.
    #[schema(required)]
    pub value: Option<String>,
    /// What holds where nothing is said.
    #[schema(required)]
    pub default: Option<String>,
    /// `hearth.yaml`, `.env`, `environment` or `default`.
    pub source: String,
    /// When a change counts: `at_once`, `with_up`, `at_start`, or `own` where a command of its own changes it.
    pub counts: String,
    /// That command.
    #[schema(required)]
    pub command: Option<String>,
    /// All that it may be, where that is known.
    pub options: Vec<String>,
    /// `PUT settings/{key}` changes it by one value.
    pub changes: bool,
    pub secret: bool,
}

/// What is shown of a secret that is there.
const HIDDEN: &str = "(hidden)";

impl KnownSetting {
    fn of(known: &Known, text: &str) -> KnownSetting {
        let value = one::get(text, known.key).filter(|value| !value.is_null());
        let default = Some(known.default).filter(|text| !text.is_empty()).map(str::to_owned);
        let (counts, command) = match known.counts {
            Counts::AtOnce => ("at_once", None),
            Counts::WithUp => ("with_up", None),
            Counts::AtStart => ("at_start", None),
            Counts::Own(command) => ("own", Some(command.to_owned())),
        };
        let options = match known.sort {
            Sort::OneOf(all) => all.iter().map(|one| (*one).to_owned()).collect(),
            Sort::Value | Sort::Block => Vec::new(),
        };
        KnownSetting {
            key: known.key.into(),
            about: known.about.into(),
            source: if value.is_some() { config::FILE } else { "default" }.into(),
            value: value.as_ref().map(one::shown).or_else(|| default.clone()),
            default,
            counts: counts.into(),
            changes: known.sort != Sort::Block && command.is_none(),
            command,
            options,
            secret: false,
        }
    }

    fn of_variable(known: &Variable, value: Option<&String>, in_file: bool) -> KnownSetting {
        let default = Some(known.default).filter(|text| !text.is_empty()).map(str::to_owned);
        let source = match (value, in_file) {
            (None, _) => "default",
            (Some(_), true) => ".env",
            (Some(_), false) => "environment",
        };
        let shown = |value: &String| if known.secret { HIDDEN.to_owned() } else { value.clone() };
        KnownSetting {
            key: known.name.into(),
            about: known.about.into(),
            value: value.map(shown).or_else(|| default.clone()),
            default,
            source: source.into(),
            counts: "at_start".into(),
            command: None,
            options: Vec::new(),
            changes: false,
            secret: known.secret,
        }
    }

    fn all(api: &Api, home: &Home, text: &str) -> Vec<KnownSetting> {
        let file = home.env_values().unwrap_or_default();
        let environment = &api.works.setting().environment;
        let variable = |known: &Variable| {
            let in_file = file.get(known.name).filter(|value| !value.is_empty());
            let around = environment.get(known.name).filter(|value| !known.in_file && !value.is_empty());
            KnownSetting::of_variable(known, in_file.or(around), in_file.is_some())
        };
        KNOWN.iter().map(|known| KnownSetting::of(known, text)).chain(VARIABLES.iter().map(variable)).collect()
    }
}

/// Every setting of the home, for a page.
pub fn every(_: &Admin, api: &Api) -> Result<Vec<KnownSetting>, Response> {
    let home = api.home().map_err(refused)?;
    Ok(KnownSetting::all(api, &home, &text_of(&home)?))
}

impl Settings {
    fn of(api: &Api, home: &Home, text: String, config: &Config) -> Settings {
        Settings {
            all: KnownSetting::all(api, home, &text),
            text,
            name: config.name.clone(),
            mode: config.mode.name().to_string(),
            profiles: config.profiles.clone(),
            networks: config.networks.to_string(),
            adopted: config.adopted.keys().cloned().collect(),
        }
    }

    fn answer(self) -> Response {
        ([Etag::of(self.text.as_bytes()).header()], Json(self)).into_response()
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsText)]
pub struct Text {
    /// All of `hearth.yaml`.
    text: String,
}

/// The settings; their ETag is wanted for saving them.
#[utoipa::path(get, path = "/api/v1/settings", responses((status = 200, body = Settings)))]
pub async fn all(_: Admin, State(api): State<Api>) -> Result<Response, Response> {
    let home = api.home().map_err(refused)?;
    Ok(Settings::of(&api, &home, text_of(&home)?, &home.config).answer())
}

/// Saves `hearth.yaml` over the version that `If-Match` names. A text with mistakes is refused with all of them in `errors`. Profiles, mode and adopted projects are
/// changed by their own calls, which also act on it: a text that changes one of them is refused, as is another project name.
#[utoipa::path(put, path = "/api/v1/settings",
    params(("If-Match" = String, Header, description = "The ETag of the version that was changed, in its quotes; `*` is whatever version there is")),
    request_body = Text,
    responses((status = 200, body = Settings),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn save(
    _: Admin,
    State(api): State<Api>,
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
    Body(asked): Body<Text>,
) -> Result<Response, Response> {
    let _editing = api.editing().await?;
    let home = api.home().map_err(refused)?;
    Etag::require(Some(&Etag::of(text_of(&home)?.as_bytes())), &headers, "a `hearth.yaml`")?;
    let new = written(&home, &auth, &asked.text)?;
    Ok(Settings::of(&api, &home, asked.text, &new).answer())
}

/// One key of the settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Setting {
    /// `auth`, `networks`, ...
    #[schema(example = "auth")]
    key: String,
    /// It stands in `hearth.yaml`; else what holds is what a home that says nothing has.
    set: bool,
    /// What stands there, as JSON.
    #[schema(value_type = Option<Value>, required)]
    value: Option<Value>,
}

impl Setting {
    fn of(text: &str, key: String) -> Setting {
        let value = one::get(text, &key);
        Setting { set: value.is_some(), key, value }
    }

    /// Of this key alone: whoever changes another one disturbs nobody.
    fn etag(&self) -> Etag {
        Etag::of(self.value.as_ref().map_or_else(String::new, Value::to_string).as_bytes())
    }

    fn answer(self) -> Response {
        ([self.etag().header()], Json(self)).into_response()
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingValue)]
pub struct New {
    /// What is to stand under the key.
    #[schema(schema_with = any_value, required)]
    pub value: Value,
    /// Only look whether it may stand there; nothing is written.
    #[serde(default)]
    pub check: bool,
}

/// As derived, with the example that utoipa leaves out of a value of any kind.
fn any_value() -> Schema {
    let any =
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some("What is to stand under the key."));
    any.examples([json!({"registration": "invite"})]).build().into()
}

/// One key of the settings; its ETag is wanted for changing it. A key below another is written with a dot: `auth.registration`.
#[utoipa::path(get, path = "/api/v1/settings/{key}", params(("key" = String, Path)), responses((status = 200, body = Setting)))]
pub async fn key(_: Admin, State(api): State<Api>, Path(key): Path<String>) -> Result<Response, Response> {
    is_known(&key)?;
    let home = api.home().map_err(refused)?;
    Ok(Setting::of(&text_of(&home)?, key).answer())
}

/// Sets one key over the version that `If-Match` names, and leaves every other byte of `hearth.yaml` as it is. Profiles, mode, adopted projects and the project's
/// name have calls of their own.
#[utoipa::path(put, path = "/api/v1/settings/{key}",
    params(("key" = String, Path), ("If-Match" = String, Header, description = "The ETag of the version that was changed, in its quotes; `*` is whatever version there is")),
    request_body = New,
    responses((status = 200, body = Setting),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn set(
    _: Admin,
    State(api): State<Api>,
    State(auth): State<Arc<Auth>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    Body(new): Body<New>,
) -> Result<Response, Response> {
    change(&api, &auth, key, &headers, Some(&new.value), new.check).await
}

/// Takes one key out of `hearth.yaml`, over the version that `If-Match` names: from then on what a home that says nothing has holds.
#[utoipa::path(delete, path = "/api/v1/settings/{key}",
    params(("key" = String, Path), ("If-Match" = String, Header, description = "The ETag of the version that is taken away, in its quotes; `*` is whatever version there is")),
    responses((status = 200, body = Setting),
        (status = 412, description = "Somebody else has changed it meanwhile"),
        (status = 428, description = "The request does not say which version it is made over")))]
pub async fn unset(
    _: Admin,
    State(api): State<Api>,
    State(auth): State<Arc<Auth>>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    change(&api, &auth, key, &headers, None, false).await
}

async fn change(
    api: &Api,
    auth: &Auth,
    key: String,
    headers: &HeaderMap,
    value: Option<&Value>,
    check: bool,
) -> Result<Response, Response> {
    is_known(&key)?;
    let _editing = api.editing().await?;
    let home = api.home().map_err(refused)?;
    let text = text_of(&home)?;
    Etag::require(Some(&Setting::of(&text, key.clone()).etag()), headers, &format!("a setting `{key}`"))?;
    let new = one::set(&text, &key, value).map_err(|d| Refusal(d).into_response())?;
    match check {
        true => drop(read(&home, &new)?),
        false => drop(written(&home, auth, &new)?),
    }
    Ok(Setting::of(&new, key).answer())
}

fn is_known(key: &str) -> Result<(), Response> {
    match config::KEYS.contains(&key) || known::known(key).is_some() {
        true => Ok(()),
        false => {
            let d = Diagnostic::error("config.unknown-key", format!("`{key}` is no key of hearth.yaml"));
            let d = match wording::nearest(key, config::KEYS.iter().copied()) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d,
            };
            let d = d.kind(Kind::NotFound).hint(format!("there are {}", config::KEYS.join(", ")));
            Err(Refusal(d).into_response())
        }
    }
}

/// Reads a new text of the home's settings, and writes it where a text alone may change what it changes. What it says of people counts before anybody is
/// answered: the next call may rely on it.
fn written(home: &Home, auth: &Auth, text: &str) -> Result<Config, Response> {
    let new = read(home, text)?;
    let done = home.folder().and_then(|folder| folder.write(config::FILE.as_ref(), text, 0o644));
    done.map_err(|d| Refusal(d).into_response())?;
    auth.take_up(new.people.clone());
    Ok(new)
}

/// The same without writing it.
fn read(home: &Home, text: &str) -> Result<Config, Response> {
    let path = home.dir.join(config::FILE);
    let (mut sources, mut told) = (Sources::default(), Diagnostics::default());
    let file = sources.add(&path, text);
    let Some(new) = config::parse(file, &sources, &mut told) else {
        return Err(Refusals(told, sources).into_response());
    };
    keeps(&home.config, &new).map_err(|d| Refusal(d).into_response())?;
    Ok(new)
}

fn text_of(home: &Home) -> Result<String, Response> {
    home.config_text().map_err(|told| Refusal(told).into_response())
}

/// What a text alone must not change.
fn keeps(old: &Config, new: &Config) -> Result<(), Diagnostic> {
    let (what, call) = if old.name != new.name {
        ("name", "a project's containers and volumes carry its name: make a home anew")
    } else if old.mode != new.mode {
        ("mode", "switch it with POST /api/v1/mode")
    } else if old.profiles != new.profiles {
        ("profiles", "turn them on and off with POST /api/v1/profiles/{name}/enable and disable, or up and down")
    } else if old.adopted != new.adopted {
        ("adopted", "take one over with POST /api/v1/projects/{name}/adopt")
    } else {
        return Ok(());
    };
    let title = format!("`{what}` is not changed by a text alone: what runs has to follow it");
    Err(Diagnostic::error("home.own-call", title).kind(Kind::Conflict).field(what).hint(call))
}
