//! Names for a home that no public DNS knows: what to put where, so that devices find them.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `/etc/hosts` of a device: one line, each name by itself, since it knows no wildcards.
    Hosts,
    /// dnsmasq, OpenWrt, and what is made of it.
    Dnsmasq,
    /// Pi-hole 6: `pihole.toml`, which takes single names.
    Pihole,
}

/// The text for these names at one address.
pub fn render(format: Format, address: IpAddr, domain: &str, hosts: &BTreeSet<&str>) -> String {
    match format {
        Format::Hosts => {
            let names: Vec<&str> = hosts.iter().copied().collect();
            format!("# into /etc/hosts of each device\n{address} {}\n", names.join(" "))
        }
        Format::Dnsmasq => {
            let mut text =
                format!("# dnsmasq: everything under {domain}, and names besides\naddress=/{domain}/{address}\n");
            for host in hosts.iter().filter(|host| !under(host, domain)) {
                text.push_str(&format!("host-record={host},{address}\n"));
            }
            text
        }
        Format::Pihole => {
            let each: Vec<String> = hosts.iter().map(|host| format!("    \"{address} {host}\"")).collect();
            format!(
                "# Pi-hole 6: into [dns] of /etc/pihole/pihole.toml, or one by one under Settings > Local DNS Records\nhosts = [\n{}\n]\n",
                each.join(",\n")
            )
        }
    }
}

fn under(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_in_every_format() {
        let hosts = BTreeSet::from(["a.home.arpa", "photos.example.com"]);
        let of = |format| render(format, IpAddr::from([192, 168, 1, 10]), "home.arpa", &hosts);
        assert_eq!(of(Format::Hosts).lines().last(), Some("192.168.1.10 a.home.arpa photos.example.com"));
        assert!(
            of(Format::Dnsmasq)
                .ends_with("address=/home.arpa/192.168.1.10\nhost-record=photos.example.com,192.168.1.10\n")
        );
        assert!(of(Format::Pihole).contains("\"192.168.1.10 photos.example.com\""));
    }
}
