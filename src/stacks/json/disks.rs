//! On which disk of this machine something of a container lies, and how much is free there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::{Host, docker};

/// A disk that does not answer is not waited for: one of another machine may be away for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file system of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Disk {
    /// Where it is mounted.
    pub at: String,
    /// Bytes in all, and those that are free for programs.
    pub total: u64,
    pub free: u64,
}

/// The disk of each path, in their order; `None` where it cannot be seen from here: the engine is on another machine or in memory, Hearth is in a container of
/// its own, or the disk does not answer.
pub async fn of(
    engine: &dyn Host,
    environment: &std::collections::BTreeMap<String, String>,
    paths: Vec<String>,
) -> Vec<Option<Disk>> {
    let none = vec![None; paths.len()];
    let elsewhere = environment.get("DOCKER_HOST").is_some_and(|at| !at.is_empty() && !at.starts_with("unix:"))
        || environment.get("DOCKER_CONTEXT").is_some_and(|name| !name.is_empty() && name != "default");
    if engine.is_double() || elsewhere || docker::inside().is_some() {
        return none;
    }
    let look = tokio::task::spawn_blocking(move || {
        let mounted = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        paths.iter().map(|path| look(Path::new(path), &mounted)).collect()
    });
    tokio::time::timeout(PATIENCE, look).await.ok().and_then(Result::ok).unwrap_or(none)
}

fn look(path: &Path, mounted: &str) -> Option<Disk> {
    // Folders of the engine are for root only: what is above them lies on the same disk, unless it is a mount of its own, which is in the list.
    let seen = path.ancestors().filter(|path| path.is_absolute()).find_map(|path| rustix::fs::statvfs(path).ok())?;
    let point =
        points(mounted).filter(|point| path.starts_with(point)).max_by_key(|point| point.components().count())?;
    let at = rustix::fs::statvfs(&point).unwrap_or(seen);
    let (total, free) = (at.f_blocks * at.f_frsize, at.f_bavail * at.f_frsize);
    (total > 0).then(|| Disk { at: point.display().to_string(), total, free })
}

/// Where something is mounted, of a `mountinfo`; what has a blank in it is written in octal there.
fn points(mounted: &str) -> impl Iterator<Item = PathBuf> + '_ {
    let point = |line: &str| line.split(' ').nth(4).map(|point| point.replace("\\040", " ").replace("\\011", "\t"));
    mounted.lines().filter_map(point).map(PathBuf::from).filter(|point| point.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_on_the_innermost_disk_above_it() {
        let mounted = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 8:2 / /tmp rw - ext4 /dev/sdb1 rw\n24 22 8:3 / /my\\040disk rw - ext4 /dev/sdc1 rw\n";
        assert_eq!(points(mounted).last(), Some(PathBuf::from("/my disk")));
        let disk = look(Path::new("/tmp/nobody/has/made/this"), mounted).unwrap();
        assert_eq!(disk.at, "/tmp");
        assert!(disk.free <= disk.total);
        assert_eq!(look(Path::new("/tmpfile"), mounted).unwrap().at, "/");
        assert_eq!(look(Path::new("name-of-a-volume"), mounted), None);
    }
}
