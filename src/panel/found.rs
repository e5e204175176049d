//! What runs on this machine and is not under Hearth: taken over as it is, or left alone.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::refusal;
use super::shell::Shell;
use super::words::{Moment, part};
use super::{Panel, page, work};
use crate::auth::who::{Admin, Role, Viewer};
use crate::stacks::json::adoption::{self as calls, Asked, Preview, Project};
use crate::stacks::json::loose::{self, Loose};
use crate::stacks::json::plans::Note;
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::{Form, Json, Path, Query};
use crate::web::{Lang, Refusal, Words};

/// The step of the setup that offers them.
pub const OF_WALK: &str = "/welcome/found";

/// All of them.
#[derive(Debug, Template)]
#[template(path = "panel/found/list.html")]
pub struct List {
    pub shell: Shell,
    /// About which nothing is decided.
    pub open: Vec<Row>,
    pub adopted: Vec<Row>,
    pub left: Vec<Row>,
    pub loose: Vec<One>,
    /// Who looks may decide.
    pub decides: bool,
}

/// A project.
#[derive(Debug, Clone)]
pub struct Row {
    pub kind: &'static str,
    pub name: String,
    pub path: String,
    pub state: String,
    pub services: String,
    pub directory: String,
}

/// A container of no project.
#[derive(Debug, Clone)]
pub struct One {
    pub kind: &'static str,
    pub name: String,
    pub state: &'static str,
    pub image: String,
    pub made: Option<Moment>,
}

/// One project.
#[derive(Debug, Template)]
#[template(path = "panel/found/page.html")]
pub struct Page {
    pub shell: Shell,
    pub row: Row,
    pub is: Is,
    pub files: Vec<String>,
    pub missing: Vec<String>,
    /// Another home of this machine looks after it.
    pub elsewhere: bool,
    pub would: Option<Would>,
}

/// What is decided about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Open,
    Adopted,
    Left,
}

/// What adopting it would mean, for who may.
#[derive(Debug, Clone)]
pub struct Would {
    /// In a sentence.
    pub heading: String,
    /// What the next `up` would do; nothing of it is done by adopting.
    pub steps: Vec<(Words, Words)>,
    pub notes: Vec<Words>,
    /// Why there is no plan: its files have to be named.
    pub why: Option<Words>,
}

impl Page {
    /// Whether nobody needs to say where its files are.
    pub fn is_known(&self) -> bool {
        self.would.as_ref().is_some_and(|would| would.why.is_none())
    }

    /// The same at a terminal, for who may.
    pub fn command(&self) -> Option<String> {
        self.would.as_ref().map(|_| format!("hearth adopt {}", self.row.name))
    }
}

