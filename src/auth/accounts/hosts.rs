//! Sessions on routed hosts, for the one login in front of every service (`auth::forward`).

use std::collections::HashMap;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Auth, only, sql, users};
use crate::auth::forward::sessions::{Opened, Person, Sessions};
use crate::auth::secrets;
use crate::auth::who::Role;
use crate::diag::Diagnostic;
use crate::traefik::forward::wire::{Grant, Hash, Kind, Of};

/// Sessions on routed hosts below one on the panel: more than a home has hosts.
const MOST_BELOW: i64 = 200;
/// Before the name of a service in a token's scopes: it opens the paths of that service that take a token.
pub const ROUTE: &str = "route:";

impl Auth {
    fn grant(&self, row: sql::hosts::Row, groups: Vec<String>) -> Grant {
        Grant {
            user: row.name,
            title: row.display_name,
            email: row.email.unwrap_or_default(),
            groups,
            admin: row.role == Role::Admin.word(),
            only: only::read(&row.confined),
            of: Of::Host(row.host),
            until: row.expires,
            idle: self.rules().idle_ms(),
            used: row.last_used,
        }
    }

    async fn session_grant(&self, hash: Hash) -> Result<Option<Grant>, Diagnostic> {
        let mut on = self.db.reader().await?;
        let found = sql::hosts::one(&mut on, &hash.text(), self.now(), self.idle_since()).await?;
        let Some(row) = found else { return Ok(None) };
        let all = sql::groups::memberships(&mut on, row.person, row.person).await?;
        Ok(Some(self.grant(row, all.into_iter().map(|(_, group)| group).collect())))
    }

    async fn token_grant(&self, hash: Hash) -> Result<Option<Grant>, Diagnostic> {
        let (mut on, now) = (self.db.reader().await?, self.now());
        let row = sql::tokens::by_hash(&mut on, &hash.text()).await?;
        let Some(row) = row.filter(|row| row.expires.is_none_or(|at| at > now)) else { return Ok(None) };
        let Some(person) = sql::users::by_id(&mut on, row.person).await?.filter(|person| person.active) else {
            return Ok(None);
        };
        let user = users::whole(&mut on, &person).await?;
        let routes: Vec<String> =
            row.scopes.split(' ').filter_map(|scope| scope.strip_prefix(ROUTE)).map(str::to_owned).collect();
        Ok((!routes.is_empty()).then(|| Grant {
            user: user.name,
            title: user.display_name,
            email: user.email.filter(|_| user.email_vouched).unwrap_or_default(),
            groups: user.groups,
            admin: user.role == Role::Admin,
            only: user.only,
            of: Of::Routes(routes),
            until: row.expires.unwrap_or(i64::MAX),
            idle: 0,
            used: now,
        }))
    }
}

#[async_trait]
impl Sessions for Auth {
    async fn all(&self) -> Result<Vec<(Hash, Grant)>, Diagnostic> {
        let mut on = self.db.reader().await?;
        let rows = sql::hosts::all(&mut on, self.now(), self.idle_since()).await?;
        let (from, to) = (rows.first().map_or(0, |row| row.person), rows.last().map_or(0, |row| row.person));
        let mut groups: HashMap<i64, Vec<String>> = HashMap::new();
        for (person, group) in sql::groups::memberships(&mut on, from, to).await? {
            groups.entry(person).or_default().push(group);
        }
        let one = |row: sql::hosts::Row| {
            let groups = groups.get(&row.person).cloned().unwrap_or_default();
            Some((Hash::read(&row.hash)?, self.grant(row, groups)))
        };
        Ok(rows.into_iter().filter_map(one).collect())
    }

    async fn whose(&self, kind: Kind, hash: Hash) -> Result<Option<Grant>, Diagnostic> {
        match kind {
            Kind::Cookie => self.session_grant(hash).await,
            Kind::Token => self.token_grant(hash).await,
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.live.changes()
    }

    async fn used(&self, all: Vec<(Hash, i64)>) {
        let now = self.now();
        let written = self.db.write(async move |tx| {
            for (hash, at) in all {
                // A clock that is ahead must not keep a session for ever.
                sql::hosts::used(tx, &hash.text(), at.min(now)).await?;
            }
            Ok(())
        });
        if let Err(why) = written.await {
            tracing::warn!(code = why.code, "when sessions were last used is not written down: {}", why.whole());
        }
    }

    async fn open(&self, parent: &str, host: &str) -> Result<Option<Opened>, Diagnostic> {
        // What was used a moment ago is not idle: the job looks at what is written down.
        self.write_uses().await?;
        let (now, idle) = (self.now(), self.idle_since());
        let token = secrets::token(&*self.random);
        let (id, hash) = (secrets::id(&*self.random), secrets::hash(token.expose()));
        let (parent, host) = (parent.to_owned(), host.to_owned());
        let expires = self
            .db
            .write(async move |tx| {
                let found = sql::sessions::by_id(tx, &parent).await?;
                let holds =
                    |row: &sql::sessions::Row| row.parent.is_none() && row.expires > now && row.last_used > idle;
                let Some(above) = found.filter(holds) else { return Ok(None) };
                if !sql::users::by_id(tx, above.person).await?.is_some_and(|user| user.active) {
                    return Ok(None);
                }
                let expires = above.expires;
                let row = sql::sessions::Row {
                    id,
                    parent: Some(above.id),
                    host: Some(host),
                    made: now,
                    last_used: now,
                    person: above.person,
                    device: above.device,
                    address: above.address,
                    expires,
                };
                sql::sessions::add(tx, &row, &hash).await?;
                let parent = row.parent.as_deref().unwrap_or_default();
                if sql::sessions::end_eldest_below(tx, parent, MOST_BELOW).await? > 0 {
                    tx.changed();
                }
                Ok(Some(expires))
            })
            .await?;
        Ok(expires.map(|expires| Opened { cookie: token, lasts: (expires - now) / 1000 }))
    }

    async fn leave(&self, hash: Hash) -> Result<(), Diagnostic> {
        self.end(async move |tx| sql::hosts::end(tx, &hash.text()).await).await
    }

    async fn sign_out(&self, hash: Hash) -> Result<Option<Person>, Diagnostic> {
        // Also one that has ended for want of use: whoever signs out is signed out.
        let found = sql::hosts::one(&mut self.db.reader().await?, &hash.text(), 0, 0).await?;
        let Some(row) = found else { return Ok(None) };
        let who = Person { id: row.person, name: row.name };
        self.end(async move |tx| sql::sessions::end(tx, row.person, &row.parent).await).await?;
        Ok(Some(who))
    }
}
