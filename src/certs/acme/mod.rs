//! Certificates from authorities that speak ACME (RFC 8555, 9773): what the renewal machine asks for is done here.
//!
//! ```text
//! let issuer = Issuer::new(store, challenges, clock, settings)?
//! issuer.order(id, &ask).await         one order from account to stored certificate; resumed where a former process left it
//! issuer.suggestion(dir, id).await     when the authority would like the certificate to be renewed
//! ```
//!
//! An order is written down (`order.json` beside the certificate) before each thing that must not be forgotten: its URL and the new key, and
//! each token or TXT record before it is set. So a process that is killed at any point goes on with the same order, and cleans up.

pub mod http;
mod order;
mod reach;
mod solve;
pub mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use instant_acme::{Account, CertificateIdentifier, Error, ExternalAccountKey, NewAccount};
use rustls::ClientConfig;
use time::Duration;

use self::http::Client;
use self::words::{Faults, Phase};
use super::challenges::Challenges;
use super::dns::{Dns, Lookup};
use super::renewal::{Ask, Authority, Event, Fault, Window};
use super::store::Store;
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::config::certificates::{Certificates, Challenge};
use crate::diag::{Diagnostic, Kind};
use crate::stacks::home::Way;

pub use order::Done;
pub use reach::Directory;

/// How long somebody else may be making an account, and how often is looked whether it is done.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);
const STEP: std::time::Duration = std::time::Duration::from_millis(100);

/// Calls that met a refused nonce are repeated so often; each call tries three times by itself.
const NONCES: usize = 10;

/// Repeats a call while the authority refuses its nonces: 60 % of refused ones must not be felt.
macro_rules! insist {
    ($call:expr) => {{
        let mut left = $crate::certs::acme::NONCES;
        loop {
            match $call.await {
                Err(error) if left > 0 && $crate::certs::acme::is_bad_nonce(&error) => left -= 1,
                other => break other,
            }
        }
    }};
}
use insist;

fn is_bad_nonce(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if problem.r#type.as_deref().is_some_and(|t| t.ends_with(":badNonce")))
}

/// Makes certificates.
#[derive(Clone)]
pub struct Issuer {
    store: Arc<Store>,
    challenges: Challenges,
    clock: Arc<dyn Clock>,
    tls: Arc<ClientConfig>,
    how: Arc<How>,
}

struct How {
    contact: Option<String>,
    challenge: Challenge,
    dns: Option<Dns>,
    /// Where this machine itself reaches the door to its port 80; `None`: the home has none, and nothing is tried beforehand.
    front: Option<Way>,
    lookup: Lookup,
    /// By directory URL.
    eab: BTreeMap<String, (String, Secret)>,
    names: BTreeMap<String, String>,
    /// Browsers trust what is issued.
    public: bool,
}

impl Issuer {
    /// `dir` is the home; `variables` are those of its `.env`; `front` is where this machine reaches its own port 80, where it has one.
    pub fn new(
        store: Arc<Store>,
        challenges: Challenges,
        clock: Arc<dyn Clock>,
        settings: &Certificates,
        (dir, variables): (&Path, &BTreeMap<String, String>),
        front: Option<Way>,
    ) -> Result<Issuer, Diagnostic> {
        let tls = http::roots(settings.roots.as_ref().map(|file| dir.join(file)).as_deref())?;
        let client = Client::new(&tls, clock.clone());
        let dns = settings.dns.as_ref().filter(|_| settings.challenge == Challenge::Dns01);
        let dns = dns.map(|dns| Dns::open(dns, &settings.resolvers, variables, &client)).transpose()?;
        let mut eab = BTreeMap::new();
        let mut names = BTreeMap::new();
        for ca in &settings.authorities {
            names.insert(ca.directory.clone(), ca.name.clone());
            if let Some(account) = &ca.eab {
                let kid = account.kid.resolve(variables)?.expose().to_owned();
                eab.insert(ca.directory.clone(), (kid, account.hmac.resolve(variables)?));
            }
        }
        let contact = settings.email.as_ref().map(|email| format!("mailto:{email}"));
        let lookup = Lookup::new(&settings.resolvers).map_err(|why| {
            Diagnostic::error("certs.no-provider", format!("no resolver can be used: {why}"))
                .hint("check resolvers: under certificates: in hearth.yaml")
        })?;
        let (challenge, public) = (settings.challenge, settings.roots.is_none());
        let how = How { contact, challenge, dns, front, lookup, eab, names, public };
        Ok(Issuer { store, challenges, clock, tls, how: Arc::new(how) })
    }

    /// What people call the authority of a directory.
    pub fn ca_name<'a>(&'a self, directory: &'a str) -> &'a str {
        self.how.names.get(directory).map_or(directory, String::as_str)
    }

    /// Whether a set of names can be proved at all by the chosen challenge.
    pub fn can_prove(&self, name: &str) -> bool {
        !name.starts_with("*.") || self.how.challenge == Challenge::Dns01
    }

