//! Certificates and keys as they lie on the disk, read back.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use std::net::IpAddr;

use ipnet::IpNet;
use time::OffsetDateTime;

use super::make::Validity;
use super::names::Permitted;

/// A certificate, and of its content what this room needs.
#[derive(Debug, Clone)]
pub struct Read {
    pub der: CertificateDer<'static>,
    pub validity: Validity,
    pub permitted: Permitted,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    public_key: Vec<u8>,
    key_id: Vec<u8>,
    authority_key_id: Vec<u8>,
}

impl Read {
    pub fn is_of(&self, key: &KeyPair) -> bool {
        self.public_key == key.subject_public_key_info()
    }
    /// Whether it says that `issuer` signed it.
    pub fn names_as_issuer(&self, issuer: &Read) -> bool {
        self.issuer == issuer.subject && self.authority_key_id == issuer.key_id && !self.key_id.is_empty()
    }
}

/// The first certificate of a PEM text; `None` where there is none that can be read.
pub fn certificate(pem: &str) -> Option<Read> {
    let der = CertificateDer::pem_slice_iter(pem.as_bytes()).next()?.ok()?;
    read(der)
}

pub fn read(der: CertificateDer<'static>) -> Option<Read> {
    let (_, parsed) = X509Certificate::from_der(&der).ok()?;
    let mut permitted = Permitted::default();
    let (mut key_id, mut authority_key_id) = (Vec::new(), Vec::new());
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => key_id = id.0.to_vec(),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                authority_key_id = id.key_identifier.as_ref().map_or(Vec::new(), |id| id.0.to_vec());
            }
            ParsedExtension::NameConstraints(constraints) => {
                for subtree in constraints.permitted_subtrees.iter().flatten() {
                    match &subtree.base {
                        GeneralName::DNSName(zone) => permitted.zones.push((*zone).to_owned()),
                        GeneralName::IPAddress(bytes) => permitted.ranges.extend(range(bytes)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let at = |time: x509_parser::time::ASN1Time| OffsetDateTime::from_unix_timestamp(time.timestamp()).ok();
    let validity = Validity { from: at(parsed.validity().not_before)?, until: at(parsed.validity().not_after)? };
    let (subject, issuer) = (parsed.subject().as_raw().to_vec(), parsed.issuer().as_raw().to_vec());
    let public_key = parsed.public_key().raw.to_vec();
    Some(Read { validity, permitted, subject, issuer, public_key, key_id, authority_key_id, der })
}

/// The P-256 key of a PEM text.
pub fn key(pem: &str) -> Option<KeyPair> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    KeyPair::from_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).ok()
}

/// RFC 5280 4.2.1.10: address, then mask.
fn range(bytes: &[u8]) -> Option<IpNet> {
    let (address, mask) = match bytes.len() {
        8 => {
            (IpAddr::from(<[u8; 4]>::try_from(&bytes[..4]).ok()?), IpAddr::from(<[u8; 4]>::try_from(&bytes[4..]).ok()?))
        }
        32 => (
            IpAddr::from(<[u8; 16]>::try_from(&bytes[..16]).ok()?),
            IpAddr::from(<[u8; 16]>::try_from(&bytes[16..]).ok()?),
        ),
        _ => return None,
    };
    IpNet::with_netmask(address, mask).ok()
}

pub fn pem(der: &CertificateDer<'_>) -> String {
    armour("CERTIFICATE", der)
}

/// RFC 7468, by lines of 64.
fn armour(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    let lines: String = text.as_bytes().chunks(64).map(|l| format!("{}\n", String::from_utf8_lossy(l))).collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}
