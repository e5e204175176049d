//! Works: one as it goes, step by step, all of them, and what was done before this server started or from the terminal.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::live::Piece;
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Mark, Moment, part};
use super::{Panel, page, page_as};
use crate::auth::who::{Identity, Operator, Viewer};
use crate::base::clock::moment;
use crate::base::units;
use crate::base::wording::sentence;
use crate::stacks::json::history::{self, Run, Which, WholeRun};
use crate::stacks::json::plans::Of;
use crate::stacks::json::works as calls;
use crate::stacks::works::{End, Event, Work};
use crate::web::events::{self, Held};
use crate::web::lang::filters;
use crate::web::read::{Path, Query};
use crate::web::{Lang, Words, list};

/// All that is known of.
#[derive(Debug, Template)]
#[template(path = "panel/works/list.html")]
pub struct List {
    pub shell: Shell,
    pub works: Vec<Line>,
    /// What is no work of this server's.
    pub before: Vec<Line>,
    /// Why that is not known.
    pub told: Vec<Told>,
    /// Where there is more.
    pub more: Option<String>,
}

/// One of those from before.
#[derive(Debug, Template)]
#[template(path = "panel/works/past.html")]
pub struct Past {
    pub shell: Shell,
    pub line: Line,
    pub heading: String,
    pub summary: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub mark: Mark,
    pub command: String,
    pub path: String,
    pub who: String,
    pub began: Moment,
    pub took: String,
}

/// One of them.
#[derive(Debug, Template)]
#[template(path = "panel/works/page.html")]
pub struct Page {
    pub shell: Shell,
    pub head: Head,
    pub steps: Vec<Step>,
    pub told: Vec<Told>,
    pub command: String,
}

#[derive(Debug, Clone)]
pub struct Head {
    pub mark: Mark,
    pub heading: String,
    pub words: String,
    pub who: String,
    pub began: Moment,
    pub done: usize,
    pub of: usize,
    /// `2 of 4 steps`.
    pub steps: String,
    /// Where it can be cancelled by who looks.
    pub cancel: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub id: String,
    pub mark: Mark,
    pub words: String,
    /// How far, or what it waits for, or why it failed.
    pub more: String,
    pub took: String,
}

#[derive(Template)]
#[template(path = "panel/works/head.html")]
pub struct HeadPart<'a> {
    pub head: &'a Head,
}

#[derive(Template)]
#[template(path = "panel/works/step.html")]
pub struct StepPart<'a> {
    pub step: &'a Step,
}

#[derive(Template)]
#[template(path = "panel/works/steps.html")]
pub struct StepsPart<'a> {
    pub steps: &'a [Step],
}

#[derive(Template)]
#[template(path = "panel/works/told.html")]
pub struct ToldPart<'a> {
    pub told: &'a [Told],
}

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    after: Option<String>,
}

pub async fn list(who: Viewer, State(panel): State<Panel>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let now = panel.clock.now();
    let shell = panel.shell(&who, &headers, "/works", "/works");
    let known = panel.api.works.list();
    let (found, told) = runs(&who, &panel, asked.after.as_ref()).await;
    let more = found.next.map(|next| format!("/works?after={}", part(&next)));
    let before = found.items.iter().filter(|run| !is_of(&run.1, &known));
    let before = before.map(|(project, run)| past(project.as_deref(), run, now)).collect();
    let works = if asked.after.is_some() { Vec::new() } else { known.iter().map(|work| line(work, now)).collect() };
    page(&headers, &List { shell, works, before, told, more })
}

/// So many runs are shown at once.
const EACH: u16 = 50;

