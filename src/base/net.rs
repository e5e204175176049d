//! What sort of address one is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether nobody outside a home, an office or a provider's own network reaches it: private, loopback, link-local, carrier-grade NAT,
/// unique local.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_private_v4(ip),
            None => ip == Ipv6Addr::LOCALHOST || ip.is_unique_local() || ip.is_unicast_link_local(),
        },
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    ip.is_private() || ip.is_loopback() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
}

/// What resolvers answer instead of an address that they do not want to be found: `0.0.0.0`, `::`.
pub fn is_nowhere(ip: IpAddr) -> bool {
    ip.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_is_what_the_internet_does_not_route() {
        for (text, private) in [
            ("192.168.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("127.0.0.1", true),
            ("203.0.113.1", false),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(text.parse().unwrap()), private, "{text}");
        }
        assert!(is_nowhere("::".parse().unwrap()) && !is_nowhere("::1".parse().unwrap()));
    }
}
