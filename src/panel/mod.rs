//! The panel: what somebody who looks after the home has in a browser. A room above all others, since its pages show what several of them know;
//! what is done there is done by the rooms' own calls, so that browser, terminal and API do the same.
//!
//! | subject | file |
//! |---|---|
//! | what pages work with, and how one is answered | this one |
//! | what stands around every page | `shell` |
//! | words that pages share: how something stands, when | `words` |
//! | the home as a whole | `home` |
//! | a service, its log, and what can be done with it | `service` |
//! | what programs write for terminals, made safe | `ansi` |
//! | several services at once | `bulk` |
//! | a plan, before anything happens | `plan` |
//! | stacks as text, looked through, tried and saved; what they said before | `stack` |
//! | variables and secret files | `variables` |
//! | what two texts have not in common | `diff` |
//! | works, step by step | `work` |
//! | ways in, and their certificates | `reach` |
//! | what the home stands on | `health` |
//! | people, groups, invitations, for admins | `people` |
//! | one's own account | `account` |
//! | what was done and refused | `audit` |
//! | settings | `settings` |
//! | what Hearth is, and how one leaves | `about` |
//! | what happened while nobody looked | `bell` |
//! | the services that somebody may enter, as tiles | `tiles` |
//! | what is shown once | `once` |
//! | what a form brings | `form` |
//! | what is not under Hearth | `found` |
//! | the setup, step by step | `welcome` |
//! | images, volumes and networks | `storage` |
//! | the search | `search` |
//! | that the engine does not answer | `away` |
//! | what a call has refused, as a page | `refusal` |
//! | pages as they are now, sent as they change | `live` |
//! | the figures of the machine | `machine` |
//! | forms whose fields are not known by name | `pairs` |
//! | every page in the states that it has, for tests | `samples` |

pub mod about;
pub mod account;
mod ansi;
pub mod audit;
mod away;
pub mod bell;
pub mod bulk;
pub mod diff;
mod form;
pub mod found;
pub mod health;
pub mod home;
pub mod live;
mod machine;
mod once;
mod pairs;
pub mod people;
pub mod plan;
pub mod profile;
pub mod reach;
mod refusal;
#[cfg(test)]
mod samples;
pub mod search;
pub mod service;
pub mod settings;
pub mod shell;
pub mod stack;
pub mod storage;
pub mod tiles;
pub mod used;
pub mod variables;
pub mod welcome;
mod words;
pub mod work;

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::auth::who::Identity;
use crate::base::clock::Clock;
use crate::notices::Notices;
use crate::proxy::Ways;
use crate::stacks::json::Api;
use crate::stacks::seen::World;
use crate::web::{Code, Lang, html};
use machine::Machine;
use once::Once;
use refusal::Told;
use shell::Shell;
use used::Used;

/// What handlers of the panel work with.
#[derive(Clone)]
pub struct Panel {
    pub api: Api,
    pub world: World,
    pub ways: Arc<Ways>,
    pub clock: Arc<dyn Clock>,
    machine: Arc<Machine>,
    used: Arc<Used>,
    once: Arc<Once>,
    notices: Notices,
    /// The home's name.
    home: Arc<str>,
}

impl Panel {
    /// `home`: its name.
    pub fn new(home: &str, api: Api, ways: Arc<Ways>, notices: Notices, clock: Arc<dyn Clock>) -> Panel {
        let world = World::new(api.works.clone(), api.live.clone());
        let machine = Arc::new(Machine::new(api.works.setting().home.clone()));
        Panel {
            api,
            world,
            ways,
            clock,
            machine,
            used: Arc::default(),
            once: Arc::default(),
            notices,
            home: home.into(),
        }
    }

    /// What stands around a page of somebody. `path`: the page's own; `at`: of the entry of the menu that it belongs to.
    fn shell(&self, who: &Identity, headers: &HeaderMap, path: &str, at: &'static str) -> Shell {
        Shell {
            home: self.home.to_string(),
            name: who.name.clone(),
            role: who.role,
            lang: Lang::of(headers),
            theme: shell::theme(headers),
            at,
            path: path.to_owned(),
            double: self.api.works.setting().double.is_some(),
            stream: None,
            unread: self.notices.unread(who),
        }
    }
}

/// A page, compressed for whoever takes that.
fn page(headers: &HeaderMap, page: &impl Template) -> Response {
    page_as(headers, StatusCode::OK, page)
}

/// The same, with its status.
fn page_as(headers: &HeaderMap, status: StatusCode, page: &impl Template) -> Response {
    match page.render_with_values(&Lang::of(headers)) {
        Ok(text) => html(headers, status, text),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The page of a form again, with what a call has refused, and its status.
async fn form_page<P: Template>(
    headers: &HeaderMap,
    mut refused: Response,
    again: impl FnOnce(Vec<Told>) -> P,
) -> Response {
    let code = refused.extensions_mut().remove::<Code>();
    let (status, told) = refusal::read(refused).await;
    let mut answer = page(headers, &again(told));
    *answer.status_mut() = status;
    if let Some(code) = code {
        answer.extensions_mut().insert(code);
    }
    answer
}
