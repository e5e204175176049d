//! A PostgreSQL that hangs: all of its processes are stopped, and its connections stay.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions, Executor};

use super::super::*;
use super::server::Server;
use crate::diag::Kind;

/// A server whose processes go on when this is dropped.
struct Stopped<'a>(&'a Server);

impl<'a> Stopped<'a> {
    fn stop(server: &'a Server) -> Stopped<'a> {
        signal(server, Signal::STOP);
        Stopped(server)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        signal(self.0, Signal::CONT);
    }
}

/// To the one that listens first, so that no other is born meanwhile.
fn signal(server: &Server, signal: Signal) {
    let lock = server.folder.join(format!(".s.PGSQL.{}.lock", server.port));
    let first: i32 = std::fs::read_to_string(lock).unwrap().lines().next().unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(first).unwrap(), signal).unwrap();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        if parent == Some(first) {
            let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
        }
    }
}

async fn write(db: Db) -> Result<(), Diagnostic> {
    db.write(async |tx| execute!(tx, "UPDATE changes SET count = count + 1 WHERE id = 1").map(drop)).await
}

async fn read(db: Db) -> Result<(), Diagnostic> {
    db.changes().await.map(drop)
}

/// How long it took until `what` was refused, in the words for it.
async fn refused(what: impl Future<Output = Result<(), Diagnostic>>) -> Duration {
    let begun = Instant::now();
    let told = what.await.expect_err("nothing answers");
    assert_eq!((told.code, told.kind), ("store.unreachable", Kind::Unavailable), "{}", told.title);
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_told_within_ten_seconds_and_goes_on_without_a_new_start() {
    const MOST: Duration = Duration::from_secs(10);
    let server = Server::start(false).unwrap();
    let options: sqlx::postgres::PgConnectOptions = server.url("postgres").parse().unwrap();
    options.connect().await.unwrap().execute("CREATE DATABASE hang").await.unwrap();
    let location = Location::server(&server.url("hang")).unwrap();
    let db = Db::open(location.clone()).await.unwrap();
    write(db.clone()).await.unwrap();
    read(db.clone()).await.unwrap();

    let stopped = Stopped::stop(&server);
    // Whoever was connected, all at once: those that read, those that write, and those that wait behind them.
    let reads = (0..20).map(|_| tokio::spawn(refused(read(db.clone()))));
    let writes = (0..20).map(|_| tokio::spawn(refused(write(db.clone()))));
    for took in futures_util::future::join_all(reads.chain(writes)).await {
        assert!(took.unwrap() < MOST);
    }
    // One after the other, as long as it lasts; soon after somebody has waited in vain at once.
    let begun = Instant::now();
    assert!(refused(write(db.clone())).await < Duration::from_secs(1));
    assert!(refused(read(db.clone())).await < Duration::from_secs(1));
    while begun.elapsed() < Duration::from_secs(12) {
        assert!(refused(write(db.clone())).await < MOST && refused(read(db.clone())).await < MOST);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Who begins meanwhile is told once, and not one after the other.
    let new = Db::at(location);
    let ready = (0..20).map(|_| {
        let new = new.clone();
        tokio::spawn(refused(async move { new.ready().await }))
    });
    for took in futures_util::future::join_all(ready).await {
        assert!(took.unwrap() < MOST);
    }

    drop(stopped);
    let begun = Instant::now();
    for db in [&db, &new] {
        while write(db.clone()).await.is_err() || read(db.clone()).await.is_err() {
            assert!(begun.elapsed() < MOST, "it is back, and nobody takes notice");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(db.changes().await.unwrap(), new.changes().await.unwrap());
    for db in [db, new] {
        db.close().await;
    }
}
