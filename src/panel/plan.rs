//! A plan: what would happen to each service, and why, before anything happens.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Moment, part};
use super::{Panel, page};
use crate::auth::who::{Operator, Viewer};
use crate::base::clock::moment;
use crate::base::wording;
use crate::stacks::json::plans::{self, Apply, Asked, Kept, Made, Of};
use crate::web::Words;
use crate::web::lang::filters;
use crate::web::read::{Json, Path, Query};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/plan/page.html")]
pub struct Plan {
    pub shell: Shell,
    pub heading: String,
    /// `2 to create, 1 to replace`.
    pub summary: String,
    pub risk: &'static str,
    pub made: Option<Made_>,
    pub rows: Vec<Row>,
    /// What stays as it is, and what is left alone, and why.
    pub notes: Vec<String>,
    /// What stands in the way.
    pub refusals: Vec<Told>,
    /// What can be done with it.
    pub acts: Vec<Act>,
    pub command: String,
}

/// When, and by whom.
#[derive(Debug)]
pub struct Made_ {
    pub who: String,
    pub when: Option<Moment>,
}

/// What happens to one service, image, network or volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `add`, `less`, `change` or `go`, and what stands for it.
    pub kind: &'static str,
    pub sign: &'static str,
    pub name: String,
    pub words: String,
    pub why: Vec<String>,
}

/// A form of one button.
#[derive(Debug)]
pub struct Act {
    pub action: String,
    pub word: &'static str,
    pub class: &'static str,
}

/// Makes the plan to turn a profile on, or off, whichever it is not.
pub async fn of_profile(
    who: Operator,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, "/", "/");
    let on = panel.api.home().map(|home| !home.config.profiles.contains(&name)).unwrap_or(true);
    let asked = Asked::of_profile(&name, on);
    match plans::make(who, State(panel.api.clone()), Json(asked)).await {
        Ok(axum::Json(Made { id: Some(id), .. })) => Redirect::to(&format!("/plans/{id}")).into_response(),
        Ok(axum::Json(made)) => page(&headers, &of_made(shell, &name, on, &made)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// One that has nothing to do, or that something stands in the way of.
fn of_made(shell: Shell, name: &str, on: bool, made: &Made) -> Plan {
    let told = |one: &plans::Blocked| Told {
        title: Words::sentence(&one.title),
        hints: crate::web::words::for_people(&one.hints),
        code: one.code.clone(),
        place: one.field.clone().unwrap_or_default(),
    };
    let refusals: Vec<Told> = made.plan.refusals.iter().map(told).collect();
    let mut acts = Vec::new();
    if refusals.is_empty() {
        let word = if on { "Turn it on" } else { "Turn it off" };
        let action = format!("/profiles/{}/{}", part(name), if on { "on" } else { "off" });
        acts.push(Act { action, word, class: "main" });
    }
    let state = if on { "on" } else { "off" };
    Plan {
        shell,
        heading: format!("Turn {name} {state}"),
        summary: if refusals.is_empty() {
            format!("Nothing of what runs would change: only that {name} is {state} would be written down.")
        } else {
            "As long as something stands in the way nothing is done.".into()
        },
        risk: "",
        made: None,
        rows: Vec::new(),
        notes: made.plan.notes.iter().map(|note| wording::sentence(&note.text)).collect(),
        refusals,
        acts,
        command: format!("hearth {} {name}", if on { "up" } else { "down" }),
    }
}

/// A plan that is kept.
pub async fn one(
    who: Viewer,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/plans/{id}"), "/works");
    match plans::one(who, State(panel.api.clone()), Path(id), Query(of)).await {
        Ok(axum::Json(kept)) => page(&headers, &of_kept(shell, &kept, panel.clock.now())),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

pub fn of_kept(shell: Shell, kept: &Kept, now: time::OffsetDateTime) -> Plan {
    let acts = match shell.operates() {
        true => vec![Act { action: format!("/plans/{}/apply", kept.id), word: "Apply", class: "main" }],
        false => Vec::new(),
    };
    let told = |one: &Value| Told::of(one);
    let refusals = kept.plan["refusals"].as_array().into_iter().flatten().map(told).collect();
    Plan {
        shell,
        heading: "Plan".into(),
        summary: format!("{}.", wording::sentence(&kept.summary)),
        risk: risk(&kept.risk),
        made: Some(Made_ { who: kept.who.clone(), when: moment(&kept.made).map(|at| Moment::of(at, now)) }),
        rows: rows(&kept.plan),
        notes: notes(&kept.plan),
        refusals,
        acts,
        command: format!("hearth apply {}", kept.id),
    }
}

/// What the riskiest step may cost, as a sentence.
fn risk(risk: &str) -> &'static str {
    match risk {
        "none" => "Nothing that runs is interrupted.",
        "short_stop" => "What is replaced does not answer for a moment.",
        "stop" => "What is stopped does not answer any more.",
        "data" => "Data is lost for good.",
        _ => "",
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Images, networks and volumes first, then services.
fn rows(plan: &Value) -> Vec<Row> {
    let resource = |step: &Value| {
        let (kind, sign, noun, key, verb) = match text(step, "action") {
            "pull_image" => ("go", "↓", "image", "image", "pull"),
            "build_image" => ("go", "↓", "image", "image", "build"),
            "remove_image" => ("less", "−", "image", "image", "remove"),
            "create_network" => ("add", "+", "network", "network", "create"),
            "remove_network" => ("less", "−", "network", "network", "remove"),
            "create_volume" => ("add", "+", "volume", "volume", "create"),
            "remove_volume" => ("less", "−", "volume", "volume", "remove, with its data"),
            _ => return None,
        };
        Some(Row { kind, sign, name: text(step, key).into(), words: format!("{verb} the {noun}"), why: Vec::new() })
    };
    let service = |row: &Value| {
        let verb = text(row, "verb");
        let (kind, sign) = match verb {
            "create" => ("add", "+"),
            "stop" | "remove" => ("less", "−"),
            "replace" | "update in place" | "connect" | "rename" => ("change", "~"),
            _ => ("go", "›"),
        };
        let how = match row["stops"].as_bool() {
            Some(true) => ", short stop",
            Some(false) => ", without a stop",
            None => "",
        };
        let why = row["why"].as_array().into_iter().flatten().filter_map(|why| why.as_str().map(str::to_owned));
        let words = format!("{verb} {}{how}", text(row, "name"));
        Row { kind, sign, name: text(row, "service").into(), words, why: why.collect() }
    };
    let all = |key: &str| plan[key].as_array().into_iter().flatten();
    all("steps").filter_map(resource).chain(all("rows").map(service)).collect()
}

fn notes(plan: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    let same: u64 =
        plan["unchanged"].as_object().into_iter().flat_map(|all| all.values()).filter_map(Value::as_u64).sum();
    if same > 0 {
        let count = wording::count(usize::try_from(same).unwrap_or(usize::MAX), "container");
        notes.push(format!("{count} as before: {}.", if same == 1 { "it stays" } else { "they stay" }));
    }
    let note = |note: &Value| {
        let subject = text(note, "subject");
        let text = text(note, "text");
        if subject.is_empty() { wording::sentence(text) } else { format!("{subject}: {text}") }
    };
    notes.extend(plan["notes"].as_array().into_iter().flatten().map(note));
    notes
}

/// Carries it out: on to the work.
pub async fn apply(who: Operator, State(panel): State<Panel>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/plans/{id}"), "/works");
    match plans::apply(who, State(panel.api.clone()), Path(id), Json(Apply::default())).await {
        Ok(begun) => Redirect::to(&format!("/works/{}", begun.0.id)).into_response(),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}
