//! Sessions in memory: what accounts are to a login, in tests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::refusals::Refusals;
use super::sessions::{Opened, Person, Sessions};
use crate::auth::secrets;
use crate::base::random::SystemRandom;
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::traefik::forward::wire::{Grant, Hash, Kind, Of, Refused};

/// People who are signed in at the panel, and what became of it.
#[derive(Default)]
pub struct Double {
    held: Mutex<Held>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Held {
    /// Who has a session of the panel, by its public id.
    parents: HashMap<String, Grant>,
    /// Sessions of hosts, with their parent; tokens without one.
    parts: HashMap<Hash, (Option<String>, Grant)>,
    used: HashMap<Hash, i64>,
    refused: Vec<Refused>,
    lost: u64,
    asked: usize,
    silent: bool,
}

impl Double {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, act: impl FnOnce(&mut Held)) {
        act(&mut self.held());
        self.changes.send_modify(|count| *count += 1);
    }

    /// Somebody signs in at the panel; the session's public id is theirs to choose.
    pub fn sign_in(&self, parent: &str, who: Grant) {
        self.change(|held| drop(held.parents.insert(parent.into(), who)));
    }

    /// That session ends, and all its parts.
    pub fn end_parent(&self, parent: &str) {
        self.change(|held| {
            held.parents.remove(parent);
            held.parts.retain(|_, (of, _)| of.as_deref() != Some(parent));
        });
    }

    /// What somebody may is another thing now.
    pub fn alter(&self, parent: &str, act: impl Fn(&mut Grant)) {
        self.change(|held| {
            held.parents.get_mut(parent).into_iter().for_each(&act);
            let own = held.parts.values_mut().filter(|(of, _)| of.as_deref() == Some(parent));
            own.for_each(|(_, grant)| act(grant));
        });
    }

    /// A token for these services.
    pub fn give_token(&self, who: &Grant, services: &[&str]) -> Secret {
        let token = secrets::api_token(&SystemRandom);
        let of = Of::Routes(services.iter().map(|s| s.to_string()).collect());
        let grant = Grant { of, ..who.clone() };
        self.change(|held| drop(held.parts.insert(Hash::of(token.expose()), (None, grant))));
        token
    }

    pub fn take_token(&self, token: &Secret) {
        self.change(|held| drop(held.parts.remove(&Hash::of(token.expose()))));
    }

    /// Answers nothing any more, as a database that hangs.
    pub fn fall_silent(&self) {
        self.held().silent = true;
    }

    /// When it was last used, as it was told.
    pub fn last_used(&self, hash: &Hash) -> Option<i64> {
        self.held().used.get(hash).copied()
    }

    /// Whom gate has turned away, as it was told, and how many more.
    pub fn refused(&self) -> (Vec<Refused>, u64) {
        let held = self.held();
        (held.refused.clone(), held.lost)
    }

    /// How often somebody was looked up.
    pub fn asked(&self) -> usize {
        self.held().asked
    }
}

#[async_trait]
impl Sessions for Double {
    async fn all(&self) -> Result<Vec<(Hash, Grant)>, Diagnostic> {
        let held = self.held();
        let own = held.parts.iter().filter(|(_, (parent, _))| parent.is_some());
        Ok(own.map(|(hash, (_, grant))| (*hash, grant.clone())).collect())
    }

    async fn whose(&self, _kind: Kind, hash: Hash) -> Result<Option<Grant>, Diagnostic> {
        let (found, silent) = {
            let mut held = self.held();
            held.asked += 1;
            (held.parts.get(&hash).map(|(_, grant)| grant.clone()), held.silent)
        };
        if silent {
            std::future::pending::<()>().await;
        }
        Ok(found)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn used(&self, all: Vec<(Hash, i64)>) {
        self.held().used.extend(all);
    }

    async fn open(&self, parent: &str, host: &str) -> Result<Option<Opened>, Diagnostic> {
        let Some(who) = self.held().parents.get(parent).cloned() else { return Ok(None) };
        let cookie = secrets::token(&SystemRandom);
        let grant = Grant { of: Of::Host(host.into()), ..who };
        self.change(|held| drop(held.parts.insert(Hash::of(cookie.expose()), (Some(parent.into()), grant))));
        Ok(Some(Opened { cookie, lasts: 3600 }))
    }

    async fn leave(&self, hash: Hash) -> Result<(), Diagnostic> {
        self.change(|held| drop(held.parts.remove(&hash)));
        Ok(())
    }

    async fn sign_out(&self, hash: Hash) -> Result<Option<Person>, Diagnostic> {
        let found = self.held().parts.get(&hash).cloned();
        let Some((Some(parent), grant)) = found else { return Ok(None) };
        self.end_parent(&parent);
        Ok(Some(Person { id: 1, name: grant.user }))
    }
}

#[async_trait]
impl Refusals for Double {
    async fn refused(&self, all: Vec<Refused>, lost: u64) -> Result<(), Diagnostic> {
        let mut held = self.held();
        held.refused.extend(all);
        held.lost += lost;
        Ok(())
    }
}
