//! What the arguments of a matcher must be.

use std::net::IpAddr;

use super::{Matcher, Name};

/// Which argument is wrong, why, and what would be right.
type Wrong = (usize, String, Option<String>);

pub(super) fn arguments(matcher: &Matcher) -> Result<(), Wrong> {
    let first = matcher.arguments.first().map_or("", String::as_str);
    let last = matcher.arguments.len().saturating_sub(1);
    match matcher.name {
        Name::Host => host(first),
        Name::HostRegexp | Name::HostSniRegexp => {
            ascii(first)?;
            expression(first, 0)
        }
        Name::PathRegexp => expression(first, 0),
        Name::HeaderRegexp => expression(&matcher.arguments[last], last),
        Name::QueryRegexp if last == 1 => expression(&matcher.arguments[1], 1),
        Name::Path | Name::PathPrefix if !first.starts_with('/') => {
            Err((0, format!("the path `{first}` does not begin with `/`"), Some(format!("write `/{first}`"))))
        }
        Name::ClientIp => address(first),
        Name::HostSni => sni(first),
        Name::Alpn if first == "acme-tls/1" => {
            Err((0, "`acme-tls/1` is kept for certificates: no router may take it".into(), None))
        }
        _ => Ok(()),
    }
}

fn ascii(text: &str) -> Result<(), Wrong> {
    match text.is_ascii() {
        true => Ok(()),
        false => Err((0, format!("the host `{text}` holds letters that no host name has"), Some(punycode(text)))),
    }
}

fn punycode(text: &str) -> String {
    match idna::domain_to_ascii(text) {
        Ok(ascii) if ascii != text => format!("write it as browsers send it: {ascii}"),
        _ => "write it in ASCII, as browsers send it".into(),
    }
}

/// ASCII, and something that a request's host can be: Traefik would take others, and never match them.
fn host(text: &str) -> Result<(), Wrong> {
    ascii(text)?;
    let never = |why: &str, hint: String| Err((0, format!("no request ever has the host `{text}`: {why}"), Some(hint)));
    if let Some((scheme, rest)) = text.split_once("://") {
        return never("the host stands without its scheme", format!("write `{rest}` without {scheme}://"));
    }
    if text.contains('/') {
        return never("a host holds no path", "write the path as PathPrefix(`/...`)".into());
    }
    if text.contains([' ', ',', '\t']) {
        return never("it is not one name", "write one Host for each name, joined with `||`".into());
    }
    let bare = text.strip_prefix("*.").unwrap_or(text);
    if text != "*" && bare.contains('*') {
        return never("`*` stands only for a whole first label", "write `*.example.org`, or HostRegexp".into());
    }
    if text.rsplit_once(':').is_some_and(|(name, port)| !name.contains(':') && port.bytes().all(|b| b.is_ascii_digit()))
    {
        return never("hosts are compared without their port", "write the name alone".into());
    }
    Ok(())
}

/// What Traefik takes as an SNI host: `*`, or letters, digits, `_`, `.`, `-`, `:`, with a leading `*.`.
fn sni(text: &str) -> Result<(), Wrong> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let fits = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-:".contains(&b));
    match fits || text == "*" {
        true => Ok(()),
        false => Err((0, format!("`{text}` is no host name"), (!text.is_ascii()).then(|| punycode(text)))),
    }
}

/// An address, or a network in CIDR notation.
fn address(text: &str) -> Result<(), Wrong> {
    if text.parse::<IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok() {
        return Ok(());
    }
    Err((0, format!("`{text}` is neither an IP address nor a network"), Some("write one, as 192.168.1.0/24".into())))
}

/// Go's regular expressions and ours have one grammar but for details, of which `\Q...\E` is the one in use.
fn expression(text: &str, index: usize) -> Result<(), Wrong> {
    if text.contains("\\Q") {
        return Ok(());
    }
    match regex_syntax::Parser::new().parse(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let why = match &error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "it cannot be read".into(),
            };
            Err((index, format!("`{text}` is no regular expression: {why}"), None))
        }
    }
}
