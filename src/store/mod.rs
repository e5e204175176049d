//! SQLite and PostgreSQL behind one type: where a database is, its connections, one writer, migrations. No queries of rooms.
//!
//! | subject | file |
//! |---|---|
//! | which database: a file, or a server by URL; where a home's is | `location` |
//! | opening one of each sort | `sqlite`, `postgres` |
//! | a query written once for both | `query` |
//! | a server that does not answer | `hang` |
//! | what was answered is on the disk | `writer` |
//! | tables of every version, backups, a database that is too new | `migrate`, `backup` |
//! | all of one in another | `copy` |
//! | which home's it is | `whose` |
//! | errors in words | `words` |
//!
//! ```text
//! let db = Db::at(location);                                      opens nothing yet
//! db.write(async move |tx| sql::add_user(tx, &user).await).await?  answered: it is on the disk
//! let mut on = db.reader().await?;                                a connection for reading
//! let users: Vec<User> = sql::users(&mut on).await?;
//! ```
//!
//! # Rules for a room's `sql.rs`
//! - Functions that write take `&mut Tx`, those that only read `&mut Conn` (a `Tx` is one). Each query stands there once, with `$1` placeholders,
//!   by the macros [`execute!`], [`fetch_all!`], [`fetch_optional!`] and [`fetch_one!`]; where the two differ, [`Conn::either`] chooses.
//! - Types that both know: TEXT, BOOLEAN, BIGINT for every number (`INTEGER` in SQLite's migration; bind and read `i64`), BLOB or BYTEA, DOUBLE PRECISION.
//!   Sums of numbers need a cast to BIGINT.
//! - What may be taken already is written with `ON CONFLICT`: a statement that fails is the end of its job on PostgreSQL.
//! - A job that ends a session, a token or a right calls [`Tx::changed`]: other processes look at [`Db::changes`].

mod backup;
pub mod copy;
pub mod folder;
mod hang;
mod location;
mod migrate;
mod postgres;
mod query;
mod sqlite;
#[cfg(test)]
pub mod tests;
mod whose;
mod words;
mod writer;

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

pub use location::{Location, URL, has_password};
pub use migrate::newest as newest_version;
pub(crate) use query::{execute, fetch, fetch_all, fetch_one, fetch_optional};
/// For what a row becomes; the tables stand in `sql.rs` all the same.
pub use sqlx::FromRow;

use crate::diag::Diagnostic;
use hang::Hang;
pub(crate) use hang::within;
use location::Which;
use writer::Writer;

/// A database that may be in use by many tasks and by other processes. Cheap to clone; the last clone's end closes it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    location: Location,
    readers: Readers,
    hang: Hang,
    /// `None` where it was opened for reading only.
    writer: Option<Writer>,
}

