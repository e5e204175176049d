//! Invitations: links with which somebody makes an account of their own.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub id: String,
    pub role: String,
    /// As of users.
    pub confined: String,
    pub note: String,
    pub made: i64,
    pub made_by: String,
    /// The admin of that name, who has to be one still; `None`: the machine's owner, at a terminal.
    pub maker: Option<i64>,
    pub expires: i64,
    pub uses_left: i64,
}

const SELECT: &str = "SELECT id, role, confined, note, made, made_by, maker, expires, uses_left FROM invitations";
/// Not used up, and whoever made it could make it today.
const HOLDS: &str = "uses_left > 0 AND (maker IS NULL
    OR EXISTS (SELECT 1 FROM users WHERE users.id = invitations.maker AND users.active AND users.role = 'admin'))";

pub async fn add(tx: &mut Tx, row: &Row, hash: &str) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO invitations (id, hash, role, note, made, made_by, maker, expires, uses_left, confined)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let (by, ends, only) = (&row.made_by, row.expires, &row.confined);
    execute!(tx, sql, &row.id, hash, &row.role, &row.note, row.made, by, row.maker, ends, row.uses_left, only).map(drop)
}

pub async fn all(on: &mut Conn, now: i64) -> Result<Vec<Row>, Diagnostic> {
    let sql = format!("{SELECT} WHERE expires > $1 AND {HOLDS} ORDER BY made, id");
    fetch_all!(on, sqlx::AssertSqlSafe(sql), now)
}

/// One that still holds, by its token's hash.
pub async fn open(on: &mut Conn, hash: &str, now: i64) -> Result<Option<Row>, Diagnostic> {
    let sql = format!("{SELECT} WHERE hash = $1 AND expires > $2 AND {HOLDS}");
    fetch_optional!(on, sqlx::AssertSqlSafe(sql), hash, now)
}

/// Uses one up, once: its role, where it holds.
pub async fn take(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<String>, Diagnostic> {
    let sql = format!(
        "UPDATE invitations SET uses_left = uses_left - 1 WHERE hash = $1 AND expires > $2 AND {HOLDS} RETURNING role"
    );
    let row: Option<(String,)> = fetch_optional!(tx, sqlx::AssertSqlSafe(sql), hash, now)?;
    Ok(row.map(|(role,)| role))
}

pub async fn remove(tx: &mut Tx, id: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM invitations WHERE id = $1", id)? == 1)
}
