//! Where Traefik's file lies, and how it gets there whole.
//!
//! Traefik watches `state/traefik/dynamic`, which alone is mounted: a file is made ready in the sibling `staging` and moved
//! in by one rename, since any event inside the watched folder would start Traefik's two-second throttle for nothing. The folder
//! must be there before Traefik starts, else its file provider stays off for good.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};

use crate::base::wording;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::home::Home;

/// The folder of all that is Traefik's; `dynamic` in it is mounted into the container.
pub const MOUNTED: &str = "state/traefik";
const FILE: &str = "hearth.yml";

/// The user who owns the folder and reads the file: Traefik's, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// The folder of one home.
pub struct Place {
    dir: PathBuf,
    owner: Owner,
}

impl Place {
    /// Makes the folders below `home` where they are missing, and gives them to `owner`.
    pub fn make(home: &Path, owner: Owner) -> Result<Place, Diagnostic> {
        let dir = home.join(MOUNTED);
        let state = home.join("state");
        folder(&state, 0o700, None).map_err(|e| failed(&state, &e))?;
        for path in [dir.clone(), dir.join("dynamic"), dir.join("staging")] {
            folder(&path, 0o700, Some(owner)).map_err(|e| failed(&path, &e))?;
        }
        let found = fs::metadata(&dir).map_err(|e| failed(&dir, &e))?;
        if found.uid() != owner.uid {
            return Err(foreign(&dir, found.uid(), owner.uid));
        }
        Ok(Place { dir, owner })
    }

    /// The folder of a home as it is; for reading.
    pub fn at(home: &Path) -> Place {
        Place { dir: home.join(MOUNTED), owner: Owner { uid: 0, gid: 0 } }
    }

    pub fn file(&self) -> PathBuf {
        self.dir.join("dynamic").join(FILE)
    }

    /// What Traefik reads now; `None` where there is nothing.
    pub fn read(&self) -> Option<String> {
        // No link leads elsewhere, and no pipe keeps anybody waiting.
        let file = open(&self.file(), OFlags::NONBLOCK).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file()))?;
        io::read_to_string(file).ok()
    }

    /// What else Traefik would read there, by name: a mistake in any of it keeps every later change from it.
    pub fn strays(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.join("dynamic")).into_iter().flatten().flatten();
        let read = |path: &Path| {
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            matches!(ending, "yml" | "yaml" | "toml") || path.is_dir()
        };
        let foreign = entries.filter(|entry| entry.file_name() != FILE && read(&entry.path()));
        let mut names: Vec<String> = foreign.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Writes the text, unless it is there already. Gives whether it was written. What was there stays until the new one is whole.
    pub fn write(&self, text: &str) -> Result<bool, Diagnostic> {
        if self.read().as_deref() == Some(text) {
            return Ok(false);
        }
        let staging = self.dir.join("staging");
        let temporary = staging.join(format!("{FILE}.{}.tmp", std::process::id()));
        let done = (|| {
            // One writer at a time: a server and a command may both have something new.
            let folder = open(&self.dir.join("dynamic"), OFlags::DIRECTORY)?;
            let held = open(&staging, OFlags::DIRECTORY)?;
            rustix::fs::flock(&held, FlockOperation::LockExclusive)?;
            // So whatever lies here is a dead process's, and has keys in it.
            for left in fs::read_dir(&staging)? {
                let left = left?;
                if left.file_name().to_string_lossy().starts_with(FILE) {
                    let _ = fs::remove_file(left.path());
                }
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            self.owner.take(&file)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, self.file())?;
            folder.sync_all()
        })();
        if done.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        done.map(|()| true).map_err(|error| failed(&self.file(), &error))
    }
}

/// Whether Traefik's user could read what [`Place::make`] makes, as it is now; changes nothing.
pub fn foresee(home: &Home, owner: Owner) -> Result<(), Diagnostic> {
    let dir = home.dir.join(MOUNTED);
    let me = rustix::process::geteuid();
    // Root gives the folder away.
    let found = fs::symlink_metadata(&dir).map_or(me.as_raw(), |found| found.uid());
    if me.is_root() || found == owner.uid { Ok(()) } else { Err(foreign(&dir, found, owner.uid)) }
}

/// Where the file is, in a home's folder.
pub fn file(dir: &Path) -> PathBuf {
    dir.join(MOUNTED).join("dynamic").join(FILE)
}

/// Whether a home's file is there.
pub fn has_file(home: &Home) -> bool {
    file(&home.dir).exists()
}