/// What was done in the home and in the projects that it has adopted, newest first, with the project of each that is adopted; and why some of it is not
/// known.
async fn runs(who: &Viewer, panel: &Panel, after: Option<&String>) -> (list::Page<(Option<String>, Run)>, Vec<Told>) {
    let adopted = panel.api.home().map(|home| home.config.adopted).unwrap_or_default();
    let (mut all, mut told) = (Vec::new(), Vec::<Told>::new());
    for project in std::iter::once(None).chain(adopted.into_keys().map(Some)) {
        let which = Which { project: project.clone(), limit: Some(EACH + 1), after: after.cloned() };
        match history::list(who.clone(), State(panel.api.clone()), Query(which)).await {
            Ok(Json(found)) => all.extend(found.items.into_iter().map(|run| (project.clone(), run))),
            // Mostly it is the same for all of them, and is said once.
            Err(refused) => {
                let (_, why) = refusal::read(refused).await;
                told.extend(
                    why.into_iter().filter(|one| told.iter().all(|known| known.title != one.title)).collect::<Vec<_>>(),
                );
            }
        }
    }
    // Their ids begin with the time.
    all.sort_by(|(_, a), (_, b)| b.id.cmp(&a.id));
    (list::Page::of(all, EACH.into(), |(_, run)| run.id.clone()), told)
}

/// Whether it is what one of these works has done: both would be the same line.
fn is_of(run: &Run, works: &[Arc<Work>]) -> bool {
    let Some(at) = moment(&run.began) else { return false };
    works.iter().any(|work| {
        let ended = work.end().is_some_and(|end| end.at < at);
        work.asked.command == run.command && work.asked.who == run.who && work.began <= at && !ended
    })
}

fn past(project: Option<&str>, run: &Run, now: OffsetDateTime) -> Line {
    let (began, ended) = (moment(&run.began), run.ended.as_deref().and_then(moment));
    let took = began.zip(ended).map(|(began, ended)| took(ended - began));
    Line {
        mark: match run.outcome.as_str() {
            "killed" => Mark::of("failed", "state-killed"),
            outcome => Mark::work(outcome),
        },
        command: run.command.clone(),
        path: history_path(project, &run.id),
        who: run.who.clone(),
        began: Moment::of(began.unwrap_or(now), now),
        took: took.unwrap_or_default(),
    }
}

fn history_path(project: Option<&str>, id: &str) -> String {
    let of = project.map(|project| format!("?project={}", part(project))).unwrap_or_default();
    format!("/history/{}{of}", part(id))
}

/// One of those from before: what it was to do, and what became of each step.
pub async fn past_one(
    who: Viewer,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &history_path(of.project.as_deref(), &id), "/works");
    match history::one(who, State(panel.api.clone()), Path(id), Query(of)).await {
        Ok(Json(found)) => page(&headers, &of_run(shell, found, panel.clock.now())),
        Err(refused) => refusal::page_of_none(shell, &headers, refused).await,
    }
}

pub fn of_run(shell: Shell, found: WholeRun, now: OffsetDateTime) -> Past {
    let step = |step: history::Step| Step {
        id: format!("step-{}-{}", step.round, step.step),
        mark: match step.outcome.as_str() {
            "skipped" => SKIPPED,
            "taken back" => BACK,
            outcome => Mark::work(outcome),
        },
        words: sentence(&step.words),
        more: step.detail,
        took: String::new(),
    };
    let line = past(None, &found.run, now);
    let heading = sentence(line.command.trim_start_matches("hearth "));
    let steps = found.steps.into_iter().map(step).collect();
    Past { shell, heading, summary: sentence(&found.run.summary), line, steps }
}

fn line(work: &Work, now: OffsetDateTime) -> Line {
    Line {
        mark: Mark::work(work.state()),
        command: work.asked.command.clone(),
        path: format!("/works/{}", work.id),
        who: work.asked.who.clone(),
        began: Moment::of(work.began, now),
        took: work.end().map(|end| took(end.at - work.began)).unwrap_or_default(),
    }
}

/// So long a page waits for what is only written down.
const SETTLES: std::time::Duration = std::time::Duration::from_secs(8);

/// How a work has ended, where it ends soon.
pub async fn settled(panel: &Panel, id: &str) -> Option<End> {
    let work = panel.api.works.get(id)?;
    let mut watch = work.watch();
    let ended = async {
        while work.end().is_none() {
            watch.changed().await.ok()?;
        }
        work.end()
    };
    tokio::time::timeout(SETTLES, ended).await.ok().flatten()
}

