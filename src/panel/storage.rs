//! Images, volumes and networks of this machine: who uses each, and clearing up by a plan that names what goes.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use time::OffsetDateTime;

use super::pairs::Pairs;
use super::plan::to_its_work;
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Moment, service_path};
use super::{Panel, page, page_as};
use crate::auth::who::{Admin, Operator, Role, Viewer};
use crate::base::{units, wording};
use crate::stacks::json::plans::{self, Apply, Kept, Made, Of};
use crate::stacks::json::storage as calls;
use crate::stacks::storage::{Held, Prune, Use, User};
use crate::web::lang::filters;
use crate::web::read::{Form, Json, Path, Query};
use crate::web::{Lang, Words};

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Images,
    Volumes,
    Networks,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Images, Kind::Volumes, Kind::Networks];

    pub fn path(self) -> &'static str {
        match self {
            Kind::Images => "/images",
            Kind::Volumes => "/volumes",
            Kind::Networks => "/networks",
        }
    }

    fn word(self, lang: Lang) -> Cow<'static, str> {
        match self {
            Kind::Images => lang.say("storage-images"),
            Kind::Volumes => lang.say("storage-volumes"),
            Kind::Networks => lang.say("storage-networks"),
        }
    }

    fn about(self, lang: Lang) -> Cow<'static, str> {
        match self {
            Kind::Images => lang.say("storage-images-about"),
            Kind::Volumes => lang.say("storage-volumes-about"),
            Kind::Networks => lang.say("storage-networks-about"),
        }
    }
}

/// All of one kind.
#[derive(Debug, Template)]
#[template(path = "panel/storage/list.html")]
pub struct List {
    pub shell: Shell,
    pub kind: Kind,
    pub tabs: Vec<Tab>,
    pub heading: Cow<'static, str>,
    pub about: Cow<'static, str>,
    /// How many there are and how many of them nothing uses.
    pub sum: String,
    pub rows: Vec<Row>,
    /// Who looks may remove.
    pub removes: bool,
}

#[derive(Debug)]
pub struct Tab {
    pub path: &'static str,
    pub word: Cow<'static, str>,
    pub here: bool,
}

#[derive(Debug)]
pub struct Row {
    /// How its mark looks.
    pub kind: &'static str,
    pub word: Cow<'static, str>,
    pub name: String,
    /// What is to be removed is named so; none: it is never removed from here.
    pub key: Option<String>,
    pub chosen: bool,
    /// More names, a project, a driver.
    pub more: String,
    pub why: String,
    pub users: Vec<Link>,
    pub size: String,
    pub made: Option<Moment>,
}

/// Who uses it, and their page where there is one.
#[derive(Debug)]
pub struct Link {
    pub words: String,
    pub path: Option<String>,
}

pub async fn images(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    list(who, panel, headers, Kind::Images).await
}

pub async fn volumes(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    list(who, panel, headers, Kind::Volumes).await
}

pub async fn networks(who: Viewer, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    list(who, panel, headers, Kind::Networks).await
}

async fn list(who: Viewer, panel: Panel, headers: HeaderMap, kind: Kind) -> Response {
    let shell = panel.shell(&who, &headers, kind.path(), "/images");
    let known = match panel.api.home() {
        Ok(home) => Known { own: home.config.name.clone(), adopted: home.config.adopted.keys().cloned().collect() },
        Err(_) => Known::default(),
    };
    match calls::look(&panel.api, &who).await {
        Ok(held) => page(&headers, &of(shell, kind, held, &known, panel.clock.now())),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// The projects whose services have pages here.
#[derive(Debug, Default)]
pub struct Known {
    pub own: String,
    pub adopted: Vec<String>,
}

impl Known {
    /// A service is named once, however many containers it has.
    fn links(&self, users: &[User]) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for one in users {
            let link = match (&one.project, &one.service) {
                (Some(project), Some(service)) if *project == self.own => {
                    Link { words: service.clone(), path: Some(service_path(None, service)) }
                }
                (Some(project), Some(service)) => Link {
                    words: format!("{service} ({project})"),
                    path: self.adopted.contains(project).then(|| service_path(Some(project), service)),
                },
                _ => Link { words: one.container.clone(), path: None },
            };
            if links.iter().all(|known| known.words != link.words) {
                links.push(link);
            }
        }
        links
    }
}

pub fn of(shell: Shell, kind: Kind, held: Held, known: &Known, now: OffsetDateTime) -> List {
    let lang = shell.lang;
    let mut rows: Vec<(Use, Row)> = match kind {
        Kind::Images => held.images.iter().map(|one| (one.state, image(one, known, now, lang))).collect(),
        Kind::Volumes => held.volumes.iter().map(|one| (one.state, volume(one, known, now, lang))).collect(),
        Kind::Networks => held.networks.iter().map(|one| (one.state, network(one, known, now, lang))).collect(),
    };
    // What may go first: that is what one comes for.
    rows.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.name.cmp(&other.name)));
    let unused = rows.iter().filter(|(state, _)| *state == Use::Unused).count();
    let all = lang.with("storage-sum", [("count", rows.len().into())]);
    let sum = format!("{all}, {}", lang.with("storage-sum-unused", [("count", unused.into())]));
    let removes = shell.role == Role::Admin;
    let tab = |one: Kind| Tab { path: one.path(), word: one.word(lang), here: one == kind };
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    if !removes {
        rows.iter_mut().for_each(|row| row.key = None);
    }
    List {
        kind,
        tabs: Kind::ALL.into_iter().map(tab).collect(),
        heading: kind.word(lang),
        about: kind.about(lang),
        sum,
        rows,
        removes,
        shell,
    }
}

