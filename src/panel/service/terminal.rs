//! A terminal in a service's container: the page; what it types and shows goes over the socket of the API.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::{Containers, Place, Tab, Which, containers_of, tabs};
use crate::auth::who::{Operator, Role};
use crate::base::random::SystemRandom;
use crate::panel::shell::Shell;
use crate::panel::{Panel, page};
use crate::web::lang::filters;
use crate::web::read::{Path, Query};
use crate::web::{Lang, Nonce};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/service/terminal.html")]
pub struct Page {
    pub shell: Shell,
    pub place: Place,
    pub tabs: Vec<Tab>,
    pub all: Containers,
    /// The container; empty where there is none.
    pub container: String,
    /// It runs, which a program in it needs.
    pub runs: bool,
    /// Where a program is asked for.
    pub exec: String,
    /// The script may style what it makes by this word.
    pub nonce: String,
    /// For whoever has no scripts.
    pub command: String,
}

impl Page {
    /// Other users than the container's own are for admins.
    fn chooses_user(&self) -> bool {
        self.shell.role == Role::Admin
    }

    /// The script, where Hearth was built with it.
    fn script(&self) -> Option<&'static str> {
        crate::web::asset("terminal.js")
    }

    fn style(&self) -> &'static str {
        crate::web::asset("terminal.css").unwrap_or_default()
    }

    /// What the script says, by the name of its attribute.
    fn words(&self, lang: &Lang) -> Vec<(&'static str, String)> {
        let say = |name, key: &str| (name, lang.say(key).into_owned());
        vec![
            say("opening", "service-terminal-opening"),
            say("open", "service-terminal-is-open"),
            ("ended", lang.with("service-terminal-ended", [("code", "%n".into())])),
            say("over", "service-terminal-over"),
            say("stops", "service-terminal-stops"),
            say("taken", "service-terminal-taken"),
            say("lost", "service-terminal-lost"),
            say("none", "service-terminal-no-shell"),
            say("unreached", "service-terminal-unreached"),
            say("again", "service-terminal-again"),
            say("connect", "service-terminal-connect"),
            ("paste", lang.with("service-terminal-paste-words", [("lines", "%n".into())])),
            say("hidden", "service-terminal-paste-hidden"),
        ]
    }
}

pub async fn show(
    who: Operator,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    let seen = panel.world.now().await;
    let place = Place::of(name, which.project, which.container);
    let shell = panel.shell(&who, &headers, &place.to("/terminal"), "/");
    let Some(service) = place.find(&seen) else {
        // Its own page says that there is none.
        return Redirect::to(&Place { container: None, ..place }.to("")).into_response();
    };
    let nonce = Nonce::new(&SystemRandom);
    let all = containers_of(&place, service, panel.clock.now());
    let chosen = place.chosen(service).map(|one| (one.name.clone(), one.id.clone(), one.state == "running"));
    let shown = of(shell, place, all, chosen, nonce.to_string());
    nonce.allow(page(&headers, &shown))
}

/// `chosen`: name and id of the container, and whether it runs.
pub fn of(
    shell: Shell,
    place: Place,
    mut all: Containers,
    chosen: Option<(String, String, bool)>,
    nonce: String,
) -> Page {
    all.all.iter_mut().for_each(|one| one.path = place.to_of("/terminal", Some(&one.name)));
    let (container, id, runs) = chosen.unwrap_or_default();
    Page {
        tabs: tabs(&shell, &place, "/terminal"),
        exec: format!("/api/v1/containers/{id}/exec"),
        command: format!("docker exec -it {container} sh"),
        all,
        container,
        runs,
        nonce,
        place,
        shell,
    }
}