/// Connections for reading: few, made when they are needed.
enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Db {
    /// The database at a place, made with its folder and tables when it is first used. Nothing is opened yet, so one that is away is told by
    /// whoever asks something of it, again and again until it is back.
    pub fn at(location: Location) -> Db {
        let readers = match &location.which {
            Which::File { path, .. } => Readers::Sqlite(sqlite::readers(path, false)),
            Which::Server { options, .. } => Readers::Postgres(postgres::readers(options)),
        };
        let hang = Hang::default();
        let writer = Some(Writer::new(location.clone(), hang.clone()));
        Db(Arc::new(Inner { location, readers, hang, writer }))
    }

    /// As [`Db::at`], and opens it now.
    pub async fn open(location: Location) -> Result<Db, Diagnostic> {
        let db = Db::at(location);
        db.ready().await?;
        Ok(db)
    }

    /// A database that is there, for reading: it is neither made nor brought up to date. `None` where there is no file.
    pub async fn look(location: Location) -> Result<Option<Db>, Diagnostic> {
        let readers = match &location.which {
            Which::File { .. } => match sqlite::there(&location)? {
                Some(path) => Readers::Sqlite(sqlite::readers(&path, true)),
                None => return Ok(None),
            },
            Which::Server { options, .. } => {
                // A pool tries for a while where nothing listens, and forgets why it was not let in.
                let conn = postgres::writer(&location, options, &Hang::default()).await?;
                writer::end_link(Link::Postgres(Box::new(conn))).await;
                Readers::Postgres(postgres::readers(options))
            }
        };
        let db = Db(Arc::new(Inner { location, readers, hang: Hang::default(), writer: None }));
        let mut on = db.reader().await?;
        whose::look(&mut on).await?;
        // A server's database where nobody has written yet has no tables to read from.
        match migrate::version(&mut on).await? {
            0 => Ok(None),
            version if version > migrate::newest() => Err(migrate::newer(&db.0.location, version)),
            _ => Ok(Some(db)),
        }
    }

    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// Sees to it that it can be used now.
    pub async fn ready(&self) -> Result<(), Diagnostic> {
        match &self.0.writer {
            Some(writer) => writer.ready().await,
            None => Ok(()),
        }
    }

    /// A connection for reading; it goes back to the others when it is dropped.
    pub async fn reader(&self) -> Result<Conn, Diagnostic> {
        let Inner { location, readers, hang, .. } = &*self.0;
        if hang.is_fresh() {
            return Err(words::hangs(location));
        }
        self.ready().await?;
        let link = match readers {
            Readers::Sqlite(pool) => pool.acquire().await.map(Link::PooledSqlite),
            Readers::Postgres(pool) => pool.acquire().await.map(Link::PooledPostgres).inspect_err(|error| {
                if matches!(error, sqlx::Error::PoolTimedOut) {
                    hang.note();
                }
            }),
        };
        let link = link.map_err(|error| words::told(location, &error))?;
        Ok(Conn::new(link, location.clone(), hang.clone()))
    }

    /// Does `job` in a transaction of its own, and answers when that is on the disk.
    ///
    /// Jobs of many tasks are committed together, each behind a savepoint: one that fails leaves nothing behind and disturbs no other. Nobody else
    /// writes meanwhile, in this process or another, so what a job reads stays true until its end. A job should be short: it waits for nothing but
    /// the database. It goes on when its caller does not wait for it any more.
    pub async fn write<T, F>(&self, job: F) -> Result<T, Diagnostic>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T, Diagnostic> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => writer.write(job).await,
            None => Err(words::read_only(&self.0.location)),
        }
    }

    /// How often something was changed that ends sessions, tokens or rights ([`Tx::changed`]), by any process.
    pub async fn changes(&self) -> Result<i64, Diagnostic> {
        let mut on = self.reader().await?;
        let (count,): (i64,) = fetch_one!(&mut on, "SELECT count FROM changes WHERE id = 1")?;
        Ok(count)
    }

    /// Which migration its tables are of.
    pub async fn version(&self) -> Result<i64, Diagnostic> {
        let mut on = self.reader().await?;
        migrate::version(&mut on).await
    }

    /// Copies everything into an empty database; gives the rows of each table. What is written here meanwhile is not in it.
    pub async fn copy_to(&self, to: &Location) -> Result<Vec<(&'static str, i64)>, Diagnostic> {
        copy::into(&mut self.reader().await?, to).await
    }

    /// The rows of each table.
    pub async fn counts(&self) -> Result<Vec<(&'static str, i64)>, Diagnostic> {
        let on = &mut self.reader().await?;
        on.patient();
        let mut all = Vec::new();
        for (table, _) in copy::TABLES {
            all.push((*table, copy::count(on, table).await?));
        }
        Ok(all)
    }

    /// What it is: `SQLite 3.51.3`, `PostgreSQL 15.20`.
    pub async fn engine(&self) -> Result<String, Diagnostic> {
        let on = &mut self.reader().await?;
        let sql = on.either(
            "SELECT 'SQLite ' || sqlite_version()",
            "SELECT 'PostgreSQL ' || current_setting('server_version')",
        );
        let (words,): (String,) = fetch_one!(on, sql)?;
        Ok(words)
    }

    /// Waits for what is being written, and closes it: in order, so that SQLite leaves one file. Whoever uses it afterwards is refused.
    pub async fn close(&self) {
        // Readers first: the last connection to leave is the one that may write SQLite's log back.
        match &self.0.readers {
            Readers::Sqlite(pool) => pool.close().await,
            Readers::Postgres(pool) => pool.close().await,
        }
        if let Some(writer) = &self.0.writer {
            writer.close().await;
        }
    }
}

/// One connection.
pub struct Conn {
    link: Link,
    location: Location,
    hang: Hang,
    /// How long a server may take for a statement.
    patience: Duration,
    /// It was waited for in vain: what it says later is to something else.
    over: bool,
}

enum Link {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
    PooledSqlite(PoolConnection<Sqlite>),
    PooledPostgres(PoolConnection<Postgres>),
}

/// What the macros of `query` choose by.
#[doc(hidden)]
pub enum On<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Conn {
    fn new(link: Link, location: Location, hang: Hang) -> Conn {
        Conn { link, location, hang, patience: hang::ANSWER, over: false }
    }

    /// Whole tables are gone through with it: that may take longer than other statements.
    pub fn patient(&mut self) {
        self.patience = hang::LONG;
    }

    /// How long a statement may take now; an error where none has any use.
    #[doc(hidden)]
    pub fn patience(&self) -> Result<Duration, Diagnostic> {
        if self.over { Err(words::hangs(&self.location)) } else { Ok(self.patience) }
    }

    #[doc(hidden)]
    pub fn on(&mut self) -> On<'_> {
        match &mut self.link {
            Link::Sqlite(conn) => On::Sqlite(conn),
            Link::PooledSqlite(conn) => On::Sqlite(conn),
            Link::Postgres(conn) => On::Postgres(conn),
            Link::PooledPostgres(conn) => On::Postgres(conn),
        }
    }

    #[doc(hidden)]
    pub fn told(&mut self, error: &sqlx::Error) -> Diagnostic {
        if hang::is_hang(error) {
            self.over = true;
            self.hang.note();
            if let Link::PooledPostgres(conn) = &mut self.link {
                conn.close_on_drop();
            }
        }
        words::told(&self.location, error)
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.link, Link::Postgres(_) | Link::PooledPostgres(_))
    }

    /// Where the two databases differ: the one for this connection.
    pub fn either<T>(&self, sqlite: T, postgres: T) -> T {
        if self.is_postgres() { postgres } else { sqlite }
    }
}

/// A connection in a job of [`Db::write`].
pub struct Tx {
    conn: Conn,
    changed: bool,
}

impl Tx {
    /// This job ends a session, a token or a right: everybody who remembers one has to look again.
    pub fn changed(&mut self) {
        self.changed = true;
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// Makes `folder` and what is above it; what is made is for its owner only.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
