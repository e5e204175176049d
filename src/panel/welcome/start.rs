//! Profiles with what they need, the plan, the work live, and what answers then.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::Frame;
use super::kept::{Kept, Step};
use crate::auth::who::{Admin, Operator, Viewer};
use crate::base::random::{SystemRandom, bytes};
use crate::base::{units, wording};
use crate::config::certificates::Issuer;
use crate::panel::pairs::Pairs;
use crate::panel::plan::{self as plans_page, Plan as Drawn};
use crate::panel::reach::{self, Way};
use crate::panel::refusal::{self, Told};
use crate::panel::shell::Shell;
use crate::panel::work::{self as works_page, Page as Going};
use crate::panel::{Panel, page};
use crate::proxy::json as routes;
use crate::spec::{Mode, front};
use crate::stacks::cli::profiles::Profile;
use crate::stacks::home::told::Untold;
use crate::stacks::json::plans::{self, Apply, Asked, Made, Of};
use crate::stacks::json::profiles as toggles;
use crate::web::Lang;
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::{Form, Json, Path, Query};

/// What can be turned on.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/profiles.html")]
pub struct Profiles {
    pub shell: Shell,
    pub frame: Frame,
    pub lines: Vec<Line>,
    /// What those that are chosen need to be told.
    pub wanted: Vec<Wanted>,
    pub told: Vec<Told>,
}

/// A profile.
#[derive(Debug)]
pub struct Line {
    pub name: String,
    pub chosen: bool,
    /// It is on already; here nothing is turned off.
    pub on: bool,
    pub services: String,
    /// Memory, and other profiles.
    pub needs: String,
}

/// A variable without which it cannot run.
#[derive(Debug)]
pub struct Wanted {
    pub name: String,
    pub why: String,
    /// It is never shown; left empty, a random one is made.
    pub secret: bool,
    pub services: String,
}

pub async fn profiles_of(panel: &Panel) -> Vec<Profile> {
    let seen = panel.world.now().await;
    // What has the way in comes with the mode.
    seen.profiles.iter().filter(|one| one.name != front::CORE).cloned().collect()
}

pub fn line(one: &Profile, chosen: bool, lang: Lang) -> Line {
    let mut needs = Vec::new();
    let amount = units::bytes(one.memory);
    match (one.memory, one.unlimited) {
        (0, _) => {}
        (_, false) => needs.push(lang.with("home-up-to", [("memory", amount.into())])),
        (_, true) => needs.push(lang.with("home-more-than", [("memory", amount.into())])),
    }
    if !one.needs.is_empty() {
        let all: Vec<&String> = one.needs.iter().collect();
        needs.push(lang.with("home-needs", [("profiles", wording::list(&all).into())]));
    }
    Line {
        name: one.name.clone(),
        chosen: chosen || one.on,
        on: one.on,
        services: wording::list(&one.services),
        needs: needs.join(", "),
    }
}

pub async fn choose(who: Admin, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Profiles);
    let kept = Kept::read(&panel);
    shown(&panel, shell, &headers, &kept.profiles, Vec::new()).await
}

