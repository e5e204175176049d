//! Signing in, up and out, and changing one's own password.

use std::net::IpAddr;

use axum::Extension;
use serde_json::{Value, json};

use super::invitations::{Invitation, closed};
use super::users::{self, NewUser, Says, User};
use super::words::{self, no_such_user};
use super::{Arrival, Auth, NewSession, Tokens, only, sql};
use crate::auth::brakes::{Attempt, What};
use crate::auth::passwords::Verdict;
use crate::auth::secrets;
use crate::auth::table::guard::Detail;
use crate::auth::who::{By, Identity, Role};
use crate::base::secret::Secret;
use crate::config::people::Registration as Rule;
use crate::diag::{Diagnostic, Kind};
use crate::web::household;

/// Where an attempt comes from.
#[derive(Debug, Clone)]
pub struct Login {
    /// The address of the connection, never a header's.
    pub from: IpAddr,
    /// What the browser or program calls itself.
    pub agent: String,
}

/// By what somebody wants to be known.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub username: String,
    pub password: Secret,
    /// A code of the second factor, or one on paper.
    pub otp: Option<String>,
}

/// An account of one's own.
#[derive(Debug, Clone)]
pub struct Registration {
    pub username: String,
    pub email: Option<String>,
    pub password: Secret,
    /// An invitation's token.
    pub invite: Option<Secret>,
}

impl Auth {
    /// Signs a program in.
    pub async fn login(&self, who: &Credentials, login: &Login) -> Result<Tokens, Diagnostic> {
        let user = self.known(who, login).await?;
        self.open_family(&user, &login.agent, login.from).await
    }

    /// For the audit, of somebody who was not let in: the account that they tried to be. Nothing where there is none of that name: it may be a
    /// password in the wrong field.
    pub async fn tried(&self, name: &str) -> Extension<Detail> {
        let found = async {
            let name = words::given_name(name)?;
            let mut on = self.db.reader().await.ok()?;
            sql::users::by_name(&mut on, &name).await.ok()?
        };
        let found = found.await;
        Extension(Detail(found.map_or(Value::Null, |row| json!({"account": row.name}))))
    }

    /// Signs a browser in.
    pub async fn login_browser(&self, who: &Credentials, login: &Login) -> Result<(User, NewSession), Diagnostic> {
        let user = self.known(who, login).await?;
        let session = self.open_session(&user, &login.agent, login.from).await?;
        Ok((user, session))
    }

    /// Refuses who has shown one factor only where the home asks two of their role.
    pub(super) fn one_is_enough(&self, user: &User) -> Result<(), Diagnostic> {
        if self.requires_factor(user) && !user.second_factor { Err(missing_factor(user)) } else { Ok(()) }
    }

    /// Whoever has the right password and second factor, and is let in.
    async fn known(&self, who: &Credentials, login: &Login) -> Result<User, Diagnostic> {
        let user = self.by_password(&who.username, &who.password, login.from).await?;
        if user.second_factor {
            self.by_code(&user, who.otp.as_deref(), login.from).await?;
        } else {
            self.one_is_enough(&user)?;
        }
        let now = self.signed_in(&user, login.from).await?;
        self.live.forget_person(user.id);
        Ok(User { last_login: Some(now), ..user })
    }

    /// Writes down when and from where somebody signed in; gives when. Whoever was removed or changed in this moment is told so.
    pub(super) async fn signed_in(&self, user: &User, from: IpAddr) -> Result<i64, Diagnostic> {
        let (whose, now, house) = (user.clone(), self.now(), household(from).to_string());
        let is_new = self
            .db
            .write(async move |tx| {
                users::unchanged(tx, &whose).await?;
                sql::users::signed_in(tx, whose.id, &house, now).await
            })
            .await?;
        if is_new {
            // Nobody may listen.
            let _ = self.arrivals.send(Arrival { person: user.id, address: from.to_canonical().to_string() });
        }
        Ok(now)
    }

