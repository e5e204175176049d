//! Groups: who is in each, and which ways in are for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::person::{named, no_such_act};
use crate::auth::accounts::Auth;
use crate::auth::json::fit::{GroupName, Note};
use crate::auth::json::groups::{self as calls, Group, GroupChange, GroupRequest, Removal, Which};
use crate::auth::json::{Refused, users};
use crate::auth::routed::{self, Routes};
use crate::auth::table::guard::{As, Detail};
use crate::auth::who::Admin;
use crate::panel::form::Fields;
use crate::panel::refusal::{self, Told};
use crate::panel::shell::Shell;
use crate::panel::{Panel, form_page, page};
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::over;
use crate::web::read::{Form, Json, Path, Query};

/// All of them, and a new one.
#[derive(Debug, Template)]
#[template(path = "panel/people/groups.html")]
pub struct List {
    pub shell: Shell,
    pub told: Vec<Told>,
    pub all: Vec<Row>,
    /// Where the next ones are.
    pub next: Option<String>,
    pub name: String,
    pub about: String,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub about: String,
    pub members: usize,
    /// Services that are for it alone.
    pub services: usize,
}

/// One of them.
#[derive(Debug, Template)]
#[template(path = "panel/people/group.html")]
pub struct Page {
    pub shell: Shell,
    pub told: Vec<Told>,
    pub at: String,
    pub name: String,
    pub about: String,
    pub tag: String,
    pub members: Vec<Member>,
    /// Who could be added.
    pub others: Vec<String>,
    pub services: Vec<Served>,
}

/// What a route of the group leads to.
#[derive(Debug, Clone)]
pub struct Served {
    pub name: String,
    /// It is a service of the home; others stand in `hearth.yaml`.
    pub has_page: bool,
}

#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub id: Option<i64>,
}

#[derive(Debug, Default, serde::Deserialize)]
pub struct From_ {
    #[serde(default)]
    after: Option<String>,
}

async fn listed(
    admin: &Admin,
    panel: &Panel,
    auth: &Arc<Auth>,
    routes: &Routes,
    after: Option<String>,
    headers: &HeaderMap,
) -> Result<List, Response> {
    let shell = panel.shell(admin, headers, "/groups", "/people");
    let which = Which { after, ..Default::default() };
    match calls::list(admin.clone(), State(auth.clone()), Query(which)).await {
        Ok(axum::Json(found)) => {
            let routes = routes.look().await.unwrap_or_default();
            let next = found.next.map(|after| format!("/groups?after={after}"));
            Ok(of_list(shell, &found.items, &routes, next))
        }
        Err(refused) => Err(refusal::page(shell, headers, refused.into_response()).await),
    }
}

pub fn of_list(shell: Shell, all: &[Group], routes: &[routed::Routed], next: Option<String>) -> List {
    let row = |group: &Group| Row {
        name: group.name.clone(),
        about: group.about.clone(),
        members: group.members.len(),
        services: routed::of_group(routes, &group.name).len(),
    };
    let all = all.iter().map(row).collect();
    List { shell, told: Vec::new(), all, next, name: String::new(), about: String::new() }
}

pub async fn overview(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    Query(from): Query<From_>,
    headers: HeaderMap,
) -> Response {
    match listed(&admin, &panel, &auth, &routes, from.after, &headers).await {
        Ok(list) => page(&headers, &list),
        Err(refused) => refused,
    }
}

pub async fn make(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let (name, about) = (fields.text("name").to_lowercase(), fields.text("about").to_owned());
    let asked = GroupRequest { name: GroupName(name.clone()), about: Some(Note(about.clone())) };
    let answer = match calls::add(admin.clone(), State(auth.clone()), Json(asked)).await {
        Ok(_) => Redirect::to(&format!("/groups/{name}")).into_response(),
        Err(refused) => match listed(&admin, &panel, &auth, &routes, None, &headers).await {
            Ok(list) => {
                let again = |told| List { told, name, about, ..list };
                form_page(&headers, refused.into_response(), again).await
            }
            Err(answer) => answer,
        },
    };
    As::of("groups.add", answer)
}

