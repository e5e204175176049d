//! Programs in running containers, over a WebSocket. Who may is asked three times: for the ticket, at the opening, and as long as it is open.
//!
//! | frame | from the client | from here |
//! |---|---|---|
//! | binary | bytes for the program's input | one byte, 1 (output) or 2 (errors), and then bytes |
//! | text | `{"resize": {"rows": 24, "columns": 80}}`, `{"end": true}` (of the input) | `{"exit_code": 0}`, or `{"error": {...}}`, at the end |

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{Array, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::containers::{find, project_of, told};
use super::talk::{BROKEN, End, converse};
use crate::auth::audit::Outcome;
use crate::auth::table::guard::Detail;
use crate::auth::table::stay::{Stay, ended};
use crate::auth::tickets::HOLDS;
use crate::auth::who::{Identity, Operator};
use crate::diag::{Diagnostic, Kind};
use crate::engine::streams::ExecRequest;
use crate::engine::{EngineError, Host, Scope};
use crate::plan::observed::{Container, State as Run};
use crate::plan::request;
use crate::stacks::power::{self, Around, Mounts};
use crate::stacks::{Disk, Loading, Target};
use crate::web::read::{Json as Body, Path, Query};
use crate::web::{Refusal, Refusals};

/// What a ticket for it is for.
const PURPOSE: &str = "exec";
/// Bytes of one frame of a client.
const FRAME: usize = 64 << 10;

/// The program that somebody wants to run.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExecRequest)]
pub struct Asked {
    /// A project that this home has adopted; none is the home's own.
    #[serde(default)]
    project: Option<String>,
    #[schema(schema_with = command)]
    command: Vec<String>,
    /// As this user; none is the container's own. Another is for admins.
    #[serde(default)]
    user: Option<String>,
    /// In this directory; none is the container's own.
    #[serde(default)]
    workdir: Option<String>,
    /// With a terminal of this size.
    #[serde(default)]
    tty: Option<Size>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TerminalSize)]
pub struct Size {
    /// Lines.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(deserialize_with = "of_terminal")]
    pub rows: u16,
    /// Characters of a line.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(deserialize_with = "of_terminal")]
    pub columns: u16,
}

fn of_terminal<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let n = u16::deserialize(from)?;
    let told = "a terminal has 1 to 1000 lines, and as many characters in each";
    if (1..=1000).contains(&n) { Ok(n) } else { Err(serde::de::Error::custom(told)) }
}

/// Words of a command line at most, and characters of one.
const WORDS: usize = 128;
const WORD: usize = 4096;

/// How `command` is described, as [`ask`] looks at it: the program has a name, no word has a NUL.
fn command() -> Array {
    let word = |least| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(least)
            .max_length(Some(WORD))
            .pattern(Some(r"^[^\x00]*$"))
    };
    let words =
        ArrayBuilder::new().prefix_items([word(Some(1))]).items(word(None)).min_items(Some(1)).max_items(Some(WORDS));
    words
        .description(Some("The program and its arguments; no shell reads them."))
        .examples([json!(["ls", "-l", "/"])])
        .build()
}

/// Where the socket is opened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecTicket)]
pub struct Given {
    /// Holds once, for whoever asked.
    ticket: String,
    expires_in: i64,
    /// The address of the socket, with the ticket in it.
    path: String,
}

/// Asks for a program to be run in a running container. The answer is a ticket: the program begins when the socket is opened with it. Nobody enters
/// Hearth's own containers, and only an admin those that have power over the machine, or as another user than the container's own.
#[utoipa::path(post, path = "/api/v1/containers/{id}/exec", params(("id" = String, Path)), request_body = Asked,
    responses((status = 200, body = Given)))]