fn took(time: time::Duration) -> String {
    units::duration(time.unsigned_abs())
}

pub async fn one(who: Viewer, State(panel): State<Panel>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/works/{id}");
    let mut shell = panel.shell(&who, &headers, &path, "/works");
    match panel.api.works.get(&id) {
        Some(work) => {
            shell.stream = work.end().is_none().then(|| format!("{path}/live"));
            page(&headers, &of(shell, &work, &who, panel.clock.now()))
        }
        None => page_as(&headers, StatusCode::NOT_FOUND, &of_none(shell)),
    }
}

/// One that the server knows no longer, as a notice of it from before its start may name: how it ended is in the audit log.
pub fn of_none(shell: Shell) -> refusal::Page {
    let words = shell.lang.say("work-gone-words").into();
    let back = "/audit?action=works.end".into();
    refusal::Page { heading: "work-gone", words, all: Vec::new(), back, label: "work-gone-audit", shell }
}

/// Ends it in order.
pub async fn cancel(who: Operator, State(panel): State<Panel>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/works", "/works");
    match calls::cancel(who, State(panel.api.clone()), Path(id.clone())).await {
        Ok(_) => Redirect::to(&format!("/works/{id}")).into_response(),
        Err(refused) => refusal::page(shell, &headers, refused.into_response()).await,
    }
}

/// What changes of one work's page, until its end.
pub async fn follow(
    who: Viewer,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    headers: HeaderMap,
    held: Held,
) -> Response {
    let Some(work) = panel.api.works.get(&id) else {
        return calls::one(who, State(panel.api.clone()), Path(id)).await.into_response();
    };
    let (end, watch) = (panel.api.end_of(&who), work.watch());
    let shell = panel.shell(&who, &headers, &format!("/works/{id}"), "/works");
    let who = (*who).clone();
    let make = move || pieces(&of(shell.clone(), &work, &who, panel.clock.now()));
    events::answer_page(super::live::pieces_of(watch, make), held, end)
}

fn pieces(page: &Page) -> Vec<Piece> {
    let ids: Vec<&str> = page.steps.iter().map(|step| step.id.as_str()).collect();
    let lang = page.shell.lang;
    let steps: Vec<Piece> = page.steps.iter().map(|step| Piece::alone(&step.id, &StepPart { step }, lang)).collect();
    vec![
        Piece::alone("head", &HeadPart { head: &page.head }, lang),
        Piece::alone("told", &ToldPart { told: &page.told }, lang),
        Piece::around("steps", &StepsPart { steps: &page.steps }, lang, &ids, steps),
    ]
}

/// The page as it is now for somebody.
pub fn of(shell: Shell, work: &Work, who: &Identity, now: OffsetDateTime) -> Page {
    let (events, _) = work.after(0);
    let mut told = Told_::default();
    events.iter().for_each(|event| told.take(event, who));
    let (lang, end) = (shell.lang, work.end());
    let mark = Mark::work(work.state());
    let words = match &end {
        None if work.is_cancelled() => lang.say("works-ending").into_owned(),
        None if told.steps.is_empty() => lang.say("works-looking").into_owned(),
        None => lang.say("works-under-way").into_owned(),
        Some(end) => match told.summary {
            Some(summary) => format!("{} {summary}", sentence(end.outcome) + ":"),
            None => format!("{}.", sentence(end.outcome)),
        },
    };
    let done = told.steps.values().filter(|step| ["done", "failed"].contains(&step.mark.kind)).count();
    let can_cancel = end.is_none() && !work.is_cancelled() && shell.operates();
    let head = Head {
        mark,
        heading: heading(work, lang),
        words,
        who: work.asked.who.clone(),
        began: Moment::of(work.began, now),
        done,
        of: told.steps.len(),
        steps: lang.with("works-steps-of", [("done", done.into()), ("count", told.steps.len().into())]),
        cancel: can_cancel.then(|| format!("/works/{}/cancel", work.id)),
    };
    Page {
        shell,
        head,
        steps: told.steps.into_values().collect(),
        told: told.told,
        command: work.asked.command.clone(),
    }
}

