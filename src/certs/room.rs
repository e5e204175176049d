//! The certificates of one home: what `hearth serve`, the commands and the writer of Traefik's file all begin with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::acme::{self, Issuer};
use super::challenges::Challenges;
use super::keeper::Parts;
use super::renewal::{CHECK, KeyType, Policy, Want};
use super::store::Store;
use crate::base::clock::Clock;
use crate::config::certificates::{Certificates, Challenge};
use crate::diag::Diagnostic;
use crate::spec::Mode;
use crate::stacks::home::{Home, Way};

/// An open room.
#[derive(Clone)]
pub struct Room {
    pub store: Arc<Store>,
    /// Answers to HTTP-01, for whoever holds port 80.
    pub challenges: Challenges,
    pub settings: Certificates,
    dir: PathBuf,
    variables: BTreeMap<String, String>,
    front: Option<Way>,
}

impl Room {
    /// Where challenges over HTTP are answered, as this machine itself reaches it; `None`: in localhost mode nowhere.
    pub fn front(&self) -> Option<SocketAddr> {
        self.front.as_ref().map(Way::address)
    }

    pub fn open(home: &Home) -> Result<Room, Diagnostic> {
        let settings = home.config.certificates.clone();
        let key_file = settings.key_file.as_ref().map(|file| home.dir.join(file));
        let store = Arc::new(Store::open(&home.dir.join("state"), key_file.as_deref())?);
        let challenges = Challenges::open(&store);
        let front = (home.config.mode == Mode::Domain).then(|| home.http());
        Ok(Room { store, challenges, settings, dir: home.dir.clone(), variables: home.env_values()?, front })
    }

    /// The room as the home says it now. What is answered stays the same, so that no authority that comes by meanwhile is turned away.
    pub fn again(&self, home: &Home) -> Result<Room, Diagnostic> {
        Ok(Room { challenges: self.challenges.clone(), ..Room::open(home)? })
    }

    /// Whether both order the same way: their settings, and the values of the variables in them.
    pub fn is_as(&self, other: &Room) -> bool {
        let value = |room: &Room, name: &str| room.variables.get(name).cloned();
        let same = |name: &&str| value(self, name) == value(other, name);
        self.settings == other.settings && self.settings.variables().iter().all(same)
    }

    /// How renewal is decided in this home.
    pub fn policy(&self) -> Policy {
        Policy { check: CHECK, authorities: acme::authorities(&self.settings) }
    }

    /// What the keeper works with. `random` gives another number in 0..1 with each call.
    pub fn parts(
        &self,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Fn() -> f64 + Send + Sync>,
    ) -> Result<Parts, Diagnostic> {
        let (store, challenges) = (self.store.clone(), self.challenges.clone());
        let home = (self.dir.as_path(), &self.variables);
        let issuer = Issuer::new(store.clone(), challenges, clock.clone(), &self.settings, home, self.front.clone())?;
        Ok(Parts { store, issuer, policy: self.policy(), clock, random })
    }

    /// What is wanted for sets of names (normal form): sorted, with the profile of `hearth.yaml`.
    pub fn wants(&self, sets: &[Vec<String>]) -> Vec<Want> {
        sets.iter().map(|names| self.want(names)).collect()
    }

    pub fn want(&self, names: &[String]) -> Want {
        let mut names = names.to_vec();
        names.sort();
        names.dedup();
        Want { names, profile: self.settings.profile.clone(), key: KeyType::P256 }
    }

    /// The sets of names for a domain and the hosts that are routed: one wildcard for all right under the domain where DNS proves names,
    /// else one certificate for each host, since HTTP cannot prove a wildcard.
    pub fn sets(&self, domain: &str, hosts: &[String]) -> Vec<Vec<String>> {
        let dns = self.settings.challenge == Challenge::Dns01;
        let under = |host: &str| host == domain || host.split_once('.').is_some_and(|(_, parent)| parent == domain);
        let mut sets = Vec::new();
        if dns && hosts.iter().any(|host| under(host)) {
            sets.push(vec![domain.to_owned(), format!("*.{domain}")]);
        }
        let alone = hosts.iter().filter(|host| !(dns && under(host)));
        sets.extend(alone.map(|host| vec![host.clone()]));
        sets
    }
}
