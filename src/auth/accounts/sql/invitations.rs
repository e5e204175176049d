//! Invitations: links with which somebody makes an account of their own.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub id: String,
    pub role: String,
    pub note: String,
    pub made: i64,
    pub made_by: String,
    pub expires: i64,
    pub uses_left: i64,
}

pub async fn add(tx: &mut Tx, row: &Row, hash: &str) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO invitations (id, hash, role, note, made, made_by, expires, uses_left)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    execute!(tx, sql, &row.id, hash, &row.role, &row.note, row.made, &row.made_by, row.expires, row.uses_left).map(drop)
}

pub async fn all(on: &mut Conn, now: i64) -> Result<Vec<Row>, Diagnostic> {
    let sql = "SELECT id, role, note, made, made_by, expires, uses_left FROM invitations
               WHERE expires > $1 AND uses_left > 0 ORDER BY made, id";
    fetch_all!(on, sql, now)
}

/// One that still holds, by its token's hash.
pub async fn open(on: &mut Conn, hash: &str, now: i64) -> Result<Option<Row>, Diagnostic> {
    let sql = "SELECT id, role, note, made, made_by, expires, uses_left FROM invitations
               WHERE hash = $1 AND expires > $2 AND uses_left > 0";
    fetch_optional!(on, sql, hash, now)
}

/// Uses one up, once: its role, where it holds.
pub async fn take(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<String>, Diagnostic> {
    let sql = "UPDATE invitations SET uses_left = uses_left - 1
               WHERE hash = $1 AND expires > $2 AND uses_left > 0 RETURNING role";
    let row: Option<(String,)> = fetch_optional!(tx, sql, hash, now)?;
    Ok(row.map(|(role,)| role))
}

pub async fn remove(tx: &mut Tx, id: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM invitations WHERE id = $1", id)? == 1)
}
