//! Compose files on the disk. In a home, nothing above the home can be read, whatever a path or a symbolic link says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use crate::base::files;
use crate::compose::yaml::MAX_BYTES;
use crate::compose::{FileError, Files};

/// The disk, whole or beneath one directory, with texts laid over it that are not written yet.
pub struct Disk {
    root: Option<(PathBuf, OwnedFd)>,
    overlay: BTreeMap<PathBuf, String>,
}

impl Disk {
    /// Everything that this user may read.
    pub fn whole() -> Disk {
        Disk { root: None, overlay: BTreeMap::new() }
    }

    /// Only what lies beneath `root`, an absolute path.
    pub fn beneath(root: &Path) -> Result<Disk, FileError> {
        let handle = rustix::fs::openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| words(e.into()))?;
        Ok(Disk { root: Some((root.to_path_buf(), handle)), overlay: BTreeMap::new() })
    }

    /// Reads `path` as `text` whatever the disk holds.
    pub fn lay_over(&mut self, path: PathBuf, text: String) {
        self.overlay.insert(path, text);
    }

    fn open(&self, path: &Path) -> Result<File, FileError> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let Some((root, handle)) = &self.root else {
            return rustix::fs::open(path, flags, Mode::empty()).map(File::from).map_err(|e| words(e.into()));
        };
        let inner = path.strip_prefix(root).map_err(|_| FileError::Outside)?;
        if inner.components().any(|c| matches!(c, Component::ParentDir)) {
            return Err(FileError::Outside);
        }
        let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(handle, inner, flags, Mode::empty(), resolve) {
            Ok(fd) => Ok(File::from(fd)),
            Err(rustix::io::Errno::XDEV) => Err(FileError::Outside),
            Err(error) => Err(words(error.into())),
        }
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        if let Some(text) = self.overlay.get(path) {
            return Ok(text.clone().into_bytes());
        }
        let file = self.open(path)?;
        let kind = file.metadata().map_err(words)?.file_type();
        // A pipe that a shell made for `-f <(...)` is read to its end; any other is not waited for. A device (`/dev/null`) may be named
        // from anywhere but a home; one that goes on for ever is ended by the limit.
        let of_shell = files::is_of_shell(path);
        let device = kind.is_char_device() && self.root.is_none();
        if let Some(what) = files::what(kind).filter(|_| !device && (kind.is_dir() || !of_shell)) {
            return Err(FileError::Other(format!("it is {what}, not a file")));
        }
        if !kind.is_file() && of_shell {
            rustix::fs::fcntl_setfl(&file, OFlags::empty()).map_err(|e| words(e.into()))?;
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(words)?;
        Ok(bytes)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.overlay.contains_key(path)
            || self.open(path).and_then(|f| f.metadata().map_err(words)).is_ok_and(|m| !m.is_dir())
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.open(path).and_then(|f| f.metadata().map_err(words)).is_ok_and(|m| m.is_dir())
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        std::fs::canonicalize(path).ok()
    }
}

fn words(error: std::io::Error) -> FileError {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => FileError::NotFound,
        std::io::ErrorKind::PermissionDenied => FileError::Other("you may not read it".into()),
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            FileError::Other("its symbolic links go in a circle".into())
        }
        _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            FileError::Other("it is a socket, not a file".into())
        }
        std::io::ErrorKind::WouldBlock => FileError::Other("it is a pipe or device that gives nothing".into()),
        _ => FileError::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_05_a_home_cannot_be_left_by_path_or_link() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::fs::write(home.join("in"), "i").unwrap();
        std::os::unix::fs::symlink("../secret", home.join("link")).unwrap();
        std::os::unix::fs::symlink("in", home.join("good")).unwrap();
        let disk = Disk::beneath(&home).unwrap();
        assert_eq!(disk.read(&home.join("good")), Ok(b"i".to_vec()));
        assert_eq!(disk.read(&home.join("link")), Err(FileError::Outside));
        assert_eq!(disk.read(&home.join("../secret")), Err(FileError::Outside));
        assert_eq!(disk.read(Path::new("/etc/hostname")), Err(FileError::Outside));
        assert_eq!(disk.read(&home.join("none")), Err(FileError::NotFound));
    }

    #[test]
    fn an_endless_file_is_read_to_the_limit_only() {
        assert_eq!(Disk::whole().read(Path::new("/dev/zero")).unwrap().len(), MAX_BYTES + 1);
    }
}
