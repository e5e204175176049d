//! The tables of the audit. All its queries stand here.

use sqlx::{AssertSqlSafe, FromRow, QueryBuilder};

use super::{Entry, Filter, Text};
use crate::diag::Diagnostic;
use crate::store::{Conn, On, Tx, execute, fetch_all, fetch_one, fetch_optional, within};

/// Where the chain ends, and up to where it was cut off.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
    pub cut_seq: i64,
    pub cut_hash: String,
}

pub async fn head(on: &mut Conn) -> Result<Option<Head>, Diagnostic> {
    fetch_optional!(on, "SELECT seq, hash, cut_seq, cut_hash FROM audit_head WHERE id = 1")
}

/// Entries of one statement at most: each has 13 values, and a statement of SQLite 32,766.
const ROWS: usize = 64;

/// All of them by few statements. Their numbers are powers of two: so few texts stay prepared.
pub async fn insert(tx: &mut Tx, entries: &[Entry]) -> Result<(), Diagnostic> {
    macro_rules! rows {
        ($database:ty, $some:expr, $on:expr, $with:expr) => {{
            let mut sql = QueryBuilder::<$database>::new(INSERT);
            sql.push_values($some, |mut row, entry: &Entry| {
                row.push_bind(entry.seq).push_bind(entry.at).push_bind(&entry.kind).push_bind(&entry.who);
                row.push_bind(entry.user_id).push_bind(&entry.source).push_bind(&entry.action);
                row.push_bind(&entry.object).push_bind(&entry.outcome).push_bind(entry.took);
                row.push_bind(&entry.request).push_bind(&entry.detail).push_bind(&entry.hash);
            });
            $with(sql.build().execute($on)).await.map(drop)
        }};
    }
    let mut rest = entries;
    let patience = tx.patience()?;
    while let Some(most) = rest.len().min(ROWS).checked_ilog2() {
        let (some, others) = rest.split_at(1 << most);
        let done = match tx.on() {
            On::Sqlite(on) => rows!(sqlx::Sqlite, some, on, std::convert::identity),
            On::Postgres(on) => rows!(sqlx::Postgres, some, on, |sent| within(patience, sent)),
        };
        done.map_err(|error| tx.told(&error))?;
        rest = others;
    }
    Ok(())
}

const INSERT: &str =
    "INSERT INTO audit (seq, at, kind, who, user_id, source, action, object, outcome, took, request, detail, hash) ";

pub async fn set_head(tx: &mut Tx, seq: i64, hash: &str) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1", seq, hash).map(drop)
}

/// Entries behind `after` and up to `through`, the oldest first.
pub async fn chunk(on: &mut Conn, after: i64, through: i64, limit: i64) -> Result<Vec<Entry>, Diagnostic> {
    fetch_all!(on, "SELECT * FROM audit WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3", after, through, limit)
}

/// The highest number that is there; 0 where nothing is.
pub async fn last(on: &mut Conn) -> Result<i64, Diagnostic> {
    let (seq,): (i64,) = fetch_one!(on, "SELECT COALESCE(MAX(seq), 0) FROM audit")?;
    Ok(seq)
}

/// Which way a list goes.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// The newest first, those before a number.
    Before(i64),
    /// The oldest first, those after it.
    After(i64),
}

