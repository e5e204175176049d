//! Where a request of ours may go. What a setting names may be in the home's own network; what the answer of another server names may not lead to
//! where only this machine gets: its own services, the Docker Engine, what a cloud tells its machines about themselves.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Target;
use crate::base::net::{ENGINE, is_told_here_only, plain};

/// Names of services inside Hearth's own networks end so.
const INNER: [&str; 3] = [".internal", ".docker.internal", ".localdomain"];

/// What may be asked in somebody's name.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Networks in which Hearth's own services are; nobody leads there.
    pub inner: Vec<IpNet>,
}

impl Reach {
    /// Whether a name may be looked up at all. The error is the end of a sentence.
    pub fn may_name(&self, target: &Target) -> Result<(), &'static str> {
        let host = target.host().trim_end_matches('.');
        if ENGINE.contains(&target.port()) {
            return Err("that is a port of the Docker Engine, which is asked by nobody but Hearth itself");
        }
        if INNER.iter().any(|end| host.ends_with(end)) {
            return Err("that is a name inside Hearth's own networks");
        }
        if !target.is_https() && !target.is_loopback() {
            return Err("plain HTTP is for this machine itself only");
        }
        Ok(())
    }

    /// Whether an address that a name led to may be connected to.
    pub fn may_connect(&self, target: &Target, address: IpAddr) -> Result<(), &'static str> {
        let address = plain(address);
        if address.is_loopback() {
            return match target.is_loopback() {
                true => Ok(()),
                false => {
                    Err("its name leads to this machine itself (write 127.0.0.1 or localhost where that is meant)")
                }
            };
        }
        if target.is_loopback() {
            return Err("its name is that of this machine, and leads elsewhere");
        }
        if is_told_here_only(address) {
            return Err("its name leads to an address at which only this machine is told things");
        }
        let nobody = match address {
            IpAddr::V4(v4) => v4.is_broadcast() || v4.octets()[0] == 0 || v4.octets()[0] >= 240,
            IpAddr::V6(_) => false,
        };
        if address.is_unspecified() || address.is_multicast() || nobody {
            return Err("its name leads to no single machine");
        }
        if self.inner.iter().any(|net| net.contains(&address)) {
            return Err("its name leads into the networks of this home's own services");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(url: &str, address: &str) -> bool {
        let reach = Reach { inner: vec!["10.213.0.0/16".parse().unwrap()] };
        let target = Target::parse(url).unwrap();
        reach.may_name(&target).is_ok() && reach.may_connect(&target, address.parse().unwrap()).is_ok()
    }

    #[test]
    fn hostile_06_a_name_leads_neither_to_this_machine_nor_to_what_only_it_is_told() {
        for address in ["192.168.1.10", "10.0.0.9", "203.0.113.7", "fd12::7", "2001:db8::1", "100.64.0.9"] {
            assert!(judged("https://id.example", address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "10.213.4.7",
            "::ffff:10.213.4.7",
        ] {
            assert!(!judged("https://id.example", address), "{address}");
        }
    }

    #[test]
    fn hostile_06_plain_http_the_engine_and_inner_names_are_out_of_reach() {
        for (url, address) in [
            ("http://id.example", "192.168.1.10"),
            ("https://id.example:2376", "192.168.1.10"),
            ("http://127.0.0.1:2375", "127.0.0.1"),
            ("https://gate.hearth.internal:8081", "192.168.1.10"),
            ("https://host.docker.internal", "192.168.1.10"),
            ("https://metadata.google.internal.", "192.168.1.10"),
            ("http://localhost:5556", "192.168.1.10"),
        ] {
            assert!(!judged(url, address), "{url}");
        }
        for (url, address) in [
            ("http://127.0.0.1:5556", "127.0.0.1"),
            ("http://localhost:5556", "::1"),
            ("https://localhost", "127.0.0.1"),
        ] {
            assert!(judged(url, address), "{url}");
        }
    }
}
