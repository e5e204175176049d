//! Signing in by a provider that the home names: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).
//!
//! | subject | file |
//! |---|---|
//! | from the first click to the session | this one |
//! | what comes back, turned into what the provider says of somebody | `exchange` |
//! | the link of two accounts | `links` |
//! | the provider's description and keys | `provider` |
//! | what it says about somebody, judged | `token` |
//! | the client's secret, and for whom it was given | `secret` |
//! | names that are taken over into a new account | `names` |
//! | refusals in words | `words` |
//! | table | `sql` |
//! | calls of the API, addresses for browsers | `json`, `page` |
//!
//! ```text
//! browser                          Hearth                                   provider
//! GET /login/oidc          ------> state, nonce, verifier: kept under the state, for the browser with this cookie
//!                          <------ 303, cookie                         ---> signs in there
//! GET /login/oidc/callback ------> takes what was kept, once; redeems the code with the verifier; checks the token
//!                          <------ session
//! ```
//! Accounts are linked by issuer and subject, and by nothing else: an e-mail address is what somebody says.

mod exchange;
pub mod json;
mod links;
mod names;
pub mod page;
mod provider;
mod secret;
mod sql;
#[cfg(test)]
mod tests;
mod token;
pub mod words;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::accounts::{self, Auth, Login, NewSession, NewUser, Step, User};
use super::pending::Pending;
use super::place::Place;
use super::secrets;
use super::who::{By, Identity};
use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::base::secret::Secret;
use crate::config::oidc::Oidc as Settings;
use crate::diag::Diagnostic;
use crate::store::Db;
use crate::web::outside::Outside;
use provider::Provider;
use token::Claims;

/// Where the provider sends people back to, below the panel's own address.
pub const CALLBACK: &str = "/login/oidc/callback";

/// What [`Oidc`] stands on.
pub struct Parts<'a> {
    pub auth: Arc<Auth>,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub place: Place,
    pub settings: Option<Settings>,
    /// `HEARTH_OIDC_SECRET`.
    pub secret: Option<Secret>,
    pub outside: Outside,
    /// The home's `state/auth`.
    pub folder: &'a Path,
}

/// Signing in by the home's provider, where it has one.
pub struct Oidc {
    auth: Arc<Auth>,
    db: Db,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pub place: Place,
    /// `Err`: it is set and cannot be used; why.
    with: Option<Result<With, Diagnostic>>,
    begun: Pending<Begun>,
    half: Pending<Half>,
}

struct With {
    settings: Settings,
    secret: Option<Secret>,
    provider: Provider,
}

/// What the home's provider is for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    SignIn,
    /// Somebody who is signed in shows that they are somebody there too; by which session they asked.
    Link {
        person: i64,
    },
}

struct Begun {
    nonce: Secret,
    verifier: Secret,
    next: String,
    purpose: Purpose,
    at: i64,
}

/// Signed in there, and still to show a second factor here.
struct Half {
    /// As they were then.
    user: User,
    next: String,
}

/// The way to the provider.
#[derive(Debug)]
pub struct Leaving {
    /// Where the browser goes.
    pub to: String,
    /// What it has to bring back.
    pub cookie: Secret,
}

/// What the provider sent somebody back with.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    error: Option<String>,
    iss: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum Arrived {
    In {
        user: User,
        session: Box<NewSession>,
        next: String,
    },
    /// A second factor of ours is needed; the cookie that says whose.
    Half {
        cookie: Secret,
        next: String,
    },
    Linked,
}

impl Oidc {
    /// A provider that cannot be used keeps nobody from signing in otherwise: what is wrong is said in the log, and to who tries.
    pub fn open(parts: Parts<'_>) -> Oidc {
        let Parts { auth, db, clock, random, place, settings, secret, outside, folder } = parts;
        let with: Option<Result<With, Diagnostic>> = settings.map(|settings| {
            let secret = secret::taken_up(folder, &settings, secret, &*random)?;
            let provider = Provider::new(&settings, outside)?;
            Ok(With { settings, secret, provider })
        });
        if let Some(Err(told)) = &with {
            tracing::warn!(code = told.code, "{}", told.whole());
        }
        Oidc { auth, db, clock, random, place, with, begun: Pending::default(), half: Pending::default() }
    }

    /// What stands on the button; `None`: there is no button.
    pub fn name(&self) -> Option<&str> {
        self.with.as_ref().and_then(|with| with.as_ref().ok()).map(|with| with.settings.name.as_str())
    }

