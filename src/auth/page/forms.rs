//! What becomes of the forms: set up, sign in and out, an account of one's own, another password.
//!
//! Each form is shown by GET and done by POST; what does not fit comes back as the same page with words above it. Whether a form comes from our own page
//! is seen to by the table's guard.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::halves::Halves;
use super::keys::Desk;
use super::{Account, Home, Login as LoginPage, Second, Setup, SignedOut, Told};
use crate::auth::accounts::{
    Auth, Credentials, Invitation, Login, NewSession, NewUser, Registration, User as Person, has_admin,
};
use crate::auth::forward::Forward;
use crate::auth::table::guard::SignedIn;
use crate::auth::who::{self, Anyone, By, Identity, Role, User};
use crate::base::clock::rfc3339;
use crate::base::random::Random;
use crate::base::secret::Secret;
use crate::base::wording;
use crate::config::people::Registration as Rule;
use crate::diag::{Diagnostic, Kind};
use crate::web::read::{Form, Query};
use crate::web::{Caller, Lang, Refusal, SESSION, retry_after, set_cookie};

/// What the pages of accounts work with.
pub struct Pages {
    pub(super) auth: Arc<Auth>,
    pub(super) random: Arc<dyn Random>,
    /// The home's name.
    home: String,
    /// The other ways in.
    desk: Arc<Desk>,
    pub(super) halves: Halves,
}

impl Pages {
    /// `home`: its name.
    pub fn new(home: String, auth: Arc<Auth>, random: Arc<dyn Random>, desk: Arc<Desk>) -> Pages {
        Pages { auth, random, home, desk, halves: Halves::default() }
    }

    /// Which home somebody is at: its name, and the host that they have asked for.
    pub(in crate::auth) fn place(&self, caller: &Caller) -> Home {
        Home { name: self.home.clone(), host: host(caller) }
    }
}

/// The browser's cookie between password and second factor.
const HALF: &str = "__Host-hearth-half";

#[derive(Debug, Deserialize)]
pub struct Link {
    #[serde(default)]
    token: String,
}

/// What is filled in to make an account.
#[derive(Deserialize)]
pub struct Made {
    /// Of the link: for setting up, or an invitation.
    #[serde(default, alias = "invite")]
    token: String,
    username: String,
    #[serde(default)]
    email: String,
    password: String,
    again: String,
    /// Where they go on to, as the login has it.
    #[serde(default)]
    next: String,
}

/// The first admin's page; its token comes from the one-time link.
pub async fn setup(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    Query(link): Query<Link>,
) -> Response {
    if pages.auth.is_set_up() {
        return already_set_up();
    }
    match pages.auth.look_at_setup(&Secret::new(link.token.clone()), caller.address).await {
        Ok(()) => page(StatusCode::OK, Setup { token: link.token, ..Setup::default() }),
        Err(told) => crate::web::page(&told, Refusal(told.clone()).status()),
    }
}

pub async fn set_up(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(made): Form<Made>,
) -> Response {
    let Made { token, username, email, password, again, .. } = made;
    let done = async {
        same(&password, &again)?;
        let new = NewUser {
            name: username.trim().to_owned(),
            email: given(&email),
            display_name: None,
            role: Role::Admin,
            groups: Vec::new(),
            only: Vec::new(),
            password: Some(Secret::new(password)),
        };
        let user = pages.auth.set_up(&Secret::new(token.clone()), new, caller.address).await?;
        pages.auth.begin_session(&user, &agent(&headers), caller.address).await
    };
    match done.await {
        Ok(session) => signed_in(&session, "/welcome"),
        Err(told) if told.code == MISSING => to_factor(),
        Err(told) if told.code == "auth.set-up" => already_set_up(),
        Err(told) => back(told, |told| Setup { token, username, email, told }),
    }
}

/// The code by which somebody with an account is told that they need a second factor first.
const MISSING: &str = "auth.second-factor-missing";

/// The account is made; its second factor is set up before the first login.
fn to_factor() -> Response {
    axum::response::Redirect::to("/second-factor").into_response()
}