pub async fn ask(
    who: Operator,
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Response, Response> {
    let sound = |text: &String| !text.contains('\0') && text.chars().count() <= WORD;
    let program = asked.command.first().filter(|program| !program.is_empty()).cloned();
    let Some(program) = program.filter(|_| asked.command.len() <= WORDS && asked.command.iter().all(sound)) else {
        let d = Diagnostic::error("exec.no-program", "`command` is the program and its arguments, without NUL bytes");
        return Err(Refusal(d.field("command").hint("write it as a list: [\"ls\", \"-l\"]")).into_response());
    };
    let (engine, container) = find(&api, asked.project.as_deref(), &id).await?;
    let detail = Detail(of(&container, &program, asked.user.as_deref()));
    let refused = |d: Diagnostic| noted(Refusal(d).into_response(), &detail);
    enter(&who, &api, &*engine, &container, &asked).await.map_err(refused)?;
    if container.state != Run::Running {
        let title = format!("{} does not run", container.name);
        let d = Diagnostic::error("stacks.not-running", title).kind(Kind::Conflict);
        return Err(refused(d.hint("start it first: POST /api/v1/start")));
    }
    let project = asked.project.clone();
    let ticket = api.tickets.give(&who, PURPOSE, &container.id, asked).map_err(refused)?;
    let ticket = ticket.expose().to_string();
    let mut path = format!("/api/v1/containers/{}/exec?ticket={ticket}", container.id);
    if let Some(project) = project {
        path.push_str("&project=");
        path.extend(form_urlencoded::byte_serialize(project.as_bytes()));
    }
    Ok(noted(Json(Given { ticket, expires_in: HOLDS.whole_seconds(), path }).into_response(), &detail))
}

/// What the audit is told. Arguments may be secrets.
fn of(container: &Container, program: &str, user: Option<&str>) -> Value {
    let user = user.map(|user| user.chars().take(100).collect::<String>());
    json!({"container": container.name, "program": program, "user": user})
}

fn noted(mut answer: Response, detail: &Detail) -> Response {
    answer.extensions_mut().insert(detail.clone());
    answer
}

/// Whether somebody may run a program in a container: nobody in Hearth's own, and only an admin in one that has power over the machine, or as
/// another user than the container's own.
async fn enter(
    who: &Identity,
    api: &Api,
    engine: &dyn Host,
    container: &Container,
    asked: &Asked,
) -> Result<(), Diagnostic> {
    let told = |error: EngineError| *error.diagnostic;
    let denied = |code, title| Diagnostic::error(code, title).kind(Kind::Denied);
    let name = &container.name;
    let (home, project) = project_of(api, asked.project.as_deref()).map_err(|refused| {
        let first = refused.diagnostics.0.into_iter().next();
        first.unwrap_or_else(|| denied("exec.power", "the home cannot be read".into()).hint("hearth doctor says why"))
    })?;
    let gone = || Diagnostic::error("stacks.no-container", format!("{name} is gone")).kind(Kind::NotFound);
    let whole = engine.inspect(&container.id).await.map_err(told)?;
    let whole = whole.ok_or_else(|| gone().hint("see which there are: GET /api/v1/containers"))?;
    if power::is_hearths(&whole, &home) {
        let d = denied("exec.own", format!("{name} is Hearth's own: nobody runs programs in it from afar"));
        return Err(d.hint("whoever owns the machine can do so there: docker exec"));
    }
    if who.may_all() {
        return Ok(());
    }
    let own = whole.detail.as_ref().and_then(|detail| detail.config["User"].as_str()).unwrap_or_default();
    if asked.user.as_deref().is_some_and(|user| !user.is_empty() && user != own) {
        let d = denied("exec.user", "only an admin runs programs as another user than the container's own".into());
        return Err(d.field("user").hint("leave `user` out"));
    }
    let mut containers = engine.compose_containers().await.map_err(told)?;
    containers.push(whole.clone());
    let mounts = containers.iter().flat_map(|c| &c.mounts).filter(|m| m.kind == "volume");
    let volumes = mounts.map(|m| m.name.clone()).collect();
    let seen = engine.observe(&Scope { volumes, ..Scope::of(&project) }).await.map_err(told)?;
    let named = named(who, api).await.ok();
    // The double runs nothing that the kernel would know of.
    let mounts = if engine.is_double() { None } else { Mounts::of(&whole) };
    let around = Around { containers: &containers, named: named.as_deref(), mounts, real: &power::real };
    match power::over(&whole, &seen, &home, &around) {
        None => Ok(()),
        Some(why) => {
            let title = format!("whoever runs programs in {name} can do all on this machine: {why}");
            Err(denied("exec.power", title).hint("an admin may; a token of theirs only with the scope `admin`"))
        }
    }
}

/// Sources of the binds of all stacks of the home, those that are off too.
async fn named(who: &Identity, api: &Api) -> Result<Vec<String>, Refusals> {
    let global = api.works.setting().global();
    let found = api.ask(who, &["exec"], move |out| {
        let loading = Loading { all_resources: true, all_profiles: true, ..Loading::default() };
        let target = Target::find(&global, out)?;
        let (project, _) = target.load(&loading, out, false)?;
        let (volumes, none) = (project.volumes.clone(), std::collections::BTreeMap::new());
        let volumes = volumes.into_values().filter_map(|mut volume| volume.driver_opts.remove("device"));
        let context = request::Context { compat: target.given.compat(), files: &Disk::whole(), proxies: none };
        let services = request::wanted(&project, &context).services.into_values();
        Ok(services.flat_map(|service| service.request.bind_sources()).chain(volumes).collect())
    });
    found.await
}

/// How the socket is opened.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// From the call that asked for it.
    ticket: String,
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
}

