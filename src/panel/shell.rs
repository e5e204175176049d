//! What stands around every page: whose home, where one can go, who is here, light or dark.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Panel;
use crate::auth::who::{Role, User, Who};
use crate::web::read::Form;
use crate::web::{Lang, set_cookie};

/// The browser's cookie with what somebody has chosen; without it the system decides.
const THEME: &str = "__Host-hearth-theme";
/// In seconds.
const A_YEAR: i64 = 31_536_000;
const THEMES: [&str; 2] = ["light", "dark"];

/// Around one page of somebody.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The home's name.
    pub home: String,
    /// Who looks.
    pub name: String,
    pub role: Role,
    pub lang: Lang,
    pub theme: Option<&'static str>,
    /// The path of the entry of the menu that the page belongs to.
    pub at: &'static str,
    /// The page's own path.
    pub path: String,
    /// Nothing really runs.
    pub double: bool,
    /// Where the page's changes come from.
    pub stream: Option<String>,
    /// What happened that they have not read.
    pub unread: usize,
}

/// An entry of the menu.
pub struct Entry {
    pub path: &'static str,
    /// The name of its word.
    pub key: &'static str,
    pub icon: &'static str,
    /// `desk`: on a phone behind the last entry; `phone`: only there.
    pub size: &'static str,
}

impl Shell {
    /// Whether they see more than their own services.
    pub fn sees_machinery(&self) -> bool {
        self.role != Role::Member
    }

    pub fn operates(&self) -> bool {
        matches!(self.role, Role::Operator | Role::Admin)
    }

    /// Where somebody of this role can go: nobody is shown what would be refused.
    pub fn nav(&self) -> Vec<Entry> {
        let all = [
            ("/", "home-title", "home", "", Who::User),
            ("/works", "works-title", "work", "", Who::Viewer),
            ("/routes", "routes-title", "route", "", Who::Viewer),
            ("/stacks", "stacks-title", "stack", "desk", Who::Viewer),
            ("/images", "storage-title", "storage", "desk", Who::Viewer),
            ("/found", "found-title", "stack", "desk", Who::Viewer),
            ("/search", "search-title", "find", "phone", Who::Viewer),
            ("/people", "people-title", "people", "desk", Who::Admin),
            ("/doctor", "doctor-title", "doctor", "desk", Who::Viewer),
            ("/audit", "audit-title", "audit", "desk", Who::Viewer),
            ("/settings", "settings-title", "settings", "desk", Who::Admin),
            ("/docs/guide", "panel-guide", "guide", "desk", Who::User),
            ("/about", "about-title", "about", "desk", Who::User),
        ];
        let may = |(.., who): &(&str, &str, &str, &str, Who)| who.admits(self.role);
        all.into_iter().filter(may).map(|(path, key, icon, size, _)| Entry { path, key, icon, size }).collect()
    }

    /// What a phone has behind its last entry: there is room for four beside it.
    pub fn more(&self) -> Vec<Entry> {
        self.nav().into_iter().filter(|entry| entry.size == "desk").collect()
    }

    /// The page is one of those.
    pub fn is_more(&self) -> bool {
        self.more().iter().any(|entry| entry.path == self.at)
    }

    /// The name of the role's word.
    pub fn role_key(&self) -> &'static str {
        super::people::role(self.role)
    }

    /// What can be chosen: the value, and the name of its word.
    pub fn themes(&self) -> [(&'static str, &'static str); 3] {
        [("", "panel-theme-system"), ("light", "panel-theme-light"), ("dark", "panel-theme-dark")]
    }

    /// The address of a file of `static/`.
    pub fn file(&self, name: &str) -> &'static str {
        crate::web::asset(name).unwrap_or_default()
    }
}

/// What the browser of somebody has chosen.
pub fn theme(headers: &HeaderMap) -> Option<&'static str> {
    let chosen = crate::web::cookie(headers, THEME)?;
    THEMES.into_iter().find(|known| *known == chosen)
}

#[derive(Debug, Deserialize)]
pub struct Chosen {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    back: String,
}

/// Light, dark, or as the system has it; back to the page where it was chosen.
pub async fn choose(_: User, State(_): State<Panel>, Form(chosen): Form<Chosen>) -> Response {
    let known = THEMES.into_iter().find(|known| *known == chosen.theme);
    // A path of this host and nothing else.
    let own = chosen.back.starts_with('/') && !chosen.back.starts_with("//") && !chosen.back.contains('\\');
    let back = if own { chosen.back.as_str() } else { "/" };
    let mut answer = Redirect::to(back).into_response();
    set_cookie(answer.headers_mut(), THEME, known.unwrap_or_default(), known.map(|_| A_YEAR));
    answer
}