    /// Whoever has this name and password, and is active. As slow, and as counted, where there is nobody of the name.
    pub(super) async fn by_password(&self, name: &str, password: &Secret, from: IpAddr) -> Result<User, Diagnostic> {
        let given = words::given_name(name);
        let mut on = self.db.reader().await?;
        let row = sql::users::by_name(&mut on, given.as_deref().unwrap_or_default()).await?;
        let house = household(from).to_string();
        // Asked for nobody too: it takes as long.
        let known = sql::users::knows_place(&mut on, row.as_ref().map_or(-1, |row| row.id), &house).await?;
        let user = match &row {
            Some(row) => Some(users::whole(&mut on, row).await?),
            None => None,
        };
        // Hashing takes long, and connections are few.
        drop(on);
        let place = self.place(known, from);
        let near = place.is_near();
        let pass = self.brake(Attempt { what: What::Password, from, account: Some(name), place })?;
        let kept = row.as_ref().and_then(|row| row.password.as_deref());
        let judged = self.passwords.verify(password.clone(), kept, Auth::hashing(near, from)).await;
        // Nothing was found wrong where nothing was looked at.
        let verdict = judged.inspect_err(|_| self.brakes.undone(&pass))?;
        let (Verdict::Right { outdated }, Some(user), Some(kept)) = (verdict, user, kept) else { return Err(wrong()) };
        self.brakes.good(pass);
        if !user.active {
            return Err(inactive());
        }
        if outdated {
            let (id, old) = (user.id, kept.to_owned());
            let new = self.passwords.hash(password.clone(), Auth::hashing(near, from)).await?;
            self.db.write(async move |tx| sql::users::set_hash(tx, id, &old, &new).await).await?;
        }
        Ok(user)
    }

    /// Whether an invitation holds, before anybody fills in its form: as [`Auth::look_at_setup`].
    pub async fn look_at_invitation(&self, token: &Secret, from: IpAddr) -> Result<Invitation, Diagnostic> {
        if self.rules().registration == Rule::Closed {
            return Err(closed().hint("ask an admin of the home to add you"));
        }
        let pass = self.brake(Attempt { what: What::Link, from, account: None, place: self.place(false, from) })?;
        let hash = secrets::hash(token.expose());
        match sql::invitations::open(&mut self.db.reader().await?, &hash, self.now()).await? {
            Some(row) => {
                self.brakes.good(pass);
                Ok(Invitation::of(row))
            }
            None => Err(no_invitation()),
        }
    }

    /// Makes an account of one's own, where the home lets people do that.
    pub async fn register(&self, new: Registration, from: IpAddr) -> Result<User, Diagnostic> {
        let place = self.place(false, from);
        let rule = self.rules().registration;
        let what = match (&new.invite, rule) {
            (_, Rule::Closed) => return Err(closed().hint("ask an admin of the home to add you")),
            (None, Rule::Invite) => return Err(closed().hint("ask an admin of the home for an invitation")),
            (Some(_), _) => What::Link,
            (None, Rule::Open) => What::Register,
        };
        let pass = self.brake(Attempt { what, from, account: None, place })?;
        let hash = new.invite.as_ref().map(|token| secrets::hash(token.expose()));
        let (role, only) = match &hash {
            None => (Role::Member, Vec::new()),
            // Before anything is hashed slowly for nobody.
            Some(hash) => {
                let open = sql::invitations::open(&mut self.db.reader().await?, hash, self.now()).await?;
                let row = open.ok_or_else(no_invitation)?;
                (row.role.parse().map_err(|()| no_invitation())?, only::read(&row.confined))
            }
        };
        let Registration { username: name, email, password, .. } = new;
        let (groups, password) = (Vec::new(), Some(password));
        let new = NewUser { name, email, display_name: None, role, groups, only, password };
        let (new, groups) = self.prepared(new, Says::Themselves, Auth::hashing(place.is_near(), from)).await?;
        let now = self.now();
        let user = self
            .db
            .write(async move |tx| {
                if let Some(hash) = hash {
                    sql::invitations::take(tx, &hash, now).await?.ok_or_else(no_invitation)?;
                }
                users::insert(tx, new, groups, Says::Themselves).await
            })
            .await?;
        if what == What::Link {
            self.brakes.good(pass);
        }
        Ok(user)
    }

