//! What is done with a stack's text: looked through, tried, saved, deleted. Nothing that was typed is lost, whatever is refused.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::super::diff::diff;
use super::super::refusal;
use super::super::shell::Shell;
use super::{Conflict, Draft, Page, definition, lines, mistakes, read};
use crate::auth::accounts::Auth;
use crate::auth::table::Looked;
use crate::auth::table::guard::As;
use crate::auth::who::Admin;
use crate::panel::words::part;
use crate::panel::{Panel, plan};
use crate::stacks::catalogue;
use crate::stacks::json::stacks as calls;
use crate::stacks::json::{plans, versions};
use crate::web::read::{Form, Json, Path, Query};
use crate::web::{over, over_or_new};

/// The form of a stack.
#[derive(Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    act: String,
    /// Of a new one.
    #[serde(default)]
    name: String,
    #[serde(default)]
    text: String,
    /// Of the version that it was made from; empty where there was none.
    #[serde(default)]
    etag: String,
    #[serde(default)]
    message: String,
}

/// A new one.
pub async fn create(
    who: Admin,
    panel: State<Panel>,
    auth: State<Arc<Auth>>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let name = typed.name.trim().to_owned();
    Desk { who, panel: panel.0, auth, headers, name, is_new: true }.does(typed).await
}

/// What a button below the text says.
pub async fn act(
    who: Admin,
    panel: State<Panel>,
    auth: State<Arc<Auth>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    Desk { who, panel: panel.0, auth, headers, name, is_new: false }.does(typed).await
}

struct Desk {
    who: Admin,
    panel: Panel,
    auth: State<Arc<Auth>>,
    headers: HeaderMap,
    name: String,
    is_new: bool,
}

impl Desk {
    async fn does(self, typed: Typed) -> Response {
        let (etag, disk) = self.there().await;
        let mut page = self.page(&typed, disk.as_deref());
        page.in_git = versions::in_git(&self.panel.api).await;
        match typed.act.as_str() {
            "save" | "save-plan" => As::of("stacks.save", self.save(page, typed).await),
            "plan" => As::of("plans.draft", self.plan(page).await),
            // What was typed stays at hand.
            "theirs" => {
                page.typed = std::mem::take(&mut page.text);
                (page.text, page.etag) = (disk.unwrap_or_default(), etag);
                looked(page.answer(&self.headers, StatusCode::OK))
            }
            _ => looked(As::of("stacks.validate", self.check(page).await)),
        }
    }

    /// The page with what was typed in it, with ends of lines as the file has them: a form sends its own.
    fn page(&self, typed: &Typed, disk: Option<&str>) -> Page {
        let path = if self.is_new { "/stacks/new?from=".into() } else { format!("/stacks/{}", part(&self.name)) };
        let shell = self.panel.shell(&self.who, &self.headers, &path, "/stacks");
        let mut text = typed.text.replace("\r\n", "\n");
        if disk.is_some_and(|disk| disk.contains("\r\n")) {
            text = text.replace('\n', "\r\n");
        }
        let mut page = Page::new(shell, &self.name, text, typed.etag.clone());
        page.is_new = self.is_new;
        page.message = typed.message.clone();
        if self.is_new {
            page.shipped = catalogue::ALL.iter().map(|one| one.name).collect();
        }
        page
    }

    /// What stands on the disk, with its version.
    async fn there(&self) -> (String, Option<String>) {
        match calls::one(self.who.clone(), State(self.panel.api.clone()), Path(self.name.clone())).await {
            Ok(answer) => {
                let (etag, text) = definition(answer).await;
                (etag, Some(text))
            }
            Err(_) => (String::new(), None),
        }
    }

    async fn check(&self, mut page: Page) -> Response {
        let text = calls::Text { text: page.text.clone() };
        let judged =
            calls::validate(self.who.clone(), State(self.panel.api.clone()), Path(self.name.clone()), Json(text)).await;
        match judged {
            Ok((_, axum::Json(judged))) => {
                self.mark(&mut page, &judged.diagnostics);
                let key = match (judged.valid, judged.diagnostics.is_empty()) {
                    (true, true) => "stack-sound",
                    (true, false) => "stack-sound-but",
                    (false, _) => "",
                };
                page.done = if key.is_empty() { String::new() } else { page.shell.lang.say(key).into_owned() };
                page.answer(&self.headers, StatusCode::OK)
            }
            Err(refused) => self.refused(page, refused).await,
        }
    }

