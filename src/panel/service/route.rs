//! The form of a service's way in: its address, its port, who may enter. What is typed is saved by the call of the API, and the plan comes before anything happens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::{Page, Place, drawn};
use crate::auth::accounts::Auth;
use crate::auth::json::groups;
use crate::auth::routed::Routes;
use crate::auth::who::{Admin, Operator, Viewer};
use crate::diag::Diagnostic;
use crate::panel::form::Fields;
use crate::panel::refusal::{self, Told};
use crate::panel::words::part;
use crate::panel::{Panel, page_as, plan};
use crate::spec::Mode;
use crate::stacks::json::route as calls;
use crate::web::list::MOST as ALL;
use crate::web::read::{Form as Read, Json, Path, Query};
use crate::web::{Code, Lang, Refusal, Words, over};

/// More than a stack that was saved.
const MOST: usize = 16 << 20;

/// What somebody chooses from, each with the name of its word.
const ACCESS: [(&str, &str); 5] = [
    ("user", "service-route-user"),
    ("lan", "service-route-lan"),
    ("lan-or-user", "service-route-lan-or-user"),
    ("public", "service-route-public"),
    ("admin", "service-route-admin"),
];

#[derive(Debug, Clone, Default)]
pub struct Form {
    pub action: String,
    pub open: bool,
    /// There is a route already.
    pub is_there: bool,
    /// What stands there now.
    pub before: (String, String),
    pub etag: String,
    pub host: Field,
    pub port: Field,
    pub access: Field,
    pub choices: Vec<Choice>,
    /// Ports to choose from.
    pub ports: Vec<u16>,
    /// The home's own, where it has one.
    pub domain: Option<String>,
    /// Addresses are for domain mode, and this is the other one.
    pub localhost: bool,
    /// Where its stack is as text, and why it can only be changed there.
    pub stack: String,
    pub by_hand: Option<Words>,
    /// What was refused and is of no field.
    pub told: Vec<Told>,
}

/// What stands in a field, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Field {
    pub text: String,
    pub told: Vec<Told>,
}

/// Who may enter.
#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    pub word: String,
    pub chosen: bool,
}

impl Form {
    /// For the page of a service of the home itself; `None` where no stack names it, or the stacks hold mistakes.
    pub async fn of(panel: &Panel, auth: &State<Arc<Auth>>, who: &Admin, page: &Page, exposes: &[u16]) -> Option<Form> {
        let name = page.place.name.clone();
        let answer = calls::show(who.clone(), State(panel.api.clone()), Path(name)).await.ok()?;
        let (head, shown) = refusal::json(answer, MOST).await;
        let etag = head.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let which = Query(groups::Which { limit: Some(ALL), ..Default::default() });
        let groups = groups::list(who.clone(), auth.clone(), which).await;
        let groups = groups.map(|all| all.0.items.into_iter().map(|one| one.name).collect()).unwrap_or_default();
        let home = panel.api.home().ok()?;
        let mut form = made(page.shell.lang, &page.place, &shown, exposes, groups);
        form.etag = etag.to_owned();
        form.domain = home.domain().ok().flatten();
        form.localhost = home.config.mode == Mode::Localhost;
        Some(form)
    }

    pub fn known(&self) -> String {
        let all: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        crate::base::wording::list(&all)
    }

    /// With what was typed, and what the call has said of it.
    fn refused(&mut self, typed: &Fields, told: &[Value]) {
        self.open = true;
        self.host.text = typed.text("host").to_owned();
        self.port.text = typed.text("port").to_owned();
        self.choose(typed.text("access"));
        for one in told {
            let field = one["field"].as_str().unwrap_or_default();
            let all = match field.rsplit('.').next().unwrap_or_default() {
                "host" => &mut self.host.told,
                "port" => &mut self.port.told,
                "access" => &mut self.access.told,
                _ => &mut self.told,
            };
            all.push(Told::of(one));
        }
    }

    fn choose(&mut self, access: &str) {
        self.access.text = access.to_owned();
        self.choices.iter_mut().for_each(|one| one.chosen = one.value == access);
    }
}

