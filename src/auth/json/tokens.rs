//! One's API tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fit::{Label, Scope};
use super::{Refused, moment};
use crate::auth::accounts::{self, Auth, NewToken};
use crate::auth::routed::Routes;
use crate::auth::who;
use crate::web::list::{self, Page};
use crate::web::read;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiToken)]
pub struct Token {
    pub id: String,
    pub name: String,
    /// `read`, `operate`, `admin`: what it may at most, and never more than its owner.
    pub scopes: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    #[schema(required)]
    pub expires: Option<String>,
    /// As it was at most half a minute ago: it is written down every 30 seconds.
    #[schema(required)]
    pub last_used: Option<String>,
}

impl From<accounts::Token> for Token {
    fn from(token: accounts::Token) -> Token {
        Token {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            created_at: moment(token.made),
            expires: token.expires.map(moment),
            last_used: token.last_used.map(moment),
        }
    }
}

crate::order! { By of Token, false:
    Created "created_at" => |one| one.created_at.as_str().into(),
    Name "name" => |one| one.name.as_str().into(),
    LastUsed "last_used" => |one| one.last_used.as_deref().unwrap_or_default().into(),
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
    /// Only those with this scope.
    pub scope: Option<String>,
}

/// List one's API tokens
#[utoipa::path(get, path = "/api/v1/tokens", params(Which), responses((status = 200, body = Page<Token>)))]
pub async fn list(
    who: who::User,
    State(auth): State<Arc<Auth>>,
    read::Query(which): read::Query<Which>,
) -> Result<Json<Page<Token>>, Refused> {
    page(auth.tokens(who.user).await?, &which)
}

pub(super) fn page(all: Vec<accounts::Token>, which: &Which) -> Result<Json<Page<Token>>, Refused> {
    let asked = list::Asked::of(which.limit, which.after.as_deref(), which.sort)?;
    let mut all: Vec<Token> = all.into_iter().map(Token::from).collect();
    all.retain(|one| which.scope.as_ref().is_none_or(|scope| one.scopes.contains(scope)));
    Ok(Json(asked.page(all, |one| one.id.clone())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTokenRequest {
    /// What it is for.
    pub name: Label,
    /// What it may, at most: `read`, `operate`, `admin`; or `route:SERVICE` for the paths of a service that take a token.
    #[schema(min_items = 1, max_items = 50)]
    pub scopes: Vec<Scope>,
    /// How long it holds; without it, until it is ended.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u32>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApiToken {
    /// For `Authorization: Bearer`. Shown now and never again.
    pub token: String,
    #[serde(flatten)]
    pub about: Token,
}

/// Make an API token
#[utoipa::path(post, path = "/api/v1/tokens", request_body = ApiTokenRequest, responses((status = 201, body = NewApiToken)))]
pub async fn add(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    read::Json(asked): read::Json<ApiTokenRequest>,
) -> Result<(StatusCode, Json<NewApiToken>), Refused> {
    let ApiTokenRequest { name, scopes, days } = asked;
    let scopes: Vec<String> = scopes.into_iter().map(|scope| scope.0).collect();
    routes.named(&scopes, "scopes").await?;
    let (token, secret) = auth.add_token(who.user, &who.by, NewToken { name: name.0, scopes, days }).await?;
    Ok((StatusCode::CREATED, Json(NewApiToken { token: secret.expose().to_owned(), about: token.into() })))
}

/// End one of one's API tokens
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(
    who: who::Person,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<String>,
) -> Result<StatusCode, Refused> {
    auth.end_token(who.user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
