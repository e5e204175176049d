//! Plans: made, kept, shown, and carried out by id.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::stacks::Text;
use super::verbs::{begun, either, refused};
use super::{Accepted, Api, Begun, bare};
use crate::args;
use crate::auth::who::{Admin, Identity, Operator, Role, Viewer};
use crate::cli::Failure;
use crate::diag::{Diagnostic, Kind};
use crate::plan::{self, text};
use crate::stacks::cli::{apply as apply_, up};
use crate::stacks::{Target, changes, history, saved, sql};
use crate::store::Db;
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Path, Query};
use crate::web::{Refusal, Refusals};

/// What would be done, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plan {
    pub project: String,
    pub summary: String,
    pub risk: Risk,
    /// Nothing to do.
    pub empty: bool,
    pub steps: Vec<Step>,
    pub notes: Vec<Note>,
    /// What stands in the way: as long as there is any, nothing of it is done.
    pub refusals: Vec<Blocked>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    None,
    /// The service does not answer for a moment.
    ShortStop,
    /// The service ends.
    Stop,
    /// Data is lost for good.
    Data,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanStep)]
pub struct Step {
    pub id: u32,
    /// `create_container`, `pull_image`, ...
    pub action: &'static str,
    pub words: String,
    /// The cause, in words.
    pub why: String,
    pub risk: Risk,
    /// Empty where it is about no service.
    pub service: String,
    /// Steps that come before it.
    pub after: Vec<u32>,
    /// Steps with one number are done whole or taken back.
    #[schema(required)]
    pub group: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanNote)]
pub struct Note {
    pub about: String,
    pub subject: String,
    pub text: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanRefusal)]
pub struct Blocked {
    pub code: String,
    #[schema(required)]
    pub field: Option<String>,
    pub title: String,
    pub hints: Vec<String>,
}

impl From<plan::Risk> for Risk {
    fn from(risk: plan::Risk) -> Risk {
        match risk {
            plan::Risk::None => Risk::None,
            plan::Risk::ShortStop => Risk::ShortStop,
            plan::Risk::Stop => Risk::Stop,
            plan::Risk::Data => Risk::Data,
        }
    }
}

impl Plan {
    /// As it is shown to somebody.
    pub fn of(plan: &plan::Plan, who: &Identity) -> Plan {
        let step = |step: &plan::Step| Step {
            id: step.id.0,
            action: step.action.kind(),
            words: text::action(&step.action),
            why: text::cause(&bare::cause(&step.cause, who)),
            risk: step.risk.into(),
            service: step.service.clone(),
            after: step.after.iter().map(|id| id.0).collect(),
            group: step.group,
        };
        let note = |note: &plan::Note| Note {
            about: note.about.clone(),
            subject: note.subject.clone(),
            text: note.text.clone(),
        };
        let blocked = |refusal: &plan::Refusal| Blocked {
            code: refusal.code.clone(),
            field: refusal.field.clone(),
            title: refusal.title.clone(),
            hints: refusal.hints.clone(),
        };
        Plan {
            project: plan.project.clone(),
            summary: text::summary(plan),
            risk: plan.risk().into(),
            empty: plan.is_empty(),
            steps: plan.steps.iter().map(step).collect(),
            notes: plan.notes.iter().map(note).collect(),
            refusals: plan.refusals.iter().map(blocked).collect(),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MakePlan)]
pub struct Asked {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// Profiles, which is why they are not called `services`; of an adopted project services. None is all that is on.
    names: Vec<String>,
    /// Only these services and what they need, whatever their profiles; nothing is turned on for good. Not with `names`.
    services: Vec<String>,
    /// Plan a `down` instead.
    down: bool,
    /// Plan an `update` instead: pull again, and replace what moved. Only the pull tells what has.
    update: bool,
    /// Also end containers that no stack names any more.
    remove_orphans: bool,
    /// Replace every container even if nothing changed.
    force_recreate: bool,
    /// Run one-shots again that ended well and did not change.
    rerun: bool,
}

impl Asked {
    /// To turn a profile of the home on, or off.
    pub fn of_profile(name: &str, on: bool) -> Asked {
        Asked { names: vec![name.to_owned()], down: !on, ..Asked::default() }
    }

    /// To turn several on.
    pub fn of_profiles(names: &[String]) -> Asked {
        Asked { names: names.to_vec(), ..Asked::default() }
    }

    /// To make a service's containers anew, of what is there or of what a pull brings.
    pub fn of_service(project: Option<String>, name: &str, update: bool) -> Asked {
        Asked { project, services: vec![name.to_owned()], update, force_recreate: !update, ..Asked::default() }
    }
}

/// A plan that was made now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made {
    /// By which it can be applied; null where there is nothing to do, or something stands in the way.
    #[schema(required)]
    pub id: Option<String>,
    pub plan: Plan,
}

