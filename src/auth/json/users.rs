//! Users, as an admin sees and changes them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Refused, User, in_person};
use crate::auth::accounts::{Auth, Change, NewUser};
use crate::auth::who::{Admin, By, Identity, Role};
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::web::read;

/// Users on one page at most.
const MOST: u32 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many at most, up to 500.
    #[serde(default)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default)]
    after: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Users {
    /// In the order of their ids.
    pub users: Vec<User>,
    /// How many there are in all.
    pub total: i64,
    /// To be sent as `after` for the next page; nothing where this is the last one.
    #[schema(required)]
    pub next: Option<i64>,
}

/// List users
#[utoipa::path(get, path = "/api/v1/users", params(Page), responses((status = 200, body = Users)))]
pub async fn list(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Query(page): read::Query<Page>,
) -> Result<Json<Users>, Refused> {
    let limit = page.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        let d = Diagnostic::error("auth.bad-page", format!("a page has 1 to {MOST} users")).field("limit");
        return Err(d.hint("ask for the next page with `after`").into());
    }
    // One more than asked for says whether there is a next page.
    let mut users = auth.users(page.after.unwrap_or(0), limit + 1).await?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let next = users.last().filter(|_| more).map(|user| user.id);
    let total = auth.user_count().await?;
    Ok(Json(Users { users: users.iter().map(User::from).collect(), total, next }))
}

/// Show a user
#[utoipa::path(get, path = "/api/v1/users/{id}", params(("id" = i64, Path)), responses((status = 200, body = User)))]
pub async fn show(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
) -> Result<Json<User>, Refused> {
    Ok(Json(User::from(&auth.user(id).await?)))
}

/// Show a user, at the address that HomeServer's clients know
#[utoipa::path(get, path = "/api/v1/auth/users/{id}", params(("id" = i64, Path)), responses((status = 200, body = User)))]
pub async fn show_as_homeserver(
    admin: Admin,
    auth: State<Arc<Auth>>,
    id: read::Path<i64>,
) -> Result<Json<User>, Refused> {
    show(admin, auth, id).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    #[schema(max_length = 32)]
    pub username: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub display_name: Option<String>,
    pub role: Role,
    #[serde(default)]
    pub groups: Vec<String>,
    /// Without one they cannot sign in until they have one.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 256)]
    pub password: Option<String>,
}

/// A token makes no admin, and changes nothing about one, its owner among them: whoever finds it must not become more than it says.
pub(super) async fn spares_admins(who: &Identity, auth: &Auth, id: i64, becomes: Option<Role>) -> Result<(), Refused> {
    match &who.by {
        By::Token { .. } if becomes == Some(Role::Admin) || id == who.user => in_person(who),
        By::Token { .. } if auth.user(id).await?.role == Role::Admin => in_person(who),
        _ => Ok(()),
    }
}

/// Add a user
///
/// A token adds no admins.
#[utoipa::path(post, path = "/api/v1/users", request_body = UserRequest, responses((status = 201, body = User)))]
pub async fn add(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Json(asked): read::Json<UserRequest>,
) -> Result<(StatusCode, Json<User>), Refused> {
    let UserRequest { username: name, email, display_name, role, groups, password } = asked;
    if role == Role::Admin {
        in_person(&admin)?;
    }
    let password = password.map(Secret::new);
    let user = auth.add_user(NewUser { name, email, display_name, role, groups, password }).await?;
    Ok((StatusCode::CREATED, Json(User::from(&user))))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Empty: none.
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub is_active: Option<bool>,
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// Of the user as it was looked at: refused with 409 where somebody has changed it meanwhile.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Change a user
///
/// What is left out stays. Another role, or an account made inactive, ends all by which the user is known. A token changes nothing about admins, and makes
/// nobody one.
#[utoipa::path(patch, path = "/api/v1/users/{id}", params(("id" = i64, Path)), request_body = UserChange, responses((status = 200, body = User)))]
pub async fn change(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Json(asked): read::Json<UserChange>,
) -> Result<Json<User>, Refused> {
    let UserChange { email, display_name, role, is_active: active, groups, version } = asked;
    spares_admins(&admin, &auth, id, role).await?;
    let user =
        auth.change_user(id, Change { email, vouched: true, display_name, role, active, groups, version }).await?;
    Ok(Json(User::from(&user)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Heir {
    /// Who gets what is theirs, by id; without it the admins keep it for 30 days.
    #[serde(default)]
    heir: Option<i64>,
}

/// Remove a user
///
/// A token removes no admins.
#[utoipa::path(delete, path = "/api/v1/users/{id}", params(("id" = i64, Path), Heir), responses((status = 204)))]
pub async fn remove(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Query(heir): read::Query<Heir>,
) -> Result<StatusCode, Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    auth.remove_user(id, heir.heir).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    #[schema(min_length = 10, max_length = 256)]
    pub password: String,
    /// Take every other way in away too: second factor, passkeys, the link with the provider.
    #[serde(default)]
    pub only: bool,
}

/// Give a user another password
///
/// All by which they are known ends. Passkeys and the link with the provider stay, and sign in as before, unless `only` is true. Not for tokens where the
/// user is an admin.
#[utoipa::path(put, path = "/api/v1/users/{id}/password", params(("id" = i64, Path)), request_body = PasswordRequest, responses((status = 204)))]
pub async fn password(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Json(asked): read::Json<PasswordRequest>,
) -> Result<StatusCode, Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    auth.set_password(id, Secret::new(asked.password), asked.only).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user's second factor away
///
/// Not for tokens where the user is an admin.
#[utoipa::path(delete, path = "/api/v1/users/{id}/second-factor", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn second_factor_off(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
) -> Result<StatusCode, Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    auth.remove_factor(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
