//! Stacks: which there are, and one of them as text, to be looked through, tried and saved.

mod forms;
pub mod history;

pub use forms::{act, create, delete};

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::diff::Diff;
use super::plan::{self, Row};
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Mark, Moment, part};
use super::{Panel, page, page_as};
use crate::auth::who::{Admin, Role, Viewer};
use crate::base::random::SystemRandom;
use crate::stacks::catalogue;
use crate::stacks::json::stacks as calls;
use crate::stacks::json::verbs::refused;
use crate::stacks::json::versions;
use crate::web::lang::filters;
use crate::web::read::{Path, Query};
use crate::web::{Lang, Nonce};

/// More than a stack and what is said of it.
const MOST: usize = 16 << 20;

/// What a new stack begins with.
const SKELETON: &str = include_str!("skeleton.yaml");

/// All of them.
#[derive(Debug, Template)]
#[template(path = "panel/stacks/list.html")]
pub struct List {
    pub shell: Shell,
    pub rows: Vec<One>,
    /// May edit them.
    pub edits: bool,
}

#[derive(Debug, Clone)]
pub struct One {
    pub name: String,
    /// Its page, for whoever may open it; its history is below.
    pub path: String,
    pub title: String,
    pub about: String,
    pub services: Vec<String>,
    pub profiles: Vec<String>,
    pub changed: Option<Moment>,
    pub errors: usize,
    pub mark: Mark,
}

pub async fn list(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/stacks", "/stacks");
    match panel.api.home().and_then(|home| calls::all(&home)) {
        Ok(all) => page(&headers, &of_all(shell, all, panel.clock.now())),
        Err(why) => refusal::page(shell, &headers, refused(why)).await,
    }
}

pub fn of_all(shell: Shell, all: Vec<calls::Stack>, now: time::OffsetDateTime) -> List {
    let one = |stack: calls::Stack| One {
        path: format!("/stacks/{}", part(&stack.name)),
        changed: stack.changed.as_deref().and_then(|at| Moment::read(at, now)),
        mark: if stack.errors > 0 { Mark::of("problem", "") } else { Mark::of("done", "") },
        name: stack.name,
        title: stack.title,
        about: stack.about,
        services: stack.services,
        profiles: stack.profiles,
        errors: stack.errors,
    };
    List { edits: shell.role == Role::Admin, rows: all.into_iter().map(one).collect(), shell }
}

/// One of them, as text.
#[derive(Debug, Template)]
#[template(path = "panel/stacks/page.html")]
pub struct Page {
    pub shell: Shell,
    /// With it the editor may make its styles.
    pub nonce: Nonce,
    /// Empty of a new one.
    pub name: String,
    pub is_new: bool,
    /// What stands in the editor.
    pub text: String,
    /// Of the version that it was made from.
    pub etag: String,
    pub message: String,
    /// What has just been done, as a sentence.
    pub done: String,
    pub mistakes: Vec<Mistake>,
    /// Lines with mistakes in them, and some around each.
    pub lines: Vec<Shown>,
    pub conflict: Option<Conflict>,
    /// What was typed and does not stand in the editor any more.
    pub typed: String,
    pub draft: Option<Draft>,
    /// Beside the field in which the name is typed to delete it.
    pub name_told: String,
    /// Ready-made ones to begin with.
    pub shipped: Vec<&'static str>,
    pub in_git: bool,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    pub mark: Mark,
    pub told: Told,
    /// In this very text.
    pub line: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub number: u64,
    pub text: String,
    pub is_wrong: bool,
}

/// Somebody else was faster.
#[derive(Debug)]
pub struct Conflict {
    /// Between the file and what was typed.
    pub diff: Diff,
    /// There is no file any more.
    pub is_gone: bool,
}

/// What the text would do.
#[derive(Debug)]
pub struct Draft {
    pub summary: String,
    pub risk: String,
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
    pub refusals: Vec<Told>,
    pub changes: Vec<plan::Change>,
}

