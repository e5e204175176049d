//! What the home stands on and does not own: each finding with its fix.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::refusal;
use super::shell::Shell;
use super::words::Mark;
use super::{Panel, page};
use crate::auth::who::Viewer;
use crate::base::wording;
use crate::doctor::json::{self as calls, Finding};
use crate::web::Words;
use crate::web::lang::filters;

#[derive(Debug, Template)]
#[template(path = "panel/health.html")]
pub struct Page {
    pub shell: Shell,
    pub heading: Cow<'static, str>,
    pub groups: Vec<Group>,
}

#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub all: Vec<One>,
}

#[derive(Debug)]
pub struct One {
    pub mark: Mark,
    pub words: Words,
    pub fix: Vec<Words>,
}

pub async fn show(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/doctor", "/doctor");
    match calls::look_around(who, State(panel.api.clone())).await {
        Ok(axum::Json(found)) => page(&headers, &of(shell, &found.worst, found.findings)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// In groups by what they are about, as they come; within each the worst first.
pub fn of(shell: Shell, worst: &str, findings: Vec<Finding>) -> Page {
    let lang = shell.lang;
    let heading = match worst {
        "problem" => lang.say("doctor-heading-problem"),
        "warning" => lang.say("doctor-heading-warning"),
        _ => lang.say("doctor-heading-well"),
    };
    Page { heading, groups: groups(findings), shell }
}

pub fn groups(findings: Vec<Finding>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for one in findings {
        let name = wording::sentence(&one.about);
        let mark = match one.grade.as_str() {
            "problem" => Mark::of("problem", "doctor-problem"),
            "warning" => Mark::of("warning", "doctor-warning"),
            "note" => Mark::of("off", "doctor-note"),
            _ => Mark::of("done", "doctor-fine"),
        };
        let sentence = |text: &String| Words::sentence(text);
        let fix = one.fix.iter().map(sentence).collect();
        let shown = One { mark, words: Words::sentence(&one.words), fix };
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.all.push(shown),
            None => groups.push(Group { name, all: vec![shown] }),
        }
    }
    let rank = |one: &One| ["problem", "warning", "off", "done"].iter().position(|kind| *kind == one.mark.kind);
    groups.iter_mut().for_each(|group| group.all.sort_by_key(rank));
    groups
}
