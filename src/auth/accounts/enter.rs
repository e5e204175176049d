//! Ways in besides the password: what a provider of accounts or a passkey needs of people. Whoever calls these has seen to who it is.

use std::net::IpAddr;

use super::login::{Login, missing_factor};
use super::users::{self, NewUser, Says, User};
use super::{Auth, NewSession, sql};
use crate::auth::passwords::Lane;
use crate::auth::who::{By, Identity};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::store::Tx;

/// Milliseconds since a session was begun in which it still proves who sits there.
const RECENT: i64 = 10 * 60 * 1000;

/// What somebody still has to show after one factor.
#[derive(Debug)]
pub enum Step {
    Nothing,
    /// A code of the second factor.
    Code,
    /// A second factor is asked of their role, and they have none.
    Missing(Diagnostic),
}

impl Auth {
    /// A user who may come in.
    pub async fn active_user(&self, id: i64) -> Result<User, Diagnostic> {
        self.user(id).await?.if_active()
    }

    /// Signs a browser in as a user who has shown all that is asked of them; `user`: as they were when they began to.
    pub async fn admit(&self, user: User, login: &Login) -> Result<(User, NewSession), Diagnostic> {
        let session = self.open_session(&user, &login.agent, login.from).await?;
        let now = self.signed_in(&user, login.from).await?;
        Ok((User { last_login: Some(now), ..user }, session))
    }

    /// What is still asked of a user who has shown one factor.
    pub fn step_after(&self, user: &User) -> Step {
        match (user.second_factor, self.requires_factor(user)) {
            (true, _) => Step::Code,
            (false, true) => Step::Missing(missing_factor(user)),
            (false, false) => Step::Nothing,
        }
    }

    /// Takes a code of a user's second factor.
    pub async fn check_code(&self, id: i64, code: &str, from: IpAddr) -> Result<(), Diagnostic> {
        let user = self.active_user(id).await?;
        self.by_code(&user, Some(code), from).await
    }

    /// That whoever asks is still who signed in: by their password, or by a session that has just begun. Asked before something is added by which they
    /// get in for good, so that nobody who finds a browser open can.
    pub async fn prove(&self, who: &Identity, password: Option<&Secret>, from: IpAddr) -> Result<(), Diagnostic> {
        if let Some(password) = password {
            return self.by_password(&who.name, password, from).await.map(drop);
        }
        let By::Session(_) = who.by else { return Err(unproven()) };
        let sessions = self.sessions(who.user, Some(&who.by)).await?;
        let made = sessions.iter().find(|session| session.current).map(|session| session.made);
        match made.is_some_and(|made| self.now().saturating_sub(made) < RECENT) {
            true => Ok(()),
            false => Err(unproven()),
        }
    }

    /// Adds a user whom the provider of accounts names, and in the same transaction what `and` does for their id: both or none.
    pub async fn add_user_and<F>(&self, new: NewUser, and: F) -> Result<User, Diagnostic>
    where
        F: AsyncFnOnce(&mut Tx, i64) -> Result<(), Diagnostic> + Send + 'static,
    {
        let (new, groups) = self.prepared(new, Says::Provider, Lane::Outside).await?;
        self.db
            .write(async move |tx| {
                let user = users::insert(tx, new, groups, Says::Provider).await?;
                and(tx, user.id).await?;
                Ok(user)
            })
            .await
    }

    /// Puts a user into those of `named` that are groups of this home, and out of all others. Gives them as they are then.
    pub async fn take_over_groups(&self, user: User, named: &[String]) -> Result<User, Diagnostic> {
        let known = self.groups().await?;
        let groups = known.into_iter().map(|group| group.name).filter(|name| named.contains(name));
        let groups: Vec<String> = groups.collect();
        match groups == user.groups {
            true => Ok(user),
            false => {
                let version = Some(user.version);
                let change = super::Change { groups: Some(groups), version, ..Default::default() };
                self.change_user(user.id, change).await
            }
        }
    }
}

/// Ways in that a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    pub password: bool,
    pub passkeys: i64,
    pub links: i64,
}

/// A user who may come in, in the job that has judged what they showed.
pub async fn active(tx: &mut Tx, id: i64) -> Result<User, Diagnostic> {
    users::one(tx, id).await?.if_active()
}

/// In the job that adds a way in: what somebody began with the password alone before it is no second factor beside it.
pub async fn forget_begun(tx: &mut Tx, id: i64) -> Result<(), Diagnostic> {
    sql::factors::forget_begun(tx, id).await
}

/// In a job, so that two ways that are taken away at once are not both the last but one.
pub async fn ways(tx: &mut Tx, id: i64) -> Result<Ways, Diagnostic> {
    let user = users::one(tx, id).await?;
    let (passkeys, links) = sql::users::other_ways(tx, id).await?;
    Ok(Ways { password: user.has_password, passkeys, links })
}

fn unproven() -> Diagnostic {
    Diagnostic::error("auth.proof", "you have signed in some time ago: show that it is still you")
        .kind(Kind::Denied)
        .field("password")
        .hint("give your password along, or sign in anew and do it within 10 minutes")
}
