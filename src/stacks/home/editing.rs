//! One editor of a home's files at a time, in whatever process. Whoever reads a file, changes it and writes it back would else undo what another one did
//! in between, and both would have been told that it was done.
//!
//! It is held from the look to the write, never while somebody is asked or the engine works. A command that has the lock of its project
//! ([`crate::stacks::lock`]) may wait for this one; who holds this one waits for nobody. So the two cannot stand in each other's way for good.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;

use super::write::failed;
use crate::base::files;
use crate::diag::{Diagnostic, Kind};

/// Below `state/`. No project has a dot in its name, so this is no project's lock.
const FILE: &str = "hearth.yaml.lock";
/// How long another one may take: an edit takes some milliseconds, on a slow disk a second.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(5);

/// Held as long as it lives; the kernel gives it back when its holder dies.
#[derive(Debug)]
pub struct Editing(#[expect(dead_code, reason = "only held")] File);

/// Waits until nobody else edits files of the home in `dir`, 10 s at most.
pub fn begin(dir: &Path) -> Result<Editing, Diagnostic> {
    begin_within(dir, PATIENCE)
}

fn begin_within(dir: &Path, patience: Duration) -> Result<Editing, Diagnostic> {
    let state = dir.join("state");
    let path = state.join(FILE);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = crate::store::private_folder(&state).and_then(|()| {
        let fd = openat(CWD, &path, flags, Mode::from_raw_mode(0o600))?;
        files::regular(fd.into())
    });
    let file = opened.map_err(|error| failed(&path, &error))?;
    let mut left = patience;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Editing(file)),
            Err(Errno::WOULDBLOCK | Errno::INTR) if !left.is_zero() => {
                std::thread::sleep(STEP);
                left = left.saturating_sub(STEP);
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Err(busy(dir)),
            Err(error) => return Err(failed(&path, &error.into())),
        }
    }
}

fn busy(dir: &Path) -> Diagnostic {
    let title = format!("another command is at the files of {} and does not end", dir.display());
    Diagnostic::error("home.being-edited", title)
        .kind(Kind::Conflict)
        .hint("nothing was changed: try again; if it stays so, look for a hearth that hangs, and end it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_editor_waits_for_the_first_and_is_told_when_that_one_hangs() {
        let dir = tempfile::tempdir().unwrap();
        let first = begin(dir.path()).unwrap();
        let told = begin_within(dir.path(), Duration::from_millis(20)).unwrap_err();
        assert_eq!((told.code, told.kind), ("home.being-edited", Kind::Conflict));
        let ends = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            drop(first);
        });
        begin(dir.path()).unwrap();
        ends.join().unwrap();
    }
}
