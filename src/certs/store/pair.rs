//! A certificate chain and its key, read and judged before anything is done with them.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use crate::base::clock::rfc3339;
use crate::certs::local::Name;
use crate::diag::Diagnostic;

/// What the leaf of a chain says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Normal form, sorted, each once.
    pub names: Vec<String>,
    /// Who signed it, in words: the organisation and common name of its issuer.
    pub issuer: String,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// Its identifier for renewal information (RFC 9773 section 4.1), where it names the key of its issuer.
    pub ari_id: Option<String>,
    /// It is its own issuer.
    pub self_signed: bool,
    /// SHA-256 of the leaf, hexadecimal.
    pub fingerprint: String,
}

struct Read {
    facts: Facts,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    public_key: Vec<u8>,
}

/// Judges a chain and its key: it can be read, the key belongs to the leaf, each certificate is signed by the next by its own word, and
/// the leaf is valid at `now`. Whether it has the right names is for the caller, who knows which were wanted.
pub fn check(chain: &str, key: &str, now: OffsetDateTime) -> Result<Facts, Diagnostic> {
    let chain = read(chain)?;
    let [leaf, above @ ..] = &chain[..] else { return Err(bad("the chain holds no certificate")) };
    if public_key(key).ok_or_else(|| bad("the key cannot be read, or is of a kind that TLS does not use"))?
        != leaf.public_key
    {
        return Err(bad("the key does not belong to the first certificate of the chain")
            .hint("the first certificate has to be the one of the names; those of the authority follow it"));
    }
    let mut below = leaf;
    for next in above {
        if below.issuer != next.subject {
            return Err(bad("the certificates of the chain are not in order: one is not signed by the next"));
        }
        below = next;
    }
    if leaf.facts.names.is_empty() {
        return Err(bad("the first certificate of the chain is for no name"));
    }
    let Facts { not_before, not_after, .. } = leaf.facts;
    if not_after <= now {
        return Err(bad(format!("the certificate has expired on {}", rfc3339(not_after))));
    }
    if not_before > now {
        return Err(bad(format!("the certificate is not valid before {}", rfc3339(not_before)))
            .hint(format!("the clock of this machine says {}", rfc3339(now))));
    }
    Ok(leaf.facts.clone())
}

/// What the first certificate of a chain says, without judging it.
pub fn facts(chain: &str) -> Result<Facts, Diagnostic> {
    let read = read(chain)?;
    read.into_iter().next().map(|leaf| leaf.facts).ok_or_else(|| bad("the chain holds no certificate"))
}

/// Whether the key belongs to the first certificate.
pub fn belong(chain: &str, key: &str) -> bool {
    read(chain).ok().and_then(|all| Some(all.first()?.public_key == public_key(key)?)).unwrap_or(false)
}

fn read(chain: &str) -> Result<Vec<Read>, Diagnostic> {
    let mut all = Vec::new();
    for (n, der) in CertificateDer::pem_slice_iter(chain.as_bytes()).enumerate() {
        let one = der.ok().and_then(|der| parse(&der));
        all.push(one.ok_or_else(|| bad(format!("certificate {} of the chain cannot be read", n + 1)))?);
    }
    Ok(all)
}

fn parse(der: &[u8]) -> Option<Read> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let (mut names, mut authority) = (Vec::new(), None);
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(all) => names.extend(all.general_names.iter().filter_map(name)),
            ParsedExtension::AuthorityKeyIdentifier(id) => authority = id.key_identifier.as_ref().map(|id| id.0),
            _ => {}
        }
    }
    names.sort();
    names.dedup();
    let at = |time: x509_parser::time::ASN1Time| OffsetDateTime::from_unix_timestamp(time.timestamp()).ok();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let ari_id = authority.map(|id| format!("{}.{}", encode(id), encode(parsed.raw_serial())));
    let (subject, issuer) = (parsed.subject().as_raw().to_vec(), parsed.issuer().as_raw().to_vec());
    let words = |it: Option<&x509_parser::x509::AttributeTypeAndValue<'_>>| Some(it?.as_str().ok()?.to_owned());
    let organisation = words(parsed.issuer().iter_organization().next());
    let common = words(parsed.issuer().iter_common_name().next());
    let facts = Facts {
        names,
        issuer: [organisation, common].into_iter().flatten().collect::<Vec<_>>().join(" "),
        not_before: at(parsed.validity().not_before)?,
        not_after: at(parsed.validity().not_after)?,
        ari_id,
        self_signed: subject == issuer,
        fingerprint: Sha256::digest(der).iter().map(|b| format!("{b:02x}")).collect(),
    };
    Some(Read { facts, subject, issuer, public_key: parsed.public_key().raw.to_vec() })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) => match Name::parse(text) {
            Ok(Name::Dns(name)) => Some(name),
            _ => Some(text.to_lowercase()),
        },
        GeneralName::IPAddress(bytes) => {
            let ip: Option<IpAddr> =
                <[u8; 4]>::try_from(*bytes).map(IpAddr::from).or(<[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok();
            ip.map(|ip| ip.to_string())
        }
        _ => None,
    }
}

/// The public half of a key, as it stands in a certificate.
fn public_key(pem: &str) -> Option<Vec<u8>> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).ok()?;
    Some(key.public_key()?.to_vec())
}

pub(super) fn bad(title: impl Into<String>) -> Diagnostic {
    Diagnostic::error("certs.bad-pair", title)
}