/// Makes a plan and keeps it. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/plans", request_body = Asked, responses((status = 200, body = Made)))]
pub async fn make(who: Operator, State(api): State<Api>, Body(asked): Body<Asked>) -> Result<Json<Made>, Response> {
    let global = either(&api, asked.project.as_deref(), &asked.names, &asked.services).await?;
    if asked.down && (asked.update || !asked.services.is_empty()) {
        let field = if asked.update { "update" } else { "services" };
        let d = Diagnostic::error("cli.bad-value", format!("`{field}` and `down` do not go together")).field(field);
        return Err(Refusal(d.hint("to end single services there is POST /api/v1/stop")).into_response());
    }
    let door = api.door.clone();
    let names: Vec<&str> = std::iter::once("plan").chain(asked.names.iter().map(String::as_str)).collect();
    let args = args::PlanArgs {
        deciding: args::Deciding {
            names: asked.names.clone(),
            services: asked.services.clone(),
            remove_orphans: asked.remove_orphans,
            force_recreate: asked.force_recreate,
            rerun: asked.rerun,
            ..args::Deciding::default()
        },
        down: asked.down,
        update: asked.update,
        check: false,
        save: true,
        steps: false,
        json: args::Json { json: true },
    };
    let viewer = (*who).clone();
    let made = api.ask(&who, &names, move |out| {
        let target = Target::find(&global, out)?;
        let mut made = None;
        crate::stacks::cli::start(async {
            let (_, planned) = up::planned(&target, &args, door.as_ref(), out).await?;
            let id = planned.saved.filter(|_| planned.plan.refusals.is_empty());
            made = Some(Made { id, plan: Plan::of(&planned.plan, &viewer) });
            Ok(())
        })?;
        made.ok_or(Failure::Code(1))
    });
    made.await.map(Json).map_err(IntoResponse::into_response)
}

/// What a stack's text would do, were it saved and applied.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DraftPlan)]
pub struct Draft {
    pub summary: String,
    /// `none`, `short_stop`, `stop` or `data`.
    pub risk: String,
    /// The plan in full, as the command line prints it.
    #[schema(value_type = Object)]
    pub plan: serde_json::Value,
}

/// Makes the plan that a text of a stack would make with what is on. Nothing is saved, neither text nor plan. A text with mistakes is refused with all of them in `errors`.
#[utoipa::path(post, path = "/api/v1/stacks/{name}/plan", params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")), request_body = Text,
    responses((status = 200, body = Draft)))]
pub async fn draft(
    who: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Text>,
) -> Result<Json<Draft>, Response> {
    super::stacks::well_named(&name)?;
    let global = api.global(None).map_err(refused)?;
    let door = api.door.clone();
    let args = args::PlanArgs {
        deciding: args::Deciding::default(),
        down: false,
        update: false,
        check: false,
        save: false,
        steps: false,
        json: args::Json { json: true },
    };
    let made = api.ask(&who, &["plan"], move |out| {
        let target = Target::with_text(&global, &name, &asked.text, out)?;
        let mut made = None;
        crate::stacks::cli::start(async {
            let (_, planned) = up::planned(&target, &args, door.as_ref(), out).await?;
            let mut shown = plan::json::to_json(&planned.plan);
            shown[changes::KEY] = changes::of(&target, &planned.plan);
            made = Some(shown);
            Ok(())
        })?;
        made.ok_or(Failure::Code(1))
    });
    let mut plan = made.await.map_err(IntoResponse::into_response)?;
    bare::plans(&mut plan, &who);
    let text = |key: &str| plan[key].as_str().unwrap_or_default().to_string();
    Ok(Json(Draft { summary: text("summary"), risk: text("risk"), plan }))
}

/// A plan that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    pub id: String,
    pub made: String,
    pub who: String,
    /// `up`, `down` or `prune`.
    pub verb: &'static str,
    pub summary: String,
    /// `none`, `short_stop`, `stop` or `data`.
    pub risk: String,
    /// The plan in full, as the command line prints it.
    #[schema(value_type = Object)]
    pub plan: serde_json::Value,
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Plans that are kept, newest first.
#[utoipa::path(get, path = "/api/v1/plans", params(Which), responses((status = 200, body = Page<Kept>)))]
pub async fn list(
    who: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Kept>>, Response> {
    let limit = list::limit(which.limit).map_err(|d| Refusal(d).into_response())?;
    let after: Option<String> = list::key(which.after.as_deref()).map_err(|d| Refusal(d).into_response())?;
    let ids = move |all: Vec<String>| {
        let rest = all.into_iter().filter(|id| after.as_ref().is_none_or(|after| id < after));
        rest.take(limit + 1).collect()
    };
    let mut found = kept(&api, &who, which.project, ids).await?;
    // What services are made of is for who opens one.
    found.iter_mut().filter_map(|one| one.plan.as_object_mut()).for_each(|plan| drop(plan.remove("changes")));
    Ok(Json(Page::of(found, limit, |one| one.id.clone())))
}

/// The project that it is of.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// A project that this home has adopted; none is the home's own.
    pub project: Option<String>,
}