    fn with(&self) -> Result<&With, Diagnostic> {
        match &self.with {
            None => Err(words::off()),
            Some(Err(told)) => Err(told.clone()),
            Some(Ok(with)) => Ok(with),
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
    }

    /// Begins to sign somebody in; afterwards they go on to `next`.
    pub async fn begin(&self, next: &str, from: IpAddr) -> Result<Leaving, Diagnostic> {
        self.leave(next, Purpose::SignIn, from).await
    }

    async fn leave(&self, next: &str, purpose: Purpose, from: IpAddr) -> Result<Leaving, Diagnostic> {
        let With { settings, provider, .. } = self.with()?;
        let endpoints = provider.endpoints().await?;
        let new = || secrets::token(&*self.random);
        let (state, nonce, verifier, cookie) = (new(), new(), new(), new());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
        let back = self.back();
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &back)
            .append_pair("scope", &settings.scopes.join(" "))
            .append_pair("state", state.expose())
            .append_pair("nonce", nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let to = &endpoints.authorization;
        let scheme = if to.is_https() { "https" } else { "http" };
        let joint = if to.path().contains('?') { '&' } else { '?' };
        let to = format!("{scheme}://{}{}{joint}{query}", to.authority(), to.path());
        let now = self.now();
        let begun = Begun { nonce, verifier, next: next.to_owned(), purpose, at: now };
        self.begun.put(state.expose(), cookie.expose(), from, begun, now);
        Ok(Leaving { to, cookie })
    }

    fn back(&self) -> String {
        format!("{}{CALLBACK}", self.place.origin())
    }

    /// Ends what was begun. `who`: whoever is signed in in that browser.
    pub async fn arrive(
        &self,
        back: &Back,
        cookie: Option<&str>,
        who: Option<&Identity>,
        login: &Login,
    ) -> Result<Arrived, Diagnostic> {
        let with = self.with()?;
        let begun = cookie.and_then(|cookie| self.begun.take(&back.state, cookie, self.now()));
        let begun = begun.ok_or_else(words::begin_again)?;
        let claims = self.claims(with, back, &begun).await?;
        match begun.purpose {
            Purpose::SignIn => self.sign_in(with, claims, begun.next, login).await,
            Purpose::Link { person } => {
                // Whoever has signed out meanwhile, or is somebody else by now, gets nothing.
                match who.filter(|who| who.user == person && matches!(who.by, By::Session(_))) {
                    Some(who) => self.link(with, who, &claims.subject).await.map(|()| Arrived::Linked),
                    None => Err(words::begin_again()),
                }
            }
        }
    }

    async fn sign_in(&self, with: &With, claims: Claims, next: String, login: &Login) -> Result<Arrived, Diagnostic> {
        let issuer = with.settings.issuer.clone();
        let link = sql::by_subject(&mut self.db.reader().await?, &issuer, &claims.subject).await?;
        let person = match link {
            Some(link) => link.person,
            None => self.create(with, &claims).await?.id,
        };
        let (subject, now) = (claims.subject.clone(), self.now());
        // In one job: a link that is taken away meanwhile lets nobody in.
        let user = self.db.write(async move |tx| {
            let link = sql::by_subject(tx, &issuer, &subject).await?;
            let user = accounts::active(tx, person).await?;
            match link.is_some_and(|link| link.person == person) {
                true => sql::used(tx, &issuer, &subject, now).await.map(|()| user),
                false => Err(words::begin_again()),
            }
        });
        let mut user = user.await?;
        if let Some(groups) = &claims.groups {
            user = self.auth.take_over_groups(user, groups).await?;
        }
        match self.auth.step_after(&user) {
            // The provider has seen to it.
            Step::Code if !claims.several_factors => {
                let cookie = secrets::token(&*self.random);
                self.half.put(cookie.expose(), cookie.expose(), login.from, Half { user, next: next.clone() }, now);
                Ok(Arrived::Half { cookie, next })
            }
            Step::Missing(told) if !claims.several_factors => Err(told),
            _ => {
                let (user, session) = self.auth.admit(user, login).await?;
                Ok(Arrived::In { user, session: Box::new(session), next })
            }
        }
    }

    /// The second step of somebody who signed in at the provider: a code of ours.
    pub async fn second(
        &self,
        cookie: Option<&str>,
        code: &str,
        login: &Login,
    ) -> Result<(NewSession, String), Diagnostic> {
        let cookie = cookie.ok_or_else(words::begin_again)?;
        let now = self.now();
        let half = self.half.take(cookie, cookie, now).ok_or_else(words::begin_again)?;
        if let Err(told) = self.auth.check_code(half.user.id, code, login.from).await {
            // They may try again; how often is bounded by the brakes.
            self.half.put(cookie, cookie, login.from, half, now);
            return Err(told);
        }
        let (_, session) = self.auth.admit(half.user, login).await?;
        Ok((session, half.next))
    }

    /// An account for who comes for the first time, where the home wants that.
    async fn create(&self, with: &With, claims: &Claims) -> Result<User, Diagnostic> {
        let With { settings, .. } = with;
        let role = settings.create.as_ref().and_then(|role| role.parse().ok());
        let role = role.ok_or_else(|| words::unknown(&settings.name))?;
        let (issuer, subject, now) = (settings.issuer.clone(), claims.subject.clone(), self.now());
        let mut last = words::unknown(&settings.name);
        for (name, email) in names::candidates(claims) {
            let new = NewUser {
                name,
                email,
                display_name: claims.shown.as_deref().map(names::shown),
                role,
                groups: Vec::new(),
                only: Vec::new(),
                password: None,
            };
            let (issuer, subject) = (issuer.clone(), subject.clone());
            let made = self.auth.add_user_and(new, async move |tx, id| {
                match sql::add(tx, &issuer, &subject, id, now).await? {
                    true => Ok(()),
                    false => Err(words::linked()),
                }
            });
            match made.await {
                Ok(user) => return Ok(user),
                // The name, or the e-mail address, is somebody else's: it stays theirs.
                Err(told)
                    if ["auth.taken", "auth.bad-name", "auth.bad-email", "auth.bad-label"].contains(&told.code) =>
                {
                    last = told
                }
                Err(told) => return Err(told),
            }
        }
        Err(last)
    }
}
