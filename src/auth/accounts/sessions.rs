//! Sessions of browsers, and programs that have logged in, as their owner sees them.

use std::net::IpAddr;

use serde::Serialize;

use super::live::Use;
use super::users::{User, unchanged};
use super::{Auth, sql, words};
use crate::auth::secrets;
use crate::auth::who::By;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// One browser or program that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    pub id: String,
    /// `browser`, or `program` for one with access tokens.
    pub sort: &'static str,
    /// What it calls itself, in a few words.
    pub device: String,
    /// The address that it signed in from.
    pub address: String,
    /// Milliseconds since 1970.
    pub made: i64,
    pub last_used: i64,
    pub expires: i64,
    /// It is the one that asks.
    pub current: bool,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct NewSession {
    pub id: String,
    /// Whose it is: number and name.
    pub user: i64,
    pub name: String,
    /// For the cookie; shown now and never again.
    pub token: Secret,
    /// Seconds that the cookie may be kept.
    pub max_age: i64,
}

/// Sessions of browsers that a person has at once, and as many of programs: with one more the one that was not used for longest ends.
pub(super) const MOST: i64 = 100;

impl Auth {
    /// Begins a browser's session on the panel, for somebody who was `user` when they showed who they are by one factor. Refused where the home asks
    /// two of their role.
    pub async fn begin_session(&self, user: &User, agent: &str, from: IpAddr) -> Result<NewSession, Diagnostic> {
        self.one_is_enough(user)?;
        self.open_session(user, agent, from).await
    }

    /// The same for who has shown all that is asked of them.
    pub(super) async fn open_session(&self, user: &User, agent: &str, from: IpAddr) -> Result<NewSession, Diagnostic> {
        let now = self.now();
        let token = secrets::token(&*self.random);
        let row = sql::sessions::Row {
            id: secrets::id(&*self.random),
            person: user.id,
            parent: None,
            host: None,
            device: words::device(agent),
            address: from.to_canonical().to_string(),
            made: now,
            last_used: now,
            expires: now.saturating_add(self.rules().absolute_ms()),
        };
        let (id, hash) = (row.id.clone(), secrets::hash(token.expose()));
        let whose = user.clone();
        self.db
            .write(async move |tx| {
                unchanged(tx, &whose).await?;
                sql::sessions::add(tx, &row, &hash).await?;
                if sql::sessions::end_eldest(tx, whose.id, MOST).await? > 0 {
                    tx.changed();
                }
                Ok(())
            })
            .await?;
        Ok(NewSession { id, user: user.id, name: user.name.clone(), token, max_age: self.rules().absolute_ms() / 1000 })
    }

    /// Where somebody is signed in, the last used first. `asking`: by what they ask now.
    pub async fn sessions(&self, person: i64, asking: Option<&By>) -> Result<Vec<Session>, Diagnostic> {
        let mut on = self.db.reader().await?;
        let browsers = sql::sessions::of(&mut on, person).await?;
        let programs = sql::families::of(&mut on, person).await?;
        let browsers =
            browsers.into_iter().filter(|row| self.holds(row.expires, row.last_used, &row.noted())).map(|row| {
                Session {
                    current: matches!(asking, Some(By::Session(id)) if *id == row.id),
                    sort: "browser",
                    id: row.id,
                    device: row.device,
                    address: row.address,
                    made: row.made,
                    last_used: row.last_used,
                    expires: row.expires,
                }
            });
        let programs =
            programs.into_iter().filter(|row| self.holds(row.expires, row.last_used, &row.noted())).map(|row| {
                Session {
                    current: matches!(asking, Some(By::Access(id)) if *id == row.id),
                    sort: "program",
                    id: row.id,
                    device: row.device,
                    address: row.address,
                    made: row.made,
                    last_used: row.last_used,
                    expires: row.expires,
                }
            });
        let mut all: Vec<Session> = browsers.chain(programs).collect();
        all.sort_by(|a, b| b.last_used.cmp(&a.last_used).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// Ends one of a user's own.
    pub async fn end_session(&self, person: i64, id: &str) -> Result<(), Diagnostic> {
        let id = id.to_owned();
        let ended = self.end(async move |tx| {
            Ok(sql::sessions::end(tx, person, &id).await? || sql::families::end(tx, person, &id).await?)
        });
        match ended.await? {
            true => Ok(()),
            false => Err(Diagnostic::error("auth.no-such-session", "you have no session of that id")
                .kind(Kind::NotFound)
                .hint("it may have ended by itself")),
        }
    }

    /// Ends all of a user's, but the one that asks where it is given; API tokens stay.
    pub async fn end_sessions(&self, person: i64, but: Option<&By>) -> Result<(), Diagnostic> {
        let (session, family) = match but {
            Some(By::Session(id)) => (Some(id.clone()), None),
            Some(By::Access(id)) => (None, Some(id.clone())),
            _ => (None, None),
        };
        self.end(async move |tx| {
            sql::sessions::end_others(tx, person, session.as_deref()).await?;
            for row in sql::families::of(tx, person).await?.iter().filter(|row| Some(&row.id) != family.as_ref()) {
                sql::families::end(tx, person, &row.id).await?;
            }
            Ok(())
        })
        .await
    }

    /// Whether a session or a program's login holds: its time has not come, and it was used within `idle`. So says everything that asks; what forgets
    /// the others says it in SQL.
    pub(super) fn holds(&self, expires: i64, last_used: i64, of: &Use) -> bool {
        let idle = self.idle_since();
        // Uses are written down now and then only.
        expires > self.now() && (last_used > idle || self.live.last_use(of).is_some_and(|at| at > idle))
    }

    /// Before this a session's last use is too long ago.
    pub(super) fn idle_since(&self) -> i64 {
        self.now().saturating_sub(self.rules().idle_ms())
    }
}
