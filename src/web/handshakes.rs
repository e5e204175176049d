//! Connections that have not shown yet who they are. Whoever opens many and says nothing loses the oldest of its own, so that there is
//! always room for somebody who goes on with his handshake.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::limits::{Limits, household};

/// Those of one door.
#[derive(Clone, Default)]
pub struct Handshakes(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    all: usize,
    next: u64,
    /// Oldest first.
    each: HashMap<IpAddr, VecDeque<(u64, CancellationToken)>>,
}

/// One of them, until it is dropped.
pub struct Handshake {
    handshakes: Handshakes,
    of: IpAddr,
    number: u64,
    given_up: CancellationToken,
}

impl Handshakes {
    /// There is always a place: where too many wait, the oldest of whoever has most is given up.
    pub fn begin(&self, address: IpAddr, limits: &Limits) -> Handshake {
        let of = household(address);
        let given_up = CancellationToken::new();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.each.get(&of).is_some_and(|own| own.len() >= limits.handshakes_each) {
            waiting.give_up(of);
        }
        if waiting.all >= limits.handshakes
            && let Some(greediest) = waiting.each.iter().max_by_key(|(_, own)| own.len()).map(|(of, _)| *of)
        {
            waiting.give_up(greediest);
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.all += 1;
        waiting.each.entry(of).or_default().push_back((number, given_up.clone()));
        Handshake { handshakes: self.clone(), of, number, given_up }
    }
}

impl Waiting {
    fn give_up(&mut self, of: IpAddr) {
        let Some(own) = self.each.get_mut(&of) else { return };
        if let Some((_, oldest)) = own.pop_front() {
            oldest.cancel();
            self.all -= 1;
        }
        if own.is_empty() {
            self.each.remove(&of);
        }
    }
}

impl Handshake {
    /// Returns when its place was given to another.
    pub async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut waiting = self.handshakes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = waiting.each.get_mut(&self.of) else { return };
        // Whoever was given up is counted no more.
        let Some(at) = own.iter().position(|(number, _)| *number == self.number) else { return };
        own.remove(at);
        if own.is_empty() {
            waiting.each.remove(&self.of);
        }
        waiting.all -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_with_most_gives_up_its_oldest() {
        let limits = Limits { handshakes: 6, handshakes_each: 4, ..Limits::default() };
        let all = Handshakes::default();
        let begin = |text: &str| all.begin(text.parse().unwrap(), &limits);
        let gone = |one: &Handshake| one.given_up.is_cancelled();
        let mut many: Vec<Handshake> = (0..5).map(|_| begin("10.0.0.1")).collect();
        assert!(gone(&many[0]) && !gone(&many[1]), "one has four places");
        let other = [begin("10.0.0.2"), begin("10.0.0.3")];
        assert!(!gone(&many[1]), "six are waiting");
        let third = begin("10.0.0.4");
        assert!(gone(&many[1]) && !gone(&many[2]), "who has most gives way");
        many.extend((0..100).map(|_| begin("10.0.0.1")));
        assert!(!gone(&third) && other.iter().all(|one| !gone(one)), "nobody else does");
        assert_eq!(many.iter().filter(|one| !gone(one)).count(), 3);
        drop((many, other, third));
        let left = all.0.lock().unwrap();
        assert_eq!((left.all, left.each.len()), (0, 0));
    }
}
