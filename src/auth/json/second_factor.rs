//! One's second factor: how it is, set up in two steps, new codes on paper, away with it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use crate::auth::accounts::Auth;
use crate::auth::table::guard::SignedIn;
use crate::auth::who::{self, Anyone};
use crate::base::secret::Secret;
use crate::web::{Caller, read};

/// How one's second factor is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactor {
    pub on: bool,
    /// Recovery codes that are left.
    pub codes_left: i64,
    /// The home asks people of this role for one.
    pub required: bool,
}

/// How one's second factor is
#[utoipa::path(get, path = "/api/v1/auth/second-factor", responses((status = 200, body = SecondFactor)))]
pub async fn show(who: who::User, State(auth): State<Arc<Auth>>) -> Result<Json<SecondFactor>, Refused> {
    let state = auth.factor(who.user).await?;
    Ok(Json(SecondFactor { on: state.on, codes_left: state.codes_left, required: state.required }))
}

/// Name and password: it is set up by who has them, signed in or not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BeginSecondFactor)]
pub struct BeginRequest {
    /// The name of the account.
    pub username: String,
    /// Its password.
    pub password: String,
}

/// What the app is set up with. Shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrolment {
    /// `otpauth://totp/...`
    pub url: String,
    /// The secret in base32, for typing.
    pub key: String,
    /// The URL as a QR code, an `<svg>` element.
    pub svg: String,
}

/// Begin to set up a second factor
///
/// It counts once it is confirmed with a code of the app.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/begin", request_body = BeginRequest,
    responses((status = 200, body = Enrolment), (status = 401, description = "The name or password is wrong", body = crate::auth::table::describe::Refused)))]
pub async fn begin(
    who: Anyone,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    read::Json(asked): read::Json<BeginRequest>,
) -> Result<(Extension<SignedIn>, Json<Enrolment>), Refused> {
    let (user, set) = {
        let (password, asking) = (Secret::new(asked.password), who.0.as_deref());
        auth.begin_factor_as(&asked.username, &password, caller.address, asking).await?
    };
    let text = |secret: &Secret| secret.expose().to_owned();
    let set = Enrolment { url: text(&set.url), key: text(&set.key), svg: text(&set.svg) };
    Ok((SignedIn::of(&user), Json(set)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmSecondFactor)]
pub struct ConfirmRequest {
    /// The name of the account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The code that the app shows.
    pub otp: String,
}

/// Codes on paper, each good once in place of the app. Shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

impl From<Vec<Secret>> for RecoveryCodes {
    fn from(codes: Vec<Secret>) -> RecoveryCodes {
        RecoveryCodes { recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect() }
    }
}

/// Confirm a second factor
///
/// With the app's code. From now on a code is asked for at each login.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/confirm", request_body = ConfirmRequest,
    responses((status = 200, body = RecoveryCodes), (status = 401, description = "The name, password or code is wrong", body = crate::auth::table::describe::Refused)))]
pub async fn confirm(
    _: Anyone,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    read::Json(asked): read::Json<ConfirmRequest>,
) -> Result<(Extension<SignedIn>, Json<RecoveryCodes>), Refused> {
    let password = Secret::new(asked.password);
    let (user, codes) = auth.confirm_factor_as(&asked.username, &password, &asked.otp, caller.address).await?;
    Ok((SignedIn::of(&user), Json(codes.into())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// A code of the app, or a recovery code.
    pub otp: String,
}

/// Make new recovery codes
///
/// The old ones end.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/codes", request_body = CodeRequest, responses((status = 200, body = RecoveryCodes)))]
pub async fn codes(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    read::Json(asked): read::Json<CodeRequest>,
) -> Result<Json<RecoveryCodes>, Refused> {
    Ok(Json(auth.new_codes(who.user, &asked.otp, caller.address).await?.into()))
}

/// Take one's second factor away
#[utoipa::path(post, path = "/api/v1/auth/second-factor/off", request_body = CodeRequest, responses((status = 204)))]
pub async fn off(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    read::Json(asked): read::Json<CodeRequest>,
) -> Result<StatusCode, Refused> {
    auth.remove_own_factor(who.user, &asked.otp, caller.address).await?;
    Ok(StatusCode::NO_CONTENT)
}
