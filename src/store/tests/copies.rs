//! From every older version with data in it, and from one database to the other and back.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;

use super::super::*;
use super::*;

/// What a database of a version may hold: `tests/migrations/NNNN.sql` adds to those before it.
fn fixture(version: i64) -> String {
    let path = format!("{}/tests/migrations/{version:04}.sql", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("a migration needs rows to be tried on: {path}: {e}"))
}

async fn opened(location: &Location) -> Conn {
    let link = match &location.which {
        Which::File { path, .. } => Link::Sqlite(Box::new(sqlite::writer(location, path).await.unwrap())),
        Which::Server { options, .. } => {
            Link::Postgres(Box::new(postgres::writer(location, options, &Hang::default()).await.unwrap()))
        }
    };
    Conn::new(link, location.clone(), Hang::default())
}

async fn script(conn: &mut Conn, sql: String) {
    let sql = AssertSqlSafe(sql);
    match conn.on() {
        On::Sqlite(on) => sqlx::raw_sql(sql).execute(on).await.map(drop).unwrap(),
        On::Postgres(on) => sqlx::raw_sql(sql).execute(on).await.map(drop).unwrap(),
    }
}

/// A database as `version` left it, with rows in all of its tables.
async fn filled(location: &Location, version: i64) {
    let mut conn = opened(location).await;
    for step in 1..=version {
        migrate::run_to(&mut conn, step).await.unwrap();
        script(&mut conn, fixture(step)).await;
    }
    // As after years of use: numbers of rows that are gone are not given again.
    if version >= 3 && conn.is_postgres() {
        script(&mut conn, "SELECT setval(pg_get_serial_sequence('users', 'id'), 7)".into()).await;
    } else if version >= 3 {
        script(&mut conn, "UPDATE sqlite_sequence SET seq = 7 WHERE name = 'users'".into()).await;
    }
    writer::end(conn).await;
}

/// All rows of a table as text, in an order of their own.
async fn dump(conn: &mut Conn, table: &str) -> Vec<String> {
    let sql = match conn.is_postgres() {
        true => format!("SELECT row_to_json(t)::text FROM {table} t"),
        false => {
            let sql = "SELECT group_concat('''' || name || ''', ' || CASE lower(type) WHEN 'boolean' THEN
                       'json(CASE ' || name || ' WHEN 1 THEN ''true'' WHEN 0 THEN ''false'' END)' ELSE name END, ', ')
                       FROM (SELECT * FROM pragma_table_info($1) ORDER BY cid)";
            let (columns,): (String,) = fetch_one!(conn, sql, table).unwrap();
            format!("SELECT json_object({columns}) FROM {table}")
        }
    };
    let rows: Vec<(String,)> = fetch_all!(conn, AssertSqlSafe(sql)).unwrap();
    let value = |(text,): (String,)| serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
    let mut rows: Vec<String> = rows.into_iter().map(value).collect();
    rows.sort();
    rows
}

async fn all(location: &Location) -> Vec<(&'static str, Vec<String>)> {
    let mut conn = opened(location).await;
    let mut all = Vec::new();
    for (table, _) in copy::TABLES {
        all.push((*table, dump(&mut conn, table).await));
    }
    writer::end(conn).await;
    all
}

fn new_file(dir: &tempfile::TempDir, name: &str) -> Location {
    Location::typed(&format!("{name}/hearth.db"), dir.path()).unwrap()
}

#[tokio::test]
async fn a_database_of_every_older_version_keeps_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    for version in 1..newest_version() {
        for (sort, mut location) in
            [("sqlite", new_file(&dir, &format!("v{version}"))), ("postgres", empty_postgres().await)]
        {
            location.backups = Some(dir.path().join(format!("backups-{sort}-{version}")));
            filled(&location, version).await;
            let mut before = Vec::new();
            let mut conn = opened(&location).await;
            for (table, _) in copy::TABLES {
                let sql = conn.either(
                    "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
                    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1",
                );
                let (there,): (i64,) = fetch_one!(&mut conn, sql, *table).unwrap();
                if there == 1 {
                    before.push((*table, copy::count(&mut conn, table).await.unwrap()));
                }
            }
            writer::end(conn).await;
            let db = Db::open(location.clone()).await.unwrap();
            assert_eq!(db.version().await.unwrap(), newest_version());
            let after = db.counts().await.unwrap();
            for (table, rows) in &before {
                assert!(after.contains(&(*table, *rows)), "{sort} {version}: {table} had {rows} rows: {after:?}");
            }
            db.close().await;
            // The copy that was made before can be put back into an empty database of the same sort, as it was.
            let copies = location.backups.as_ref().map(|folder| std::fs::read_dir(folder).unwrap());
            let copy = copies.unwrap().next().unwrap().unwrap().path();
            let kept = Db::look(Location::file(&copy)).await.unwrap().unwrap();
            assert_eq!(kept.version().await.unwrap(), version, "{sort}: {copy:?}");
            let back =
                if sort == "sqlite" { new_file(&dir, &format!("back{version}")) } else { empty_postgres().await };
            let copied = kept.copy_to(&back).await.unwrap();
            assert_eq!(copied, before, "{sort} {version}");
            kept.close().await;
        }
    }
}

