//! People, for admins: all of them, one of them, groups, invitations. What is done here is done by the calls of people, and entered under their names.
//!
//! | subject | file |
//! |---|---|
//! | all of them, and a new one | this one |
//! | one of them | `person` |
//! | groups | `groups` |
//! | invitations | `invitations` |

pub mod groups;
pub mod invitations;
pub mod person;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::form::Fields;
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Mark, Moment};
use super::{Panel, form_page, page};
use crate::auth::accounts::Auth;
use crate::auth::factor::recovery;
use crate::auth::json::fit::{Email, GroupName, Label, Password, UserName};
use crate::auth::json::users::{self as calls, UserRequest, Which};
use crate::auth::json::{User, groups as of_groups};
use crate::auth::routed::Routes;
use crate::auth::table::guard::As;
use crate::auth::who::{Admin, Role};
use crate::base::random::SystemRandom;
use crate::base::wording;
use crate::web::lang::filters;
use crate::web::list;
use crate::web::list::MOST;
use crate::web::read::{Form, Json, Query};

/// People on one page.
const EACH: u16 = 50;

/// All of them.
#[derive(Debug, Template)]
#[template(path = "panel/people/list.html")]
pub struct List {
    pub shell: Shell,
    pub asked: Asked,
    pub groups: Vec<String>,
    pub all: Vec<Row>,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// Somebody in a line.
#[derive(Debug, Clone)]
pub struct Row {
    pub mark: Mark,
    pub name: String,
    /// Where it is another than the user name.
    pub shown: Option<String>,
    pub path: String,
    /// The name of its word.
    pub role: &'static str,
    pub groups: String,
    /// Services that the account is for alone.
    pub only: String,
    pub factor: bool,
    pub last: Option<Moment>,
}

/// Which of them.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub q: String,
    #[serde(default)]
    pub role: String,
    #[serde(default)]
    pub group: String,
    /// `yes`, `no` or whichever.
    #[serde(default)]
    pub active: String,
    /// The same of a second factor.
    #[serde(default)]
    pub factor: String,
    #[serde(default)]
    pub after: String,
}

impl Asked {
    pub fn is_all(&self) -> bool {
        [&self.q, &self.role, &self.group, &self.active, &self.factor].iter().all(|field| field.is_empty())
    }

    pub fn roles(&self) -> [Choice; 4] {
        let one = |each: Role| Choice { value: each.word(), key: role(each), is: each.word() == self.role };
        [Role::Admin, Role::Operator, Role::Member, Role::Viewer].map(one)
    }

    pub fn states(&self) -> [Choice; 2] {
        yes_or_no(&self.active, ["people-active", "people-inactive"])
    }

    pub fn factors(&self) -> [Choice; 2] {
        yes_or_no(&self.factor, ["people-with", "people-without"])
    }

    fn which(&self) -> Which {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let flag = |text: &String| match text.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Which {
            limit: Some(EACH),
            after: given(&self.after),
            sort: None,
            search: given(&self.q),
            role: self.role.parse().ok(),
            is_active: flag(&self.active),
            second_factor: flag(&self.factor),
            group: given(&self.group),
        }
    }

    /// The same from another place on.
    fn path(&self, after: &str) -> String {
        let fields = [
            ("q", &self.q),
            ("role", &self.role),
            ("group", &self.group),
            ("active", &self.active),
            ("factor", &self.factor),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/people?{}", query.append_pair("after", after).finish())
    }
}

pub async fn list(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&admin, &headers, "/people", "/people");
    let groups = group_names(&admin, &auth).await;
    match calls::list(admin, State(auth), Query(asked.which())).await {
        Ok(axum::Json(found)) => page(&headers, &of(shell, asked, groups, found, panel.clock.now())),
        Err(refused) => refusal::page(shell, &headers, refused.into_response()).await,
    }
}

pub fn of(shell: Shell, asked: Asked, groups: Vec<String>, found: list::Page<User>, now: OffsetDateTime) -> List {
    let next = found.next.as_deref().map(|after| asked.path(after));
    let all = found.items.iter().map(|user| row(user, now)).collect();
    List { shell, asked, groups, all, next }
}

fn row(user: &User, now: OffsetDateTime) -> Row {
    Row {
        mark: active(user.is_active),
        name: user.username.clone(),
        shown: Some(user.display_name.clone()).filter(|shown| *shown != user.username),
        path: format!("/people/{}", user.id),
        role: role(user.role),
        groups: user.groups.join(", "),
        only: wording::list(&user.only),
        factor: user.second_factor,
        last: user.last_login.as_deref().and_then(|at| Moment::read(at, now)),
    }
}

