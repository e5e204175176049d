//! The first admin: made with a token that is printed to the terminal, once.

use std::net::IpAddr;

use super::users::{self, NewUser, Says, User};
use super::{Auth, sql};
use crate::auth::brakes::{Attempt, What};
use crate::auth::secrets;
use crate::auth::who::Role;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// Hours that a setup token holds.
pub const SETUP_HOURS: i64 = 24;

impl Auth {
    /// A new setup token, in place of the one before. Refused once there is an admin. Its link is `/setup?token=TOKEN`.
    pub async fn setup_token(&self) -> Result<Secret, Diagnostic> {
        let token = secrets::token(&*self.random);
        let (hash, expires) = (secrets::hash(token.expose()), self.now().saturating_add(SETUP_HOURS * 3_600_000));
        self.db
            .write(async move |tx| match sql::users::admins(tx).await? {
                0 => sql::users::set_setup(tx, &hash, expires).await,
                _ => Err(has_admin()),
            })
            .await?;
        Ok(token)
    }

    /// Whether a setup link holds, before anybody fills in its form. It is not used up; whoever guesses is counted as one who sends the form, and told the same.
    pub async fn look_at_setup(&self, token: &Secret, from: IpAddr) -> Result<(), Diagnostic> {
        let pass = self.brake(Attempt { what: What::Link, from, account: None, place: self.place(false, from) })?;
        match sql::users::is_setup(&mut self.db.reader().await?, &secrets::hash(token.expose()), self.now()).await? {
            true => {
                self.brakes.good(pass);
                Ok(())
            }
            false => Err(wrong()),
        }
    }

    /// Makes the first admin with the setup token.
    pub async fn set_up(&self, token: &Secret, new: NewUser, from: IpAddr) -> Result<User, Diagnostic> {
        if self.is_set_up() {
            return Err(has_admin());
        }
        let place = self.place(false, from);
        let pass = self.brake(Attempt { what: What::Link, from, account: None, place })?;
        let (hash, now) = (secrets::hash(token.expose()), self.now());
        // Before anything is hashed slowly for nobody.
        if !sql::users::is_setup(&mut self.db.reader().await?, &hash, now).await? {
            return Err(wrong());
        }
        let new = NewUser { role: Role::Admin, groups: Vec::new(), only: Vec::new(), ..new };
        let (new, groups) = self.prepared(new, Says::Home, Auth::hashing(place.is_near(), from)).await?;
        let user = self
            .db
            .write(async move |tx| {
                if sql::users::admins(tx).await? > 0 {
                    return Err(has_admin());
                }
                if !sql::users::take_setup(tx, &hash, now).await? {
                    return Err(wrong());
                }
                users::insert(tx, new, groups, Says::Home).await
            })
            .await?;
        self.brakes.good(pass);
        self.look_for_admin().await?;
        Ok(user)
    }
}

/// A setup link has nothing to do any more: said to everybody, as the login page says it too.
pub fn has_admin() -> Diagnostic {
    Diagnostic::error("auth.set-up", "this home has an admin already")
        .kind(Kind::Conflict)
        .hint("sign in at /login; an account of your own comes from one of the admins")
        .hint("at the terminal: `hearth users` lists them, `hearth users password NAME` gives one a new password")
}

fn wrong() -> Diagnostic {
    Diagnostic::error("auth.bad-link", "this setup link does not hold: it was used, or there is a newer one")
        .kind(Kind::Denied)
        .hint("on the machine itself, `hearth users setup-link` prints a new one")
}
