//! What a database's errors mean, in words. A library's own words are kept in parentheses for the person who mends it.

use sqlx::error::ErrorKind;

use super::location::{Location, Which};
use crate::diag::{Diagnostic, Kind};

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
        "28P01" | "28000" => {
            Diagnostic::error("store.denied", format!("{location} does not let us in ({})", error.message()))
                .kind(Kind::Unavailable)
                .hint("look at user and password in HEARTH_DATABASE_URL, and at the server's pg_hba.conf")
        }
        "3D000" => Diagnostic::error("store.no-database", format!("there is no such database at {location}"))
            .kind(Kind::Unavailable)
            .hint("make it, as a user who may: CREATE DATABASE name OWNER user"),
        "42501" => {
            let title = format!("{location} allows us too little ({})", error.message());
            Diagnostic::error("store.denied", title).kind(Kind::Unavailable).hint(
                "the user must own the database, or may create tables in its schema: ALTER DATABASE name OWNER TO user",
            )
        }
        "55P03" | "57014" | "40001" | "40P01" => busy(location),
        "25006" => unusable(location, error.message()),
        code if code.starts_with("53") && code != "53100" => unreachable(location, error.message()),
        "53100" => full(location, error.message()),
        code if code.starts_with("08") || code.starts_with("57P") => unreachable(location, error.message()),
        _ => kind(location, error),
    }
}

/// A query that broke a rule of the tables, or is none.
fn kind(location: &Location, error: &dyn sqlx::error::DatabaseError) -> Diagnostic {
    match error.kind() {
        ErrorKind::UniqueViolation => {
            Diagnostic::error("store.taken", format!("that is there already ({})", error.message()))
                .kind(Kind::Conflict)
                .hint("choose another name, or change what is there")
        }
        _ => failed(location, error.message()),
    }
}

fn failed(location: &Location, why: &str) -> Diagnostic {
    Diagnostic::error("store.failed", format!("a query of {location} failed ({why})"))
        .kind(Kind::Bug)
        .hint("its tables are not what this version of Hearth takes them for: were they changed by hand?")
}

/// The database cannot be used as it is.
pub fn unusable(location: &Location, why: &str) -> Diagnostic {
    let low = why.to_lowercase();
    let closed = ["permission denied", "read-only", "readonly"].iter().any(|words| low.contains(words));
    let hint = match (closed, location.path().and_then(|path| path.parent())) {
        (true, Some(folder)) => format!("{} must be open to this user; services run on without it", folder.display()),
        (true, None) => "it must take writes: is it a standby?".into(),
        _ if location.is_home() => {
            "put back a copy from state/backups, or move the file away: a new one is made, without accounts and history"
                .into()
        }
        _ => "it holds history and saved plans only: move the file away and a new one is made".into(),
    };
    Diagnostic::error("store.unusable", format!("the database in {location} cannot be used ({why})"))
        .kind(Kind::Unavailable)
        .hint(hint)
}

/// It was waited for in vain, now or a moment ago.
pub fn hangs(location: &Location) -> Diagnostic {
    unreachable(location, "it takes connections, and gives no answer in time")
}

pub fn unreachable(location: &Location, why: &str) -> Diagnostic {
    Diagnostic::error("store.unreachable", format!("the database at {location} cannot be reached ({why})"))
        .kind(Kind::Unavailable)
        .hint("does the server run, and is it reached from here? Services run on without it")
}

fn tls(location: &Location, why: &str) -> Diagnostic {
    Diagnostic::error("store.tls", format!("no safe connection to the database at {location} ({why})"))
        .kind(Kind::Unavailable)
        .hint("sslmode=verify-full takes a certificate for that host name of an authority that sslrootcert=FILE names")
        .hint("a server on this machine or in a network of your own may do without: sslmode=disable")
}

pub fn busy(location: &Location) -> Diagnostic {
    Diagnostic::error("store.busy", format!("somebody else is writing to {location}"))
        .kind(Kind::Unavailable)
        .hint("try again; where it stays so, an earlier version of Hearth or another program still has it open")
}

fn full(location: &Location, why: &str) -> Diagnostic {
    Diagnostic::error("store.full", format!("there is no room for {location} ({why})"))
        .kind(Kind::Unavailable)
        .hint("make room on that disk: until then nothing can be written down")
}

pub fn read_only(location: &Location) -> Diagnostic {
    failed(location, "it was opened for reading")
}

/// Whoever asks comes after the end.
pub fn closed(location: &Location) -> Diagnostic {
    Diagnostic::error("store.closed", format!("the database in {location} was closed: Hearth is ending"))
        .kind(Kind::Unavailable)
        .hint("run it again")
}

/// A job that panicked.
pub fn bug(location: &Location) -> Diagnostic {
    Diagnostic::error("store.failed", format!("a mistake in Hearth ended what was being written to {location}"))
        .kind(Kind::Bug)
        .hint("nothing of it was kept; please report it with the log")
}