async fn shown(
    admin: &Admin,
    panel: &Panel,
    auth: &Arc<Auth>,
    routes: &Routes,
    name: &str,
    headers: &HeaderMap,
) -> Result<Page, Response> {
    let shell = panel.shell(admin, headers, &format!("/groups/{name}"), "/people");
    let found = async {
        let (tag, axum::Json(group)) = calls::show(admin.clone(), State(auth.clone()), Path(name.to_owned())).await?;
        let which = users::Which { limit: Some(MOST), ..Default::default() };
        let all = users::list(admin.clone(), State(auth.clone()), Query(which)).await?.0.items;
        Ok::<_, Refused>((tag, group, all))
    };
    match found.await {
        Ok(([(_, tag)], group, all)) => {
            let routes = routes.look().await.unwrap_or_default();
            let people: Vec<(i64, String)> = all.into_iter().map(|one| (one.id, one.username)).collect();
            let seen = panel.world.now().await;
            Ok(of_one(shell, &group, tag.to_str().unwrap_or_default(), &people, &routes, &seen.names()))
        }
        Err(refused) => {
            let shell = Shell { path: "/groups".into(), ..shell };
            Err(refusal::page(shell, headers, refused.into_response()).await)
        }
    }
}

/// `people`: numbers and names of all that could be in it. `known`: the services that have a page.
pub fn of_one(
    shell: Shell,
    group: &Group,
    tag: &str,
    people: &[(i64, String)],
    routes: &[routed::Routed],
    known: &BTreeSet<&str>,
) -> Page {
    let served = |name: &str| Served { name: name.to_owned(), has_page: known.contains(name) };
    let id = |name: &String| people.iter().find(|(_, known)| known == name).map(|(id, _)| *id);
    let members = group.members.iter().map(|name| Member { name: name.clone(), id: id(name) }).collect();
    let others = people.iter().map(|(_, name)| name).filter(|name| !group.members.contains(name)).cloned();
    Page {
        shell,
        told: Vec::new(),
        at: String::new(),
        name: group.name.clone(),
        about: group.about.clone(),
        tag: tag.to_owned(),
        members,
        others: others.collect(),
        services: routed::of_group(routes, &group.name).into_iter().map(served).collect(),
    }
}

pub async fn show(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match shown(&admin, &panel, &auth, &routes, &name, &headers).await {
        Ok(group) => page(&headers, &group),
        Err(refused) => refused,
    }
}

/// Changes or removes one.
pub async fn act(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let act = fields.text("act").to_owned();
    let call = if act == "remove" { "groups.remove" } else { "groups.change" };
    let answer = match done(&admin, &auth, &routes, &name, &act, &fields).await {
        Ok(detail) => {
            let to = if act == "remove" { "/groups".to_owned() } else { format!("/groups/{name}") };
            let mut answer = Redirect::to(&to).into_response();
            answer.extensions_mut().insert(Detail(detail));
            answer
        }
        Err(refused) => match shown(&admin, &panel, &auth, &routes, &name, &headers).await {
            Ok(group) => {
                let again = |told| Page { told, at: act, ..group };
                form_page(&headers, refused.into_response(), again).await
            }
            Err(answer) => answer,
        },
    };
    As::of(call, answer)
}

async fn done(
    admin: &Admin,
    auth: &Arc<Auth>,
    routes: &Routes,
    name: &str,
    act: &str,
    fields: &Fields,
) -> Result<serde_json::Value, Refused> {
    let (who, state, path) = (admin.clone(), State(auth.clone()), Path(name.to_owned()));
    if act == "remove" {
        named(fields, name)?;
        let how = Removal { force: fields.has("force") };
        calls::remove(who, state, State(routes.clone()), path, Query(how)).await?;
        return Ok(json!({ "name": name }));
    }
    let mut members = auth.group(name).await?.members;
    let mut change = GroupChange { about: None, members: None };
    let whom = fields.text("username").to_lowercase();
    match act {
        "about" => change.about = Some(Note(fields.text("about").to_owned())),
        "join" => {
            members.push(whom);
            change.members = Some(members);
        }
        "leave" => {
            members.retain(|one| *one != whom);
            change.members = Some(members);
        }
        _ => return Err(no_such_act().into()),
    }
    let detail = json!({ "name": name, "members": change.members });
    // Over the version that was looked at: nobody is taken away in silence whom somebody else has just added.
    calls::change(who, state, path, over(fields.text("tag")), Json(change)).await.map(drop)?;
    Ok(detail)
}
