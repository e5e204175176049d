//! Images, volumes and networks of this engine, and clearing up what nobody uses.

pub mod images;
pub mod networks;
pub mod volumes;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::Api;
use super::plans::{Made, Plan};
use crate::auth::who::{Admin, Identity};
use crate::cli::Failure;
use crate::stacks::cli::prune::{self, Pruning};
use crate::stacks::storage::{Held, Prune};
use crate::web::read::Json as Body;

/// All of it, judged.
pub async fn look(api: &Api, who: &Identity) -> Result<Held, Response> {
    let global = api.works.setting().global();
    let held = api.ask(who, &["prune"], move |out| {
        let mut held = None;
        crate::stacks::cli::start(async {
            held = Some(prune::look(&global, out).await?);
            Ok(())
        })?;
        held.ok_or(Failure::Code(1))
    });
    held.await.map_err(IntoResponse::into_response)
}

/// Makes a plan that removes what nobody uses, and keeps it: it is applied by its id, as any plan. It names each thing that goes. Nothing is changed. With an empty
/// body it is about images that a registry gives again, and networks; a volume is only ever in it where volumes are asked for.
#[utoipa::path(post, path = "/api/v1/prune", request_body = Prune, responses((status = 200, body = Made)))]
pub async fn plan(who: Admin, State(api): State<Api>, Body(asked): Body<Prune>) -> Result<Json<Made>, Response> {
    let global = api.works.setting().global();
    let viewer = (*who).clone();
    let made = api.ask(&who, &["prune"], move |out| {
        let pruning = Pruning::open(&global, out)?;
        let mut made = None;
        crate::stacks::cli::start(async {
            let plan = pruning.plan(&asked.or_usual()).await?;
            let id = match plan.steps.is_empty() || !plan.refusals.is_empty() {
                true => None,
                false => Some(pruning.keep(&plan).await?),
            };
            made = Some(Made { id, plan: Plan::of(&plan, &viewer) });
            Ok(())
        })?;
        made.ok_or(Failure::Code(1))
    });
    made.await.map(Json).map_err(IntoResponse::into_response)
}
