//! The setup, step by step, from the first admin's account to routes that answer. Each step is a page of its own; it can be left at any time and gone on
//! with from where it was.
//!
//! | subject | file |
//! |---|---|
//! | where one is, the machine, what was found | this one |
//! | what is remembered between the steps | `kept` |
//! | by name or on ports of this machine | `way` |
//! | profiles, the plan, the work, what answers | `start` |

mod kept;
mod start;
mod way;

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

pub use kept::Step;
pub use start::{
    Answer, Done, Line, Plan, Profiles, Wanted, Work, answers, apply, choose, chosen, done, end, line, make, plan, work,
};
pub use way::{Key, Ways, authority, choose as choose_way, empty as empty_ways, show as way};

use super::found::{self, Row, Would};
use super::health::{self, Group};
use super::refusal;
use super::shell::Shell;
use super::{Panel, page};
use crate::auth::who::{Admin, Identity, Role, Viewer};
use crate::doctor::json as doctor;
use crate::stacks::Home;
use crate::stacks::json::adoption;
use crate::web::Lang;
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::{Path, Query};
use kept::Kept;

/// What stands above each step.
#[derive(Debug)]
pub struct Frame {
    /// `Step 2 of 6`.
    pub words: String,
    pub at: usize,
    pub of: usize,
    pub heading: Cow<'static, str>,
    /// The step before.
    pub back: Option<&'static str>,
}

impl Step {
    pub fn path(self) -> &'static str {
        match self {
            Step::Machine => "/welcome/machine",
            Step::Way => "/welcome/way",
            Step::Found => found::OF_WALK,
            Step::Profiles => "/welcome/profiles",
            Step::Plan => "/welcome/plan",
            Step::Work => "/welcome/work",
            Step::Done => "/welcome/done",
            Step::Over => "/",
        }
    }

    fn heading(self, lang: Lang) -> Cow<'static, str> {
        match self {
            Step::Machine => lang.say("welcome-machine"),
            Step::Way => lang.say("welcome-way"),
            Step::Found => lang.say("welcome-found"),
            Step::Profiles => lang.say("welcome-profiles"),
            Step::Plan => lang.say("welcome-plan"),
            Step::Work => lang.say("welcome-work"),
            Step::Done | Step::Over => lang.say("welcome-done"),
        }
    }
}

/// The steps of this home, in order: what is done and what answers are one.
fn steps(found: bool) -> Vec<Step> {
    let all = [Step::Machine, Step::Way, Step::Found, Step::Profiles, Step::Plan, Step::Work];
    all.into_iter().filter(|step| found || *step != Step::Found).collect()
}

/// Where one is. `found`: there is something on this machine to be decided about, or was.
pub fn frame(step: Step, found: bool, lang: Lang) -> Frame {
    let all = steps(found);
    let at = all.iter().position(|one| *one == step).unwrap_or(all.len() - 1);
    let (number, of) = (at + 1, all.len());
    let words = lang.with("welcome-step", [("at", number.into()), ("of", of.into())]);
    let back = match step {
        Step::Done | Step::Over | Step::Work => None,
        _ => at.checked_sub(1).map(|before| all[before].path()),
    };
    Frame { words, at: number, of, heading: step.heading(lang), back }
}

impl Panel {
    fn walk(&self, who: &Identity, headers: &HeaderMap, step: Step) -> Shell {
        self.shell(who, headers, step.path(), "")
    }

    /// Whether other projects of this machine are, or were, to be decided about.
    async fn has_found(&self) -> bool {
        let decided =
            self.api.home().is_ok_and(|home| !home.config.adopted.is_empty() || !home.config.left_alone.is_empty());
        decided || !self.world.now().await.others.is_empty()
    }

    async fn frame(&self, step: Step, lang: Lang) -> Frame {
        frame(step, self.has_found().await, lang)
    }
}

/// On with the walk, from where it was.
pub async fn go_on(_: Admin, State(panel): State<Panel>) -> Response {
    // From here on it can be left at any time: what is turned on meanwhile is no end of it.
    if Kept::waits(&panel) {
        let _ = Kept::begin(&panel);
    }
    let step = match Kept::read(&panel).step {
        Step::Over => Step::Machine,
        step => step,
    };
    Redirect::to(step.path()).into_response()
}

/// The step that waits for somebody, where the setup is not over: a home in which nothing is on, or one that was left half-way.
pub fn waits(panel: &Panel, who: &Identity) -> bool {
    who.role == Role::Admin && Kept::waits(panel)
}

/// The machine.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/machine.html")]
pub struct Machine {
    pub shell: Shell,
    pub frame: Frame,
    /// What is not as it should be.
    pub groups: Vec<Group>,
    /// How much is.
    pub fine: usize,
    pub problem: bool,
}

pub async fn machine(who: Admin, viewer: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Machine);
    let frame = panel.frame(Step::Machine, shell.lang).await;
    match doctor::look_around(viewer, State(panel.api.clone())).await {
        Ok(axum::Json(found)) => page(&headers, &of_machine(shell, frame, found)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

pub fn of_machine(shell: Shell, frame: Frame, found: doctor::Findings) -> Machine {
    let problem = found.worst == "problem";
    let (fine, rest): (Vec<_>, Vec<_>) = found.findings.into_iter().partition(|one| one.grade == "ok");
    Machine { shell, frame, groups: health::groups(rest), fine: fine.len(), problem }
}

/// The machine was looked at.
pub async fn leave_machine(_: Admin, State(panel): State<Panel>) -> Response {
    Kept::change(&panel, |kept| kept.step = Step::Way)
}

/// What runs here already.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/found.html")]
pub struct Found {
    pub shell: Shell,
    pub frame: Frame,
    pub all: Vec<(Row, Would)>,
    pub decided: usize,
}

pub async fn found(who: Admin, viewer: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Found);
    let frame = panel.frame(Step::Found, shell.lang).await;
    let which = adoption::Which { limit: Some(MOST), ..Default::default() };
    let projects = match adoption::list(viewer, State(panel.api.clone()), Query(which)).await {
        Ok(axum::Json(found)) => found.items,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    let decided = projects.iter().filter(|one| ["adopted", "left alone"].contains(&one.whose)).count();
    let mut all = Vec::new();
    for one in projects.into_iter().filter(|one| !["this home", "adopted", "left alone"].contains(&one.whose)) {
        let preview = adoption::preview(who.clone(), State(panel.api.clone()), Path(one.name.clone())).await;
        // One that is gone meanwhile is nothing to decide about.
        let Ok(axum::Json(preview)) = preview else { continue };
        all.push((found::row(&one, shell.lang), found::would(&preview, shell.lang)));
    }
    page(&headers, &Found { shell, frame, all, decided })
}

/// What is here was decided about, or is looked at later.
pub async fn leave_found(_: Admin, State(panel): State<Panel>) -> Response {
    Kept::change(&panel, |kept| kept.step = Step::Profiles)
}

/// Writes a variable into `.env`, on a thread where that may wait.
async fn tell(panel: &Panel, who: &Identity, name: String, text: String) -> Result<(), Response> {
    let dir = panel.api.works.setting().home.clone();
    let told = panel.api.ask(who, &["init"], move |out| {
        let home = Home::open(dir).map_err(|refused| refused.tell(out))?;
        Ok(home.tell(&name, &text)?)
    });
    told.await.map_err(IntoResponse::into_response)
}
