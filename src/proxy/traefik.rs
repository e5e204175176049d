//! What Traefik itself says of its routers, asked over its private entry point and put into sentences.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

use super::client::{self, Failed};
use crate::traefik::file::{API_NAME, Pair};
use crate::traefik::statics;

/// Where Traefik answers to Hearth.
pub struct Api {
    at: SocketAddr,
    config: Arc<ClientConfig>,
}

/// One router, as Traefik sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Router {
    /// `enabled`, `warning` or `disabled`.
    pub status: String,
    pub errors: Vec<String>,
    pub service: String,
}

impl Api {
    /// `ip` is Traefik's container's; `client` is what it lets in.
    pub fn new(ip: IpAddr, client: &Pair) -> Option<Api> {
        let chain: Vec<CertificateDer> = CertificateDer::pem_slice_iter(client.chain.as_bytes()).flatten().collect();
        let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).ok()?;
        let verifier = client::anyone(RootCertStore::empty());
        let builder = client::builder()?.dangerous().with_custom_certificate_verifier(verifier);
        let config = builder.with_client_auth_cert(chain, key).ok()?;
        Some(Api { at: SocketAddr::new(ip, statics::API_PORT), config: Arc::new(config) })
    }

    async fn json(&self, path: &str) -> Result<Value, Failed> {
        let answer = client::get(self.at, API_NAME, API_NAME, path, "application/json", self.config.clone()).await?;
        if answer.status != 200 {
            return Err(Failed::Answer(format!("it answered {}", answer.status)));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Failed::Answer("its answer cannot be read".into()))
    }

    /// Whether a middleware of the file is there.
    pub async fn has_middleware(&self, name: &str) -> bool {
        self.json(&format!("/api/http/middlewares/{name}@file")).await.is_ok()
    }

    pub async fn version(&self) -> Result<(u32, u32, u32), Failed> {
        let value = self.json("/api/version").await?;
        let text = value["Version"].as_str().unwrap_or_default();
        statics::version(text).ok_or_else(|| Failed::Answer("it does not say its version".into()))
    }

    /// All routers of HTTP, TCP and UDP, by their names with provider.
    pub async fn routers(&self) -> Result<BTreeMap<String, Router>, Failed> {
        let mut all = BTreeMap::new();
        for protocol in ["http", "tcp", "udp"] {
            let list = self.json(&format!("/api/{protocol}/routers?per_page=10000")).await?;
            for entry in list.as_array().map(Vec::as_slice).unwrap_or_default() {
                let text = |key: &str| entry[key].as_str().unwrap_or_default().to_string();
                let errors = entry["error"].as_array().map(Vec::as_slice).unwrap_or_default();
                let router = Router {
                    status: text("status"),
                    errors: errors.iter().filter_map(Value::as_str).map(str::to_string).collect(),
                    service: text("service"),
                };
                all.insert(original(&text("name")), router);
            }
        }
        Ok(all)
    }
}

/// Where two routers of a host have different TLS options, Traefik renames both: `websecure-conflicted-NAME@file`.
fn original(name: &str) -> String {
    match name.split_once("-conflicted-") {
        Some((_, rest)) => rest.to_string(),
        None => name.to_string(),
    }
}

/// An error of Traefik's in words that lead somewhere.
pub fn sentence(error: &str) -> String {
    let quoted = |text: &str| text.split(['"', '`']).nth(1).unwrap_or_default().to_string();
    let lower = error.to_lowercase();
    if lower.contains("middleware") && lower.contains("does not exist") {
        return format!(
            "Traefik does not have the middleware {}: its file may be out of date (hearth up)",
            quoted(error)
        );
    }
    if lower.contains("service") && lower.contains("does not exist") {
        return format!("Traefik does not know the service {} that the route leads to", quoted(error));
    }
    if let Some((_, name)) = error.split_once("servers transport not found ") {
        return format!(
            "Traefik does not have the settings {name} of this route: its file may be out of date (hearth up)"
        );
    }
    if lower.contains("entrypoint") && lower.contains("doesn't exist") || lower.contains("no valid entrypoint") {
        return "Traefik does not listen where the route wants it; it has to be started anew (hearth up)".into();
    }
    if lower.contains("rule") {
        return format!("Traefik cannot read the rule of this route ({error})");
    }
    format!("Traefik says: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_traefik_become_sentences() {
        for (error, wanted) in [
            (
                "middleware \"lan@file\" does not exist",
                "Traefik does not have the middleware lan@file: its file may be out of date (hearth up)",
            ),
            (
                "the service \"x@docker\" does not exist",
                "Traefik does not know the service x@docker that the route leads to",
            ),
            (
                "servers transport not found home-app@file",
                "Traefik does not have the settings home-app@file of this route: its file may be out of date (hearth up)",
            ),
            (
                "EntryPoint doesn't exist",
                "Traefik does not listen where the route wants it; it has to be started anew (hearth up)",
            ),
        ] {
            assert_eq!(sentence(error), wanted);
        }
        assert_eq!(original("websecure-conflicted-home-web@docker"), "home-web@docker");
    }
}
