//! The first admin, by the printed token.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use super::fit::{Email, Label, Password, UserName};
use super::login::LoginAnswer;
use super::{Refused, login_of};
use crate::auth::accounts::{Auth, NewUser};
use crate::auth::table::guard::SignedIn;
use crate::auth::who::{Anyone, Role};
use crate::base::secret::Secret;
use crate::web::{Caller, read};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// As `hearth serve` printed it at its start, or `hearth users setup-link`.
    pub token: String,
    pub username: UserName,
    pub password: Password,
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub display_name: Option<Label>,
}

/// Make the first admin
///
/// With the one-time token. Until this was done nothing else answers. The answer is that of a login.
#[utoipa::path(post, path = "/api/v1/setup", request_body = SetupRequest, responses((status = 201, body = LoginAnswer)))]
pub async fn set_up(
    _: Anyone,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    read::Json(asked): read::Json<SetupRequest>,
) -> Result<(StatusCode, Extension<SignedIn>, Json<LoginAnswer>), Refused> {
    let SetupRequest { token, username, password, email, display_name } = asked;
    let (email, display_name) = (email.map(|email| email.0), display_name.map(|shown| shown.0));
    let password = Some(password.secret());
    let (role, groups, only) = (Role::Admin, Vec::new(), Vec::new());
    let new = NewUser { name: username.0, email, display_name, role, groups, only, password };
    let user = auth.set_up(&Secret::new(token), new, caller.address).await?;
    let login = login_of(&caller, &headers);
    let tokens = auth.begin_family(&user, &login.agent, login.from).await?;
    Ok((StatusCode::CREATED, SignedIn::of(&tokens.user), Json(tokens.into())))
}
