//! In a container that begins as root: becoming the user whose home it serves, before anything else is done. So what Hearth writes into the
//! home belongs to whoever owns it, as if it had run outside, and nobody has to look up numbers of users.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::diag::{Diagnostic, Kind};

/// Set in compose/hearth.yaml, where root is there to become somebody else.
const WANTED: &str = "HEARTH_CONTAINER";

/// Takes on user and group of the home that `HEARTH_HOME` names, where this is the container of compose/hearth.yaml and root. The group of the engine's socket
/// stays, since Docker lets in its group. A home of root's is served as root.
pub fn take_on() -> Result<(), Diagnostic> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let (Some(_), Some(home)) = (set(WANTED), set("HEARTH_HOME")) else { return Ok(()) };
    // A home that is not there is told by whoever needs it.
    let Ok(found) = std::fs::metadata(home) else { return Ok(()) };
    if !rustix::process::geteuid().is_root() || found.uid() == 0 {
        return Ok(());
    }
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let socket = host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock");
    let docker = std::fs::metadata(Path::new(socket)).ok().map(|socket| socket.gid());
    let groups: Vec<u32> = std::iter::once(found.gid()).chain(docker).collect();
    become_user(found.uid(), found.gid(), &groups).map_err(|error| {
        let title = format!("Hearth runs as root, and cannot become the user {} who owns the home ({error})", found.uid());
        Diagnostic::error("cli.not-owner", title)
            .kind(Kind::Denied)
            .hint("compose/hearth.yaml gives the container SETUID and SETGID for it: leave them there, or run it as that user (`user:`)")
    })
}

fn become_user(uid: u32, gid: u32, groups: &[u32]) -> std::io::Result<()> {
    let done = |code: i32| if code == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
    // SAFETY: plain system calls; the list is as long as is said. The C library does each for all threads of the process.
    unsafe {
        done(libc::setgroups(groups.len(), groups.as_ptr()))?;
        done(libc::setresgid(gid, gid, gid))?;
        done(libc::setresuid(uid, uid, uid))?;
        // Of a process that changed its user the kernel hides /proc/PID/exe from others of that user: Hearth has it read to make its own image.
        done(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0))
    }
}
