//! What the panel has told, in memory: doors, sessions, tokens. Nothing of it outlives the process.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ipnet::IpNet;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::base::clock::Clock;
use crate::traefik::forward::wire::{Door, Doors, Grant, Hash};

/// How long it is remembered that something shown is nobody's, in milliseconds, and of how many.
const NOBODY: (i64, usize) = (10_000, 4096);

/// The doors, made ready for looking up.
pub struct Rules {
    pub doors: Doors,
    key: String,
    hosts: HashSet<String>,
    lan: Vec<IpNet>,
}

impl Rules {
    fn of(doors: Doors) -> Rules {
        Rules {
            key: doors.key.text(),
            hosts: doors.routes.iter().flat_map(|route| route.hosts.iter().cloned()).collect(),
            lan: doors.lan.iter().filter_map(|range| range.parse().ok()).collect(),
            doors,
        }
    }

    /// In constant time.
    pub fn is_key(&self, text: &str) -> bool {
        text.as_bytes().ct_eq(self.key.as_bytes()).into()
    }

    /// Whether a host has a route with a login.
    pub fn has(&self, host: &str) -> bool {
        self.hosts.contains(host)
    }

    pub fn route(&self, name: &str) -> Option<&Door> {
        self.doors.routes.iter().find(|route| route.name == name)
    }

    /// The services that a question may be about: of the route that it names, or all that have this host and name no route there.
    pub fn behind<'r>(&'r self, route: Option<&'r Door>, named: bool, host: Option<&str>) -> Vec<&'r str> {
        if named {
            return route.map(|route| route.service.as_str()).into_iter().collect();
        }
        let here = |door: &&Door| door.bypass.is_empty() && door.hosts.iter().any(|own| Some(own.as_str()) == host);
        self.doors.routes.iter().filter(here).map(|door| door.service.as_str()).collect()
    }

    pub fn is_home(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.lan.iter().any(|range| range.contains(&address))
    }
}

/// A grant, and when it was last used.
pub struct Kept {
    pub grant: Grant,
    used: AtomicI64,
    told: AtomicI64,
}

impl Kept {
    fn new(grant: Grant) -> Kept {
        let (used, told) = (AtomicI64::new(grant.used), AtomicI64::new(grant.used));
        Kept { grant, used, told }
    }

    pub fn holds(&self, now: i64) -> bool {
        self.grant.holds(now, self.used.load(Ordering::Relaxed))
    }

    /// It is used now.
    pub fn touch(&self, now: i64) {
        self.used.fetch_max(now, Ordering::Relaxed);
    }
}

/// All of it.
pub struct Known {
    clock: Arc<dyn Clock>,
    rules: watch::Sender<Option<Arc<Rules>>>,
    grants: RwLock<HashMap<Hash, Arc<Kept>>>,
    nobody: Mutex<HashMap<Hash, i64>>,
}

impl Known {
    pub fn new(clock: Arc<dyn Clock>) -> Known {
        Known { clock, rules: watch::Sender::new(None), grants: RwLock::default(), nobody: Mutex::default() }
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        let now = self.clock.now();
        now.unix_timestamp() * 1000 + i64::from(now.millisecond())
    }

    /// The doors; none as long as no panel was met.
    pub fn rules(&self) -> Option<Arc<Rules>> {
        self.rules.borrow().clone()
    }

    /// The doors, once there are some.
    pub async fn wait_for_rules(&self) -> Arc<Rules> {
        let mut rules = self.rules.subscribe();
        loop {
            if let Some(rules) = rules.borrow_and_update().clone() {
                return rules;
            }
            if rules.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whose it is, where that is known and holds.
    pub fn get(&self, hash: &Hash, now: i64) -> Option<Arc<Kept>> {
        let grants = self.grants.read().unwrap_or_else(PoisonError::into_inner);
        grants.get(hash).filter(|kept| kept.holds(now)).cloned()
    }

    /// Whether it was nobody's a moment ago.
    pub fn is_nobodys(&self, hash: &Hash, now: i64) -> bool {
        let nobody = self.nobody.lock().unwrap_or_else(PoisonError::into_inner);
        nobody.get(hash).is_some_and(|until| now < *until)
    }

    pub fn set_nobodys(&self, hash: Hash) {
        let now = self.now();
        let mut nobody = self.nobody.lock().unwrap_or_else(PoisonError::into_inner);
        if nobody.len() >= NOBODY.1 {
            nobody.retain(|_, until| now < *until);
        }
        if nobody.len() < NOBODY.1 {
            nobody.insert(hash, now + NOBODY.0);
        }
    }

    pub fn set_doors(&self, doors: Doors) {
        self.rules.send_replace(Some(Arc::new(Rules::of(doors))));
    }

    /// All that there is; what was known before is forgotten, but for when it was last used.
    pub fn replace(&self, doors: Doors, sessions: Vec<(Hash, Grant)>) {
        let mut grants = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::take(&mut *grants);
        for (hash, grant) in sessions {
            let kept = Kept::new(grant);
            if let Some(before) = old.get(&hash) {
                kept.touch(before.used.load(Ordering::Relaxed));
            }
            grants.insert(hash, Arc::new(kept));
        }
        drop(grants);
        self.nobody.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.set_doors(doors);
    }

    pub fn set(&self, hash: Hash, grant: Grant) -> Arc<Kept> {
        let kept = Kept::new(grant);
        let mut grants = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = grants.get(&hash) {
            kept.touch(before.used.load(Ordering::Relaxed));
        }
        let kept = Arc::new(kept);
        grants.insert(hash, kept.clone());
        drop(grants);
        self.nobody.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        kept
    }

    pub fn end(&self, hash: &Hash) {
        self.grants.write().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    /// When each was last used that was used since this was last asked; those that have ended by themselves are forgotten.
    pub fn used(&self) -> Vec<(Hash, i64)> {
        let now = self.now();
        let mut grants = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for (hash, kept) in grants.iter() {
            let used = kept.used.load(Ordering::Relaxed);
            if kept.told.swap(used, Ordering::Relaxed) < used {
                all.push((*hash, used));
            }
        }
        grants.retain(|_, kept| kept.holds(now));
        all
    }
}
