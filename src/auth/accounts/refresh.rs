//! Programs: an access token for a quarter of an hour, and a refresh token for the next one. Each refresh token is good once; one that comes
//! a second time was stolen from whoever used it first, or by them, and ends the whole family.

use std::net::IpAddr;

use super::login::inactive;
use super::sessions::MOST;
use super::users::{self, User};
use super::{Auth, sql, words};
use crate::auth::jwt::{self, Bearer};
use crate::auth::secrets;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// What a refresh token begins with; it is none of the API's.
const PREFIX: &str = "hearthr_";

/// What a program gets when it logs in.
#[derive(Debug)]
pub struct Tokens {
    pub access: Secret,
    /// Seconds that the access token lasts.
    pub expires_in: i64,
    pub refresh: Secret,
    pub user: User,
    /// Its public id.
    pub family: String,
}

/// What comes of a refresh token that was one.
#[derive(Debug)]
pub enum Refreshed {
    Next(Box<Tokens>),
    /// It was used before, and this user's login that it belonged to has ended.
    Replayed(Box<User>),
}

impl Refreshed {
    /// Whose it is.
    pub fn user(&self) -> &User {
        match self {
            Refreshed::Next(tokens) => &tokens.user,
            Refreshed::Replayed(user) => user,
        }
    }

    pub fn tokens(self) -> Result<Tokens, Diagnostic> {
        match self {
            Refreshed::Next(tokens) => Ok(*tokens),
            Refreshed::Replayed(_) => Err(Diagnostic::error(
                "auth.replayed",
                "this refresh token was used before: the login that it belongs to has ended",
            )
            .kind(Kind::Unauthenticated)
            .hint("if you did not use it twice, somebody else has it: change your password")
            .hint("log in again: POST /api/v1/auth/login")),
        }
    }
}

/// What comes of a refresh token, in the database.
enum Used {
    Good {
        family: String,
        user: Box<User>,
    },
    Unknown,
    /// It came a second time, and the family has ended.
    Replayed(Box<User>),
    Inactive,
}

impl Auth {
    /// Begins a family of tokens for a program that has shown who it is by one factor. Refused where the home asks two of that role.
    pub async fn begin_family(&self, user: &User, agent: &str, from: IpAddr) -> Result<Tokens, Diagnostic> {
        self.one_is_enough(user)?;
        self.open_family(user, agent, from).await
    }

    /// The same for one that has shown all that is asked.
    pub(super) async fn open_family(&self, user: &User, agent: &str, from: IpAddr) -> Result<Tokens, Diagnostic> {
        let now = self.now();
        let refresh = self.refresh_token();
        let row = sql::families::Row {
            id: secrets::id(&*self.random),
            person: user.id,
            device: words::device(agent),
            address: from.to_canonical().to_string(),
            made: now,
            last_used: now,
            expires: now.saturating_add(self.rules().absolute_ms()),
        };
        let (family, hash) = (row.id.clone(), secrets::hash(refresh.expose()));
        let whose = user.clone();
        self.db
            .write(async move |tx| {
                users::unchanged(tx, &whose).await?;
                sql::families::add(tx, &row).await?;
                if sql::families::end_eldest(tx, whose.id, MOST).await? > 0 {
                    tx.changed();
                }
                sql::families::add_token(tx, &row.id, &hash, now).await
            })
            .await?;
        self.tokens_of(user.clone(), family, refresh)
    }

    /// The next access token, and the next refresh token with it.
    pub async fn refresh(&self, token: &Secret) -> Result<Refreshed, Diagnostic> {
        if token.expose().len() > secrets::LONGEST || !token.expose().starts_with(PREFIX) {
            return Err(ended("it is no refresh token of Hearth"));
        }
        // What was used a moment ago is not idle: the job looks at what is written down.
        self.write_uses().await?;
        let (now, idle) = (self.now(), self.idle_since());
        let next = self.refresh_token();
        let (hash, new) = (secrets::hash(token.expose()), secrets::hash(next.expose()));
        let used = self.db.write(async move |tx| {
            let Some((family, used)) = sql::families::of_token(tx, &hash).await? else { return Ok(Used::Unknown) };
            let Some(row) = sql::families::one(tx, &family).await? else { return Ok(Used::Unknown) };
            if used.is_some() {
                // Kept although it is refused: so it is no error in here.
                sql::families::end(tx, row.person, &family).await?;
                return Ok(Used::Replayed(Box::new(users::one(tx, row.person).await?)));
            }
            if row.expires <= now || row.last_used <= idle {
                return Ok(Used::Unknown);
            }
            let user = users::one(tx, row.person).await?;
            if !user.active {
                return Ok(Used::Inactive);
            }
            sql::families::use_token(tx, &family, &hash, now).await?;
            sql::families::add_token(tx, &family, &new, now).await?;
            Ok(Used::Good { family, user: Box::new(user) })
        });
        match used.await? {
            Used::Good { family, user } => {
                self.tokens_of(*user, family, next).map(|tokens| Refreshed::Next(Box::new(tokens)))
            }
            Used::Unknown => Err(ended("it has ended, or never was one")),
            Used::Inactive => Err(inactive()),
            Used::Replayed(user) => {
                self.live.forget();
                Ok(Refreshed::Replayed(user))
            }
        }
    }

    fn tokens_of(&self, user: User, family: String, refresh: Secret) -> Result<Tokens, Diagnostic> {
        let expires_in = if self.rules().homeserver_clients { jwt::LONG_LIFETIME } else { jwt::LIFETIME };
        let bearer = Bearer { user: user.id, name: &user.name, family: &family };
        let access = self.keys.sign(bearer, expires_in, self.now().div_euclid(1000))?;
        Ok(Tokens { access, expires_in, refresh, user, family })
    }

    fn refresh_token(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", secrets::token(&*self.random).expose()))
    }
}

fn ended(why: &str) -> Diagnostic {
    Diagnostic::error("auth.bad-refresh", format!("the refresh token does not hold: {why}"))
        .kind(Kind::Unauthenticated)
        .hint("log in again: POST /api/v1/auth/login")
}
