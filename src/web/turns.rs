//! Whose request is answered: so many at once, and of one household only a part of them, so that nobody keeps others out by asking much or slowly.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{Limits, household};

/// How long a request waits for others of its own household.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests of one household that wait: beyond it the next are told at once.
const WAITING: usize = 512;

/// The places of one door.
pub struct Turns {
    all: Arc<Semaphore>,
    each: usize,
    households: Arc<Mutex<HashMap<IpAddr, Household>>>,
}

struct Household {
    places: Arc<Semaphore>,
    /// Requests under way or waiting.
    here: usize,
}

/// One request's place; given back when it is dropped.
pub struct Turn {
    _place: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    of: IpAddr,
    households: Arc<Mutex<HashMap<IpAddr, Household>>>,
}

impl Turns {
    pub fn new(limits: &Limits) -> Turns {
        let all = Arc::new(Semaphore::new(limits.requests));
        Turns { all, each: limits.requests_each.max(1), households: Arc::default() }
    }

    /// A place for a request from `address`. `None`: there is none for it.
    pub async fn take(&self, address: IpAddr) -> Option<Turn> {
        let of = household(address);
        let (mut turn, places) = self.wait(of)?;
        let own = match places.clone().try_acquire_owned() {
            Ok(own) => own,
            Err(_) => tokio::time::timeout(PATIENCE, places.acquire_owned()).await.ok()?.ok()?,
        };
        let one = self.all.clone().try_acquire_owned().ok()?;
        turn._place = Some((own, one));
        Some(turn)
    }

    fn wait(&self, of: IpAddr) -> Option<(Turn, Arc<Semaphore>)> {
        let mut households = self.households.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Household { places: Arc::new(Semaphore::new(self.each)), here: 0 };
        let household = households.entry(of).or_insert_with(new);
        if household.here >= self.each + WAITING {
            return None;
        }
        household.here += 1;
        let turn = Turn { _place: None, of, households: self.households.clone() };
        Some((turn, household.places.clone()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut households = self.households.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(household) = households.get_mut(&self.of) {
            household.here -= 1;
            if household.here == 0 {
                households.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hostile_31_one_household_takes_its_own_places_and_no_others() {
        let turns = Turns::new(&Limits { requests: 10, requests_each: 4, ..Limits::default() });
        let (one, other): (IpAddr, IpAddr) = ("203.0.113.9".parse().unwrap(), "192.168.1.5".parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(turns.take(one).await.unwrap());
        }
        let waits = tokio::time::timeout(Duration::from_millis(50), turns.take(one)).await;
        assert!(waits.is_err(), "a fifth waits");
        assert!(turns.take(other).await.is_some(), "others do not");
        held.pop();
        assert!(turns.take(one).await.is_some(), "and goes on when one of its own has ended");
        drop(held);
        assert!(turns.households.lock().unwrap().is_empty(), "nothing is kept of who is gone");
    }

    #[tokio::test]
    async fn all_households_together_have_so_many_places_and_no_more() {
        let turns = Turns::new(&Limits { requests: 3, requests_each: 2, ..Limits::default() });
        let mut held = Vec::new();
        for n in 0..3u8 {
            held.push(turns.take([10, 0, 0, n].into()).await.unwrap());
        }
        assert!(turns.take([10, 0, 0, 9].into()).await.is_none());
        held.pop();
        assert!(turns.take([10, 0, 0, 9].into()).await.is_some());
    }
}
