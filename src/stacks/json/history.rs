//! History: what was done, when, by whom, and what became of each step.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::bare;
use super::plans::Of;
use super::verbs::refused;
use crate::auth::who::{Identity, Viewer};
use crate::diag::{Diagnostic, Kind};
use crate::stacks::cli::history::settle;
use crate::stacks::sql::{self, RunStep};
use crate::stacks::{Target, history};
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::{Path, Query};

/// One command that changed something.
#[derive(Debug, Serialize, ToSchema)]
pub struct Run {
    pub id: String,
    pub project: String,
    pub began: String,
    /// Null while it runs, and where it was killed.
    #[schema(required)]
    pub ended: Option<String>,
    pub who: String,
    pub command: String,
    /// `running`, `done`, `failed`, `interrupted` or `killed`.
    pub outcome: String,
    pub summary: String,
}

/// One in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeRun {
    #[serde(flatten)]
    pub run: Run,
    /// What was planned, as the command line prints it: images first, then the rest.
    #[schema(value_type = Vec<Object>)]
    pub plans: serde_json::Value,
    pub steps: Vec<Step>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunStep)]
pub struct Step {
    /// Which plan it is of, from 1.
    pub round: i64,
    pub step: i64,
    pub words: String,
    /// `done`, `failed`, `skipped` or `taken back`.
    pub outcome: String,
    pub detail: String,
}

impl From<sql::Run> for Run {
    fn from(run: sql::Run) -> Run {
        let sql::Run { id, project, began, ended, who, command, outcome, summary, plan: _ } = run;
        Run { id, project, began, ended, who, command, outcome, summary }
    }
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// A project that this home has adopted; none is the home's own.
    pub project: Option<String>,
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// What was done, newest first.
#[utoipa::path(get, path = "/api/v1/history", params(Which), responses((status = 200, body = Page<Run>)))]
pub async fn list(
    who: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Run>>, Response> {
    let limit = list::limit(which.limit).map_err(|d| Refusal(d).into_response())?;
    let before: Option<String> = list::key(which.after.as_deref()).map_err(|d| Refusal(d).into_response())?;
    let global = api.global(which.project.as_deref()).map_err(refused)?;
    let more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let found = api.ask(&who, &["history"], move |out| {
        let target = Target::find(&global, out)?;
        let mut found: Vec<Run> = Vec::new();
        crate::stacks::cli::start(async {
            let place = target.place(&target.name(out)?);
            for db in history::open_all(place.histories()?, out).await? {
                let on = &mut db.reader().await?;
                let newest = sql::runs(on, place.project(), 1).await?.pop().map(|run| run.id);
                let mut runs = match &before {
                    Some(before) => sql::runs_before(on, place.project(), before, more).await?,
                    None => sql::runs(on, place.project(), more).await?,
                };
                runs.iter_mut().for_each(|run| settle(run, newest.as_deref(), &place.lock_of(db.location())));
                found.extend(runs.into_iter().map(Run::from));
            }
            Ok(())
        })?;
        found.sort_by(|a, b| b.id.cmp(&a.id));
        Ok(found)
    });
    let found = found.await.map_err(IntoResponse::into_response)?;
    Ok(Json(Page::of(found, limit, |one| one.id.clone())))
}

/// One run with its plans and what became of each step.
#[utoipa::path(get, path = "/api/v1/history/{id}", params(("id" = String, Path), Of), responses((status = 200, body = WholeRun)))]
pub async fn one(
    who: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<WholeRun>, Response> {
    let mut found = whole(&api, &who, of.project, id).await?;
    bare::plans(&mut found.plans, &who);
    Ok(Json(found))
}

async fn whole(api: &Api, who: &Identity, project: Option<String>, id: String) -> Result<WholeRun, Response> {
    let global = api.global(project.as_deref()).map_err(refused)?;
    let wanted = id.clone();
    let words = ["history", id.as_str()];
    let found = api.ask(who, &words, move |out| {
        let target = Target::find(&global, out)?;
        let mut found: Option<WholeRun> = None;
        crate::stacks::cli::start(async {
            let place = target.place(&target.name(out)?);
            for db in history::open_all(place.histories()?, out).await? {
                let on = &mut db.reader().await?;
                let run = sql::run(on, &wanted).await?;
                // A home's adopted projects have the same database.
                let Some(mut run) = run.filter(|run| run.project == place.project()) else { continue };
                let newest = sql::runs(on, &run.project, 1).await?.pop().map(|run| run.id);
                settle(&mut run, newest.as_deref(), &place.lock_of(db.location()));
                let steps = sql::run_steps(on, &wanted).await?;
                let step = |s: RunStep| Step {
                    round: s.round,
                    step: s.step,
                    words: s.words,
                    outcome: s.outcome,
                    detail: s.detail,
                };
                let plans = serde_json::from_str(&run.plan).unwrap_or_default();
                found = Some(WholeRun { run: run.into(), plans, steps: steps.into_iter().map(step).collect() });
            }
            Ok(())
        })?;
        found.ok_or_else(|| {
            let d = Diagnostic::error("stacks.no-such-run", format!("no run `{wanted}` is known"));
            d.kind(Kind::NotFound).hint("see the list: GET /api/v1/history").into()
        })
    });
    found.await.map_err(IntoResponse::into_response)
}
