//! TLS: which certificate for which name, swapped while connections go on; and doors that only a known client passes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// A certificate with its chain, PEM, and the key of it.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'p> {
    pub chain: &'p str,
    pub key: &'p Secret,
}

/// The certificates of a door. A connection takes what is right for its name when it begins, and is not touched by a later swap.
#[derive(Debug)]
pub struct Certificates(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    /// By name in lower case.
    exact: HashMap<String, Arc<CertifiedKey>>,
    /// By what stands behind `*.`.
    below: HashMap<String, Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// See [`Certificates::set`].
    pub fn new(pairs: &[Pair<'_>]) -> Result<Arc<Certificates>, Diagnostic> {
        table(pairs).map(|table| Arc::new(Certificates(RwLock::new(table))))
    }

    /// Puts these in the place of those before. An exact name beats a star; of two for one name the first counts; the first of all is
    /// for clients that ask for no name (by address) or an unknown one. Where one is bad, nothing is changed.
    pub fn set(&self, pairs: &[Pair<'_>]) -> Result<(), Diagnostic> {
        let table = table(pairs)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = table;
        Ok(())
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let star = || name.split_once('.').and_then(|(_, parent)| table.below.get(parent));
            table.exact.get(&name).or_else(star).cloned()
        });
        found.or_else(|| table.default.clone())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name())
    }
}

fn table(pairs: &[Pair<'_>]) -> Result<Table, Diagnostic> {
    let provider = provider();
    let mut table = Table::default();
    for pair in pairs {
        let (key, names) = certified(pair, &provider)?;
        let key = Arc::new(key);
        for name in names {
            match name.strip_prefix("*.") {
                Some(parent) => table.below.entry(parent.to_owned()).or_insert_with(|| key.clone()),
                None => table.exact.entry(name).or_insert_with(|| key.clone()),
            };
        }
        table.default.get_or_insert(key);
    }
    Ok(table)
}

/// The key for rustls, and the DNS names that the certificate is for.
fn certified(pair: &Pair<'_>, provider: &CryptoProvider) -> Result<(CertifiedKey, Vec<String>), Diagnostic> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pair.chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| bad("it is no PEM text"))?;
    let leaf = chain.first().ok_or_else(|| bad("there is none in the text"))?;
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| bad("it cannot be read"))?;
    let alternative = parsed.subject_alternative_name().ok().flatten();
    let names = alternative.map_or(Vec::new(), |names| {
        let dns = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        };
        names.value.general_names.iter().filter_map(dns).collect()
    });
    let key = PrivateKeyDer::from_pem_slice(pair.key.expose().as_bytes()).map_err(|_| bad("its key is no PEM text"))?;
    let key = CertifiedKey::from_der(chain, key, provider)
        .map_err(|_| bad("its key is of another certificate, or of no known kind"))?;
    Ok((key, names))
}

fn bad(why: &str) -> Diagnostic {
    Diagnostic::error("web.bad-certificate", format!("a certificate cannot be served: {why}"))
        .kind(Kind::Failed)
        .hint("it must be PEM: the certificate first, then those above it; and its private key, without a passphrase")
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// How a door speaks TLS: 1.2 or 1.3, HTTP/2 or HTTP/1.1.
#[derive(Debug)]
pub struct Tls {
    certificates: Arc<Certificates>,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// For everybody.
    pub fn new(certificates: Arc<Certificates>) -> Result<Tls, Diagnostic> {
        let config = RwLock::new(config(&certificates, None)?);
        Ok(Tls { certificates, config })
    }

    /// Only for clients that show a certificate of one of these roots (PEM).
    pub fn for_clients_of(certificates: Arc<Certificates>, roots: &str) -> Result<Tls, Diagnostic> {
        let config = RwLock::new(config(&certificates, Some(roots))?);
        Ok(Tls { certificates, config })
    }

    /// From now on these roots count for new connections.
    pub fn trust(&self, roots: &str) -> Result<(), Diagnostic> {
        let new = config(&self.certificates, Some(roots))?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn config(certificates: &Arc<Certificates>, roots: Option<&str>) -> Result<Arc<ServerConfig>, Diagnostic> {
    let wrong = |error: rustls::Error| {
        tracing::error!(%error, "no TLS configuration");
        Diagnostic::error("web.no-tls", "TLS cannot be set up").kind(Kind::Bug).hint("please report what the log says")
    };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(wrong)?;
    let builder = match roots {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut store = RootCertStore::empty();
            for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let root = root.map_err(|_| bad("a client's root is no PEM text"))?;
                store.add(root).map_err(|_| bad("a client's root cannot be read"))?;
            }
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider()).build();
            builder.with_client_cert_verifier(clients.map_err(|_| bad("there is no root for clients"))?)
        }
    };
    let mut config = builder.with_cert_resolver(certificates.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(names: &[&str]) -> (String, Secret) {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        (made.cert.pem(), Secret::new(made.signing_key.serialize_pem()))
    }

    #[test]
    fn an_exact_name_beats_a_star_and_the_first_is_for_the_unknown() {
        let made = [pair(&["10.0.0.1", "nas"]), pair(&["*.example.org"]), pair(&["a.example.org", "*.example.org"])];
        let pairs: Vec<Pair<'_>> = made.iter().map(|(chain, key)| Pair { chain, key }).collect();
        let certificates = Certificates::new(&pairs).unwrap();
        let which = |name: Option<&str>| {
            let found = certificates.find(name).unwrap().cert[0].to_vec();
            made.iter().position(|(chain, _)| {
                CertificateDer::from_pem_slice(chain.as_bytes()).is_ok_and(|der| der.to_vec() == found)
            })
        };
        assert_eq!(which(None), Some(0));
        assert_eq!(which(Some("nas")), Some(0));
        assert_eq!(which(Some("B.Example.org")), Some(1));
        assert_eq!(which(Some("a.example.org")), Some(2));
        assert_eq!(which(Some("example.org")), Some(0), "a star is not for its own parent");
        assert_eq!(which(Some("x.a.example.org")), Some(0), "nor for two labels");
        assert_eq!(which(Some("elsewhere")), Some(0));
    }

    #[test]
    fn a_bad_pair_changes_nothing() {
        let (good, other) = (pair(&["a"]), pair(&["b"]));
        let certificates = Certificates::new(&[Pair { chain: &good.0, key: &good.1 }]).unwrap();
        let before = certificates.find(Some("a")).unwrap();
        for (chain, key) in [(&*good.0, &other.1), ("", &good.1), ("nonsense", &good.1), (&good.0, &Secret::new("x"))] {
            let told = certificates.set(&[Pair { chain: &other.0, key: &other.1 }, Pair { chain, key }]).unwrap_err();
            assert_eq!(told.code, "web.bad-certificate");
        }
        assert!(Arc::ptr_eq(&before, &certificates.find(Some("a")).unwrap()));
        certificates.set(&[]).unwrap();
        assert!(certificates.find(Some("a")).is_none());
    }
}
