//! Sessions of browsers: one on the panel, and below it one for each routed host that it went on to.

use sqlx::FromRow;

use crate::auth::accounts::live::Use;
use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub id: String,
    pub person: i64,
    pub parent: Option<String>,
    pub host: Option<String>,
    pub device: String,
    pub address: String,
    pub made: i64,
    pub last_used: i64,
    pub expires: i64,
}

impl Row {
    /// As what its uses are written down.
    pub fn noted(&self) -> Use {
        Use::Session(self.id.clone())
    }
}

pub async fn add(tx: &mut Tx, row: &Row, hash: &str) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO sessions (id, hash, person, parent, host, device, address, made, last_used, expires)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    execute!(
        tx,
        sql,
        &row.id,
        hash,
        row.person,
        &row.parent,
        &row.host,
        &row.device,
        &row.address,
        row.made,
        row.last_used,
        row.expires
    )
    .map(drop)
}

/// Leaves a user the `most` of the panel's that were used last; gives how many ended, with those on routed hosts below them.
pub async fn end_eldest(tx: &mut Tx, person: i64, most: i64) -> Result<u64, Diagnostic> {
    let sql = "DELETE FROM sessions WHERE person = $1 AND parent IS NULL AND id NOT IN
               (SELECT id FROM sessions WHERE person = $1 AND parent IS NULL ORDER BY last_used DESC, made DESC, id LIMIT $2)";
    execute!(tx, sql, person, most)
}

/// The same of one session's, on routed hosts.
pub async fn end_eldest_below(tx: &mut Tx, parent: &str, most: i64) -> Result<u64, Diagnostic> {
    let sql = "DELETE FROM sessions WHERE parent = $1 AND id NOT IN
               (SELECT id FROM sessions WHERE parent = $1 ORDER BY last_used DESC, made DESC, id LIMIT $2)";
    execute!(tx, sql, parent, most)
}

pub async fn by_hash(on: &mut Conn, hash: &str) -> Result<Option<Row>, Diagnostic> {
    let sql =
        "SELECT id, person, parent, host, device, address, made, last_used, expires FROM sessions WHERE hash = $1";
    fetch_optional!(on, sql, hash)
}

pub async fn by_id(on: &mut Conn, id: &str) -> Result<Option<Row>, Diagnostic> {
    let sql = "SELECT id, person, parent, host, device, address, made, last_used, expires FROM sessions WHERE id = $1";
    fetch_optional!(on, sql, id)
}

/// A user's sessions on the panel, the last used first.
pub async fn of(on: &mut Conn, person: i64) -> Result<Vec<Row>, Diagnostic> {
    let sql = "SELECT id, person, parent, host, device, address, made, last_used, expires FROM sessions
               WHERE person = $1 AND parent IS NULL ORDER BY last_used DESC, id";
    fetch_all!(on, sql, person)
}

pub async fn used(tx: &mut Tx, id: &str, at: i64) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE sessions SET last_used = $2 WHERE id = $1 AND last_used < $2", id, at).map(drop)
}

/// Ends a session, with those below it. `false`: this user has none of that id.
pub async fn end(tx: &mut Tx, person: i64, id: &str) -> Result<bool, Diagnostic> {
    tx.changed();
    Ok(execute!(tx, "DELETE FROM sessions WHERE person = $1 AND id = $2", person, id)? == 1)
}

/// Ends all sessions of a user, but one where it is named.
pub async fn end_others(tx: &mut Tx, person: i64, but: Option<&str>) -> Result<u64, Diagnostic> {
    tx.changed();
    let sql = "DELETE FROM sessions WHERE person = $1 AND parent IS NULL AND id <> $2";
    execute!(tx, sql, person, but.unwrap_or_default())
}
