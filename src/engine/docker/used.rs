//! What a container takes of its machine's memory, as the kernel counts it: two small files for each, where the engine would take a second for the same.

use std::path::{Path, PathBuf};

use super::host::container_of;

/// Where control groups are, of both versions.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes in use, without what could be given back at once, as `docker stats` counts them. `pid`: of the container's first process. `None`: it cannot be seen from
/// here, as where this process is in a container itself, or the engine is another machine's.
pub fn memory(container: &str, pid: i64) -> Option<u64> {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok().filter(|_| pid > 0)?;
    in_groups(Path::new(GROUPS), container, &groups)
}

/// `groups`: as in `/proc/PID/cgroup`, one of each kind a line, `number:kinds:path`.
fn in_groups(root: &Path, container: &str, groups: &str) -> Option<u64> {
    // The number may be another process's meanwhile.
    let lines = groups.lines().filter(|line| container_of(line).as_deref() == Some(container));
    let parts = lines.filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let place = |path: &str| root.join(path.trim_start_matches('/'));
    let of_kind = |(kinds, path): (&str, &str)| match kinds {
        "" => Some((place(path), "memory.current", "inactive_file")),
        _ if kinds.split(',').any(|kind| kind == "memory") => {
            let path: PathBuf = place("memory").join(path.trim_start_matches('/'));
            Some((path, "memory.usage_in_bytes", "total_inactive_file"))
        }
        _ => None,
    };
    // Where both versions are there, one of them counts memory.
    parts.filter_map(of_kind).find_map(|(place, used, idle)| {
        let used: u64 = std::fs::read_to_string(place.join(used)).ok()?.trim().parse().ok()?;
        let all = std::fs::read_to_string(place.join("memory.stat")).unwrap_or_default();
        let idle = all.lines().find_map(|line| line.strip_prefix(idle)?.strip_prefix(' ')?.parse::<u64>().ok());
        Some(used.saturating_sub(idle.unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_containers_own_group_in_both_versions() {
        let dir = tempfile::tempdir().unwrap();
        let id = "be52".repeat(16);
        let write = |folder: &str, files: &[(&str, &str)]| {
            let folder = dir.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            files.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
        };
        let second = format!("system.slice/docker-{id}.scope");
        write(&second, &[("memory.current", "1000\n"), ("memory.stat", "anon 5\ninactive_file 300\n")]);
        let told = |groups: &str| in_groups(dir.path(), &id, groups);
        assert_eq!(told(&format!("0::/{second}\n")), Some(700));
        let first = format!("docker/{id}");
        let stat = "inactive_file 1\ntotal_inactive_file 500\n";
        write(&format!("memory/{first}"), &[("memory.usage_in_bytes", "2000\n"), ("memory.stat", stat)]);
        assert_eq!(told(&format!("9:cpu,cpuacct:/{first}\n4:memory:/{first}\n0::/{first}\n")), Some(1500));
        assert_eq!(
            told(&format!("0::/system.slice/docker-{}.scope\n", "0".repeat(64))),
            None,
            "another process's by now"
        );
        assert_eq!((told("0::/\n"), told("")), (None, None));
    }
}
