//! Users as an admin sees them, and what all ways in and out have in common.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::sql::users::{Fields, New, Row};
use super::words::{self, no_such_group, no_such_user};
use super::{Auth, only, sql};
use crate::auth::passwords::{self, About, Lane, Turn};
use crate::auth::who::Role;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::store::{Conn, Tx};
use crate::web::{Etag, Over};

/// A user, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    /// An admin or the provider of accounts says that the address is theirs, so that applications are told it.
    pub email_vouched: bool,
    pub display_name: String,
    pub role: Role,
    pub active: bool,
    /// In order.
    pub groups: Vec<String>,
    /// Services that the account is for alone, in order; none: for whatever its role opens.
    pub only: Vec<String>,
    /// Has a confirmed second factor.
    pub second_factor: bool,
    pub has_password: bool,
    /// Counts changes.
    pub version: i64,
    /// Milliseconds since 1970.
    pub created: i64,
    pub last_login: Option<i64>,
}

/// Who is to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub name: String,
    pub email: Option<String>,
    /// `None`: the user name.
    pub display_name: Option<String>,
    pub role: Role,
    pub groups: Vec<String>,
    /// Services that the account is for alone; none: for whatever its role opens.
    pub only: Vec<String>,
    /// `None`: cannot sign in with one yet.
    pub password: Option<Secret>,
}

/// Who says what somebody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// An admin, or the machine's owner.
    Home,
    /// The home's provider of accounts.
    Provider,
    /// They themselves: they may not be called what applications take for somebody else.
    Themselves,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub email: Option<String>,
    /// Whoever changes the address says that it is theirs, and is not the person.
    pub vouched: bool,
    pub display_name: Option<String>,
    pub role: Option<Role>,
    pub active: Option<bool>,
    pub groups: Option<Vec<String>>,
    /// Services that the account is for alone; empty: for whatever its role opens.
    pub only: Option<Vec<String>>,
    /// The version that the change was made of: refused where it is another by now.
    pub version: Option<i64>,
    /// The same, as `If-Match` says it.
    pub over: Option<Over>,
}

impl Auth {
    /// Users with an id above `after`, in order, `limit` at most.
    pub async fn users(&self, after: i64, limit: u32) -> Result<Vec<User>, Diagnostic> {
        let mut on = self.db.reader().await?;
        let rows = sql::users::all(&mut on, after, i64::from(limit)).await?;
        let (from, to) = (rows.first().map_or(0, |row| row.id), rows.last().map_or(0, |row| row.id));
        let all = sql::groups::memberships(&mut on, from, to).await?;
        let groups = |id: i64| all.iter().filter(|(person, _)| *person == id).map(|(_, name)| name.clone()).collect();
        Ok(rows.into_iter().map(|row| User::of(&row, groups(row.id))).collect())
    }

    /// How many there are.
    pub async fn user_count(&self) -> Result<i64, Diagnostic> {
        sql::users::count(&mut self.db.reader().await?).await
    }

    /// Whether somebody is the only active admin: then they stay one.
    pub async fn is_last_admin(&self, id: i64) -> Result<bool, Diagnostic> {
        let mut on = self.db.reader().await?;
        Ok(one(&mut on, id).await?.is_admin() && sql::users::admins(&mut on).await? < 2)
    }

    pub async fn user(&self, id: i64) -> Result<User, Diagnostic> {
        one(&mut self.db.reader().await?, id).await
    }

    /// As [`Auth::user`], from memory where nothing has changed: for calls that are made many times a second.
    pub async fn person(&self, id: i64) -> Result<Arc<User>, Diagnostic> {
        if let Some(user) = self.live.person(id) {
            return Ok(user);
        }
        let turn = self.live.turn();
        let user = Arc::new(self.user(id).await?);
        self.live.put_person(user.clone(), turn);
        Ok(user)
    }

    pub async fn user_named(&self, name: &str) -> Result<User, Diagnostic> {
        let mut on = self.db.reader().await?;
        let told = || no_such_user(format!("`{name}`"));
        let name = words::given_name(name).ok_or_else(told)?;
        let row = sql::users::by_name(&mut on, &name).await?.ok_or_else(told)?;
        whole(&mut on, &row).await
    }

    pub async fn add_user(&self, new: NewUser) -> Result<User, Diagnostic> {
        let (new, groups) = self.prepared(new, Says::Home, Lane::Near).await?;
        let user = self.db.write(async move |tx| insert(tx, new, groups, Says::Home).await).await?;
        self.look_for_admin().await?;
        Ok(user)
    }

