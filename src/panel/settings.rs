//! Settings: each with what it means, what holds and why, and what a change would come to before it is made.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::form::Fields;
use super::people::person::no_such_act;
use super::refusal::{self, Told};
use super::shell::Shell;
use super::{Panel, form_page, page};
use crate::auth::accounts::Auth;
use crate::auth::table::guard::As;
use crate::auth::who::Admin;
use crate::config::one;
use crate::stacks::json::settings::{self as calls, KnownSetting, New};
use crate::web::lang::filters;
use crate::web::read::{Form, Json, Path};
use crate::web::{Refusal, over};

/// All of them.
#[derive(Debug, Template)]
#[template(path = "panel/settings/list.html")]
pub struct List {
    pub shell: Shell,
    pub groups: Vec<Group>,
}

/// Those that stand together.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    pub all: Vec<One>,
}

#[derive(Debug, Clone)]
pub struct One {
    pub setting: KnownSetting,
    /// The name of the words that say where it comes from, and when a change counts.
    pub source: &'static str,
    pub counts: &'static str,
}

/// One of them, to be changed.
#[derive(Debug, Template)]
#[template(path = "panel/settings/page.html")]
pub struct Page {
    pub shell: Shell,
    pub told: Vec<Told>,
    pub one: One,
    pub tag: String,
    /// What stands in the field.
    pub typed: String,
    /// What it would be, once it was looked at; nothing: the default again.
    pub would: Option<Would>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Would {
    Be(String),
    BeDefault,
}

impl One {
    fn of(setting: KnownSetting) -> One {
        let source = match setting.source.as_str() {
            "default" => "settings-from-default",
            ".env" => "settings-from-env",
            "environment" => "settings-from-environment",
            _ => "settings-from-file",
        };
        let counts = match setting.counts.as_str() {
            "at_once" => "settings-at-once",
            "with_up" => "settings-with-up",
            "at_start" => "settings-at-start",
            _ => "settings-own",
        };
        One { setting, source, counts }
    }
}

pub async fn list(admin: Admin, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&admin, &headers, "/settings", "/settings");
    match calls::every(&admin, &panel.api) {
        Ok(all) => page(&headers, &of(shell, all)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// Groups by what stands before the first dot; what has none, and variables, each together.
pub fn of(shell: Shell, all: Vec<KnownSetting>) -> List {
    let mut groups: Vec<Group> = Vec::new();
    for setting in all {
        let is_variable = setting.key.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        let name = match setting.key.split_once('.') {
            _ if is_variable => shell.lang.say("settings-variables").into_owned(),
            Some((top, _)) => top.to_owned(),
            None => shell.lang.say("settings-home").into_owned(),
        };
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.all.push(One::of(setting)),
            None => groups.push(Group { name, all: vec![One::of(setting)] }),
        }
    }
    List { shell, groups }
}

async fn shown(admin: &Admin, panel: &Panel, key: &str, headers: &HeaderMap) -> Result<Page, Response> {
    let shell = panel.shell(admin, headers, &format!("/settings/{key}"), "/settings");
    let found = async {
        // Refuses what is no setting, with the nearest.
        let answer = calls::key(admin.clone(), State(panel.api.clone()), Path(key.to_owned())).await?;
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let all = calls::every(admin, &panel.api)?;
        let known = all.into_iter().find(|one| one.key == key);
        known.map(|known| (known, tag)).ok_or_else(|| Refusal(no_such_act()).into_response())
    };
    match found.await {
        Ok((setting, tag)) => Ok(of_one(shell, setting, tag)),
        Err(refused) => Err(refusal::page(Shell { path: "/settings".into(), ..shell }, headers, refused).await),
    }
}

pub fn of_one(shell: Shell, setting: KnownSetting, tag: String) -> Page {
    let typed = setting.value.clone().unwrap_or_default();
    Page { shell, told: Vec::new(), one: One::of(setting), tag, typed, would: None }
}

pub async fn show(admin: Admin, State(panel): State<Panel>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    match shown(&admin, &panel, &key, &headers).await {
        Ok(shown) => page(&headers, &shown),
        Err(refused) => refused,
    }
}

/// Looks what a value would come to, saves it, or takes it out of the file.
pub async fn act(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let (act, typed) = (fields.text("act"), fields.text("value").to_owned());
    let call = if act.starts_with("reset") { "settings.unset" } else { "settings.set" };
    let over = over(fields.text("tag"));
    let (who, api, path) = (admin.clone(), State(panel.api.clone()), Path(key.clone()));
    // What is no YAML stands there as a text.
    let value = one::value(&typed).unwrap_or_else(|| typed.clone().into());
    let would = match act {
        "reset" => Would::BeDefault,
        _ => Would::Be(one::shown(&value)),
    };
    let done = match act {
        "check" => calls::set(who, api, State(auth), path, over, Json(New { value, check: true })).await,
        "save" => calls::set(who, api, State(auth), path, over, Json(New { value, check: false })).await,
        "reset" => Ok(().into_response()),
        "reset-save" => calls::unset(who, api, State(auth), path, over).await,
        _ => Err(Refusal(no_such_act()).into_response()),
    };
    let answer = match done {
        Ok(_) if act == "save" || act == "reset-save" => Redirect::to("/settings").into_response(),
        Ok(_) => match shown(&admin, &panel, &key, &headers).await {
            Ok(shown) => page(&headers, &Page { would: Some(would), typed, ..shown }),
            Err(answer) => answer,
        },
        Err(refused) => match shown(&admin, &panel, &key, &headers).await {
            Ok(shown) => form_page(&headers, refused, |told| Page { told, typed, ..shown }).await,
            Err(answer) => answer,
        },
    };
    As::of(call, answer)
}
