//! SQLite: one small database in a home's `state/`. Pools and migrations; no queries of rooms.

pub mod folder;

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::base::files;
use crate::diag::{Diagnostic, Kind};

pub use sqlx::SqlitePool as Pool;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Opens the database in `file`, making it, its folder (0700) and its tables where they are missing.
///
/// The file is readable by its owner only. A second process waits up to 2 s for the first one's write.
pub async fn open(file: &Path) -> Result<Pool, Diagnostic> {
    if let Some(folder) = file.parent() {
        private_folder(folder).map_err(|e| unusable(file, &e.to_string()))?;
    }
    // SQLite gives its own files beside this one the same permissions.
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    files::open_with(&options, file).map_err(|e| unusable(file, &e.to_string()))?;
    connect(file, false).await
}

/// Opens a database that is there, for reading. `None` where there is none.
pub async fn open_existing(file: &Path) -> Result<Option<Pool>, Diagnostic> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(unusable(file, "permission denied"));
        }
        Ok(meta) if meta.is_file() => {}
        _ => return Ok(None),
    }
    connect(file, true).await.map(Some)
}

/// Whether the database in `file` can be used now; it is made where it is missing.
pub async fn answers(file: &Path) -> bool {
    let opened = match open_existing(file).await {
        Ok(None) => open(file).await.map(Some),
        other => other,
    };
    let Ok(Some(pool)) = opened else { return false };
    let answers = sqlx::query("SELECT 1").execute(&pool).await.is_ok();
    pool.close().await;
    answers
}

async fn connect(file: &Path, read_only: bool) -> Result<Pool, Diagnostic> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(read_only)
        .busy_timeout(Duration::from_secs(2))
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Normal);
    let options = if read_only { options } else { options.journal_mode(SqliteJournalMode::Wal) };
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options)
        .await
        .map_err(|e| unusable(file, &e.to_string()))?;
    if !read_only {
        MIGRATIONS.run(&pool).await.map_err(|e| unusable(file, &e.to_string()))?;
    }
    Ok(pool)
}

/// Makes `folder` and what is above it; what is made is for its owner only.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The database cannot be used; `why` is the library's word, kept for the person who mends it.
pub fn unusable(file: &Path, why: &str) -> Diagnostic {
    let closed = ["permission denied", "read-only"].iter().any(|words| why.to_lowercase().contains(words));
    let hint = match (closed, file.parent()) {
        (true, Some(folder)) => format!("{} must be open to this user; all else works without it", folder.display()),
        _ => "it holds history and saved plans only: move the file away and a new one is made".to_string(),
    };
    Diagnostic::error("store.unusable", format!("the history in {} cannot be used ({why})", file.display()))
        .kind(Kind::Unavailable)
        .hint(hint)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_new_database_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a/b/history.db");
        let pool = open(&file).await.unwrap();
        sqlx::query("INSERT INTO saved_plans VALUES ('1', 'p', 't', 'w', '{}', '{}', '{}')")
            .execute(&pool)
            .await
            .unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        assert_eq!(mode(&dir.path().join("a/b/history.db-wal")), 0o600);
        pool.close().await;
        assert!(open_existing(&file).await.unwrap().is_some());
        assert!(open_existing(&dir.path().join("none.db")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_broken_database_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.db");
        std::fs::write(&file, "this is no database, and long enough to have a header").unwrap();
        let told = open(&file).await.unwrap_err();
        assert_eq!(told.code, "store.unusable");
        assert!(!told.hints.is_empty());
        assert!(!answers(&file).await);
        assert!(answers(&dir.path().join("new.db")).await);
    }
}
