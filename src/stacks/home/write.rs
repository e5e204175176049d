//! Files written so that a reader, or a crash, never meets half of one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, ResolveFlags, Stat, Uid};
use rustix::io::Errno;

use crate::diag::{Diagnostic, Kind};

/// Of files written by this process: no two threads have one temporary name.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// How many links a name may lead through: as many as the kernel follows.
const LINKS: usize = 40;

/// A folder in which files are written. No link leads out of it: whoever owns it could else have root write elsewhere.
pub struct Beneath {
    root: PathBuf,
    handle: OwnedFd,
}

impl Beneath {
    /// `root`: there already, an absolute path.
    pub fn open(root: &Path) -> Result<Beneath, Diagnostic> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(CWD, root, flags, Mode::empty()).map_err(|e| failed(root, &e.into()))?;
        Ok(Beneath { root: root.to_path_buf(), handle })
    }

    /// Writes `text` to `path`, relative, by way of a temporary file beside it. An existing file's permissions
    /// and owner are kept; a new one gets `mode`. A link is followed, so that the file it leads to changes and the link stays.
    pub fn write(&self, path: &Path, text: &str, mode: u32) -> Result<(), Diagnostic> {
        let written = self.place(path, true).and_then(|place| place.replace(text, mode));
        written.map_err(|error| self.failed(path, error))
    }

    /// Writes a new file; one that is there already is left alone, and `false` is given.
    pub fn create(&self, path: &Path, text: &str, mode: u32) -> Result<bool, Diagnostic> {
        let made = self.place(path, false).and_then(|Place { folder, name, .. }| {
            match new(&folder, &name, mode).map_err(io::Error::from) {
                Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map(|()| true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error),
            }
        });
        made.map_err(|error| self.failed(path, error))
    }

    /// Removes a file, or the link of that name.
    pub fn remove(&self, path: &Path) -> Result<(), Diagnostic> {
        let removed = self.place(path, false).and_then(|Place { folder, name, .. }| {
            rustix::fs::unlinkat(&folder, name, AtFlags::empty())?;
            rustix::fs::fsync(&folder).map_err(io::Error::from)
        });
        removed.map_err(|error| self.failed(path, error))
    }

    /// The folder of this name; it is made, with those above it, where it is missing.
    pub fn folder(&self, path: &Path) -> Result<OwnedFd, Diagnostic> {
        self.at(path).map_err(|error| self.failed(path, error))
    }

    fn at(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match rustix::fs::openat2(&self.handle, path, flags, Mode::empty(), resolve) {
            Err(Errno::NOENT) => {
                let above = self.at(path.parent().unwrap_or(Path::new("")))?;
                let name = path.file_name().ok_or(Errno::NOENT)?;
                match rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(0o777)) {
                    // A link that leads nowhere is not followed.
                    Ok(()) | Err(Errno::EXIST) => {
                        Ok(rustix::fs::openat2(&self.handle, path, flags, Mode::empty(), resolve)?)
                    }
                    Err(error) => Err(error.into()),
                }
            }
            opened => Ok(opened?),
        }
    }

    fn place(&self, path: &Path, follow: bool) -> io::Result<Place> {
        let mut path = path.to_path_buf();
        for _ in 0..LINKS {
            let folder = self.at(path.parent().unwrap_or(Path::new("")))?;
            let name = path.file_name().ok_or(Errno::ISDIR)?.to_owned();
            let there = match rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(there) => Some(there),
                Err(Errno::NOENT) => None,
                Err(error) => return Err(error.into()),
            };
            let is_link = |there: &Stat| rustix::fs::FileType::from_raw_mode(there.st_mode).is_symlink();
            if !follow || !there.as_ref().is_some_and(is_link) {
                return Ok(Place { folder, name, there });
            }
            let to = rustix::fs::readlinkat(&folder, &name, Vec::new())?;
            let to = PathBuf::from(OsString::from_vec(to.into_bytes()));
            if to.is_absolute() {
                return Err(Errno::XDEV.into());
            }
            path.set_file_name(to);
        }
        Err(Errno::LOOP.into())
    }

    fn failed(&self, path: &Path, error: io::Error) -> Diagnostic {
        let whole = self.root.join(path);
        if Errno::from_io_error(&error) == Some(Errno::XDEV) {
            let title =
                format!("{} leads out of {} by a link: nothing is written there", whole.display(), self.root.display());
            let d = Diagnostic::error("home.leads-out", title).kind(Kind::Failed);
            return d.hint("put the file or folder itself there; a mount (`mount --bind`) does too");
        }
        failed(&whole, &error)
    }
}

