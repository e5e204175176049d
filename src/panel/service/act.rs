//! What is done with a service: by the verbs of the API, each by an action of its own, so that the audit names it. What makes containers anew shows its plan first.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Place;
use crate::auth::who::Operator;
use crate::panel::refusal;
use crate::panel::shell::Shell;
use crate::panel::words::part;
use crate::panel::{Panel, page, plan};
use crate::stacks::json::Begun;
use crate::stacks::json::plans::{self, Made};
use crate::stacks::json::verbs::{self, Services, Timed};
use crate::stacks::seen::service::{Service, Standing};
use crate::web::Lang;
use crate::web::read::{Form, Json, Path};

/// A form of one button.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Act {
    pub verb: &'static str,
    pub action: String,
    pub word: String,
    pub class: &'static str,
}

/// What can be done now, and what is done more seldom.
pub fn of(lang: Lang, place: &Place, service: &Service) -> (Vec<Act>, Vec<Act>) {
    let act = |verb: &'static str, word: &str, class: &'static str| Act {
        verb,
        action: format!("/services/{}/{verb}", part(&place.name)),
        word: word.to_owned(),
        class,
    };
    let say = |key: &str| lang.say(key).into_owned();
    let (start, stop) = (say("service-act-start"), say("service-act-stop"));
    let (restart, pull) = (say("service-act-restart"), say("service-act-pull"));
    let (update, recreate) = (say("service-act-update"), say("service-act-recreate"));
    let seldom =
        || vec![act("update", &update, "quiet"), act("pull", &pull, "quiet"), act("recreate", &recreate, "quiet")];
    match service.state {
        Standing::Off => (Vec::new(), Vec::new()),
        Standing::Missing => {
            (vec![act("recreate", &say("service-act-create"), "main")], vec![act("pull", &pull, "quiet")])
        }
        Standing::Stopped | Standing::Done | Standing::Failed => (vec![act("start", &start, "main")], seldom()),
        _ => (vec![act("restart", &restart, "quiet"), act("stop", &stop, "danger")], seldom()),
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    project: Option<String>,
}

/// What a button is about.
struct Button {
    place: Place,
    shell: Shell,
    headers: HeaderMap,
}

impl Button {
    fn of(who: &Operator, panel: &Panel, name: String, headers: HeaderMap, asked: Asked) -> Button {
        let place = Place::of(name, asked.project, None);
        Button { shell: panel.shell(who, &headers, &place.to(""), "/"), place, headers }
    }

    fn services(&self) -> Services {
        Services { project: self.place.project.clone(), services: vec![self.place.name.clone()] }
    }

    fn timed(&self) -> Timed {
        Timed { project: self.place.project.clone(), services: vec![self.place.name.clone()], ..Timed::default() }
    }

    /// On to the work.
    async fn then(self, begun: Result<Begun, Response>) -> Response {
        match begun {
            Ok(begun) => Redirect::to(&format!("/works/{}", begun.0.id)).into_response(),
            Err(refused) => refusal::page(self.shell, &self.headers, refused).await,
        }
    }

    /// Makes a plan, and on to it.
    async fn plan(self, who: Operator, panel: Panel, update: bool) -> Response {
        let Button { place, shell, headers } = self;
        let asked = plans::Asked::of_service(place.project.clone(), &place.name, update);
        match plans::make(who, State(panel.api.clone()), Json(asked)).await {
            Ok(axum::Json(Made { id: Some(id), .. })) => {
                let project = place.project.map(|project| format!("?project={}", part(&project))).unwrap_or_default();
                Redirect::to(&format!("/plans/{id}{project}")).into_response()
            }
            Ok(axum::Json(made)) => page(&headers, &nothing(shell, &place, update, &made)),
            Err(refused) => refusal::page(shell, &headers, refused).await,
        }
    }
}

/// A plan in which nothing can be done, and why.
fn nothing(shell: Shell, place: &Place, update: bool, made: &Made) -> plan::Plan {
    let (name, lang) = (place.name.as_str(), shell.lang);
    let heading = if update { "service-plan-update" } else { "service-plan-recreate" };
    let command =
        if update { format!("hearth update {name}") } else { format!("hearth up --service {name} --force-recreate") };
    let mut shown = plan::without_steps(shell, lang.with(heading, [("name", name.into())]), command, made);
    let summary = if shown.refusals.is_empty() { "service-plan-nothing" } else { "service-plan-blocked" };
    shown.summary = lang.say(summary).into_owned();
    shown
}

macro_rules! buttons {
    ($($(#[$about:meta])* $name:ident($with:ident);)*) => { $(
        $(#[$about])*
        pub async fn $name(
            who: Operator,
            State(panel): State<Panel>,
            Path(name): Path<String>,
            headers: HeaderMap,
            Form(asked): Form<Asked>,
        ) -> Response {
            let button = Button::of(&who, &panel, name, headers, asked);
            let begun = verbs::$name(who, State(panel.api.clone()), Json(button.$with())).await;
            button.then(begun).await
        }
    )* };
}

buttons! {
    /// Starts its containers.
    start(services);
    /// Stops them.
    stop(timed);
    /// Restarts them.
    restart(timed);
    /// Pulls its image.
    pull(services);
}

/// Shows what an update would do.
pub async fn update(
    who: Operator,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    Button::of(&who, &panel, name, headers, asked).plan(who, panel, true).await
}

/// Shows what making its containers anew would do.
pub async fn recreate(
    who: Operator,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    Button::of(&who, &panel, name, headers, asked).plan(who, panel, false).await
}
