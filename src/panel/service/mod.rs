//! A service: how it stands and why, what it says, what it uses, what it is made of, and what can be done with it.
//!
//! | subject | file |
//! |---|---|
//! | its page, and where its pages are | this one |
//! | why it is as it is | `why` |
//! | what it is made of | `made` |
//! | what is done with it | `act` |
//! | the form of its way in | `route` |
//! | what changes of its page | `live` |
//! | somebody is invited to it alone | `invite` |
//! | its log | `log`, `lines`, `follow` |
//! | a terminal in it | `terminal` |

mod act;
mod follow;
mod invite;
mod lines;
mod live;
mod log;
mod made;
mod route;
pub mod terminal;
mod why;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use time::OffsetDateTime;

pub use act::{Act, pull, recreate, restart, start, stop, update};
pub use follow::follow as log_lines;
pub use invite::{Invite, invite};
pub use lines::Line;
pub use live::{follow as changes, way};
pub use log::{Asked as LogAsked, Log, Page as LogPage, file as log_file, of as log_of, show as log_page};
pub use made::Fact;
#[cfg(test)]
pub use route::made as form_of;
pub use route::{Form as RouteForm, act as route};
pub use why::Why;

use super::home::{Row, row_of};
use super::refusal;
use super::shell::Shell;
use super::words::{Mark, Moment, part};
use super::{Panel, away, page};
use crate::auth::accounts::Auth;
use crate::auth::routed::Routes;
use crate::auth::who::{Admin, Role, Viewer};
use crate::stacks::json::containers::{self, Inspected};
use crate::stacks::json::plans::Of;
use crate::stacks::json::services as calls;
use crate::stacks::seen::Seen;
use crate::stacks::seen::container::Container;
use crate::stacks::seen::service::Service;
use crate::web::lang::filters;
use crate::web::read::{Path, Query};
use crate::web::{Lang, Refusal};

/// Lines of the log that the page begins with.
const LINES: u16 = 100;

/// Which of its containers, of which project.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    pub project: Option<String>,
    /// A container's name; none is the first.
    #[serde(default)]
    pub container: Option<String>,
    /// The number of the look that a page was made from.
    #[serde(default)]
    pub number: Option<u64>,
    /// What was saved just now, and left nothing to do.
    #[serde(default)]
    pub saved: Option<String>,
}

/// Which service, and where its pages are.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub name: String,
    pub project: Option<String>,
    pub container: Option<String>,
}

impl Place {
    pub fn of(name: String, project: Option<String>, container: Option<String>) -> Place {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Place { name, project: said(project), container: said(container) }
    }

    /// The address of what is below the service's own.
    pub fn to(&self, below: &str) -> String {
        self.to_of(below, self.container.as_deref())
    }

    /// The same for one of its containers.
    pub fn to_of(&self, below: &str, container: Option<&str>) -> String {
        let query = [("project", self.project.as_deref()), ("container", container)];
        let query: Vec<String> =
            query.iter().filter_map(|(key, value)| value.map(|value| format!("{key}={}", part(value)))).collect();
        let sign = if query.is_empty() { "" } else { "?" };
        format!("/services/{}{below}{sign}{}", part(&self.name), query.join("&"))
    }

    /// With one more word behind the `?`.
    pub fn with(&self, below: &str, more: &str) -> String {
        let to = self.to(below);
        let sign = if to.contains('?') { '&' } else { '?' };
        format!("{to}{sign}{more}")
    }

    /// The service, as it was seen.
    pub fn find<'s>(&self, seen: &'s Seen) -> Option<&'s Service> {
        seen.all()
            .find(|(project, one)| *project == self.project.as_deref() && one.name == self.name)
            .map(|(_, one)| one)
    }

    /// The container that is meant: that of the name, or the first.
    pub fn chosen<'s>(&self, service: &'s Service) -> Option<&'s Container> {
        let named = service.containers.iter().find(|one| Some(one.name.as_str()) == self.container.as_deref());
        named.or(service.containers.first())
    }

    fn of_project(&self) -> Of {
        Of { project: self.project.clone() }
    }
}

/// A page of the service: its own, its log, its terminal.
#[derive(Debug, Clone)]
pub struct Tab {
    pub path: String,
    pub word: String,
    pub at: bool,
}

