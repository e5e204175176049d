//! One order, from account to stored certificate.

use std::net::IpAddr;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

use super::http::Client;
use super::words::{Faults, Phase};
use super::{Issuer, NONCES, insist, is_bad_nonce};
use crate::base::clock::rfc3339;
use crate::base::secret::Secret;
use crate::certs::renewal::{Ask, Certificate, Fault, FaultKind, KeyType, Want};
use crate::certs::store::{Facts, Meta, Pending, Source, pair};

/// How long the certificate itself may take.
const FINISH: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(Duration::from_secs(300));

/// How much the authority's clock and ours may differ.
const CLOCKS: time::Duration = time::Duration::DAY;

/// How often an order is looked at again after its names were proved.
const ROUNDS: usize = 10;

/// How an order ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// At staging; nothing is kept.
    Rehearsed,
    /// Stored.
    Issued { certificate: Certificate, exempt: bool },
}

/// One order under way.
pub(super) struct Run<'a> {
    pub issuer: &'a Issuer,
    pub id: &'a str,
    pub ask: &'a Ask,
    pub client: Client,
    pub faults: Faults<'a>,
}

impl Issuer {
    /// Makes one order, or goes on with the one that was left at the same directory. What was set for challenges is taken away again,
    /// whatever happens.
    pub async fn order(&self, id: &str, ask: &Ask) -> Result<Done, Fault> {
        let client = Client::new(&self.tls, self.clock.clone());
        let faults = Faults { directory: &ask.directory, rehearsal: ask.rehearsal, now: self.clock.now() };
        let run = Run { issuer: self, id, ask, client, faults };
        let done = run.whole().await;
        if let Err(fault) = &done
            && fault.problem != "manual"
        {
            run.clean_up().await;
            // What passes leaves the order as it is, to be gone on with; all else has ended it.
            if fault.kind != FaultKind::Passing {
                let _ = self.store.forget_pending(id);
            }
        }
        done
    }
}

