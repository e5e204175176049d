//! `certificates` of `hearth.yaml`: who issues them, and how the names are proved.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

mod known;
mod read;

pub use known::PROVIDERS;

/// What a home has decided about its certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    pub issuer: Issuer,
    /// Who issues by ACME, in order: the second steps in when the first fails for long.
    pub authorities: Vec<Ca>,
    pub email: Option<String>,
    pub challenge: Challenge,
    pub dns: Option<Dns>,
    pub profile: Option<String>,
    /// A file with the roots of a private authority, relative to the home.
    pub roots: Option<String>,
    /// Whom to ask for names instead of public resolvers.
    pub resolvers: Vec<SocketAddr>,
    /// A file with the age key that seals private keys at rest, relative to the home.
    pub key_file: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Issuer {
    #[default]
    Local,
    Acme,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Challenge {
    #[default]
    Http01,
    Dns01,
}

/// An authority that speaks ACME.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ca {
    /// As people know it.
    pub name: String,
    pub directory: String,
    /// The directory of its staging environment.
    pub staging: Option<String>,
    pub eab: Option<Eab>,
}

/// An account that was made on the authority's website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eab {
    pub kid: Text,
    pub hmac: Text,
}

/// Who keeps the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    pub provider: String,
    pub keys: BTreeMap<String, Text>,
    /// How long a record may take to be visible everywhere.
    pub timeout: Option<Duration>,
}

/// A value as written: itself, or the name of a variable in `.env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    Plain(String),
    Variable(String),
}

impl Text {
    fn of(text: &str) -> Text {
        let inner = text.strip_prefix("${").and_then(|t| t.strip_suffix('}'));
        let is_name = |n: &&str| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match inner.filter(is_name) {
            Some(name) => Text::Variable(name.to_owned()),
            None => Text::Plain(text.to_owned()),
        }
    }

    /// The value, with the variables of the home's `.env`.
    pub fn resolve(&self, variables: &BTreeMap<String, String>) -> Result<Secret, Diagnostic> {
        match self {
            Text::Plain(text) => Ok(Secret::new(text.clone())),
            Text::Variable(name) => match variables.get(name).filter(|value| !value.is_empty()) {
                Some(value) => Ok(Secret::new(value.clone())),
                None => Err(Diagnostic::error(
                    "certs.no-variable",
                    format!("hearth.yaml needs {name}, and .env does not have it"),
                )
                .kind(Kind::Invalid)
                .hint(format!("write {name}=... into .env"))),
            },
        }
    }
}

impl Certificates {
    /// The variables of `.env` that are named here.
    pub fn variables(&self) -> Vec<&str> {
        let eab = self.authorities.iter().filter_map(|ca| ca.eab.as_ref()).flat_map(|eab| [&eab.kid, &eab.hmac]);
        let dns = self.dns.iter().flat_map(|dns| dns.keys.values());
        let mut names = Vec::new();
        for text in eab.chain(dns) {
            if let Text::Variable(name) = text {
                names.push(name.as_str());
            }
        }
        names
    }
}
