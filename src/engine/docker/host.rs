//! What the machine itself says, where the engine runs on it: ports that programs hold, paths that are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::connect::Address;

/// What of this machine the engine shares with this process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shared {
    pub files: bool,
    pub ports: bool,
}

/// Looks for the engine's process: the same host name and kernel, and behind its Unix socket a process that we can see
/// and that is in our namespaces. From within a container it is none of these; a rootless engine has mounts of its own.
pub async fn shared(address: &Address, info: &Value) -> Shared {
    let Address::Unix(path) = address else { return Shared::default() };
    let own = rustix::system::uname();
    let same =
        |field: &str, value: &std::ffi::CStr| info[field].as_str().is_some_and(|v| v.as_bytes() == value.to_bytes());
    if !same("Name", own.nodename()) || !same("KernelVersion", own.release()) {
        return Shared::default();
    }
    let peer = tokio::net::UnixStream::connect(path).await.and_then(|socket| socket.peer_cred());
    // A process of another pid namespace has no number here.
    let Some(pid) = peer.ok().and_then(|peer| peer.pid()).filter(|pid| *pid > 0) else { return Shared::default() };
    let namespace = |who: &str, kind: &str| std::fs::read_link(format!("/proc/{who}/ns/{kind}"));
    let same = |kind: &str| match (namespace(&pid.to_string(), kind), namespace("self", kind)) {
        (Ok(engine), Ok(own)) => engine == own,
        // Only root may ask this of another user's process.
        _ => true,
    };
    Shared { files: same("mnt"), ports: same("net") }
}

/// The sources of bind mounts that do not exist.
pub fn missing(paths: &[String]) -> BTreeSet<String> {
    // Something that may not be looked at is there as far as anyone can tell: only "no such file" counts.
    let gone = |path: &&String| matches!(std::fs::metadata(path), Err(e) if e.kind() == std::io::ErrorKind::NotFound);
    paths.iter().filter(gone).cloned().collect()
}

/// The kernel's tables of sockets.
const TABLES: [(&str, &str); 4] =
    [("/proc/net/tcp", "tcp"), ("/proc/net/tcp6", "tcp"), ("/proc/net/udp", "udp"), ("/proc/net/udp6", "udp")];

/// A program that listens on a TCP port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub ip: IpAddr,
    pub port: u16,
    /// Process and its name; `None`: it is another user's, and only root may know.
    pub process: Option<(u32, String)>,
    /// The id of the container that the process runs in.
    pub container: Option<String>,
}

/// Who listens on these TCP ports, as far as this user may know.
pub fn listeners(ports: &[u16]) -> Vec<Listener> {
    let mut found = Vec::new();
    for (path, _) in TABLES.iter().filter(|(_, protocol)| *protocol == "tcp") {
        let Ok(table) = std::fs::read_to_string(path) else { continue };
        found.extend(listening(&table, "tcp").into_iter().filter(|(_, port, _)| ports.contains(port)));
    }
    let inodes: BTreeSet<u64> = found.iter().map(|(.., inode)| *inode).collect();
    let holders = if inodes.is_empty() { BTreeMap::new() } else { holders(&inodes) };
    let one = |(ip, port, inode): (IpAddr, u16, u64)| {
        let pid = holders.get(&inode).copied();
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", pid?)).ok();
        let process = pid.zip(read("comm").map(|name| name.trim().to_string()));
        Listener { ip, port, process, container: read("cgroup").as_deref().and_then(container_of) }
    };
    found.into_iter().map(one).collect()
}

/// The names of all programs that run on this machine, those in containers too, as far as this user may know; the kernel keeps 15
/// letters of each.
pub fn programs() -> BTreeSet<String> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let named = all.filter_map(|process| std::fs::read_to_string(process.path().join("comm")).ok());
    named.map(|name| name.trim().to_string()).collect()
}

/// Which processes hold these sockets.
fn holders(inodes: &BTreeSet<u64>) -> BTreeMap<u64, u32> {
    let mut holders = BTreeMap::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        for handle in std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let target = std::fs::read_link(handle.path()).unwrap_or_default();
            let inode = target.to_str().and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode.filter(|inode| inodes.contains(inode)) {
                // The first is the oldest: those that it started may have inherited the socket.
                let known = holders.entry(inode).or_insert(pid);
                *known = pid.min(*known);
            }
        }
    }
    holders
}

/// The id of a container in the name of a control group: 64 hexadecimal digits.
pub(super) fn container_of(cgroup: &str) -> Option<String> {
    let mut parts = cgroup.split(|c: char| !c.is_ascii_hexdigit());
    parts.rfind(|part| part.len() == 64).map(str::to_string)
}

