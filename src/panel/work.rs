//! Works: one as it goes, step by step, and all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use time::OffsetDateTime;

use super::live::Piece;
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Mark, Moment};
use super::{Panel, page};
use crate::auth::who::{Identity, Operator, Viewer};
use crate::base::units;
use crate::stacks::json::works as calls;
use crate::stacks::works::{Event, Work};
use crate::web::events::{self, Held};
use crate::web::lang::filters;
use crate::web::read::Path;
use crate::web::{Lang, Words};

/// All that is known of.
#[derive(Debug, Template)]
#[template(path = "panel/works/list.html")]
pub struct List {
    pub shell: Shell,
    pub all: Vec<Line>,
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

pub async fn list(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let now = panel.clock.now();
    let line = |work: &Arc<Work>| Line {
        mark: Mark::work(work.state()),
        command: work.asked.command.clone(),
        path: format!("/works/{}", work.id),
        who: work.asked.who.clone(),
        began: Moment::of(work.began, now),
        took: work.end().map(|end| took(end.at - work.began)).unwrap_or_default(),
    };
    let all = panel.api.works.list().iter().map(line).collect();
    page(&headers, &List { shell: panel.shell(&who, &headers, "/works", "/works"), all })
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
        None => {
            let refused = calls::one(who, State(panel.api.clone()), Path(id)).await.into_response();
            refusal::page(shell, &headers, refused).await
        }
    }
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
            Some(summary) => format!("{} {summary}", crate::base::wording::sentence(end.outcome) + ":"),
            None => format!("{}.", crate::base::wording::sentence(end.outcome)),
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
        _ => crate::base::wording::sentence(work.asked.command.trim_start_matches("hearth ")),
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
            let words = crate::base::wording::sentence(step["words"].as_str().unwrap_or_default());
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