/// The page, with what the chosen ones need to be told.
async fn shown(panel: &Panel, shell: Shell, headers: &HeaderMap, chosen: &[String], told: Vec<Told>) -> Response {
    let all = profiles_of(panel).await;
    let frame = panel.frame(Step::Profiles, shell.lang).await;
    let wanted = wanted(panel, &all, chosen).unwrap_or_default();
    let is = |one: &Profile| if chosen.is_empty() { one.on } else { chosen.contains(&one.name) };
    let lines = all.iter().map(|one| line(one, is(one), shell.lang)).collect();
    let refused = !told.is_empty();
    let mut answer = page(headers, &Profiles { shell, frame, lines, wanted, told });
    if refused {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    answer
}

/// What services of these profiles still need to be told.
fn wanted(panel: &Panel, all: &[Profile], chosen: &[String]) -> Result<Vec<Wanted>, Response> {
    let refused = |refused| crate::web::Refusals::from(refused).into_response();
    let named = |name: &String| all.iter().find(|one| one.name == *name);
    let mut profiles: BTreeSet<&str> = chosen.iter().map(String::as_str).collect();
    profiles.extend(chosen.iter().filter_map(named).flat_map(|one| one.needs.iter().map(String::as_str)));
    let of = all.iter().filter(|one| profiles.contains(one.name.as_str()));
    let services: BTreeSet<String> = of.flat_map(|one| one.services.iter().cloned()).collect();
    let home = panel.api.home().map_err(refused)?;
    let read = home.read().map_err(refused)?;
    let untold = home.untold(&read, &services).map_err(|told| crate::web::Refusal(told).into_response())?;
    let one = |one: Untold| Wanted {
        name: one.name,
        why: wording::sentence(&one.why),
        secret: one.secret,
        services: wording::list(&one.services),
    };
    Ok(untold.into_iter().map(one).collect())
}

/// Takes in what was chosen and told, and makes the plan.
pub async fn chosen(
    who: Admin,
    operator: Operator,
    State(panel): State<Panel>,
    headers: HeaderMap,
    Form(said): Form<Pairs>,
) -> Response {
    let shell = panel.walk(&who, &headers, Step::Profiles);
    let all = profiles_of(&panel).await;
    let mut names = said.all("profile[]");
    names.retain(|name| all.iter().any(|one| one.name == *name));
    let mut kept = Kept { profiles: names.clone(), step: Step::Profiles, ..Kept::default() };
    if names.is_empty() {
        kept.step = Step::Done;
        return match kept.write(&panel) {
            Ok(()) => Redirect::to(Step::Done.path()).into_response(),
            Err(refused) => refusal::page(shell, &headers, refused).await,
        };
    }
    if let Err(refused) = kept.write(&panel) {
        return refusal::page(shell, &headers, refused).await;
    }
    let told: Vec<(String, String)> =
        said.below("env-").into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let missing = match wanted(&panel, &all, &names) {
        Ok(missing) => missing,
        Err(refused) => return refused_here(&panel, shell, &headers, &names, refused).await,
    };
    let mut left = false;
    for one in missing {
        let given = told.iter().find(|(name, _)| *name == one.name).map(|(_, value)| value.trim());
        let text = match given {
            Some("") if one.secret => random(),
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => {
                left = true;
                continue;
            }
        };
        if let Err(refused) = super::tell(&panel, &who, one.name, text).await {
            return refused_here(&panel, shell, &headers, &names, refused).await;
        }
    }
    if left {
        // What is missing is asked for on the same page; that it was just chosen is no mistake of anybody's.
        return Redirect::to(Step::Profiles.path()).into_response();
    }
    planned(operator, &panel, shell, &headers, names).await
}

/// 32 characters that no shell, URL or YAML reads as anything else.
fn random() -> String {
    const ALL: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    bytes::<32>(&SystemRandom).map(|byte| char::from(ALL[usize::from(byte & 31)])).iter().collect()
}

async fn refused_here(
    panel: &Panel,
    shell: Shell,
    headers: &HeaderMap,
    names: &[String],
    refused: Response,
) -> Response {
    let (_, told) = refusal::read(refused).await;
    shown(panel, shell, headers, names, told).await
}

/// Makes the plan again, for what was chosen.
pub async fn make(who: Admin, operator: Operator, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Profiles);
    let names = Kept::read(&panel).profiles;
    if names.is_empty() {
        return Redirect::to(Step::Profiles.path()).into_response();
    }
    planned(operator, &panel, shell, &headers, names).await
}

async fn planned(operator: Operator, panel: &Panel, shell: Shell, headers: &HeaderMap, names: Vec<String>) -> Response {
    let api = || State(panel.api.clone());
    let made = match plans::make(operator.clone(), api(), Json(Asked::of_profiles(&names))).await {
        Ok(axum::Json(made)) => made,
        Err(refused) => return refused_here(panel, shell, headers, &names, refused).await,
    };
    let mut kept = Kept { profiles: names.clone(), ..Kept::default() };
    match made {
        Made { id: Some(id), .. } => (kept.plan, kept.step) = (Some(id), Step::Plan),
        Made { plan, .. } if !plan.refusals.is_empty() => {
            let told = plan.refusals.iter().map(Told::from).collect();
            return shown(panel, shell, headers, &names, told).await;
        }
        // All of it runs already: that it is on is written down.
        Made { .. } => {
            for name in &names {
                let done = toggles::enable(operator.clone(), api(), Path(name.clone()), Json(Default::default())).await;
                if let Err(refused) = done {
                    return refusal::page(shell, headers, refused).await;
                }
            }
            kept.step = Step::Done;
        }
    }
    match kept.write(panel) {
        Ok(()) => Redirect::to(kept.step.path()).into_response(),
        Err(refused) => refusal::page(shell, headers, refused).await,
    }
}

/// What would happen.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/plan.html")]
pub struct Plan {
    pub shell: Shell,
    pub frame: Frame,
    pub plan: Drawn,
}