/// A name in an open folder, and what has it.
struct Place {
    folder: OwnedFd,
    name: OsString,
    there: Option<Stat>,
}

impl Place {
    fn replace(&self, text: &str, mode: u32) -> io::Result<()> {
        let mut temporary = OsString::from(".");
        temporary.push(&self.name);
        temporary.push(format!(".{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let written = (|| {
            // One of that name is a dead process's, or a trap: neither is written to.
            let _ = rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty());
            let mut file = new(&self.folder, &temporary, 0o600)?;
            if let Some(there) = self.there {
                // Root writes for somebody who must still be able to read it; anybody else owns what they write.
                let (uid, gid) = (Uid::from_raw(there.st_uid), Gid::from_raw(there.st_gid));
                let _ = rustix::fs::fchown(&file, Some(uid), Some(gid));
            }
            let mode = self.there.map_or(mode, |there| there.st_mode & 0o7777);
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            rustix::fs::renameat(&self.folder, &temporary, &self.folder, &self.name)?;
            rustix::fs::fsync(&self.folder).map_err(io::Error::from)
        })();
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty());
        }
        written
    }
}

fn new(folder: &OwnedFd, name: &OsStr, mode: u32) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(mode)).map(File::from)
}

pub fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("home.cannot-write", format!("{} cannot be written: {error}", path.display()))
        .kind(Kind::Failed)
        .hint("check that the folder is there, that you may write to it, and that the disk is not full")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn beneath(dir: &tempfile::TempDir) -> Beneath {
        Beneath::open(dir.path()).unwrap()
    }

    #[test]
    fn a_written_file_keeps_its_permissions_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, home, f) = (dir.path().join("f"), beneath(&dir), Path::new("f"));
        assert!(home.create(f, "a", 0o600).unwrap());
        assert!(!home.create(f, "b", 0o600).unwrap());
        home.write(f, "c", 0o644).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "c");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        symlink("f", dir.path().join("link")).unwrap();
        home.write(Path::new("link"), "d", 0o644).unwrap();
        assert!(fs::symlink_metadata(dir.path().join("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "d");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_trap_under_the_temporary_name_is_not_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "whole").unwrap();
        let next = COUNT.load(Ordering::Relaxed);
        for n in next..next + 1000 {
            symlink(&victim, dir.path().join(format!(".f.{}.{n}.tmp", std::process::id()))).unwrap();
        }
        beneath(&dir).write(Path::new("f"), "new", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "whole");
        assert_eq!(fs::read_to_string(dir.path().join("f")).unwrap(), "new");
    }

    #[test]
    fn hostile_05_no_link_leads_what_is_written_out_of_the_home() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = elsewhere.path().join("victim");
        fs::write(&victim, "whole").unwrap();
        let home = beneath(&dir);
        let up = format!("../{}/victim", elsewhere.path().file_name().unwrap().display());
        symlink(&victim, dir.path().join("absolute")).unwrap();
        symlink(up, dir.path().join("relative")).unwrap();
        symlink(elsewhere.path(), dir.path().join("folder")).unwrap();
        symlink(elsewhere.path().join("new"), dir.path().join("nowhere")).unwrap();
        symlink("circle", dir.path().join("circle")).unwrap();
        for path in ["absolute", "relative", "folder/victim", "folder/new", "nowhere", "../x", "folder/a/b"] {
            let path = Path::new(path);
            let refused = home.write(path, "evil", 0o644).unwrap_err();
            assert_eq!(refused.code, "home.leads-out", "{}", path.display());
        }
        assert_eq!(home.write(Path::new("circle"), "evil", 0o644).unwrap_err().code, "home.cannot-write");
        assert_eq!(home.create(Path::new("folder/new"), "evil", 0o644).unwrap_err().code, "home.leads-out");
        assert_eq!(home.remove(Path::new("folder/victim")).unwrap_err().code, "home.leads-out");
        assert_eq!(home.folder(Path::new("folder/a")).unwrap_err().code, "home.leads-out");
        // The link itself may go.
        home.remove(Path::new("absolute")).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "whole");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_above_a_file_are_made() {
        let dir = tempfile::tempdir().unwrap();
        beneath(&dir).write(Path::new("a/b/c"), "text", 0o644).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("a/b/c")).unwrap(), "text");
        // Through a link that stays within.
        symlink("a", dir.path().join("l")).unwrap();
        beneath(&dir).write(Path::new("l/d/e"), "text", 0o644).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("a/d/e")).unwrap(), "text");
    }
}
