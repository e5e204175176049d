//! One of the people, as an admin sees them: who they are, by what they get in, and the way out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use time::OffsetDateTime;

use super::{Choice, GROUP, ONLY, Tick, active, group_names, role, roles};
use crate::auth::accounts::{Auth, KeyOf, LinkOf};
use crate::auth::factor::recovery;
use crate::auth::json::fit::{Email, GroupName, Label, Password, ServiceName};
use crate::auth::json::second_factor::SecondFactor;
use crate::auth::json::sessions::{self, Session};
use crate::auth::json::tokens::{self, Token};
use crate::auth::json::users::{self as calls, Heir, PasswordRequest, UserChange};
use crate::auth::json::{Refused, User, ways};
use crate::auth::routed::{self, Routes};
use crate::auth::table::guard::{As, Detail};
use crate::auth::who::{Admin, Role};
use crate::base::random::SystemRandom;
use crate::base::secret::Secret;
use crate::base::wording;
use crate::diag::Diagnostic;
use crate::panel::form::Fields;
use crate::panel::refusal::{self, Told};
use crate::panel::shell::Shell;
use crate::panel::words::{Mark, Moment};
use crate::panel::{Panel, form_page, page};
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::{Form, Json, Path, Query};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/people/person.html")]
pub struct Person {
    pub shell: Shell,
    pub told: Vec<Told>,
    /// Which form was refused.
    pub at: String,
    pub id: i64,
    pub username: String,
    pub display_name: String,
    /// The same in the form.
    pub shown_name: String,
    pub email: String,
    pub mark: Mark,
    /// The name of its word.
    pub role: &'static str,
    pub version: i64,
    pub is_active: bool,
    /// It is who looks.
    pub own: bool,
    /// The home has no other active admin.
    pub last_admin: bool,
    pub roles: Vec<Choice>,
    pub groups: Vec<Tick>,
    /// Services that the account can be for alone.
    pub services: Vec<Tick>,
    /// Those that it is for alone, in words; empty: it is for whatever its role opens.
    pub only: String,
    /// The form says that it is for those alone.
    pub for_some: bool,
    pub created: Option<Moment>,
    pub last: Option<Moment>,
    /// A password that was just made up.
    pub made: Option<Secret>,
    pub factor: bool,
    pub codes_left: i64,
    pub keys: Vec<Held>,
    pub links: Vec<Held>,
    pub sessions: Vec<SignedIn>,
    pub tokens: Vec<Held>,
    /// Who could have what is theirs.
    pub heirs: Vec<(i64, String)>,
    /// Who was chosen.
    pub heir: Option<i64>,
}

/// A passkey, a link or a token.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: String,
    pub name: String,
    pub more: String,
    pub made: Option<Moment>,
    pub used: Option<Moment>,
    pub expires: Option<String>,
}

/// Where somebody is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub id: String,
    pub device: String,
    pub is_program: bool,
    pub address: String,
    pub used: Option<Moment>,
    pub current: bool,
}

impl SignedIn {
    pub fn of(one: Session, now: OffsetDateTime) -> SignedIn {
        SignedIn {
            id: one.id,
            device: one.device,
            is_program: one.sort == "program",
            address: one.address,
            used: Moment::read(&one.last_used, now),
            current: one.current,
        }
    }
}

impl Held {
    pub fn of_token(one: Token, now: OffsetDateTime) -> Held {
        Held {
            id: one.id,
            name: one.name,
            more: one.scopes.join(", "),
            made: Moment::read(&one.created_at, now),
            used: one.last_used.as_deref().and_then(|at| Moment::read(at, now)),
            expires: one.expires.and_then(|at| at.get(..10).map(str::to_owned)),
        }
    }

    fn of_key(one: KeyOf, now: OffsetDateTime) -> Held {
        let (made, used) = (Moment::ms(one.made, now), one.last_used.map(|at| Moment::ms(at, now)));
        Held { id: one.id, name: one.name, more: String::new(), made: Some(made), used, expires: None }
    }

