//! `[IP:][HOST:]CONTAINER[/protocol]` of a service's `ports`.

use std::net::IpAddr;

/// One port of a short form; a range gives several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortPort {
    pub host_ip: String,
    pub target: u16,
    /// Empty, a number, or a range from which the Engine picks.
    pub published: String,
    pub protocol: String,
}

/// Takes a short port apart. Sorted by the text `target/protocol`, as Compose does.
pub fn parse(spec: &str) -> Result<Vec<ShortPort>, String> {
    let parts: Vec<&str> = spec.split(':').collect();
    let (ip, host, container) = match parts.as_slice() {
        [container] => (String::new(), "", *container),
        [host, container] => (String::new(), *host, *container),
        [ip @ .., host, container] => (ip.join(":"), *host, *container),
        [] => return Err("a port cannot be empty".into()),
    };
    let (container, protocol) = match container.split_once('/') {
        Some((port, rest)) => (port, rest.split('/').next().filter(|p| !p.is_empty()).unwrap_or("tcp")),
        None => (container, "tcp"),
    };
    let ip = address(&ip)?;
    if container.is_empty() {
        return Err("there is no container port".into());
    }
    let (first, last) = range(container).ok_or_else(|| format!("`{container}` is no container port"))?;
    let published = match host {
        "" => None,
        host => Some(range(host).ok_or_else(|| format!("`{host}` is no host port"))?),
    };
    if let Some((from, to)) = published
        && last - first != to - from
        && first != last
    {
        return Err(format!("the ranges {host} and {container} differ in length"));
    }
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("`{protocol}` is no protocol: tcp, udp or sctp"));
    }
    let mut ports: Vec<ShortPort> = (first..=last)
        .map(|target| ShortPort {
            host_ip: ip.clone(),
            target,
            published: match published {
                None => String::new(),
                Some((from, to)) if first == last && from != to => format!("{from}-{to}"),
                Some((from, _)) => (from as u32 + (target - first) as u32).to_string(),
            },
            protocol: protocol.clone(),
        })
        .collect();
    ports.sort_by_key(|p| format!("{}/{}", p.target, p.protocol));
    Ok(ports)
}

fn address(ip: &str) -> Result<String, String> {
    let bare = match ip.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(|| format!("`{ip}` is no IP address"))?,
        None => ip,
    };
    match bare.is_empty() && ip.is_empty() || bare.parse::<IpAddr>().is_ok() {
        true => Ok(bare.to_string()),
        false => Err(format!("`{ip}` is no IP address")),
    }
}

/// `80` or `80-85`.
fn range(text: &str) -> Option<(u16, u16)> {
    let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<u16>().ok()).flatten();
    match text.split_once('-') {
        None => number(text).map(|n| (n, n)),
        Some((from, to)) => number(from).zip(number(to)).filter(|(from, to)| from <= to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(spec: &str) -> Vec<String> {
        let one = |p: ShortPort| format!("{}|{}|{}/{}", p.host_ip, p.published, p.target, p.protocol);
        parse(spec).map(|ports| ports.into_iter().map(one).collect()).unwrap_or_else(|e| vec![e])
    }

    #[test]
    fn short_ports_come_apart_as_compose_takes_them() {
        assert_eq!(shown("80"), ["||80/tcp"]);
        assert_eq!(shown("8080:80/UDP"), ["|8080|80/udp"]);
        assert_eq!(shown("127.0.0.1::80"), ["127.0.0.1||80/tcp"]);
        assert_eq!(shown("[::1]:80:80"), ["::1|80|80/tcp"]);
        assert_eq!(shown("8080-8081:80"), ["|8080-8081|80/tcp"]);
        assert_eq!(shown("98-100"), ["||100/tcp", "||98/tcp", "||99/tcp"]);
        assert_eq!(shown("3000-3001:4000-4001"), ["|3000|4000/tcp", "|3001|4001/tcp"]);
        for wrong in ["80-85:80-81", "a:80", "1.2.3:80:80", "80/foo", "", "70000", "80:"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
