//! Files written so that a reader, or a crash, never meets half of one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::diag::{Diagnostic, Kind};

/// Writes `text` to `path` by way of a temporary file beside it. An existing file's permissions are kept; a new one gets `mode`.
pub fn atomically(path: &Path, text: &str, mode: u32) -> Result<(), Diagnostic> {
    let mode = fs::metadata(path).map(|m| m.permissions().mode() & 0o7777).unwrap_or(mode);
    // A link is followed, so that the file it leads to changes and the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    replace(&target, text, mode).map_err(|error| failed(path, &error))
}

/// Writes a new file; one that is there already is left alone, and `false` is given.
pub fn new(path: &Path, text: &str, mode: u32) -> Result<bool, Diagnostic> {
    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(mut file) => {
            let done = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            done.map(|()| true).map_err(|error| failed(path, &error))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(path, &error)),
    }
}

fn replace(target: &Path, text: &str, mode: u32) -> io::Result<()> {
    let dir = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, target)?;
        File::open(dir)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

pub fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("home.cannot-write", format!("{} cannot be written: {error}", path.display()))
        .kind(Kind::Failed)
        .hint("check that the folder is there, that you may write to it, and that the disk is not full")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_keeps_its_permissions_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert!(new(&path, "a", 0o600).unwrap());
        assert!(!new(&path, "b", 0o600).unwrap());
        atomically(&path, "c", 0o644).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "c");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
        atomically(&dir.path().join("link"), "d", 0o644).unwrap();
        assert!(fs::symlink_metadata(dir.path().join("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "d");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
