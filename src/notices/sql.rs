//! The tables of notices. All their queries stand here.

use super::{ALL, MOST, New, Notice};
use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

pub async fn all(on: &mut Conn) -> Result<Vec<Notice>, Diagnostic> {
    fetch_all!(on, "SELECT * FROM notices ORDER BY last DESC, id DESC LIMIT $1", MOST)
}

/// Person, notice, up to when.
pub async fn marks(on: &mut Conn) -> Result<Vec<(i64, i64, i64)>, Diagnostic> {
    fetch_all!(on, "SELECT person, notice, at FROM notice_marks")
}

/// `since`: what happened to the same from then on is counted. What is older than `oldest`, or too much, goes.
pub async fn add(tx: &mut Tx, new: &New, now: i64, since: i64, oldest: i64) -> Result<(), Diagnostic> {
    let same: Option<(i64,)> = fetch_optional!(
        tx,
        "SELECT id FROM notices WHERE kind = $1 AND subject = $2 AND COALESCE(person, -1) = $3 AND last >= $4
         ORDER BY last DESC LIMIT 1",
        new.kind,
        &new.subject,
        new.person.unwrap_or(-1),
        since
    )?;
    match same {
        Some((id,)) => {
            let sql = "UPDATE notices SET last = $2, times = times + 1, words = $3, path = $4 WHERE id = $1";
            execute!(tx, sql, id, now, &new.words, &new.path)?;
        }
        None => {
            let (id,): (i64,) = fetch_one!(tx, "SELECT COALESCE(MAX(id), 0) + 1 FROM notices")?;
            execute!(
                tx,
                "INSERT INTO notices (id, kind, subject, person, path, words, first, last, times)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1)",
                id,
                new.kind,
                &new.subject,
                new.person,
                &new.path,
                &new.words,
                now
            )?;
        }
    }
    let beyond = "DELETE FROM notices WHERE last < $1 OR id NOT IN (SELECT id FROM notices ORDER BY last DESC, id DESC LIMIT $2)";
    if execute!(tx, beyond, oldest, MOST)? > 0 {
        execute!(tx, "DELETE FROM notice_marks WHERE notice <> $1 AND notice NOT IN (SELECT id FROM notices)", ALL)?;
    }
    Ok(())
}

pub async fn mark(tx: &mut Tx, person: i64, notice: i64, at: i64) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO notice_marks (person, notice, at) VALUES ($1, $2, $3)
               ON CONFLICT (person, notice) DO UPDATE SET at = excluded.at";
    execute!(tx, sql, person, notice, at).map(drop)
}

/// One mark stands for all.
pub async fn mark_all(tx: &mut Tx, person: i64, at: i64) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM notice_marks WHERE person = $1", person)?;
    mark(tx, person, ALL, at).await
}