/// Whether somebody may sign in.
fn active(is: bool) -> Mark {
    match is {
        true => Mark::of("running", "people-active"),
        false => Mark::of("stopped", "people-inactive"),
    }
}

/// The name of a role's word.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "people-role-viewer",
        Role::Member => "people-role-member",
        Role::Operator => "people-role-operator",
        Role::Admin => "people-role-admin",
    }
}

fn yes_or_no(chosen: &str, [yes, no]: [&'static str; 2]) -> [Choice; 2] {
    [("yes", yes), ("no", no)].map(|(value, key)| Choice { value, key, is: value == chosen })
}

/// What can be chosen: a role, a state.
#[derive(Debug, Clone)]
pub struct Choice {
    pub value: &'static str,
    /// The name of its words.
    pub key: &'static str,
    pub is: bool,
}

pub fn roles(chosen: &str) -> Vec<Choice> {
    let may = |role| match role {
        Role::Viewer => "people-may-viewer",
        Role::Member => "people-may-member",
        Role::Operator => "people-may-operator",
        Role::Admin => "people-may-admin",
    };
    let one = |each: Role| Choice { value: each.word(), key: may(each), is: each.word() == chosen };
    [Role::Member, Role::Viewer, Role::Operator, Role::Admin].map(one).to_vec()
}

/// A box to be ticked.
#[derive(Debug, Clone)]
pub struct Tick {
    pub name: String,
    pub is: bool,
}

/// Names of all groups.
async fn group_names(admin: &Admin, auth: &Arc<Auth>) -> Vec<String> {
    let which = of_groups::Which { limit: Some(MOST), ..Default::default() };
    let found = of_groups::list(admin.clone(), State(auth.clone()), Query(which)).await;
    found.map(|axum::Json(page)| page.items.into_iter().map(|group| group.name).collect()).unwrap_or_default()
}

/// Somebody who is to be added.
#[derive(Debug, Template)]
#[template(path = "panel/people/new.html")]
pub struct New {
    pub shell: Shell,
    pub told: Vec<Told>,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub roles: Vec<Choice>,
    pub groups: Vec<Tick>,
}

pub async fn new(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&admin, &headers, "/people/new", "/people");
    let groups = group_names(&admin, &auth).await;
    page(&headers, &of_new(shell, &Fields::default(), groups, Vec::new()))
}

pub fn of_new(shell: Shell, fields: &Fields, groups: Vec<String>, told: Vec<Told>) -> New {
    let ticked = fields.ticked(GROUP);
    let tick = |name: String| Tick { is: ticked.contains(&name), name };
    let chosen = fields.given("role").unwrap_or_else(|| Role::Member.word().to_owned());
    New {
        roles: roles(&chosen),
        shell,
        told,
        username: fields.text("username").to_owned(),
        display_name: fields.text("display_name").to_owned(),
        email: fields.text("email").to_owned(),
        groups: groups.into_iter().map(tick).collect(),
    }
}

/// What the box of a group is called, before the group's name.
const GROUP: &str = "group.";
/// The same of a service that an account is for alone.
const ONLY: &str = "only.";

/// Adds somebody. Where no password was thought of one is made up, and shown once on their page.
pub async fn add(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let typed = Some(fields.raw("password")).filter(|text| !text.is_empty());
    let made = typed.is_none().then(|| recovery::code(&SystemRandom));
    let password = typed.or_else(|| made.as_ref().map(|made| made.expose().to_owned())).unwrap_or_default();
    let asked = UserRequest {
        username: UserName(fields.text("username").to_owned()),
        email: fields.given("email").map(Email),
        display_name: fields.given("display_name").map(Label),
        role: fields.text("role").parse().unwrap_or(Role::Member),
        groups: fields.ticked(GROUP).into_iter().map(GroupName).collect(),
        only: Vec::new(),
        password: Some(Password::of(password)),
    };
    match calls::add(admin.clone(), State(auth.clone()), State(routes), Json(asked)).await {
        Ok((_, axum::Json(user))) => {
            let path = format!("/people/{}", user.id);
            if let Some(made) = made {
                panel.once.put(&admin, &path, made);
            }
            As::of("users.add", Redirect::to(&path).into_response())
        }
        Err(refused) => {
            let shell = panel.shell(&admin, &headers, "/people/new", "/people");
            let groups = group_names(&admin, &auth).await;
            let again = form_page(&headers, refused.into_response(), |told| of_new(shell, &fields, groups, told));
            As::of("users.add", again.await)
        }
    }
}
