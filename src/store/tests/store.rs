//! Promises of the store, on both databases.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::*;
use super::*;
use crate::diag::Kind;

async fn make_table(db: &Db) {
    db.write(async |tx| execute!(tx, "CREATE TABLE things (name TEXT PRIMARY KEY, n BIGINT NOT NULL)").map(drop))
        .await
        .unwrap();
}

async fn add(db: &Db, name: &str, n: i64) -> Result<(), Diagnostic> {
    let name = name.to_owned();
    db.write(async move |tx| execute!(tx, "INSERT INTO things (name, n) VALUES ($1, $2)", &name, n).map(drop)).await
}

async fn names(db: &Db) -> Vec<String> {
    let mut on = db.reader().await.unwrap();
    let rows: Vec<(String,)> = fetch_all!(&mut on, "SELECT name FROM things ORDER BY name").unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

#[tokio::test]
async fn many_tasks_write_together_and_the_failure_of_one_is_its_own() {
    both(async |db| {
        make_table(&db).await;
        let jobs = (0..200).map(|n| {
            let db = db.clone();
            // Every tenth name is taken already.
            let name = format!("{:03}", if n % 10 == 9 { n - 1 } else { n });
            tokio::spawn(async move { add(&db, &name, n).await.map_err(|told| (n, told)) })
        });
        let done: Vec<_> = futures_util::future::join_all(jobs).await.into_iter().map(Result::unwrap).collect();
        let failed: Vec<&Diagnostic> = done.iter().filter_map(|d| d.as_ref().err()).map(|(_, told)| told).collect();
        assert_eq!(failed.len(), 20);
        assert!(failed.iter().all(|told| (told.code, told.kind) == ("store.taken", Kind::Conflict)), "{failed:?}");
        assert_eq!(names(&db).await.len(), 180);
    })
    .await;
}

#[tokio::test]
async fn what_a_failed_job_wrote_is_gone_and_a_panic_is_its_own_too() {
    both(async |db| {
        make_table(&db).await;
        let refused: Result<(), Diagnostic> = db
            .write(async |tx| {
                execute!(tx, "INSERT INTO things (name, n) VALUES ('a', 1)")?;
                tx.changed();
                Err(Diagnostic::error("store.failed", "no"))
            })
            .await;
        assert_eq!(refused.unwrap_err().title, "no");
        let panicked: Result<(), Diagnostic> = db
            .write(async |tx| {
                execute!(tx, "INSERT INTO things (name, n) VALUES ('b', 1)")?;
                tx.changed();
                panic!("on purpose");
            })
            .await;
        assert_eq!(panicked.unwrap_err().kind, Kind::Bug);
        add(&db, "c", 1).await.unwrap();
        assert_eq!(names(&db).await, ["c"]);
        assert_eq!(db.changes().await.unwrap(), 0, "what was not done changes nothing");
    })
    .await;
}

#[tokio::test]
async fn a_change_of_rights_is_counted_for_other_processes() {
    both(async |db| {
        let other = Db::open(db.location().clone()).await.unwrap();
        assert_eq!(other.changes().await.unwrap(), 0);
        db.write(async |tx| {
            tx.changed();
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(other.changes().await.unwrap(), 1);
        db.write(async |_| Ok(())).await.unwrap();
        assert_eq!(other.changes().await.unwrap(), 1);
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_job_reads_stays_true_until_its_end_whoever_else_writes() {
    both(async |db| {
        make_table(&db).await;
        add(&db, "count", 0).await.unwrap();
        // Two writers, as two processes have them: none of the additions is lost.
        let other = Db::open(db.location().clone()).await.unwrap();
        let jobs = (0..60).map(|n| {
            let db = if n % 2 == 0 { db.clone() } else { other.clone() };
            tokio::spawn(async move {
                db.write(async |tx| {
                    let (n,): (i64,) = fetch_one!(tx, "SELECT n FROM things WHERE name = 'count'")?;
                    tokio::task::yield_now().await;
                    execute!(tx, "UPDATE things SET n = $1 WHERE name = 'count'", n + 1).map(drop)
                })
                .await
                .unwrap();
            })
        });
        futures_util::future::join_all(jobs).await.into_iter().for_each(Result::unwrap);
        let mut on = db.reader().await.unwrap();
        let (n,): (i64,) = fetch_one!(&mut on, "SELECT n FROM things WHERE name = 'count'").unwrap();
        assert_eq!(n, 60);
        drop(on);
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_job_goes_on_when_nobody_waits_for_it_and_a_closed_database_takes_no_more() {
    both(async |db| {
        make_table(&db).await;
        let mut writing = Box::pin(add(&db, "alone", 1));
        // Sent, not answered.
        assert!(futures_util::poll!(&mut writing).is_pending());
        drop(writing);
        add(&db, "after", 1).await.unwrap();
        assert_eq!(names(&db).await, ["after", "alone"]);
        db.close().await;
        assert_eq!(add(&db, "late", 1).await.unwrap_err().code, "store.closed");
    })
    .await;
}

#[tokio::test]
async fn readers_cannot_write() {
    both(async |db| {
        let mut on = db.reader().await.unwrap();
        let told = execute!(&mut on, "UPDATE changes SET count = 7").unwrap_err();
        assert_eq!(told.code, "store.unusable");
    })
    .await;
}

#[tokio::test]
async fn what_is_stored_is_read_back_as_it_was() {
    both(async |db| {
        let sql = db.reader().await.unwrap().either(
            "CREATE TABLE v (t TEXT, b BOOLEAN, i INTEGER, bytes BLOB, f DOUBLE PRECISION)",
            "CREATE TABLE v (t TEXT, b BOOLEAN, i BIGINT, bytes BYTEA, f DOUBLE PRECISION)",
        );
        type Row = (Option<String>, Option<bool>, Option<i64>, Option<Vec<u8>>, Option<f64>);
        let rows: [Row; 2] = [
            (Some("ä\u{1F525}'\"\\".into()), Some(true), Some(i64::MIN), Some(vec![0, 255, 10]), Some(0.1)),
            (None, None, None, None, None),
        ];
        let wanted = rows.clone();
        db.write(async move |tx| {
            execute!(tx, sql)?;
            for (t, b, i, bytes, f) in &rows {
                execute!(tx, "INSERT INTO v (t, b, i, bytes, f) VALUES ($1, $2, $3, $4, $5)", t, b, i, bytes, f)?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let mut on = db.reader().await.unwrap();
        let found: Vec<Row> = fetch_all!(&mut on, "SELECT * FROM v WHERE b OR b IS NULL ORDER BY i IS NULL").unwrap();
        assert_eq!(found, wanted);
    })
    .await;
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_new_database_is_for_its_owner_only_and_opens_with_its_first_use() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a/b/hearth.db");
    let db = Db::at(Location::file(&file));
    assert!(!dir.path().join("a").exists());
    assert_eq!(db.changes().await.unwrap(), 0);
    make_table(&db).await;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(mode(&dir.path().join("a/b/hearth.db-wal")), 0o600);
    db.close().await;
    assert!(!dir.path().join("a/b/hearth.db-wal").exists(), "closed in order it is one file");
    assert!(Db::look(Location::file(&file)).await.unwrap().is_some());
    assert!(Db::look(Location::file(dir.path().join("none.db"))).await.unwrap().is_none());
    let looking = Db::look(Location::file(&file)).await.unwrap().unwrap();
    assert_eq!(add(&looking, "x", 1).await.unwrap_err().kind, Kind::Bug);
}

#[tokio::test]
async fn a_broken_database_is_told_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("history.db");
    std::fs::write(&file, "this is no database, and long enough to have a header").unwrap();
    let told = Db::open(Location::file(&file)).await.map(drop).unwrap_err();
    assert_eq!((told.code, told.kind.exit_code()), ("store.unusable", 6));
    assert!(told.hints[0].contains("history and saved plans only"), "{told:?}");
}

#[tokio::test]
async fn the_history_of_an_earlier_version_is_renamed_with_all_that_stands_in_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("state/history.db"), dir.path().join("state/hearth.db"));
    let earlier = Db::open(Location::file(&old)).await.unwrap();
    make_table(&earlier).await;
    add(&earlier, "kept", 1).await.unwrap();
    let home = || Location::of_home(dir.path(), None).unwrap();
    // While the earlier version still has it open nothing is moved from under it.
    let told = Db::open(home()).await.map(drop).unwrap_err();
    assert_eq!(told.code, "store.busy");
    assert!(old.exists() && !new.exists());
    let looking = Db::look(home()).await.unwrap().unwrap();
    assert_eq!(names(&looking).await, ["kept"]);
    looking.close().await;
    earlier.close().await;
    let (a, b) = tokio::join!(Db::open(home()), Db::open(home()));
    assert_eq!(names(&a.unwrap()).await, ["kept"]);
    assert_eq!(names(&b.unwrap()).await, ["kept"]);
    assert!(!old.exists() && new.exists() && !dir.path().join("state/history.db-wal").exists());
}

#[tokio::test]
async fn a_newer_database_is_refused_and_not_touched() {
    both(async |db| {
        db.write(async |tx| {
            let sql = tx.either(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, x'00', 1)",
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, '\\x00', 1)",
            );
            execute!(tx, sql).map(drop)
        })
        .await
        .unwrap();
        let before = db.location().path().map(|path| std::fs::read(path).unwrap());
        let told = Db::open(db.location().clone()).await.map(drop).unwrap_err();
        assert_eq!((told.code, told.kind.exit_code()), ("store.newer", 5));
        let looked = Db::look(db.location().clone()).await.map(drop).unwrap_err();
        assert_eq!(looked.code, "store.newer");
        assert_eq!(before, db.location().path().map(|path| std::fs::read(path).unwrap()));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_told_in_words_without_its_password() {
    let server = shared();
    let told = async |url: &str| {
        let told = Db::open(Location::server(url).unwrap()).await.map(drop).unwrap_err();
        assert!(!format!("{told:?}").contains("wrong-s3cret"), "{told:?}");
        assert_eq!(told.kind, Kind::Unavailable, "{told:?}");
        told.code
    };
    let port = server.port;
    assert_eq!(told(&format!("postgres://hearth:wrong-s3cret@127.0.0.1:{port}/postgres")).await, "store.denied");
    assert_eq!(told(&format!("postgres://nobody:wrong-s3cret@127.0.0.1:{port}/postgres")).await, "store.denied");
    assert_eq!(told(&server.url("not_there")).await, "store.no-database");
    assert_eq!(told("postgres://hearth:wrong-s3cret@127.0.0.1:1/postgres").await, "store.unreachable");
    assert_eq!(told("postgres://hearth:wrong-s3cret@no-such-host.invalid/postgres").await, "store.unreachable");
    assert_eq!(told(&format!("{}?sslmode=require", server.url("postgres"))).await, "store.tls");
    assert!(Db::open(Location::server(&server.socket_url("postgres")).unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_server_is_reached_by_tls_that_is_checked_where_that_is_asked_for() {
    let server = Server::start(true).unwrap_or_else(|why| panic!("{why}"));
    let authority = server.authority.clone().unwrap();
    let open = async |host: &str, sslmode: &str, root: &str| {
        let url = format!("postgres://hearth:hearth@{host}:{}/postgres?sslmode={sslmode}{root}", server.port);
        let db = Db::at(Location::server(&url).unwrap());
        let mut on = db.reader().await.map_err(|told| told.code)?;
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let (encrypted,): (bool,) = fetch_one!(&mut on, sql).map_err(|told| told.code)?;
        Ok::<bool, &str>(encrypted)
    };
    let root = format!("&sslrootcert={}", authority.display());
    assert_eq!(open("localhost", "verify-full", &root).await, Ok(true));
    assert_eq!(open("localhost", "require", "").await, Ok(true));
    assert_eq!(open("127.0.0.1", "disable", "").await, Ok(false));
    assert_eq!(open("localhost", "verify-full", "").await, Err("store.tls"));
    assert_eq!(open("127.0.0.1", "verify-full", &root).await, Err("store.tls"));
}

#[tokio::test]
async fn before_a_migration_the_database_is_copied_and_the_copy_can_be_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state/hearth.db");
    let location = Location::of_home(dir.path(), None).unwrap();
    let on = sqlite::writer(&location, &file).await.unwrap();
    let mut old = Conn::new(Link::Sqlite(Box::new(on)), location.clone(), Hang::default());
    migrate::step(&mut old, 1).await.unwrap();
    execute!(&mut old, "INSERT INTO saved_plans VALUES ('kept', 'p', 't', 'w', '{}', '{}', '{}')").unwrap();
    drop(old);
    let saved = async |db: &Db| {
        let mut on = db.reader().await.unwrap();
        let rows: Vec<(String,)> = fetch_all!(&mut on, "SELECT id FROM saved_plans").unwrap();
        rows
    };
    let db = Db::open(location.clone()).await.unwrap();
    assert_eq!(db.version().await.unwrap(), newest_version());
    assert_eq!(saved(&db).await, [("kept".to_owned(),)]);
    db.close().await;
    let copies: Vec<_> =
        std::fs::read_dir(dir.path().join("state/backups")).unwrap().map(|e| e.unwrap().path()).collect();
    let [copy] = copies.as_slice() else { panic!("{copies:?}") };
    assert!(copy.file_name().unwrap().to_string_lossy().starts_with("hearth-0001-"), "{copy:?}");
    assert_eq!(mode(copy), 0o600);
    // Put back, it is what it was.
    std::fs::copy(copy, &file).unwrap();
    let before = Db::look(location.clone()).await.unwrap().unwrap();
    assert_eq!((before.version().await.unwrap(), saved(&before).await.len()), (1, 1));
    before.close().await;
    // Where no copy can be made nothing is changed.
    std::fs::remove_dir_all(dir.path().join("state/backups")).unwrap();
    std::fs::write(dir.path().join("state/backups"), "in the way").unwrap();
    assert_eq!(Db::open(location.clone()).await.map(drop).unwrap_err().code, "store.no-backup");
    assert_eq!(Db::look(location).await.unwrap().unwrap().version().await.unwrap(), 1);
}

/// Without its locks a foreign client that closes, as `.backup` does, takes SQLite's log for its own and deletes it under the server.
#[tokio::test]
async fn another_connection_of_this_process_takes_no_lock_away() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hearth.db");
    let db = Db::open(Location::file(file.clone())).await.unwrap();
    make_table(&db).await;
    let inode = format!(":{} ", std::fs::metadata(&file).unwrap().ino());
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        all.lines().filter(|line| line.contains("POSIX") && line.contains(&inode)).count()
    };
    let held = locks();
    assert!(held > 0, "{}", std::fs::read_to_string("/proc/locks").unwrap());
    for _ in 0..3 {
        let other = Db::open(Location::file(file.clone())).await.unwrap();
        add(&other, &format!("{}", std::time::Instant::now().elapsed().as_nanos()), 1).await.ok();
        assert!(names(&other).await.len() <= 3);
        other.close().await;
        assert_eq!(locks(), held);
    }
}
