//! Calls about passkeys: one's own, and signing in by one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Key, Passkeys};
use crate::auth::json::fit::Label;
use crate::auth::page::forms::{from, own_path};
use crate::auth::table::guard;
use crate::auth::who::{Anyone, Person, User};
use crate::base::secret::Secret;
use crate::web::list::{self, Page};
use crate::web::{Caller, Refusal, SESSION, read, set_cookie};

/// The browser's own between question and answer.
const COOKIE: &str = "__Host-hearth-key";
const SECONDS: i64 = 600;

/// One of your passkeys.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyOut {
    id: String,
    name: String,
    /// Milliseconds since 1970.
    made: i64,
    #[schema(required)]
    last_used: Option<i64>,
}

impl From<Key> for PasskeyOut {
    fn from(key: Key) -> PasskeyOut {
        PasskeyOut { id: key.id, name: key.name, made: key.made, last_used: key.last_used }
    }
}

crate::order! { By of PasskeyOut, false:
    Made "made" => |one| one.made.into(),
    Name "name" => |one| one.name.as_str().into(),
    LastUsed "last_used" => |one| one.last_used.unwrap_or_default().into(),
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
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BeginPasskey)]
pub struct BeginRequest {
    /// Your own, where you signed in longer than 10 minutes ago.
    password: Option<String>,
}

/// What the browser is to be asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Question {
    /// Goes along with the answer.
    ticket: String,
    /// `publicKey` for `navigator.credentials`; bytes are base64url.
    #[schema(value_type = Object)]
    options: Value,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// As the question had it.
    ticket: String,
    /// What it is called.
    name: Label,
    /// What `navigator.credentials.create` gave.
    #[schema(value_type = Object)]
    credential: Value,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyName {
    /// What it is called.
    name: Label,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyLogin {
    /// As the question had it.
    ticket: String,
    /// Where to go on to: a path of this host.
    #[serde(default)]
    next: String,
    /// What `navigator.credentials.get` gave.
    #[schema(value_type = Object)]
    credential: Value,
}

/// Where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// A path of this host.
    next: String,
}

/// Your passkeys
#[utoipa::path(get, path = "/api/v1/auth/passkeys", params(Which), responses((status = 200, body = Page<PasskeyOut>)))]
pub async fn list(
    who: User,
    State(passkeys): State<Arc<Passkeys>>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<PasskeyOut>>, Refusal> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let keys = passkeys.keys(who.user).await?;
    Ok(Json(asked.page(keys.into_iter().map(PasskeyOut::from).collect(), |one| one.id.clone())))
}

/// Begin to make a passkey
///
/// The answer brings a cookie, so the call is for a page of ours.
#[utoipa::path(post, path = "/api/v1/auth/passkeys/begin", request_body = BeginRequest, responses((status = 200, body = Question)))]
pub async fn begin(
    who: Person,
    State(passkeys): State<Arc<Passkeys>>,
    Extension(caller): Extension<Caller>,
    read::Json(wanted): read::Json<BeginRequest>,
) -> Result<Response, Refusal> {
    let password = wanted.password.map(Secret::new);
    Ok(question(passkeys.begin(&who, password.as_ref(), &caller).await?))
}

/// Keep the passkey that the browser has made
#[utoipa::path(post, path = "/api/v1/auth/passkeys", request_body = NewPasskey, responses((status = 201, body = PasskeyOut)))]
pub async fn add(
    who: Person,
    State(passkeys): State<Arc<Passkeys>>,
    headers: HeaderMap,
    read::Json(new): read::Json<NewPasskey>,
) -> Result<Response, Refusal> {
    let cookie = crate::web::cookie(&headers, COOKIE);
    let key = passkeys.make(&who, &new.ticket, cookie, &new.name.0, new.credential).await?;
    let mut answer = (StatusCode::CREATED, Json(PasskeyOut::from(key))).into_response();
    set_cookie(answer.headers_mut(), COOKIE, "", None);
    Ok(answer)
}

/// Rename a passkey
#[utoipa::path(patch, path = "/api/v1/auth/passkeys/{id}", request_body = PasskeyName, params(("id" = String, Path)),
    responses((status = 200, body = PasskeyOut)))]
pub async fn rename(
    who: Person,
    State(passkeys): State<Arc<Passkeys>>,
    read::Path(id): read::Path<String>,
    read::Json(new): read::Json<PasskeyName>,
) -> Result<Json<PasskeyOut>, Refusal> {
    Ok(Json(passkeys.rename(who.user, &id, &new.name.0).await?.into()))
}

/// Remove a passkey
#[utoipa::path(delete, path = "/api/v1/auth/passkeys/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn remove(
    who: Person,
    State(passkeys): State<Arc<Passkeys>>,
    read::Path(id): read::Path<String>,
) -> Result<StatusCode, Refusal> {
    passkeys.remove(who.user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begin to sign in by a passkey
#[utoipa::path(post, path = "/api/v1/auth/passkeys/login/begin", responses((status = 200, body = Question)))]
pub async fn begin_login(
    _: Anyone,
    State(passkeys): State<Arc<Passkeys>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Refusal> {
    Ok(question(passkeys.begin_login(&caller)?))
}

/// Sign in by a passkey
///
/// Both factors in one. The answer brings the session's cookie.
#[utoipa::path(post, path = "/api/v1/auth/passkeys/login", request_body = PasskeyLogin,
    responses((status = 200, body = SignedIn), (status = 401, description = "The key is not known, or this was not begun in this browser", body = crate::auth::table::describe::Refused)))]
pub async fn login(
    _: Anyone,
    State(passkeys): State<Arc<Passkeys>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    read::Json(shown): read::Json<PasskeyLogin>,
) -> Result<Response, Refusal> {
    let cookie = crate::web::cookie(&headers, COOKIE);
    let (_, session) = passkeys.login(&shown.ticket, cookie, shown.credential, &from(&caller, &headers)).await?;
    let next = own_path(&shown.next).to_owned();
    let mut answer = Json(SignedIn { next }).into_response();
    answer.extensions_mut().insert(guard::SignedIn { user: session.user, name: session.name.clone() });
    set_cookie(answer.headers_mut(), SESSION, session.token.expose(), Some(session.max_age));
    set_cookie(answer.headers_mut(), COOKIE, "", None);
    Ok(answer)
}

fn question(asked: Asked) -> Response {
    let Asked { ticket, cookie, options } = asked;
    let mut answer = Json(Question { ticket: ticket.expose().to_owned(), options }).into_response();
    set_cookie(answer.headers_mut(), COOKIE, cookie.expose(), Some(SECONDS));
    answer
}
