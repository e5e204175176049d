//! What a local certificate may be for: names and addresses, and the constraints that keep the root to them.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::diag::Diagnostic;

/// Zones that every home's root may sign for: those that can never be somebody's on the internet.
const RESERVED: [&str; 4] = ["home.arpa", "internal", "local", "localhost"];

/// Addresses that are never a public server's.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// One subject of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Lower case, punycode, no dot at the end; may begin with `*.`.
    Dns(String),
    Ip(IpAddr),
}

impl Name {
    /// Reads a name as people write it.
    pub fn parse(text: &str) -> Result<Name, Diagnostic> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Name::Ip(ip.to_canonical()));
        }
        let (star, rest) = match text.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", text),
        };
        let plain =
            zone(rest).ok_or_else(|| bad(text, "names are made of letters, digits and `-`, as nas.home.arpa"))?;
        if !star.is_empty() && !plain.contains('.') {
            return Err(bad(text, "no browser accepts a star right below a top-level name: name each host"));
        }
        Ok(Name::Dns(format!("{star}{plain}")))
    }
}

/// A zone or plain name in its normal form; `None` where it is none.
pub fn zone(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text.strip_suffix('.').unwrap_or(text)).ok()?;
    let label = |l: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        l.len() <= 63 && edge(l.chars().next()) && edge(l.chars().last()) && l.chars().all(inside)
    };
    let numeric = ascii.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    (ascii.len() <= 253 && !numeric && ascii.split('.').all(label)).then_some(ascii)
}

fn bad(text: &str, hint: &str) -> Diagnostic {
    Diagnostic::error("certs.bad-name", format!("`{text}` cannot be a certificate's name")).hint(hint)
}

/// What a root may sign for: zones with all below them, and ranges of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permitted {
    pub zones: Vec<String>,
    pub ranges: Vec<IpNet>,
}

impl Permitted {
    /// The reserved zones, the private ranges, and the home's own zones.
    pub fn of(zones: &[String]) -> Result<Permitted, Diagnostic> {
        let mut all: Vec<String> = RESERVED.map(str::to_owned).to_vec();
        for text in zones {
            let zone = zone(text).ok_or_else(|| bad(text, "write the home's domain, as home.example.org"))?;
            if !all.iter().any(|known| within(&zone, known)) {
                all.push(zone);
            }
        }
        let ranges = PRIVATE.iter().filter_map(|range| IpNet::from_str(range).ok()).collect();
        Ok(Permitted { zones: all, ranges })
    }

    pub fn allows(&self, name: &Name) -> bool {
        match name {
            Name::Dns(name) => {
                let base = name.strip_prefix("*.").unwrap_or(name);
                self.zones.iter().any(|zone| within(base, zone))
            }
            Name::Ip(ip) => self.ranges.iter().any(|range| range.contains(ip)),
        }
    }
}

fn within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for (text, name) in [
            ("Nas.Home.Arpa.", "nas.home.arpa"),
            ("*.Example.org", "*.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(Name::parse(text).unwrap(), Name::Dns(name.into()), "{text}");
        }
        for (text, ip) in [("192.168.1.2", "192.168.1.2"), ("[::1]", "::1"), ("::ffff:10.0.0.1", "10.0.0.1")] {
            assert_eq!(Name::parse(text).unwrap(), Name::Ip(ip.parse().unwrap()), "{text}");
        }
        for text in ["", "*", "a b", "a..b", "*.internal", "a.*.b", "-a.example", "1.2.3", "a/b", &"a".repeat(64)] {
            assert_eq!(Name::parse(text).unwrap_err().code, "certs.bad-name", "{text}");
        }
    }

    #[test]
    fn only_what_is_private_or_the_homes_is_permitted() {
        let permitted = Permitted::of(&["Example.org".into(), "nas".into(), "sub.example.org".into()]).unwrap();
        assert_eq!(permitted.zones[4..], ["example.org", "nas"]);
        let allows = |text: &str| permitted.allows(&Name::parse(text).unwrap());
        for good in ["example.org", "*.example.org", "a.b.example.org", "nas", "nas.local", "localhost", "x.internal"] {
            assert!(allows(good), "{good}");
        }
        for good in ["10.1.2.3", "172.31.0.1", "192.168.0.1", "127.0.0.1", "100.100.0.1", "fd00::1", "fe80::1", "::1"] {
            assert!(allows(good), "{good}");
        }
        for bad in ["google.com", "notexample.org", "org", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1"] {
            assert!(!allows(bad), "{bad}");
        }
    }
}
