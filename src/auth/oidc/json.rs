//! Calls about the link between one's account here and one at the provider.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Oidc, page};
use crate::auth::who::{Person, User};
use crate::base::secret::Secret;
use crate::web::{Caller, Refusal, read};

/// The home's provider of accounts, and whether you are linked with one there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Provider {
    /// What people call it; null: the home has none.
    #[schema(required)]
    name: Option<String>,
    linked: bool,
    /// When it was linked, and last used to sign in. Milliseconds since 1970.
    #[schema(required)]
    made: Option<i64>,
    #[schema(required)]
    last_used: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// Your own, where you signed in longer than 10 minutes ago.
    password: Option<String>,
}

/// Where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Onward {
    /// An address at the provider, for the same browser.
    location: String,
}

/// The home's provider of accounts
#[utoipa::path(get, path = "/api/v1/auth/oidc", responses((status = 200, body = Provider)))]
pub async fn show(who: User, State(oidc): State<Arc<Oidc>>) -> Result<Json<Provider>, Refusal> {
    let link = oidc.linked(who.user).await?;
    Ok(Json(Provider {
        name: oidc.name().map(str::to_owned),
        linked: link.is_some(),
        made: link.map(|(made, _)| made),
        last_used: link.and_then(|(_, used)| used),
    }))
}

/// Begin to link your account with one at the provider
///
/// The answer says where a browser goes on; it brings a cookie, so the call is for a page of ours.
#[utoipa::path(post, path = "/api/v1/auth/oidc/link", request_body = LinkRequest, responses((status = 200, body = Onward)))]
pub async fn link(
    who: Person,
    State(oidc): State<Arc<Oidc>>,
    Extension(caller): Extension<Caller>,
    read::Json(wanted): read::Json<LinkRequest>,
) -> Result<Response, Refusal> {
    let password = wanted.password.map(Secret::new);
    let leaving = oidc.begin_link(&who, password.as_ref(), caller.address).await?;
    let mut answer = Json(Onward { location: leaving.to }).into_response();
    page::keep_begun(&mut answer, &leaving.cookie);
    Ok(answer)
}

/// Unlink your account
#[utoipa::path(delete, path = "/api/v1/auth/oidc/link",
    responses((status = 204), (status = 404, description = "The home has no provider, or you are not linked", body = crate::auth::table::describe::Refused)))]
pub async fn unlink(who: Person, State(oidc): State<Arc<Oidc>>) -> Result<StatusCode, Refusal> {
    oidc.unlink(who.user).await?;
    Ok(StatusCode::NO_CONTENT)
}
