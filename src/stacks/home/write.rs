//! Files written so that a reader, or a crash, never meets half of one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::diag::{Diagnostic, Kind};

/// Writes `text` to `path` by way of a temporary file beside it. An existing file's permissions
/// and owner are kept; a new one gets `mode`.
pub fn atomically(path: &Path, text: &str, mode: u32) -> Result<(), Diagnostic> {
    let there = fs::metadata(path).ok();
    let mode = there.as_ref().map_or(mode, |m| m.permissions().mode() & 0o7777);
    let owner = there.map(|m| (m.uid(), m.gid()));
    // A link is followed, so that the file it leads to changes and the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    replace(&target, text, mode, owner).map_err(|error| failed(path, &error))
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

fn replace(target: &Path, text: &str, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let dir = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        // One of that name is a dead process's, or a trap: neither is written to.
        let _ = fs::remove_file(&temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        if let Some((uid, gid)) = owner {
            // Root writes for somebody who must still be able to read it; anybody else owns what they write.
            let _ = std::os::unix::fs::fchown(&file, Some(uid), Some(gid));
        }
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

    #[test]
    fn a_trap_under_the_temporary_name_is_not_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "whole").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join(format!(".f.{}.tmp", std::process::id()))).unwrap();
        atomically(&dir.path().join("f"), "new", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "whole");
        assert_eq!(fs::read_to_string(dir.path().join("f")).unwrap(), "new");
    }
}