pub async fn plan(who: Admin, viewer: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Plan);
    let Some(id) = Kept::read(&panel).plan else { return Redirect::to(Step::Profiles.path()).into_response() };
    let frame = panel.frame(Step::Plan, shell.lang).await;
    match plans::one(viewer, State(panel.api.clone()), Path(id), Query(Of::default())).await {
        Ok(axum::Json(kept)) => {
            let plan = plans_page::of_kept(shell.clone(), &kept, panel.clock.now());
            page(&headers, &Plan { shell, frame, plan })
        }
        // It is kept no more: another one is made.
        Err(_) => Redirect::to(Step::Profiles.path()).into_response(),
    }
}

pub async fn apply(who: Admin, operator: Operator, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Plan);
    let kept = Kept::read(&panel);
    let Some(id) = kept.plan else { return Redirect::to(Step::Profiles.path()).into_response() };
    // Sent twice, it is begun once.
    if kept.work.as_ref().is_some_and(|work| panel.api.works.get(work).is_some_and(|work| work.end().is_none())) {
        return Redirect::to(Step::Work.path()).into_response();
    }
    match plans::apply(operator, State(panel.api.clone()), Path(id), Json(Apply::default())).await {
        Ok(begun) => Kept::change(&panel, |kept| (kept.work, kept.step) = (Some(begun.0.id), Step::Work)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// What is done, step by step.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/work.html")]
pub struct Work {
    pub shell: Shell,
    pub frame: Frame,
    /// None: Hearth was restarted meanwhile.
    pub going: Option<Going>,
    pub runs: bool,
    pub failed: bool,
}

pub async fn work(who: Admin, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let mut shell = panel.walk(&who, &headers, Step::Work);
    let Some(id) = Kept::read(&panel).work else { return Redirect::to(Step::Profiles.path()).into_response() };
    let frame = panel.frame(Step::Work, shell.lang).await;
    let Some(work) = panel.api.works.get(&id) else {
        return page(&headers, &Work { shell, frame, going: None, runs: false, failed: false });
    };
    let end = work.end();
    shell.stream = end.is_none().then(|| format!("/works/{id}/live"));
    let going = works_page::of(shell.clone(), &work, &who, panel.clock.now());
    let failed = end.as_ref().is_some_and(|end| end.code != 0);
    page(&headers, &Work { shell, frame, going: Some(going), runs: end.is_none(), failed })
}

/// On to what answers, once the work has ended well.
pub async fn answers(_: Admin, State(panel): State<Panel>) -> Response {
    let kept = Kept::read(&panel);
    let work = kept.work.and_then(|id| panel.api.works.get(&id));
    match work.map(|work| work.end()) {
        Some(None) => Redirect::to(Step::Work.path()).into_response(),
        Some(Some(end)) if end.code != 0 => Redirect::to(Step::Work.path()).into_response(),
        _ => Kept::change(&panel, |kept| kept.step = Step::Done),
    }
}

/// What answers.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/done.html")]
pub struct Done {
    pub shell: Shell,
    pub frame: Frame,
    pub ways: Vec<Answer>,
    /// Devices have to be told to trust the home's own authority.
    pub local: bool,
    /// Ports answer on this machine alone.
    pub here: bool,
    /// The same without Hearth.
    pub command: String,
}

/// A way in, and whether something answers there.
#[derive(Debug)]
pub struct Answer {
    pub way: Way,
    pub answers: bool,
}

pub async fn done(who: Admin, viewer: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Done);
    let frame = panel.frame(Step::Done, shell.lang).await;
    let home = match panel.api.home() {
        Ok(home) => home,
        Err(refused) => {
            let refused = crate::web::Refusals::from(refused).into_response();
            return refusal::page(shell, &headers, refused).await;
        }
    };
    let which = routes::Which { limit: Some(MOST), ..Default::default() };
    let found = match routes::list(viewer, State(panel.api.clone()), Query(which)).await {
        Ok(axum::Json(found)) => found.items,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    let seen = panel.world.now().await;
    let on = |service: &str| seen.services.iter().any(|one| one.name == service && one.on);
    let (now, lang) = (panel.clock.now(), shell.lang);
    let tried = found.into_iter().filter(|one| one.working == Some(true) || on(&one.service));
    // What cannot be tried is taken to answer.
    let ways =
        tried.map(|one| Answer { answers: one.working.unwrap_or(true), way: reach::way(one, now, lang) }).collect();
    let local = home.config.certificates.issuer == Issuer::Local;
    let profiles = home.config.profiles.iter().fold(String::new(), |all, one| format!("{all} --profile {one}"));
    let command = format!("docker compose{profiles} up -d");
    let here = home.config.mode == Mode::Localhost;
    page(&headers, &Done { shell, frame, ways, local, here, command })
}

/// It is over: on to the home.
pub async fn end(_: Admin, State(panel): State<Panel>) -> Response {
    Kept::change(&panel, |kept| *kept = Kept { step: Step::Over, ..Kept::default() })
}