fn mark(state: Use, lang: Lang) -> (&'static str, Cow<'static, str>) {
    match state {
        Use::Used => ("running", lang.say("storage-used")),
        Use::Kept => ("off", lang.say("storage-kept")),
        Use::Unused => ("missing", lang.say("storage-unused")),
    }
}

fn image(one: &crate::stacks::storage::Image, known: &Known, now: OffsetDateTime, lang: Lang) -> Row {
    let (kind, word) = mark(one.state, lang);
    let more = match one.tags.as_slice() {
        [] => lang.say("storage-nameless").into_owned(),
        [_] => String::new(),
        [_, more @ ..] => more.join(", "),
    };
    Row {
        kind,
        word,
        name: one.name().to_owned(),
        key: (one.state != Use::Used).then(|| one.id.clone()),
        chosen: one.state == Use::Unused,
        more,
        why: one.why.as_deref().map(wording::sentence).unwrap_or_default(),
        users: known.links(&one.used_by),
        size: units::bytes(one.size),
        made: Moment::read(&one.created_at, now),
    }
}

fn volume(one: &crate::stacks::storage::Volume, known: &Known, now: OffsetDateTime, lang: Lang) -> Row {
    let (kind, word) = mark(one.state, lang);
    let mut more = Vec::new();
    more.extend(one.anonymous.then(|| lang.say("storage-anonymous").into_owned()));
    more.extend(
        one.project.as_ref().map(|project| lang.with("storage-made-for", [("project", project.as_str().into())])),
    );
    more.extend(one.of_machine.as_ref().map(|at| lang.with("storage-lies-at", [("place", at.as_str().into())])));
    Row {
        kind,
        word,
        name: if is_drawn(&one.name) { format!("{}…", &one.name[..12]) } else { one.name.clone() },
        key: (one.state != Use::Used).then(|| one.name.clone()),
        // Data is never chosen for anybody.
        chosen: false,
        more: more.join(", "),
        why: one.why.as_deref().map(wording::sentence).unwrap_or_default(),
        users: known.links(&one.used_by),
        size: one.size.map(units::bytes).unwrap_or_default(),
        made: Moment::read(&one.created_at, now),
    }
}

fn network(one: &crate::stacks::storage::Network, known: &Known, now: OffsetDateTime, lang: Lang) -> Row {
    let (kind, word) = mark(one.state, lang);
    let mut more = vec![one.driver.clone()];
    more.extend(one.subnets.iter().cloned());
    more.extend(one.internal.then(|| lang.say("storage-internal").into_owned()));
    more.extend(
        one.project.as_ref().map(|project| lang.with("storage-made-for", [("project", project.as_str().into())])),
    );
    Row {
        kind,
        word,
        name: one.name.clone(),
        key: (one.state != Use::Used && !one.fixed).then(|| one.id.clone()),
        chosen: one.state == Use::Unused,
        more: more.join(", "),
        why: one.why.as_deref().map(wording::sentence).unwrap_or_default(),
        users: known.links(&one.used_by),
        size: String::new(),
        made: Moment::read(&one.created_at, now),
    }
}

