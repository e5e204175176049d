//! SQLite: one file, readable by its owner only, with a log beside it (WAL), so that readers and the writer never wait for each other.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::location::{Location, Which};
use super::words;
use crate::base::files;
use crate::diag::Diagnostic;

/// How long another process may write before this one is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections for reading at most; each is a thread.
const READERS: u32 = 4;

/// What every connection has.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(PATIENCE)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
}

/// Connections for reading, made when they are needed. `closed`: the file is open to this user for reading only.
pub fn readers(path: &Path, closed: bool) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .idle_timeout(Duration::from_secs(60))
        .connect_lazy_with(options(path).read_only(closed).pragma("query_only", "ON"))
}

/// The one connection for writing. Makes folder (0700) and file (0600) where they are missing; one of an earlier name is renamed.
pub async fn writer(location: &Location, path: &Path) -> Result<SqliteConnection, Diagnostic> {
    let unusable = |e: std::io::Error| words::unusable(location, &e.to_string());
    if let Some(folder) = path.parent() {
        super::private_folder(folder).map_err(unusable)?;
    }
    rename(location).await?;
    // SQLite gives its own files beside this one the same permissions. Only a file that nobody has yet is opened here: closing one takes
    // away all locks that this process has on it (POSIX, fcntl), those of its other connections among them.
    let mut file = std::fs::OpenOptions::new();
    file.create_new(true).write(true).mode(0o600);
    match files::open_with(&file, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let kind = std::fs::metadata(path).map_err(unusable)?.file_type();
            files::what(kind)
                .map_or(Ok(()), |what| Err(words::unusable(location, &format!("it is {what}, not a file"))))?;
        }
        made => drop(made.map_err(unusable)?),
    }
    let options = options(path).journal_mode(SqliteJournalMode::Wal);
    options.connect().await.map_err(|error| words::told(location, &error))
}

/// The file that is there, under its present name or its former one.
pub fn there(location: &Location) -> Result<Option<PathBuf>, Diagnostic> {
    let Which::File { path, former } = &location.which else { return Ok(None) };
    for path in [Some(path), former.as_ref()].into_iter().flatten() {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(words::unusable(location, "permission denied"));
            }
            Ok(meta) if meta.is_file() => return Ok(Some(path.clone())),
            _ => {}
        }
    }
    Ok(None)
}

/// One process at a time renames and migrates. The lock is given back when it is dropped.
pub async fn lock(location: &Location, path: &Path) -> Result<std::fs::File, Diagnostic> {
    let beside = beside(path, ".lock");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let file = files::open_with(&options, &beside).map_err(|e| words::unusable(location, &e.to_string()))?;
    let began = tokio::time::Instant::now();
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        // A copy of a large database takes its time.
        if began.elapsed() > Duration::from_secs(120) {
            return Err(words::busy(location));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(file)
}

/// Gives the file of an earlier version its present name, with all that stands in its log.
async fn rename(location: &Location) -> Result<(), Diagnostic> {
    let Which::File { path, former: Some(former) } = &location.which else { return Ok(()) };
    let wanted = || !path.exists() && former.is_file();
    if !wanted() {
        return Ok(());
    }
    let _lock = lock(location, path).await?;
    if !wanted() {
        return Ok(());
    }
    let told = |error: sqlx::Error| words::told(location, &error);
    let mut old = options(former).busy_timeout(Duration::from_secs(2)).connect().await.map_err(told)?;
    // Only who is alone with a database can take its log away: an earlier version that still writes would write into a file without a name.
    let mode: Result<String, _> = sqlx::query_scalar("PRAGMA journal_mode = DELETE").fetch_one(&mut old).await;
    old.close().await.map_err(told)?;
    match mode {
        Ok(mode) if mode == "delete" => {}
        Ok(_) => return Err(words::busy(location)),
        Err(error) => return Err(words::told(location, &error)),
    }
    let done = std::fs::rename(former, path).and_then(|()| match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    });
    done.map_err(|e| words::unusable(location, &e.to_string()))
}

/// `hearth.db` and `.lock` are `hearth.db.lock`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    path.with_file_name(name)
}