    /// Names in their form, password judged and hashed.
    pub(super) async fn prepared(
        &self,
        new: NewUser,
        says: Says,
        turn: impl Into<Turn>,
    ) -> Result<(New, Vec<String>), Diagnostic> {
        let name = words::user_name(&new.name)?;
        if says != Says::Home {
            words::for_anybody(&name)?;
        }
        let email = words::email(new.email.as_deref().unwrap_or_default())?;
        let display_name = words::label(new.display_name.as_deref().unwrap_or(&name), "display_name", 100)?;
        let only = only::named(&new.only)?;
        only::fits(&only, new.role)?;
        let groups = new.groups.iter().map(|group| words::group_name(group)).collect::<Result<_, _>>()?;
        let password = match new.password {
            Some(password) => Some(self.hashed(password, &name, email.as_deref(), turn).await?),
            None => None,
        };
        let (email_vouched, role) = (email.is_some() && says != Says::Themselves, new.role.word());
        let (confined, created) = (only::text(&only), self.now());
        let new = New { name, email, email_vouched, display_name, role, confined, password, created };
        Ok((new, groups))
    }

    /// A password that is taken, as it is kept.
    pub(super) async fn hashed(
        &self,
        password: Secret,
        name: &str,
        email: Option<&str>,
        turn: impl Into<Turn>,
    ) -> Result<String, Diagnostic> {
        passwords::judge(password.expose(), About { name, email: email.unwrap_or_default() })?;
        self.passwords.hash(password, turn).await
    }

    /// Changes a user. With another role, or no longer active, all by which they are known ends; other groups and services count from now on.
    pub async fn change_user(&self, id: i64, change: Change) -> Result<User, Diagnostic> {
        let email = change.email.as_deref().map(words::email).transpose()?;
        let shown = change.display_name.as_deref().map(|text| words::label(text, "display_name", 100)).transpose()?;
        let groups = change.groups.as_ref().map(|all| all.iter().map(|name| words::group_name(name)).collect());
        let groups: Option<Vec<String>> = groups.transpose()?;
        let only = change.only.as_deref().map(only::named).transpose()?;
        self.end(async move |tx| {
            let row = sql::users::by_id(tx, id).await?.ok_or_else(|| no_such_user(id))?;
            if change.version.is_some_and(|version| version != row.version) {
                return Err(moved(&row.name));
            }
            let before = whole(tx, &row).await?;
            if let Some(over) = &change.over {
                over.holds(&before.tag())?;
            }
            let role = change.role.unwrap_or(before.role);
            let active = change.active.unwrap_or(before.active);
            let only = only.unwrap_or(before.only.clone());
            only::fits(&only, role)?;
            if before.is_admin() && !(active && role == Role::Admin) && sql::users::admins(tx).await? < 2 {
                return Err(last_admin(&before.name));
            }
            // Who stays with the address that they have changes nothing; an admin's word counts for themselves too.
            let email_vouched = match &email {
                Some(email) if *email != before.email => {
                    email.is_some() && (change.vouched || before.role == Role::Admin)
                }
                Some(email) => email.is_some() && (change.vouched || before.email_vouched),
                None => before.email_vouched,
            };
            let email = email.unwrap_or(before.email);
            if let Some(address) = &email
                && sql::users::email_taken(tx, address, id).await?
            {
                return Err(taken("this e-mail address"));
            }
            let display_name = shown.unwrap_or(before.display_name);
            let (role_word, confined) = (role.word().into(), only::text(&only));
            let fields = Fields { email, email_vouched, display_name, role: role_word, confined, active };
            sql::users::change(tx, id, &fields).await?;
            if let Some(groups) = groups {
                sql::groups::leave_all(tx, id).await?;
                join_all(tx, id, &groups).await?;
            }
            // Names too: other processes remember them.
            tx.changed();
            if role != before.role || active != before.active {
                sql::end_all(tx, id).await?;
            }
            one(tx, id).await
        })
        .await
    }

    /// Gives a user another password, whatever the old one is. All by which they are known ends; with `only` every other way in too: second factor,
    /// passkeys, links with a provider.
    pub async fn set_password(&self, id: i64, password: Secret, only: bool) -> Result<(), Diagnostic> {
        let user = self.user(id).await?;
        let kept = self.hashed(password, &user.name, user.email.as_deref(), Lane::Near).await?;
        self.end(async move |tx| {
            sql::users::by_id(tx, id).await?.ok_or_else(|| no_such_user(id))?;
            put_password(tx, id, &kept, only).await
        })
        .await
    }

    /// The same by the person, who has shown that they are `user`: not where an admin was faster. Gives them as they are now.
    pub(super) async fn set_own_password(
        &self,
        user: User,
        password: Secret,
        from: IpAddr,
    ) -> Result<User, Diagnostic> {
        let lane = Auth::hashing(self.is_near(from), from);
        let kept = self.hashed(password, &user.name, user.email.as_deref(), lane).await?;
        self.end(async move |tx| {
            unchanged(tx, &user).await?;
            put_password(tx, user.id, &kept, false).await?;
            one(tx, user.id).await
        })
        .await
    }

    /// Removes a user. `heir` gets what is theirs; without one the admins keep it for 30 days.
    pub async fn remove_user(&self, id: i64, heir: Option<i64>) -> Result<User, Diagnostic> {
        let now = self.now();
        self.end(async move |tx| {
            let user = one(tx, id).await?;
            if user.is_admin() && sql::users::admins(tx).await? < 2 {
                return Err(last_admin(&user.name));
            }
            if let Some(heir) = heir {
                if heir == id {
                    return Err(Diagnostic::error("auth.no-heir", "nobody inherits from themselves")
                        .field("heir")
                        .hint("name somebody else, or nobody: then the admins keep it for 30 days"));
                }
                one(tx, heir).await?;
            }
            sql::end_all(tx, id).await?;
            sql::users::remove(tx, id, &user.name, heir, now).await?;
            Ok(user)
        })
        .await
    }

