//! The calls of notices: what somebody may see of them, and that they have read it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::{Notice, Notices};
use crate::auth::who::User;
use crate::base::clock::rfc3339;
use crate::web::list::{self, Page};
use crate::web::{Refusal, read};

/// Something that happened while nobody looked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Notification {
    pub id: i64,
    /// `work-failed`, `service-failed`, `service-unhealthy`, `service-restarting`, `certificate-ends`, `disk-full` or `signed-in-elsewhere`.
    pub kind: String,
    /// What it happened to: a command, a service, a name, a place.
    pub subject: String,
    /// Why; may be empty.
    pub words: String,
    /// Of the page that says more.
    pub path: String,
    /// RFC 3339.
    pub first: String,
    pub last: String,
    /// How often it happened.
    pub times: i64,
    /// You have read it since it happened last.
    pub read: bool,
}

fn moment(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).map(rfc3339).unwrap_or_default()
}

impl From<(Notice, bool)> for Notification {
    fn from((one, read): (Notice, bool)) -> Notification {
        Notification {
            id: one.id,
            kind: one.kind,
            subject: one.subject,
            words: one.words,
            path: one.path,
            first: moment(one.first),
            last: moment(one.last),
            times: one.times,
            read,
        }
    }
}

crate::order! { By of Notification, true:
    Last "last" => |one| one.last.as_str().into(),
    First "first" => |one| one.first.as_str().into(),
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
    /// Only those that you have read, or have not.
    pub read: Option<bool>,
}

/// List what happened while you did not look
///
/// What concerns an account is told to its owner alone, the rest to viewers, operators and admins. What happens again within a day is counted. They are kept for 90 days, 1,000 at most.
#[utoipa::path(get, path = "/api/v1/notifications", params(Which), responses((status = 200, body = Page<Notification>)))]
pub async fn list(
    who: User,
    State(notices): State<Notices>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<Notification>>, Refusal> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let mut all: Vec<Notification> = notices.of(&who).into_iter().map(Notification::from).collect();
    all.retain(|one| which.read.is_none_or(|read| one.read == read));
    Ok(Json(asked.page(all, |one| format!("{:019}", one.id))))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReadNotifications)]
pub struct Read {
    /// Their numbers; without it, all that there are now.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub ids: Option<Vec<i64>>,
}

/// Mark as read, for yourself
#[utoipa::path(post, path = "/api/v1/notifications/read", request_body = Read, responses((status = 204)))]
pub async fn mark(
    who: User,
    State(notices): State<Notices>,
    read::Json(asked): read::Json<Read>,
) -> Result<StatusCode, Refusal> {
    notices.read(&who, asked.ids).await?;
    Ok(StatusCode::NO_CONTENT)
}