    fn of_link(one: LinkOf, now: OffsetDateTime) -> Held {
        let (made, used) = (Moment::ms(one.made, now), one.last_used.map(|at| Moment::ms(at, now)));
        Held { id: String::new(), name: one.issuer, more: String::new(), made: Some(made), used, expires: None }
    }
}

/// What is known of somebody, by the calls of the API.
pub struct Known {
    pub user: User,
    pub factor: SecondFactor,
    pub keys: Vec<KeyOf>,
    pub links: Vec<LinkOf>,
    pub sessions: Vec<Session>,
    pub tokens: Vec<Token>,
    pub others: Vec<User>,
    pub groups: Vec<String>,
    /// Services that an account can be for alone.
    pub services: Vec<String>,
}

async fn known(admin: &Admin, auth: &Arc<Auth>, routes: &Routes, id: i64) -> Result<Known, Refused> {
    let (who, state, path) = (|| admin.clone(), || State(auth.clone()), || Path(id));
    let (_, axum::Json(user)) = calls::show(who(), state(), path()).await?;
    let keys = ways::WhichKeys { limit: Some(MOST), ..Default::default() };
    let links = ways::WhichLinks { limit: Some(MOST), ..Default::default() };
    let listed = sessions::Listed { limit: Some(MOST), ..Default::default() };
    let held = tokens::Which { limit: Some(MOST), ..Default::default() };
    let others = calls::Which { limit: Some(MOST), is_active: Some(true), ..Default::default() };
    Ok(Known {
        factor: ways::second_factor(who(), state(), path()).await?.0,
        keys: ways::passkeys(who(), state(), path(), Query(keys)).await?.0.items,
        links: ways::links(who(), state(), path(), Query(links)).await?.0.items,
        sessions: sessions::of_user(who(), state(), path(), Query(listed)).await?.0.items,
        tokens: ways::tokens(who(), state(), path(), Query(held)).await?.0.items,
        others: calls::list(who(), state(), Query(others)).await?.0.items,
        groups: group_names(admin, auth).await,
        services: routed::logins(&routes.look().await.unwrap_or_default()).into_iter().map(str::to_owned).collect(),
        user,
    })
}

pub fn of(shell: Shell, known: Known, own: bool, last_admin: bool, now: OffsetDateTime) -> Person {
    let Known { user, factor, keys, links, sessions, tokens, others, groups, mut services } = known;
    // One that is gone from the home stays until it is taken away here.
    services.extend(user.only.iter().filter(|name| !services.contains(name)).cloned().collect::<Vec<_>>());
    let service = |name: String| Tick { is: user.only.contains(&name), name };
    let tick = |name: String| Tick { is: user.groups.contains(&name), name };
    let heirs = others.into_iter().filter(|one| one.id != user.id).map(|one| (one.id, one.username)).collect();
    Person {
        shell,
        told: Vec::new(),
        at: String::new(),
        id: user.id,
        mark: active(user.is_active),
        role: role(user.role),
        roles: roles(user.role.word()),
        groups: groups.into_iter().map(tick).collect(),
        services: services.into_iter().map(service).collect(),
        only: wording::list(&user.only),
        for_some: !user.only.is_empty(),
        shown_name: user.display_name.clone(),
        created: Moment::read(&user.created_at, now),
        last: user.last_login.as_deref().and_then(|at| Moment::read(at, now)),
        version: user.version,
        is_active: user.is_active,
        own,
        last_admin,
        made: None,
        factor: factor.on,
        codes_left: factor.codes_left,
        keys: keys.into_iter().map(|one| Held::of_key(one, now)).collect(),
        links: links.into_iter().map(|one| Held::of_link(one, now)).collect(),
        sessions: sessions.into_iter().map(|one| SignedIn::of(one, now)).collect(),
        tokens: tokens.into_iter().map(|one| Held::of_token(one, now)).collect(),
        heirs,
        heir: None,
        email: user.email.unwrap_or_default(),
        display_name: user.display_name,
        username: user.username,
    }
}

