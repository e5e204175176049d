//! A folder of secrets: its files are opened beneath it, never through a link, and are the owner's alone.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::base::{files, wording};
use crate::diag::{Diagnostic, Kind};

/// No file of this room is longer.
const MOST: u64 = 1 << 20;
/// How long another process may hold the lock; it works for some milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open folder, 0700.
pub struct Folder {
    path: PathBuf,
    handle: OwnedFd,
}

impl Folder {
    /// Opens the folder, and makes it (and those above it) where it is missing. Rights of others are taken away.
    pub fn open(path: &Path) -> Result<Folder, Diagnostic> {
        let made = super::private_folder(path).and_then(|()| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let handle = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
            if rustix::fs::fstat(&handle)?.st_mode & 0o077 != 0 {
                rustix::fs::fchmod(&handle, Mode::from_raw_mode(0o700))?;
            }
            Ok(handle)
        });
        made.map(|handle| Folder { path: path.to_path_buf(), handle }).map_err(|e| unusable(path, &e))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text of a file, `None` where there is none.
    pub fn read(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let read =
            rustix::fs::openat(&self.handle, name, flags, Mode::empty()).map_err(io::Error::from).and_then(|fd| {
                let mut text = String::new();
                files::regular(File::from(fd))?.take(MOST).read_to_string(&mut text).map(|_| text)
            });
        match read {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&self.path.join(name), &error)),
        }
    }

    /// Writes a file, 0600, so that a reader or a crash meets the old one or the new one.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Diagnostic> {
        let temporary = format!(".{name}.{}.tmp", std::process::id());
        let written = (|| {
            // One of that name is a dead process's, or a trap: neither is written to.
            let _ = rustix::fs::unlinkat(&self.handle, &temporary, AtFlags::empty());
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(&self.handle, &temporary, flags, Mode::from_raw_mode(0o600))?;
            let mut file = File::from(fd);
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            rustix::fs::renameat(&self.handle, &temporary, &self.handle, name)?;
            rustix::fs::fsync(&self.handle).map_err(io::Error::from)
        })();
        written.map_err(|error| {
            let _ = rustix::fs::unlinkat(&self.handle, &temporary, AtFlags::empty());
            unusable(&self.path.join(name), &error)
        })
    }

    /// Renames a file over another; `false`: there is none of the first name.
    pub fn rename(&self, from: &str, to: &str) -> Result<bool, Diagnostic> {
        match rustix::fs::renameat(&self.handle, from, &self.handle, to).and_then(|()| rustix::fs::fsync(&self.handle))
        {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(unusable(&self.path.join(from), &error.into())),
        }
    }

    /// The names of all files and folders in it.
    pub fn names(&self) -> Result<Vec<String>, Diagnostic> {
        let told = |e: Errno| unusable(&self.path, &e.into());
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle).map_err(told)? {
            let name = entry.map_err(told)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Removes a file; one that is not there is as good as removed.
    pub fn remove(&self, name: &str) -> Result<(), Diagnostic> {
        self.unlink(name, AtFlags::empty())
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, name: &str) -> Result<(), Diagnostic> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<(), Diagnostic> {
        match rustix::fs::unlinkat(&self.handle, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(unusable(&self.path.join(name), &error.into())),
        }
    }

    /// Takes the lock without waiting; `None`: another process has it.
    pub fn try_lock(&self) -> Result<Option<File>, Diagnostic> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let told = |e: Errno| unusable(&self.path.join("lock"), &e.into());
        let fd = rustix::fs::openat(&self.handle, "lock", flags, Mode::from_raw_mode(0o600)).map_err(told)?;
        let file = File::from(fd);
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(told(error)),
        }
    }

    /// Waits until no other process holds the lock, 10 s at most. Dropping the file gives it back; so does death.
    pub fn lock(&self) -> Result<File, Diagnostic> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.path.join("lock");
        let fd = rustix::fs::openat(&self.handle, "lock", flags, Mode::from_raw_mode(0o600))
            .map_err(|e| unusable(&path, &e.into()))?;
        let file = File::from(fd);
        let step = Duration::from_millis(5);
        for _ in 0..PATIENCE.as_millis() / step.as_millis() {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file),
                Err(Errno::WOULDBLOCK | Errno::INTR) => std::thread::sleep(step),
                Err(error) => return Err(unusable(&path, &error.into())),
            }
        }
        let title = format!("another process works in {} and does not end", self.path.display());
        Err(Diagnostic::error("store.folder-busy", title)
            .kind(Kind::Conflict)
            .hint("look for a hearth that hangs, end it, and run this again"))
    }
}

fn unusable(path: &Path, error: &io::Error) -> Diagnostic {
    let why = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP | Errno::MLINK) => "it is a symbolic link, and secrets are not kept behind one".to_string(),
        Some(Errno::NOTDIR) => "it is no folder, or something above it is none".to_string(),
        _ => wording::disk(error),
    };
    Diagnostic::error("store.no-folder", format!("{} cannot be used ({why})", path.display()))
        .kind(Kind::Failed)
        .hint("keys and secrets of this home are kept there, readable by its owner only; run hearth as that user")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_the_owners_and_nothing_is_left_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/ca");
        let folder = Folder::open(&path).unwrap();
        folder.write("a", "1").unwrap();
        folder.write("a", "2").unwrap();
        assert_eq!(folder.read("a").unwrap().as_deref(), Some("2"));
        assert_eq!(folder.read("b").unwrap(), None);
        assert_eq!((mode(&path), mode(&path.join("a"))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
        assert!(folder.rename("a", "b").unwrap());
        assert!(!folder.rename("a", "b").unwrap());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Folder::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("f")).unwrap();
        std::fs::write(dir.path().join("victim"), "whole").unwrap();
        symlink(dir.path().join("victim"), folder.path().join("key")).unwrap();
        assert_eq!(folder.read("key").unwrap_err().code, "store.no-folder");
        folder.write("key", "new").unwrap();
        assert_eq!(std::fs::read_to_string(dir.path().join("victim")).unwrap(), "whole");
        symlink(dir.path().join("f"), dir.path().join("link")).unwrap();
        let told = Folder::open(&dir.path().join("link")).err().unwrap();
        assert!(told.title.contains("no folder") || told.title.contains("symbolic link"), "{told}");
    }
}
