//! Somebody's own account: what they are called, how they sign in, where they are signed in, their API tokens.
//!
//! | subject | file |
//! |---|---|
//! | the page, and what its forms do | this one |
//! | another password | `password` |
//! | an app with codes, signed in or not yet | `factor` |

pub mod factor;
pub mod password;

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, FromRef, FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::form::Fields;
use super::people::person::{Held, SignedIn, no_such_act};
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::Moment;
use super::{Panel, form_page, page};
use crate::auth::accounts::Auth;
use crate::auth::json::fit::{Email, Label, Scope};
use crate::auth::json::sessions::{self, Session};
use crate::auth::json::tokens::{self, ApiTokenRequest, Token};
use crate::auth::json::{Refused, User, me};
use crate::auth::oidc;
use crate::auth::page::keys::{Desk, Provider, Ways};
use crate::auth::routed::Routes;
use crate::auth::table::guard::{As, Detail};
use crate::auth::who::{self, Person, Role};
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::{Form, Json, Path, Query};
use crate::web::{Caller, Refusal};

const PATH: &str = "/account";

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/account/page.html")]
pub struct Account {
    pub shell: Shell,
    pub told: Vec<Told>,
    /// Which form was refused.
    pub at: String,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub groups: String,
    pub keys: Vec<Held>,
    pub here: bool,
    pub elsewhere: Option<String>,
    pub provider: Option<Provider>,
    pub factor: bool,
    pub codes_left: i64,
    pub required: bool,
    pub proof: bool,
    pub sessions: Vec<SignedIn>,
    pub tokens: Vec<Held>,
    /// A token that was just made.
    pub made: Option<Secret>,
    /// What a token of theirs may: the scope, and the name of its words.
    pub scopes: Vec<(&'static str, &'static str)>,
    /// Services whose route takes a token.
    pub services: Vec<String>,
}

/// What is known of somebody, by their own calls.
pub struct Known {
    pub user: User,
    pub ways: Ways,
    pub sessions: Vec<Session>,
    pub tokens: Vec<Token>,
    pub services: Vec<String>,
}

/// What a page of somebody's own works with.
#[derive(Clone)]
pub struct Own {
    pub panel: Panel,
    pub auth: Arc<Auth>,
    pub desk: Arc<Desk>,
    pub routes: Routes,
}

async fn known(own: &Own, who: &who::User, caller: &Caller) -> Result<Known, Response> {
    let (me, state) = (|| who.clone(), || State(own.auth.clone()));
    let listed = sessions::Listed { limit: Some(MOST), ..Default::default() };
    let held = tokens::Which { limit: Some(MOST), ..Default::default() };
    let found = async {
        Ok::<_, Refused>(Known {
            user: me::me(me(), state()).await?.0,
            ways: own.desk.ways(who, caller).await?,
            sessions: sessions::list(me(), state(), Query(listed)).await?.0.items,
            tokens: tokens::list(me(), state(), Query(held)).await?.0.items,
            services: Vec::new(),
        })
    };
    let known = found.await.map_err(IntoResponse::into_response)?;
    let mut services: Vec<String> =
        own.routes.look().await.unwrap_or_default().into_iter().map(|route| route.service).collect();
    services.sort();
    services.dedup();
    Ok(Known { services, ..known })
}

pub fn of(shell: Shell, known: Known, now: OffsetDateTime) -> Account {
    let Known { user, ways, sessions, tokens, services } = known;
    let scopes = match user.role {
        Role::Admin => 3,
        Role::Operator => 2,
        Role::Viewer | Role::Member => 1,
    };
    let all = [("read", "account-scope-read"), ("operate", "account-scope-operate"), ("admin", "account-scope-admin")];
    Account {
        shell,
        told: Vec::new(),
        at: String::new(),
        username: user.username,
        display_name: user.display_name,
        email: user.email.unwrap_or_default(),
        groups: user.groups.join(", "),
        keys: ways.keys.into_iter().map(|key| of_key(key, now)).collect(),
        here: ways.here,
        elsewhere: ways.elsewhere,
        provider: ways.provider,
        factor: ways.factor.on,
        codes_left: ways.factor.codes_left,
        required: ways.factor.required,
        proof: ways.proof,
        sessions: sessions.into_iter().map(|one| SignedIn::of(one, now)).collect(),
        tokens: tokens.into_iter().map(|one| Held::of_token(one, now)).collect(),
        made: None,
        scopes: all.into_iter().take(scopes).collect(),
        services,
    }
}

fn of_key(key: crate::auth::passkeys::Key, now: OffsetDateTime) -> Held {
    let used = key.last_used.map(|at| Moment::ms(at, now));
    Held { id: key.id, name: key.name, more: String::new(), made: Some(Moment::ms(key.made, now)), used, expires: None }
}

impl Own {
    async fn shown(&self, who: &who::User, caller: &Caller, headers: &HeaderMap) -> Result<Account, Response> {
        let shell = self.panel.shell(who, headers, PATH, PATH);
        match known(self, who, caller).await {
            Ok(known) => Ok(of(shell, known, self.panel.clock.now())),
            Err(refused) => Err(refusal::page(shell, headers, refused).await),
        }
    }

    /// Back to the page; or the page with what was wrong, at the form where it was.
    async fn after(
        &self,
        who: &who::User,
        caller: &Caller,
        headers: &HeaderMap,
        at: &str,
        done: Result<(), Response>,
    ) -> Response {
        let refused = match done {
            Ok(()) => return Redirect::to(PATH).into_response(),
            Err(refused) => refused,
        };
        match self.shown(who, caller, headers).await {
            Ok(account) => {
                let again = |told| Account { told, at: at.to_owned(), ..account };
                form_page(headers, refused, again).await
            }
            // Without the page around it the refusal is said all the same.
            Err(_) => refused,
        }
    }
}