/// A setup link has done what it is for.
fn already_set_up() -> Response {
    let told = has_admin();
    crate::web::page_with(&told, Refusal(told.clone()).status(), Some(("/login", "auth-sign-in")))
}

/// Where somebody wants to go once they are signed in.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Next {
    /// A path of the panel.
    #[serde(default)]
    next: String,
}

pub async fn login(
    Anyone(who): Anyone,
    State(pages): State<Arc<Pages>>,
    State(forward): State<Arc<Forward>>,
    Extension(caller): Extension<Caller>,
    Query(Next { next }): Query<Next>,
) -> Response {
    if who.is_some_and(|who| matches!(who.by, By::Session(_))) {
        return to(own_path(&next));
    }
    page(StatusCode::OK, pages.login_page(&caller, &forward, next))
}

#[derive(Deserialize)]
pub struct SignsIn {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub async fn sign_in(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    State(forward): State<Arc<Forward>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(SignsIn { username, password, next }): Form<SignsIn>,
) -> Response {
    let who = Credentials { username: username.clone(), password: Secret::new(password), otp: None };
    match pages.auth.login_browser(&who, &from(&caller, &headers)).await {
        Ok((_, session)) => signed_in(&session, own_path(&next)),
        Err(told) if told.code == "auth.second-factor-required" => {
            let Some(half) = pages.halves.put(who, super::halves::SECONDS, &*pages.random) else {
                return Refusal(told).into_response();
            };
            let mut answer = page(StatusCode::OK, Second { told: None, ..pages.second_page(&caller, next) });
            set_cookie(answer.headers_mut(), HALF, half.expose(), Some(super::halves::SECONDS));
            answer
        }
        Err(told) => {
            let factor = told.code == "auth.second-factor-missing";
            let tried = pages.auth.tried(&username).await;
            let page = |told| LoginPage { username, told, factor, ..pages.login_page(&caller, &forward, next) };
            (tried, back(told, page)).into_response()
        }
    }
}

#[derive(Deserialize)]
pub struct Code {
    otp: String,
    #[serde(default)]
    next: String,
}

pub async fn second(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    State(forward): State<Arc<Forward>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(Code { otp, next }): Form<Code>,
) -> Response {
    let half = crate::web::cookie(&headers, HALF);
    let Some(who) = half.and_then(|half| pages.halves.get(half)) else {
        let d = Diagnostic::error("auth.too-late", "that took too long, or your browser kept no cookie: begin anew")
            .kind(Kind::Unauthenticated);
        return back(d, |told| LoginPage { told, ..pages.login_page(&caller, &forward, next) });
    };
    let who = Credentials { otp: Some(otp), ..who };
    match pages.auth.login_browser(&who, &from(&caller, &headers)).await {
        Ok((_, session)) => {
            half.into_iter().for_each(|half| pages.halves.end(half));
            let mut answer = signed_in(&session, own_path(&next));
            set_cookie(answer.headers_mut(), HALF, "", None);
            answer
        }
        Err(told) => {
            let tried = pages.auth.tried(&who.username).await;
            (tried, back(told, |told| Second { told, ..pages.second_page(&caller, next) })).into_response()
        }
    }
}

/// An account of one's own, where the home is open.
pub async fn register(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    Query(Next { next }): Query<Next>,
) -> Response {
    match pages.auth.rules().registration {
        Rule::Open => page(StatusCode::OK, Account { next, ..open_account(&pages, &caller) }),
        _ => {
            let d = Diagnostic::error("auth.closed", "accounts of this home are made by its admins").kind(Kind::Denied);
            crate::web::page(&d.hint("ask one of them for an account"), StatusCode::FORBIDDEN)
        }
    }
}

/// An account of one's own, by invitation.
pub async fn invitation(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    Query(link): Query<Link>,
) -> Response {
    match pages.auth.look_at_invitation(&Secret::new(link.token.clone()), caller.address).await {
        Ok(held) => page(StatusCode::OK, Account { invite: Some(link.token), ..invited(&pages, &caller, Some(&held)) }),
        Err(told) => {
            let way = Some(("/login", "auth-sign-in-own"));
            crate::web::page_with(&told, Refusal(told.clone()).status(), way)
        }
    }
}

pub async fn make_account(
    _: Anyone,
    State(pages): State<Arc<Pages>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(made): Form<Made>,
) -> Response {
    let Made { token, username, email, password, again, next } = made;
    let invite = given(&token);
    let done = async {
        same(&password, &again)?;
        let new = Registration {
            username: username.trim().to_owned(),
            email: given(&email),
            password: Secret::new(password),
            invite: invite.clone().map(Secret::new),
        };
        let user: Person = pages.auth.register(new, caller.address).await?;
        pages.auth.begin_session(&user, &agent(&headers), caller.address).await
    };
    match done.await {
        Ok(session) => signed_in(&session, own_path(&next)),
        Err(told) if told.code == MISSING => to_factor(),
        Err(told) => {
            let page = match &invite {
                Some(token) => {
                    let held = pages.auth.look_at_invitation(&Secret::new(token.clone()), caller.address).await;
                    invited(&pages, &caller, held.ok().as_ref())
                }
                None if pages.auth.rules().registration == Rule::Open => open_account(&pages, &caller),
                None => invited(&pages, &caller, None),
            };
            back(told, |told| Account { invite, next, username, email, told, ..page })
        }
    }
}

/// Another password of somebody's own, and what it has ended.
pub struct Changed {
    /// The session that they go on with; none where they have to sign in with two factors.
    pub session: Option<NewSession>,
    /// Other browsers and programs.
    pub signed_out: usize,
    /// API tokens.
    pub tokens: usize,
}

#[derive(Deserialize)]
pub struct Changes {
    old: String,
    password: String,
    again: String,
}

impl Pages {
    pub async fn change_password(
        &self,
        who: &who::Person,
        caller: &Caller,
        headers: &HeaderMap,
        changes: Changes,
    ) -> Result<Changed, Diagnostic> {
        let Changes { old, password, again } = changes;
        same(&password, &again)?;
        let login = from(caller, headers);
        let (signed_out, tokens) = self.ends_with_password(who).await?;
        let session = self.auth.change_password(who, &Secret::new(old), Secret::new(password), &login).await;
        Ok(Changed { session: session.map_err(of_old_password)?, signed_out, tokens })
    }
}

/// A wrong password of somebody whose name is known.
fn of_old_password(told: Diagnostic) -> Diagnostic {
    match told.code {
        "auth.wrong-password" => Diagnostic::error(told.code, "the password until now is wrong")
            .kind(told.kind)
            .field("old")
            .hint("forgotten it? An admin of the home can give you a new one"),
        _ => told,
    }
}

pub async fn logout(who: User, State(pages): State<Arc<Pages>>) -> Response {
    if let Err(told) = pages.auth.logout(&who).await {
        return Refusal(told).into_response();
    }
    let mut answer = to("/signed-out");
    set_cookie(answer.headers_mut(), SESSION, "", None);
    answer
}

pub async fn signed_out(_: Anyone, State(pages): State<Arc<Pages>>, Extension(caller): Extension<Caller>) -> Response {
    page(StatusCode::OK, SignedOut { place: pages.place(&caller) })
}

impl Pages {
    /// What another password of theirs ends: other browsers and programs that are signed in, and API tokens.
    async fn ends_with_password(&self, who: &Identity) -> Result<(usize, usize), Diagnostic> {
        let sessions = self.auth.sessions(who.user, Some(&who.by)).await?;
        let tokens = self.auth.tokens(who.user).await?.len();
        Ok((sessions.iter().filter(|session| !session.current).count(), tokens))
    }