    /// Changes one's own password. All by which one is known ends; whoever asked by a browser gets a new session.
    pub async fn change_password(
        &self,
        who: &Identity,
        old: &Secret,
        new: Secret,
        login: &Login,
    ) -> Result<Option<NewSession>, Diagnostic> {
        let user = self.by_password(&who.name, old, login.from).await?;
        if secrets::same(old.expose(), new.expose()) {
            return Err(Diagnostic::error("auth.password", "the new password is the old one")
                .field("new_password")
                .hint("take another one"));
        }
        let user = self.set_own_password(user, new, login.from).await?;
        let By::Session(_) = who.by else { return Ok(None) };
        // The rule may have come since they signed in.
        let (passkeys, links) = sql::users::other_ways(&mut self.db.reader().await?, user.id).await?;
        if passkeys == 0 && links == 0 && self.one_is_enough(&user).is_err() {
            return Ok(None);
        }
        self.open_session(&user, &login.agent, login.from).await.map(Some)
    }

    /// Ends that by which somebody asks: the session with those on routed hosts, or the program's family.
    pub async fn logout(&self, who: &Identity) -> Result<(), Diagnostic> {
        let (user, by) = (who.user, who.by.clone());
        match &by {
            By::Session(_) | By::Access(_) => {}
            By::Token { .. } | By::Terminal => {
                return Err(Diagnostic::error("auth.not-logged-in", "this is an API token: it was never logged in")
                    .hint("end it instead: DELETE /api/v1/tokens/ID"));
            }
        }
        self.end(async move |tx| match by {
            By::Session(id) => sql::sessions::end(tx, user, &id).await.map(drop),
            By::Access(id) => sql::families::end(tx, user, &id).await.map(drop),
            By::Token { .. } | By::Terminal => Ok(()),
        })
        .await
    }

    /// Changes one's own names. Of another address nobody else says that it is theirs, unless they are an admin.
    pub async fn rename(&self, id: i64, display_name: Option<&str>, email: Option<&str>) -> Result<User, Diagnostic> {
        let change = super::Change {
            email: email.map(str::to_owned),
            display_name: display_name.map(str::to_owned),
            ..Default::default()
        };
        if change.email.is_none() && change.display_name.is_none() {
            return self.user(id).await.map_err(|_| no_such_user(id));
        }
        self.change_user(id, change).await
    }
}

/// The same for a name that there is not and for a wrong password.
fn wrong() -> Diagnostic {
    Diagnostic::error("auth.wrong-password", "the user name or the password is wrong")
        .kind(Kind::Unauthenticated)
        .hint("an admin of the home can give you a new password")
        .hint("at the terminal: `hearth users password NAME`")
}

/// The home asks a second factor of people of this role.
pub(super) fn missing_factor(user: &User) -> Diagnostic {
    let title = format!("{}s of this home need a second factor, and you have none", user.role);
    Diagnostic::error("auth.second-factor-missing", title)
        .kind(Kind::Denied)
        .hint("sign in with a passkey, where you have one: it counts as both")
        .hint("or set up an app with codes, with your name and password: at /second-factor")
        .hint("a program: POST /api/v1/auth/second-factor/begin")
        .hint("at the terminal: `auth: {second_factor: {required: [...]}}` in hearth.yaml says whom the home asks for one")
}

pub(super) fn inactive() -> Diagnostic {
    Diagnostic::error("auth.inactive", "this account is not active")
        .kind(Kind::Denied)
        .hint("ask an admin of the home to make it active again")
}

fn no_invitation() -> Diagnostic {
    Diagnostic::error("auth.bad-link", "this invitation does not hold: it has ended, or was used up")
        .kind(Kind::Denied)
        .hint("ask for a new one")
}