impl Owner {
    /// Root gives what it writes to Traefik's user; that user's own files are its own already.
    fn take(self, file: &File) -> io::Result<()> {
        let found = file.metadata()?;
        match (found.uid(), found.gid()) == (self.uid, self.gid) {
            true => Ok(()),
            // Another group of the same user is as good.
            false => fchown(file, Some(self.uid), Some(self.gid))
                .or_else(|e| if found.uid() == self.uid { Ok(()) } else { Err(e) }),
        }
    }
}

fn folder(path: &Path, mode: u32, owner: Option<Owner>) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    let handle = match owner {
        None => File::open(path)?,
        // What is given away and emptied is this folder, and nothing that a link leads to.
        Some(_) => open(path, OFlags::DIRECTORY)?,
    };
    if let Some(owner) = owner {
        // Docker makes a missing folder as root; who may not change that is told later, with the way out.
        let _ = owner.take(&handle);
    }
    let found = handle.metadata()?;
    if found.permissions().mode() & 0o077 != 0 {
        let _ = handle.set_permissions(Permissions::from_mode(mode));
    }
    Ok(())
}

/// Opens for reading what stands there itself.
fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    let flags = i32::try_from((flags | OFlags::NOFOLLOW).bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("proxy.cannot-write", format!("{} cannot be written ({})", path.display(), wording::disk(error)))
        .kind(Kind::Failed)
        .hint("Traefik goes on with what it has; check that the disk is not full and that you may write there, and run this again")
}

fn foreign(path: &Path, uid: u32, wanted: u32) -> Diagnostic {
    let title = format!(
        "{} belongs to user {uid}, but Traefik runs as user {wanted} (PUID in .env) and could not read it",
        path.display()
    );
    Diagnostic::error("proxy.foreign-folder", title)
        .kind(Kind::Failed)
        .hint(format!("as root: chown -R {wanted} {}", path.display()))
        .hint(format!("or set PUID={uid} in .env"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner { uid: rustix::process::getuid().as_raw(), gid: rustix::process::getgid().as_raw() }
    }

    #[test]
    fn the_file_is_replaced_whole_and_only_when_it_changed() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::make(home.path(), me()).unwrap();
        assert!(place.write("a").unwrap());
        let first = fs::metadata(place.file()).unwrap();
        assert!(!place.write("a").unwrap());
        assert_eq!(fs::metadata(place.file()).unwrap().ino(), first.ino());
        assert!(place.write("b").unwrap());
        assert_eq!(place.read().as_deref(), Some("b"));
        let second = fs::metadata(place.file()).unwrap();
        assert_ne!(second.ino(), first.ino(), "a reader of the old file never sees half of the new one");
        assert_eq!(second.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path().join(MOUNTED).join("staging")).unwrap().count(), 0);
        let names: Vec<_> = fs::read_dir(home.path().join(MOUNTED).join("dynamic")).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing but the file is in the watched folder");
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_away_with_its_keys() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::make(home.path(), me()).unwrap();
        let left = home.path().join(MOUNTED).join("staging/hearth.yml.1.tmp");
        fs::write(&left, "half of a key").unwrap();
        place.write("new").unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn no_link_leads_out_of_the_folder_and_no_pipe_holds_anybody_up() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("hearth.yml.mine"), "kept").unwrap();
        fs::set_permissions(other.path(), Permissions::from_mode(0o755)).unwrap();
        for name in ["staging", "dynamic"] {
            let place = Place::make(home.path(), me()).unwrap();
            let folder = home.path().join(MOUNTED).join(name);
            fs::remove_dir(&folder).unwrap();
            std::os::unix::fs::symlink(other.path(), &folder).unwrap();
            let told = Place::make(home.path(), me()).err().map(|d| d.title).unwrap_or_default();
            assert!(told.contains("it is a symbolic link"), "{told}");
            assert!(place.write("new").is_err());
            assert_eq!(fs::metadata(other.path()).unwrap().permissions().mode() & 0o777, 0o755);
            assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1, "{name}");
            fs::remove_file(&folder).unwrap();
        }
        let place = Place::make(home.path(), me()).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, place.file(), fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert_eq!(place.read(), None);
        assert!(place.write("new").unwrap(), "it is replaced");
    }

    #[test]
    fn what_somebody_else_put_beside_it_is_seen() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::make(home.path(), me()).unwrap();
        place.write("a").unwrap();
        for name in ["mine.yml", "more.toml", "notes.txt"] {
            fs::write(home.path().join(MOUNTED).join("dynamic").join(name), "").unwrap();
        }
        assert_eq!(place.strays(), ["mine.yml", "more.toml"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::make(home.path(), me()).unwrap();
        place.write("old").unwrap();
        fs::remove_dir(home.path().join(MOUNTED).join("staging")).unwrap();
        assert!(place.write("new").is_err());
        assert_eq!(place.read().as_deref(), Some("old"));
    }
}
