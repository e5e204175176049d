//! What Hearth is, what the home runs on, what it is built from, and how one leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::shell::Shell;
use super::{Panel, page};
use crate::about::json::{COMMIT, VERSION};
use crate::about::{licences, state};
use crate::auth::who::User;
use crate::stacks::Home;
use crate::stacks::who::quoted;
use crate::web::lang::filters;

#[derive(Debug, Template)]
#[template(path = "panel/about.html")]
pub struct Page {
    pub shell: Shell,
    pub version: &'static str,
    pub commit: Option<&'static str>,
    /// What it runs on; the name of a word, and what is known.
    pub runs_on: Vec<(&'static str, String)>,
    pub leaving: Option<Leaving>,
    /// By licence: what has it.
    pub licences: Vec<(&'static str, Vec<String>)>,
    pub count: usize,
}

/// What a person types to go on without Hearth, and where everything lies.
#[derive(Debug, Clone)]
pub struct Leaving {
    pub commands: String,
    /// A path, and the name of the words that say what is there.
    pub files: Vec<(String, &'static str)>,
}

pub async fn show(
    who: User,
    State(panel): State<Panel>,
    State(state): State<Arc<state::State>>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, "/about", "/about");
    let seen = state.seen();
    let mut runs_on = vec![("about-engine", seen.version.clone().unwrap_or_else(|| seen.engine.word().to_owned()))];
    let mut leaving = None;
    if shell.sees_machinery() {
        let environment = panel.api.works.setting().environment.clone();
        // It may be asked of a program.
        let compose = tokio::task::spawn_blocking(move || crate::stacks::compose_generation(&environment)).await;
        let compose =
            compose.ok().flatten().map_or_else(|| shell.lang.say("about-no-compose").into_owned(), str::to_owned);
        runs_on.push(("about-compose", compose));
        runs_on.push(("about-database", state.database()));
        leaving = panel.api.home().ok().map(|home| leave(&home));
    }
    page(&headers, &of(shell, runs_on, leaving))
}

pub fn of(shell: Shell, runs_on: Vec<(&'static str, String)>, leaving: Option<Leaving>) -> Page {
    let mut all: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    for one in licences::all() {
        count += 1;
        all.entry(one.licence).or_default().push(format!("{} {}", one.name, one.version));
    }
    let mut licences: Vec<(&'static str, Vec<String>)> = all.into_iter().collect();
    licences.sort_by_key(|(name, of)| (std::cmp::Reverse(of.len()), *name));
    Page { shell, version: VERSION, commit: COMMIT, runs_on, leaving, licences, count }
}

fn leave(home: &Home) -> Leaving {
    let dir = home.dir.display().to_string();
    let profiles: String = home.config.profiles.iter().map(|name| format!(" --profile {}", quoted(name))).collect();
    let mut commands = format!("cd {}\ndocker compose{profiles} up -d\n", quoted(&dir));
    for adopted in home.config.adopted.values() {
        let files: String = adopted.files.iter().map(|file| format!(" -f {}", quoted(file))).collect();
        let folder = quoted(&adopted.directory);
        commands += &format!("cd {folder}\ndocker compose{files} up -d\n");
    }
    let at = |name: &str| home.dir.join(name).display().to_string();
    Leaving {
        commands: commands.trim_end().to_owned(),
        files: vec![
            (at("compose.yaml"), "about-file-compose"),
            (at("compose"), "about-file-rendered"),
            (at("stacks"), "about-file-stacks"),
            (at(".env"), "about-file-env"),
            (at("state"), "about-file-state"),
        ],
    }
}
