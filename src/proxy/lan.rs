//! Who is at home: the networks of this machine, without those that Docker made.
//!
//! An address of Docker's own is nobody's: where an engine hides who asks (its userland proxy, rootless, a tunnel in a container), all
//! the world comes from there. The gateways of the home's own networks are let in all the same where Traefik listens on IPv4 only:
//! there the engine hides nobody but this machine itself.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::spec::Cidr;

/// One address of an interface of this machine, with its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub net: IpNet,
}

/// The ranges that count as the home, as CIDR.
///
/// `said`: what `hearth.yaml` says, which is taken as it is. `gateways`: addresses under which the machine itself appears. `own`: the
/// range of the home's Docker networks. `others`: ranges of other Docker networks.
pub fn ranges(
    said: Option<&[IpNet]>,
    interfaces: &[Interface],
    own: Cidr,
    others: &[IpNet],
    gateways: &[IpAddr],
) -> Vec<String> {
    let docker: Vec<IpNet> = own.to_string().parse().ok().into_iter().chain(others.iter().copied()).collect();
    let mut all: Vec<IpNet> = match said {
        Some(said) => said.to_vec(),
        None => {
            let at_home =
                |i: &&Interface| is_home(&i.net) && !is_virtual(&i.name) && !docker.iter().any(|d| overlap(d, &i.net));
            interfaces.iter().filter(at_home).map(|i| i.net.trunc()).collect()
        }
    };
    all.extend(gateways.iter().map(|ip| IpNet::from(*ip)));
    all.sort();
    all.dedup();
    all.iter().map(IpNet::to_string).collect()
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

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, net: &str) -> Interface {
        Interface { name: name.into(), net: net.parse().unwrap() }
    }

    fn of(said: Option<&[IpNet]>) -> Vec<String> {
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
        let others = ["10.50.0.0/24".parse().unwrap()];
        ranges(said, &all, "10.213.0.0/16".parse().unwrap(), &others, &[IpAddr::from([10, 213, 4, 1])])
    }

    #[test]
    fn only_the_machines_own_private_networks_are_home() {
        assert_eq!(of(None), ["10.99.0.0/24", "10.213.4.1/32", "192.168.1.0/24", "fd00:1::/64"]);
    }

    #[test]
    fn what_a_person_says_is_taken_as_it_is() {
        let said = ["192.168.7.0/24".parse().unwrap()];
        assert_eq!(of(Some(&said)), ["10.213.4.1/32", "192.168.7.0/24"]);
    }
}
