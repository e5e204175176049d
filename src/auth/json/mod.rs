//! The API of people: one file a subject, each call with its request, answer, error and handler. Who may call it stands in `src/routes.rs`.
//!
//! | subject | file |
//! |---|---|
//! | the first admin | `setup` |
//! | signing in and out, for programs | `login` |
//! | oneself | `me` |
//! | one's second factor, sessions, API tokens | files of that name |
//! | users, groups, invitations, as an admin | files of that name |
//! | by what a user gets in, as an admin | `ways` |
//! | what was done and refused | `audit` |
//! | texts with their rules | `fit` |
//! | the one call that BaluHost's clients sign in with | `baluhost` |

pub mod audit;
pub mod baluhost;
pub mod fit;
pub mod groups;
pub mod invitations;
pub mod login;
pub mod me;
pub mod second_factor;
pub mod sessions;
pub mod setup;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod users;
pub mod ways;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::accounts::{self, Login};
use super::who::{Identity, Role};
use crate::base::clock::rfc3339;
use crate::diag::Diagnostic;
use crate::web::{Caller, Refusal};

/// How a call of people is refused: as every other, but for the word that clients of HomeServer look for.
#[derive(Debug)]
pub struct Refused(Diagnostic);

impl From<Diagnostic> for Refused {
    fn from(told: Diagnostic) -> Refused {
        Refused(told)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Refused(told) = self;
        match told.code {
            // What clients look for, word by word.
            "auth.second-factor-required" => {
                let error = crate::diag::text::to_json(&told, &crate::diag::Sources::default());
                let body = json!({"error": error, "detail": "second_factor_required"});
                (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
            }
            "web.no-version" => Refusal(told).with(StatusCode::PRECONDITION_REQUIRED),
            "web.other-version" => Refusal(told).with(StatusCode::PRECONDITION_FAILED),
            _ => Refusal(told).into_response(),
        }
    }
}

/// A user, as programs see one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct User {
    pub id: i64,
    pub username: String,
    #[schema(required)]
    pub email: Option<String>,
    /// An admin or the provider of accounts says that the address is theirs: only then are applications behind the login told it.
    pub email_vouched: bool,
    pub display_name: String,
    pub role: Role,
    pub is_active: bool,
    /// An admin.
    pub is_superuser: bool,
    pub groups: Vec<String>,
    /// Services that the account is for alone, in order; empty: for whatever its role opens.
    pub only: Vec<String>,
    /// Has a second factor.
    pub second_factor: bool,
    /// RFC 3339.
    pub created_at: String,
    #[schema(required)]
    pub last_login: Option<String>,
    /// Counts changes; to be sent with the next one.
    pub version: i64,
}

impl From<&accounts::User> for User {
    fn from(user: &accounts::User) -> User {
        User {
            id: user.id,
            username: user.name.clone(),
            email: user.email.clone(),
            email_vouched: user.email_vouched,
            display_name: user.display_name.clone(),
            role: user.role,
            is_active: user.active,
            is_superuser: user.role == Role::Admin,
            groups: user.groups.clone(),
            only: user.only.clone(),
            second_factor: user.second_factor,
            created_at: moment(user.created),
            last_login: user.last_login.map(moment),
            version: user.version,
        }
    }
}

/// Milliseconds since 1970 as RFC 3339, to the second.
fn moment(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).map(rfc3339).unwrap_or_default()
}

/// Where a request comes from: the connection's address, and what the program calls itself.
fn login_of(caller: &Caller, headers: &HeaderMap) -> Login {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Login { from: caller.address, agent: agent.chars().take(300).collect() }
}

/// Refuses an API token: what it can do it can do for ever, so it must not give itself more, or lock its owner out.
fn in_person(who: &Identity) -> Result<(), Refused> {
    Ok(who.in_person()?)
}
