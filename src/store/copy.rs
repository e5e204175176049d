//! Everything in a database, copied into an empty one: from SQLite to PostgreSQL, back, or into a file that is kept. Table by table, in one
//! transaction, with the tables of the version that the source has.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use super::hang::Hang;
use super::location::{Location, Which};
use super::{Conn, Link, On, execute, fetch_all, fetch_one, migrate, postgres, sqlite, words, writer};
use crate::diag::{Diagnostic, Kind};

/// Every table of ours, each behind those that it refers to; and what comes first in one that refers to itself. A test compares it with the schema.
pub const TABLES: &[(&str, &str)] = &[
    ("runs", ""),
    ("run_steps", ""),
    ("saved_plans", ""),
    ("changes", ""),
    ("users", ""),
    ("departed", ""),
    ("teams", ""),
    ("memberships", ""),
    ("invitations", ""),
    ("setup", ""),
    ("sessions", "parent IS NOT NULL"),
    ("tokens", ""),
    ("families", ""),
    ("refresh_tokens", ""),
    ("second_factors", ""),
    ("recovery_codes", ""),
    ("places", ""),
    ("provider_links", ""),
    ("passkeys", ""),
    ("audit", ""),
    ("audit_head", ""),
    ("kept", ""),
    ("notices", ""),
    ("notice_marks", ""),
];

/// Tables that have a row from the beginning, and the number in it that is 0 until something happened.
const SEEDED: &[(&str, &str)] = &[("changes", "count"), ("audit_head", "seq")];

/// Tables whose `id` the database gives, never twice.
pub const COUNTED: &[&str] = &["users"];

/// Rows of one statement.
const TOGETHER: usize = 100;

/// One value.
enum Cell {
    Text(Option<String>),
    Number(Option<i64>),
    Truth(Option<bool>),
    Bytes(Option<Vec<u8>>),
    Real(Option<f64>),
}

/// A column by its name, and what stands in it.
struct Column {
    name: String,
    kind: String,
}

/// Copies all of `source` into the empty database at `to`; gives the rows of each table.
pub async fn into(source: &mut Conn, to: &Location) -> Result<Vec<(&'static str, i64)>, Diagnostic> {
    let link = match &to.which {
        Which::File { path, .. } => Link::Sqlite(Box::new(sqlite::writer(to, path).await?)),
        Which::Server { options, .. } => {
            Link::Postgres(Box::new(postgres::writer(to, options, &Hang::default()).await?))
        }
    };
    let mut target = Conn::new(link, to.clone(), Hang::default());
    target.patient();
    source.patient();
    let copied = prepared(source, &mut target).await;
    // Without a commit nothing of it stays.
    writer::end(target).await;
    copied
}

async fn prepared(source: &mut Conn, target: &mut Conn) -> Result<Vec<(&'static str, i64)>, Diagnostic> {
    let version = migrate::version(source).await?;
    if !is_empty(target).await? {
        return Err(not_empty(&target.location));
    }
    let there = migrate::version(target).await?;
    if there > version {
        return Err(other_tables(&target.location, there, version));
    }
    // Up from where a copy stopped that was killed between two steps, and from the first where nobody was here before.
    migrate::run_to(target, version).await?;
    // One moment of the source, whoever writes to it.
    let begin = source.either("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    execute!(source, begin)?;
    let copied = tables(source, target).await;
    let _ = execute!(source, "ROLLBACK");
    copied
}

async fn tables(source: &mut Conn, target: &mut Conn) -> Result<Vec<(&'static str, i64)>, Diagnostic> {
    let begin = target.either("BEGIN IMMEDIATE", "BEGIN");
    execute!(target, begin)?;
    let mut all = Vec::new();
    for (table, first) in TABLES {
        // An older version has not all of them.
        let columns = columns(target, table).await?;
        if columns.is_empty() {
            continue;
        }
        execute!(target, AssertSqlSafe(format!("DELETE FROM {table}")))?;
        rows(source, target, table, first, &columns).await?;
        let (here, there) = (count(source, table).await?, count(target, table).await?);
        if here != there {
            let title = format!("of {here} rows of {table} only {there} arrived in {}", target.location);
            let d = Diagnostic::error("store.copy-differs", title).kind(Kind::Failed);
            return Err(d.hint("nothing was kept there; run it again while nothing else writes"));
        }
        all.push((*table, here));
    }
    for table in COUNTED.iter().filter(|table| all.iter().any(|(name, _)| name == *table)) {
        let last = last_given(source, table).await?;
        give_on(target, table, last).await?;
    }
    execute!(target, "COMMIT")?;
    Ok(all)
}

async fn rows(
    source: &mut Conn,
    target: &mut Conn,
    table: &str,
    first: &str,
    columns: &[Column],
) -> Result<(), Diagnostic> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let names = names.join(", ");
    let order = if first.is_empty() { String::new() } else { format!(" ORDER BY {first}") };
    let select = format!("SELECT {names} FROM {table}{order}");
    let insert = format!("INSERT INTO {table} ({names}) VALUES ");
    let location = source.location.clone();
    let told = |error: sqlx::Error| words::told(&location, &error);
    let mut waiting = Vec::new();
    // The same twice, since rows of the two databases are of two types.
    macro_rules! each {
        ($on:expr) => {{
            let mut found = sqlx::query(AssertSqlSafe(select)).fetch($on);
            while let Some(row) = found.try_next().await.map_err(told)? {
                let cells: Result<Vec<Cell>, sqlx::Error> = columns
                    .iter()
                    .enumerate()
                    .map(|(n, column)| {
                        Ok(match column.kind.as_str() {
                            "number" => Cell::Number(row.try_get(n)?),
                            "truth" => Cell::Truth(row.try_get(n)?),
                            "bytes" => Cell::Bytes(row.try_get(n)?),
                            "real" => Cell::Real(row.try_get(n)?),
                            _ => Cell::Text(row.try_get(n)?),
                        })
                    })
                    .collect();
                waiting.push(cells.map_err(told)?);
                if waiting.len() == TOGETHER {
                    put(target, &insert, std::mem::take(&mut waiting)).await?;
                }
            }
        }};
    }
    match source.on() {
        On::Sqlite(on) => each!(on),
        On::Postgres(on) => each!(on),
    }
    put(target, &insert, waiting).await
}

