//! What a database's errors mean, in words. Where it is, and a library's own words, are for the person who mends it: in the terminal and the log, and not
//! for whoever asks over the network.

use sqlx::error::ErrorKind;

use super::location::{Location, Which};
use crate::diag::{Code, Diagnostic, Kind};

/// An error of a connection or a query.
pub fn told(location: &Location, error: &sqlx::Error) -> Diagnostic {
    match (error, &location.which) {
        (sqlx::Error::Database(error), Which::File { .. }) => sqlite(location, error.as_ref()),
        (sqlx::Error::Database(error), Which::Server { .. }) => postgres(location, error.as_ref()),
        // So rustls tells of a certificate that it does not take.
        (sqlx::Error::Io(why), Which::Server { .. }) if why.kind() == std::io::ErrorKind::InvalidData => {
            tls(location, &why.to_string())
        }
        (sqlx::Error::Io(why), Which::Server { .. }) => unreachable(location, &why.to_string()),
        (sqlx::Error::Tls(why), _) => tls(location, &why.to_string()),
        (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed, Which::File { .. }) => busy(location),
        (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed, Which::Server { .. }) => {
            unreachable(location, "no connection within 5 s")
        }
        (sqlx::Error::Configuration(why), Which::Server { .. }) => tls(location, &why.to_string()),
        (error, _) => failed(location, &error.to_string()),
    }
}

fn sqlite(location: &Location, error: &dyn sqlx::error::DatabaseError) -> Diagnostic {
    // The low byte is the primary code (sqlite.org/rescode.html).
    let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default() & 0xff;
    match code {
        5 | 6 => busy(location),
        13 => full(location, error.message()),
        3 | 8 | 10 | 11 | 14 | 23 | 26 => unusable(location, error.message()),
        _ => kind(location, error),
    }
}

fn postgres(location: &Location, error: &dyn sqlx::error::DatabaseError) -> Diagnostic {
    // Classes and codes: appendix A of PostgreSQL's manual.
    let code = error.code().unwrap_or_default().into_owned();
    match code.as_str() {
        "28P01" | "28000" => at(location, error.message(), "store.denied", "the database does not let us in")
            .kind(Kind::Unavailable)
            .hint("look at user and password in HEARTH_DATABASE_URL, and at the server's pg_hba.conf"),
        "3D000" => at(location, error.message(), "store.no-database", "there is no such database on the server")
            .kind(Kind::Unavailable)
            .hint("make it, as a user who may: CREATE DATABASE name OWNER user"),
        "42501" => at(location, error.message(), "store.denied", "the database allows us too little")
            .kind(Kind::Unavailable)
            .hint(
                "the user must own the database, or may create tables in its schema: ALTER DATABASE name OWNER TO user",
            ),
        "55P03" | "57014" | "40001" | "40P01" => busy(location),
        "25006" => unusable(location, error.message()),
        code if code.starts_with("53") && code != "53100" => unreachable(location, error.message()),
        "53100" => full(location, error.message()),
        code if code.starts_with("08") || code.starts_with("57P") => unreachable(location, error.message()),
        _ => kind(location, error),
    }
}

/// What is said to everybody, and inside the machine at which database, and why.
fn at(location: &Location, why: &str, code: Code, title: &str) -> Diagnostic {
    Diagnostic::error(code, title).inside(match why {
        "" => location.to_string(),
        _ => format!("{location}: {why}"),
    })
}

/// A query that broke a rule of the tables, or is none.
fn kind(location: &Location, error: &dyn sqlx::error::DatabaseError) -> Diagnostic {
    match error.kind() {
        ErrorKind::UniqueViolation => at(location, error.message(), "store.taken", "that is there already")
            .kind(Kind::Conflict)
            .hint("choose another name, or change what is there"),
        _ => failed(location, error.message()),
    }
}

fn failed(location: &Location, why: &str) -> Diagnostic {
    at(location, why, "store.failed", "a query of the database failed")
        .kind(Kind::Bug)
        .hint("its tables are not what this version of Hearth takes them for: were they changed by hand?")
}

/// The database cannot be used as it is.
pub fn unusable(location: &Location, why: &str) -> Diagnostic {
    let low = why.to_lowercase();
    let closed = ["permission denied", "read-only", "readonly"].iter().any(|words| low.contains(words));
    let hint = match (closed, location.path()) {
        (true, Some(_)) => "its folder must be open to this user; services run on without it",
        (true, None) => "it must take writes: is it a standby?",
        _ if location.is_home() => {
            "put back a copy from state/backups, or move the file away: a new one is made, without accounts and history"
        }
        _ => "it holds history and saved plans only: move the file away and a new one is made",
    };
    at(location, why, "store.unusable", "the database cannot be used").kind(Kind::Unavailable).hint(hint)
}