/// Entries that fit. The text is put together of what stands here; values are bound, those that are not asked for too.
pub async fn list(on: &mut Conn, filter: &Filter, order: Order, limit: i64) -> Result<Vec<Entry>, Diagnostic> {
    let (edge, key, direction) = match order {
        Order::Before(seq) => (seq, "seq < $1", "DESC"),
        Order::After(seq) => (seq, "seq > $1", "ASC"),
    };
    let mut conditions = vec![key.to_owned()];
    let mut text = |column: &str, at: u8, wanted: &Option<Text>| {
        match wanted {
            Some(Text::Is(_)) => conditions.push(format!("{column} = ${at}")),
            Some(Text::Begins(_)) => conditions.push(format!("substr({column}, 1, length(${at})) = ${at}")),
            None => {}
        }
        wanted.as_ref().map(|text| text.words().to_owned())
    };
    let (who, source) = (text("who", 4, &filter.who), text("source", 6, &filter.source));
    let (action, object) = (text("action", 7, &filter.action), text("object", 8, &filter.object));
    let request = text("request", 10, &filter.request);
    for (wanted, condition) in [
        (filter.kind.is_some(), "kind = $3"),
        (filter.user.is_some(), "user_id = $5"),
        (filter.outcome.is_some(), "outcome = $9"),
        (filter.since.is_some(), "at >= $11"),
        (filter.until.is_some(), "at < $12"),
        (filter.longer.is_some(), "took >= $13"),
        (
            filter.search.is_some(),
            "lower(who || ' ' || source || ' ' || action || ' ' || object || ' ' || detail) LIKE $14 ESCAPE '\\'",
        ),
        (filter.service.is_some(), "(object || '/' LIKE $15 ESCAPE '\\' OR detail LIKE $16 ESCAPE '\\')"),
    ] {
        conditions.extend(wanted.then(|| condition.to_owned()));
    }
    let sql = format!("SELECT * FROM audit WHERE {} ORDER BY seq {direction} LIMIT $2", conditions.join(" AND "));
    fetch_all!(
        on,
        AssertSqlSafe(sql),
        edge,
        limit,
        filter.kind.clone(),
        who,
        filter.user,
        source,
        action,
        object,
        filter.outcome.map(|outcome| outcome.word()),
        request,
        filter.since,
        filter.until,
        filter.longer,
        filter.search.as_ref().map(|text| format!("%{}%", literally(&text.to_lowercase()))),
        filter.service.as_ref().map(|name| format!("%/services/{}/%", literally(name))),
        filter.service.as_ref().map(|name| format!("%\"{}\"%", literally(name)))
    )
}

/// A text in a pattern of `LIKE`, where it stands for itself.
fn literally(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The first entry that is not older than `at`.
pub async fn first_since(on: &mut Conn, at: i64) -> Result<Option<i64>, Diagnostic> {
    let (seq,): (Option<i64>,) = fetch_one!(on, "SELECT MIN(seq) FROM audit WHERE at >= $1", at)?;
    Ok(seq)
}

/// The newest entry that is too much where all together may have so many bytes; 0 where none is.
pub async fn beyond(on: &mut Conn, bytes: i64) -> Result<i64, Diagnostic> {
    on.patient();
    let sql = format!(
        "SELECT COALESCE(MAX(seq), 0) FROM (
             SELECT seq, SUM({SIZE}) OVER (ORDER BY seq DESC) AS total FROM audit) AS totals
         WHERE total > $1"
    );
    let (seq,): (i64,) = fetch_one!(on, AssertSqlSafe(sql), bytes)?;
    Ok(seq)
}

/// As [`Entry::size`] counts.
const SIZE: &str = "180 + octet_length(who) + octet_length(source) + octet_length(action) + octet_length(object)
     + octet_length(request) + octet_length(detail)";

/// Bytes that all entries count for.
#[cfg(test)]
pub async fn size(on: &mut Conn) -> Result<i64, Diagnostic> {
    let sql = format!("SELECT CAST(COALESCE(SUM({SIZE}), 0) AS BIGINT) FROM audit");
    let (size,): (i64,) = fetch_one!(on, AssertSqlSafe(sql))?;
    Ok(size)
}

pub async fn hash_of(on: &mut Conn, seq: i64) -> Result<Option<String>, Diagnostic> {
    let row: Option<(String,)> = fetch_optional!(on, "SELECT hash FROM audit WHERE seq = $1", seq)?;
    Ok(row.map(|(hash,)| hash))
}

pub async fn set_cut(tx: &mut Tx, seq: i64, hash: &str) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE audit_head SET cut_seq = $1, cut_hash = $2 WHERE id = 1", seq, hash).map(drop)
}

/// Takes away some of what was cut off; gives how many those were.
pub async fn take_away(tx: &mut Tx, most: i64) -> Result<u64, Diagnostic> {
    let sql = "DELETE FROM audit WHERE seq <= (SELECT cut_seq FROM audit_head WHERE id = 1)
               AND seq < (SELECT MIN(seq) FROM audit) + $1";
    execute!(tx, sql, most)
}
