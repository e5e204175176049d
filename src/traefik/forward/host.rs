//! The host that a request asks for, as routes have it: lower case, no port, no final dot.

/// Characters of a whole name (RFC 1035).
const LONGEST: usize = 253;

/// The host of `X-Forwarded-Host` or `Host`; `None` where it is none that a route could have.
///
/// Of `name:port` the port is taken off where it is one. Addresses and names in other scripts than ASCII are no route's.
pub fn normal(text: &str) -> Option<String> {
    let name = match text.split_once(':') {
        None => text,
        Some((name, port)) if (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) => return None,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let plain = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (name.len() <= LONGEST && name.split('.').all(plain)).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_in_every_spelling_that_browsers_send() {
        for (sent, host) in [
            ("app.example.org", Some("app.example.org")),
            ("APP.Example.ORG", Some("app.example.org")),
            ("app.example.org.", Some("app.example.org")),
            ("app.example.org:8443", Some("app.example.org")),
            ("app.example.org.:443", Some("app.example.org")),
            ("app", Some("app")),
            ("app.example.org..", None),
            ("app..example.org", None),
            (".example.org", None),
            ("app.example.org:", None),
            ("app.example.org:443:443", None),
            ("app.example.org:99999999", None),
            ("app.example.org@evil.example", None),
            ("evil.example/app.example.org", None),
            ("app.example.org\\.evil.example", None),
            ("app.example.org ", None),
            ("[::1]", None),
            ("", None),
            ("a\u{3002}b", None),
        ] {
            assert_eq!(normal(sent).as_deref(), host, "{sent}");
        }
        assert_eq!(normal(&"a.".repeat(200)), None);
    }
}