/// It was waited for in vain, now or a moment ago.
pub fn hangs(location: &Location) -> Diagnostic {
    unreachable(location, "it takes connections, and gives no answer in time")
}

pub fn unreachable(location: &Location, why: &str) -> Diagnostic {
    at(location, why, "store.unreachable", "the database cannot be reached")
        .kind(Kind::Unavailable)
        .hint("does the server run, and is it reached from here? Services run on without it")
}

fn tls(location: &Location, why: &str) -> Diagnostic {
    at(location, why, "store.tls", "there is no safe connection to the database")
        .kind(Kind::Unavailable)
        .hint("sslmode=verify-full takes a certificate for that host name of an authority that sslrootcert=FILE names")
        .hint("a server on this machine or in a network of your own may do without: sslmode=disable")
}

pub fn busy(location: &Location) -> Diagnostic {
    at(location, "", "store.busy", "somebody else is writing to the database")
        .kind(Kind::Unavailable)
        .hint("try again; where it stays so, an earlier version of Hearth or another program still has it open")
}

fn full(location: &Location, why: &str) -> Diagnostic {
    at(location, why, "store.full", "there is no room for the database")
        .kind(Kind::Unavailable)
        .hint("make room on that disk: until then nothing can be written down")
}

pub fn read_only(location: &Location) -> Diagnostic {
    failed(location, "it was opened for reading")
}

/// Whoever asks comes after the end.
pub fn closed(location: &Location) -> Diagnostic {
    at(location, "", "store.closed", "the database was closed: Hearth is ending")
        .kind(Kind::Unavailable)
        .hint("run it again")
}

/// The tables were made by a later version of Hearth.
pub fn newer(location: &Location, version: i64, known: i64) -> Diagnostic {
    let title = format!("the database is of a newer Hearth (tables of version {version}, this one knows {known})");
    let told = at(location, "", "store.newer", &title).kind(Kind::Conflict);
    let told = told.hint("use that version of Hearth again: nothing was changed");
    match &location.backups {
        Some(_) => told.hint("or put back a copy that was made before, from state/backups"),
        None => told,
    }
}

/// Another home's.
pub fn other_home(location: &Location) -> Diagnostic {
    at(location, "", "store.other-home", "the database belongs to another home")
        .kind(Kind::Conflict)
        .hint("give this home a database of its own: look at HEARTH_DATABASE_URL in .env")
        .hint("where it is this home's, and `state/` was lost: hearth db take, and the home that had it is refused")
}

pub fn no_backup(location: &Location, why: &str) -> Diagnostic {
    let title = "no copy of the database could be made before its tables are changed";
    at(location, why, "store.no-backup", title)
        .kind(Kind::Failed)
        .hint("nothing was changed; make room, or let this user write there, and run it again")
}

/// A job that panicked.
pub fn bug(location: &Location) -> Diagnostic {
    at(location, "", "store.failed", "a mistake in Hearth ended what was being written to the database")
        .kind(Kind::Bug)
        .hint("nothing of it was kept; please report it with the log")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diag::{Sources, text};

    #[test]
    fn the_terminal_is_told_where_a_database_is_and_a_program_over_the_network_is_not() {
        let server = Location::server("postgres://joe:s3cret@db.example:5433/rooms").unwrap();
        let file = Location::of_home(Path::new("/srv/home"), None).unwrap();
        let why = "permission denied for joe at rooms";
        for location in [&server, &file] {
            let all = [
                unusable(location, why),
                unreachable(location, why),
                tls(location, why),
                busy(location),
                full(location, why),
                failed(location, why),
                closed(location),
                newer(location, 9, 7),
                other_home(location),
                no_backup(location, why),
                bug(location),
            ];
            for told in all {
                let (json, here) = (
                    text::to_json(&told, &Sources::default()),
                    text::render(&told, &Sources::default(), Path::new("/")),
                );
                for secret in ["joe", "db.example", "5433", "rooms", "/srv", "hearth.db"] {
                    assert!(!json.to_string().contains(secret), "{secret}: {json}");
                }
                assert!(here.contains(&location.to_string()) && !here.contains("s3cret"), "{here}");
            }
        }
    }
}
