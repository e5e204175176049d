//! What every room's tests use to run on both databases, and the tests of the store itself.
//!
//! ```text
//! both(async |db| {
//!     db.write(async |tx| sql::add(tx, "x").await).await.unwrap();
//! }).await;
//! ```

mod copies;
mod hangs;
pub mod server;
mod store;
mod whose;

use sqlx::{ConnectOptions, Executor};

use super::{Db, Location};
use server::Server;

/// Runs `check` on a new SQLite database, then on a new PostgreSQL one. Where no PostgreSQL can be had the test has failed: what was not run on both
/// was not tested.
pub async fn both(check: impl AsyncFn(Db)) {
    on_sqlite(&check).await;
    on_postgres(&check).await;
}

pub async fn on_sqlite(check: impl AsyncFn(Db)) {
    eprintln!("on SQLite:");
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(Location::file(dir.path().join("state/hearth.db"))).await.unwrap();
    check(db.clone()).await;
    db.close().await;
}

pub async fn on_postgres(check: impl AsyncFn(Db)) {
    eprintln!("on PostgreSQL:");
    let db = Db::open(empty_postgres().await).await.unwrap();
    check(db.clone()).await;
    db.close().await;
}

/// A PostgreSQL database with nothing in it.
pub async fn empty_postgres() -> Location {
    let name = server::new_name();
    as_owner(&format!("CREATE DATABASE {name}")).await;
    Location::server(&shared().url(&name)).unwrap()
}

pub fn shared() -> &'static Server {
    Server::shared().unwrap_or_else(|why| panic!("{why}"))
}

/// A statement of the server's owner, outside of any test's database.
pub async fn as_owner(statement: &str) {
    let options: sqlx::postgres::PgConnectOptions = shared().url("postgres").parse().unwrap();
    let mut conn = options.connect().await.unwrap();
    conn.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
}
