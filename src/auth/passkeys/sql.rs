//! Public halves of passkeys.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    /// The id that the authenticator gave it, base64url.
    pub credential: String,
    /// The one that is shown.
    pub id: String,
    pub person: i64,
    /// What the person is called towards authenticators.
    pub handle: String,
    pub name: String,
    /// JSON of the library.
    pub public: String,
    /// Milliseconds since 1970.
    pub made: i64,
    pub last_used: Option<i64>,
}

/// `false`: there is one of that credential.
pub async fn add(tx: &mut Tx, row: &Row) -> Result<bool, Diagnostic> {
    let sql = "INSERT INTO passkeys (credential, id, person, handle, name, public, made)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let added = execute!(tx, sql, &row.credential, &row.id, row.person, &row.handle, &row.name, &row.public, row.made)?;
    Ok(added == 1)
}

pub async fn by_credential(on: &mut Conn, credential: &str) -> Result<Option<Row>, Diagnostic> {
    let sql =
        "SELECT credential, id, person, handle, name, public, made, last_used FROM passkeys WHERE credential = $1";
    fetch_optional!(on, sql, credential)
}

/// A person's, the oldest first.
pub async fn of(on: &mut Conn, person: i64) -> Result<Vec<Row>, Diagnostic> {
    let sql = "SELECT credential, id, person, handle, name, public, made, last_used FROM passkeys
               WHERE person = $1 ORDER BY made, id";
    fetch_all!(on, sql, person)
}

pub async fn count(on: &mut Conn, person: i64) -> Result<i64, Diagnostic> {
    let (count,): (i64,) = fetch_one!(on, "SELECT COUNT(*) FROM passkeys WHERE person = $1", person)?;
    Ok(count)
}

pub async fn used(tx: &mut Tx, credential: &str, public: &str, now: i64) -> Result<(), Diagnostic> {
    let sql = "UPDATE passkeys SET public = $2, last_used = $3 WHERE credential = $1";
    execute!(tx, sql, credential, public, now).map(drop)
}

pub async fn rename(tx: &mut Tx, person: i64, id: &str, name: &str) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE passkeys SET name = $3 WHERE person = $1 AND id = $2", person, id, name).map(drop)
}

/// `false`: this person has none of that id.
pub async fn remove(tx: &mut Tx, person: i64, id: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM passkeys WHERE person = $1 AND id = $2", person, id)? == 1)
}
