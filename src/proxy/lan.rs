//! Who is at home: the networks of this machine, without those that Docker made.
//!
//! An address of Docker's own is nobody's: where an engine hides who asks (its userland proxy, rootless, a tunnel in a container), all
//! the world comes from there. The gateways of the home's own networks are let in all the same where nobody but this machine, with the
//! containers on it, has them: Traefik listens on IPv4 only, and no tunnel is known. Whoever names ranges in `hearth.yaml` has named all.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// One address of an interface of this machine, with its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub net: IpNet,
}

/// What counts as this machine itself.
pub enum Machine<'a> {
    /// It is at home under these addresses too.
    AtHome(&'a [IpAddr]),
    /// It may be anybody: none of these addresses is at home, unless `hearth.yaml` names just that one.
    Anybody(&'a [IpAddr]),
}

/// The ranges that count as the home, as CIDR.
///
/// `said`: what `hearth.yaml` says. `docker`: ranges of Docker's networks, none of which is ever taken for the home.
pub fn ranges(said: Option<&[IpNet]>, interfaces: &[Interface], docker: &[IpNet], machine: &Machine) -> Vec<String> {
    let mut all: Vec<IpNet> = match said {
        Some(said) => said.to_vec(),
        None => {
            let at_home = |i: &&Interface| is_home(&i.net) && !is_virtual(&i.name);
            let found = interfaces.iter().filter(at_home);
            found.flat_map(|i| without(i.net.trunc(), docker)).collect()
        }
    };
    match machine {
        // Who names ranges means those and no others.
        Machine::AtHome(addresses) if said.is_none() => all.extend(addresses.iter().map(|ip| IpNet::from(*ip))),
        Machine::AtHome(_) => {}
        Machine::Anybody(addresses) => {
            let holes: Vec<IpNet> = addresses.iter().map(|ip| IpNet::from(*ip)).collect();
            let one =
                |net: IpNet| if net.prefix_len() == net.max_prefix_len() { vec![net] } else { without(net, &holes) };
            all = all.into_iter().flat_map(one).collect();
        }
    }
    all.sort();
    all.dedup();
    all.iter().map(IpNet::to_string).collect()
}

/// A range without others: halved until no part of it meets one of them.
fn without(net: IpNet, holes: &[IpNet]) -> Vec<IpNet> {
    if holes.iter().any(|hole| hole.contains(&net)) {
        return Vec::new();
    }
    if !holes.iter().any(|hole| net.contains(hole)) {
        return vec![net];
    }
    let halves = net.subnets(net.prefix_len() + 1).into_iter().flatten();
    halves.flat_map(|half| without(half, holes)).collect()
}

/// A range that only a home, an office or a carrier's own customers use: never the internet's.
fn is_home(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => {
            let private: [Ipv4Net; 4] = [
                Ipv4Net::new_assert([10, 0, 0, 0].into(), 8),
                Ipv4Net::new_assert([172, 16, 0, 0].into(), 12),
                Ipv4Net::new_assert([192, 168, 0, 0].into(), 16),
                Ipv4Net::new_assert([169, 254, 0, 0].into(), 16),
            ];
            private.iter().any(|p| p.contains(net))
        }
        IpNet::V6(net) => net.addr().segments()[0] & 0xfe00 == 0xfc00 || net.addr().segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// Interfaces that Docker and virtual machines make, by the names that they always have.
fn is_virtual(name: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "lo", "cni", "flannel"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, net: &str) -> Interface {
        Interface { name: name.into(), net: net.parse().unwrap() }
    }

    fn of(said: Option<&[IpNet]>, machine: &Machine) -> Vec<String> {
        let all = [
            interface("lo", "127.0.0.1/8"),
            interface("eth0", "192.168.1.5/24"),
            interface("eth0", "fd00:1::5/64"),
            interface("eth0", "2001:db8::5/64"),
            interface("eth1", "203.0.113.7/24"),
            interface("docker0", "172.17.0.1/16"),
            interface("br-1234", "10.213.4.1/24"),
            interface("wg0", "10.99.0.1/24"),
            interface("custom", "10.50.0.1/24"),
        ];
        ranges(said, &all, &nets(&["10.213.0.0/16", "10.50.0.0/24"]), machine)
    }

    fn nets(all: &[&str]) -> Vec<IpNet> {
        all.iter().map(|net| net.parse().unwrap()).collect()
    }

    const GATEWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 213, 4, 1));
    const SELF: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 5));

    #[test]
    fn only_the_machines_own_private_networks_are_home() {
        let found = of(None, &Machine::AtHome(&[GATEWAY]));
        assert_eq!(found, ["10.99.0.0/24", "10.213.4.1/32", "192.168.1.0/24", "fd00:1::/64"]);
    }

    #[test]
    fn what_a_person_says_is_all_there_is() {
        assert_eq!(of(Some(&nets(&["192.168.7.0/24"])), &Machine::AtHome(&[GATEWAY])), ["192.168.7.0/24"]);
    }

    #[test]
    fn where_a_tunnel_is_the_machine_itself_is_not_at_home() {
        let machine = Machine::Anybody(&[GATEWAY, SELF]);
        for said in [None, Some(nets(&["192.168.1.0/24", "10.213.4.0/24"]))] {
            let found = nets(&of(said.as_deref(), &machine).iter().map(String::as_str).collect::<Vec<_>>());
            let is_in = |ip: &str| found.iter().any(|net| net.contains(&ip.parse::<IpAddr>().unwrap()));
            assert!(!is_in("10.213.4.1") && !is_in("192.168.1.5"), "{found:?}");
            assert!(["192.168.1.0", "192.168.1.4", "192.168.1.6", "192.168.1.255"].into_iter().all(is_in), "{found:?}");
        }
        // Named alone it is meant.
        assert_eq!(of(Some(&nets(&["10.213.4.1/32"])), &machine), ["10.213.4.1/32"]);
    }

    #[test]
    fn a_docker_network_within_the_homes_own_is_cut_out_and_the_rest_stays() {
        let all = [interface("eth0", "10.0.0.9/8")];
        let found = ranges(None, &all, &nets(&["10.128.0.0/9", "10.64.0.0/10"]), &Machine::AtHome(&[]));
        assert_eq!(found, ["10.0.0.0/10"]);
    }
}