    fn second_page(&self, caller: &Caller, next: String) -> Second {
        let passkeys = self.desk.passkeys.is_here(caller);
        Second { place: self.place(caller), action: "/login/second", next, passkeys, told: None }
    }

    /// `next`: where they go on to; a service that they were on the way to is named.
    fn login_page(&self, caller: &Caller, forward: &Forward, next: String) -> LoginPage {
        let service = forward.on_the_way(&next);
        let register = self.auth.rules().registration == Rule::Open;
        let provider = self.desk.oidc.name().map(str::to_owned);
        let passkeys = self.desk.passkeys.is_here(caller);
        LoginPage { place: self.place(caller), service, next, register, provider, passkeys, ..LoginPage::default() }
    }
}

fn open_account(pages: &Pages, caller: &Caller) -> Account {
    Account {
        place: pages.place(caller),
        heading: "auth-open",
        story: Lang::spoken().say("auth-open-words").into_owned(),
        action: "/register",
        ..Account::default()
    }
}

/// `held`: the invitation, where it still holds.
fn invited(pages: &Pages, caller: &Caller, held: Option<&Invitation>) -> Account {
    let lang = Lang::spoken();
    let mut story = lang.say("auth-invited-words").into_owned();
    if let Some(Invitation { role, only, expires, .. }) = held {
        let may = match role.parse() {
            Ok(Role::Member) if !only.is_empty() => {
                lang.with("auth-invited-only", [("services", wording::list(only).into())])
            }
            _ => lang.with("auth-invited-as", [("role", role.as_str().into())]),
        };
        let end = OffsetDateTime::from_unix_timestamp(expires.div_euclid(1000)).map(rfc3339).unwrap_or_default();
        let (day, time) = end.split_once('T').unwrap_or_default();
        let time = time.get(..5).unwrap_or_default();
        let until = lang.with("auth-invited-until", [("day", day.into()), ("time", time.into())]);
        story = format!("{story} {may} {until}");
    }
    Account { place: pages.place(caller), heading: "auth-invited", story, action: "/invitation", ..Account::default() }
}

/// The host as whoever asks knows it, without its port.
fn host(caller: &Caller) -> Option<String> {
    let host = caller.host.as_deref()?;
    Some(match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
        _ => host.to_owned(),
    })
}

