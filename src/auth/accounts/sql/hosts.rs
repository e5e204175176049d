//! Sessions on routed hosts, each below one on the panel, with whose they are.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub hash: String,
    pub parent: String,
    pub host: String,
    pub last_used: i64,
    pub expires: i64,
    pub person: i64,
    pub name: String,
    /// Where somebody vouches for it: applications believe it.
    pub email: Option<String>,
    pub display_name: String,
    pub role: String,
    pub confined: String,
}

const SELECT: &str = "SELECT s.hash, p.id AS parent, s.host, s.last_used, s.expires, u.id AS person, u.name,
        CASE WHEN u.email_vouched THEN u.email END AS email, u.display_name, u.role, u.confined
    FROM sessions s JOIN sessions p ON p.id = s.parent JOIN users u ON u.id = s.person
    WHERE u.active AND s.host IS NOT NULL AND s.expires > $1 AND s.last_used > $2";

/// All that hold at `now` and were used since `idle`.
pub async fn all(on: &mut Conn, now: i64, idle: i64) -> Result<Vec<Row>, Diagnostic> {
    fetch_all!(on, sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY u.id")), now, idle)
}

/// The one with this hash.
pub async fn one(on: &mut Conn, hash: &str, now: i64, idle: i64) -> Result<Option<Row>, Diagnostic> {
    fetch_optional!(on, sqlx::AssertSqlSafe(format!("{SELECT} AND s.hash = $3")), now, idle, hash)
}

/// Ends one, and not the one that it is below.
pub async fn end(tx: &mut Tx, hash: &str) -> Result<(), Diagnostic> {
    tx.changed();
    execute!(tx, "DELETE FROM sessions WHERE hash = $1 AND host IS NOT NULL", hash).map(drop)
}

/// It was used, and with it the session that it is below.
pub async fn used(tx: &mut Tx, hash: &str, at: i64) -> Result<(), Diagnostic> {
    let sql = "UPDATE sessions SET last_used = $2
               WHERE last_used < $2 AND (hash = $1 OR id = (SELECT s.parent FROM sessions s WHERE s.hash = $1))";
    execute!(tx, sql, hash, at)?;
    execute!(tx, "UPDATE tokens SET last_used = $2 WHERE hash = $1 AND COALESCE(last_used, 0) < $2", hash, at).map(drop)
}