async fn shown(
    admin: &Admin,
    panel: &Panel,
    auth: &Arc<Auth>,
    routes: &Routes,
    id: i64,
    headers: &HeaderMap,
) -> Result<Person, Response> {
    let shell = panel.shell(admin, headers, &format!("/people/{id}"), "/people");
    let found = async {
        let known = known(admin, auth, routes, id).await?;
        let last = known.user.role == Role::Admin && auth.is_last_admin(id).await?;
        Ok::<_, Refused>((known, last))
    };
    match found.await {
        Ok((known, last)) => Ok(of(shell, known, admin.user == id, last, panel.clock.now())),
        Err(refused) => {
            let shell = Shell { path: "/people".into(), ..shell };
            Err(refusal::page(shell, headers, refused.into_response()).await)
        }
    }
}

pub async fn show(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Response {
    match shown(&admin, &panel, &auth, &routes, id, &headers).await {
        Ok(person) => {
            let made = panel.once.take(&admin, &format!("/people/{id}"));
            page(&headers, &Person { made, ..person })
        }
        Err(refused) => refused,
    }
}

impl Person {
    fn is_heir(&self, id: &i64) -> bool {
        self.heir == Some(*id)
    }

    /// What was typed into the form that was refused.
    fn typed_again(mut self, act: &str, fields: &Fields) -> Person {
        match act {
            "remove" => self.heir = fields.number("heir"),
            "change" => {
                self.email = fields.text("email").to_owned();
                self.shown_name = fields.text("display_name").to_owned();
                if fields.has("states") {
                    self.is_active = fields.has("is_active");
                }
                if fields.has("reach") {
                    self.for_some = fields.text("reach") == "only";
                }
                let role = fields.text("role");
                self.roles.iter_mut().for_each(|one| one.is = one.value == role);
                for (begin, all) in [(GROUP, &mut self.groups), (ONLY, &mut self.services)] {
                    let ticked = fields.ticked(begin);
                    all.iter_mut().for_each(|one| one.is = ticked.contains(&one.name));
                }
            }
            _ => {}
        }
        self
    }
}

/// One act of the page, named as the call that does it.
fn call_of(act: &str) -> &'static str {
    match act {
        "change" => "users.change",
        "password" => "users.password",
        "factor-off" => "users.second_factor_off",
        "end-session" => "ways.end_session",
        "end-sessions" => "sessions.end_of_user",
        "end-token" => "ways.end_token",
        "take-passkey" => "ways.take_passkey",
        "unlink" => "ways.unlink",
        "remove" => "users.remove",
        _ => "person.act",
    }
}

/// Does what a form of the page says; each is a call of the API. After it the page as it is then, or all people where they are gone.
pub async fn act(
    admin: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(routes): State<Routes>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let act = fields.text("act").to_owned();
    let path = format!("/people/{id}");
    let answer = match done(&admin, &panel, &auth, &routes, id, &act, &fields).await {
        Ok(detail) => {
            let to = if act == "remove" { "/people" } else { path.as_str() };
            let mut answer = Redirect::to(to).into_response();
            answer.extensions_mut().insert(Detail(detail));
            answer
        }
        Err(refused) => match shown(&admin, &panel, &auth, &routes, id, &headers).await {
            Ok(person) => {
                let refused = refused.into_response();
                // What somebody else has changed meanwhile is shown, and not written over by what was typed before it was seen.
                let moved = refused.status() == StatusCode::CONFLICT;
                let typed = if moved { person } else { person.typed_again(&act, &fields) };
                form_page(&headers, refused, |told| Person { told, at: act.clone(), ..typed }).await
            }
            // They are gone, which is what is said.
            Err(answer) => answer,
        },
    };
    As::of(call_of(&act), answer)
}

