//! `hearth db`: where the home's database is, all of it in another one, and whose it is.

use std::io::BufRead;

use serde_json::json;

use crate::args::{Database, DatabaseVerb};
use crate::auth::audit::verify;
use crate::cli::table::table;
use crate::cli::{Done, Out, start};
use crate::diag::{Diagnostic, Kind};
use crate::store::{Db, Location, URL, has_password, newest_version};

pub fn run(args: Database, home: Location, out: &Out) -> Done {
    match args.verb {
        None => start(show(home, &out.clone().json(args.json.json))),
        Some(DatabaseVerb::Copy { to, from }) => {
            let (typed, to) = target(&to, out)?;
            start(copy(from.map(|from| Location::file(out.cwd.join(from))), home, typed, to, out))
        }
        Some(DatabaseVerb::Take) => start(take(home, out)),
    }
}

async fn show(location: Location, out: &Out) -> Done {
    let Some(db) = Db::look(location.clone()).await? else {
        out.say(format!("there is no database yet: {location} is made when it is first needed"));
        return Ok(());
    };
    let (engine, version, newest) = (db.engine().await?, db.version().await?, newest_version());
    let counts = if version == newest { db.counts().await? } else { Vec::new() };
    db.close().await;
    if out.json {
        let rows: serde_json::Map<String, serde_json::Value> =
            counts.iter().map(|(name, rows)| (name.to_string(), json!(rows))).collect();
        out.value(&json!({"database": location.to_string(), "engine": engine, "version": version, "newest": newest, "rows": rows}));
        return Ok(());
    }
    out.line(format!("{location}: {engine}, tables of version {version}"));
    if version < newest {
        out.say(format!("this Hearth brings them to version {newest} when it first writes, and makes a copy before"));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = counts.iter().map(|(name, rows)| vec![name.to_string(), rows.to_string()]).collect();
    out.text(&table(&["TABLE", "ROWS"], &rows));
    Ok(())
}

/// What was typed, or said on standard input, and where that is.
fn target(to: &str, out: &Out) -> Result<(String, Location), Diagnostic> {
    if to != "-" {
        if has_password(to) {
            return Err(Diagnostic::error(
                "store.bad-url",
                "a password on a command line is seen by everybody on this machine",
            )
            .kind(Kind::Denied)
            .hint(
                "leave it out and set PGPASSWORD, or write it into ~/.pgpass; or --to - and the URL on standard input",
            ));
        }
        return Ok((to.to_owned(), Location::typed(to, &out.cwd)?));
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let url = line.trim().to_owned();
    if read.is_err() || url.is_empty() {
        return Err(
            Diagnostic::error("store.bad-url", "there was no URL on standard input").hint("end it with a new line")
        );
    }
    let location = Location::server(&url)?;
    Ok((location.to_string(), location))
}

async fn copy(from: Option<Location>, home: Location, typed: String, to: Location, out: &Out) -> Done {
    let source = match from {
        Some(from) => Db::look(from.clone()).await?.ok_or_else(|| nothing_there(&from))?,
        None => Db::open(home.clone()).await?,
    };
    let copied = source.copy_to(&to).await;
    let from = source.location().to_string();
    let newest = source.version().await.is_ok_and(|version| version == newest_version());
    source.close().await;
    let copied = copied?;
    for (table, rows) in copied.iter().filter(|(_, rows)| *rows > 0) {
        out.line(format!("{table}: {rows}"));
    }
    let total: i64 = copied.iter().map(|(_, rows)| rows).sum();
    out.line(format!("copied {total} rows from {from} to {to}; each table has as many there as here"));
    // Tables of an older version are brought up to date by whoever uses them first.
    if newest && let Some(db) = Db::look(to.clone()).await? {
        let whole = verify(&db, None).await?;
        db.close().await;
        match whole {
            Ok(sound) => out.line(format!("the audit log is whole there: {}:{}", sound.last, sound.hash)),
            Err(broken) => {
                let title = format!("the audit log in {to} is not whole: {broken}");
                let d = Diagnostic::error("audit.broken", title).kind(Kind::Conflict);
                return Err(d.hint("look at the home's own first: hearth audit verify").into());
            }
        }
    }
    out.say("nothing was switched over. To use it: end hearth serve, copy once more into an empty one if anything was done since, then");
    match (to.path(), home.path()) {
        (Some(path), Some(own)) if path == own => out.say("  nothing more: it is the home's own file"),
        (Some(path), _) => {
            out.say(format!("  remove {URL} from .env, and put {} in the place of state/hearth.db", path.display()))
        }
        (None, _) => out
            .say(format!("  write into .env, with the password behind the user's name: {URL}={}", with_place(&typed))),
    }
    Ok(())
}

/// Makes it this home's.
async fn take(location: Location, out: &Out) -> Done {
    let db = Db::open(location.taking()).await?;
    db.close().await;
    out.line(format!("{} belongs to this home from now on; one that had it before is refused", db.location()));
    Ok(())
}

/// `postgres://joe@db/x` as `postgres://joe:PASSWORD@db/x`.
fn with_place(url: &str) -> String {
    match url.split_once('@') {
        Some((user, rest)) => format!("{user}:PASSWORD@{rest}"),
        None => url.to_owned(),
    }
}

fn nothing_there(from: &Location) -> Diagnostic {
    Diagnostic::error("store.unusable", format!("there is no database in {from}"))
        .kind(Kind::NotFound)
        .hint("name a file of SQLite that Hearth has written, as one of state/backups")
}
