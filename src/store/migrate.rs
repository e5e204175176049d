//! Tables of every version: `migrations/sqlite` and `migrations/postgres` hold the same steps under the same numbers and names.

use sqlx::migrate::{MigrateError, Migrator};

use super::location::{Location, Which};
use super::{Conn, On, backup, execute, fetch_one, sqlite, whose, words};
use crate::diag::Diagnostic;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// All processes that change the tables of one PostgreSQL database take this lock, for as long as their session lives.
const LOCK: &str = "SELECT pg_advisory_lock(1213355080, -1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1213355080, -1)";

/// The number of the last migration that this program knows.
pub fn newest() -> i64 {
    SQLITE.iter().map(|step| step.version).max().unwrap_or_default()
}

/// The number of the last migration that a database has seen; 0 where it is empty.
pub async fn version(conn: &mut Conn) -> Result<i64, Diagnostic> {
    let there = conn.either(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
        "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('_sqlx_migrations')",
    );
    let (there,): (i64,) = fetch_one!(conn, there)?;
    if there == 0 {
        return Ok(0);
    }
    let (version,): (i64,) = fetch_one!(conn, "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")?;
    Ok(version)
}

/// Brings the tables up to this version. One of a newer version is refused before anything is written.
pub async fn settle(conn: &mut Conn) -> Result<(), Diagnostic> {
    if is_current(conn).await? {
        return Ok(());
    }
    // Nobody else's tables are brought up to date.
    whose::look(conn).await?;
    // From here on one process at a time, however long that takes.
    let patience = conn.patience;
    conn.patient();
    let done = alone(conn).await;
    conn.patience = patience;
    done
}

async fn alone(conn: &mut Conn) -> Result<(), Diagnostic> {
    let location = conn.location.clone();
    match &location.which {
        Which::File { path, .. } => {
            let _lock = sqlite::lock(&location, path).await?;
            step(conn, newest()).await
        }
        Which::Server { .. } => {
            // Given back with the connection, where this fails.
            execute!(conn, LOCK)?;
            step(conn, newest()).await?;
            execute!(conn, UNLOCK).map(drop)
        }
    }
}

async fn is_current(conn: &mut Conn) -> Result<bool, Diagnostic> {
    let version = version(conn).await?;
    match version > newest() {
        true => Err(newer(&conn.location, version)),
        false => Ok(version == newest()),
    }
}

/// Takes the steps up to `target`, with a copy of what was there before.
pub async fn step(conn: &mut Conn, target: i64) -> Result<(), Diagnostic> {
    let was = version(conn).await?;
    if was > newest() {
        return Err(newer(&conn.location, was));
    }
    if was > 0 && was < target {
        backup::make(conn, was).await?;
    }
    run_to(conn, target).await
}

/// The steps alone.
pub async fn run_to(conn: &mut Conn, target: i64) -> Result<(), Diagnostic> {
    let done = match conn.on() {
        On::Sqlite(on) => SQLITE.run_direct(Some(target), on, false).await,
        On::Postgres(on) => POSTGRES.run_direct(Some(target), on, false).await,
    };
    done.map_err(|error| match &error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => words::told(&conn.location, error),
        MigrateError::VersionMissing(version) => newer(&conn.location, *version),
        _ => words::unusable(&conn.location, &error.to_string()),
    })
}

/// The tables were made by a later version of Hearth.
pub fn newer(location: &Location, version: i64) -> Diagnostic {
    words::newer(location, version, newest())
}
