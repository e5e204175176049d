//! API tokens.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub id: String,
    pub person: i64,
    pub name: String,
    pub scopes: String,
    pub made: i64,
    pub expires: Option<i64>,
    pub last_used: Option<i64>,
}

pub async fn add(tx: &mut Tx, row: &Row, hash: &str) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO tokens (id, hash, person, name, scopes, made, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    execute!(tx, sql, &row.id, hash, row.person, &row.name, &row.scopes, row.made, row.expires).map(drop)
}

pub async fn count(on: &mut Conn, person: i64) -> Result<i64, Diagnostic> {
    let (count,): (i64,) = fetch_one!(on, "SELECT COUNT(*) FROM tokens WHERE person = $1", person)?;
    Ok(count)
}

pub async fn by_hash(on: &mut Conn, hash: &str) -> Result<Option<Row>, Diagnostic> {
    let sql = "SELECT id, person, name, scopes, made, expires, last_used FROM tokens WHERE hash = $1";
    fetch_optional!(on, sql, hash)
}

pub async fn of(on: &mut Conn, person: i64) -> Result<Vec<Row>, Diagnostic> {
    let sql =
        "SELECT id, person, name, scopes, made, expires, last_used FROM tokens WHERE person = $1 ORDER BY made, id";
    fetch_all!(on, sql, person)
}

pub async fn used(tx: &mut Tx, id: &str, at: i64) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE tokens SET last_used = $2 WHERE id = $1", id, at).map(drop)
}

/// `false`: this user has none of that id.
pub async fn end(tx: &mut Tx, person: i64, id: &str) -> Result<bool, Diagnostic> {
    tx.changed();
    Ok(execute!(tx, "DELETE FROM tokens WHERE person = $1 AND id = $2", person, id)? == 1)
}
