//! Where one is signed in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::spares_admins;
use super::{Refused, in_person, moment};
use crate::auth::accounts::{self, Auth};
use crate::auth::who::{self, Admin};
use crate::web::read;

/// One browser or program that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    pub id: String,
    /// `browser` or `program`.
    pub sort: &'static str,
    /// What it calls itself, in a few words.
    pub device: String,
    /// The address that it signed in from.
    pub address: String,
    /// RFC 3339.
    pub began: String,
    pub last_used: String,
    pub expires: String,
    /// It is the one that asks.
    pub current: bool,
}

impl From<accounts::Session> for Session {
    fn from(session: accounts::Session) -> Session {
        Session {
            id: session.id,
            sort: session.sort,
            device: session.device,
            address: session.address,
            began: moment(session.made),
            last_used: moment(session.last_used),
            expires: moment(session.expires),
            current: session.current,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The last used first.
    pub sessions: Vec<Session>,
}

/// List where one is signed in
#[utoipa::path(get, path = "/api/v1/sessions", responses((status = 200, body = Sessions)))]
pub async fn list(who: who::User, State(auth): State<Arc<Auth>>) -> Result<Json<Sessions>, Refused> {
    let sessions = auth.sessions(who.user, Some(&who.by)).await?;
    Ok(Json(Sessions { sessions: sessions.into_iter().map(Session::from).collect() }))
}

/// End one of one's own
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(
    who: who::User,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<String>,
) -> Result<StatusCode, Refused> {
    in_person(&who)?;
    auth.end_session(who.user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Also the one that asks.
    #[serde(default)]
    all: bool,
}

/// End all of one's own but this one
#[utoipa::path(delete, path = "/api/v1/sessions", params(Which), responses((status = 204)))]
pub async fn end_all(
    who: who::User,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Which>,
) -> Result<StatusCode, Refused> {
    in_person(&who)?;
    auth.end_sessions(who.user, Some(&who.by).filter(|_| !which.all)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List where a user is signed in
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", params(("id" = i64, Path)), responses((status = 200, body = Sessions)))]
pub async fn of_user(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
) -> Result<Json<Sessions>, Refused> {
    auth.user(id).await?;
    let sessions = auth.sessions(id, None).await?;
    Ok(Json(Sessions { sessions: sessions.into_iter().map(Session::from).collect() }))
}

/// Sign a user out everywhere
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn end_of_user(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
) -> Result<StatusCode, Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    auth.user(id).await?;
    auth.end_sessions(id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
