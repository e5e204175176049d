//! Somebody is invited to this service alone: by a link, shown once, they make an account that enters it and nothing else that asks for a login.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::{Page, Place, shown};
use crate::auth::accounts::Auth;
use crate::auth::factor::totp;
use crate::auth::json::fit::{Note, ServiceName};
use crate::auth::json::invitations::{self as calls, InvitationRequest};
use crate::auth::routed::{self, Routed, Routes};
use crate::auth::table::guard::{As, Detail};
use crate::auth::who::{Admin, Identity, Role, Viewer};
use crate::base::secret::Secret;
use crate::panel::form::Fields;
use crate::panel::refusal::{self, Told};
use crate::panel::{Panel, form_page};
use crate::web::Caller;
use crate::web::read::{Form, Json, Path};

/// The form, and the link that was just made.
#[derive(Debug, Clone)]
pub struct Invite {
    pub service: String,
    /// Where the form goes.
    pub action: String,
    pub told: Vec<Told>,
    pub note: String,
    pub days: String,
    /// The link, and the same to be scanned.
    pub made: Option<(Secret, Option<Secret>)>,
}

impl Invite {
    /// For an admin who looks at a service of the home that asks for a login.
    pub fn of(who: &Identity, place: &Place, routes: &[Routed]) -> Option<Invite> {
        let asks = place.project.is_none() && routed::logins(routes).contains(&place.name.as_str());
        (who.role == Role::Admin && asks).then(|| Invite {
            service: place.name.clone(),
            action: place.to("/invite"),
            told: Vec::new(),
            note: String::new(),
            days: "7".into(),
            made: None,
        })
    }

    /// With the link that this admin has just made, once.
    pub fn with_made(self, who: &Identity, panel: &Panel) -> Invite {
        let link = panel.once.take(who, &self.action);
        let made = link.map(|link| {
            let drawn = totp::drawn(link.expose());
            (link, drawn)
        });
        Invite { made, ..self }
    }
}

/// Makes the invitation. Its link leads to the name under which the panel was asked for.
pub async fn invite(
    admin: Admin,
    who: Viewer,
    (State(panel), State(auth), State(routes)): (State<Panel>, State<Arc<Auth>>, State<Routes>),
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let asked = InvitationRequest {
        role: Role::Member,
        only: vec![ServiceName(name.clone())],
        note: fields.given("note").map(Note),
        days: fields.number("days").unwrap_or_default(),
        uses: 1,
    };
    let place = Place::of(name.clone(), None, None);
    let mut answer = match calls::add(admin.clone(), State(auth), State(routes.clone()), Json(asked)).await {
        Ok((_, axum::Json(made))) => {
            let host = caller.host.unwrap_or_default();
            panel.once.put(&admin, &place.to("/invite"), Secret::new(format!("https://{host}{}", made.path)));
            Redirect::to(&format!("{}#service-invite", place.to(""))).into_response()
        }
        Err(refused) => match shown(who, &panel, &routes, place, &headers).await {
            // Nobody is asked there any more: the form is not shown again.
            Ok(page) if page.invite.is_none() => refusal::page(page.shell, &headers, refused.into_response()).await,
            Ok(page) => {
                let text = |name: &str| fields.text(name).to_owned();
                let (note, days) = (text("note"), text("days"));
                let invite = |one| Invite { note, days, ..one };
                let again = |told| Page { invite: page.invite.map(|one| Invite { told, ..invite(one) }), ..page };
                form_page(&headers, refused.into_response(), again).await
            }
            Err(answer) => answer,
        },
    };
    answer.extensions_mut().insert(Detail(json!({"role": "member", "only": [name]})));
    As::of("invitations.add", answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::who::By;

    #[test]
    fn an_admin_invites_to_a_service_of_the_home_that_asks_for_a_login() {
        let who = |role| Identity {
            user: 1,
            name: "ada".into(),
            role,
            groups: Vec::new(),
            only: Vec::new(),
            by: By::Session("s".into()),
        };
        let routes = [("photos", true), ("films", false)].map(|(service, login)| Routed {
            service: service.into(),
            group: None,
            login,
        });
        let at = |name: &str, project: Option<&str>| Place::of(name.into(), project.map(str::to_owned), None);
        assert!(Invite::of(&who(Role::Admin), &at("photos", None), &routes).is_some());
        for (role, place) in [
            (Role::Operator, at("photos", None)),
            (Role::Viewer, at("photos", None)),
            (Role::Admin, at("films", None)),
            (Role::Admin, at("notes", None)),
            (Role::Admin, at("photos", Some("lab"))),
        ] {
            assert!(Invite::of(&who(role), &place, &routes).is_none(), "{role} {place:?}");
        }
    }
}
