//! The flags that Traefik starts with, and the ports of this machine that it takes. All of it stands in the rendered Compose file,
//! so what changes here makes Traefik a new container, which the plan shows.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::file::CROWD;
use super::route::Entry;

/// The folder that Traefik's file provider reads, inside its container.
pub const DYNAMIC: &str = "/etc/hearth/dynamic";
/// Where Hearth asks Traefik about itself; never published.
pub const API_PORT: u16 = 8082;
/// For the container's own health check, on its loopback.
const PING_PORT: u16 = 8083;
/// Where Traefik listens inside its container by itself: no route of a port can have these.
pub const INSIDE: [u16; 4] = [80, 443, API_PORT, PING_PORT];
/// Gate's name in Traefik's own hosts file, which comes before all that other containers may call themselves.
pub const GATE: &str = "gate.hearth.internal";
/// Hearth's own name there, where Hearth runs as a container.
pub const HEARTH: &str = "panel.hearth.internal";
/// Where gate shows Docker, as Traefik reaches it.
pub const DOCKER: &str = "tcp://gate.hearth.internal:2375";
/// The oldest Traefik that Hearth manages: older ones have known ways past a login (Go vulnerability database, 2026-08-21).
pub const MINIMUM: (u32, u32, u32) = (3, 7, 10);
/// The image that is run where `.env` names no other.
pub const IMAGE: &str = "traefik:v3.7.13";

/// The longest head of a request, in bytes: above what [gate](crate::gate) and the panel refuse in words. Traefik holds a head twice until it is whole,
/// for as long as an upload may take.
const HEAD: u32 = 64 * 1024;
/// How many requests one HTTP/2 connection may have at once: as many as RFC 9113 (6.5.2) advises at least.
const STREAMS: u32 = 100;
/// How long a request over plain HTTP may take to come, as a Go duration: Traefik's own measure. Nobody uploads there, since all is sent to HTTPS.
const PLAIN_READ: &str = "60s";

/// What the access log says of a request: a third of what Traefik has to say, for most of the work is in writing it, and disks of homes are small.
const LOGGED: [&str; 13] = [
    "ClientHost",
    "DownstreamContentSize",
    "DownstreamStatus",
    "Duration",
    "OriginDuration",
    "OriginStatus",
    "RequestContentSize",
    "RequestHost",
    "RequestMethod",
    "RequestPath",
    "RouterName",
    "ServiceName",
    "StartUTC",
];

/// What a home decides about Traefik.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The addresses of this machine on which it listens.
    pub bind: Vec<IpAddr>,
    pub http: u16,
    pub https: u16,
    /// How long one upload may take, as a Go duration.
    pub upload_timeout: String,
    /// The oldest version that is accepted.
    pub minimum: (u32, u32, u32),
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            // IPv4 only: over IPv6 an engine may hide who asks, and then everybody would be at home.
            bind: vec![IpAddr::from([0, 0, 0, 0])],
            http: 80,
            https: 443,
            upload_timeout: "1h".into(),
            minimum: MINIMUM,
        }
    }
}