    /// When the authority would like a certificate to be renewed.
    pub async fn suggestion(&self, directory: &str, id: &str) -> Event {
        let none = |unsupported| Event::NoSuggestion { unsupported };
        let Some((aki, serial)) = id.split_once('.') else { return none(true) };
        let client = Client::new(&self.tls, self.clock.clone());
        let faults = Faults { directory, rehearsal: false, now: self.clock.now() };
        // Without an account there is nothing of this authority to renew; and one is not made for a question.
        let Ok(Some(account)) = self.known_account(directory, &client, &faults).await else { return none(false) };
        let identifier = CertificateIdentifier { authority_key_identifier: aki.into(), serial: serial.into() };
        match account.renewal_info(&identifier).await {
            Ok((info, after)) => Event::Suggested {
                id: id.to_owned(),
                window: Window { start: info.suggested_window.start, end: info.suggested_window.end },
                explanation: info.explanation_url.filter(|url| url.starts_with("https://")),
                retry_after: Some(Duration::try_from(after).unwrap_or(Duration::hours(6))),
            },
            Err(Error::Unsupported(_)) => none(true),
            Err(_) => none(false),
        }
    }

    async fn known_account(&self, url: &str, client: &Client, faults: &Faults<'_>) -> Result<Option<Account>, Fault> {
        let stored = self.store.account(&host(url)).map_err(|told| faults.of_diagnostic(&told))?;
        let Some(credentials) = stored.and_then(|text| serde_json::from_str(text.expose()).ok()) else {
            return Ok(None);
        };
        let builder = Account::builder_with_http(Box::new(client.clone()));
        let account = builder.from_credentials(credentials).await;
        account.map(Some).map_err(|error| faults.of(&error, &client.seen(), Phase::Order))
    }

    /// The account at the authority: the stored one, or a new one, stored before it is used.
    async fn account(&self, ask: &Ask, client: &Client, faults: &Faults<'_>) -> Result<Account, Fault> {
        if !ask.new_account
            && let Some(account) = self.known_account(&ask.url, client, faults).await?
        {
            return Ok(account);
        }
        // One at a time, here and in other processes: an authority counts accounts, and lets only the one that ordered a certificate
        // replace it.
        let before = self.store.account(&host(&ask.url)).map_err(|told| faults.of_diagnostic(&told))?;
        let _one = self.accounts(&ask.url).await.map_err(|told| faults.of_diagnostic(&told))?;
        let now = self.store.account(&host(&ask.url)).map_err(|told| faults.of_diagnostic(&told))?;
        let text = |account: &Option<Secret>| account.as_ref().map(|secret| secret.expose().to_owned());
        if text(&now) != text(&before)
            && let Some(account) = self.known_account(&ask.url, client, faults).await?
        {
            return Ok(account);
        }
        let contact: Vec<&str> = self.how.contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let eab = self.how.eab.get(&ask.url).or_else(|| self.how.eab.get(&ask.directory));
        let eab = eab.map(|(kid, hmac)| eab_key(kid, hmac)).transpose().map_err(|told| faults.of_diagnostic(&told))?;
        let made = insist!(async {
            let builder = Account::builder_with_http(Box::new(client.clone()));
            builder.create(&new, ask.url.clone(), eab.as_ref()).await
        });
        let (account, credentials) = made.map_err(|error| self.account_fault(&error, client, faults))?;
        let text = Secret::new(serde_json::to_string(&credentials).unwrap_or_default());
        self.store.save_account(&host(&ask.url), &text).map_err(|told| faults.of_diagnostic(&told))?;
        Ok(account)
    }

    /// The right to make an account at the authority of a directory; given back when it is dropped.
    async fn accounts(&self, url: &str) -> Result<std::fs::File, Diagnostic> {
        for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
            if let Some(held) = self.store.lock_account(&host(url))? {
                return Ok(held);
            }
            tokio::time::sleep(STEP).await;
        }
        Err(Diagnostic::error(
            "certs.busy",
            format!("another process has been making an account at {} for long", host(url)),
        )
        .kind(Kind::Conflict)
        .hint("look for a hearth that hangs, end it, and run this again"))
    }

    /// What goes wrong with a new account is never that it is lost.
    fn account_fault(&self, error: &Error, client: &Client, faults: &Faults<'_>) -> Fault {
        let fault = faults.of(error, &client.seen(), Phase::Order);
        match fault.problem.as_str() {
            "accountDoesNotExist" => faults.own("externalAccountRequired", fault.detail),
            _ => fault,
        }
    }
}

fn eab_key(kid: &str, hmac: &Secret) -> Result<ExternalAccountKey, Diagnostic> {
    let text = hmac.expose().trim();
    let key = BASE64_URL_SAFE_NO_PAD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).map_err(|_| {
        Diagnostic::error("certs.bad-eab", "the hmac of eab: is not what an authority gives: it is base64 for URLs")
            .kind(Kind::Invalid)
            .hint("copy the key from the authority's website again, into the variable in .env that hearth.yaml names")
    })?;
    Ok(ExternalAccountKey::new(kid.to_owned(), &key))
}

/// The host of a directory URL, and its port where it has one: the name of the account's folder.
pub fn host(url: &str) -> String {
    let host = url.strip_prefix("https://").unwrap_or(url).split('/').next().unwrap_or_default();
    host.chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' })
        .collect::<String>()
        .replace("..", "_")
}

/// The authorities of a home, for the renewal machine.
pub fn authorities(settings: &Certificates) -> Vec<Authority> {
    let one = |ca: &crate::config::certificates::Ca| Authority {
        name: ca.name.clone(),
        directory: ca.directory.clone(),
        staging: ca.staging.clone(),
    };
    settings.authorities.iter().map(one).collect()
}
