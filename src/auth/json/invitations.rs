//! Invitations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Refused, in_person, moment};
use crate::auth::accounts::{self, Auth, NewInvitation};
use crate::auth::who::{Admin, Role};
use crate::web::read;

#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    pub id: String,
    pub role: String,
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
            note: one.note,
            created_at: moment(one.made),
            created_by: one.made_by,
            expires: moment(one.expires),
            uses_left: one.uses_left,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Invitations {
    pub invitations: Vec<Invitation>,
}

/// List the invitations that hold
#[utoipa::path(get, path = "/api/v1/invitations", responses((status = 200, body = Invitations)))]
pub async fn list(_: Admin, State(auth): State<Arc<Auth>>) -> Result<Json<Invitations>, Refused> {
    Ok(Json(Invitations { invitations: auth.invitations().await?.into_iter().map(Invitation::from).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    pub role: Role,
    #[serde(default)]
    #[schema(max_length = 200)]
    pub note: String,
    #[serde(default = "days")]
    #[schema(minimum = 1, maximum = 90)]
    pub days: u32,
    #[serde(default = "uses")]
    #[schema(minimum = 1, maximum = 100)]
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
    read::Json(asked): read::Json<InvitationRequest>,
) -> Result<(StatusCode, Json<NewInvitationAnswer>), Refused> {
    let InvitationRequest { role, note, days, uses } = asked;
    if role == Role::Admin {
        in_person(&admin)?;
    }
    let new = NewInvitation { role, note, days, uses, maker: Some((admin.user, admin.name.clone())) };
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
