//! One writer for each set of names: a file lock that the kernel gives back, and beside it a lease with an end, for a second machine
//! that shares the folder but not the kernel.

use std::fs::File;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::diag::Diagnostic;
use crate::store::folder::Folder;

/// Longer than any order takes.
const LONG: Duration = Duration::minutes(15);
const FILE: &str = "lease.json";

#[derive(Serialize, Deserialize)]
struct Written {
    machine: String,
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
}

/// Held while a set of names is ordered; dropping it gives it back.
pub struct Lease {
    folder: Folder,
    _lock: File,
}

impl Lease {
    /// Takes the lease of a certificate's folder; `None`: somebody else holds it.
    pub fn take(folder: Folder, now: OffsetDateTime) -> Result<Option<Lease>, Diagnostic> {
        let Some(lock) = folder.try_lock()? else { return Ok(None) };
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let there: Option<Written> = folder.read(FILE)?.and_then(|text| serde_json::from_str(&text).ok());
        // A holder of this machine is dead, or its lock would hold. An end that lies too far ahead is of a clock gone wrong.
        if there.is_some_and(|held| held.machine != machine && held.until > now && held.until <= now + LONG) {
            return Ok(None);
        }
        let written = Written { machine, until: now + LONG };
        folder.write(FILE, &serde_json::to_string(&written).unwrap_or_default())?;
        Ok(Some(Lease { folder, _lock: lock }))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // It ends by itself where this fails.
        let _ = self.folder.remove(FILE);
    }
}
