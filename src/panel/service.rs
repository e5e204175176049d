//! A service: how it stands and why, what it says, what it is made of, and what can be done with it.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::home::{Row, row_of};
use super::refusal;
use super::shell::Shell;
use super::words::{Moment, part, plain};
use super::{Panel, page};
use crate::auth::who::{Operator, Viewer};
use crate::base::clock::rfc3339;
use crate::stacks::json::containers::{self, Inspected};
use crate::stacks::json::logs::{self, Lines};
use crate::stacks::json::plans::Of;
use crate::stacks::json::verbs::{self, Services, Timed, Update};
use crate::stacks::json::{Begun, services as calls};
use crate::stacks::seen::container::Container;
use crate::stacks::seen::service::{Service, Standing};
use crate::web::lang::filters;
use crate::web::read::{Json, Path, Query};

/// Lines of the log that the page begins with.
const LINES: u16 = 200;

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/service.html")]
pub struct Page {
    pub shell: Shell,
    pub row: Row,
    pub project: Option<String>,
    pub place: String,
    pub acts: Vec<Act>,
    pub containers: Vec<One>,
    /// Of the first container.
    pub facts: Vec<(&'static str, Vec<String>)>,
    pub log: Option<Log>,
    pub command: String,
    /// Where its buttons lead.
    pub action: String,
}

/// What can be done, by a form of one button.
#[derive(Debug)]
pub struct Act {
    pub verb: &'static str,
    pub word: &'static str,
    pub class: &'static str,
}

#[derive(Debug)]
pub struct One {
    pub name: String,
    pub state: String,
    pub image: String,
    pub since: Option<Moment>,
}

#[derive(Debug, Default)]
pub struct Log {
    pub container: String,
    pub lines: Vec<Line>,
    /// Where what it says from now on comes from.
    pub stream: String,
    /// When the last line came.
    pub last: String,
    pub cut: bool,
}

#[derive(Debug)]
pub struct Line {
    pub at: String,
    pub is_error: bool,
    pub text: String,
}

pub async fn one(
    who: Viewer,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Response {
    let seen = panel.world.now().await;
    let path = match &of.project {
        Some(project) => format!("/services/{}?project={}", part(&name), part(project)),
        None => format!("/services/{}", part(&name)),
    };
    let shell = panel.shell(&who, &headers, &path, "/");
    let found = seen.all().find(|(project, one)| *project == of.project.as_deref() && one.name == name);
    let Some((_, found)) = found else {
        let refused = calls::one(who, State(panel.api.clone()), Path(name), Query(of)).await.into_response();
        return refusal::page(shell, &headers, refused).await;
    };
    let ways = panel.ways.clone().of(&who).await;
    let now = panel.clock.now();
    let row = row_of(of.project.as_deref(), found, &ways, now);
    let (mut inspected, mut log) = (None, None);
    if let Some(first) = found.containers.first() {
        let again = || Of { project: of.project.clone() };
        let which = logs::Which { project: of.project.clone(), tail: Some(LINES), ..Default::default() };
        let (api, id) = (|| State(panel.api.clone()), || Path(first.id.clone()));
        // Each by a call of the API: what somebody may not see there they do not see here.
        let viewer = who.clone();
        inspected = containers::one(viewer, api(), id(), Query(again())).await.ok().map(|one| one.0);
        let lines = logs::last(who, api(), id(), Query(which)).await.ok();
        log = lines.map(|lines| log_of(first, &of, lines.0, now));
    }
    let mut shown = of_service(shell, row, found, inspected.as_ref(), now);
    shown.project = of.project;
    shown.log = log;
    page(&headers, &shown)
}

/// `now`: from when on its lines come, where it has none yet.
fn log_of(first: &Container, of: &Of, lines: Lines, now: OffsetDateTime) -> Log {
    let project = of.project.as_ref().map(|project| format!("project={}", part(project))).unwrap_or_default();
    let line = |line: logs::Line| Line {
        at: line.at.unwrap_or_default(),
        is_error: line.stream == "stderr",
        text: plain(&line.text),
    };
    Log {
        container: first.name.clone(),
        stream: format!("/api/v1/containers/{}/logs/stream?{project}", first.id),
        last: lines.lines.last().and_then(|line| line.at.clone()).unwrap_or_else(|| rfc3339(now)),
        cut: lines.cut,
        lines: lines.lines.into_iter().map(line).collect(),
    }
}

/// `inspected`: its first container.
pub fn of_service(
    shell: Shell,
    row: Row,
    service: &Service,
    inspected: Option<&Inspected>,
    now: OffsetDateTime,
) -> Page {
    let one = |c: &Container| One {
        name: c.name.clone(),
        state: c.health.map_or_else(|| c.state.to_owned(), |health| format!("{}, {health}", c.state)),
        image: c.image.clone(),
        since: c.started_at.as_deref().and_then(|at| Moment::read(at, now)),
    };
    let place = match (&service.stack, service.profiles.as_slice()) {
        (Some(stack), []) => format!("of the stack {stack}, always on"),
        (Some(stack), profiles) => format!("of the stack {stack}, in {}", crate::base::wording::list(profiles)),
        (None, _) => "of no stack of this home".to_owned(),
    };
    let acts = if shell.operates() { acts(service) } else { Vec::new() };
    let containers = service.containers.iter().map(one).collect();
    let facts = inspected.map(facts).unwrap_or_default();
    let command = format!("hearth logs {}", row.name);
    let action = format!("/services/{}/act", part(&row.name));
    Page { shell, row, project: None, place, acts, containers, facts, log: None, command, action }
}

fn acts(service: &Service) -> Vec<Act> {
    let act = |verb, word, class| Act { verb, word, class };
    let there = !service.containers.is_empty();
    match service.state {
        Standing::Off | Standing::Missing => Vec::new(),
        Standing::Stopped | Standing::Failed if there => {
            vec![act("start", "Start", "main"), act("update", "Update", "quiet")]
        }
        _ => vec![act("restart", "Restart", "quiet"), act("update", "Update", "quiet"), act("stop", "Stop", "danger")],
    }
}

fn facts(one: &Inspected) -> Vec<(&'static str, Vec<String>)> {
    let port = |port: &crate::stacks::seen::container::Port| {
        let target = port.target.map(|target| format!(" to {target}")).unwrap_or_default();
        let ip = if port.ip.contains(':') { format!("[{}]", port.ip) } else { port.ip.clone() };
        format!("{ip}:{}{target} ({})", port.port, port.protocol)
    };
    let mount = |mount: &containers::Mount| format!("{} at {} ({})", mount.source, mount.target, mount.kind);
    let all = vec![
        ("Image", vec![one.container.image.clone()]),
        ("Image id", vec![one.container.image_id.clone()]),
        ("Ports", one.container.ports.iter().map(port).collect()),
        ("Mounts", one.mounts.iter().map(mount).collect()),
        ("Networks", one.networks.clone()),
        ("Command", vec![one.command.join(" ")]),
        ("Restarts", vec![one.restart_policy.clone()]),
        ("Variables", one.environment.clone()),
    ];
    all.into_iter()
        .map(|(word, values)| (word, values.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>()))
        .filter(|(_, values)| !values.is_empty())
        .collect()
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    verb: String,
    #[serde(default)]
    project: Option<String>,
}

/// Does what a button says: on to the work.
pub async fn act(
    who: Operator,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    crate::web::read::Form(asked): crate::web::read::Form<Asked>,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/services/{}", part(&name)), "/");
    let (api, services) = (State(panel.api.clone()), vec![name]);
    let project = asked.project.filter(|project| !project.is_empty());
    let timed = Timed { project: project.clone(), services: services.clone(), ..Timed::default() };
    let begun: Result<Begun, Response> = match asked.verb.as_str() {
        "start" => verbs::start(who, api, Json(Services { project, services })).await,
        "stop" => verbs::stop(who, api, Json(timed)).await,
        "restart" => verbs::restart(who, api, Json(timed)).await,
        "update" => verbs::update(who, api, Json(Update { project, services, yes: false })).await,
        _ => Err(crate::web::no_such_page().await.into_response()),
    };
    match begun {
        Ok(begun) => Redirect::to(&format!("/works/{}", begun.0.id)).into_response(),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}
