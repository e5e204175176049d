//! Networks of this engine.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::look;
use crate::auth::who::Viewer;
use crate::stacks::json::Api;
use crate::stacks::storage::{Network, Use};
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::Query;

crate::order! { By of Network, false:
    Name "name" => |one| one.name.as_str().into(),
    Created "created_at" => |one| one.created_at.as_str().into(),
    State "state" => |one| one.state.word().into(),
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
    /// In which order.
    #[param(inline)]
    sort: Option<Sort>,
    /// Only those that are used, kept or unused.
    #[param(inline)]
    state: Option<Use>,
}

/// All networks of this engine, whoever made them, with who uses each.
#[utoipa::path(get, path = "/api/v1/networks", params(Which), responses((status = 200, body = Page<Network>)))]
pub async fn list(
    who: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Network>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let mut all = look(&api, &who).await?.networks;
    all.retain(|one| which.state.is_none_or(|state| one.state == state));
    Ok(Json(asked.page(all, |one: &Network| one.id.clone())))
}