/// Ports that something listens on, other than those that `published` (by containers) explains: `(address, port, protocol)`.
pub fn taken_ports(published: &[(String, u16, String)]) -> Vec<(String, u16, String)> {
    let mut by_port: BTreeMap<(u16, &str), Vec<IpAddr>> = BTreeMap::new();
    for (ip, port, protocol) in published {
        let ip = ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        by_port.entry((*port, protocol.as_str())).or_default().push(ip);
    }
    let mut taken = BTreeSet::new();
    for (path, protocol) in TABLES {
        let Ok(table) = std::fs::read_to_string(path) else { continue };
        for (ip, port, _) in listening(&table, protocol) {
            let ours = by_port.get(&(port, protocol)).is_some_and(|ips| ips.iter().any(|own| overlap(*own, ip)));
            if !ours {
                taken.insert((ip.to_string(), port, protocol.to_string()));
            }
        }
    }
    taken.into_iter().collect()
}

fn overlap(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}

/// The listening sockets of one table of `/proc/net`: address, port, inode.
fn listening(table: &str, protocol: &str) -> Vec<(IpAddr, u16, u64)> {
    let line = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next()?;
        let remote = columns.next()?;
        let state = columns.next()?;
        // TCP: LISTEN. UDP has no such state: bound and not connected.
        let listens = if protocol == "tcp" { state == "0A" } else { state == "07" && remote.ends_with(":0000") };
        let (ip, port) = local.split_once(':')?;
        let inode = columns.nth(5).and_then(|inode| inode.parse().ok()).unwrap_or_default();
        listens.then_some((address(ip)?, u16::from_str_radix(port, 16).ok()?, inode))
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// The kernel writes addresses as 32-bit words in its own byte order.
fn address(hex: &str) -> Option<IpAddr> {
    let words: Vec<[u8; 4]> = (0..hex.len())
        .step_by(8)
        .map(|i| hex.get(i..i + 8).and_then(|w| u32::from_str_radix(w, 16).ok()).map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [v4] => Some(IpAddr::V4(Ipv4Addr::from(*v4))),
        [a, b, c, d] => {
            let bytes: [u8; 16] = [*a, *b, *c, *d].concat().try_into().ok()?;
            let v6 = Ipv6Addr::from(bytes);
            Some(v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_read_from_the_kernels_tables() {
        let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n\
            1: 00000000:0016 00000000:0000 0A 00000000:00000000\n\
            2: 0100007F:0051 0100007F:9999 01 00000000:00000000\n";
        assert_eq!(
            listening(tcp, "tcp"),
            [("127.0.0.1".parse().unwrap(), 80, 4711), ("0.0.0.0".parse().unwrap(), 22, 0)]
        );
        let tcp6 = "head\n0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0\n";
        assert_eq!(listening(tcp6, "tcp"), [("::".parse().unwrap(), 443, 0)]);
        let udp = "head\n0: 00000000:0035 00000000:0000 07 0\n1: 00000000:0036 0100007F:0001 07 0\n";
        assert_eq!(listening(udp, "udp"), [("0.0.0.0".parse().unwrap(), 53, 0)]);
    }

    #[test]
    fn who_listens_is_found_by_the_sockets_that_a_process_holds() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = listeners(&[port]);
        assert_eq!((found.len(), found[0].process.as_ref().unwrap().0), (1, std::process::id()));
        let id = "ab".repeat(32);
        assert_eq!(container_of(&format!("0::/system.slice/docker-{id}.scope\n")), Some(id.clone()));
        assert_eq!(container_of(&format!("0::/docker/{id}\n")), Some(id));
        assert_eq!(container_of("0::/user.slice\n"), None);
    }

    #[test]
    fn programs_that_run_are_known_by_name() {
        let own = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert!(programs().contains(own.trim()));
    }

    #[test]
    fn a_port_of_a_container_is_not_taken_and_one_of_ours_is() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let entry = ("127.0.0.1".to_string(), port, "tcp".to_string());
        assert!(taken_ports(&[]).contains(&entry));
        assert!(!taken_ports(&[("0.0.0.0".into(), port, "tcp".into())]).contains(&entry));
    }

    #[test]
    fn only_what_is_not_there_is_missing() {
        let paths = ["/".to_string(), "/none/such".to_string()];
        assert_eq!(missing(&paths), BTreeSet::from(["/none/such".to_string()]));
    }
}