/// Its pages, for whoever looks.
pub fn tabs(shell: &Shell, place: &Place, at: &str) -> Vec<Tab> {
    let lang = shell.lang;
    let tab = |below: &str, word: String| Tab { path: place.to(below), word, at: below == at };
    let mut all = vec![tab("", lang.say("service-tab-itself").into()), tab("/log", lang.say("service-tab-log").into())];
    if shell.operates() {
        all.push(tab("/terminal", lang.say("service-tab-terminal").into()));
    }
    all
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/service/page.html")]
pub struct Page {
    pub shell: Shell,
    pub place: Place,
    pub tabs: Vec<Tab>,
    /// The engine does not answer: why, and what that means.
    pub away: Option<String>,
    pub head: Head,
    pub why: Why,
    pub all: Containers,
    pub made: Vec<Fact>,
    pub figures: Option<Figures>,
    pub log: Option<Log>,
    /// Where it asks for a login, for admins.
    pub invite: Option<Invite>,
    /// For who may change how it is reached.
    pub form: Option<RouteForm>,
    /// What has just been done, as a sentence.
    pub done: String,
    pub command: String,
    pub call: String,
}

/// How it stands, and what can be done.
#[derive(Debug, Clone)]
pub struct Head {
    pub name: String,
    pub mark: Mark,
    pub since: Option<Moment>,
    pub about: String,
    pub url: Option<String>,
    pub project: Option<String>,
    pub acts: Vec<Act>,
    /// What is done more seldom.
    pub more: Vec<Act>,
}

/// Its containers; one of them is shown.
#[derive(Debug, Clone, Default)]
pub struct Containers {
    pub all: Vec<One>,
    /// The id of the one that is shown.
    pub shown: String,
}

#[derive(Debug, Clone)]
pub struct One {
    pub name: String,
    pub path: String,
    pub state: String,
    pub image: String,
    pub since: Option<Moment>,
    pub is_shown: bool,
}

/// Where the figures of the container come from, and what it may use at most.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub stream: String,
    pub memory: u64,
    pub cpus: f64,
    pub pids: i64,
    /// Each by its name in the script, and its word.
    pub words: Vec<(&'static str, String)>,
    /// For whoever has no scripts.
    pub command: String,
}

#[derive(Template)]
#[template(path = "panel/service/head.html")]
pub struct HeadPart<'a> {
    pub head: &'a Head,
}

#[derive(Template)]
#[template(path = "panel/service/why.html")]
pub struct WhyPart<'a> {
    pub why: &'a Why,
}

#[derive(Template)]
#[template(path = "panel/service/containers.html")]
pub struct ContainersPart<'a> {
    pub all: &'a Containers,
}

#[derive(Template)]
#[template(path = "panel/service/figures.html")]
pub struct FiguresPart<'a> {
    pub figures: &'a Option<Figures>,
}

#[derive(Template)]
#[template(path = "panel/service/made.html")]
pub struct MadePart<'a> {
    pub made: &'a [Fact],
}

pub async fn one(
    who: Viewer,
    admin: Result<Admin, Refusal>,
    (State(panel), State(routes), auth): (State<Panel>, State<Routes>, State<Arc<Auth>>),
    Path(name): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    let place = Place::of(name, which.project, which.container);
    let drawn = drawn(who.clone(), &panel, &routes, place, &headers).await;
    let (mut shown, exposes) = match drawn {
        Ok(drawn) => drawn,
        Err(refused) => return refused,
    };
    shown.invite = shown.invite.map(|invite| invite.with_made(&who, &panel));
    if let (Ok(admin), None) = (admin, &shown.place.project) {
        shown.form = RouteForm::of(&panel, &auth, &admin, &shown, &exposes).await;
    }
    if which.saved.as_deref() == Some("route") {
        shown.done = shown.shell.lang.say("service-route-saved").into_owned();
    }
    page(&headers, &shown)
}

/// The page as it is now, without the form of its way in; otherwise the answer that says that there is no such service.
async fn shown(
    who: Viewer,
    panel: &Panel,
    routes: &Routes,
    place: Place,
    headers: &HeaderMap,
) -> Result<Page, Response> {
    drawn(who, panel, routes, place, headers).await.map(|(page, _)| page)
}

/// The same, and the ports that the container which is shown exposes.
async fn drawn(
    who: Viewer,
    panel: &Panel,
    routes: &Routes,
    place: Place,
    headers: &HeaderMap,
) -> Result<(Page, Vec<u16>), Response> {
    let seen = panel.world.now().await;
    let mut shell = panel.shell(&who, headers, &place.to(""), "/");
    let Some(service) = place.find(&seen) else { return Err(missing(who, panel, place, shell, headers).await) };
    shell.stream = Some(place.with("/live", &format!("number={}", seen.number)));
    let ways = panel.ways.clone().of(&who).await;
    let now = panel.clock.now();
    let row = row_of(place.project.as_deref(), service, &ways, now);
    // One that does not answer is not waited for: what is known of the service is shown at once.
    let answers = seen.away.is_none();
    let inspected = if answers { inspect(&who, panel, &place, service).await } else { None };
    let invite = match who.role {
        Role::Admin => Invite::of(&who, &place, &routes.look().await.unwrap_or_default()),
        _ => None,
    };
    let log = match place.chosen(service) {
        Some(one) if answers => log::short(who, panel, &place, one, LINES).await,
        _ => None,
    };
    let shown = of_service(shell, place, row, service, &seen, inspected.as_ref(), now);
    Ok((Page { log, invite, ..shown }, inspected.map(|one| one.exposes).unwrap_or_default()))
}