/// The socket of a program: binary frames are its input and output. Ends with the program, with the rights of who opened it (4001), and with the server.
/// Its opening and its end stand in the audit.
#[utoipa::path(get, path = "/api/v1/containers/{id}/exec", params(("id" = String, Path), Opening),
    responses((status = 101, description = "A WebSocket")))]
pub async fn open(
    who: Operator,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(opening): Query<Opening>,
    Extension(stay): Extension<Stay>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Response> {
    let Ok(upgrade) = upgrade else {
        let d = Diagnostic::error("web.no-socket", "this address is that of a WebSocket").kind(Kind::Invalid);
        return Err(Refusal(d.hint("open it with a client for WebSockets, over HTTP/1.1")).into_response());
    };
    // Looked for anew: what cannot be seen any more is not entered.
    let (engine, container) = find(&api, opening.project.as_deref(), &id).await?;
    let asked = api.tickets.take(&opening.ticket, &who, PURPOSE, &container.id);
    let asked = asked.map_err(|d| Refusal(d).into_response())?;
    let program = asked.command.first().map(String::as_str).unwrap_or_default();
    let detail = Detail(of(&container, program, asked.user.as_deref()));
    // It may be another than it was when the ticket was given.
    let entered = enter(&who, &api, &*engine, &container, &asked).await;
    entered.map_err(|d| noted(Refusal(d).into_response(), &detail))?;
    let request = ExecRequest {
        command: asked.command,
        user: asked.user.unwrap_or_default(),
        working_dir: asked.workdir.unwrap_or_default(),
        environment: Vec::new(),
        privileged: false,
        tty: asked.tty.map(|size| (size.rows, size.columns)),
        stdin: true,
    };
    let tty = request.tty.is_some();
    let session = engine.exec(&container.id, &request).await.map_err(|error| noted(told(error), &detail))?;
    let (stop, Detail(of)) = (api.works.stopping(), detail.clone());
    let ends = ended(api.keeper.clone(), (*who).clone());
    let used = move || api.keeper.acts(&who);
    let opened = upgrade.max_frame_size(FRAME).max_message_size(FRAME).write_buffer_size(0).on_upgrade(
        move |socket| async move {
            let End { code, why, exit_code, .. } = converse(socket, engine, session, tty, stop, ends, used).await;
            let outcome = if code == BROKEN { Outcome::Failed } else { Outcome::Done };
            let mut detail = of;
            detail["end"] = json!(why);
            detail["exit_code"] = json!(exit_code);
            stay.ended("exec.end", outcome, detail).await;
        },
    );
    Ok(noted(opened, &detail))
}