/// A name that the engine has drawn, and nobody types.
fn is_drawn(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What would go, before anything does.
#[derive(Debug, Template)]
#[template(path = "panel/storage/plan.html")]
pub struct Page {
    pub shell: Shell,
    pub heading: String,
    pub goes: Vec<Goes>,
    pub stays: Vec<Words>,
    pub refusals: Vec<Told>,
    /// Where it is carried out, by who may.
    pub action: Option<String>,
    /// Volumes that go: each is confirmed.
    pub volumes: Vec<String>,
    /// The one whose name is typed: it is alone, and somebody has given it its name.
    pub typed: Option<String>,
    /// The confirmation did not fit.
    pub unsure: bool,
    pub back: &'static str,
}

#[derive(Debug)]
pub struct Goes {
    pub name: String,
    pub words: Words,
    /// Its data is lost.
    pub data: bool,
}

/// Makes the plan for what was chosen: on to it.
pub async fn plan(who: Admin, State(panel): State<Panel>, headers: HeaderMap, Form(chosen): Form<Pairs>) -> Response {
    let kind = match chosen.one("kind") {
        "/volumes" => Kind::Volumes,
        "/networks" => Kind::Networks,
        _ => Kind::Images,
    };
    let shell = panel.shell(&who, &headers, kind.path(), "/images");
    let items = chosen.all("item[]");
    if items.is_empty() {
        let told = Told { title: Words::from(&*shell.lang.say("storage-none-chosen")), ..Told::default() };
        return page_as(&headers, StatusCode::UNPROCESSABLE_ENTITY, &stands_in_the_way(shell, kind, vec![told]));
    }
    let asked = match kind {
        Kind::Images => Prune { images: items, ..Prune::default() },
        Kind::Volumes => Prune { volumes: items, ..Prune::default() },
        Kind::Networks => Prune { networks: items, ..Prune::default() },
    };
    match calls::plan(who, State(panel.api.clone()), Json(asked)).await {
        Ok(axum::Json(Made { id: Some(id), .. })) => Redirect::to(&format!("/storage/plans/{id}")).into_response(),
        Ok(axum::Json(made)) => page(&headers, &of_made(shell, kind, &made)),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

/// One that something stands in the way of.
fn of_made(shell: Shell, kind: Kind, made: &Made) -> Page {
    // The field is of the call, and no field of this page.
    let told = |one: &plans::Blocked| Told { place: String::new(), ..Told::from(one) };
    stands_in_the_way(shell, kind, made.plan.refusals.iter().map(told).collect())
}

fn stands_in_the_way(shell: Shell, kind: Kind, refusals: Vec<Told>) -> Page {
    Page {
        heading: shell.lang.say("storage-plan-refused").into(),
        refusals,
        goes: Vec::new(),
        stays: Vec::new(),
        action: None,
        volumes: Vec::new(),
        typed: None,
        unsure: false,
        back: kind.path(),
        shell,
    }
}

/// A plan that is kept.
pub async fn one(who: Viewer, State(panel): State<Panel>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, &format!("/storage/plans/{id}"), "/images");
    match plans::one(who, State(panel.api.clone()), Path(id), Query(Of::default())).await {
        Ok(axum::Json(kept)) => page(&headers, &of_kept(shell, &kept)),
        Err(refused) => refusal::page_of_none(shell, &headers, refused).await,
    }
}

pub fn of_kept(shell: Shell, kept: &Kept) -> Page {
    let lang = shell.lang;
    let all = |key: &str| kept.plan[key].as_array().into_iter().flatten();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let (mut goes, mut volumes) = (Vec::new(), Vec::new());
    let mut back = Kind::Images.path();
    for step in all("steps") {
        let (kind, word) = match step["action"].as_str().unwrap_or_default() {
            "remove_volume" => ("volume", lang.say("storage-goes-volume")),
            "remove_network" => ("network", lang.say("storage-goes-network")),
            _ => ("image", lang.say("storage-goes-image")),
        };
        let name = text(step, kind);
        match kind {
            "volume" => {
                volumes.push(name.clone());
                back = Kind::Volumes.path();
            }
            "network" => back = Kind::Networks.path(),
            _ => {}
        }
        let why = step["cause"]["what"].as_str().unwrap_or_default();
        let words = Words::from(format!("{word}: {why}").as_str());
        goes.push(Goes { name, words, data: kind == "volume" });
    }
    let note = |note: &Value| match note["subject"].as_str().unwrap_or_default() {
        "" => Words::sentence(&text(note, "text")),
        subject => Words::sentence(&format!("{subject}: {}", text(note, "text"))),
    };
    Page {
        heading: lang.with("storage-plan-title", [("count", goes.len().into())]),
        goes,
        stays: all("notes").map(note).collect(),
        refusals: Vec::new(),
        action: (shell.role == Role::Admin).then(|| format!("/storage/plans/{}/apply", kept.id)),
        typed: volumes.first().filter(|one| volumes.len() == 1 && !is_drawn(one)).cloned(),
        volumes,
        unsure: false,
        back,
        shell,
    }
}

/// Carries it out, where every volume of it was confirmed: on to the work.
pub async fn apply(
    who: Admin,
    viewer: Viewer,
    operator: Operator,
    State(panel): State<Panel>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(sure): Form<Pairs>,
) -> Response {
    if let Some(there) = to_its_work(&panel, &id) {
        return there.into_response();
    }
    let shell = panel.shell(&who, &headers, &format!("/storage/plans/{id}"), "/images");
    let api = || State(panel.api.clone());
    let mut shown = match plans::one(viewer, api(), Path(id.clone()), Query(Of::default())).await {
        Ok(axum::Json(kept)) => of_kept(shell.clone(), &kept),
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    let said = match &shown.typed {
        Some(one) => sure.one("typed") == one,
        None => {
            let sure = sure.all("sure[]");
            shown.volumes.iter().all(|volume| sure.contains(volume))
        }
    };
    if !said {
        shown.unsure = true;
        return page(&headers, &shown);
    }
    match plans::apply(operator, api(), Path(id), Json(Apply::sure())).await {
        Ok(begun) => Redirect::to(&format!("/works/{}", begun.0.id)).into_response(),
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}
