//! A whole process, timed from outside: from before it is started until it has ended.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a process went.
pub struct Run {
    pub wall: Duration,
    /// The most memory it had at once, in bytes (`ru_maxrss`; not below this program's own, see [`own_peak`]).
    pub memory: u64,
    pub status: ExitStatus,
}

/// Runs `command` to its end; what it says goes to `log`.
pub fn run(command: &mut Command, log: &Path) -> Result<Run, String> {
    let file = std::fs::File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
    let other = file.try_clone().map_err(|e| e.to_string())?;
    command.stdin(Stdio::null()).stdout(file).stderr(other);
    let start = Instant::now();
    let child = command.spawn().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    let (status, usage) = wait4(child.id())?;
    let wall = start.elapsed();
    Ok(Run { wall, memory: usage.ru_maxrss as u64 * 1024, status: ExitStatus::from_raw(status) })
}

/// As [`run`], and anything but success is an error that shows the last of what was said.
pub fn succeed(command: &mut Command, log: &Path) -> Result<Run, String> {
    let run = run(command, log)?;
    if run.status.success() {
        return Ok(run);
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(15)..].join("\n");
    Err(format!("{command:?} ended with {}:\n{last}", run.status))
}

/// This program's own peak memory in bytes. A child starts as a copy of it, so a child's `ru_maxrss` is at least this.
pub fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The only call here that no safe library has: the end of one child together with what it used.
fn wait4(pid: u32) -> Result<(i32, libc::rusage), String> {
    let mut status = 0;
    loop {
        // SAFETY: both pointers are to locals that outlive the call; `rusage` is plain data, valid when zeroed.
        let (got, usage) = unsafe {
            let mut usage = std::mem::zeroed::<libc::rusage>();
            (libc::wait4(pid as libc::pid_t, &mut status, 0, &mut usage), usage)
        };
        if got >= 0 {
            return Ok((status, usage));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("wait4: {error}"));
        }
    }
}
