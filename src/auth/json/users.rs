//! Users, as an admin sees and changes them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::fit::{Email, GroupName, Label, Password, ServiceName, UserName};
use super::{Refused, User, in_person};
use crate::auth::accounts::{self, Auth, Change, NewUser};
use crate::auth::routed::Routes;
use crate::auth::who::{Admin, By, Identity, Role};
use crate::web::list::{self, Page};
use crate::web::{Over, read};

crate::order! { Column of User, false:
    Id "id" => |one| one.id.into(),
    Username "username" => |one| one.username.as_str().into(),
    Role "role" => |one| one.role.word().into(),
    Created "created_at" => |one| one.created_at.as_str().into(),
    LastLogin "last_login" => |one| one.last_login.as_deref().unwrap_or_default().into(),
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// In which order.
    #[param(inline)]
    pub sort: Option<Sort>,
    /// Only those whose user name, shown name or e-mail address has this in it.
    pub search: Option<String>,
    /// Only those of this role.
    #[param(inline)]
    pub role: Option<Role>,
    /// Only those that are active, or are not.
    pub is_active: Option<bool>,
    /// Only those that have a second factor, or have none.
    pub second_factor: Option<bool>,
    /// Only those of this group.
    pub group: Option<String>,
}

/// List users
#[utoipa::path(get, path = "/api/v1/users", params(Which), responses((status = 200, body = Page<User>)))]
pub async fn list(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<User>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let mut all: Vec<User> = auth.users(0, u32::MAX).await?.iter().map(User::from).collect();
    let sought = which.search.as_ref().map(|text| text.to_lowercase());
    let has = |one: &User, sought: &str| {
        let texts = [Some(&one.username), Some(&one.display_name), one.email.as_ref()];
        texts.into_iter().flatten().any(|text| text.to_lowercase().contains(sought))
    };
    all.retain(|one| {
        sought.as_ref().is_none_or(|sought| has(one, sought))
            && which.second_factor.is_none_or(|factor| one.second_factor == factor)
            && which.role.is_none_or(|role| one.role == role)
            && which.is_active.is_none_or(|active| one.is_active == active)
            && which.group.as_ref().is_none_or(|group| one.groups.contains(group))
    });
    Ok(Json(asked.page(all, |one| one.username.clone())))
}

/// With the ETag of its version.
type Tagged = ([(HeaderName, HeaderValue); 1], Json<User>);

fn tagged(user: &accounts::User) -> Tagged {
    ([user.tag().header()], Json(User::from(user)))
}

/// Show a user
#[utoipa::path(get, path = "/api/v1/users/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = User, headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(_: Admin, State(auth): State<Arc<Auth>>, read::Path(id): read::Path<i64>) -> Result<Tagged, Refused> {
    Ok(tagged(&auth.user(id).await?))
}

/// Show a user, at the address that HomeServer's clients know
#[utoipa::path(get, path = "/api/v1/auth/users/{id}", params(("id" = i64, Path)), responses((status = 200, body = User)))]
pub async fn show_as_homeserver(admin: Admin, auth: State<Arc<Auth>>, id: read::Path<i64>) -> Result<Tagged, Refused> {
    show(admin, auth, id).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    pub username: UserName,
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub display_name: Option<Label>,
    pub role: Role,
    /// Groups that they are in.
    #[serde(default)]
    pub groups: Vec<GroupName>,
    /// Services that the account is for alone, of a member: of all that asks for a login it enters these, and what is for one of its groups.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub only: Vec<ServiceName>,
    /// Without one they cannot sign in until they have one.
    #[serde(default)]
    pub password: Option<Password>,
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
    State(routes): State<Routes>,
    read::Json(asked): read::Json<UserRequest>,
) -> Result<(StatusCode, Json<User>), Refused> {
    let UserRequest { username, email, display_name, role, groups, only, password } = asked;
    if role == Role::Admin {
        in_person(&admin)?;
    }
    let only: Vec<String> = only.into_iter().map(|service| service.0).collect();
    routes.served(&only, &[], "only").await?;
    let new = NewUser {
        name: username.0,
        email: email.map(|email| email.0),
        display_name: display_name.map(|shown| shown.0),
        role,
        groups: groups.into_iter().map(|group| group.0).collect(),
        only,
        password: password.map(Password::secret),
    };
    let user = auth.add_user(new).await?;
    Ok((StatusCode::CREATED, Json(User::from(&user))))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Empty: none.
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub display_name: Option<Label>,
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether they may sign in.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// All that they are in from now on; wants `If-Match`, or `version`.
    #[serde(default)]
    pub groups: Option<Vec<GroupName>>,
    /// All services that the account is for alone from now on; empty: it is for whatever its role opens. Wants `If-Match`, or `version`.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub only: Option<Vec<ServiceName>>,
    /// Of the user as it was looked at: refused with 409 where somebody has changed it meanwhile.
    /// The header `If-Match` does the same.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9007199254740991_i64)]
    pub version: Option<i64>,
}

/// Change a user
///
/// What is left out stays. Another role, or an account made inactive, ends all by which the user is known; other groups and services count within a second,
/// and end nothing. A token changes nothing about admins, and makes
/// nobody one.
#[utoipa::path(patch, path = "/api/v1/users/{id}",
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the version that was looked at, in its quotes; `*` is whatever version there is")),
    request_body = UserChange,
    responses((status = 200, body = User, headers(("ETag" = String, description = "For If-Match"))), (status = 412, description = "Somebody else has changed it meanwhile", body = crate::auth::table::describe::Refused),
        (status = 428, description = "A list is sent whole, and the request does not say over which version", body = crate::auth::table::describe::Refused)))]
pub async fn change(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    read::Path(id): read::Path<i64>,
    headers: HeaderMap,
    read::Json(asked): read::Json<UserChange>,
) -> Result<Tagged, Refused> {
    let UserChange { email, display_name, role, is_active: active, groups, only, version } = asked;
    spares_admins(&admin, &auth, id, role).await?;
    let list = groups.as_ref().map(|_| "groups").or(only.as_ref().map(|_| "only"));
    let over = Over::of_list(&headers, list, version.is_some())?;
    let only = only.map(|all| all.into_iter().map(|service| service.0).collect::<Vec<String>>());
    if let Some(only) = &only {
        routes.served(only, &auth.user(id).await?.only, "only").await?;
    }
    let change = Change {
        email: email.map(|email| email.0),
        vouched: true,
        display_name: display_name.map(|shown| shown.0),
        role,
        active,
        groups: groups.map(|all| all.into_iter().map(|group| group.0).collect()),
        only,
        version,
        over,
    };
    Ok(tagged(&auth.change_user(id, change).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Heir {
    /// Who gets what is theirs, by id; without it the admins keep it for 30 days.
    #[serde(default)]
    pub heir: Option<i64>,
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
    pub password: Password,
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
    auth.set_password(id, asked.password.secret(), asked.only).await?;
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
