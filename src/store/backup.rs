//! Copies that are made before a migration: `backups/hearth-<version>-<time>.db` beside the database, a few of them.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::location::Location;
use super::{Conn, copy, execute, private_folder, words};
use crate::base::clock::{Clock, SystemClock};
use crate::diag::Diagnostic;

/// How many are kept.
const KEPT: usize = 5;

/// Copies the whole database, of whichever sort, into a file of SQLite. Its tables are of `version`. Nothing may be migrated where that fails.
pub async fn make(conn: &mut Conn, version: i64) -> Result<(), Diagnostic> {
    let Some(folder) = conn.location.backups.clone() else { return Ok(()) };
    let location = conn.location.clone();
    let io = |e: std::io::Error| words::no_backup(&location, &e.to_string());
    private_folder(&folder).map_err(io)?;
    let now = SystemClock.now();
    let (date, time) = (now.date().to_string().replace('-', ""), now.time());
    let stamp = format!("{date}-{:02}{:02}{:02}", time.hour(), time.minute(), time.second());
    let name = format!("hearth-{version:04}-{stamp}.db");
    let (unfinished, finished) = (folder.join(format!(".{name}.part")), folder.join(&name));
    let _ = std::fs::remove_file(&unfinished);
    // SQLite takes an empty file that is there, with its permissions.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(&unfinished).map_err(io)?;
    let copied = match conn.is_postgres() {
        false => execute!(conn, "VACUUM INTO $1", unfinished.to_string_lossy().into_owned()).map(drop),
        // A file of SQLite with the tables of the same version: `hearth db copy --from` puts it back.
        true => copy::into(conn, &Location::file(&unfinished)).await.map(drop),
    };
    copied.map_err(|told| words::no_backup(&location, &told.whole()))?;
    std::fs::File::open(&unfinished).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&unfinished, &finished).map_err(io)?;
    std::fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    // That there are more than are wanted harms nobody.
    let all = copies(&folder);
    all.iter().take(all.len().saturating_sub(KEPT)).for_each(|old| drop(std::fs::remove_file(old)));
    Ok(())
}

/// The copies in a folder, the oldest first.
fn copies(folder: &Path) -> Vec<PathBuf> {
    let is_copy = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("hearth-") && name.ends_with(".db")
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_copy).collect();
    // By time, which comes last in the name, whatever version it is of.
    all.sort_by_key(|path| {
        path.file_name().map(|name| name.to_string_lossy().chars().skip("hearth-0000-".len()).collect::<String>())
    });
    all
}
