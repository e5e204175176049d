//! The challenges of an order: set, seen, announced, awaited, and taken away again.

use std::time::Duration;

use instant_acme::{Account, AuthorizationStatus, ChallengeStatus, ChallengeType, Identifier, Order, OrderStatus};

use super::insist;
use super::order::Run;
use super::words::Phase;
use crate::base::secret::Secret;
use crate::certs::dns::{Dns, Failed, Place};
use crate::certs::preflight::{self, Question};
use crate::certs::renewal::Fault;
use crate::certs::store::{Pending, Record};
use crate::config::certificates::Challenge;
use crate::stacks::home::Way;

/// How long the authority may take to check the names.
const CHECK: Duration = Duration::from_secs(180);
const STEP: Duration = Duration::from_millis(500);

/// One name that is still to be proved.
struct Todo {
    /// The authorization's URL.
    url: String,
    /// Without a star.
    name: String,
    record: Record,
}

impl Run<'_> {
    /// Proves all names that are not proved yet.
    pub(super) async fn solve(
        &self,
        account: &Account,
        order: &mut Order,
        pending: &mut Pending,
        key: &Secret,
    ) -> Result<(), Fault> {
        let todo = self.todo(order).await?;
        if todo.is_empty() {
            // All are proved; the authority has not come to say so of the order.
            tokio::time::sleep(STEP).await;
        }
        let one_by_one = self.issuer.how.dns.as_ref().is_some_and(Dns::is_sequential);
        let size = if one_by_one { 1 } else { todo.len().max(1) };
        for some in todo.chunks(size) {
            // Written down first: what is set must be found again, whenever this ends.
            let before = std::mem::take(&mut pending.records);
            pending.records = some.iter().map(|one| one.record.clone()).collect();
            self.write_down(pending, key)?;
            for one in some {
                self.set(one, before.contains(&one.record)).await?;
            }
            for one in some {
                self.see(one).await?;
            }
            self.announce(order, some).await?;
            self.wait(account, pending, some).await?;
            if one_by_one {
                self.clean_up().await;
            }
        }
        Ok(())
    }

    /// What is to be set for each name. Authorizations that are valid already are left alone: their challenges are over.
    async fn todo(&self, order: &mut Order) -> Result<Vec<Todo>, Fault> {
        let wanted = match self.issuer.how.challenge {
            Challenge::Http01 => ChallengeType::Http01,
            Challenge::Dns01 => ChallengeType::Dns01,
        };
        let mut todo = Vec::new();
        self.load(order).await?;
        let mut all = order.authorizations();
        while let Some(Ok(mut authorization)) = all.next().await {
            if authorization.status != AuthorizationStatus::Pending {
                continue;
            }
            let url = authorization.url().to_owned();
            let shown = authorization.identifier().to_string();
            let (name, is_address) = match authorization.identifier().identifier {
                Identifier::Dns(name) => (name.clone(), false),
                other => (other.authorized(false).to_string(), true),
            };
            // An address can be proved over HTTP only.
            let kind = if is_address { ChallengeType::Http01 } else { wanted.clone() };
            let Some(challenge) = authorization.challenge(kind.clone()) else {
                return Err(self.faults.own("noChallenge", shown));
            };
            let answer = challenge.key_authorization();
            let record = match kind {
                ChallengeType::Http01 => {
                    Record::Token { token: challenge.token.clone(), answer: answer.as_str().to_owned() }
                }
                _ => {
                    let place = self.dns()?.place(&name).await.map_err(|failed| self.dns_fault(failed))?;
                    Record::Txt { zone: place.zone, name: place.name, value: answer.dns_value() }
                }
            };
            todo.push(Todo { url, name, record });
        }
        Ok(todo)
    }

    fn dns(&self) -> Result<&Dns, Fault> {
        self.issuer.how.dns.as_ref().ok_or_else(|| self.faults.own("dnsProvider", "no dns: is set under certificates:"))
    }

    /// `before`: a former process may have set it already, and may have been killed just before.
    async fn set(&self, one: &Todo, before: bool) -> Result<(), Fault> {
        match &one.record {
            Record::Token { token, answer } => {
                self.issuer.challenges.put(token, answer);
                Ok(())
            }
            Record::Txt { zone, name, value } => {
                let place = Place { zone: zone.clone(), name: name.clone() };
                if before && self.dns()?.is_somewhere(&place, value).await {
                    return Ok(());
                }
                self.dns()?.add(&place, value).await.map_err(|failed| self.dns_fault(failed))
            }
        }
    }

    /// Sees for itself what the authority will look for.
    async fn see(&self, one: &Todo) -> Result<(), Fault> {
        match &one.record {
            Record::Txt { zone, name, value } => {
                let place = Place { zone: zone.clone(), name: name.clone() };
                self.dns()?.visible(&place, value).await.map_err(|failed| self.dns_fault(failed))
            }
            Record::Token { token, answer } => {
                let how = &self.issuer.how;
                let Some(front) = how.front.as_ref().map(Way::address) else { return Ok(()) };
                let asked = Question { name: &one.name, token, answer };
                match preflight::hopeless(front, &how.lookup, asked, how.public).await {
                    Some(why) => Err(self.faults.own("closed", why)),
                    None => Ok(()),
                }
            }
        }
    }

    fn dns_fault(&self, failed: Failed) -> Fault {
        match failed {
            Failed::Provider(why) => self.faults.own("dnsProvider", why),
            Failed::NotVisible(why) => self.faults.own("propagation", why),
            Failed::Person { name, value } => self.faults.own("manual", format!("{name} TXT {value}")),
        }
    }

    /// Tells the authority that these can be checked.
    async fn announce(&self, order: &mut Order, some: &[Todo]) -> Result<(), Fault> {
        self.load(order).await?;
        let mut all = order.authorizations();
        while let Some(Ok(mut authorization)) = all.next().await {
            let Some(one) = some.iter().find(|one| one.url == authorization.url()) else { continue };
            let kind = match one.record {
                Record::Token { .. } => ChallengeType::Http01,
                Record::Txt { .. } => ChallengeType::Dns01,
            };
            let Some(mut challenge) = authorization.challenge(kind) else { continue };
            // A former process announced it.
            if challenge.status != ChallengeStatus::Pending {
                continue;
            }
            let ready = insist!(challenge.set_ready());
            ready.map_err(|error| self.faults.of(&error, &self.client.seen(), Phase::Validation))?;
        }
        Ok(())
    }

    /// Waits until these are proved, or the order has failed.
    async fn wait(&self, account: &Account, pending: &Pending, some: &[Todo]) -> Result<(), Fault> {
        let until = tokio::time::Instant::now() + CHECK;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(STEP).await;
            let mut order = self.fresh(account, pending).await?;
            match order.state().status {
                OrderStatus::Invalid => return Err(self.why_invalid(account, pending).await),
                OrderStatus::Pending => {}
                _ => return Ok(()),
            }
            self.load(&mut order).await?;
            let mut open = 0;
            let mut all = order.authorizations();
            while let Some(Ok(authorization)) = all.next().await {
                let ours = some.iter().any(|one| one.url == authorization.url());
                match authorization.status {
                    AuthorizationStatus::Pending if ours => open += 1,
                    AuthorizationStatus::Invalid => return Err(self.why_invalid(account, pending).await),
                    _ => {}
                }
            }
            // All are proved only when the order says so, where these were the last.
            if open == 0 && self.issuer.how.dns.as_ref().is_some_and(Dns::is_sequential) {
                return Ok(());
            }
        }
        let names: Vec<&str> = some.iter().map(|one| one.name.as_str()).collect();
        Err(self.faults.own("timeout", format!("{} was not checked within 3 min", names.join(", "))))
    }

    /// Takes away everything that was set, by what is written down; what cannot be taken away now is tried again the next time.
    pub(super) async fn clean_up(&self) {
        let Ok(Some((mut pending, key))) = self.issuer.store.pending(self.id) else { return };
        if pending.records.is_empty() {
            return;
        }
        let mut left = Vec::new();
        for record in std::mem::take(&mut pending.records) {
            let gone = match &record {
                Record::Token { token, .. } => {
                    self.issuer.challenges.remove(token);
                    true
                }
                Record::Txt { zone, name, value } => match &self.issuer.how.dns {
                    Some(dns) => dns.remove(&Place { zone: zone.clone(), name: name.clone() }, value).await.is_ok(),
                    None => true,
                },
            };
            if !gone {
                left.push(record);
            }
        }
        pending.records = left;
        let _ = self.issuer.store.save_pending(self.id, pending, &key);
    }
}
