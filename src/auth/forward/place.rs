//! Where panel and gate meet, and the keys that only they and Traefik's file know.
//!
//! `state/gate` is mounted into gate's container. Who runs there is root without any of its powers, so a folder of somebody else's must let
//! it pass; that nobody else on this machine gets in is up to `state` itself, which is its owner's alone, and to who is asked at the socket.
//! Root writes there for whoever owns the folder.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;

use crate::auth::secrets;
use crate::base::files;
use crate::base::random::Random;
use crate::diag::{Diagnostic, Kind};
use crate::traefik::forward::cookie;
use crate::traefik::forward::wire::{self, Doors, Key, VERSION, WRITTEN, Written};

/// Below a home's folder.
pub const FOLDER: &str = "state/gate";
/// In it.
pub const SOCKET: &str = "panel.sock";
const SECRET: &str = "secret";

/// The keys of one home's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// In the address that Traefik asks gate at.
    pub address: Key,
    /// Signs the way back.
    pub signing: Key,
}

/// The keys of a home; made where there are none, with the folder. `home`: its folder.
pub fn keys(home: &Path, random: &dyn Random) -> Result<Keys, Diagnostic> {
    let folder = folder(home).map_err(|error| refused(&home.join(FOLDER), &error))?;
    let path = folder.dir.join(SECRET);
    let secret = secret(&path, &folder, random).map_err(|error| refused(&path, &error))?;
    let derived = |what: &str| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), what.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        Key(key)
    };
    Ok(Keys { address: derived("hearth gate address"), signing: derived("hearth way back") })
}

/// Puts the doors beside the socket, where a gate finds them that begins while no panel runs. Left alone where they are there already.
pub fn write_doors(home: &Path, doors: &Doors) -> Result<(), Diagnostic> {
    let path = home.join(FOLDER).join(WRITTEN);
    let done = (|| {
        let folder = folder(home)?;
        let text = wire::line(&Written { version: VERSION, doors: doors.clone() });
        if files::read(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let _ = fs::remove_file(&temporary);
        let mode = folder.mode(0o600, 0o644);
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            folder.give(&file)?;
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            fs::File::open(&folder.dir)?.sync_all()
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    })();
    done.map_err(|error: io::Error| refused(&path, &error))
}

/// Makes the folder, or sees that it is good.
pub(super) fn folder(home: &Path) -> io::Result<Folder> {
    let dir = home.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(home.join("state"))?;
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&dir)?;
    if !found.is_dir() {
        return Err(io::Error::other("it is a link, or no folder"));
    }
    let me = rustix::process::geteuid();
    if !me.is_root() && found.uid() != me.as_raw() {
        let words = format!("it belongs to the user {}, and Hearth runs as {}", found.uid(), me.as_raw());
        return Err(io::Error::other(words));
    }
    let folder = Folder { dir, uid: found.uid(), gid: found.gid() };
    let mode = folder.mode(0o700, 0o711);
    if found.permissions().mode() & 0o777 != mode {
        fs::set_permissions(&folder.dir, fs::Permissions::from_mode(mode))?;
    }
    Ok(folder)
}

/// The folder, and whose it is.
pub(super) struct Folder {
    pub dir: PathBuf,
    uid: u32,
    gid: u32,
}

impl Folder {
    /// Permissions of what gate reads: where all is root's, and where it is a stranger like any other.
    pub fn mode(&self, of_root: u32, of_others: u32) -> u32 {
        if self.uid == 0 { of_root } else { of_others }
    }

    /// What root has made there is the owner's.
    fn give(&self, file: &fs::File) -> io::Result<()> {
        match rustix::process::geteuid().is_root() {
            true => std::os::unix::fs::fchown(file, Some(self.uid), Some(self.gid)),
            false => Ok(()),
        }
    }
}

/// What lies there, or what is put there; of two that make one at once both get the same.
fn secret(path: &Path, folder: &Folder, random: &dyn Random) -> io::Result<String> {
    for _ in 0..2 {
        match files::read_text(path) {
            Ok(text) if cookie::is_value(text.trim()) => return Ok(text.trim().to_owned()),
            // Half of one was never in force.
            Ok(_) => fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let made = secrets::token(random);
        let temporary = path.with_extension(format!("{}.tmp", secrets::id(random)));
        let done = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            folder.give(&file)?;
            file.write_all(made.expose().as_bytes())?;
            file.sync_all()?;
            // Never over one that is there.
            fs::hard_link(&temporary, path)?;
            fs::File::open(&folder.dir)?.sync_all()
        })();
        let _ = fs::remove_file(&temporary);
        match done {
            Ok(()) => return Ok(made.expose().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("it changes all the time"))
}

fn refused(path: &Path, error: &io::Error) -> Diagnostic {
    let title = format!("{}, where Hearth and gate meet, cannot be used: {error}", path.display());
    Diagnostic::error("auth.gate-folder", title)
        .kind(Kind::Failed)
        .hint("give the folder `state` of the home to the user who runs Hearth, with all that is in it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn hostile_16_every_home_has_keys_of_its_own_and_keeps_them() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = keys(a.path(), &SystemRandom).unwrap();
        assert_eq!(keys(a.path(), &SystemRandom).unwrap(), first);
        let other = keys(b.path(), &SystemRandom).unwrap();
        assert!(first.address != other.address && first.signing != other.signing && first.address != first.signing);
        assert!(!format!("{first:?}").contains(&first.address.text()));
        let dir = a.path().join(FOLDER);
        assert_eq!((mode(&a.path().join("state")), mode(&dir.join(SECRET))), (0o700, 0o600));
        assert_eq!(mode(&dir), if rustix::process::geteuid().is_root() { 0o700 } else { 0o711 });
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn half_of_a_secret_and_a_link_are_not_taken() {
        let home = tempfile::tempdir().unwrap();
        keys(home.path(), &SystemRandom).unwrap();
        let path = home.path().join(FOLDER).join(SECRET);
        fs::write(&path, "half").unwrap();
        keys(home.path(), &SystemRandom).unwrap();
        assert!(cookie::is_value(&fs::read_to_string(&path).unwrap()));
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(home.path().join("state")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), home.path().join(FOLDER)).unwrap();
        let told = keys(home.path(), &SystemRandom).unwrap_err();
        assert!(told.code == "auth.gate-folder" && told.title.contains("link"), "{told:?}");
    }
}