/// What it does, in words: a plan has an id that says nothing to anybody.
fn heading(work: &Work, lang: Lang) -> String {
    match work.asked.verb {
        "apply" => lang.say("works-plan").into_owned(),
        _ => sentence(work.asked.command.trim_start_matches("hearth ")),
    }
}

/// What the events of a work come to.
#[derive(Default)]
struct Told_ {
    round: usize,
    /// By round and number.
    steps: BTreeMap<(usize, u64), Step>,
    layers: BTreeMap<(usize, u64), BTreeMap<String, (u64, u64)>>,
    told: Vec<Told>,
    summary: Option<String>,
}

const WAITS: Mark = Mark { kind: "stopped", key: "state-waits" };
const SKIPPED: Mark = Mark { kind: "off", key: "state-skipped" };
const BACK: Mark = Mark { kind: "interrupted", key: "state-taken-back" };

impl Told_ {
    fn take(&mut self, event: &Event, who: &Identity) {
        let data = crate::stacks::json::bare_event(event.data.clone(), who);
        let Ok(value) = serde_json::from_str::<Value>(&data) else { return };
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        let number = value["step"].as_u64().unwrap_or_default();
        match event.name.as_str() {
            "plan" => self.plan(&value),
            "diagnostic" if value["severity"] == "error" => self.told.push(Told::of(&value)),
            "result" => self.summary = Some(text("summary").to_owned()),
            "words" => self.told.push(Told { title: Words::sentence(text("words")), ..Told::default() }),
            "started" => self.set(number, Mark::work("running"), None, ""),
            "layer" => self.layer(number, &value),
            "line" => self.more(number, text("line")),
            "probe" => self.more(number, text("probe")),
            "taken_back" => self.set(number, BACK, None, text("because")),
            "finished" => {
                let took =
                    value["seconds"].as_f64().map(|s| units::duration(std::time::Duration::from_secs_f64(s.max(0.0))));
                let (mark, more) = match text("outcome") {
                    "done" => (Mark::work("done"), ""),
                    "skipped" => (SKIPPED, text("because")),
                    "taken back" => (BACK, ""),
                    _ => (Mark::work("failed"), value["diagnostic"]["title"].as_str().unwrap_or_default()),
                };
                self.set(number, mark, took, more);
            }
            _ => {}
        }
    }

    fn plan(&mut self, plan: &Value) {
        self.round += 1;
        for step in plan["steps"].as_array().into_iter().flatten() {
            let number = step["id"].as_u64().unwrap_or_default();
            let words = sentence(step["words"].as_str().unwrap_or_default());
            let id = format!("step-{}-{number}", self.round);
            let step = Step { id, mark: WAITS, words, more: String::new(), took: String::new() };
            self.steps.insert((self.round, number), step);
        }
    }

    fn set(&mut self, number: u64, mark: Mark, took: Option<String>, more: &str) {
        if let Some(step) = self.steps.get_mut(&(self.round, number)) {
            step.mark = mark;
            step.more = more.to_owned();
            step.took = took.unwrap_or_default();
        }
    }

    fn more(&mut self, number: u64, more: &str) {
        if let Some(step) = self.steps.get_mut(&(self.round, number)) {
            step.more = more.chars().take(200).collect();
        }
    }

    /// Of a pull: how much of what is known so far.
    fn layer(&mut self, number: u64, value: &Value) {
        let at = (self.round, number);
        let of = self.layers.entry(at).or_default();
        let (now, all) = (value["current"].as_u64().unwrap_or(0), value["total"].as_u64().unwrap_or(0));
        of.insert(value["layer"].as_str().unwrap_or_default().to_owned(), (now.min(all), all));
        let (now, all) = of.values().fold((0, 0), |(a, b), (now, all)| (a + now, b + all));
        if all > 0 {
            self.more(number, &format!("{} of {}", units::bytes(now), units::bytes(all)));
        }
    }
}