/// From what the call shows of a route.
pub fn made(lang: Lang, place: &Place, shown: &Value, exposes: &[u16], groups: Vec<String>) -> Form {
    let text = |key: &str| shown["route"][key].as_str().map(str::to_owned);
    let mut ports: Vec<u16> = shown["ports"].as_array().into_iter().flatten().filter_map(port).collect();
    ports.extend(exposes.iter().filter(|port| !ports.contains(port)).copied().collect::<Vec<_>>());
    let is_there = shown["route"].is_object();
    let field = |text: Option<String>| Field { text: text.unwrap_or_default(), told: Vec::new() };
    let first = ports.first().map(u16::to_string);
    let access = text("access").unwrap_or_else(|| "user".into());
    let known = ACCESS.iter().map(|(value, key)| ((*value).to_owned(), lang.say(key).into_owned()));
    let of_groups = groups.into_iter().map(|group| {
        let word = lang.with("service-route-group", [("group", group.as_str().into())]);
        (format!("group:{group}"), word)
    });
    let mut choices: Vec<Choice> =
        known.chain(of_groups).map(|(value, word)| Choice { value, word, chosen: false }).collect();
    // What stands there can be kept, though nobody knows it.
    if !choices.iter().any(|one| one.value == access) {
        choices.push(Choice { value: access.clone(), word: access.clone(), chosen: false });
    }
    let by_hand = shown["by_hand"].as_str().map(Words::sentence);
    let mut form = Form {
        action: place.to("/route"),
        open: !is_there && by_hand.is_none(),
        is_there,
        before: (text("host").unwrap_or_default(), text("port").unwrap_or_default()),
        host: field(text("host").or_else(|| Some(place.name.replace(['_', '.'], "-").to_lowercase()))),
        port: field(text("port").or(first)),
        choices,
        ports,
        stack: format!("/stacks/{}", part(shown["stack"].as_str().unwrap_or_default())),
        by_hand,
        ..Form::default()
    };
    form.choose(&access);
    form
}

fn port(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| port.try_into().ok())
}

/// Saves what was typed, and leads to the plan of it.
pub async fn act(
    who: Admin,
    (operator, viewer): (Operator, Viewer),
    (State(panel), State(routes)): (State<Panel>, State<Routes>),
    auth: State<Arc<Auth>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Read(typed): Read<Fields>,
) -> Response {
    let place = Place::of(name.clone(), None, None);
    let over = over(typed.text("etag"));
    let api = State(panel.api.clone());
    let saved = match typed.text("act") {
        "remove" => calls::remove(who.clone(), api, auth.clone(), Path(name), over).await,
        _ => match asked(&typed) {
            Ok(asked) => calls::set(who.clone(), api, auth.clone(), Path(name), over, Json(asked)).await,
            Err(refused) => Err(refused),
        },
    };
    match saved {
        Ok(saved) => planned(operator, &panel, &place, &headers, saved).await,
        Err(refused) => again(who, viewer, (&panel, &routes, &auth), place, &headers, (&typed, refused)).await,
    }
}

/// What the form asks for. A port that holds a variable is sent back as it stood there, and stays.
fn asked(typed: &Fields) -> Result<calls::Set, Response> {
    let port = typed.text("port");
    if !port.is_empty() && port != typed.text("port_before") && port.parse::<u16>().is_err() {
        let d = Diagnostic::error("spec.wrong-value", format!("`{port}` is no port")).field("port");
        return Err(Refusal(d.hint("a port is a number from 1 to 65535")).into_response());
    }
    Ok(calls::Set {
        host: typed.given("host").or_else(|| typed.given("host_before").map(|_| String::new())),
        port: port.parse().ok(),
        access: typed.given("access"),
        message: None,
    })
}

/// On to the plan of all that is on; back to the service where that is nothing.
async fn planned(operator: Operator, panel: &Panel, place: &Place, headers: &HeaderMap, saved: Response) -> Response {
    let shell = panel.shell(&operator, headers, &place.to(""), "/");
    let (_, saved) = refusal::json(saved, MOST).await;
    let version = saved["version"].as_str().unwrap_or("same");
    match plan::of_all(operator, panel, headers, shell, version).await {
        Some(answer) => answer,
        None => Redirect::to(&place.with("", "saved=route")).into_response(),
    }
}

/// The page again, with what was typed and what is wrong with it.
async fn again(
    who: Admin,
    viewer: Viewer,
    (panel, routes, auth): (&Panel, &Routes, &State<Arc<Auth>>),
    place: Place,
    headers: &HeaderMap,
    (typed, mut refused): (&Fields, Response),
) -> Response {
    let code = refused.extensions_mut().remove::<Code>();
    let (status, told) = refusal::values(refused).await;
    let (mut shown, exposes) = match drawn(viewer, panel, routes, place, headers).await {
        Ok(drawn) => drawn,
        Err(missing) => return missing,
    };
    shown.form = Form::of(panel, auth, &who, &shown, &exposes).await;
    let mut answer = match &mut shown.form {
        Some(form) => {
            form.refused(typed, &told);
            page_as(headers, status, &shown)
        }
        None => {
            let all = told.iter().map(Told::of).collect();
            page_as(headers, status, &refusal::Page::of(shown.shell, all))
        }
    };
    if let Some(code) = code {
        answer.extensions_mut().insert(code);
    }
    answer
}
