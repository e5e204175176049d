//! Invitations: those that hold, and a new one, whose link is shown once.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use time::OffsetDateTime;

use super::{Choice, person, role, roles};
use crate::auth::accounts::Auth;
use crate::auth::factor::totp;
use crate::auth::json::fit::Note;
use crate::auth::json::invitations::{self as calls, Invitation, InvitationRequest, Which};
use crate::auth::routed::Routes;
use crate::auth::table::guard::As;
use crate::auth::who::{Admin, Role};
use crate::base::secret::Secret;
use crate::base::wording;
use crate::panel::form::Fields;
use crate::panel::refusal::{self, Told};
use crate::panel::shell::Shell;
use crate::panel::words::Moment;
use crate::panel::{Panel, form_page, page};
use crate::web::Caller;
use crate::web::lang::filters;
use crate::web::read::{Form, Json, Path, Query};

const PATH: &str = "/invitations";

#[derive(Debug, Template)]
#[template(path = "panel/people/invitations.html")]
pub struct List {
    pub shell: Shell,
    pub told: Vec<Told>,
    /// The one that was just made: its link, and the same to be scanned.
    pub made: Option<(Secret, Option<Secret>)>,
    pub roles: Vec<Choice>,
    pub note: String,
    pub days: String,
    pub uses: String,
    pub all: Vec<Row>,
    /// Where the next ones are.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    /// The name of its word.
    pub role: &'static str,
    /// Services that the account will be for alone.
    pub only: String,
    pub note: String,
    pub by: String,
    pub made: Option<Moment>,
    pub until: String,
    pub uses: i64,
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
    after: Option<String>,
    headers: &HeaderMap,
) -> Result<List, Response> {
    let shell = panel.shell(admin, headers, PATH, "/people");
    let which = Which { after, ..Default::default() };
    match calls::list(admin.clone(), State(auth.clone()), Query(which)).await {
        Ok(axum::Json(found)) => {
            let next = found.next.map(|after| format!("{PATH}?after={after}"));
            Ok(of(shell, found.items, next, panel.clock.now()))
        }
        Err(refused) => Err(refusal::page(shell, headers, refused.into_response()).await),
    }
}

pub fn of(shell: Shell, all: Vec<Invitation>, next: Option<String>, now: OffsetDateTime) -> List {
    let row = |one: Invitation| Row {
        id: one.id,
        role: role(one.role.parse().unwrap_or(Role::Viewer)),
        only: wording::list(&one.only),
        note: one.note,
        by: one.created_by,
        made: Moment::read(&one.created_at, now),
        until: one.expires.get(..10).unwrap_or_default().to_owned(),
        uses: one.uses_left,
    };
    List {
        roles: roles(Role::Member.word()),
        shell,
        told: Vec::new(),
        made: None,
        note: String::new(),
        days: "7".into(),
        uses: "1".into(),
        all: all.into_iter().map(row).collect(),
        next,
    }
}

pub async fn overview(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    Query(from): Query<From_>,
    headers: HeaderMap,
) -> Response {
    match listed(&admin, &panel, &auth, from.after, &headers).await {
        Ok(list) => {
            let link = panel.once.take(&admin, PATH);
            let made = link.map(|link| {
                let drawn = totp::drawn(link.expose());
                (link, drawn)
            });
            page(&headers, &List { made, ..list })
        }
        Err(refused) => refused,
    }
}

/// Makes one. Its link leads to the name under which the panel was asked for.
pub async fn make(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let asked = InvitationRequest {
        role: fields.text("role").parse().unwrap_or(Role::Member),
        only: Vec::new(),
        note: fields.given("note").map(Note),
        days: fields.number("days").unwrap_or_default(),
        uses: fields.number("uses").unwrap_or_default(),
    };
    let answer = match calls::add(admin.clone(), State(auth.clone()), State(routes), Json(asked)).await {
        Ok((_, axum::Json(made))) => {
            let host = caller.host.unwrap_or_default();
            panel.once.put(&admin, PATH, Secret::new(format!("https://{host}{}", made.path)));
            Redirect::to(PATH).into_response()
        }
        Err(refused) => match listed(&admin, &panel, &auth, None, &headers).await {
            Ok(list) => {
                let text = |name: &str| fields.text(name).to_owned();
                let (note, days, uses) = (text("note"), text("days"), text("uses"));
                let again = |told| List { roles: roles(fields.text("role")), told, note, days, uses, ..list };
                form_page(&headers, refused.into_response(), again).await
            }
            Err(answer) => answer,
        },
    };
    As::of("invitations.add", answer)
}

/// Ends one.
pub async fn act(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let shell = panel.shell(&admin, &headers, PATH, "/people");
    let done = match fields.text("act") {
        "end" => calls::end(admin, State(auth), Path(id)).await,
        _ => Err(person::no_such_act().into()),
    };
    let answer = match done {
        Ok(_) => Redirect::to(PATH).into_response(),
        Err(refused) => refusal::page(shell, &headers, refused.into_response()).await,
    };
    As::of("invitations.end", answer)
}