pub async fn list(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/found", "/found");
    let which = calls::Which { limit: Some(MOST), ..Default::default() };
    let projects = match calls::list(who.clone(), State(panel.api.clone()), Query(which)).await {
        Ok(axum::Json(found)) => found.items,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    let which = loose::Which { limit: Some(MOST), ..Default::default() };
    let loose = match loose::list(who, State(panel.api.clone()), Query(which)).await {
        Ok(axum::Json(found)) => found.items,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    page(&headers, &of(shell, projects, loose, panel.clock.now()))
}

/// The home's own project is none that is found.
pub fn of(shell: Shell, projects: Vec<Project>, loose: Vec<Loose>, now: time::OffsetDateTime) -> List {
    let decides = shell.role == Role::Admin;
    let mut list = List { shell, open: Vec::new(), adopted: Vec::new(), left: Vec::new(), loose: Vec::new(), decides };
    for one in projects.iter().filter(|one| one.whose != "this home") {
        let row = row(one, list.shell.lang);
        match is(one) {
            Is::Open => list.open.push(row),
            Is::Adopted => list.adopted.push(row),
            Is::Left => list.left.push(row),
        }
    }
    let one = |one: Loose| One {
        kind: if one.state == "running" { "running" } else { "stopped" },
        made: Moment::read(&one.created_at, now),
        name: one.name,
        state: one.state,
        image: one.image,
    };
    list.loose = loose.into_iter().map(one).collect();
    list
}

fn is(project: &Project) -> Is {
    match project.whose {
        "adopted" => Is::Adopted,
        "left alone" => Is::Left,
        _ => Is::Open,
    }
}

pub fn row(one: &Project, lang: Lang) -> Row {
    let runs = one.state.contains("running");
    let all = runs && !one.state.contains(',');
    Row {
        kind: if all {
            "running"
        } else if runs {
            "unhealthy"
        } else {
            "stopped"
        },
        path: format!("/found/{}", part(&one.name)),
        name: one.name.clone(),
        state: one.state.clone(),
        services: match one.services.as_slice() {
            [] => String::new(),
            few if few.len() <= 4 => few.join(", "),
            many => {
                lang.with("found-services", [("names", many[..3].join(", ").into()), ("more", (many.len() - 3).into())])
            }
        },
        directory: one.directory.clone(),
    }
}

pub async fn one(
    who: Viewer,
    admin: Result<Admin, Refusal>,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/found/{}", part(&name)), "/found");
    if let Ok(admin) = admin {
        return match calls::preview(admin, State(panel.api.clone()), Path(name)).await {
            Ok(axum::Json(preview)) => page(&headers, &of_preview(shell, preview)),
            Err(refused) => refusal::page(shell, &headers, refused).await,
        };
    }
    match calls::one(who, State(panel.api.clone()), Path(name)).await {
        Ok(axum::Json(project)) => page(&headers, &of_project(shell, project)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

pub fn of_project(shell: Shell, project: Project) -> Page {
    Page {
        row: row(&project, shell.lang),
        shell,
        is: is(&project),
        elsewhere: project.whose == "made by hearth",
        files: project.files,
        missing: project.missing_files,
        would: None,
    }
}

pub fn of_preview(shell: Shell, preview: Preview) -> Page {
    let would = would(&preview, shell.lang);
    let mut page = of_project(shell, preview.project);
    page.would = Some(would).filter(|_| page.is == Is::Open);
    page
}

pub fn would(preview: &Preview, lang: Lang) -> Would {
    let Some(plan) = &preview.plan else {
        let why = Some(Words::sentence(&preview.words));
        return Would { heading: lang.say("found-unknown").into(), steps: Vec::new(), notes: Vec::new(), why };
    };
    let heading: Cow<str> = match plan.steps.len() {
        0 => lang.say("found-nothing"),
        n => lang.with("found-something", [("count", n.into())]).into(),
    };
    let steps = plan.steps.iter().map(|step| (Words::sentence(&step.words), step.why.as_str().into())).collect();
    let blocked = plan.refusals.iter().map(|one| Words::sentence(&one.title));
    let note = |note: &Note| Words::from(format!("{}: {}", note.subject, note.text).as_str());
    let notes = blocked.chain(plan.notes.iter().map(note)).collect();
    Would { heading: heading.into(), steps, notes, why: None }
}

#[derive(Debug, Default, Deserialize)]
pub struct Files {
    /// One a line.
    #[serde(default)]
    files: String,
    /// The page to go back to.
    #[serde(default)]
    back: String,
}

impl Files {
    /// The walk of the setup, or the list.
    fn back(&self) -> &'static str {
        if self.back == OF_WALK { OF_WALK } else { "/found" }
    }
}

/// Takes it over, and waits for that: it takes no longer than a look.
pub async fn adopt(
    who: Admin,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Files>,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/found/{}", part(&name)), "/found");
    let files = asked.files.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let begun = match calls::adopt(who, State(panel.api.clone()), Path(name), Json(Asked { files })).await {
        Ok(begun) => begun.0.id,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    match work::settled(&panel, &begun).await {
        Some(end) if end.code == 0 => Redirect::to(asked.back()).into_response(),
        Some(end) => refusal::of_work(shell, &headers, &end),
        None => Redirect::to(&format!("/works/{begun}")).into_response(),
    }
}

/// Writes down that nobody is asked about it any more.
pub async fn leave(
    who: Admin,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Files>,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/found/{}", part(&name)), "/found");
    let done = calls::leave(who, State(panel.api.clone()), Path(name)).await;
    then(shell, &headers, done, asked.back()).await
}

/// Takes back what was decided about it.
pub async fn undo(
    who: Admin,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Files>,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/found/{}", part(&name)), "/found");
    let adopted = panel.api.home().is_ok_and(|home| home.config.adopted.contains_key(&name));
    let api = State(panel.api.clone());
    let done = match adopted {
        true => calls::release(who, api, Path(name)).await,
        false => calls::think_again(who, api, Path(name)).await,
    };
    then(shell, &headers, done, asked.back()).await
}

async fn then(
    shell: Shell,
    headers: &HeaderMap,
    done: Result<axum::http::StatusCode, Response>,
    back: &'static str,
) -> Response {
    match done {
        Ok(_) => Redirect::to(back).into_response(),
        Err(refused) => refusal::page(shell, headers, refused).await,
    }
}