impl Run<'_> {
    async fn whole(&self) -> Result<Done, Fault> {
        let ours = |told| self.faults.of_diagnostic(&told);
        let account = self.issuer.account(self.ask, &self.client, &self.faults).await?;
        self.clocks_agree()?;
        let (mut order, key, mut pending) = match self.left(&account).await? {
            Some(left) => left,
            None => self.begin(&account).await?,
        };
        let mut again = false;
        let mut rounds = 0;
        loop {
            match order.state().status {
                OrderStatus::Pending if rounds == ROUNDS => return Err(self.faults.own("timeout", "")),
                OrderStatus::Pending => {
                    rounds += 1;
                    self.solve(&account, &mut order, &mut pending, &key).await?;
                    self.clean_up().await;
                    order = self.fresh(&account, &pending).await?;
                }
                OrderStatus::Ready if !again => {
                    again = true;
                    let csr = csr(&self.ask.want, &key)
                        .ok_or_else(|| self.faults.own("ours", "the request cannot be made"))?;
                    let finalized = insist!(order.finalize_csr(&csr));
                    if let Err(error) = finalized {
                        // It may have been finalized all the same, and its answer lost.
                        let fault = self.faults.of(&error, &self.client.seen(), Phase::Finish);
                        order = self.fresh(&account, &pending).await?;
                        if order.state().status == OrderStatus::Ready || fault.kind == FaultKind::Refused {
                            return Err(fault);
                        }
                    }
                }
                OrderStatus::Ready => return Err(self.faults.own("orderNotReady", "")),
                OrderStatus::Processing | OrderStatus::Valid => break,
                OrderStatus::Invalid => return Err(self.why_invalid(&account, &pending).await),
            }
        }
        let chain = insist!(order.poll_certificate(&FINISH));
        let chain = chain.map_err(|error| self.faults.of(&error, &self.client.seen(), Phase::Finish))?;
        let facts = self.judge(&chain, &key)?;
        if self.ask.rehearsal {
            self.clean_up().await;
            self.issuer.store.forget_pending(self.id).map_err(ours)?;
            return Ok(Done::Rehearsed);
        }
        self.keep(&chain, &key, facts, &pending).map_err(ours)
    }

    /// An order by a wrong clock would be one for every certificate of the home, and each would look expired or not begun.
    fn clocks_agree(&self) -> Result<(), Fault> {
        let now = self.faults.now;
        let Some(there) = self.client.seen().date.filter(|there| (*there - now).abs() > CLOCKS) else { return Ok(()) };
        let both = format!("there it is {}, here {}", rfc3339(there), rfc3339(now));
        Err(self.faults.own("clock", both))
    }

    /// The order that a former try or process left at this directory.
    async fn left(&self, account: &Account) -> Result<Option<(Order, Secret, Pending)>, Fault> {
        let Ok(Some((pending, key))) = self.issuer.store.pending(self.id) else { return Ok(None) };
        if pending.directory == self.ask.url && !self.ask.new_account {
            match insist!(account.order(pending.url.clone())) {
                Ok(mut order) => {
                    // An invalid one is of no use any more.
                    if order.state().status != OrderStatus::Invalid {
                        return Ok(Some((order, key, pending)));
                    }
                }
                Err(instant_acme::Error::Api(_)) => {}
                Err(error) => return Err(self.faults.of(&error, &self.client.seen(), Phase::Order)),
            }
        }
        self.clean_up().await;
        let _ = self.issuer.store.forget_pending(self.id);
        Ok(None)
    }

    /// A new order; its URL and the new key are on the disk before anything else happens.
    async fn begin(&self, account: &Account) -> Result<(Order, Secret, Pending), Fault> {
        let want = &self.ask.want;
        let key = new_key(want.key).ok_or_else(|| self.faults.own("ours", "a key cannot be made"))?;
        let identifiers: Vec<Identifier> = want.names.iter().map(|name| identifier(name)).collect();
        let profile = want.profile.as_deref().filter(|wanted| account.profiles().any(|known| known.name == *wanted));
        if let (Some(wanted), None) = (&want.profile, profile) {
            let known: Vec<&str> = account.profiles().map(|profile| profile.name).collect();
            let known =
                if known.is_empty() { "it lists none".to_owned() } else { format!("it lists {}", known.join(", ")) };
            return Err(self.faults.own("invalidProfile", format!("`{wanted}` is not one of its profiles; {known}")));
        }
        let new = || match profile {
            Some(profile) => NewOrder::new(&identifiers).profile(profile),
            None => NewOrder::new(&identifiers),
        };
        let replaced = self.ask.replaces.as_deref().and_then(|id| id.split_once('.'));
        let mut made = None;
        if let Some((aki, serial)) = replaced {
            let certificate = CertificateIdentifier { authority_key_identifier: aki.into(), serial: serial.into() };
            let with = new().replaces(certificate);
            made = match insist!(account.new_order(&with)) {
                Ok(order) => Some((order, true)),
                // The authority knows no renewal information, or the certificate was replaced already: an ordinary order then.
                Err(error) if is_about_replaces(&error) => None,
                Err(error) => return Err(self.faults.of(&error, &self.client.seen(), Phase::Order)),
            };
        }
        let (order, exempt) = match made {
            Some(made) => made,
            None => {
                let ordinary = new();
                let order = insist!(account.new_order(&ordinary));
                (order.map_err(|error| self.faults.of(&error, &self.client.seen(), Phase::Order))?, false)
            }
        };
        let pending = Pending {
            directory: self.ask.url.clone(),
            url: order.url().to_owned(),
            key: String::new(),
            exempt,
            records: Vec::new(),
        };
        self.write_down(&pending, &key)?;
        Ok((order, key, pending))
    }

    pub(super) fn write_down(&self, pending: &Pending, key: &Secret) -> Result<(), Fault> {
        self.issuer.store.save_pending(self.id, pending.clone(), key).map_err(|told| self.faults.of_diagnostic(&told))
    }

    /// The order as the authority sees it now.
    pub(super) async fn fresh(&self, account: &Account, pending: &Pending) -> Result<Order, Fault> {
        let order = insist!(account.order(pending.url.clone()));
        order.map_err(|error| self.faults.of(&error, &self.client.seen(), Phase::Order))
    }

    /// Loads all authorizations of an order; they are at hand afterwards without asking again.
    pub(super) async fn load(&self, order: &mut Order) -> Result<(), Fault> {
        let mut left = NONCES;
        loop {
            let mut all = order.authorizations();
            let failed = loop {
                match all.next().await {
                    None => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break error,
                }
            };
            // Those that were loaded stay loaded: it goes on where it failed.
            if left == 0 || !is_bad_nonce(&failed) {
                return Err(self.faults.of(&failed, &self.client.seen(), Phase::Order));
            }
            left -= 1;
        }
    }

    /// Why an order became invalid: its own error, or that of a challenge, where Let's Encrypt often puts it only.
    pub(super) async fn why_invalid(&self, account: &Account, pending: &Pending) -> Fault {
        let mut order = match self.fresh(account, pending).await {
            Ok(order) => order,
            Err(fault) => return fault,
        };
        let mut found = None;
        // What cannot be loaded says nothing; what can may say enough.
        let _ = self.load(&mut order).await;
        let mut all = order.authorizations();
        while let Some(Ok(authorization)) = all.next().await {
            let failed = authorization.challenges.iter().find_map(|challenge| challenge.error.clone());
            if authorization.status == AuthorizationStatus::Invalid && failed.is_some() {
                found = failed.map(|problem| (problem, authorization.identifier().to_string()));
                break;
            }
        }
        let seen = super::http::Seen::default();
        match (found, &order.state().error) {
            (Some((problem, name)), _) => {
                let mut fault = self.faults.problem(&problem, &seen, Phase::Validation);
                if !fault.detail.contains(&name) {
                    fault.detail = format!("{name}: {}", fault.detail);
                }
                fault
            }
            (None, Some(problem)) => self.faults.problem(problem, &seen, Phase::Validation),
            (None, None) => self.faults.own("unauthorized", "it does not say why"),
        }
    }

    /// Only what is right in every way is stored.
    fn judge(&self, chain: &str, key: &Secret) -> Result<Facts, Fault> {
        let mut wanted = self.ask.want.names.clone();
        wanted.sort();
        let now = self.issuer.clock.now();
        // An authority's clock may be a little ahead, and a wrong clock of ours must not throw the certificate away: the machine says so.
        let facts = pair::facts(chain).map_err(|told| self.faults.own("garbage", told.title))?;
        let at = now.clamp(facts.not_before, (facts.not_after - time::Duration::SECOND).max(facts.not_before));
        let facts = pair::check(chain, key.expose(), at).map_err(|told| self.faults.own("garbage", told.title))?;
        if facts.names != wanted {
            return Err(self.faults.own("garbage", format!("the certificate is for {}", facts.names.join(", "))));
        }
        Ok(facts)
    }

    fn keep(
        &self,
        chain: &str,
        key: &Secret,
        facts: Facts,
        pending: &Pending,
    ) -> Result<Done, crate::diag::Diagnostic> {
        let store = &self.issuer.store;
        let state = store.meta(self.id)?.state;
        let source = Some(Source::Acme(self.ask.directory.clone()));
        store.save(self.id, chain, key, &Meta { source, public: self.issuer.how.public, state })?;
        store.forget_pending(self.id)?;
        let certificate = Certificate {
            id: facts.ari_id,
            directory: self.ask.directory.clone(),
            names: facts.names,
            not_before: facts.not_before,
            not_after: facts.not_after,
        };
        Ok(Done::Issued { certificate, exempt: pending.exempt })
    }
}

