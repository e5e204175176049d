//! Signing a program in, keeping it signed in, and out; an account of one's own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fit::{Email, Password, UserName};
use super::{Refused, User, login_of};
use crate::auth::accounts::{Auth, Credentials, Registration, Tokens};
use crate::auth::table::guard::SignedIn;
use crate::auth::who::{self, Anyone};
use crate::base::secret::Secret;
use crate::web::{Caller, Refusal, read};

/// Who wants in. Other fields, as OAuth 2 clients send them, are passed over.
#[derive(Deserialize, ToSchema)]
pub struct LoginRequest {
    /// The name of the account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    pub otp: Option<String>,
}

/// What a program needs from now on.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginAnswer {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// `bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// For the next access token; good once.
    pub refresh_token: String,
    pub user: User,
}

impl From<Tokens> for LoginAnswer {
    fn from(tokens: Tokens) -> LoginAnswer {
        LoginAnswer {
            access_token: tokens.access.expose().to_owned(),
            token_type: "bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh.expose().to_owned(),
            user: User::from(&tokens.user),
        }
    }
}

impl LoginRequest {
    pub(super) fn credentials(self) -> Credentials {
        Credentials { username: self.username, password: Secret::new(self.password), otp: self.otp }
    }
}

/// Sign in
///
/// With user name and password, and a code where the account has a second factor. Too many wrong ones have to wait.
#[utoipa::path(post, path = "/api/v1/auth/login",
    request_body(content((LoginRequest = "application/json"), (LoginRequest = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = LoginAnswer), (status = 401, description = "The name or password is wrong, or `detail` is `second_factor_required`", body = crate::auth::table::describe::Refused)))]
pub async fn login(
    _: Anyone,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    read::JsonOrForm(asked): read::JsonOrForm<LoginRequest>,
) -> Response {
    let username = asked.username.clone();
    match auth.login(&asked.credentials(), &login_of(&caller, &headers)).await {
        Ok(tokens) => (SignedIn::of(&tokens.user), Json(LoginAnswer::from(tokens))).into_response(),
        Err(told) => (auth.tried(&username).await, Refused::from(told)).into_response(),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// As the login gave it, or the refresh before.
    pub refresh_token: String,
}

/// Get the next access token
///
/// With the refresh token of the last answer. Each is good once: one that comes twice ends the login that it belongs to.
#[utoipa::path(post, path = "/api/v1/auth/refresh", request_body = RefreshRequest,
    responses((status = 200, body = LoginAnswer), (status = 401, description = "The refresh token does not hold", body = crate::auth::table::describe::Refused)))]
pub async fn refresh(
    _: Anyone,
    State(auth): State<Arc<Auth>>,
    read::Json(asked): read::Json<RefreshRequest>,
) -> Result<Response, Refused> {
    let refreshed = auth.refresh(&Secret::new(asked.refresh_token)).await?;
    // Also where it was used twice: the audit says whose login has ended.
    let whose = SignedIn::of(refreshed.user());
    Ok(match refreshed.tokens() {
        Ok(tokens) => (whose, Json(LoginAnswer::from(tokens))).into_response(),
        Err(told) => (whose, Refusal(told)).into_response(),
    })
}

/// Sign out
///
/// Ends that by which the request is known, and what came of it.
#[utoipa::path(post, path = "/api/v1/auth/logout", responses((status = 204)))]
pub async fn logout(who: who::Person, State(auth): State<Arc<Auth>>) -> Result<StatusCode, Refused> {
    auth.logout(&who).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    pub username: UserName,
    #[serde(default)]
    pub email: Option<Email>,
    pub password: Password,
    /// An invitation's token, where the home lets in by invitation.
    #[serde(default)]
    pub invite: Option<String>,
}

/// Make an account of one's own
///
/// Where the home lets people do that (`auth: {registration: ...}` in hearth.yaml).
#[utoipa::path(post, path = "/api/v1/auth/register", request_body = RegisterRequest, responses((status = 201, body = User)))]
pub async fn register(
    _: Anyone,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    read::Json(asked): read::Json<RegisterRequest>,
) -> Result<(StatusCode, Extension<SignedIn>, Json<User>), Refused> {
    let RegisterRequest { username, email, password, invite } = asked;
    let invite = invite.filter(|token| !token.is_empty()).map(Secret::new);
    let (username, email) = (username.0, email.map(|email| email.0));
    let new = Registration { username, email, password: password.secret(), invite };
    let user = auth.register(new, caller.address).await?;
    Ok((StatusCode::CREATED, SignedIn::of(&user), Json(User::from(&user))))
}
