//! From the name of a DNS provider and its credentials to its API.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dns_update::providers::ovh::OvhEndpoint;
use dns_update::providers::route53::Route53Config;
use dns_update::{DnsUpdater, Error, TsigAlgorithm};

use super::Keys;

/// How a provider keeps TXT records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Several values under one name: ours is added and taken away.
    Several,
    /// One value for each name: names are proved one after the other.
    Single,
}

/// For one call of a provider's API.
const CALL: Duration = Duration::from_secs(30);

pub fn style(provider: &str) -> Style {
    match provider {
        "duckdns" | "ddnss" | "freemyip" => Style::Single,
        _ => Style::Several,
    }
}

/// How long a record takes to be visible everywhere, at most.
pub fn patience(provider: &str) -> Duration {
    let minutes = match provider {
        "inwx" | "ionos" | "namecheap" | "netcup" => 20,
        "dreamhost" | "godaddy" | "infomaniak" | "transip" | "easydns" | "websupport" | "domeneshop" => 10,
        "desec" | "ovh" | "gandi" | "hostingde" | "simplycom" => 5,
        _ => 2,
    };
    Duration::from_secs(minutes * 60)
}

/// The API of a provider; a missing key reads as empty, which the provider refuses in its own words.
pub fn open(provider: &str, keys: &Keys) -> Result<DnsUpdater, Error> {
    let key = |name: &str| keys.get(name);
    let maybe = |name: &str| Some(keys.get(name).to_owned()).filter(|text| !text.is_empty());
    let t = Some(CALL);
    match provider {
        "arvancloud" => DnsUpdater::new_arvancloud(key("api_key"), t),
        "autodns" => DnsUpdater::new_autodns(key("username"), key("password"), None, t),
        "bunny" => DnsUpdater::new_bunny(key("api_key"), t),
        "cloudflare" => DnsUpdater::new_cloudflare(key("token"), t),
        "constellix" => DnsUpdater::new_constellix(key("api_key"), key("secret_key"), t),
        "cpanel" => DnsUpdater::new_cpanel(key("url"), key("username"), key("token"), t),
        "ddnss" => DnsUpdater::new_ddnss(key("api_key"), t),
        "desec" => DnsUpdater::new_desec(key("token"), t),
        "digitalocean" => DnsUpdater::new_digitalocean(key("token"), t),
        "dnsimple" => DnsUpdater::new_dnsimple(key("token"), key("account"), t),
        "dnsmadeeasy" => DnsUpdater::new_dnsmadeeasy(key("api_key"), key("api_secret"), t),
        "domeneshop" => DnsUpdater::new_domeneshop(key("token"), key("api_secret"), t),
        "dreamhost" => DnsUpdater::new_dreamhost(key("api_key"), t),
        "duckdns" => DnsUpdater::new_duckdns(key("token"), t),
        "dynu" => DnsUpdater::new_dynu(key("api_key"), t),
        "easydns" => DnsUpdater::new_easydns(key("token"), key("api_key"), t),
        "exoscale" => DnsUpdater::new_exoscale(key("api_key"), key("api_secret"), t),
        "freemyip" => DnsUpdater::new_freemyip(key("token"), t),
        "gandi" => DnsUpdater::new_gandiv5(key("token"), t),
        "gcore" => DnsUpdater::new_gcore(key("token"), t),
        "glesys" => DnsUpdater::new_glesys(key("username"), key("api_key"), t),
        "godaddy" => DnsUpdater::new_godaddy(key("api_key"), key("api_secret"), t),
        "hetzner" => DnsUpdater::new_hetzner(key("token"), t),
        "hostingde" => DnsUpdater::new_hostingde(key("api_key"), t),
        "hostinger" => DnsUpdater::new_hostinger(key("token"), t),
        "infomaniak" => DnsUpdater::new_infomaniak(key("token"), t),
        "inwx" => DnsUpdater::new_inwx(key("username"), key("password"), false, t),
        "ionos" => DnsUpdater::new_ionos(key("api_key"), t),
        "ipv64" => DnsUpdater::new_ipv64(key("api_key"), t),
        "linode" => DnsUpdater::new_linode(key("token"), t),
        "luadns" => DnsUpdater::new_luadns(key("username"), key("token"), t),
        "mythicbeasts" => DnsUpdater::new_mythicbeasts(key("username"), key("password"), t),
        "namecheap" => DnsUpdater::new_namecheap(key("username"), key("api_key"), key("client_ip"), None::<&str>, t),
        "namedotcom" => DnsUpdater::new_namedotcom(key("username"), key("token"), t),
        "namesilo" => DnsUpdater::new_namesilo(key("api_key"), t),
        "netcup" => DnsUpdater::new_netcup(key("customer_number"), key("api_key"), key("api_password"), t),
        "netlify" => DnsUpdater::new_netlify(key("token"), t),
        "ns1" => DnsUpdater::new_ns1(key("api_key"), t),
        "ovh" => ovh(keys),
        "porkbun" => DnsUpdater::new_porkbun(key("api_key"), key("api_secret"), t),
        "powerdns" => DnsUpdater::new_pdns(key("api_key"), Some(key("url")), None::<&str>, t),
        "rfc2136" => rfc2136(keys),
        "route53" => DnsUpdater::new_route53(Route53Config {
            access_key_id: key("access_key").to_owned(),
            secret_access_key: key("secret_key").to_owned(),
            session_token: maybe("session_token"),
            region: maybe("region"),
            hosted_zone_id: maybe("zone_id"),
            private_zone_only: None,
            endpoint: None,
        }),
        "safedns" => DnsUpdater::new_safedns(key("token"), t),
        "scaleway" => DnsUpdater::new_scaleway(key("token"), t),
        "simplycom" => DnsUpdater::new_simplycom(key("account"), key("api_key"), t),
        "spaceship" => DnsUpdater::new_spaceship(key("api_key"), key("api_secret"), t),
        "transip" => DnsUpdater::new_transip(key("username"), key("private_key"), true, t),
        "ultradns" => DnsUpdater::new_ultradns(key("username"), key("password"), None, t),
        "vercel" => DnsUpdater::new_vercel(key("token"), maybe("team"), t),
        "vultr" => DnsUpdater::new_vultr(key("api_key"), t),
        "websupport" => DnsUpdater::new_websupport(key("api_key"), key("secret"), t),
        "zoneeu" => DnsUpdater::new_zoneeu(key("username"), key("api_key"), t),
        other => Err(Error::Unsupported(format!("{other} has no API that Hearth knows"))),
    }
}

