//! By what a user gets in, as an admin sees it and takes it away. No secret of it is shown.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Auth, sql};
use crate::diag::{Diagnostic, Kind};

/// One of a user's passkeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PasskeyOfUser)]
pub struct KeyOf {
    pub id: String,
    pub name: String,
    /// Milliseconds since 1970.
    pub made: i64,
    #[schema(required)]
    pub last_used: Option<i64>,
}

/// An account at a provider that a user signs in by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LinkOfUser)]
pub struct LinkOf {
    /// The provider.
    pub issuer: String,
    /// Milliseconds since 1970.
    pub made: i64,
    #[schema(required)]
    pub last_used: Option<i64>,
}

impl Auth {
    /// A user's passkeys, the oldest first.
    pub async fn keys_of(&self, person: i64) -> Result<Vec<KeyOf>, Diagnostic> {
        self.user(person).await?;
        let rows = sql::ways::keys(&mut self.db.reader().await?, person).await?;
        let key = |row: sql::ways::Key| KeyOf { id: row.id, name: row.name, made: row.made, last_used: row.last_used };
        Ok(rows.into_iter().map(key).collect())
    }

    /// Takes a passkey away, also where it is the only way in: an admin can give a password. Sessions stay.
    pub async fn take_key(&self, person: i64, id: &str) -> Result<(), Diagnostic> {
        self.user(person).await?;
        let id = id.to_owned();
        match self.end(async move |tx| sql::ways::remove_key(tx, person, &id).await).await? {
            true => Ok(()),
            false => Err(Diagnostic::error("auth.no-such-passkey", "this user has no passkey of that id")
                .kind(Kind::NotFound)
                .hint("look which there are: `hearth users show NAME`, or GET /api/v1/users/ID/passkeys")),
        }
    }

    /// A user's accounts at providers.
    pub async fn links_of(&self, person: i64) -> Result<Vec<LinkOf>, Diagnostic> {
        self.user(person).await?;
        let rows = sql::ways::links(&mut self.db.reader().await?, person).await?;
        let link = |row: sql::ways::Link| LinkOf { issuer: row.issuer, made: row.made, last_used: row.last_used };
        Ok(rows.into_iter().map(link).collect())
    }

    /// Unlinks a user from every provider, also where that is the only way in. Sessions stay.
    pub async fn take_links(&self, person: i64) -> Result<(), Diagnostic> {
        self.user(person).await?;
        match self.end(async move |tx| sql::ways::remove_links(tx, person).await).await? {
            0 => Err(Diagnostic::error("auth.no-link", "this user is linked with no account at a provider")
                .kind(Kind::NotFound)
                .hint("there is nothing to take away")),
            _ => Ok(()),
        }
    }
}