/// Gives what the audit is told besides what the form says.
async fn done(
    admin: &Admin,
    panel: &Panel,
    auth: &Arc<Auth>,
    routes: &Routes,
    id: i64,
    act: &str,
    fields: &Fields,
) -> Result<serde_json::Value, Refused> {
    let (who, state) = (|| admin.clone(), || State(auth.clone()));
    let both = || Path((id, fields.text("id").to_owned()));
    let name = auth.user(id).await?.name;
    match act {
        "change" => {
            let groups = fields.ticked(GROUP);
            let asked = Json(change(fields, groups.clone(), alone(fields)?));
            let only = asked.0.only.as_ref().map(|all| all.iter().map(|one| one.0.clone()).collect::<Vec<_>>());
            calls::change(who(), state(), State(routes.clone()), Path(id), HeaderMap::new(), asked).await.map(drop)?;
            return Ok(match only {
                Some(only) => json!({"username": name, "groups": groups, "only": only}),
                None => json!({"username": name, "groups": groups}),
            });
        }
        "password" => password(admin, panel, auth, id, fields).await?,
        "factor-off" => calls::second_factor_off(who(), state(), Path(id)).await.map(drop)?,
        "end-session" => ways::end_session(who(), state(), both()).await.map(drop)?,
        "end-sessions" => sessions::end_of_user(who(), state(), Path(id)).await.map(drop)?,
        "end-token" => ways::end_token(who(), state(), both()).await.map(drop)?,
        "take-passkey" => ways::take_passkey(who(), state(), both()).await.map(drop)?,
        "unlink" => ways::unlink(who(), state(), Path(id)).await.map(drop)?,
        "remove" => {
            named(fields, &name)?;
            calls::remove(who(), state(), Path(id), Query(Heir { heir: fields.number("heir") })).await.map(drop)?;
        }
        _ => return Err(no_such_act().into()),
    }
    Ok(json!({"username": name}))
}

/// What the form says of who they are. A role and a state that the form could not change stay.
fn change(fields: &Fields, groups: Vec<String>, only: Option<Vec<ServiceName>>) -> UserChange {
    UserChange {
        email: Some(Email(fields.text("email").to_owned())),
        display_name: Some(fields.given("display_name").unwrap_or_default()).filter(|t| !t.is_empty()).map(Label),
        role: fields.text("role").parse().ok(),
        is_active: fields.has("states").then(|| fields.has("is_active")),
        groups: Some(groups.into_iter().map(GroupName).collect()),
        only,
        version: fields.number("version"),
    }
}

/// The services that the account is to be for alone, where the form asks. None ticked is no answer: it would open everything.
fn alone(fields: &Fields) -> Result<Option<Vec<ServiceName>>, Diagnostic> {
    let ticked = fields.ticked(ONLY);
    match fields.text("reach") {
        "all" => Ok(Some(Vec::new())),
        "only" if ticked.is_empty() => {
            let d =
                Diagnostic::error("auth.bad-only", "no service is ticked that the account is for alone").field("only");
            Err(d.hint("tick one, or open to it whatever is open to its role"))
        }
        "only" => Ok(Some(ticked.into_iter().map(ServiceName).collect())),
        _ => Ok(None),
    }
}

/// Where no password was thought of one is made up, and shown once.
async fn password(admin: &Admin, panel: &Panel, auth: &Arc<Auth>, id: i64, fields: &Fields) -> Result<(), Refused> {
    let typed = Some(fields.raw("password")).filter(|text| !text.is_empty());
    let made = typed.is_none().then(|| recovery::code(&SystemRandom));
    let password = typed.or_else(|| made.as_ref().map(|made| made.expose().to_owned())).unwrap_or_default();
    let asked = PasswordRequest { password: Password::of(password), only: fields.has("only") };
    calls::password(admin.clone(), State(auth.clone()), Path(id), Json(asked)).await?;
    if let Some(made) = made {
        panel.once.put(admin, &format!("/people/{id}"), made);
    }
    Ok(())
}

/// What cannot be taken back asks for the name.
pub(super) fn named(fields: &Fields, name: &str) -> Result<(), Diagnostic> {
    match fields.text("name") == name {
        true => Ok(()),
        false => Err(Diagnostic::error(
            "panel.not-named",
            format!("nothing was removed: the name that was typed is not `{name}`"),
        )
        .field("name")
        .hint(format!("type {name} into the field, to remove just that"))),
    }
}

pub(in crate::panel) fn no_such_act() -> Diagnostic {
    Diagnostic::error("web.does-not-fit", "the form came without all of its fields, or with others")
        .hint("go back, load the page anew and fill it in once more")
}
