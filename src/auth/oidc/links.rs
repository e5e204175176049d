//! The link of an account here with one at the provider: made and ended by its owner.

use std::net::IpAddr;

use super::{Leaving, Oidc, Purpose, With, sql, words};
use crate::auth::accounts;
use crate::auth::who::{Identity, nobody};
use crate::base::secret::Secret;
use crate::diag::Diagnostic;

impl Oidc {
    /// Begins to link somebody's account here with one there.
    pub async fn begin_link(
        &self,
        who: &Identity,
        password: Option<&Secret>,
        from: IpAddr,
    ) -> Result<Leaving, Diagnostic> {
        self.with()?;
        self.auth.prove(who, password, from).await?;
        self.leave("", Purpose::Link { person: who.user }, from).await
    }

    pub(super) async fn link(&self, with: &With, who: &Identity, subject: &str) -> Result<(), Diagnostic> {
        let (issuer, subject, now) = (with.settings.issuer.clone(), subject.to_owned(), self.now());
        let (person, by) = (who.user, who.by.clone());
        self.db
            .write(async move |tx| {
                // The provider has been asked since, and takes as long as it likes.
                if !accounts::holds(tx, person, &by).await? {
                    return Err(nobody());
                }
                if sql::by_subject(tx, &issuer, &subject).await?.is_some_and(|row| row.person == person) {
                    return Ok(());
                }
                // One that they were linked with before gives way.
                if sql::by_subject(tx, &issuer, &subject).await?.is_none() {
                    sql::remove(tx, &issuer, person).await?;
                }
                match sql::add(tx, &issuer, &subject, person, now).await? {
                    true => Ok(()),
                    false => Err(words::linked()),
                }
            })
            .await
    }

    /// When somebody was linked, and when they came by it last.
    pub async fn linked(&self, person: i64) -> Result<Option<(i64, Option<i64>)>, Diagnostic> {
        let Ok(with) = self.with() else { return Ok(None) };
        let row = sql::of(&mut self.db.reader().await?, &with.settings.issuer, person).await?;
        Ok(row.map(|row| (row.made, row.last_used)))
    }

    /// Unlinks somebody. Refused where it is their only way in.
    pub async fn unlink(&self, person: i64) -> Result<(), Diagnostic> {
        let with = self.with()?;
        let issuer = with.settings.issuer.clone();
        self.db
            .write(async move |tx| {
                let ways = accounts::ways(tx, person).await?;
                match ways.password || ways.passkeys > 0 {
                    true => sql::remove(tx, &issuer, person).await.map(drop),
                    false => Err(words::only_way()),
                }
            })
            .await
    }
}