impl<S> FromRequestParts<S> for Own
where
    S: Send + Sync,
    Panel: FromRef<S>,
    Arc<Desk>: FromRef<S>,
    Routes: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Own, Infallible> {
        let desk: Arc<Desk> = FromRef::from_ref(state);
        Ok(Own { panel: FromRef::from_ref(state), auth: desk.auth.clone(), desk, routes: FromRef::from_ref(state) })
    }
}

fn refused(told: Diagnostic) -> Response {
    Refusal(told).into_response()
}

pub async fn show(who: who::User, own: Own, Extension(caller): Extension<Caller>, headers: HeaderMap) -> Response {
    match own.shown(&who, &caller, &headers).await {
        Ok(account) => {
            let made = own.panel.once.take(&who, PATH);
            page(&headers, &Account { made, ..account })
        }
        Err(refused) => refused,
    }
}

/// One act of the page, named as the call that does it.
fn call_of(act: &str) -> &'static str {
    match act {
        "names" => "me.change",
        "end-session" => "sessions.end",
        "end-sessions" => "sessions.end_all",
        "add-token" => "tokens.add",
        "end-token" => "tokens.end",
        _ => "account.act",
    }
}

/// Does what a form of the page says; each is a call of the API.
pub async fn act(
    who: Person,
    seen: who::User,
    own: Own,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let act = fields.text("act").to_owned();
    let done = done(&who, &own, &act, &fields).await.map_err(IntoResponse::into_response);
    let detail = (act == "add-token" && done.is_ok()).then(|| json!({ "scopes": fields.ticked(SCOPE) }));
    let mut answer = own.after(&seen, &caller, &headers, &act, done).await;
    if let Some(detail) = detail {
        answer.extensions_mut().insert(Detail(detail));
    }
    As::of(call_of(&act), answer)
}

/// What the box of a scope is called, before the scope.
const SCOPE: &str = "scope.";

async fn done(who: &Person, own: &Own, act: &str, fields: &Fields) -> Result<(), Refused> {
    let (me, state) = (|| who.clone(), || State(own.auth.clone()));
    let id = || Path(fields.text("id").to_owned());
    match act {
        "names" => {
            let asked = me::MeChange {
                display_name: Some(Label(fields.text("display_name").to_owned())),
                email: Some(Email(fields.text("email").to_owned())),
            };
            me::change(me(), state(), Json(asked)).await.map(drop)?;
        }
        "end-session" => sessions::end(me(), state(), id()).await.map(drop)?,
        "end-sessions" => sessions::end_all(me(), state(), Query(sessions::Which { all: false })).await.map(drop)?,
        "end-token" => tokens::end(me(), state(), id()).await.map(drop)?,
        "add-token" => {
            let mut scopes: Vec<Scope> = fields.ticked(SCOPE).into_iter().map(Scope).collect();
            scopes.extend(fields.given("route").map(|service| Scope(format!("route:{service}"))));
            let asked = ApiTokenRequest {
                name: Label(fields.text("name").to_owned()),
                scopes,
                days: fields.number("days").filter(|days| *days > 0),
            };
            let (_, axum::Json(made)) = tokens::add(me(), state(), State(own.routes.clone()), Json(asked)).await?;
            own.panel.once.put(who, PATH, Secret::new(made.token));
        }
        _ => return Err(no_such_act().into()),
    }
    Ok(())
}

#[derive(Deserialize)]
pub struct KeyForm {
    act: String,
    #[serde(default)]
    name: String,
}

/// Renames or removes a passkey.
pub async fn change_key(
    who: who::User,
    own: Own,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<KeyForm>,
) -> Response {
    let passkeys = &own.desk.passkeys;
    let done = match form.act.as_str() {
        _ if who.in_person().is_err() => who.in_person(),
        "remove" => passkeys.remove(who.user, &id).await,
        _ => passkeys.rename(who.user, &id, &form.name).await.map(drop),
    };
    own.after(&who, &caller, &headers, "passkeys", done.map_err(refused)).await
}

#[derive(Deserialize)]
pub struct LinkForm {
    act: String,
    password: Option<String>,
}

/// Links with the provider, or unlinks. A form must not lead to another site (`form-action`), so the way there is a link on the page that answers.
pub async fn change_link(
    who: who::User,
    own: Own,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(form): Form<LinkForm>,
) -> Response {
    if let Err(told) = who.in_person() {
        return refused(told);
    }
    let provider = &own.desk.oidc;
    let after = async |done: Result<(), Diagnostic>| {
        own.after(&who, &caller, &headers, "provider", done.map_err(refused)).await
    };
    if form.act == "unlink" {
        return after(provider.unlink(who.user).await).await;
    }
    if !provider.place.is_here(&caller) {
        return match provider.place.told() {
            Some(origin) => Redirect::to(&format!("{origin}{PATH}")).into_response(),
            None => after(Err(oidc::words::elsewhere())).await,
        };
    }
    let password = form.password.filter(|text| !text.is_empty()).map(Secret::new);
    let leaving = match provider.begin_link(&who, password.as_ref(), caller.address).await {
        Ok(leaving) => leaving,
        Err(told) => return after(Err(told)).await,
    };
    match own.shown(&who, &caller, &headers).await {
        Ok(mut account) => {
            if let Some(provider) = &mut account.provider {
                provider.onward = Some(leaving.to);
            }
            let mut answer = page(&headers, &account);
            oidc::page::keep_begun(&mut answer, &leaving.cookie);
            answer
        }
        Err(answer) => answer,
    }
}
