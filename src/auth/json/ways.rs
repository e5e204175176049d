//! By what a user gets in, as an admin sees it and takes it away: second factor, passkeys, accounts at providers, API tokens, single sessions.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::Refused;
use super::second_factor::SecondFactor;
use super::tokens::{self, Token};
use super::users::spares_admins;
use crate::auth::accounts::{Auth, KeyOf, LinkOf};
use crate::auth::table::guard::Detail;
use crate::auth::who::Admin;
use crate::web::list::{self, Page};
use crate::web::read;

pub mod of_keys {
    use crate::auth::accounts::KeyOf;

    crate::order! { By of KeyOf, false:
        Made "made" => |one| one.made.into(),
        Name "name" => |one| one.name.as_str().into(),
        // Never is before any time.
        LastUsed "last_used" => |one| one.last_used.unwrap_or_default().into(),
    }
}

pub mod of_links {
    use crate::auth::accounts::LinkOf;

    crate::order! { By of LinkOf, false:
        Made "made" => |one| one.made.into(),
        Issuer "issuer" => |one| one.issuer.as_str().into(),
        LastUsed "last_used" => |one| one.last_used.unwrap_or_default().into(),
    }
}

macro_rules! which {
    ($name:ident by $sort:ty) => {
        /// Which of them.
        #[derive(Debug, Default, Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// At most so many, 1 to 200.
            #[param(minimum = 1, maximum = 200, default = 50)]
            pub limit: Option<u16>,
            /// `next` of the page before.
            pub after: Option<String>,
            /// In which order.
            #[param(inline)]
            pub sort: Option<$sort>,
        }
    };
}

which!(WhichKeys by of_keys::Sort);
which!(WhichLinks by of_links::Sort);

/// The audit names the account too: a number in a path says little once it is gone.
async fn named(auth: &Auth, id: i64) -> Result<Extension<Detail>, Refused> {
    Ok(Extension(Detail(json!({"username": auth.user(id).await?.name}))))
}

/// How a user's second factor is
#[utoipa::path(get, path = "/api/v1/users/{id}/second-factor", params(("id" = i64, Path)), responses((status = 200, body = SecondFactor)))]
pub async fn second_factor(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
) -> Result<Json<SecondFactor>, Refused> {
    let state = auth.factor(auth.user(id).await?.id).await?;
    Ok(Json(SecondFactor { on: state.on, codes_left: state.codes_left, required: state.required }))
}

/// List a user's passkeys
#[utoipa::path(get, path = "/api/v1/users/{id}/passkeys", params(("id" = i64, Path), WhichKeys), responses((status = 200, body = Page<KeyOf>)))]
pub async fn passkeys(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Query(which): read::Query<WhichKeys>,
) -> Result<Json<Page<KeyOf>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    Ok(Json(asked.page(auth.keys_of(id).await?, |one| one.id.clone())))
}

/// Take a user's passkey away
///
/// Also where it is their only way in: give them a password then. Who is signed in by it stays so until their sessions are ended.
#[utoipa::path(delete, path = "/api/v1/users/{id}/passkeys/{key}", params(("id" = i64, Path), ("key" = String, Path)), responses((status = 204)))]
pub async fn take_passkey(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path((id, key)): read::Path<(i64, String)>,
) -> Result<(StatusCode, Extension<Detail>), Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    let named = named(&auth, id).await?;
    auth.take_key(id, &key).await?;
    Ok((StatusCode::NO_CONTENT, named))
}

/// List the accounts at providers that a user signs in by
#[utoipa::path(get, path = "/api/v1/users/{id}/oidc", params(("id" = i64, Path), WhichLinks), responses((status = 200, body = Page<LinkOf>)))]
pub async fn links(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Query(which): read::Query<WhichLinks>,
) -> Result<Json<Page<LinkOf>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    Ok(Json(asked.page(auth.links_of(id).await?, |one| one.issuer.clone())))
}

/// Unlink a user from every provider
///
/// Also where that is their only way in: give them a password then. Who is signed in by it stays so until their sessions are ended.
#[utoipa::path(delete, path = "/api/v1/users/{id}/oidc", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn unlink(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
) -> Result<(StatusCode, Extension<Detail>), Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    let named = named(&auth, id).await?;
    auth.take_links(id).await?;
    Ok((StatusCode::NO_CONTENT, named))
}

/// List a user's API tokens
#[utoipa::path(get, path = "/api/v1/users/{id}/tokens", params(("id" = i64, Path), tokens::Which), responses((status = 200, body = Page<Token>)))]
pub async fn tokens(
    _: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<i64>,
    read::Query(which): read::Query<tokens::Which>,
) -> Result<Json<Page<Token>>, Refused> {
    auth.user(id).await?;
    super::tokens::page(auth.tokens(id).await?, &which)
}

/// End a user's API token
#[utoipa::path(delete, path = "/api/v1/users/{id}/tokens/{token}", params(("id" = i64, Path), ("token" = String, Path)), responses((status = 204)))]
pub async fn end_token(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path((id, token)): read::Path<(i64, String)>,
) -> Result<(StatusCode, Extension<Detail>), Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    let named = named(&auth, id).await?;
    auth.end_token(id, &token).await?;
    Ok((StatusCode::NO_CONTENT, named))
}

/// End one of a user's sessions
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions/{session}", params(("id" = i64, Path), ("session" = String, Path)), responses((status = 204)))]
pub async fn end_session(
    admin: Admin,
    State(auth): State<Arc<Auth>>,
    read::Path((id, session)): read::Path<(i64, String)>,
) -> Result<(StatusCode, Extension<Detail>), Refused> {
    spares_admins(&admin, &auth, id, None).await?;
    let named = named(&auth, id).await?;
    auth.end_session(id, &session).await?;
    Ok((StatusCode::NO_CONTENT, named))
}