/// There is no such service: as the API says it.
async fn missing(who: Viewer, panel: &Panel, place: Place, shell: Shell, headers: &HeaderMap) -> Response {
    let of = place.of_project();
    let refused = calls::one(who, State(panel.api.clone()), Path(place.name), Query(of)).await.into_response();
    refusal::page_of_none(shell, headers, refused).await
}

/// The container that is meant, in full, by the call of the API: what somebody may not see there they do not see here.
async fn inspect(who: &Viewer, panel: &Panel, place: &Place, service: &Service) -> Option<Inspected> {
    let id = place.chosen(service)?.id.clone();
    let found = containers::one(who.clone(), State(panel.api.clone()), Path(id), Query(place.of_project()));
    found.await.ok().map(|one| one.0)
}

/// `inspected`: the container that is shown.
pub fn of_service(
    shell: Shell,
    place: Place,
    row: Row,
    service: &Service,
    seen: &Seen,
    inspected: Option<&Inspected>,
    now: OffsetDateTime,
) -> Page {
    let lang = shell.lang;
    let (acts, more) = if shell.operates() { act::of(lang, &place, service) } else { Default::default() };
    let head = Head {
        about: about(lang, service),
        mark: row.mark,
        since: row.since.clone(),
        url: row.url.clone(),
        project: place.project.clone(),
        name: row.name.clone(),
        acts,
        more,
    };
    Page {
        tabs: tabs(&shell, &place, ""),
        away: away::words(seen, lang),
        why: why::of(lang, &row, service, seen, &place, inspected, now),
        all: containers_of(&place, service, now),
        made: inspected.map(|one| made::of(lang, one)).unwrap_or_default(),
        figures: inspected.and_then(|one| figures(lang, &place, one)),
        log: None,
        invite: None,
        form: None,
        done: String::new(),
        command: format!("hearth logs {}", row.name),
        call: format!("GET /api/v1/services/{}", row.name),
        head,
        shell,
        place,
    }
}

fn about(lang: Lang, service: &Service) -> String {
    match (&service.stack, service.profiles.as_slice()) {
        (Some(stack), []) => lang.with("service-of-stack", [("stack", stack.as_str().into())]),
        (Some(stack), profiles) => {
            let all = crate::base::wording::list(profiles);
            lang.with("service-of-profiles", [("stack", stack.as_str().into()), ("profiles", all.into())])
        }
        (None, _) => lang.say("service-of-nothing").into_owned(),
    }
}

fn containers_of(place: &Place, service: &Service, now: OffsetDateTime) -> Containers {
    let shown = place.chosen(service).map(|one| one.id.clone()).unwrap_or_default();
    let one = |c: &Container| One {
        name: c.name.clone(),
        path: place.to_of("", Some(&c.name)),
        state: c.health.map_or_else(|| c.state.to_owned(), |health| format!("{}, {health}", c.state)),
        image: c.image.clone(),
        since: c.started_at.as_deref().and_then(|at| Moment::read(at, now)),
        is_shown: c.id == shown,
    };
    Containers { all: service.containers.iter().map(one).collect(), shown }
}

fn figures(lang: Lang, place: &Place, one: &Inspected) -> Option<Figures> {
    let project = place.project.as_ref().map(|project| format!("?project={}", part(project))).unwrap_or_default();
    (one.container.state == "running").then(|| Figures {
        stream: format!("/api/v1/containers/{}/stats{project}", one.container.id),
        memory: one.limits.memory.unwrap_or(0),
        cpus: one.limits.cpus.unwrap_or(0.0),
        pids: one.limits.pids.unwrap_or(0),
        words: vec![
            ("cpu", lang.say("service-figure-cpu").into()),
            ("memory", lang.say("service-figure-memory").into()),
            ("network", lang.say("service-figure-network").into()),
            ("disk", lang.say("service-figure-disk").into()),
            ("pids", lang.say("service-figure-pids").into()),
        ],
        command: format!("docker stats {}", one.container.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_a_service_keeps_project_and_container() {
        let place = Place::of("we b".into(), Some("my lab".into()), Some("x&y".into()));
        assert_eq!(place.to("/log"), "/services/we%20b/log?project=my%20lab&container=x%26y");
        assert_eq!(place.with("/live", "number=3"), "/services/we%20b/live?project=my%20lab&container=x%26y&number=3");
        let place = Place::of("web".into(), Some(String::new()), None);
        assert_eq!(
            (place.to(""), place.with("/live", "number=3")),
            ("/services/web".into(), "/services/web/live?number=3".into())
        );
    }
}
