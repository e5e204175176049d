//! What was done is in the audit log, on the disk, whichever database it is; and a home moves from one database to the other.

use std::process::ExitCode;
use std::sync::Arc;

use hearth::auth::audit::{Log, Note};
use hearth::base::clock::{Clock, SystemClock};
use hearth::store::{Db, Location};
use serde_json::Value;

use crate::rig::{Done, Ran, Scratch, Skip, cases, script_with};

#[path = "../../src/store/tests/server.rs"]
#[allow(dead_code, reason = "unit tests use more of it")]
mod server;

cases![together:
    acts_of_the_terminal_are_entered_once_and_nothing_to_do_is_none,
    a_database_that_is_away_keeps_no_command_from_working,
    a_home_moves_to_postgresql_and_goes_on_there,
    what_is_answered_is_on_the_disk,
];

/// How this program is started to write entries and say so, for a look at what it asks of the kernel.
pub const WORD: &str = "--write-entries";

/// Writes ten entries one after the other, and says each.
pub fn be(file: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be had");
    runtime.block_on(async {
        let db = Db::open(Location::file(file)).await.expect("the database opens");
        let log = Log::new(db.clone(), Arc::new(SystemClock));
        println!("opened");
        for n in 0..10 {
            let note = Note::of_system(SystemClock.now(), "test", &format!("entry {n}"), Value::Null);
            log.add(note).await.expect("it is entered");
            println!("answered {n}");
        }
        db.close().await;
    });
    ExitCode::SUCCESS
}

fn home(s: &Scratch) {
    s.home();
    s.write(
        "stacks/small.yaml",
        "services:\n  app:\n    image: hearth-test/busybox:1\n    command: ['sleep', '1000']\n    stop_signal: SIGKILL\n    \
         profiles: [small]\n    volumes: ['data:/data']\nvolumes: { data: {} }\n",
    );
    s.hearth_args(&["init", "--stacks", ""]).ok();
}

fn entries(s: &Scratch, more: &[&str]) -> Vec<(String, String)> {
    let shown = s.hearth_args(&[&["audit", "--json", "-n", "100"], more].concat()).ok();
    let all: Vec<Value> = serde_json::from_str(&shown.out).unwrap_or_default();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    all.iter().rev().map(|entry| (text(entry, "action"), text(entry, "outcome"))).collect()
}

fn pair(action: &str, outcome: &str) -> (String, String) {
    (action.to_owned(), outcome.to_owned())
}

fn acts_of_the_terminal_are_entered_once_and_nothing_to_do_is_none(s: &Scratch) -> Done {
    home(s);
    s.hearth_args(&["plan"]);
    s.hearth_args(&["profiles"]).ok();
    assert!(!s.dir.join("state/hearth.db").exists(), "who only looks opens no database");
    s.hearth_args(&["up", "small"]).ok();
    s.hearth_args(&["up"]).ok();
    s.hearth_args(&["exec", "-T", "app", "echo", "geheim"]).ok();
    s.hearth_args(&["down", "--volumes", "data"]).exits(4);
    s.hearth_args(&["down", "--volumes", "data", "--yes"]).ok();
    s.hearth_args(&["disable", "none-such"]);
    let wanted = [
        pair("hearth up", "done"),
        pair("hearth exec", "done"),
        pair("hearth down", "refused"),
        pair("hearth down", "done"),
        pair("hearth disable", "failed"),
    ];
    assert_eq!(entries(s, &[]), wanted);
    assert_eq!(entries(s, &["--action", "hearth down", "--outcome", "refused", "--kind", "terminal"]), wanted[2..3]);
    s.hearth_args(&["audit", "verify"]).ok().says("every entry from 1 to 5 is as it was written");
    // Who ran a program where, without what it was told.
    let csv = s.hearth_args(&["audit", "export", "--format", "csv"]).ok().says("hearth exec app echo,");
    assert!(csv.out.lines().count() == 6 && !csv.out.contains("geheim"), "{}", csv.out);
    Ok(())
}

fn a_database_that_is_away_keeps_no_command_from_working(s: &Scratch) -> Done {
    home(s);
    s.append(".env", "HEARTH_DATABASE_URL=postgres://hearth:s3cret@127.0.0.1:1/hearth\n");
    let up = s.hearth_args(&["up", "small"]).ok();
    let refused = s.hearth_args(&["audit"]).exits(6);
    for said in [&up, &refused] {
        assert!(said.err.contains("store.unreachable") && !said.both().contains("s3cret"), "{}", said.both());
    }
    s.hearth_args(&["down", "--volumes", "--yes"]).ok();
    assert!(!s.dir.join("state/hearth.db").exists());
    Ok(())
}

fn a_home_moves_to_postgresql_and_goes_on_there(s: &Scratch) -> Done {
    let server = server::Server::shared().map_err(Skip)?;
    let database = server::new_name();
    let made = || -> Result<(), Box<dyn std::error::Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            use sqlx::{ConnectOptions, Executor};
            let options: sqlx::postgres::PgConnectOptions = server.url("postgres").parse()?;
            let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"));
            options.connect().await?.execute(sql).await?;
            Ok(())
        })
    };
    made().expect("a database can be made");
    home(s);
    s.hearth_args(&["up", "small"]).ok();
    let url = server.url(&database);
    let bare = url.replace(":hearth@", "@");
    s.hearth_args(&["db", "copy", "--to", &url]).exits(4).says("a password on a command line");
    let password = [("PGPASSWORD", "hearth")];
    let copy = |s: &Scratch| -> Ran { s.noted(s.hearth_args_start(&["db", "copy", "--to", &bare], &password)) };
    copy(s).ok().says("the audit log is whole there").says("HEARTH_DATABASE_URL=postgres://hearth:PASSWORD@127.0.0.1");
    copy(s).exits(5).says("store.not-empty");
    let before = entries(s, &[]);
    s.append(".env", &format!("HEARTH_DATABASE_URL={url}\n"));
    // What came of the two copies was entered after they were made, where the home was.
    assert_eq!(entries(s, &[]), before[..before.len() - 2]);
    s.hearth_args(&["db"]).ok().says("PostgreSQL 15");
    s.hearth_args(&["history"]).ok().says("hearth up small");
    s.hearth_args(&["down", "--volumes", "--yes"]).ok();
    s.hearth_args(&["audit", "verify"]).ok();
    assert_eq!(entries(s, &[]).last(), Some(&pair("hearth down", "done")));
    Ok(())
}

fn what_is_answered_is_on_the_disk(s: &Scratch) -> Done {
    let trace = s.beside("trace");
    let me = std::env::current_exe().expect("a program has a name").display().to_string();
    let (trace_, file) = (trace.display().to_string(), s.beside("hearth.db").display().to_string());
    let calls = "trace=fsync,fdatasync,write";
    script_with("strace", &["-f", "-y", "-e", calls, "-o", &trace_, &me, WORD, &file], &[])
        .map_err(|why| Skip(format!("programs cannot be traced here ({})", why.lines().last().unwrap_or_default())))?;
    let text = std::fs::read_to_string(&trace).expect("it was written");
    let (mut synced, mut answered) = (false, 0);
    for line in text.lines() {
        let flush = line.contains("fdatasync(") || line.contains("fsync(");
        if flush && line.contains("hearth.db-wal") {
            synced = line.contains("= 0") || line.contains("unfinished");
        }
        if line.contains("write(1") && line.contains("answered") {
            assert!(synced, "entry {answered} was answered before it was on the disk:\n{text}");
            (synced, answered) = (false, answered + 1);
        }
    }
    assert_eq!(answered, 10, "{text}");
    Ok(())
}