/// One plan that is kept.
#[utoipa::path(get, path = "/api/v1/plans/{id}", params(("id" = String, Path), Of), responses((status = 200, body = Kept)))]
pub async fn one(
    who: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Kept>, Response> {
    find(&api, &who, of.project, &id).await.map(Json)
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Apply {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// Answers yes to what would be asked.
    yes: bool,
}

impl Apply {
    /// Whoever asks has said yes already.
    pub fn sure() -> Apply {
        Apply { yes: true, ..Apply::default() }
    }

    /// One of a project, with no answer to what would be asked.
    pub fn of(project: Option<String>) -> Apply {
        Apply { project, yes: false }
    }
}

/// Carries out a plan that is kept, unless the world has moved since: then the work fails with `stacks.moved`, and nothing was done.
#[utoipa::path(post, path = "/api/v1/plans/{id}/apply", params(("id" = String, Path)), request_body = Apply,
    responses((status = 202, body = Accepted)))]
pub async fn apply(
    who: Operator,
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(asked): Body<Apply>,
) -> Result<Begun, Response> {
    let kept = find(&api, &who, asked.project.clone(), &id).await?;
    if kept.verb == "prune" && who.role != Role::Admin {
        let d = Diagnostic::error("auth.not-allowed", "what is not of this home alone is removed by admins");
        return Err(Refusal(d.kind(Kind::Denied).hint("ask an admin of the home to carry it out")).into_response());
    }
    let global = api.global(asked.project.as_deref()).map_err(refused)?;
    let door = api.door.clone();
    let mut words: Vec<&str> = asked.project.iter().flat_map(|project| ["-p", project.as_str()]).collect();
    words.extend(["apply", id.as_str()]);
    words.extend(super::verbs::yes(asked.yes));
    let args = args::Apply { id: id.clone(), answer: args::Answer { yes: asked.yes }, json: args::Json { json: true } };
    begun(api.begin(&who, "apply", &words, move |out| apply_::run(&global, args, door.as_ref(), out)))
}

/// Throws a plan that is kept away. Nothing of it was done, and nothing is.
#[utoipa::path(delete, path = "/api/v1/plans/{id}", params(("id" = String, Path), Of), responses((status = 204)))]
pub async fn discard(
    who: Operator,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
) -> Result<StatusCode, Response> {
    find(&api, &who, of.project.clone(), &id).await?;
    let global = api.global(of.project.as_deref()).map_err(refused)?;
    let gone = api.ask(&who, &["plan"], move |out| {
        let target = Target::find(&global, out)?;
        crate::stacks::cli::start(async {
            let place = target.place(&target.name(out)?);
            for location in place.histories()? {
                let (project, id) = (place.project().to_owned(), id.clone());
                let db = Db::open(location).await?;
                db.write(async move |tx| sql::forget_plan(tx, &project, &id).await).await?;
            }
            Ok(())
        })
    });
    gone.await.map(|()| StatusCode::NO_CONTENT).map_err(IntoResponse::into_response)
}

async fn find(api: &Api, who: &Identity, project: Option<String>, id: &str) -> Result<Kept, Response> {
    let wanted = id.to_string();
    let found = kept(api, who, project, move |all| all.into_iter().filter(|id| *id == wanted).collect()).await?;
    found.into_iter().next().ok_or_else(|| {
        let d = Diagnostic::error("stacks.no-such-plan", format!("no plan `{id}` is kept")).kind(Kind::NotFound);
        Refusal(d.hint("make one: POST /api/v1/plans")).into_response()
    })
}

/// The plans whose ids `choose` takes from all, newest first.
async fn kept(
    api: &Api,
    who: &Identity,
    project: Option<String>,
    choose: impl FnOnce(Vec<String>) -> Vec<String> + Send + 'static,
) -> Result<Vec<Kept>, Response> {
    let global = api.global(project.as_deref()).map_err(refused)?;
    let found: Result<Vec<Kept>, Refusals> = api
        .ask(who, &["plan"], move |out| {
            let target = Target::find(&global, out)?;
            let mut found = Vec::new();
            crate::stacks::cli::start(async {
                let place = target.place(&target.name(out)?);
                let mut choose = Some(choose);
                for db in history::open_all(place.histories()?, out).await? {
                    let on = &mut db.reader().await?;
                    let all = sql::saved_plan_ids(on, place.project()).await?;
                    // A home has one history.
                    let Some(choose) = choose.take() else { break };
                    for id in choose(all) {
                        found.extend(sql::saved_plan(on, place.project(), &id).await?.map(shown));
                    }
                }
                Ok(())
            })?;
            Ok(found)
        })
        .await;
    let mut found = found.map_err(IntoResponse::into_response)?;
    found.iter_mut().for_each(|one| bare::plans(&mut one.plan, who));
    Ok(found)
}

fn shown(kept: sql::SavedPlan) -> Kept {
    let plan: serde_json::Value = serde_json::from_str(&kept.plan).unwrap_or_default();
    let text = |key: &str| plan[key].as_str().unwrap_or_default().to_string();
    let asked: saved::Asked = serde_json::from_str(&kept.asked).unwrap_or_default();
    let verb = match (&asked.prune, asked.down) {
        (Some(_), _) => "prune",
        (None, true) => "down",
        (None, false) => "up",
    };
    Kept { id: kept.id, made: kept.made, who: kept.who, verb, summary: text("summary"), risk: text("risk"), plan }
}
