//! One `hearth serve` for a home: a lock that the kernel gives back when its holder dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use time::OffsetDateTime;

use crate::base::{clock, files};
use crate::diag::{Diagnostic, Kind};

/// Below a home's `state/`.
const FILE: &str = "serve.lock";

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock(File);

/// Takes the lock of a home's `state/`, or says who has it.
pub fn take(state: &Path, now: OffsetDateTime) -> Result<Lock, Diagnostic> {
    let path = state.join(FILE);
    let unusable = |why: &str| {
        Diagnostic::error("serve.no-lock", format!("{} cannot be locked ({why})", path.display()))
            .kind(Kind::Failed)
            .hint("Hearth keeps there what it must remember: run it as the user who owns the home, on a disk that is not full")
    };
    crate::store::private_folder(state).map_err(|e| unusable(&e.to_string()))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = files::open_with(&options, &path).map_err(|e| unusable(&e.to_string()))?;
    let mut taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
    let mut words = String::new();
    // One that has just taken it writes down who it is in a moment; one that only looks ([`is_held`]) is gone by then.
    for n in 0..20 {
        if taken != Err(Errno::WOULDBLOCK) || n > 4 && !words.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        words.clear();
        let _ = file.rewind().and_then(|()| file.read_to_string(&mut words));
        taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
    }
    match taken {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let who = if words.is_empty() { String::new() } else { format!(" ({})", words.trim_end()) };
            let title = format!("another `hearth serve` looks after this home already{who}");
            let d = Diagnostic::error("serve.running", title).kind(Kind::Conflict);
            return Err(d.hint("end it first, or use it: two would undo each other's work"));
        }
        Err(error) => return Err(unusable(&error.to_string())),
    }
    // Only the words for the next one are lost when this fails.
    let words = format!("process {} since {}\n", std::process::id(), clock::rfc3339(now));
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(words.as_bytes()));
    Ok(Lock(file))
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

/// Whether a `hearth serve` looks after the home of this `state/` now, on this machine.
pub fn is_held(state: &Path) -> bool {
    let Ok(file) = files::open_with(OpenOptions::new().read(true), &state.join(FILE)) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let now = time::macros::datetime!(2026-11-26 05:00 UTC);
        assert!(!is_held(&state));
        let first = take(&state, now).unwrap();
        assert!(is_held(&state));
        let told = take(&state, now).unwrap_err();
        assert_eq!((told.code, told.kind.exit_code()), ("serve.running", 5));
        assert!(
            told.title.ends_with(&format!("(process {} since 2026-11-26T05:00:00Z)", std::process::id())),
            "{told}"
        );
        drop(first);
        let file = File::open(state.join(FILE)).unwrap();
        flock(&file, FlockOperation::NonBlockingLockShared).unwrap();
        let looks = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            drop(file);
        });
        take(&state, now).unwrap();
        looks.join().unwrap();
    }
}
