//! Invitations: a link with which somebody makes an account of their own, with a role, an end, and a number of uses.

use serde::Serialize;

use super::{Auth, only, sql, words};
use crate::auth::secrets;
use crate::auth::who::Role;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// Days that an invitation may hold, and people it may let in.
const LONGEST_DAYS: u32 = 90;
const MOST_USES: u32 = 100;
const DAY_MS: i64 = 24 * 3600 * 1000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    pub id: String,
    pub role: String,
    /// Services that the account will be for alone; none: for whatever its role opens.
    pub only: Vec<String>,
    pub note: String,
    /// Milliseconds since 1970.
    pub made: i64,
    /// User name of who made it.
    pub made_by: String,
    pub expires: i64,
    pub uses_left: i64,
}

#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub role: Role,
    /// Services that the account will be for alone; none: for whatever its role opens.
    pub only: Vec<String>,
    /// For whom it is, for the list.
    pub note: String,
    pub days: u32,
    pub uses: u32,
    /// Who makes it: id and user name; with it end their right to it and it. `None`: the machine's owner, at a terminal.
    pub maker: Option<(i64, String)>,
}

impl Auth {
    /// The invitations that hold.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, Diagnostic> {
        let rows = sql::invitations::all(&mut self.db.reader().await?, self.now()).await?;
        Ok(rows.into_iter().map(Invitation::of).collect())
    }

    /// Makes one; the token is shown now and never again. Its link is `/invitation?token=TOKEN`.
    pub async fn invite(&self, new: NewInvitation) -> Result<(Invitation, Secret), Diagnostic> {
        use crate::config::people::Registration;
        if self.rules().registration == Registration::Closed {
            return Err(
                closed().hint("set `auth: {registration: invite}` in hearth.yaml first, or add the user yourself")
            );
        }
        let out = |field: &'static str, title: String| {
            Err(Diagnostic::error("auth.bad-invitation", title)
                .field(field)
                .hint("make several where one is not enough"))
        };
        if !(1..=LONGEST_DAYS).contains(&new.days) {
            return out("days", format!("an invitation holds for 1 to {LONGEST_DAYS} days"));
        }
        if !(1..=MOST_USES).contains(&new.uses) {
            return out("uses", format!("an invitation is for 1 to {MOST_USES} people"));
        }
        let only = only::named(&new.only)?;
        only::fits(&only, new.role)?;
        let note = words::note(&new.note, "note", 200)?;
        let now = self.now();
        let token = secrets::token(&*self.random);
        let (maker, made_by) = new.maker.map_or((None, "terminal".into()), |(id, name)| (Some(id), name));
        let row = sql::invitations::Row {
            id: secrets::id(&*self.random),
            role: new.role.word().into(),
            confined: only::text(&only),
            note,
            made: now,
            made_by,
            maker,
            expires: now.saturating_add(i64::from(new.days) * DAY_MS),
            uses_left: i64::from(new.uses),
        };
        let (made, hash) = (row.clone(), secrets::hash(token.expose()));
        self.db.write(async move |tx| sql::invitations::add(tx, &row, &hash).await).await?;
        Ok((Invitation::of(made), token))
    }

    pub async fn end_invitation(&self, id: &str) -> Result<(), Diagnostic> {
        let id = id.to_owned();
        self.db
            .write(async move |tx| match sql::invitations::remove(tx, &id).await? {
                true => Ok(()),
                false => Err(Diagnostic::error("auth.no-such-invitation", "there is no invitation of that id")
                    .kind(Kind::NotFound)
                    .hint("it may have been used up, or have ended by itself")),
            })
            .await
    }
}

impl Invitation {
    pub(super) fn of(row: sql::invitations::Row) -> Invitation {
        let sql::invitations::Row { id, role, confined, note, made, made_by, expires, uses_left, .. } = row;
        Invitation { id, role, only: only::read(&confined), note, made, made_by, expires, uses_left }
    }
}

pub(super) fn closed() -> Diagnostic {
    Diagnostic::error("auth.registration-closed", "nobody can make an account of their own in this home")
        .kind(Kind::Denied)
}
