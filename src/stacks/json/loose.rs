//! Containers of this engine that belong to no Compose project: somebody has started each by hand, or by another program. They are shown and not touched.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::containers::{engine, told};
use crate::auth::who::Viewer;
use crate::plan::observed::Container;
use crate::plan::request::PROJECT;
use crate::stacks::projects;
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::Query;

/// A container that belongs to no Compose project.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LooseContainer)]
pub struct Loose {
    pub id: String,
    pub name: String,
    pub image: String,
    /// `running`, `exited`, ...
    pub state: &'static str,
    pub created_at: String,
}

crate::order! { By of Loose, false:
    Name "name" => |one| one.name.as_str().into(),
    State "state" => |one| one.state.into(),
    Created "created_at" => |one| one.created_at.as_str().into(),
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
}

/// All containers of this engine that belong to no Compose project.
#[utoipa::path(get, path = "/api/v1/loose-containers", params(Which), responses((status = 200, body = Page<Loose>)))]
pub async fn list(
    _: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Loose>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let all = engine(&api).await?.containers().await.map_err(told)?;
    let one = |c: &Container| Loose {
        id: c.id.clone(),
        name: c.name.clone(),
        image: c.image.clone(),
        state: projects::state(c.state),
        created_at: c.created_at.clone(),
    };
    let found = all.iter().filter(|c| !c.labels.contains_key(PROJECT)).map(one).collect();
    Ok(Json(asked.page(found, |one: &Loose| one.id.clone())))
}
