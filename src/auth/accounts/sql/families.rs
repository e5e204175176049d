//! Programs that have logged in: families of refresh tokens.

use sqlx::FromRow;

use crate::auth::accounts::live::Use;
use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub id: String,
    pub person: i64,
    pub device: String,
    pub address: String,
    pub made: i64,
    pub last_used: i64,
    pub expires: i64,
}

impl Row {
    /// As what its uses are written down.
    pub fn noted(&self) -> Use {
        Use::Program(self.id.clone())
    }
}

pub async fn add(tx: &mut Tx, row: &Row) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO families (id, person, device, address, made, last_used, expires)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    execute!(tx, sql, &row.id, row.person, &row.device, &row.address, row.made, row.last_used, row.expires).map(drop)
}

/// Leaves a user the `most` that were used last; gives how many ended.
pub async fn end_eldest(tx: &mut Tx, person: i64, most: i64) -> Result<u64, Diagnostic> {
    let sql = "DELETE FROM families WHERE person = $1 AND id NOT IN
               (SELECT id FROM families WHERE person = $1 ORDER BY last_used DESC, made DESC, id LIMIT $2)";
    execute!(tx, sql, person, most)
}

pub async fn one(on: &mut Conn, id: &str) -> Result<Option<Row>, Diagnostic> {
    let sql = "SELECT id, person, device, address, made, last_used, expires FROM families WHERE id = $1";
    fetch_optional!(on, sql, id)
}

pub async fn of(on: &mut Conn, person: i64) -> Result<Vec<Row>, Diagnostic> {
    let sql = "SELECT id, person, device, address, made, last_used, expires FROM families
               WHERE person = $1 ORDER BY last_used DESC, id";
    fetch_all!(on, sql, person)
}

/// The family of a refresh token, and whether the token was used before.
pub async fn of_token(on: &mut Conn, hash: &str) -> Result<Option<(String, Option<i64>)>, Diagnostic> {
    fetch_optional!(on, "SELECT family, used FROM refresh_tokens WHERE hash = $1", hash)
}

pub async fn add_token(tx: &mut Tx, family: &str, hash: &str, now: i64) -> Result<(), Diagnostic> {
    execute!(tx, "INSERT INTO refresh_tokens (hash, family, made) VALUES ($1, $2, $3)", hash, family, now).map(drop)
}

/// Marks a refresh token as used, and its family with it.
pub async fn use_token(tx: &mut Tx, family: &str, hash: &str, now: i64) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE refresh_tokens SET used = $2 WHERE hash = $1", hash, now)?;
    execute!(tx, "UPDATE families SET last_used = $2 WHERE id = $1", family, now).map(drop)
}

pub async fn used(tx: &mut Tx, id: &str, at: i64) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE families SET last_used = $2 WHERE id = $1 AND last_used < $2", id, at).map(drop)
}

/// `false`: this user has none of that id.
pub async fn end(tx: &mut Tx, person: i64, id: &str) -> Result<bool, Diagnostic> {
    tx.changed();
    Ok(execute!(tx, "DELETE FROM families WHERE person = $1 AND id = $2", person, id)? == 1)
}
