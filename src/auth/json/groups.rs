//! Groups of people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fit::{GroupName, Note};
use super::{Refused, moment};
use crate::auth::accounts::{self, Auth};
use crate::auth::routed::{self, Routes};
use crate::auth::who::Admin;
use crate::base::wording;
use crate::diag::{Diagnostic, Kind};
use crate::web::list::{self, Page};
use crate::web::{Over, read};

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

crate::order! { By of Group, false:
    Name "name" => |one| one.name.as_str().into(),
    Created "created_at" => |one| one.created_at.as_str().into(),
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
    /// Only those that this user is in, by name.
    pub member: Option<String>,
}

/// List groups
#[utoipa::path(get, path = "/api/v1/groups", params(Which), responses((status = 200, body = Page<Group>)))]
pub async fn list(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<Group>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let mut all: Vec<Group> = auth.groups().await?.into_iter().map(Group::from).collect();
    all.retain(|one| which.member.as_ref().is_none_or(|name| one.members.contains(name)));
    Ok(Json(asked.page(all, |one| one.name.clone())))
}

/// Show a group
#[utoipa::path(get, path = "/api/v1/groups/{name}", params(("name" = String, Path)), responses((status = 200, body = Group, headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(name): read::Path<String>,
) -> Result<Tagged<Group>, Refused> {
    Ok(tagged(auth.group(&name).await?))
}

/// With the ETag of its version.
type Tagged<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

fn tagged(group: accounts::Group) -> Tagged<Group> {
    ([group.tag().header()], Json(group.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRequest {
    pub name: GroupName,
    /// What it is for.
    #[serde(default)]
    pub about: Option<Note>,
}

/// What is asked before one is removed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Also where routes are for this group alone.
    #[serde(default)]
    #[param(default = false)]
    pub force: bool,
}

/// Make a group
#[utoipa::path(post, path = "/api/v1/groups", request_body = GroupRequest, responses((status = 201, body = Group)))]
pub async fn add(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Json(asked): read::Json<GroupRequest>,
) -> Result<(StatusCode, Json<Group>), Refused> {
    let group = auth.add_group(&asked.name.0, asked.about.as_ref().map_or("", |about| &about.0)).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    #[serde(default)]
    pub about: Option<Note>,
    /// User names of all who are in it from now on; wants `If-Match`.
    #[serde(default)]
    pub members: Option<Vec<String>>,
}

/// Change what a group is for, or who is in it
///
/// What is left out stays.
#[utoipa::path(patch, path = "/api/v1/groups/{name}",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the version that was looked at, in its quotes; `*` is whatever version there is")),
    request_body = GroupChange,
    responses((status = 200, body = Group, headers(("ETag" = String, description = "For If-Match"))), (status = 412, description = "Somebody else has changed it meanwhile", body = crate::auth::table::describe::Refused),
        (status = 428, description = "A list is sent whole, and the request does not say over which version", body = crate::auth::table::describe::Refused)))]
pub async fn change(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(name): read::Path<String>,
    headers: HeaderMap,
    read::Json(asked): read::Json<GroupChange>,
) -> Result<Tagged<Group>, Refused> {
    let over = Over::of_list(&headers, asked.members.as_ref().map(|_| "members"), false)?;
    Ok(tagged(
        auth.change_group(&name, asked.about.as_ref().map(|about| about.0.as_str()), asked.members, over.as_ref())
            .await?,
    ))
}

/// Remove a group
///
/// Its members stay.
#[utoipa::path(delete, path = "/api/v1/groups/{name}", params(("name" = String, Path), Removal), responses((status = 204)))]
pub async fn remove(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    read::Path(name): read::Path<String>,
    read::Query(how): read::Query<Removal>,
) -> Result<StatusCode, Refused> {
    if !how.force
        && let routes = routes.look().await.unwrap_or_default()
        && let services @ [_, ..] = &*routed::of_group(&routes, &name)
    {
        let title =
            format!("the access of {} is `group:{name}`: without it only admins get in", wording::list(services));
        let d = Diagnostic::error("auth.group-in-use", title).kind(Kind::Conflict);
        return Err(d.hint("give these routes another access first, or send force=true").into());
    }
    auth.remove_group(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
