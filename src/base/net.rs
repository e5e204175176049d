//! What sort of address or name one is.

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

/// Where the Docker Engine answers over TCP, where it does.
pub const ENGINE: [u16; 2] = [2375, 2376];

/// What clouds tell their machines, credentials among it, at addresses that are not link-local.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether only this machine is told something there: link-local addresses, and what clouds have beside them.
pub fn is_told_here_only(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    link_local || METADATA.contains(&ip)
}

/// The address that is meant: one of IPv4 may stand in one of IPv6 (mapped; NAT64, RFC 6052; 6to4, RFC 3056).
pub fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else { return address.to_canonical() };
    let s = v6.segments();
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low]
            if v6 != Ipv6Addr::LOCALHOST && !v6.is_unspecified() =>
        {
            four(high, low)
        }
        [0x2002, high, low, ..] => four(high, low),
        _ => IpAddr::V6(v6),
    }
}

/// Below it authorities ask for answers to challenges over HTTP (RFC 8555, 8.3).
pub const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// The cookie of a session, on the panel and on every host behind it. `__Host-` (RFC 6265bis, 4.1.3.2): no other host can set it, and it goes
/// to none but the one that did.
pub const SESSION: &str = "__Host-hearth";

/// Names that are reserved, or that routers use for a home: no public DNS knows them, and no public authority issues for them.
const RESERVED: [&str; 11] =
    ["home.arpa", "internal", "local", "localhost", "test", "invalid", "example", "lan", "home", "corp", "private"];

/// Whether a name can be one that the world knows.
pub fn is_of_the_world(name: &str) -> bool {
    let under = |zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !RESERVED.into_iter().any(under)
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

    #[test]
    fn names_of_homes_are_not_the_worlds() {
        for (name, world) in [
            ("a.example.org", true),
            ("mylan.org", true),
            ("nas", false),
            ("a.home.arpa", false),
            ("home.arpa", false),
            ("a.fritz.lan", false),
        ] {
            assert_eq!(is_of_the_world(name), world, "{name}");
        }
    }
}