impl Settings {
    /// Where this machine itself reaches one of Traefik's ports.
    pub fn own_address(&self, port: u16) -> SocketAddr {
        let bind = self.bind.first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let ip = match bind {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        SocketAddr::new(ip, port)
    }
}

/// The flags, in a fixed order. `entries` are those of all routes, of profiles that are off too: turning one on must not make
/// Traefik a new container.
pub fn flags(settings: &Settings, entries: &BTreeSet<(u16, bool)>) -> Vec<String> {
    let mut flags: Vec<String> = [
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--api=true",
        "--api.dashboard=false",
        "--api.insecure=false",
        "--ping=true",
        "--ping.entrypoint=ping",
    ]
    .map(String::from)
    .into();
    flags.push(format!("--entrypoints.ping.address=127.0.0.1:{PING_PORT}"));
    flags.push(format!("--entrypoints.api.address=:{API_PORT}"));
    flags.push("--entrypoints.api.http.tls=true".into());
    for (point, port, reading) in [("web", 80, PLAIN_READ), ("websecure", 443, settings.upload_timeout.as_str())] {
        let point = format!("--entrypoints.{point}");
        flags.push(format!("{point}.address=:{port}"));
        flags.push(format!("{point}.http.underscoreheadersstrategy=delete"));
        flags.push(format!("{point}.http.sanitizepath=true"));
        flags.push(format!("{point}.http.maxheaderbytes={HEAD}"));
        flags.push(format!("{point}.http2.maxconcurrentstreams={STREAMS}"));
        flags.push(format!("{point}.transport.respondingtimeouts.readtimeout={reading}"));
        flags.push(format!("{point}.transport.respondingtimeouts.idletimeout=180s"));
    }
    // A router that names no entry point gets this one, where all is redirected, and never the private one.
    flags.push("--entrypoints.web.asdefault=true".into());
    // Without it a router that forgets `tls` would be served in clear on 443.
    flags.push("--entrypoints.websecure.http.tls=true".into());
    flags.push(format!("--entrypoints.websecure.http.middlewares={CROWD}@file"));
    for (port, udp) in entries {
        let (name, protocol) = if *udp { ("udp", "/udp") } else { ("tcp", "/tcp") };
        flags.push(format!("--entrypoints.{name}-{port}.address=:{port}{protocol}"));
    }
    flags.push(format!("--providers.docker.endpoint={DOCKER}"));
    flags.push("--providers.docker.exposedbydefault=false".into());
    flags.push("--providers.docker.allowemptyservices=false".into());
    flags.push("--providers.docker.defaultrule=Host(`no-rule.invalid`)".into());
    flags.push(format!("--providers.file.directory={DYNAMIC}"));
    flags.push("--providers.file.watch=true".into());
    flags.push("--providers.precedence=file,docker".into());
    flags.push("--accesslog=true".into());
    flags.push("--accesslog.format=json".into());
    // Written by the side, so that no request waits for the one who takes the lines.
    flags.push("--accesslog.bufferingsize=100".into());
    flags.push("--accesslog.fields.defaultmode=drop".into());
    flags.extend(LOGGED.iter().map(|name| format!("--accesslog.fields.names.{name}=keep")));
    flags.push("--accesslog.fields.headers.defaultmode=drop".into());
    flags.push("--accesslog.fields.queryparameters.defaultmode=drop".into());
    flags
}

/// The ports of this machine, as Compose's short form.
pub fn ports(settings: &Settings, entries: &BTreeSet<(u16, bool)>) -> Vec<String> {
    let mut ports = Vec::new();
    for bind in &settings.bind {
        let bind = match bind {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        ports.push(format!("{bind}:{}:80", settings.http));
        ports.push(format!("{bind}:{}:443", settings.https));
        for (port, udp) in entries {
            ports.push(format!("{bind}:{port}:{port}{}", if *udp { "/udp" } else { "" }));
        }
    }
    ports
}

/// The port of a TCP or UDP route and whether it is UDP.
pub fn entry(entry: &Entry) -> Option<(u16, bool)> {
    match entry {
        Entry::Web { .. } => None,
        Entry::Tcp(port) => Some((*port, false)),
        Entry::Udp(port) => Some((*port, true)),
    }
}

/// `3.7.13` of `v3.7.13`, `3.7.13-rc.1` or `traefik:v3.7.13`; a tag as `v3.7` or `latest` says nothing.
pub fn version(text: &str) -> Option<(u32, u32, u32)> {
    let tag = text.rsplit(':').next().unwrap_or(text).trim_start_matches('v');
    let mut parts = tag.split(['.', '-', '+']);
    let mut number = || parts.next()?.parse::<u32>().ok();
    Some((number()?, number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_tags_and_answers() {
        for (text, wanted) in [
            ("v3.7.13", Some((3, 7, 13))),
            ("traefik:v3.7.9", Some((3, 7, 9))),
            ("3.7.10-rc.1", Some((3, 7, 10))),
            ("traefik:v3.7", None),
            ("latest", None),
        ] {
            assert_eq!(version(text), wanted, "{text}");
        }
    }

    #[test]
    fn each_raw_route_has_an_entry_point_and_a_port() {
        let entries = BTreeSet::from([(5432, false), (53, true)]);
        let settings = Settings::default();
        let flags = flags(&settings, &entries);
        assert!(flags.contains(&"--entrypoints.tcp-5432.address=:5432/tcp".to_string()));
        assert!(flags.contains(&"--entrypoints.udp-53.address=:53/udp".to_string()));
        let ports = ports(&settings, &entries);
        assert_eq!(ports, ["0.0.0.0:80:80", "0.0.0.0:443:443", "0.0.0.0:53:53/udp", "0.0.0.0:5432:5432"]);
    }
}