fn ovh(keys: &Keys) -> Result<DnsUpdater, Error> {
    let endpoint = match keys.get("endpoint") {
        "" | "ovh-eu" => OvhEndpoint::OvhEu,
        "ovh-us" => OvhEndpoint::OvhUs,
        "ovh-ca" => OvhEndpoint::OvhCa,
        "kimsufi-eu" => OvhEndpoint::KimsufiEu,
        "kimsufi-ca" => OvhEndpoint::KimsufiCa,
        "soyoustart-eu" => OvhEndpoint::SoyoustartEu,
        "soyoustart-ca" => OvhEndpoint::SoyoustartCa,
        other => return Err(Error::Parse(format!("`{other}` is no endpoint of OVH; ovh-eu is one"))),
    };
    let [application, secret, consumer] =
        ["application_key", "application_secret", "consumer_key"].map(|name| keys.get(name));
    DnsUpdater::new_ovh(application, secret, consumer, endpoint, Some(CALL))
}

fn rfc2136(keys: &Keys) -> Result<DnsUpdater, Error> {
    let algorithm = match keys.get("algorithm").trim_end_matches('.') {
        "" | "hmac-sha256" => TsigAlgorithm::HmacSha256,
        "hmac-sha224" => TsigAlgorithm::HmacSha224,
        "hmac-sha384" => TsigAlgorithm::HmacSha384,
        "hmac-sha512" => TsigAlgorithm::HmacSha512,
        "hmac-sha1" => TsigAlgorithm::HmacSha1,
        other => return Err(Error::Parse(format!("`{other}` is no algorithm of TSIG; hmac-sha256 is one"))),
    };
    let secret =
        BASE64_STANDARD.decode(keys.get("key").trim()).map_err(|_| Error::Parse("the TSIG key is no base64".into()))?;
    // An update with its signature may not fit into a datagram.
    let server = keys.get("server");
    let server = if server.contains("://") { server.to_owned() } else { format!("tcp://{server}") };
    DnsUpdater::new_rfc2136_tsig(server.as_str(), keys.get("key_name"), secret, algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::config::certificates::PROVIDERS;

    #[test]
    fn every_provider_that_hearth_yaml_takes_can_be_opened() {
        for (provider, must, _) in PROVIDERS.iter().filter(|(name, ..)| !["acme-dns", "manual"].contains(name)) {
            let value = |key: &str| {
                match key {
                    "server" => "127.0.0.1",
                    "client_ip" => "192.0.2.1",
                    "private_key" => return None,
                    _ => "c2VzYW1l",
                }
                .into()
            };
            let value = |key: &str| -> Option<String> {
                let v: Option<&str> = value(key);
                v.map(str::to_owned)
            };
            let keys = must.iter().filter_map(|key| Some((key.to_string(), Secret::new(value(key)?)))).collect();
            let opened = open(provider, &Keys(keys));
            assert!(!matches!(opened, Err(Error::Unsupported(_))), "{provider}");
        }
    }
}
