//! Address ranges for the networks of homes, none given twice.

use std::sync::atomic::{AtomicU32, Ordering};

use ipnet::{IpNet, Ipv4Net};

use super::Scratch;

/// Out of here. Docker's own pools, and the ranges that single tests name, lie elsewhere.
const FROM: &str = "10.64.0.0/11";

impl Scratch {
    /// A range that nobody has on the machine's engine, and that no other test of this process was given.
    pub fn range(&self) -> String {
        // Runs that begin at once do not begin at the same one.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let from: Ipv4Net = FROM.parse().expect("a range");
        let all: Vec<Ipv4Net> = from.subnets(18).expect("it is longer").collect();
        let taken = self.taken();
        let start = std::process::id() as usize;
        for _ in 0..all.len() {
            let range = all[(start + NEXT.fetch_add(1, Ordering::SeqCst) as usize) % all.len()];
            if !taken.iter().any(|other| other.contains(&range.network()) || range.contains(&other.network())) {
                return range.to_string();
            }
        }
        panic!("all of {FROM} is taken: {taken:?}");
    }

    fn taken(&self) -> Vec<Ipv4Net> {
        let ids = self.machine_docker(&["network", "ls", "-q"]).out;
        let ids: Vec<&str> = ids.split_whitespace().collect();
        let asked = ["network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}} {{end}}"];
        // One that goes meanwhile is said on the other output.
        let said = self.machine_docker(&[&asked[..], &ids].concat()).out;
        let nets = said.split_whitespace().filter_map(|word| word.parse::<IpNet>().ok());
        nets.filter_map(|net| if let IpNet::V4(net) = net { Some(net) } else { None }).collect()
    }
}
