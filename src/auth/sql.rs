//! What the room keeps of the home by name: a few values, each written in one place.

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_optional};

pub async fn get(on: &mut Conn, name: &str) -> Result<Option<String>, Diagnostic> {
    let found: Option<(String,)> = fetch_optional!(on, "SELECT value FROM kept WHERE name = $1", name)?;
    Ok(found.map(|(value,)| value))
}

pub async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO kept (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    execute!(tx, sql, name, value).map(drop)
}

/// Takes it out; whether it was there.
pub async fn take(tx: &mut Tx, name: &str) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM kept WHERE name = $1", name)? > 0)
}