/// Inserts some rows by one statement.
async fn put(target: &mut Conn, insert: &str, rows: Vec<Vec<Cell>>) -> Result<(), Diagnostic> {
    let Some(width) = rows.first().map(Vec::len) else { return Ok(()) };
    let row = |n: usize| {
        let places: Vec<String> = (1..=width).map(|m| format!("${}", n * width + m)).collect();
        format!("({})", places.join(", "))
    };
    let places: Vec<String> = (0..rows.len()).map(row).collect();
    let sql = format!("{insert}{}", places.join(", "));
    let location = target.location.clone();
    macro_rules! bound {
        ($on:expr) => {{
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for cell in rows.into_iter().flatten() {
                query = match cell {
                    Cell::Text(value) => query.bind(value),
                    Cell::Number(value) => query.bind(value),
                    Cell::Truth(value) => query.bind(value),
                    Cell::Bytes(value) => query.bind(value),
                    Cell::Real(value) => query.bind(value),
                };
            }
            query.execute($on).await.map(drop)
        }};
    }
    let done = match target.on() {
        On::Sqlite(on) => bound!(on),
        On::Postgres(on) => bound!(on),
    };
    done.map_err(|error| words::told(&location, &error))
}

/// The columns of a table; none where there is no such table.
async fn columns(on: &mut Conn, table: &str) -> Result<Vec<Column>, Diagnostic> {
    let sql = on.either(
        "SELECT name, lower(type) FROM pragma_table_info($1) ORDER BY cid",
        "SELECT column_name::text, lower(data_type::text) FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    );
    let found: Vec<(String, String)> = fetch_all!(on, sql, table)?;
    let kind = |declared: &str| {
        let kinds = [
            ("int", "number"),
            ("bool", "truth"),
            ("blob", "bytes"),
            ("bytea", "bytes"),
            ("double", "real"),
            ("real", "real"),
        ];
        kinds.iter().find(|(word, _)| declared.contains(word)).map_or("text", |(_, kind)| kind).to_owned()
    };
    Ok(found.into_iter().map(|(name, declared)| Column { name, kind: kind(&declared) }).collect())
}

pub async fn count(on: &mut Conn, table: &str) -> Result<i64, Diagnostic> {
    let (count,): (i64,) = fetch_one!(on, AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")))?;
    Ok(count)
}

/// Whether nothing was ever written to its tables.
async fn is_empty(on: &mut Conn) -> Result<bool, Diagnostic> {
    for (table, _) in TABLES {
        if columns(on, table).await?.is_empty() {
            continue;
        }
        let used = match SEEDED.iter().find(|(seeded, _)| seeded == table) {
            Some((_, number)) => {
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE {number} <> 0");
                let (used,): (i64,) = fetch_one!(on, AssertSqlSafe(sql))?;
                used
            }
            None => count(on, table).await?,
        };
        if used > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The highest number that was ever given to a row, whether or not it is still there.
async fn last_given(on: &mut Conn, table: &str) -> Result<i64, Diagnostic> {
    let sql = on.either(
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = $1), 0)",
        "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass), 0)",
    );
    let (last,): (i64,) = fetch_one!(on, sql, table)?;
    Ok(last)
}

/// The next row gets a number above `last`.
async fn give_on(on: &mut Conn, table: &str, last: i64) -> Result<(), Diagnostic> {
    if last == 0 {
        return Ok(());
    }
    if on.is_postgres() {
        let _: (i64,) = fetch_one!(on, "SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", table, last)?;
        return Ok(());
    }
    execute!(on, "DELETE FROM sqlite_sequence WHERE name = $1", table)?;
    execute!(on, "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", table, last).map(drop)
}

fn not_empty(to: &Location) -> Diagnostic {
    Diagnostic::error(
        "store.not-empty",
        format!("there is something in {to} already, and it would be mixed with what is copied"),
    )
    .kind(Kind::Conflict)
    .hint("name an empty database, or a file that is not there; nothing was changed")
}

/// Empty, and of a later version than what would come.
fn other_tables(to: &Location, there: i64, version: i64) -> Diagnostic {
    let title = format!("{to} has empty tables of version {there}, and what is copied is of version {version}");
    let d = Diagnostic::error("store.not-empty", title).kind(Kind::Conflict);
    d.hint("name a database without tables, or a file that is not there; nothing was changed")
}