fn is_about_replaces(error: &instant_acme::Error) -> bool {
    match error {
        instant_acme::Error::Unsupported(_) | instant_acme::Error::Other(_) => {
            // The library wants the field reflected; where it is not, the order stands but is no replacement.
            !matches!(error, instant_acme::Error::Other(inner) if inner.is::<super::http::Trouble>())
        }
        instant_acme::Error::Api(problem) => {
            // `unauthorized`: another account than this one ordered the certificate that would be replaced. Where it means that the
            // account is gone, the ordinary order says so too.
            let kind = problem.r#type.as_deref().unwrap_or_default();
            let about = [":alreadyReplaced", ":malformed", ":unauthorized"];
            about.iter().any(|end| kind.ends_with(end)) || matches!(problem.status, Some(404 | 409))
        }
        _ => false,
    }
}

fn identifier(name: &str) -> Identifier {
    name.parse::<IpAddr>().map_or_else(|_| Identifier::Dns(name.to_owned()), Identifier::Ip)
}

fn new_key(kind: KeyType) -> Option<Secret> {
    let algorithm = match kind {
        KeyType::P256 => &PKCS_ECDSA_P256_SHA256,
        KeyType::P384 => &PKCS_ECDSA_P384_SHA384,
    };
    Some(Secret::new(KeyPair::generate_for(algorithm).ok()?.serialize_pem()))
}

fn csr(want: &Want, key: &Secret) -> Option<Vec<u8>> {
    let key = KeyPair::from_pem(key.expose()).ok()?;
    let mut params = CertificateParams::new(want.names.clone()).ok()?;
    // No common name: it would be one more name in Traefik's eyes.
    params.distinguished_name = DistinguishedName::new();
    Some(params.serialize_request(&key).ok()?.der().to_vec())
}
