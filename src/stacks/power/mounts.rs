//! What the kernel has mounted in a container. The engine says which path it was asked to mount; where that path led when the container began
//! only the kernel still knows.

use std::path::{Path, PathBuf};

use crate::engine::docker;
use crate::plan::observed::Container;

/// The mounts of this process and those of a container's main process.
#[derive(Debug)]
pub struct Mounts {
    ours: Vec<Line>,
    theirs: Vec<Line>,
}

/// One line of a `mountinfo`.
#[derive(Debug, PartialEq)]
struct Line {
    /// Of the file system: `8:1`.
    device: String,
    /// What of the file system is mounted.
    root: PathBuf,
    point: PathBuf,
}

impl Mounts {
    /// Looks; `None` where it cannot be seen from here: the container does not run, or its engine is on another machine or in a virtual one, or
    /// this process is in a container of its own.
    pub fn of(container: &Container) -> Option<Mounts> {
        let pid = container.pid;
        let is_it = || pid > 0 && docker::container_of_process(pid).as_deref() == Some(container.id.as_str());
        let read = |path: String| std::fs::read_to_string(path).ok();
        if !is_it() {
            return None;
        }
        let found = Mounts::parse(&read("/proc/self/mountinfo".into())?, &read(format!("/proc/{pid}/mountinfo"))?);
        // Numbers of processes are used again.
        is_it().then_some(found)
    }

    pub fn parse(ours: &str, theirs: &str) -> Mounts {
        let lines = |text: &str| text.lines().filter_map(line).collect();
        Mounts { ours: lines(ours), theirs: lines(theirs) }
    }

    /// Whether what the container has at `point` is what this process has at `source`, a path without links. Several mounts on one point must all be.
    pub fn shows(&self, source: &Path, point: &Path) -> bool {
        let covers = |line: &&Line| source.starts_with(&line.point);
        // Of two at one point the later is on top.
        let Some(on) = self.ours.iter().filter(covers).max_by_key(|line| line.point.components().count()) else {
            return false;
        };
        let Ok(rest) = source.strip_prefix(&on.point) else { return false };
        let root = if rest.as_os_str().is_empty() { on.root.clone() } else { on.root.join(rest) };
        let there: Vec<&Line> = self.theirs.iter().filter(|line| line.point == point).collect();
        !there.is_empty() && there.iter().all(|line| line.device == on.device && line.root == root)
    }
}

/// `36 35 98:0 /mnt1 /mnt/parent rw,noatime master:1 - ext3 /dev/root rw`.
fn line(text: &str) -> Option<Line> {
    let mut fields = text.split(' ').skip(2);
    let device = fields.next()?.to_string();
    Some(Line { device, root: plain(fields.next()?).into(), point: plain(fields.next()?).into() })
}

/// Without the kernel's escapes: blanks, line ends and backslashes are written `\040`.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        match after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &after[3..];
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n\
        28 27 8:1 /@homes /srv rw shared:1 - btrfs /dev/sda1 rw\n";

    #[test]
    fn hostile_14_a_mount_is_known_by_what_is_in_it_not_by_its_name() {
        let shows =
            |theirs: &str, source: &str| Mounts::parse(OURS, theirs).shows(Path::new(source), Path::new("/config"));
        let right = "90 73 8:1 /@homes/home/data/my\\040app /config rw,relatime master:1 - btrfs /dev/sda1 rw\n";
        assert!(shows(right, "/srv/home/data/my app"));
        assert!(shows("90 73 254:0 /opt/x /config rw - ext4 /dev/vda rw\n", "/opt/x"));
        assert!(shows("90 73 8:1 /@homes /config rw - btrfs /dev/sda1 rw\n", "/srv"));
        for wrong in [
            "",
            "90 73 254:0 / /config rw - ext4 /dev/vda rw\n",
            "90 73 254:0 /@homes/home/data/my\\040app /config rw - ext4 /dev/vda rw\n",
            "90 73 8:1 /@homes/home /config rw - btrfs /dev/sda1 rw\n",
            "90 73 8:1 /@homes/home/data/my\\040app//deleted /config rw - btrfs /dev/sda1 rw\n",
            "90 73 8:1 /@homes/home/data/my\\040app /elsewhere rw - btrfs /dev/sda1 rw\n",
            &format!("90 73 254:0 / /config rw - ext4 /dev/vda rw\n{right}"),
        ] {
            assert!(!shows(wrong, "/srv/home/data/my app"), "{wrong}");
        }
    }
}