    /// Who has what was a removed user's: `Some(None)` the admins, `None`: nobody of that id was removed.
    pub async fn heir_of(&self, id: i64) -> Result<Option<Option<i64>>, Diagnostic> {
        sql::users::heir(&mut self.db.reader().await?, id).await
    }
}

async fn put_password(tx: &mut Tx, id: i64, kept: &str, only: bool) -> Result<(), Diagnostic> {
    sql::users::set_password(tx, id, kept).await?;
    if only {
        sql::users::end_ways(tx, id).await?;
    }
    sql::factors::forget_begun(tx, id).await?;
    sql::end_all(tx, id).await
}

/// Adds a user with their groups, in a job.
pub(super) async fn insert(tx: &mut Tx, new: New, groups: Vec<String>, says: Says) -> Result<User, Diagnostic> {
    // Applications still have what was the former one's under this name, and may take one that reads as another's for theirs.
    if says != Says::Home && sql::users::reads_as(tx, &words::reads(&new.name)).await? {
        return Err(taken("this user name"));
    }
    let id = match sql::users::add(tx, &new).await? {
        Some(id) => id,
        None => {
            let name = sql::users::by_name(tx, &new.name).await?;
            return Err(taken(if name.is_some() { "this user name" } else { "this e-mail address" }));
        }
    };
    join_all(tx, id, &groups).await?;
    // A server that waits for its first admin learns of one that was made at the terminal.
    tx.changed();
    one(tx, id).await
}

/// In the job that lets somebody in: that they are as they were when they showed who they are. Hashing takes long, and another password, a role taken
/// away or the account's end may have come meanwhile.
pub(super) async fn unchanged(tx: &mut Tx, user: &User) -> Result<(), Diagnostic> {
    match sql::users::by_id(tx, user.id).await? {
        Some(row) if row.version == user.version && row.active => Ok(()),
        _ => Err(Diagnostic::error(
            "auth.login-overtaken",
            "the account was changed while you signed in: nobody was let in",
        )
        .kind(Kind::Unauthenticated)
        .hint("sign in again")),
    }
}

async fn join_all(tx: &mut Tx, id: i64, groups: &[String]) -> Result<(), Diagnostic> {
    for name in groups {
        sql::groups::one(tx, name).await?.ok_or_else(|| no_such_group(name))?;
        sql::groups::join(tx, id, name).await?;
    }
    Ok(())
}

pub(super) async fn one(on: &mut Conn, id: i64) -> Result<User, Diagnostic> {
    let row = sql::users::by_id(on, id).await?.ok_or_else(|| no_such_user(id))?;
    whole(on, &row).await
}

pub(super) async fn whole(on: &mut Conn, row: &Row) -> Result<User, Diagnostic> {
    Ok(User::of(row, sql::groups::of(on, row.id).await?))
}

impl User {
    fn of(row: &Row, groups: Vec<String>) -> User {
        // Whatever else somebody has written there by hand: it keeps no admin from seeing them, and from giving them another one.
        let role = row.role.parse().unwrap_or(Role::Viewer);
        User {
            id: row.id,
            name: row.name.clone(),
            email: row.email.clone(),
            email_vouched: row.email_vouched,
            display_name: row.display_name.clone(),
            role,
            active: row.active,
            groups,
            only: only::read(&row.confined),
            second_factor: row.factor,
            has_password: row.password.is_some(),
            version: row.version,
            created: row.created,
            last_login: row.last_login,
        }
    }

    /// Of all that can be changed of them by an admin.
    pub fn tag(&self) -> Etag {
        let User { id, name, email, display_name, role, active, groups, only, version, .. } = self;
        Etag::of(format!("{:?}", (id, name, email, display_name, role, active, groups, only, version)).as_bytes())
    }

    /// Refused where the account is not active.
    pub(super) fn if_active(self) -> Result<User, Diagnostic> {
        if self.active { Ok(self) } else { Err(super::login::inactive()) }
    }

    /// One who can mend everything.
    pub fn is_admin(&self) -> bool {
        self.active && self.role == Role::Admin
    }
}

fn taken(what: &str) -> Diagnostic {
    Diagnostic::error("auth.taken", format!("{what} is taken")).kind(Kind::Conflict).hint("take another one")
}

fn moved(name: &str) -> Diagnostic {
    Diagnostic::error("auth.changed-meanwhile", format!("somebody has changed {name} meanwhile"))
        .kind(Kind::Conflict)
        .hint("look at it again, and make the change once more if it is still right")
}

fn last_admin(name: &str) -> Diagnostic {
    Diagnostic::error("auth.last-admin", format!("{name} is the last active admin: the home would have none"))
        .kind(Kind::Conflict)
        .hint("make somebody else an admin first")
}
