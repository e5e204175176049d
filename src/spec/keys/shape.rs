//! What a host, a path and an address of a route may look like: as they are written, and once more when their variables have values.

use std::net::Ipv6Addr;

use crate::base::net::CHALLENGES;
use crate::compose::template;
use crate::traefik::forward::OWN;

/// Characters of one part of a name, and of a whole name (RFC 1035).
const LABEL: usize = 63;
const NAME: usize = 253;

/// The host as Traefik compares it: lower case, punycode. Or how to write it.
pub(super) fn host(text: &str) -> Result<String, String> {
    if text == "@" || !template::variables(text).is_empty() {
        return Ok(text.to_string());
    }
    if let Some((_, rest)) = text.split_once("://") {
        return Err(format!("write only the name: {}", rest.split(['/', ':']).next().unwrap_or(rest)));
    }
    if text.contains(['/', ':']) {
        return Err(format!(
            "write only the name, without port and path: {}",
            text.split(['/', ':']).next().unwrap_or(text)
        ));
    }
    if text.contains('*') {
        return Err("each name is routed by itself; list the names".into());
    }
    if let Some(why) = too_long(text) {
        return Err(why);
    }
    let ascii = idna::domain_to_ascii_strict(text.trim_end_matches('.')).map_err(|_| {
        // In punycode it may be too long.
        let long = idna::domain_to_ascii(text).ok().and_then(|ascii| too_long(&ascii));
        let made =
            "names are made of letters, digits and `-`, with dots between, as media or media.example.org".to_string();
        long.unwrap_or(made)
    })?;
    if ascii.is_empty() || ascii.parse::<std::net::IpAddr>().is_ok() {
        return Err("write a name, as media or media.example.org".into());
    }
    Ok(ascii)
}

/// Why a name is longer than DNS takes, where it is.
pub fn too_long(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.');
    let part = name.split('.').map(|part| part.chars().count()).max().unwrap_or_default();
    if part > LABEL {
        return Some(format!(
            "a part between dots has {LABEL} characters at most, and here is one of {part}: shorten it"
        ));
    }
    let length = name.chars().count();
    (length > NAME).then(|| format!("a name has {NAME} characters at most, and this one {length}: shorten it"))
}

/// Whether a rule may hold it: its text ends with a backtick, and Traefik compares cleaned paths.
pub fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains(['`', '?', '#', '\\'])
        && !path.contains("//")
        && !path.chars().any(|c| c.is_control() || c == ' ')
}

/// Whether a part of it is `.` or `..`, in any spelling: Traefik compares paths without them.
pub(super) fn has_dots(path: &str) -> bool {
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    plain.split('/').any(|part| matches!(part, "." | ".."))
}

/// What is denied in a request's path on hosts that have a route with a path.
pub(super) fn denied(path: &str) -> Option<&str> {
    if path.contains(';') {
        return Some(";");
    }
    let codes = path.match_indices('%').filter_map(|(at, _)| path.get(at..at + 3));
    let is_denied = |code: &&str| matches!(code.to_ascii_lowercase().as_str(), "%2f" | "%5c" | "%00" | "%25" | "%3b");
    codes.into_iter().find(is_denied)
}

/// What stays encoded in a path that Traefik compares (RFC 3986, 2.2): what would mean something else without. All else it decodes.
const RESERVED: &str = ":/?#[]@!$&'()*+,;=%";

/// The path as Traefik compares it, where that is another one than this.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| Some((hex, u8::from_str_radix(hex, 16).ok()?))) {
            Some((hex, byte)) => {
                rest = &tail[2..];
                match RESERVED.as_bytes().contains(&byte) {
                    true => bytes.extend(format!("%{}", hex.to_ascii_uppercase()).bytes()),
                    false => bytes.push(byte),
                }
            }
            None => bytes.push(*first),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text != path).then_some(text)
}

/// Whether it lies where only answers to authorities are, which come before every route.
pub(super) fn is_challenge(path: &str) -> bool {
    format!("{path}/").starts_with(CHALLENGES)
}

/// Whether it lies where the panel answers on hosts with a login, which comes before every route too.
pub(super) fn is_own(path: &str) -> bool {
    format!("{path}/").starts_with(OWN)
}

/// Whether a request can ever have it as the path of a route.
pub fn is_route_path(path: &str) -> bool {
    is_path(path)
        && !has_dots(path)
        && denied(path).is_none()
        && decoded(path).is_none()
        && !is_challenge(path)
        && !is_own(path)
}

/// A port: 1 to 65535.
pub fn is_port(text: &str) -> bool {
    !text.starts_with('+') && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// An address of HTTP, without a path.
pub fn is_url(text: &str) -> bool {
    let rest = ["http://", "https://", "h2c://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| {
        let (host, port) = split(rest.strip_suffix('/').unwrap_or(rest));
        is_machine(host) && port.is_none_or(is_port)
    })
}

/// A host with a port.
pub fn is_address(text: &str) -> bool {
    let (host, port) = split(text);
    is_machine(host) && port.is_some_and(is_port)
}

/// `[::1]:80` and `nas:80`, divided.
fn split(text: &str) -> (&str, Option<&str>) {
    let from = if text.starts_with('[') { text.find(']').unwrap_or_default() } else { 0 };
    match text[from..].find(':') {
        Some(at) => (&text[..from + at], Some(&text[from + at + 1..])),
        None => (text, None),
    }
}

fn is_machine(host: &str) -> bool {
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port_that_there_can_be() {
        for good in ["http://nas", "http://nas:5000/", "https://192.168.1.20", "http://[fd00::1]", "h2c://[::1]:81"] {
            assert!(is_url(good), "{good}");
        }
        for bad in
            ["nas", "http://", "http://nas:abc", "http://nas:0", "http://nas:", "http://nas:70000", "http://nas/x"]
        {
            assert!(!is_url(bad), "{bad}");
        }
        for bad in ["http://fd00::1:80", "http://[x]:80", "http://[::1", "http://[::1]x", "http://a b"] {
            assert!(!is_url(bad), "{bad}");
        }
        assert!(is_address("nas:53") && is_address("[fd00::1]:53"));
        assert!(!is_address("nas") && !is_address("nas:x") && !is_address(":53") && !is_address("nas:+53"));
    }

    #[test]
    fn a_path_is_written_as_it_is_compared() {
        for (path, compared) in [
            ("/caf%C3%A9", Some("/café")),
            ("/a%20b", Some("/a b")),
            ("/%7euser", Some("/~user")),
            ("/a%3ab", Some("/a%3Ab")),
            ("/a%3Ab", None),
            ("/café", None),
            ("/a%zz", None),
            ("/a%", None),
        ] {
            assert_eq!(decoded(path).as_deref(), compared, "{path}");
        }
        assert!(is_challenge("/.well-known/acme-challenge/x") && !is_challenge("/.well-known/acme-challenges"));
    }

    #[test]
    fn a_name_that_is_too_long_is_told_how_long_it_may_be() {
        assert!(host(&"a".repeat(63)).is_ok());
        assert!(host(&"a".repeat(64)).unwrap_err().contains("63 characters at most, and here is one of 64"));
        let long = format!("{}org", "aaaaaaaaa.".repeat(26));
        assert!(host(&long).unwrap_err().contains("253 characters at most, and this one 263"));
        // In punycode it is longer.
        assert!(host(&"ü".repeat(63)).unwrap_err().contains("63 characters at most"));
    }
}
