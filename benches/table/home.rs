//! A home in domain mode with a real Traefik, started as the live tests start theirs: it is their code.

#[path = "../../tests/it/rig/browser.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod browser;
#[path = "../../tests/it/rig/command.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod command;
#[path = "../../tests/it/rig/described.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod described;
#[path = "../../tests/it/rig/docker.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod docker;
#[path = "../../tests/it/rig/door.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod door;
#[path = "../../tests/it/rig/plain.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod plain;
#[path = "../../tests/it/rig/ports.rs"]
mod ports;
#[path = "../../tests/it/rig/range.rs"]
mod range;
#[path = "../../tests/it/rig/scratch.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod scratch;
#[path = "../../tests/it/rig/tls.rs"]
#[allow(dead_code, reason = "live tests use more of it")]
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use browser::Browser;
use command::Ran;
pub use command::Running;
pub use door::{DOMAIN, Door};
pub use ports::free_port;
pub use scratch::{Scratch, until};
pub use tls::{Stream, connect};

use crate::report::Row;

/// What is not here.
pub struct Skip(pub String);

type Done = Result<(), Skip>;

/// Measures in a folder and with a project of its own, and leaves nothing on the engine. Where something is not here, the rows called `names` are
/// skipped with the reason.
pub fn measured(
    subject: &str,
    names: &[&str],
    measure: impl FnOnce(&Scratch) -> Result<Vec<Row>, Skip>,
) -> Result<Vec<Row>, String> {
    let scratch = Scratch::new(subject);
    std::panic::set_hook(Box::new(scratch::note_panic));
    let rows = catch_unwind(AssertUnwindSafe(|| measure(&scratch)));
    let _ = std::panic::take_hook();
    let story = scratch.finish();
    match rows {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(Skip(why))) => Ok(names.iter().map(|name| Row::skipped(*name, &why)).collect()),
        Err(_) => Err(format!("{}\n{story}", scratch::take_panic())),
    }
}

/// A process's number in a line of `/proc/PID/status`, as `VmRSS`, in millions of bytes.
pub fn memory(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0 / 1e6
}

/// Seconds of a core that a process has used so far.
pub fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // What follows the name, which may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}