    async fn plan(&self, mut page: Page) -> Response {
        let text = calls::Text { text: page.text.clone() };
        let made = plans::draft(self.who.clone(), State(self.panel.api.clone()), Path(self.name.clone()), Json(text));
        match made.await {
            Ok(axum::Json(draft)) => {
                let value = serde_json::to_value(&draft).unwrap_or_default();
                page.draft = Some(Draft::of(page.shell.lang, &value));
                page.answer(&self.headers, StatusCode::OK)
            }
            Err(refused) => self.refused(page, refused).await,
        }
    }

    async fn save(&self, mut page: Page, typed: Typed) -> Response {
        let over = over_or_new(&typed.etag);
        let goes_on = typed.act == "save-plan";
        // A new one of a name that another has got is no change of that one.
        let is_new = typed.etag.is_empty();
        let save = calls::Save { text: page.text.clone(), message: typed.message };
        let api = State(self.panel.api.clone());
        let saved = calls::save(self.who.clone(), api, self.auth.clone(), Path(self.name.clone()), over, Json(save));
        match saved.await {
            Ok(answer) => {
                let (etag, saved) = read(answer).await;
                if let Some(why) = saved["not_kept"].as_str() {
                    page.done = crate::base::wording::sentence(why);
                    (page.etag, page.is_new) = (etag, false);
                    return page.answer(&self.headers, StatusCode::OK);
                }
                let id = saved["version"].as_str().unwrap_or("same");
                let Desk { who, panel, headers, name, .. } = &self;
                after_save(who.clone(), panel, headers, page.shell, (name, id), goes_on).await
            }
            Err(refused) if refused.status() == StatusCode::PRECONDITION_FAILED && !is_new => {
                let (etag, disk) = self.there().await;
                let diff = diff(disk.as_deref().unwrap_or_default(), &page.text);
                page.conflict = Some(Conflict { diff, is_gone: disk.is_none() });
                page.etag = etag;
                page.answer(&self.headers, StatusCode::CONFLICT)
            }
            Err(refused) => self.refused(page, refused).await,
        }
    }

    fn mark(&self, page: &mut Page, told: &[Value]) {
        let home = &self.panel.api.works.setting().home;
        page.mistakes = mistakes(told, home, &format!("stacks/{}", self.name));
        page.lines = lines(&page.text, &page.mistakes);
    }

    async fn refused(&self, mut page: Page, refused: Response) -> Response {
        let (status, told) = refusal::values(refused).await;
        self.mark(&mut page, &told);
        page.answer(&self.headers, status)
    }
}

/// Nothing was done, and nothing is entered.
fn looked(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Looked);
    answer
}

/// Where it goes on after a stack was saved: `saved` is its name and the version. To the plan of all that is on, or back to the stack.
pub async fn after_save(
    who: Admin,
    panel: &Panel,
    headers: &HeaderMap,
    shell: Shell,
    saved: (&str, &str),
    plans: bool,
) -> Response {
    let (name, id) = saved;
    let led = if plans { plan::of_all(who.into(), panel, headers, shell, id).await } else { None };
    let planned = if plans { "&planned=nothing" } else { "" };
    led.unwrap_or_else(|| Redirect::to(&format!("/stacks/{}?saved={id}{planned}", part(name))).into_response())
}

/// The form that deletes one.
#[derive(Debug, Default, Deserialize)]
pub struct Deleting {
    #[serde(default)]
    name: String,
    #[serde(default)]
    etag: String,
    #[serde(default)]
    message: String,
}

/// Deletes it, where its name was typed.
pub async fn delete(
    who: Admin,
    State(panel): State<Panel>,
    auth: State<Arc<Auth>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(typed): Form<Deleting>,
) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/stacks/{}", part(&name)), "/stacks");
    if typed.name.trim() != name {
        let desk = Desk { who, panel, auth, headers, name: name.clone(), is_new: false };
        let (etag, disk) = desk.there().await;
        let mut page = Page::new(shell, &name, disk.unwrap_or_default(), etag);
        page.message = typed.message;
        page.name_told = page.shell.lang.with("stack-name-differs", [("name", name.into())]);
        page.in_git = versions::in_git(&desk.panel.api).await;
        return page.answer(&desk.headers, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let over = over(&typed.etag);
    let why = Query(calls::Why { message: Some(typed.message) });
    match calls::delete(who, State(panel.api.clone()), auth, Path(name), why, over).await {
        Ok(_) => Redirect::to("/stacks").into_response(),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}
