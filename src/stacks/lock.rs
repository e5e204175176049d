//! One writer per engine and project: a file lock that the kernel gives back when its holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::base::{clock, files};
use crate::diag::{Diagnostic, Kind};

/// Who holds a lock; written into the lock file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub user: String,
    pub command: String,
    /// RFC 3339.
    pub since: String,
}

/// Held locks; dropping gives them back.
#[derive(Debug)]
pub struct Lock {
    files: Vec<File>,
    /// Someone else may have changed the project after `seen` (see [`take`]).
    pub world_may_have_moved: bool,
}

/// Takes all locks of `paths`, or none, without waiting.
///
/// `seen` is when the caller last looked at the engine: where another holder came or died after that moment, the lock
/// says so and the caller looks again.
pub fn take(paths: &[PathBuf], project: &str, holder: &Holder, seen: OffsetDateTime) -> Result<Lock, Diagnostic> {
    let mut lock = Lock { files: Vec::new(), world_may_have_moved: false };
    for path in paths {
        let (file, moved) = take_one(path, project, seen)?;
        lock.files.push(file);
        lock.world_may_have_moved |= moved;
    }
    let words = serde_json::to_string(holder).unwrap_or_default();
    for file in &mut lock.files {
        // Only the words for the next one are lost when this fails.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(words.as_bytes()));
    }
    Ok(lock)
}

/// Whether somebody holds the lock in `path` now.
pub fn is_held(path: &Path) -> bool {
    let Ok(file) = files::open_with(OpenOptions::new().read(true), path) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

fn take_one(path: &Path, project: &str, seen: OffsetDateTime) -> Result<(File, bool), Diagnostic> {
    let unusable = |why: String| {
        Diagnostic::error("stacks.no-lock", format!("cannot make the lock file {} ({why})", path.display()))
            .kind(Kind::Failed)
            .hint("it keeps two commands from changing one project at once: make the folder writable, or set XDG_STATE_HOME to one that is")
    };
    if let Some(folder) = path.parent() {
        crate::store::private_folder(folder).map_err(|e| unusable(e.to_string()))?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    // The time of a file that is made here says nothing about other holders.
    let made = options.clone().create_new(true).open(path);
    let (mut file, new) = match made {
        Ok(file) => (file, true),
        Err(_) => (files::open_with(&options, path).map_err(|e| unusable(e.to_string()))?, false),
    };
    let mut text = String::new();
    let mut taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
    // A holder writes down who it is. Nobody's words: it may just come or go, or `history` looks whether there is one.
    for _ in 0..10 {
        if taken != Err(Errno::WOULDBLOCK) || file.metadata().is_ok_and(|m| m.len() > 0) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
    }
    match taken {
        Ok(()) => {
            // An orderly holder leaves the file empty: words in it mean that the last one died at work.
            let _ = file.read_to_string(&mut text);
            // File times lag behind the clock by a tick.
            let slack = time::Duration::milliseconds(50);
            let later =
                file.metadata().and_then(|m| m.modified()).is_ok_and(|t| OffsetDateTime::from(t) + slack >= seen);
            Ok((file, !text.is_empty() || later && !new))
        }
        Err(Errno::WOULDBLOCK) => {
            let _ = file.read_to_string(&mut text);
            Err(held(project, serde_json::from_str(&text).ok()))
        }
        Err(error) => Err(unusable(error.to_string())),
    }
}

fn held(project: &str, holder: Option<Holder>) -> Diagnostic {
    let who = match holder {
        Some(h) => {
            format!("by `{}` of {} (process {}) since {}", h.command, h.user, h.pid, hour(&h.since))
        }
        None => "by another command".to_string(),
    };
    Diagnostic::error("stacks.locked", format!("the project `{project}` is being changed {who}"))
        .kind(Kind::Conflict)
        .hint("wait until it is done, then run this again; nothing was changed")
}

/// `20:51:07 UTC`.
fn hour(since: &str) -> String {
    clock::parse(since)
        .map_or_else(|| since.to_string(), |t| format!("{:02}:{:02}:{:02} UTC", t.hour(), t.minute(), t.second()))
}

impl Drop for Lock {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = file.set_len(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder { pid: 42, user: "joe".into(), command: "hearth up".into(), since: "2026-11-24T12:00:00Z".into() }
    }

    #[test]
    fn the_second_is_told_who_holds_it_and_since_when() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("x/a.lock"), dir.path().join("b.lock")];
        let now = OffsetDateTime::now_utc();
        let first = take(&paths, "web", &holder(), now).unwrap();
        let told = take(&paths[1..], "web", &holder(), now).unwrap_err();
        assert_eq!(told.kind, Kind::Conflict);
        assert_eq!(
            told.title,
            "the project `web` is being changed by `hearth up` of joe (process 42) since 12:00:00 UTC"
        );
        drop(first);
        take(&paths, "web", &holder(), now).unwrap();
    }

    #[test]
    fn who_only_looks_for_a_holder_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, "").unwrap();
        let file = File::open(&path).unwrap();
        flock(&file, FlockOperation::NonBlockingLockShared).unwrap();
        let looks = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(30));
            drop(file);
        });
        take(std::slice::from_ref(&path), "web", &holder(), OffsetDateTime::now_utc()).unwrap();
        looks.join().unwrap();
    }

    #[test]
    fn a_holder_that_came_or_died_since_the_look_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("lock")];
        let later = OffsetDateTime::now_utc() + time::Duration::seconds(5);
        assert!(!take(&paths, "web", &holder(), later).unwrap().world_may_have_moved);
        assert!(!take(&paths, "web", &holder(), later).unwrap().world_may_have_moved);
        let before = OffsetDateTime::now_utc() - time::Duration::seconds(5);
        assert!(take(&paths, "web", &holder(), before).unwrap().world_may_have_moved);
        std::fs::write(&paths[0], "{}").unwrap();
        assert!(take(&paths, "web", &holder(), later).unwrap().world_may_have_moved);
    }
}
