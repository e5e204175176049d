//! How BaluHost's clients sign in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::login::LoginRequest;
use super::{Refused, login_of, moment};
use crate::auth::accounts::Auth;
use crate::auth::table::guard::SignedIn;
use crate::auth::who::{Anyone, Role};
use crate::web::{Caller, read};

#[derive(Debug, Serialize, ToSchema)]
pub struct BaluHostUser {
    pub id: i64,
    pub username: String,
    pub email: String,
    /// `admin` or `user`.
    pub role: &'static str,
    /// RFC 3339.
    pub created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BaluHostLogin {
    /// For `Authorization: Bearer`.
    pub token: String,
    pub user: BaluHostUser,
}

/// Sign in, as BaluHost's clients do
#[utoipa::path(post, path = "/api/auth/login", request_body = LoginRequest,
    responses((status = 200, body = BaluHostLogin), (status = 401, description = "The name or password is wrong, or a code is needed", body = crate::auth::table::describe::Refused)))]
pub async fn login(
    _: Anyone,
    State(auth): State<Arc<Auth>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    read::Json(asked): read::Json<LoginRequest>,
) -> Result<(Extension<SignedIn>, Json<BaluHostLogin>), Refused> {
    let tokens = auth.login(&asked.credentials(), &login_of(&caller, &headers)).await?;
    let (user, known) = (tokens.user.clone(), SignedIn::of(&tokens.user));
    let role = if user.role == Role::Admin { "admin" } else { "user" };
    let user = BaluHostUser {
        id: user.id,
        username: user.name,
        email: user.email.unwrap_or_default(),
        role,
        created_at: moment(user.created),
    };
    Ok((known, Json(BaluHostLogin { token: tokens.access.expose().to_owned(), user })))
}
