//! Oneself: who one is, one's names, one's password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use super::fit::{Email, Label, Password};
use super::{Refused, User, login_of};
use crate::auth::accounts::{Auth, NewSession};
use crate::auth::who;
use crate::base::secret::Secret;
use crate::web::{Caller, SESSION, read, set_cookie};

/// Who one is
#[utoipa::path(get, path = "/api/v1/auth/me", responses((status = 200, body = User)))]
pub async fn me(who: who::User, State(auth): State<Arc<Auth>>) -> Result<Json<User>, Refused> {
    Ok(Json(User::from(&*auth.person(who.user).await?)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeChange {
    #[serde(default)]
    pub display_name: Option<Label>,
    /// Empty: none.
    #[serde(default)]
    pub email: Option<Email>,
}

/// Change one's names
///
/// What is left out stays.
#[utoipa::path(patch, path = "/api/v1/auth/me", request_body = MeChange, responses((status = 200, body = User)))]
pub async fn change(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    read::Json(asked): read::Json<MeChange>,
) -> Result<Json<User>, Refused> {
    let (shown, email) = (asked.display_name.map(|shown| shown.0), asked.email.map(|email| email.0));
    let user = auth.rename(who.user, shown.as_deref(), email.as_deref()).await?;
    Ok(Json(User::from(&user)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one until now.
    pub old_password: String,
    pub new_password: Password,
}

/// Change one's password
///
/// With the old one. All by which one is known ends; a browser gets a new session, a program logs in again.
#[utoipa::path(post, path = "/api/v1/auth/password", request_body = PasswordChange, responses((status = 204)))]
pub async fn password(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    read::Json(asked): read::Json<PasswordChange>,
) -> Result<Response, Refused> {
    let PasswordChange { old_password, new_password } = asked;
    let (old, new) = (Secret::new(old_password), new_password.secret());
    let session = auth.change_password(&who, &old, new, &login_of(&caller, &headers)).await?;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    if let Some(NewSession { token, max_age, .. }) = session {
        set_cookie(answer.headers_mut(), SESSION, token.expose(), Some(max_age));
    }
    Ok(answer)
}
