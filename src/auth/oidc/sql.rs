//! Who of the home is whom at a provider.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_optional};

/// One account there, and whose it is here.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    pub person: i64,
    pub made: i64,
    pub last_used: Option<i64>,
}

pub async fn by_subject(on: &mut Conn, issuer: &str, subject: &str) -> Result<Option<Row>, Diagnostic> {
    let sql = "SELECT person, made, last_used FROM provider_links WHERE issuer = $1 AND subject = $2";
    fetch_optional!(on, sql, issuer, subject)
}

pub async fn of(on: &mut Conn, issuer: &str, person: i64) -> Result<Option<Row>, Diagnostic> {
    let sql = "SELECT person, made, last_used FROM provider_links WHERE issuer = $1 AND person = $2";
    fetch_optional!(on, sql, issuer, person)
}

/// `false`: the account there is linked already, or this person is with another one.
pub async fn add(tx: &mut Tx, issuer: &str, subject: &str, person: i64, now: i64) -> Result<bool, Diagnostic> {
    let sql =
        "INSERT INTO provider_links (issuer, subject, person, made) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    Ok(execute!(tx, sql, issuer, subject, person, now)? == 1)
}

pub async fn used(tx: &mut Tx, issuer: &str, subject: &str, now: i64) -> Result<(), Diagnostic> {
    let sql = "UPDATE provider_links SET last_used = $3 WHERE issuer = $1 AND subject = $2";
    execute!(tx, sql, issuer, subject, now).map(drop)
}

/// `false`: there was none.
pub async fn remove(tx: &mut Tx, issuer: &str, person: i64) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM provider_links WHERE issuer = $1 AND person = $2", issuer, person)? == 1)
}
