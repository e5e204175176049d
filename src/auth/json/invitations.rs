//! Invitations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fit::{Note, ServiceName};
use super::{Refused, in_person, moment};
use crate::auth::accounts::{self, Auth, NewInvitation};
use crate::auth::routed::Routes;
use crate::auth::who::{Admin, Role};
use crate::web::list::{self, Page};
use crate::web::read;

#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    pub id: String,
    pub role: String,
    /// Services that the account will be for alone; empty: for whatever its role opens.
    pub only: Vec<String>,
    /// For whom it is.
    pub note: String,
    /// RFC 3339.
    pub created_at: String,
    /// User name.
    pub created_by: String,
    pub expires: String,
    pub uses_left: i64,
}

impl From<accounts::Invitation> for Invitation {
    fn from(one: accounts::Invitation) -> Invitation {
        Invitation {
            id: one.id,
            role: one.role,
            only: one.only,
            note: one.note,
            created_at: moment(one.made),
            created_by: one.made_by,
            expires: moment(one.expires),
            uses_left: one.uses_left,
        }
    }
}

crate::order! { By of Invitation, false:
    Created "created_at" => |one| one.created_at.as_str().into(),
    Expires "expires" => |one| one.expires.as_str().into(),
    Role "role" => |one| one.role.as_str().into(),
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
    /// Only those for this role.
    #[param(inline)]
    pub role: Option<Role>,
}

/// List the invitations that hold
#[utoipa::path(get, path = "/api/v1/invitations", params(Which), responses((status = 200, body = Page<Invitation>)))]
pub async fn list(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<Invitation>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let mut all: Vec<Invitation> = auth.invitations().await?.into_iter().map(Invitation::from).collect();
    all.retain(|one| which.role.is_none_or(|role| one.role == role.word()));
    Ok(Json(asked.page(all, |one| one.id.clone())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    pub role: Role,
    /// Services that the account will be for alone, of a member: of all that asks for a login it enters these, and what is for one of its groups.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub only: Vec<ServiceName>,
    /// For whom it is.
    #[serde(default)]
    pub note: Option<Note>,
    /// How long it holds.
    #[serde(default = "days")]
    #[schema(default = days, minimum = 1, maximum = 90)]
    pub days: u32,
    /// How many accounts it makes.
    #[serde(default = "uses")]
    #[schema(default = uses, minimum = 1, maximum = 100)]
    pub uses: u32,
}

fn days() -> u32 {
    7
}

fn uses() -> u32 {
    1
}

/// An invitation that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewInvitationAnswer {
    /// Shown now and never again.
    pub token: String,
    /// Of the page where it is used, on the panel's host.
    pub path: String,
    #[serde(flatten)]
    pub about: Invitation,
}

/// Invite somebody
///
/// It ends with its days and uses, and with whoever made it: when they are removed, made inactive or no admin any more, or get another password. A token
/// makes no invitation for admins.
#[utoipa::path(post, path = "/api/v1/invitations", request_body = InvitationRequest, responses((status = 201, body = NewInvitationAnswer)))]
pub async fn add(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    read::Json(asked): read::Json<InvitationRequest>,
) -> Result<(StatusCode, Json<NewInvitationAnswer>), Refused> {
    let InvitationRequest { role, only, note, days, uses } = asked;
    if role == Role::Admin {
        in_person(&admin)?;
    }
    let note = note.map_or_else(String::new, |note| note.0);
    let only: Vec<String> = only.into_iter().map(|service| service.0).collect();
    routes.served(&only, &[], "only").await?;
    let new = NewInvitation { role, only, note, days, uses, maker: Some((admin.user, admin.name.clone())) };
    let (about, token) = auth.invite(new).await?;
    let token = token.expose().to_owned();
    let answer = NewInvitationAnswer { path: format!("/invitation?token={token}"), token, about: about.into() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Take an invitation back
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<String>,
) -> Result<StatusCode, Refused> {
    auth.end_invitation(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
