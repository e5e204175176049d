//! One's API tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Refused, in_person, moment};
use crate::auth::accounts::{self, Auth, NewToken};
use crate::auth::who;
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

#[derive(Debug, Serialize, ToSchema)]
pub struct ApiTokens {
    pub tokens: Vec<Token>,
}

/// List one's API tokens
#[utoipa::path(get, path = "/api/v1/tokens", responses((status = 200, body = ApiTokens)))]
pub async fn list(who: who::User, State(auth): State<Arc<Auth>>) -> Result<Json<ApiTokens>, Refused> {
    let tokens = auth.tokens(who.user).await?;
    Ok(Json(ApiTokens { tokens: tokens.into_iter().map(Token::from).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTokenRequest {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    #[schema(min_items = 1)]
    pub scopes: Vec<String>,
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
    who: who::User,
    State(auth): State<Arc<Auth>>,
    read::Json(asked): read::Json<ApiTokenRequest>,
) -> Result<(StatusCode, Json<NewApiToken>), Refused> {
    in_person(&who)?;
    let ApiTokenRequest { name, scopes, days } = asked;
    let (token, secret) = auth.add_token(who.user, NewToken { name, scopes, days }).await?;
    Ok((StatusCode::CREATED, Json(NewApiToken { token: secret.expose().to_owned(), about: token.into() })))
}

/// End one of one's API tokens
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(
    who: who::User,
    State(auth): State<Arc<Auth>>,
    read::Path(id): read::Path<String>,
) -> Result<StatusCode, Refused> {
    in_person(&who)?;
    auth.end_token(who.user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
