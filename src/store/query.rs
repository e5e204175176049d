//! A query written once for both databases: the same text and the same values, on whichever connection it is.
//!
//! ```text
//! execute!(tx, "UPDATE runs SET ended = $2 WHERE id = $1", &run.id, &run.ended)?            rows changed, u64
//! let runs: Vec<Run> = fetch_all!(on, "SELECT * FROM runs WHERE project = $1", project)?;
//! let run: Option<Run> = fetch_optional!(on, "SELECT * FROM runs WHERE id = $1", id)?;
//! let (count,): (i64,) = fetch_one!(on, "SELECT COUNT(*) FROM runs")?;                       a single value is a tuple of one
//! ```

/// Runs a statement; gives how many rows it changed.
macro_rules! execute {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {{
        let on: &mut $crate::store::Conn = $on;
        match on.patience() {
            Err(told) => Err(told),
            Ok(patience) => {
                let done = match on.on() {
                    $crate::store::On::Sqlite(on) => {
                        ::sqlx::query($sql)$(.bind($value))*.execute(on).await.map(|done| done.rows_affected())
                    }
                    $crate::store::On::Postgres(on) => {
                        let done = $crate::store::within(patience, ::sqlx::query($sql)$(.bind($value))*.execute(on));
                        done.await.map(|done| done.rows_affected())
                    }
                };
                done.map_err(|error| on.told(&error))
            }
        }
    }};
}

macro_rules! fetch_all {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::store::fetch!(fetch_all, $on, $sql $(, $value)*)
    };
}

macro_rules! fetch_optional {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::store::fetch!(fetch_optional, $on, $sql $(, $value)*)
    };
}

/// The one row that there must be.
macro_rules! fetch_one {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::store::fetch!(fetch_one, $on, $sql $(, $value)*)
    };
}

macro_rules! fetch {
    ($how:ident, $on:expr, $sql:expr $(, $value:expr)*) => {{
        let on: &mut $crate::store::Conn = $on;
        match on.patience() {
            Err(told) => Err(told),
            Ok(patience) => {
                let found = match on.on() {
                    $crate::store::On::Sqlite(on) => ::sqlx::query_as($sql)$(.bind($value))*.$how(on).await,
                    $crate::store::On::Postgres(on) => {
                        $crate::store::within(patience, ::sqlx::query_as($sql)$(.bind($value))*.$how(on)).await
                    }
                };
                found.map_err(|error| on.told(&error))
            }
        }
    }};
}

pub(crate) use {execute, fetch, fetch_all, fetch_one, fetch_optional};
