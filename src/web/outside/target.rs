//! An address on another server: scheme, host, port, path. Nothing in it can be read in two ways.

use std::net::{IpAddr, Ipv6Addr};

/// No address that we ask for is longer.
const LONGEST: usize = 2000;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    https: bool,
    /// Lower case; an IPv6 address without its brackets.
    host: String,
    port: u16,
    /// With what stands behind the `?`.
    path: String,
}

impl Target {
    /// Reads an absolute URL of http or https. The error is the rest of a sentence that begins with the address.
    pub fn parse(text: &str) -> Result<Target, &'static str> {
        if text.len() > LONGEST {
            return Err("is too long");
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['\\', '"', '<', '>']) {
            return Err("holds a character that no address has");
        }
        let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("does not begin with https://"),
        };
        if rest.contains('#') {
            return Err("has a part behind a `#`");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err("has a name before an `@`");
        }
        let (host, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(None) => return Err("has a bracket that nothing closes"),
            Some(Some((address, port))) => {
                address.parse::<Ipv6Addr>().map_err(|_| "has no IPv6 address between its brackets")?;
                (address.to_ascii_lowercase(), port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host.to_ascii_lowercase(), Some(port).filter(|port| !port.is_empty())),
                None => (authority.to_ascii_lowercase(), Some("")),
            },
        };
        let usual = if https { 443 } else { 80 };
        let port = match port {
            Some("") => usual,
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
                port.parse().ok().filter(|n| *n > 0).ok_or("has no right port")?
            }
            _ => return Err("has no right port"),
        };
        let sign = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if host.is_empty() || host.starts_with('.') || host.contains("..") || !host.chars().all(sign) {
            return Err("has no right host");
        }
        let path = match path.chars().next() {
            None => "/".to_owned(),
            Some('?') => format!("/{path}"),
            Some(_) => path.to_owned(),
        };
        Ok(Target { https, host, port, path })
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// As `Host` writes it (RFC 9110, 7.2): with the port where it is not the usual one.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.https, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Whether the host is this machine itself, as it is written: no name is looked up for that.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The same scheme, host and port.
    pub fn same_place(&self, other: &Target) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_read_in_one_way_or_not_at_all() {
        for (text, authority, path) in [
            ("https://id.example", "id.example", "/"),
            ("https://ID.example:443/a?b=c", "id.example", "/a?b=c"),
            ("https://id.example:8443?x", "id.example:8443", "/?x"),
            ("http://127.0.0.1:5556/dex", "127.0.0.1:5556", "/dex"),
            ("https://[::1]:9000/x", "[::1]:9000", "/x"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.authority().as_str(), target.path()), (authority, path), "{text}");
        }
        for text in [
            "id.example",
            "ftp://id.example",
            "unix:///var/run/docker.sock",
            "https://",
            "https:///path",
            "https://user@id.example",
            "https://id.example@169.254.169.254/",
            "https://id.example\\@other.example",
            "https://id.example#@other.example",
            "https://id.example:",
            "https://id.example:0",
            "https://id.example:+443",
            "https://id.example:99999",
            "https://a:b:c",
            "https://[::1",
            "https://[::1]x",
            "https://[id.example]",
            "https://id .example",
            "https://id.example/\r\nHost: x",
            "https://..",
            "https://é.example",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "https?://[ -~]{0,60}") {
            if let Ok(target) = Target::parse(&text) {
                let scheme = if target.is_https() { "https" } else { "http" };
                let again = format!("{scheme}://{}{}", target.authority(), target.path());
                prop_assert_eq!(Target::parse(&again), Ok(target));
            }
        }
    }
}
