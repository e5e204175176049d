//! Proof of a name by a TXT record: set at the provider, seen on every name server of the zone, taken away again.
//!
//! The record of `_acme-challenge.<name>` is written where a CNAME of that name leads, in the zone that has an SOA record. Our value is added to
//! those that are there and only ours is removed; a provider that keeps one value for each name gets one at a time.

mod lookup;
mod providers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dns_update::{DnsRecord, DnsRecordType, DnsUpdater};
use serde_json::json;

pub use lookup::{Lookup, Shows};
use providers::Style;

use super::acme::http::Client;
use crate::base::secret::Secret;
use crate::config::certificates as config;
use crate::diag::{Diagnostic, Kind};

/// Between two looks at the name servers.
const STEP: Duration = Duration::from_secs(2);
/// Seconds; the shortest that most providers take.
const TTL: u32 = 60;

/// Credentials of a provider, by key.
#[derive(Debug, Default)]
pub struct Keys(pub BTreeMap<String, Secret>);

impl Keys {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", Secret::expose)
    }

    /// A provider's words without any of the secrets: some put them into URLs, and URLs into errors.
    fn hide(&self, words: &str) -> String {
        let secret = |(key, value): &(&String, &Secret)| {
            value.expose().len() > 3 && !matches!(key.as_str(), "server" | "url" | "region" | "endpoint" | "algorithm")
        };
        self.0
            .iter()
            .filter(secret)
            .fold(words.to_owned(), |words, (_, value)| words.replace(value.expose(), "(hidden)"))
    }
}

/// Where a record is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub zone: String,
    pub name: String,
}

/// Who sets records, and who is asked whether they are there.
#[derive(Clone)]
pub struct Dns {
    writer: Writer,
    keys: Arc<Keys>,
    style: Style,
    patience: Duration,
    pub lookup: Lookup,
}

#[derive(Clone)]
enum Writer {
    Api(Box<DnsUpdater>),
    AcmeDns(Box<Client>),
    /// A person sets it.
    Manual,
}

/// Why a record is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// The provider refused, or there is no such zone.
    Provider(String),
    /// It is not visible on all name servers.
    NotVisible(String),
    /// A person has to set this record.
    Person { name: String, value: String },
}

impl Dns {
    /// Opens the provider; `variables` are those of the home's `.env`.
    pub fn open(
        settings: &config::Dns,
        resolvers: &[SocketAddr],
        variables: &BTreeMap<String, String>,
        client: &Client,
    ) -> Result<Dns, Diagnostic> {
        let told = |why: String| {
            Diagnostic::error(
                "certs.no-provider",
                format!("the DNS provider {} cannot be used: {why}", settings.provider),
            )
            .kind(Kind::Invalid)
            .hint("check dns: under certificates: in hearth.yaml, and the variables in .env that it names")
        };
        let mut keys = BTreeMap::new();
        for (name, text) in &settings.keys {
            keys.insert(name.clone(), text.resolve(variables)?);
        }
        let keys = Keys(keys);
        let writer = match settings.provider.as_str() {
            "manual" => Writer::Manual,
            "acme-dns" => Writer::AcmeDns(Box::new(client.clone())),
            other => {
                let opened = providers::open(other, &keys).map_err(|error| told(keys.hide(&words(&error))))?;
                Writer::Api(Box::new(opened))
            }
        };
        Ok(Dns {
            writer,
            style: providers::style(&settings.provider),
            patience: settings.timeout.unwrap_or_else(|| providers::patience(&settings.provider)),
            keys: Arc::new(keys),
            lookup: Lookup::new(resolvers).map_err(told)?,
        })
    }

    /// Names are proved one after the other.
    pub fn is_sequential(&self) -> bool {
        self.style == Style::Single
    }

    /// Where the record of a name (without its star) is written.
    pub async fn place(&self, name: &str) -> Result<Place, Failed> {
        let name = self.lookup.canonical(&format!("_acme-challenge.{name}")).await;
        match self.lookup.zone(&name).await {
            Some(zone) => Ok(Place { zone, name }),
            None => Err(Failed::Provider(format!(
                "no zone was found above {name}; is the domain registered, and a name server set for it?"
            ))),
        }
    }

    /// Adds our value.
    pub async fn add(&self, place: &Place, value: &str) -> Result<(), Failed> {
        let record = vec![DnsRecord::TXT(value.to_owned())];
        let done = match (&self.writer, self.style) {
            (Writer::Manual, _) => Ok(()),
            (Writer::AcmeDns(client), _) => return self.acme_dns(client, value).await,
            (Writer::Api(api), Style::Several) => {
                api.add_to_rrset(place.name.as_str(), DnsRecordType::TXT, TTL, record, place.zone.as_str()).await
            }
            (Writer::Api(api), Style::Single) => {
                api.set_rrset(place.name.as_str(), DnsRecordType::TXT, TTL, record, place.zone.as_str()).await
            }
        };
        done.map_err(|error| Failed::Provider(self.keys.hide(&words(&error))))
    }

