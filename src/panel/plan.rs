//! A plan: what would happen to each service, and why, before anything happens.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::diff::{Diff, diff};
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Moment, part};
use super::{Panel, page};
use crate::auth::who::{Operator, Viewer};
use crate::base::clock::moment;
use crate::base::wording;
use crate::stacks::json::plans::{self, Apply, Asked, Kept, Made, Of};
use crate::stacks::works::Work;
use crate::web::Lang;
use crate::web::lang::filters;
use crate::web::read::{Json, Path, Query};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/plan/page.html")]
pub struct Plan {
    pub shell: Shell,
    pub heading: String,
    /// What has just been done, as a sentence.
    pub done: String,
    /// `2 to create, 1 to replace`.
    pub summary: String,
    pub risk: String,
    pub made: Option<Made_>,
    pub rows: Vec<Row>,
    /// What stays as it is, and what is left alone, and why.
    pub notes: Vec<String>,
    /// What stands in the way.
    pub refusals: Vec<Told>,
    /// What services are made of, as it is and as it would be.
    pub changes: Vec<Change>,
    /// What can be done with it.
    pub acts: Vec<Act>,
    /// Where it can be thrown away.
    pub discard: Option<String>,
    pub command: String,
}

/// One service's part of what is rendered.
#[derive(Debug, Clone)]
pub struct Change {
    pub service: String,
    pub diff: Diff,
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
    pub word: String,
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

/// Makes the plan of all that is on, after something was saved, and leads to it; `None`: nothing that runs has to change. `saved`: the version, for
/// [`saved_words`].
pub async fn of_all(who: Operator, panel: &Panel, headers: &HeaderMap, shell: Shell, saved: &str) -> Option<Response> {
    match plans::make(who, State(panel.api.clone()), Json(Asked::default())).await {
        Ok(axum::Json(Made { id: Some(id), .. })) => {
            Some(Redirect::to(&format!("/plans/{id}?saved={}", part(saved))).into_response())
        }
        Ok(axum::Json(made)) if made.plan.refusals.is_empty() => None,
        Ok(axum::Json(made)) => {
            let heading = shell.lang.say("plan-title").into_owned();
            let mut shown = without_steps(shell, heading, "hearth up".into(), &made);
            shown.done = saved_words(shown.shell.lang, saved);
            Some(page(headers, &shown))
        }
        Err(refused) => {
            let done = saved_words(shell.lang, saved);
            Some(refusal::page_after(shell, "plan-not-made", headers, refused, done).await)
        }
    }
}

/// That a stack was saved just now, and as which version. Ids are digits of commits or numbers: nothing else of an address is repeated.
pub fn saved_words(lang: Lang, saved: &str) -> String {
    let sound = saved.len() <= 64 && saved.bytes().all(|byte| byte.is_ascii_hexdigit());
    match saved {
        "" => String::new(),
        "same" => lang.say("stack-saved-same").into_owned(),
        id if sound => lang.with("stack-saved", [("id", id.chars().take(10).collect::<String>().into())]),
        _ => String::new(),
    }
}

/// One that has nothing to do, or that something stands in the way of.
fn of_made(shell: Shell, name: &str, on: bool, made: &Made) -> Plan {
    let lang = shell.lang;
    let of = |key: &str| lang.with(key, [("name", name.into())]);
    let heading = of(if on { "plan-turn-on" } else { "plan-turn-off" });
    let mut shown = without_steps(shell, heading, format!("hearth {} {name}", if on { "up" } else { "down" }), made);
    if shown.refusals.is_empty() {
        shown.summary = of(if on { "plan-only-on" } else { "plan-only-off" });
        let word = lang.say(if on { "plan-turn-it-on" } else { "plan-turn-it-off" }).into_owned();
        let action = format!("/profiles/{}/{}", part(name), if on { "on" } else { "off" });
        shown.acts.push(Act { action, word, class: "main" });
    }
    shown
}

/// A plan in which there is nothing to apply: what stands in the way, and what else is to be said.
pub fn without_steps(shell: Shell, heading: String, command: String, made: &Made) -> Plan {
    Plan {
        heading,
        summary: shell.lang.say("plan-in-the-way").into_owned(),
        shell,
        done: String::new(),
        risk: String::new(),
        made: None,
        rows: Vec::new(),
        notes: made.plan.notes.iter().map(|note| wording::sentence(&note.text)).collect(),
        refusals: made.plan.refusals.iter().map(Told::from).collect(),
        changes: Vec::new(),
        acts: Vec::new(),
        discard: None,
        command,
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    /// As in the API.
    #[serde(default)]
    project: Option<String>,
    /// The version of a stack that was saved just now.
    #[serde(default)]
    saved: String,
}

/// A plan that is kept.
pub async fn one(
    who: Viewer,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/plans/{id}"), "/works");
    let of = Of { project: which.project.clone() };
    match plans::one(who, State(panel.api.clone()), Path(id), Query(of)).await {
        Ok(axum::Json(kept)) => {
            let mut shown = of_kept(shell, &kept, panel.clock.now());
            shown.done = saved_words(shown.shell.lang, &which.saved);
            if let Some(project) = &which.project {
                let more = format!("?project={}", part(project));
                shown.acts.iter_mut().map(|act| &mut act.action).chain(&mut shown.discard).for_each(|at| *at += &more);
            }
            page(&headers, &shown)
        }
        Err(refused) => refusal::page_of_none(shell, &headers, refused).await,
    }
}

pub fn of_kept(shell: Shell, kept: &Kept, now: time::OffsetDateTime) -> Plan {
    let lang = shell.lang;
    let operates = shell.operates();
    let apply =
        Act { action: format!("/plans/{}/apply", kept.id), word: lang.say("plan-apply").into_owned(), class: "main" };
    let told = |one: &Value| Told::of(one);
    let refusals = kept.plan["refusals"].as_array().into_iter().flatten().map(told).collect();
    Plan {
        heading: lang.say("plan-title").into_owned(),
        done: String::new(),
        summary: format!("{}.", wording::sentence(&kept.summary)),
        risk: risk(lang, &kept.risk),
        made: Some(Made_ { who: kept.who.clone(), when: moment(&kept.made).map(|at| Moment::of(at, now)) }),
        rows: rows(lang, &kept.plan),
        notes: notes(lang, &kept.plan),
        refusals,
        changes: changes(&kept.plan),
        acts: operates.then_some(apply).into_iter().collect(),
        discard: operates.then(|| format!("/plans/{}/discard", kept.id)),
        command: format!("hearth apply {}", kept.id),
        shell,
    }
}

/// What the riskiest step may cost, as a sentence.
pub fn risk(lang: Lang, risk: &str) -> String {
    let key = match risk {
        "none" => "plan-risk-none",
        "short_stop" => "plan-risk-short-stop",
        "stop" => "plan-risk-stop",
        "data" => "plan-risk-data",
        _ => return String::new(),
    };
    lang.say(key).into_owned()
}

/// What services would be made of, where it is another thing than now.
pub fn changes(plan: &Value) -> Vec<Change> {
    let one = |change: &Value| {
        let diff = diff(text(change, "before"), text(change, "after"));
        Change { service: text(change, "service").into(), diff }
    };
    plan["changes"].as_array().into_iter().flatten().map(one).filter(|one| !one.diff.is_empty()).collect()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Images, networks and volumes first, then services.
pub fn rows(lang: Lang, plan: &Value) -> Vec<Row> {
    let resource = |step: &Value| {
        let (kind, sign, key, words) = match text(step, "action") {
            "pull_image" => ("go", "↓", "image", "plan-pull-image"),
            "build_image" => ("go", "↓", "image", "plan-build-image"),
            "remove_image" => ("less", "−", "image", "plan-remove-image"),
            "create_network" => ("add", "+", "network", "plan-create-network"),
            "remove_network" => ("less", "−", "network", "plan-remove-network"),
            "create_volume" => ("add", "+", "volume", "plan-create-volume"),
            "remove_volume" => ("less", "−", "volume", "plan-remove-volume"),
            _ => return None,
        };
        Some(Row { kind, sign, name: text(step, key).into(), words: lang.say(words).into_owned(), why: Vec::new() })
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
            Some(true) => lang.say("plan-short-stop"),
            Some(false) => lang.say("plan-no-stop"),
            None => "".into(),
        };
        let how = if how.is_empty() { String::new() } else { format!(", {how}") };
        let why = row["why"].as_array().into_iter().flatten().filter_map(|why| why.as_str().map(str::to_owned));
        let words = format!("{verb} {}{how}", text(row, "name"));
        Row { kind, sign, name: text(row, "service").into(), words, why: why.collect() }
    };
    let all = |key: &str| plan[key].as_array().into_iter().flatten();
    all("steps").filter_map(resource).chain(all("rows").map(service)).collect()
}

pub fn notes(lang: Lang, plan: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    let same: u64 =
        plan["unchanged"].as_object().into_iter().flat_map(|all| all.values()).filter_map(Value::as_u64).sum();
    if same > 0 {
        notes.push(lang.with("plan-unchanged", [("count", same.into())]));
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
pub async fn apply(
    who: Operator,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Response {
    if let Some(there) = to_its_work(&panel, &id) {
        return there.into_response();
    }
    let shell = panel.shell(&who, &headers, &format!("/plans/{id}"), "/works");
    match plans::apply(who, State(panel.api.clone()), Path(id), Json(Apply::of(of.project))).await {
        Ok(begun) => Redirect::to(&format!("/works/{}", begun.0.id)).into_response(),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// Where a plan is being carried out, or was: a form that comes again, as from a browser whose way was cut, leads there. One that failed can be tried again.
pub fn to_its_work(panel: &Panel, id: &str) -> Option<Redirect> {
    let is_of_plan = |work: &Work| work.asked.verb == "apply" && work.asked.command.split(' ').any(|word| word == id);
    let works = panel.api.works.list();
    let work = works.iter().find(|work| is_of_plan(work) && ["running", "done"].contains(&work.state()))?;
    Some(Redirect::to(&format!("/works/{}", work.id)))
}

/// Throws it away: nothing of it was done, and nothing is.
pub async fn discard(
    who: Operator,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    of: Query<Of>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/plans/{id}"), "/works");
    match plans::discard(who, State(panel.api.clone()), Path(id), of).await {
        Ok(_) => Redirect::to("/").into_response(),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}