#[tokio::test]
async fn a_home_moves_from_one_database_to_the_other_and_back_with_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second, third) = (new_file(&dir, "first"), empty_postgres().await, new_file(&dir, "third"));
    filled(&first, newest_version()).await;
    let wanted = all(&first).await;
    let empty: Vec<&str> = wanted.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| *table).collect();
    assert_eq!(empty, [""; 0], "tests/migrations has a row for each table");
    for (from, to) in [(&first, &second), (&second, &third)] {
        let db = Db::open(from.clone()).await.unwrap();
        let copied = db.copy_to(to).await.unwrap();
        assert_eq!(copied, db.counts().await.unwrap());
        // Twice would be twice as much.
        assert_eq!(db.copy_to(to).await.unwrap_err().code, "store.not-empty");
        db.close().await;
        assert_eq!(all(to).await, wanted, "{to}");
        let there = Db::open(to.clone()).await.unwrap();
        let sql = "INSERT INTO users (name, display_name, role, active, version, created) VALUES ('new', '', 'member', TRUE, 1, 0) RETURNING id";
        let refused: Result<(), Diagnostic> = there
            .write(async move |tx| {
                let (id,): (i64,) = fetch_one!(tx, sql)?;
                Err(Diagnostic::error("store.taken", id.to_string()))
            })
            .await;
        // Numbers up to 7 were given once, and are not given again.
        assert!(refused.unwrap_err().title.parse::<i64>().unwrap() > 7, "{to}");
        there.close().await;
    }
}

#[tokio::test]
async fn what_is_copied_in_part_leaves_nothing_and_can_be_copied_again() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (new_file(&dir, "from"), empty_postgres().await);
    filled(&from, newest_version()).await;
    // PostgreSQL knows no NUL in a text.
    let mut conn = opened(&from).await;
    script(&mut conn, "UPDATE audit SET object = 'a' || char(0) || 'b' WHERE seq = 2".into()).await;
    writer::end(conn).await;
    let db = Db::open(from.clone()).await.unwrap();
    assert!(db.copy_to(&to).await.is_err());
    let mut conn = opened(&to).await;
    assert_eq!(copy::count(&mut conn, "users").await.unwrap(), 0);
    writer::end(conn).await;
    let mut conn = opened(&from).await;
    script(&mut conn, "UPDATE audit SET object = '/api/v1/users' WHERE seq = 2".into()).await;
    writer::end(conn).await;
    assert_eq!(db.copy_to(&to).await.unwrap(), db.counts().await.unwrap());
}

#[tokio::test]
async fn a_copy_that_was_killed_between_two_steps_is_taken_up_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let from = new_file(&dir, "from");
    filled(&from, newest_version()).await;
    let db = Db::open(from).await.unwrap();
    let wanted = db.counts().await.unwrap();
    for version in 0..=newest_version() {
        for to in [new_file(&dir, &format!("to{version}")), empty_postgres().await] {
            let mut conn = opened(&to).await;
            match version {
                // Killed before the first step was done: the table of steps is there, and empty.
                0 => {
                    migrate::run_to(&mut conn, 1).await.unwrap();
                    script(&mut conn, "DROP TABLE run_steps; DROP TABLE saved_plans; DROP TABLE runs".into()).await;
                    script(&mut conn, "DELETE FROM _sqlx_migrations".into()).await;
                }
                _ => migrate::run_to(&mut conn, version).await.unwrap(),
            }
            writer::end(conn).await;
            assert_eq!(db.copy_to(&to).await.unwrap(), wanted, "from {version} in {to}");
            assert_eq!(db.copy_to(&to).await.unwrap_err().code, "store.not-empty");
        }
        // One row of an older version is something all the same.
        if version > 0 {
            for to in [new_file(&dir, &format!("used{version}")), empty_postgres().await] {
                filled(&to, version).await;
                assert_eq!(db.copy_to(&to).await.unwrap_err().code, "store.not-empty", "{version} in {to}");
            }
        }
    }
    db.close().await;
}

#[tokio::test]
async fn a_copy_of_an_older_version_goes_into_no_tables_of_a_newer_one() {
    let dir = tempfile::tempdir().unwrap();
    let from = new_file(&dir, "from");
    filled(&from, 3).await;
    let db = Db::look(from).await.unwrap().unwrap();
    for to in [new_file(&dir, "to"), empty_postgres().await] {
        let mut conn = opened(&to).await;
        migrate::run_to(&mut conn, newest_version()).await.unwrap();
        writer::end(conn).await;
        let told = db.copy_to(&to).await.unwrap_err();
        assert_eq!(told.code, "store.not-empty");
        assert!(told.title.contains("empty tables of version"), "{}", told.title);
    }
    db.close().await;
}

#[tokio::test]
async fn the_list_of_tables_is_the_schema_in_an_order_that_can_be_filled() {
    both(async |db| {
        let on = &mut db.reader().await.unwrap();
        let sql = on.either(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'",
        );
        let found: Vec<(String,)> = fetch_all!(on, sql).unwrap();
        let found: BTreeSet<String> = found.into_iter().map(|(name,)| name).collect();
        let listed: BTreeSet<String> = copy::TABLES.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(found, listed, "copy::TABLES is the list of all tables");
        let sql = on.either(
            "SELECT m.name, f.\"table\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'",
        );
        let refers: Vec<(String, String)> = fetch_all!(on, sql).unwrap();
        assert!(refers.len() > 5);
        let place = |table: &str| copy::TABLES.iter().position(|(name, _)| *name == table).unwrap();
        for (table, to) in refers {
            match table == to {
                true => assert_ne!(copy::TABLES[place(&table)].1, "", "{table} refers to itself: which rows come first?"),
                false => assert!(place(&to) < place(&table), "{table} refers to {to}, which comes later"),
            }
        }
        let sql = on.either(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'",
            "SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'",
        );
        let counted: Vec<(String,)> = fetch_all!(on, sql).unwrap();
        assert_eq!(counted.into_iter().map(|(name,)| name).collect::<Vec<_>>(), copy::COUNTED);
    })
    .await;
}