    /// Takes our value away, and no other.
    pub async fn remove(&self, place: &Place, value: &str) -> Result<(), Failed> {
        let record = vec![DnsRecord::TXT(value.to_owned())];
        let done = match (&self.writer, self.style) {
            // acme-dns keeps the two latest and has no call to remove one.
            (Writer::Manual | Writer::AcmeDns(_), _) => Ok(()),
            (Writer::Api(api), Style::Several) => {
                api.remove_from_rrset(place.name.as_str(), DnsRecordType::TXT, record, place.zone.as_str()).await
            }
            (Writer::Api(api), Style::Single) => {
                api.set_rrset(place.name.as_str(), DnsRecordType::TXT, TTL, Vec::new(), place.zone.as_str()).await
            }
        };
        done.map_err(|error| Failed::Provider(self.keys.hide(&words(&error))))
    }

    /// Whether any name server of the zone shows the value.
    pub async fn is_somewhere(&self, place: &Place, value: &str) -> bool {
        let servers = self.lookup.everywhere(&place.zone, &place.name, value).await;
        servers.iter().any(|(_, shows)| *shows == Shows::Yes)
    }

    /// Waits until every name server of the zone shows the value.
    pub async fn visible(&self, place: &Place, value: &str) -> Result<(), Failed> {
        let begin = tokio::time::Instant::now();
        loop {
            let servers = self.lookup.everywhere(&place.zone, &place.name, value).await;
            let missing: Vec<&str> =
                servers.iter().filter(|(_, shows)| *shows == Shows::No).map(|(server, _)| server.as_str()).collect();
            let seen = servers.iter().filter(|(_, shows)| *shows == Shows::Yes).count();
            if seen == servers.len() && seen > 0 {
                return Ok(());
            }
            let over = begin.elapsed() >= self.patience;
            // A name server that is down for all is not waited for for ever, as long as no other shows something else.
            if over && missing.is_empty() && seen > 0 {
                return Ok(());
            }
            if matches!(self.writer, Writer::Manual) {
                return Err(Failed::Person { name: place.name.clone(), value: value.to_owned() });
            }
            if over {
                let of = if missing.is_empty() {
                    "no name server answers".to_owned()
                } else {
                    format!("missing on {}", missing.join(", "))
                };
                let minutes = self.patience.as_secs().div_ceil(60);
                return Err(Failed::NotVisible(format!("{} after {minutes} min ({of})", place.name)));
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// One POST, by acme-dns's own documentation.
    async fn acme_dns(&self, client: &Client, value: &str) -> Result<(), Failed> {
        let url = format!("{}/update", self.keys.get("server").trim_end_matches('/'));
        let body = json!({"subdomain": self.keys.get("subdomain"), "txt": value});
        let headers = [("x-api-user", self.keys.get("username")), ("x-api-key", self.keys.get("password"))];
        match client.post(&url, &headers, &body).await {
            Ok(200) => Ok(()),
            Ok(401 | 403) => Err(Failed::Provider("it refuses the username and password".to_owned())),
            Ok(status) => Err(Failed::Provider(format!("it answered with status {status}"))),
            Err(why) => Err(Failed::Provider(self.keys.hide(&why))),
        }
    }
}

/// What a provider's library says, in words.
fn words(error: &dns_update::Error) -> String {
    use dns_update::Error;
    match error {
        Error::Unauthorized => "it refuses the credentials".to_owned(),
        Error::NotFound => "it does not know the zone or the record".to_owned(),
        Error::BadRequest => "it did not understand the request".to_owned(),
        Error::Response(code) => format!("it answered {code}"),
        Error::Protocol(why) | Error::Parse(why) | Error::Client(why) | Error::Api(why) | Error::Serialize(why) => {
            why.clone()
        }
        Error::Unsupported(why) => why.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_in_a_providers_words() {
        let keys = Keys(BTreeMap::from([
            ("token".to_string(), Secret::new("sesame")),
            ("server".to_string(), Secret::new("https://acme-dns.example")),
        ]));
        let said = keys.hide("error for https://acme-dns.example/update?token=sesame&txt=x");
        assert_eq!(said, "error for https://acme-dns.example/update?token=(hidden)&txt=x");
    }
}