fn agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    text.unwrap_or_default().chars().take(300).collect()
}

pub(in crate::auth) fn from(caller: &Caller, headers: &HeaderMap) -> Login {
    Login { from: caller.address, agent: agent(headers) }
}

fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn same(password: &str, again: &str) -> Result<(), Diagnostic> {
    match password == again {
        true => Ok(()),
        false => Err(Diagnostic::error("auth.differ", "the two passwords differ")
            .field("again")
            .hint("write the same into both fields")),
    }
}

/// A path of this host and nothing else: no other host can be written so that a browser goes there (`//x`, `/\x`, a scheme).
pub(in crate::auth) fn own_path(text: &str) -> &str {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let own = text.starts_with('/') && !text.starts_with("//") && plain && text.len() <= 4096;
    if own { text } else { "/" }
}

pub(in crate::auth) fn to(path: &str) -> Response {
    let to = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// On to `path` with a session.
pub(in crate::auth) fn signed_in(session: &NewSession, path: &str) -> Response {
    with_session(to(path), session)
}

pub fn with_session(mut answer: Response, session: &NewSession) -> Response {
    set_cookie(answer.headers_mut(), SESSION, session.token.expose(), Some(session.max_age));
    answer.extensions_mut().insert(SignedIn { user: session.user, name: session.name.clone() });
    answer
}

pub(in crate::auth) fn page(status: StatusCode, page: impl askama::Template) -> Response {
    match page.render_with_values(&Lang::spoken()) {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The same page again, with what was wrong.
pub(super) fn back<P: askama::Template>(told: Diagnostic, again: impl FnOnce(Option<Told>) -> P) -> Response {
    let refusal = Refusal(told.clone());
    let mut answer = page(refusal.status(), again(Some(told.into())));
    answer.extensions_mut().insert(crate::web::Code(refusal.0.code));
    retry_after(&mut answer, &refusal.0);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_19_after_a_login_nobody_is_sent_elsewhere() {
        for good in ["/", "/docs", "/a?b=c%2f%2fd#x"] {
            assert_eq!(own_path(good), good);
        }
        for bad in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a b", "/a\r\nb", "\t//x", "/é"]
        {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }
}