impl Page {
    /// With a text in the editor and nothing said of it. `name`: empty of a new one.
    pub fn new(shell: Shell, name: &str, text: String, etag: String) -> Page {
        Page {
            shell,
            nonce: Nonce::new(&SystemRandom),
            name: name.to_owned(),
            is_new: name.is_empty(),
            text,
            etag,
            message: String::new(),
            done: String::new(),
            mistakes: Vec::new(),
            lines: Vec::new(),
            conflict: None,
            typed: String::new(),
            draft: None,
            name_told: String::new(),
            shipped: Vec::new(),
            in_git: false,
        }
    }

    /// Where what is typed is sent.
    pub fn action(&self) -> String {
        if self.is_new { "/stacks".into() } else { format!("/stacks/{}", part(&self.name)) }
    }

    /// For the script: where a text is looked through.
    pub fn checks(&self) -> String {
        format!("/api/v1/stacks/{}/validate", if self.is_new { "new".into() } else { part(&self.name) })
    }

    fn answer(self, headers: &HeaderMap, status: StatusCode) -> Response {
        self.nonce.allow(page_as(headers, status, &self))
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// A version that is to stand in the editor.
    #[serde(default)]
    version: String,
    /// What was saved just now.
    #[serde(default)]
    saved: String,
    /// `nothing`: the plan that was asked for with it has nothing to do.
    #[serde(default)]
    planned: String,
}

pub async fn one(
    who: Admin,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/stacks/{}", part(&name)), "/stacks");
    let lang = shell.lang;
    let there = calls::one(who.clone(), State(panel.api.clone()), Path(name.clone())).await;
    let (etag, text) = match there {
        Ok(answer) => definition(answer).await,
        // One that was deleted can be had again from its history.
        Err(_) if !asked.version.is_empty() => (String::new(), String::new()),
        Err(refused) => return refusal::page_of_none(shell, &headers, refused).await,
    };
    let mut shown = Page::new(shell, &name, text, etag);
    shown.done = said_saved(lang, &asked);
    shown.in_git = versions::in_git(&panel.api).await;
    if !asked.version.is_empty() {
        match versions::one(who, State(panel.api.clone()), Path((name, asked.version))).await {
            Ok(axum::Json(whole)) => {
                shown.message = lang.with("stack-restores", [("at", whole.version.at.as_str().into())]);
                shown.done = lang.with("stack-older", [("at", whole.version.at.as_str().into())]);
                shown.text = whole.text.unwrap_or_default();
            }
            Err(refused) => return refusal::page_of_none(shown.shell, &headers, refused).await,
        }
    }
    shown.answer(&headers, StatusCode::OK)
}

/// What was saved just now, and that nothing else has to be done where a plan was asked for.
fn said_saved(lang: Lang, asked: &Asked) -> String {
    let saved = plan::saved_words(lang, &asked.saved);
    match asked.planned.as_str() {
        "nothing" if !saved.is_empty() => format!("{saved} {}", lang.say("stack-nothing-to-do")),
        _ => saved,
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct From {
    /// A stack of the catalogue.
    #[serde(default)]
    from: Option<String>,
}

/// A new one.
pub async fn new(who: Admin, State(panel): State<Panel>, Query(asked): Query<From>, headers: HeaderMap) -> Response {
    // One that is called so has its page here too.
    let has_own = panel.api.home().is_ok_and(|home| home.stack_path("new").is_some());
    if has_own && asked.from.is_none() {
        return one(who, State(panel), Path("new".into()), Query(Asked::default()), headers).await;
    }
    let shell = panel.shell(&who, &headers, "/stacks/new?from=", "/stacks");
    let shipped = catalogue::ALL.iter().find(|one| Some(one.name) == asked.from.as_deref());
    let mut shown = Page::new(shell, "", shipped.map_or(SKELETON, |one| one.text).to_owned(), String::new());
    shown.name = shipped.map(|one| one.name.to_owned()).unwrap_or_default();
    shown.shipped = catalogue::ALL.iter().map(|one| one.name).collect();
    shown.in_git = versions::in_git(&panel.api).await;
    shown.answer(&headers, StatusCode::OK)
}

/// A call's answer: its ETag and its JSON.
async fn read(answer: Response) -> (String, Value) {
    let (head, value) = refusal::json(answer, MOST).await;
    let etag = head.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
    (etag, value)
}

async fn definition(answer: Response) -> (String, String) {
    let (etag, value) = read(answer).await;
    (etag, value["text"].as_str().unwrap_or_default().to_owned())
}

/// What calls say of a text, for its page. `file`: the text's own, as an end of its path.
pub fn mistakes(all: &[Value], home: &std::path::Path, file: &str) -> Vec<Mistake> {
    let one = |d: &Value| {
        let mut told = Told::of(d);
        let path = std::path::Path::new(d["place"]["file"].as_str().unwrap_or_default());
        let inner = path.strip_prefix(home).unwrap_or(path).to_string_lossy().into_owned();
        if !inner.is_empty() {
            told.place = told.place.replacen(&*path.to_string_lossy(), &inner, 1);
        }
        let own = inner.strip_suffix(".yaml").or(inner.strip_suffix(".yml")) == Some(file);
        let kind = if d["severity"] == "warning" { "warning" } else { "problem" };
        Mistake { mark: Mark::of(kind, ""), told, line: d["place"]["line"].as_u64().filter(|_| own) }
    };
    let mut all: Vec<Mistake> = all.iter().map(one).collect();
    all.sort_by_key(|one| (one.line.unwrap_or(0), one.mark.kind == "warning"));
    all
}

/// Lines with a mistake and two on each side of it.
pub fn lines(text: &str, mistakes: &[Mistake]) -> Vec<Shown> {
    let wrong: Vec<u64> = mistakes.iter().filter_map(|one| one.line).collect();
    let numbered = (1_u64..).zip(text.lines());
    let near = |number: u64| wrong.iter().any(|one| one.abs_diff(number) <= 2);
    let shown = numbered.filter(|(number, _)| near(*number));
    shown.map(|(number, text)| Shown { number, text: text.to_owned(), is_wrong: wrong.contains(&number) }).collect()
}

impl Draft {
    pub fn of(lang: Lang, value: &Value) -> Draft {
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        let plan = &value["plan"];
        Draft {
            summary: crate::base::wording::sentence(text("summary")),
            risk: plan::risk(lang, text("risk")),
            rows: plan::rows(lang, plan),
            notes: plan::notes(lang, plan),
            refusals: plan["refusals"].as_array().into_iter().flatten().map(Told::of).collect(),
            changes: plan::changes(plan),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    /// What is offered as one types is what Hearth knows, all of it and nothing else.
    #[test]
    fn every_key_of_a_service_has_its_words_in_the_editor() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let words: Value =
            serde_json::from_slice(&std::fs::read(root.join("static/stack-keys.json")).unwrap()).unwrap();
        let table = std::fs::read_to_string(root.join("src/compose/schema/table.rs")).unwrap();
        for (object, section) in [("SERVICE", "service"), ("ROOT", "top")] {
            let (_, rest) = table.split_once(&format!("object!({object},")).unwrap();
            let lines = rest.split_once("\n});").unwrap().0.lines().skip(1);
            let name = |line: &str| line.strip_prefix("    ")?.split([':', ' ']).next().map(str::to_owned);
            let known: BTreeSet<String> = lines
                .filter(|line| !line.starts_with("     ") && line.trim_start().starts_with(char::is_alphabetic))
                .filter_map(name)
                .chain(["x-hearth".to_owned()])
                .collect();
            let said: BTreeSet<String> = words["keys"][section].as_object().unwrap().keys().cloned().collect();
            assert_eq!(known.symmetric_difference(&said).collect::<Vec<_>>(), Vec::<&String>::new(), "{section}");
        }
        for (_, section) in words["keys"].as_object().unwrap() {
            assert!(
                section.as_object().unwrap().values().all(|word| word.as_str().is_some_and(|word| word.ends_with('.')))
            );
        }
    }
}
