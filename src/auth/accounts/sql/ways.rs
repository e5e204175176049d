//! What somebody has of passkeys and of accounts at providers, as an admin sees it. How each works stands in its own room.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all};

/// One passkey, without what it is known by.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Key {
    pub id: String,
    pub name: String,
    /// Milliseconds since 1970.
    pub made: i64,
    pub last_used: Option<i64>,
}

/// One account at a provider, without who they are there.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Link {
    pub issuer: String,
    pub made: i64,
    pub last_used: Option<i64>,
}

/// The oldest first.
pub async fn keys(on: &mut Conn, person: i64) -> Result<Vec<Key>, Diagnostic> {
    fetch_all!(on, "SELECT id, name, made, last_used FROM passkeys WHERE person = $1 ORDER BY made, id", person)
}

/// `false`: this person has none of that id.
pub async fn remove_key(tx: &mut Tx, person: i64, id: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM passkeys WHERE person = $1 AND id = $2", person, id)? == 1)
}

pub async fn links(on: &mut Conn, person: i64) -> Result<Vec<Link>, Diagnostic> {
    fetch_all!(on, "SELECT issuer, made, last_used FROM provider_links WHERE person = $1 ORDER BY made, issuer", person)
}

/// Gives how many there were.
pub async fn remove_links(tx: &mut Tx, person: i64) -> Result<u64, Diagnostic> {
    execute!(tx, "DELETE FROM provider_links WHERE person = $1", person)
}
