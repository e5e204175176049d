//! Where one is signed in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::spares_admins;
use super::{Refused, moment};
use crate::auth::accounts::{self, Auth};
use crate::auth::who::{self, Admin};
use crate::web::list::{self, Page};
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
    /// As it was at most half a minute ago: it is written down every 30 seconds.
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

crate::order! { By of Session, true:
    LastUsed "last_used" => |one| one.last_used.as_str().into(),
    Began "began" => |one| one.began.as_str().into(),
    Expires "expires" => |one| one.expires.as_str().into(),
}

/// `browser` or `program`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Browser,
    Program,
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// In which order.
    #[param(inline)]
    pub sort: Option<Sort>,
    /// Only browsers, or programs.
    #[param(inline)]
    pub kind: Option<Kind>,
}

fn page(all: Vec<accounts::Session>, which: &Listed) -> Result<Json<Page<Session>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let mut all: Vec<Session> = all.into_iter().map(Session::from).collect();
    all.retain(|one| match which.kind {
        None => true,
        Some(Kind::Browser) => one.sort == "browser",
        Some(Kind::Program) => one.sort == "program",
    });
    Ok(Json(asked.page(all, |one| one.id.clone())))
}

/// List where one is signed in
#[utoipa::path(get, path = "/api/v1/sessions", params(Listed), responses((status = 200, body = Page<Session>)))]
pub async fn list(
    who: who::User,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Listed>,
) -> Result<Json<Page<Session>>, Refused> {
    page(auth.sessions(who.user, Some(&who.by)).await?, &which)
}

/// End one of one's own
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<String>,
) -> Result<StatusCode, Refused> {
    auth.end_session(who.user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Also the one that asks.
    #[serde(default)]
    pub all: bool,
}

/// End all of one's own but this one
#[utoipa::path(delete, path = "/api/v1/sessions", params(Which), responses((status = 204)))]
pub async fn end_all(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Which>,
) -> Result<StatusCode, Refused> {
    auth.end_sessions(who.user, Some(&who.by).filter(|_| !which.all)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List where a user is signed in
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", params(("id" = i64, Path), Listed), responses((status = 200, body = Page<Session>)))]
pub async fn of_user(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Query(which): read::Query<Listed>,
) -> Result<Json<Page<Session>>, Refused> {
    auth.user(id).await?;
    page(auth.sessions(id, None).await?, &which)
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
