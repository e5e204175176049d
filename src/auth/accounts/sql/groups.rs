//! Groups, and who is in them.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub name: String,
    pub about: String,
    pub created: i64,
}

/// `false`: there is one of that name.
pub async fn add(tx: &mut Tx, name: &str, about: &str, now: i64) -> Result<bool, Diagnostic> {
    let sql = "INSERT INTO teams (name, about, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(execute!(tx, sql, name, about, now)? == 1)
}

pub async fn all(on: &mut Conn) -> Result<Vec<Row>, Diagnostic> {
    fetch_all!(on, "SELECT name, about, created FROM teams ORDER BY name")
}

pub async fn one(on: &mut Conn, name: &str) -> Result<Option<Row>, Diagnostic> {
    fetch_optional!(on, "SELECT name, about, created FROM teams WHERE name = $1", name)
}

pub async fn describe(tx: &mut Tx, name: &str, about: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "UPDATE teams SET about = $2 WHERE name = $1", name, about)? == 1)
}

pub async fn remove(tx: &mut Tx, name: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM teams WHERE name = $1", name)? == 1)
}

/// The names of a user's groups, in order.
pub async fn of(on: &mut Conn, person: i64) -> Result<Vec<String>, Diagnostic> {
    let sql = "SELECT team FROM memberships WHERE person = $1 ORDER BY team";
    let rows: Vec<(String,)> = fetch_all!(on, sql, person)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Who is in which, of users with ids from `from` to `to`.
pub async fn memberships(on: &mut Conn, from: i64, to: i64) -> Result<Vec<(i64, String)>, Diagnostic> {
    let sql = "SELECT person, team FROM memberships WHERE person >= $1 AND person <= $2 ORDER BY person, team";
    fetch_all!(on, sql, from, to)
}

/// The user names of those who are in a group, in order.
pub async fn members(on: &mut Conn, name: &str) -> Result<Vec<String>, Diagnostic> {
    let sql = "SELECT u.name FROM memberships m JOIN users u ON u.id = m.person WHERE m.team = $1 ORDER BY u.name";
    let rows: Vec<(String,)> = fetch_all!(on, sql, name)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

pub async fn join(tx: &mut Tx, person: i64, name: &str) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO memberships (person, team) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    execute!(tx, sql, person, name).map(drop)
}

pub async fn leave_all(tx: &mut Tx, person: i64) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM memberships WHERE person = $1", person).map(drop)
}

pub async fn empty(tx: &mut Tx, name: &str) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM memberships WHERE team = $1", name).map(drop)
}
