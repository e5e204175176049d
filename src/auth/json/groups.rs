//! Groups of people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Refused, moment};
use crate::auth::accounts::{self, Auth};
use crate::auth::who::Admin;
use crate::web::read;

#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    /// As a route's `access: group:NAME` writes it.
    pub name: String,
    pub about: String,
    /// User names, in order.
    pub members: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
}

impl From<accounts::Group> for Group {
    fn from(group: accounts::Group) -> Group {
        let accounts::Group { name, about, members, created } = group;
        Group { name, about, members, created_at: moment(created) }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Groups {
    /// By name.
    pub groups: Vec<Group>,
}

/// List groups
#[utoipa::path(get, path = "/api/v1/groups", responses((status = 200, body = Groups)))]
pub async fn list(_: Admin, State(auth): State<Arc<Auth>>) -> Result<Json<Groups>, Refused> {
    Ok(Json(Groups { groups: auth.groups().await?.into_iter().map(Group::from).collect() }))
}

/// Show a group
#[utoipa::path(get, path = "/api/v1/groups/{name}", params(("name" = String, Path)), responses((status = 200, body = Group)))]
pub async fn show(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(name): read::Path<String>,
) -> Result<Json<Group>, Refused> {
    Ok(Json(auth.group(&name).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRequest {
    #[schema(max_length = 32)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub about: String,
}

/// Make a group
#[utoipa::path(post, path = "/api/v1/groups", request_body = GroupRequest, responses((status = 201, body = Group)))]
pub async fn add(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Json(asked): read::Json<GroupRequest>,
) -> Result<(StatusCode, Json<Group>), Refused> {
    let group = auth.add_group(&asked.name, &asked.about).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    #[serde(default)]
    #[schema(max_length = 200)]
    pub about: Option<String>,
    /// User names of all who are in it from now on.
    #[serde(default)]
    pub members: Option<Vec<String>>,
}

/// Change what a group is for, or who is in it
///
/// What is left out stays.
#[utoipa::path(patch, path = "/api/v1/groups/{name}", params(("name" = String, Path)), request_body = GroupChange, responses((status = 200, body = Group)))]
pub async fn change(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(name): read::Path<String>,
    read::Json(asked): read::Json<GroupChange>,
) -> Result<Json<Group>, Refused> {
    Ok(Json(auth.change_group(&name, asked.about.as_deref(), asked.members).await?.into()))
}

/// Remove a group
///
/// Its members stay.
#[utoipa::path(delete, path = "/api/v1/groups/{name}", params(("name" = String, Path)), responses((status = 204)))]
pub async fn remove(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(name): read::Path<String>,
) -> Result<StatusCode, Refused> {
    auth.remove_group(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
