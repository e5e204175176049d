//! Compose projects of this engine, and taking one over as it is.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::containers::{engine, told};
use super::plans::Plan;
use super::verbs::{begun, refused};
use super::{Accepted, Api, Begun};
use crate::args;
use crate::auth::who::{Admin, Identity, Viewer};
use crate::cli::Failure;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::cli::{adopt, ls};
use crate::stacks::projects::{self, Found};
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Path, Query};

/// One Compose project on this engine.
#[derive(Debug, Serialize, ToSchema)]
pub struct Project {
    pub name: String,
    /// `this home`, `adopted`, `left alone`, `made by hearth` or `made by compose`.
    pub whose: &'static str,
    /// How many containers are in which state: `3 running, 1 exited`.
    pub state: String,
    pub services: Vec<String>,
    pub directory: String,
    pub files: Vec<String>,
    /// Files that its containers name and that are not here.
    pub missing_files: Vec<String>,
}

impl Project {
    fn of(found: &Found, whose: &'static str) -> Project {
        let text = |path: &std::path::Path| path.display().to_string();
        Project {
            name: found.name.clone(),
            whose,
            state: found.state(),
            services: found.services.iter().cloned().collect(),
            directory: text(&found.working_dir),
            files: found.files.iter().map(|file| text(file)).collect(),
            missing_files: found.missing().into_iter().map(text).collect(),
        }
    }
}

crate::order! { By of Project, false:
    Name "name" => |one| one.name.as_str().into(),
    Whose "whose" => |one| one.whose.into(),
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
    /// Only those of which `whose` says this: `this home`, `adopted`, ...
    pub whose: Option<String>,
}

/// All Compose projects of this engine, ours and others'.
#[utoipa::path(get, path = "/api/v1/projects", params(Which), responses((status = 200, body = Page<Project>)))]
pub async fn list(
    _: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Project>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let home = api.home().map_err(refused)?;
    let found = projects::group(&engine(&api).await?.compose_containers().await.map_err(told)?);
    let all = found.iter().map(|one| Project::of(one, ls::whose(one, Some(&home))));
    let all = all.filter(|one| which.whose.as_ref().is_none_or(|whose| one.whose == whose)).collect();
    Ok(Json(asked.page(all, |one| one.name.clone())))
}

/// One Compose project of this engine.
#[utoipa::path(get, path = "/api/v1/projects/{name}", params(("name" = String, Path)), responses((status = 200, body = Project)))]
pub async fn one(_: Viewer, State(api): State<Api>, Path(name): Path<String>) -> Result<Json<Project>, Response> {
    let home = api.home().map_err(refused)?;
    let found = find(&api, &name).await?;
    Ok(Json(Project::of(&found, ls::whose(&found, Some(&home)))))
}

/// What adopting it would mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    pub project: Project,
    /// What would differ after it; nothing is done by adopting. Null where its files cannot be loaded.
    #[schema(required)]
    pub plan: Option<Plan>,
    pub words: String,
}

/// What adopting a project would mean. Nothing is changed.
#[utoipa::path(get, path = "/api/v1/projects/{name}/adoption", params(("name" = String, Path)), responses((status = 200, body = Preview)))]
pub async fn preview(who: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<Json<Preview>, Response> {
    let home = api.home().map_err(refused)?;
    let found = find(&api, &name).await?;
    let global = api.works.setting().global();
    let viewer = (*who).clone();
    let made = api.ask(&who, &["adopt"], move |out| {
        let mut made = None;
        crate::stacks::cli::start(async {
            let (plan, words) = adopt::preview(&found, &global, out).await;
            let project = Project::of(&found, ls::whose(&found, Some(&home)));
            made = Some(Preview { project, plan: plan.as_ref().map(|plan| Plan::of(plan, &viewer)), words });
            Ok(())
        })?;
        made.ok_or(Failure::Code(1))
    });
    made.await.map(Json).map_err(IntoResponse::into_response)
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = AdoptProject)]
pub struct Asked {
    /// Its Compose files on this machine, absolute and in order, where its containers name paths inside some other manager's container.
    pub files: Vec<String>,
}

/// Takes over a running Compose project as it is: it is written down in hearth.yaml, and nothing is recreated.
#[utoipa::path(post, path = "/api/v1/projects/{name}/adopt", params(("name" = String, Path)), request_body = Asked,
    responses((status = 202, body = Accepted)))]
pub async fn adopt(
    who: Admin,
    State(api): State<Api>,
    Path(name): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Begun, Response> {
    find(&api, &name).await?;
    let mut words = vec!["adopt", name.as_str()];
    if !asked.files.is_empty() {
        words.push("--files");
        words.extend(asked.files.iter().map(String::as_str));
    }
    let global = api.works.setting().global();
    let args = args::Adopt {
        project: Some(name.clone()),
        files: asked.files.iter().map(PathBuf::from).collect(),
        leave_alone: false,
        undo: false,
        answer: args::Answer::default(),
        json: args::Json { json: true },
    };
    begun(api.begin(&who, "adopt", &words, move |out| adopt::run(&global, args, out)))
}

/// Lets an adopted project go: nothing of it stands in hearth.yaml any more. Its containers stay as they are.
#[utoipa::path(delete, path = "/api/v1/projects/{name}/adopt", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn release(who: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<StatusCode, Response> {
    let home = api.home().map_err(refused)?;
    undo(&api, &who, name, |name| home.config.adopted.contains_key(name)).await
}

/// Leaves a project alone for good: it is written down in hearth.yaml, and not offered for adoption any more.
#[utoipa::path(put, path = "/api/v1/projects/{name}/left-alone", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn leave(who: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<StatusCode, Response> {
    find(&api, &name).await?;
    decide(&api, &who, name, "--leave-alone").await
}

/// Offers a project that was left alone for adoption again.
#[utoipa::path(delete, path = "/api/v1/projects/{name}/left-alone", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn think_again(who: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<StatusCode, Response> {
    let home = api.home().map_err(refused)?;
    undo(&api, &who, name, |name| home.config.left_alone.iter().any(|one| one == name)).await
}

async fn undo(api: &Api, who: &Identity, name: String, is: impl Fn(&str) -> bool) -> Result<StatusCode, Response> {
    if !is(&name) {
        let d = Diagnostic::error("stacks.nothing-decided", format!("`{name}` is not so here: nothing is taken back"));
        return Err(Refusal(d.kind(Kind::NotFound).hint("see which there are: GET /api/v1/projects")).into_response());
    }
    decide(api, who, name, "--undo").await
}

/// What is only written down: whoever asks waits for it.
async fn decide(api: &Api, who: &Identity, name: String, flag: &'static str) -> Result<StatusCode, Response> {
    let global = api.works.setting().global();
    let args = args::Adopt {
        project: Some(name.clone()),
        files: Vec::new(),
        leave_alone: flag == "--leave-alone",
        undo: flag == "--undo",
        answer: args::Answer::default(),
        json: args::Json { json: true },
    };
    let done = api.ask(who, &["adopt", &name, flag], move |out| adopt::run(&global, args, out)).await;
    done.map(|()| StatusCode::NO_CONTENT).map_err(IntoResponse::into_response)
}

async fn find(api: &Api, name: &str) -> Result<Found, Response> {
    let found = projects::group(&engine(api).await?.compose_containers().await.map_err(told)?);
    found.into_iter().find(|one| one.name == name).ok_or_else(|| {
        let title = format!("no container of a project `{name}` is on this engine");
        let d = Diagnostic::error("stacks.no-such-project", title).kind(Kind::NotFound);
        Refusal(d.hint("see which there are: GET /api/v1/projects")).into_response()
    })
}
