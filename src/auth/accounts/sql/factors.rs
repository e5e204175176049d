//! Second factors: the secret of an app, and codes on paper.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_one, fetch_optional};

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub secret: String,
    pub last_step: Option<i64>,
}

pub async fn of(on: &mut Conn, person: i64) -> Result<Option<Row>, Diagnostic> {
    fetch_optional!(on, "SELECT secret, last_step FROM second_factors WHERE person = $1", person)
}

/// A new secret that is still to be confirmed, in place of one that never was. `false`: there is a confirmed one.
pub async fn begin(tx: &mut Tx, person: i64, secret: &str, now: i64) -> Result<bool, Diagnostic> {
    execute!(tx, "DELETE FROM second_factors WHERE person = $1 AND NOT confirmed", person)?;
    let sql = "INSERT INTO second_factors (person, secret, confirmed, made) VALUES ($1, $2, FALSE, $3)
               ON CONFLICT DO NOTHING";
    Ok(execute!(tx, sql, person, secret, now)? == 1)
}

/// Forgets what was begun and not confirmed.
pub async fn forget_begun(tx: &mut Tx, person: i64) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM second_factors WHERE person = $1 AND NOT confirmed", person).map(drop)
}

/// A secret that is still to be confirmed, begun after `then`.
pub async fn begun(on: &mut Conn, person: i64, then: i64) -> Result<Option<String>, Diagnostic> {
    let sql = "SELECT secret FROM second_factors WHERE person = $1 AND NOT confirmed AND made > $2";
    let row: Option<(String,)> = fetch_optional!(on, sql, person, then)?;
    Ok(row.map(|(secret,)| secret))
}

/// Takes a code's step, once: `false` where it, or a later one, was taken already.
pub async fn take_step(tx: &mut Tx, person: i64, step: i64) -> Result<bool, Diagnostic> {
    let sql = "UPDATE second_factors SET last_step = $2 WHERE person = $1 AND (last_step IS NULL OR last_step < $2)";
    Ok(execute!(tx, sql, person, step)? == 1)
}

/// `false`: it is another secret by now, or was begun at `then` or before.
pub async fn confirm(tx: &mut Tx, person: i64, secret: &str, then: i64) -> Result<bool, Diagnostic> {
    let sql = "UPDATE second_factors SET confirmed = TRUE WHERE person = $1 AND secret = $2 AND made > $3";
    Ok(execute!(tx, sql, person, secret, then)? == 1)
}

/// `false`: there was none.
pub async fn remove(tx: &mut Tx, person: i64) -> Result<bool, Diagnostic> {
    execute!(tx, "DELETE FROM recovery_codes WHERE person = $1", person)?;
    Ok(execute!(tx, "DELETE FROM second_factors WHERE person = $1", person)? == 1)
}

/// New codes in place of all before.
pub async fn set_codes(tx: &mut Tx, person: i64, hashes: &[String]) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM recovery_codes WHERE person = $1", person)?;
    for hash in hashes {
        execute!(tx, "INSERT INTO recovery_codes (person, hash) VALUES ($1, $2)", person, hash)?;
    }
    Ok(())
}

/// Takes a code, once.
pub async fn take_code(tx: &mut Tx, person: i64, hash: &str, now: i64) -> Result<bool, Diagnostic> {
    let sql = "UPDATE recovery_codes SET used = $3 WHERE person = $1 AND hash = $2 AND used IS NULL";
    Ok(execute!(tx, sql, person, hash, now)? == 1)
}

/// How many codes are left.
pub async fn codes_left(on: &mut Conn, person: i64) -> Result<i64, Diagnostic> {
    let sql = "SELECT COUNT(*) FROM recovery_codes WHERE person = $1 AND used IS NULL";
    let (count,): (i64,) = fetch_one!(on, sql, person)?;
    Ok(count)
}
