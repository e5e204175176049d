//! The certificates themselves: what stands in a root, an intermediate and a leaf.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType, string::Ia5String,
};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::names::{Name, Permitted};
use crate::diag::{Diagnostic, Kind};

/// A certificate is said to be valid since an hour ago: not every clock of a home is right.
pub const BACKDATE: Duration = Duration::hours(1);
/// Apple's devices take no certificate of a root that a person added which is valid for longer.
const LONGEST: Duration = Duration::days(824);

/// From when until when something is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub from: OffsetDateTime,
    pub until: OffsetDateTime,
}

impl Validity {
    /// `life` from `now`.
    pub fn of(now: OffsetDateTime, life: Duration) -> Validity {
        Validity { from: whole(now - BACKDATE), until: whole(now + life) }
    }

    /// The same, where `old` is replaced. An old one that begins in the future or ended means, in a process that looks after it,
    /// that the clock was set: nobody knows which of both times is right, so the new one is valid at both.
    pub fn after(now: OffsetDateTime, life: Duration, old: Validity) -> Validity {
        let mut new = Validity::of(now, life);
        if now < old.from {
            new.until = new.until.max(old.until).min(new.from + LONGEST);
        } else if now > old.until {
            new.from = new.from.min(old.from).max(new.until - LONGEST);
        }
        new
    }

    /// What of it lies within `outer`.
    pub fn within(self, outer: Validity) -> Validity {
        Validity { from: self.from.max(outer.from), until: self.until.min(outer.until) }
    }

    pub fn holds(self, now: OffsetDateTime) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether less than a third of it is left, or it has not begun. `life` is what such a certificate lives for usually: one that is
    /// valid at two times is longer, and not due for that.
    pub fn due(self, now: OffsetDateTime, life: Duration) -> bool {
        now < self.from || (self.until - now) * 3 < (self.until - self.from).min(life)
    }
}

/// Certificates know whole seconds.
fn whole(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}

/// Whom a leaf convinces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Server,
    Client,
}

pub fn key() -> Result<KeyPair, Diagnostic> {
    KeyPair::generate().map_err(failed)
}

/// A root. Its name ends with a piece of its key's hash: so two of them can be told apart in a device's list.
pub fn root(
    key: &KeyPair,
    title: &str,
    permitted: Option<&Permitted>,
    validity: Validity,
) -> Result<CertificateDer<'static>, Diagnostic> {
    let mut params = authority(&format!("{title} {}", short(key)), permitted, validity);
    // One intermediate below it, and no more.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(if permitted.is_some() { 1 } else { 0 }));
    params.self_signed(key).map(|c| c.der().clone()).map_err(failed)
}

/// An intermediate that repeats the constraints: old clients do not look at those of a root.
pub fn intermediate(
    key: &KeyPair,
    permitted: &Permitted,
    validity: Validity,
    root: &CertificateDer<'_>,
    root_key: &KeyPair,
) -> Result<CertificateDer<'static>, Diagnostic> {
    let mut params = authority(&format!("Hearth local issuer {}", short(key)), Some(permitted), validity);
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let issuer = Issuer::from_ca_cert_der(root, root_key).map_err(failed)?;
    params.signed_by(key, &issuer).map(|c| c.der().clone()).map_err(failed)
}

/// A leaf with names and no subject: Traefik would count a common name among the names.
pub fn leaf(
    key: &KeyPair,
    names: &[Name],
    usage: Use,
    validity: Validity,
    issuer: &CertificateDer<'_>,
    issuer_key: &KeyPair,
) -> Result<CertificateDer<'static>, Diagnostic> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = names.iter().map(san).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match usage {
        Use::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Use::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (validity.from, validity.until);
    let issuer = Issuer::from_ca_cert_der(issuer, issuer_key).map_err(failed)?;
    params.signed_by(key, &issuer).map(|c| c.der().clone()).map_err(failed)
}

fn authority(name: &str, permitted: Option<&Permitted>, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = permitted.map(constraints);
    (params.not_before, params.not_after) = (validity.from, validity.until);
    params
}

fn constraints(permitted: &Permitted) -> NameConstraints {
    let zones = permitted.zones.iter().map(|zone| GeneralSubtree::DnsName(zone.clone()));
    let range = |r: &ipnet::IpNet| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(r.network(), r.prefix_len()));
    NameConstraints {
        permitted_subtrees: zones.chain(permitted.ranges.iter().map(range)).collect(),
        excluded_subtrees: Vec::new(),
    }
}

fn san(name: &Name) -> Result<SanType, Diagnostic> {
    Ok(match name {
        Name::Dns(name) => SanType::DnsName(Ia5String::try_from(name.as_str()).map_err(failed)?),
        Name::Ip(ip) => SanType::IpAddress(*ip),
    })
}

/// Four bytes of the key's hash, as `3F9A01C2`.
fn short(key: &KeyPair) -> String {
    Sha256::digest(key.public_key_raw()).iter().take(4).map(|b| format!("{b:02X}")).collect()
}

/// The library refused what we gave it.
pub fn failed(error: rcgen::Error) -> Diagnostic {
    tracing::error!(%error, "a certificate cannot be made");
    Diagnostic::error("certs.cannot-make", "a certificate of the local CA cannot be made")
        .kind(Kind::Bug)
        .hint("this is a mistake in Hearth; the log has the library's words: please report them")
}
