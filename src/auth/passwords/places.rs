//! How many passwords are hashed at once: the memory of all together is bounded, and a flood from outside leaves the places of those
//! at home alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::diag::{Diagnostic, Kind};
use crate::web::{self, household};

/// Whose turn it is. Each lane has its own memory and its own queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// In the home's network, or from where this account has signed in before.
    Near,
    Outside,
}

/// For whom a place is taken.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub lane: Lane,
    /// Where it comes from; `None`: an admin, or the terminal.
    pub from: Option<IpAddr>,
}

impl From<Lane> for Turn {
    fn from(lane: Lane) -> Turn {
        Turn { lane, from: None }
    }
}

/// MiB that all hashes of one lane take together at most; of both lanes together 128.
const MIB: u32 = 64;
/// Requests that wait in one lane at most, and how long.
const QUEUE: usize = 32;
/// Of them from one household: one that floods leaves the others their places. From this machine half of all, since a tunnel's are of many people.
const EACH: usize = 4;
const HERE: usize = QUEUE / 2;
const PATIENCE: Duration = Duration::from_secs(8);

/// KiB for one hash, so that as many as there are cores to do it fit into both lanes: 64 MiB each up to two cores, then 32 MiB.
pub(super) fn memory_kib(cores: u32) -> u32 {
    (MIB << 10) / (cores.clamp(2, 4) / 2)
}

#[derive(Clone)]
pub(super) struct Places {
    near: Arc<OneLane>,
    outside: Arc<OneLane>,
}

struct OneLane {
    mib: Arc<Semaphore>,
    waiting: web::Places,
}

impl Default for Places {
    fn default() -> Places {
        let lane =
            || Arc::new(OneLane { mib: Arc::new(Semaphore::new(MIB as usize)), waiting: web::Places::default() });
        Places { near: lane(), outside: lane() }
    }
}

impl Places {
    /// Runs `work`, which takes so many MiB, on a thread of its own when there is room for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        mib: u32,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Diagnostic> {
        let lane = match turn.lane {
            Lane::Near => &self.near,
            Lane::Outside => &self.outside,
        };
        let place = lane.take(turn.from.map(household), mib.clamp(1, MIB)).await?;
        // The place goes with the work: who hangs up does not end it, and must not free its memory for another.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(|_| {
            Diagnostic::error("auth.failed", "the password could not be checked").kind(Kind::Bug).hint("try again")
        })
    }
}

impl OneLane {
    async fn take(&self, house: Option<IpAddr>, mib: u32) -> Result<OwnedSemaphorePermit, Diagnostic> {
        let most = house.map_or(QUEUE, |house| if house.is_loopback() { HERE } else { EACH });
        let _waits = self.waiting.take(house, QUEUE, most).ok_or_else(busy)?;
        let place = tokio::time::timeout(PATIENCE, self.mib.clone().acquire_many_owned(mib)).await;
        place.ok().and_then(Result::ok).ok_or_else(busy)
    }
}

fn busy() -> Diagnostic {
    Diagnostic::error("auth.busy", "too many people are signing in at this moment")
        .kind(Kind::Unavailable)
        .hint("try again in a few seconds; in the home's own network there are places of its own for it")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn both_lanes_together_stay_far_below_200_mib() {
        for cores in 1..=256 {
            let each = memory_kib(cores) >> 10;
            assert!(each >= 19 && MIB.is_multiple_of(each), "{cores} cores: {each} MiB");
        }
        const { assert!(2 * MIB < 150) };
    }

    #[tokio::test]
    async fn hostile_31_a_flood_from_outside_waits_is_bounded_and_leaves_the_home_its_places() {
        let places = Places::default();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let flood: Vec<_> = (0..100)
            .map(|_| {
                let (places, held) = (places.clone(), held.clone());
                tokio::spawn(async move {
                    places.run(Lane::Outside.into(), 32, move || drop(held.lock().map(|held| held.recv()))).await
                })
            })
            .collect();
        // Of a hundred two work, as many as may wait do, and the others are told at once.
        let refused = async {
            while flood.iter().filter(|one| one.is_finished()).count() < 100 - 2 - QUEUE {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
        assert_eq!(places.outside.mib.available_permits(), 0);
        let at_home = tokio::time::timeout(Duration::from_secs(5), places.run(Lane::Near.into(), 64, || 7)).await;
        assert_eq!(at_home.unwrap().unwrap(), 7);
        let told = places.run(Lane::Outside.into(), 32, || ()).await.unwrap_err();
        assert_eq!((told.code, told.kind), ("auth.busy", Kind::Unavailable));
        drop(release);
        let mut done = 0;
        for one in flood {
            done += usize::from(one.await.unwrap().is_ok());
        }
        assert_eq!(done, 2 + QUEUE);
    }

    #[tokio::test]
    async fn hostile_20_one_device_at_home_leaves_the_others_their_places() {
        let places = Places::default();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let turn = |from: [u8; 4]| Turn { lane: Lane::Near, from: Some(from.into()) };
        let flood: Vec<_> = (0..100)
            .map(|_| {
                let (places, held) = (places.clone(), held.clone());
                let work = move || drop(held.lock().map(|held| held.recv()));
                tokio::spawn(async move { places.run(turn([192, 168, 1, 66]), 32, work).await })
            })
            .collect();
        let refused = async {
            while flood.iter().filter(|one| one.is_finished()).count() < 100 - 2 - EACH {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
        let owner = tokio::spawn({
            let places = places.clone();
            async move { places.run(turn([192, 168, 1, 5]), 32, || 7).await }
        });
        drop(release);
        assert_eq!(owner.await.unwrap().unwrap(), 7);
    }
}
