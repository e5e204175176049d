//! Names looked up with resolvers that see what the world sees, and with the name servers of a zone themselves.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

/// Public resolvers: those of a home may show it other records than the world.
const PUBLIC: [Ipv4Addr; 3] = [Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::new(9, 9, 9, 9), Ipv4Addr::new(8, 8, 8, 8)];
/// One question.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest chain of CNAMEs that is followed.
const LINKS: usize = 8;

/// Asks for names.
#[derive(Clone)]
pub struct Lookup {
    resolver: TokioResolver,
}

/// What one name server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    Yes,
    No,
    /// It does not answer.
    Silent,
}

impl Lookup {
    /// With these resolvers, or public ones.
    pub fn new(resolvers: &[SocketAddr]) -> Result<Lookup, String> {
        let public = PUBLIC.map(|ip| SocketAddr::new(IpAddr::V4(ip), 53));
        let servers = if resolvers.is_empty() { &public[..] } else { resolvers };
        Ok(Lookup { resolver: open(servers, true)? })
    }

    /// The name that `name` leads to by CNAMEs: itself where there is none.
    pub async fn canonical(&self, name: &str) -> String {
        let mut at = name.to_owned();
        for _ in 0..LINKS {
            let next = self.records(&at, RecordType::CNAME).await.into_iter().find_map(|data| match data {
                RData::CNAME(target) => Some(plain(&target.0.to_utf8())),
                _ => None,
            });
            match next {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        at
    }

    /// The zone that a name lies in: the nearest above it (or itself) that has an SOA record.
    pub async fn zone(&self, name: &str) -> Option<String> {
        let mut candidate = name;
        loop {
            let absolute = format!("{candidate}.");
            let found = self.resolver.lookup(absolute.as_str(), RecordType::SOA).await.ok();
            let of = |record: &hickory_resolver::proto::rr::Record| {
                matches!(record.data, RData::SOA(_)) && plain(&record.name.to_utf8()).eq_ignore_ascii_case(candidate)
            };
            if found.is_some_and(|lookup| lookup.answers().iter().any(of)) {
                return Some(candidate.to_owned());
            }
            candidate = candidate.split_once('.').filter(|(_, rest)| rest.contains('.'))?.1;
        }
    }

    /// Addresses of a name, none where there are none; `None`: nobody could be asked.
    pub async fn found(&self, name: &str) -> Option<Vec<IpAddr>> {
        found(&self.resolver, name).await
    }

    /// The same, as the name servers of its zone tell it: what no resolver on the way has changed.
    pub async fn authoritative(&self, name: &str) -> Option<Vec<IpAddr>> {
        let name = self.canonical(name).await;
        let zone = self.zone(&name).await?;
        for data in self.records(&zone, RecordType::NS).await {
            let RData::NS(server) = data else { continue };
            for ip in self.addresses(&plain(&server.0.to_utf8())).await {
                let Ok(direct) = open(&[SocketAddr::new(ip, 53)], false) else { continue };
                if let Some(found) = found(&direct, &name).await {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Addresses of a name: A and AAAA.
    pub async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let (four, six) =
            futures_util::future::join(self.records(name, RecordType::A), self.records(name, RecordType::AAAA)).await;
        four.iter().chain(&six).filter_map(address).collect()
    }

    /// What each name server of the zone shows under `name`, asked directly: whether `value` is there.
    pub async fn everywhere(&self, zone: &str, name: &str, value: &str) -> Vec<(String, Shows)> {
        let servers = self.records(zone, RecordType::NS).await.into_iter().filter_map(|data| match data {
            RData::NS(server) => Some(plain(&server.0.to_utf8())),
            _ => None,
        });
        join_all(servers.map(|server| async move {
            let shows = self.at(&server, name, value).await;
            (server, shows)
        }))
        .await
    }

    async fn at(&self, server: &str, name: &str, value: &str) -> Shows {
        let asked = self.addresses(server).await.into_iter().map(|ip| async move {
            let Ok(direct) = open(&[SocketAddr::new(ip, 53)], false) else { return Shows::Silent };
            match direct.lookup(format!("{name}."), RecordType::TXT).await {
                Ok(found) if found.answers().iter().any(|record| text(&record.data).as_deref() == Some(value)) => {
                    Shows::Yes
                }
                Ok(_) => Shows::No,
                Err(error) if error.is_no_records_found() => Shows::No,
                Err(_) => Shows::Silent,
            }
        });
        // A server that this machine cannot reach over one protocol answers over the other.
        let all = join_all(asked).await;
        let has = |what: Shows| all.contains(&what);
        if has(Shows::No) {
            Shows::No
        } else if has(Shows::Yes) {
            Shows::Yes
        } else {
            Shows::Silent
        }
    }

    /// All texts under a name.
    pub async fn texts(&self, name: &str) -> Vec<String> {
        self.records(name, RecordType::TXT).await.iter().filter_map(text).collect()
    }

    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let found = self.resolver.lookup(format!("{name}."), kind).await;
        found.map(|lookup| lookup.answers().iter().map(|record| record.data.clone()).collect()).unwrap_or_default()
    }
}

async fn found(resolver: &TokioResolver, name: &str) -> Option<Vec<IpAddr>> {
    let ask = |kind: RecordType| async move {
        match resolver.lookup(format!("{name}."), kind).await {
            Ok(found) => Some(found.answers().iter().filter_map(|record| address(&record.data)).collect()),
            Err(error) if error.is_no_records_found() => Some(Vec::new()),
            Err(_) => None,
        }
    };
    let (four, six) = futures_util::future::join(ask(RecordType::A), ask(RecordType::AAAA)).await;
    let all: Option<Vec<Vec<IpAddr>>> = [four, six].into_iter().collect();
    all.map(|all| all.concat())
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(a) => Some(IpAddr::V6(a.0)),
        _ => None,
    }
}

fn open(servers: &[SocketAddr], recursive: bool) -> Result<TokioResolver, String> {
    let one = |address: &SocketAddr| {
        // TCP where an answer is cut off or lost.
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        connections.iter_mut().for_each(|connection| connection.port = address.port());
        NameServerConfig::new(address.ip(), true, connections)
    };
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(one).collect());
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.timeout = PATIENCE;
    options.attempts = 2;
    options.try_tcp_on_error = true;
    options.recursion_desired = recursive;
    options.use_hosts_file = ResolveHosts::Never;
    options.preserve_intermediates = true;
    builder.build().map_err(|error| error.to_string())
}

fn text(data: &RData) -> Option<String> {
    match data {
        RData::TXT(text) => Some(text.txt_data.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()),
        _ => None,
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}
