//! Whose a database is: a random id of the home, in the database (`kept`) and in the home's `state/`, in both from its first use on. On a server, a
//! database with another id is another home's and is refused. The file in `state/` is the home's wherever it came from.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Conn, execute, fetch_optional, migrate, private_folder, words};
use crate::base::random::{SystemRandom, bytes};
use crate::base::{files, wording};
use crate::diag::{Diagnostic, Kind};

/// In `state/`; no secret.
const FILE: &str = "home";
/// In `kept`.
const NAME: &str = "home";
/// Tables of earlier versions have no place for it.
const SINCE: i64 = 7;

/// Refuses another home's database, and changes nothing.
pub async fn look(conn: &mut Conn) -> Result<(), Diagnostic> {
    let Some(state) = conn.location.state.clone() else { return Ok(()) };
    if !conn.is_postgres() || conn.location.taking {
        return Ok(());
    }
    let there = there(conn).await?;
    match there.is_none() || there == own(&state)? {
        true => Ok(()),
        false => Err(words::other_home(&conn.location)),
    }
}

/// Sees to it that a database with tables of this version is the home's, where it is a home's.
pub async fn claim(conn: &mut Conn) -> Result<(), Diagnostic> {
    let Some(state) = conn.location.state.clone() else { return Ok(()) };
    let (found, own) = (there(conn).await?, own(&state)?);
    if found.is_some() && found == own {
        return Ok(());
    }
    let ours = conn.location.taking || !conn.is_postgres();
    if found.is_some() && !ours {
        return Err(words::other_home(&conn.location));
    }
    // First in `state/`: a process that is killed in between is the one home that may go on.
    let own = match own {
        Some(own) => own,
        // The file in `state/` may be all that is left of it.
        None => made(&state, found.filter(|_| !conn.location.taking))?,
    };
    let sql = match ours {
        true => {
            "INSERT INTO kept (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        }
        false => "INSERT INTO kept (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
    };
    execute!(conn, sql, NAME, &own)?;
    // Another home may have come first.
    match there(conn).await? == Some(own) {
        true => Ok(()),
        false => Err(words::other_home(&conn.location)),
    }
}

async fn there(conn: &mut Conn) -> Result<Option<String>, Diagnostic> {
    if !(SINCE..=migrate::newest()).contains(&migrate::version(conn).await?) {
        return Ok(None);
    }
    let found: Option<(String,)> = fetch_optional!(conn, "SELECT value FROM kept WHERE name = $1", NAME)?;
    Ok(found.map(|(id,)| id))
}

/// The id in `state/`.
fn own(state: &Path) -> Result<Option<String>, Diagnostic> {
    let path = state.join(FILE);
    match files::read_text(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|id| !id.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// Writes down the id that is known, or a new one; where another process was faster, that one's counts.
fn made(state: &Path, known: Option<String>) -> Result<String, Diagnostic> {
    let path = state.join(FILE);
    let new: String = bytes::<16>(&SystemRandom).iter().map(|byte| format!("{byte:02x}")).collect();
    let temporary = state.join(format!(".{FILE}.{new}.tmp"));
    let id = known.unwrap_or(new);
    let written = || {
        private_folder(state)?;
        let mut options = std::fs::OpenOptions::new();
        options.create_new(true).write(true).mode(0o600);
        let mut file = files::open_with(&options, &temporary)?;
        writeln!(file, "{id}")?;
        file.sync_all()?;
        // A link takes nobody's place; a disk that knows none, or an empty file, has it renamed.
        if std::fs::hard_link(&temporary, &path).is_err() && matches!(own(state), Ok(None)) {
            std::fs::rename(&temporary, &path)?;
        }
        std::fs::File::open(state)?.sync_all()
    };
    let done = written();
    let _ = std::fs::remove_file(&temporary);
    done.map_err(|error| unusable(&path, &error))?;
    own(state)?.ok_or_else(|| unusable(&path, &io::ErrorKind::NotFound.into()))
}

fn unusable(path: &Path, error: &io::Error) -> Diagnostic {
    let title = format!("{} cannot be used ({})", path.display(), wording::disk(error));
    Diagnostic::error("store.no-folder", title)
        .kind(Kind::Failed)
        .hint("it says whose the database is: run hearth as the user who owns the home, on a disk that is not full")
}
