//! Whom gate has turned away, counted by sort until the panel has entered it into its audit log.
//!
//! Nothing here grows without end: of more sorts than have a place only the number is kept, and told.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::traefik::forward::wire::Refused;
use crate::web::household;

/// Sorts that are held at once, also while the panel is away; and sorts in one line to it.
const SORTS: usize = 4096;
const TOGETHER: usize = 512;

/// What is held.
#[derive(Default)]
pub struct Refusals(Mutex<Held>);

#[derive(Default)]
struct Held {
    sorts: HashMap<Sort, Count>,
    /// Refusals of sorts that found no place.
    lost: u64,
    /// What the panel was told and has not said it has; one at a time.
    sent: Option<Batch>,
    last: u64,
}

/// Refusals that are told together.
#[derive(Debug, Clone)]
pub struct Batch {
    pub id: u64,
    pub all: Vec<Refused>,
    pub lost: u64,
}

#[derive(PartialEq, Eq, Hash)]
struct Sort {
    service: String,
    status: u16,
    user: Option<String>,
    from: Option<IpAddr>,
}

struct Count {
    count: u64,
    first: i64,
    last: i64,
}

impl Refusals {
    /// Counts one. `service`: the route's own word, never the client's.
    pub fn note(&self, service: &str, status: u16, user: Option<&str>, from: Option<IpAddr>, now: i64) {
        let sort = Sort { service: service.into(), status, user: user.map(str::to_owned), from: from.map(household) };
        self.held().add(sort, Count { count: 1, first: now, last: now });
    }

    /// What the panel is to be told next; nothing while it has not answered for the last.
    pub fn next(&self) -> Option<Batch> {
        let mut held = self.held();
        if held.sent.is_some() || (held.sorts.is_empty() && held.lost == 0) {
            return None;
        }
        let rest: HashMap<Sort, Count> = std::mem::take(&mut held.sorts);
        let mut all = Vec::new();
        for (sort, count) in rest {
            if all.len() >= TOGETHER {
                held.sorts.insert(sort, count);
                continue;
            }
            let (Sort { service, status, user, from }, Count { count, first, last }) = (sort, count);
            all.push(Refused { service, status, user, from, count, first, last });
        }
        held.last += 1;
        let batch = Batch { id: held.last, all, lost: std::mem::take(&mut held.lost) };
        held.sent = Some(batch.clone());
        Some(batch)
    }

    /// The panel has entered it, or could not.
    pub fn answered(&self, id: u64, entered: bool) {
        let mut held = self.held();
        if held.sent.as_ref().is_some_and(|batch| batch.id == id) {
            let batch = held.sent.take();
            batch.filter(|_| !entered).into_iter().for_each(|batch| held.take_back(batch));
        }
    }

    /// The line was cut: what has no answer is told again.
    pub fn again(&self) {
        let mut held = self.held();
        let batch = held.sent.take();
        batch.into_iter().for_each(|batch| held.take_back(batch));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, sort: Sort, more: Count) {
        if self.sorts.len() >= SORTS && !self.sorts.contains_key(&sort) {
            self.lost += more.count;
            return;
        }
        let count = self.sorts.entry(sort).or_insert(Count { count: 0, first: more.first, last: more.last });
        count.count += more.count;
        count.first = count.first.min(more.first);
        count.last = count.last.max(more.last);
    }

    fn take_back(&mut self, batch: Batch) {
        self.lost += batch.lost;
        for Refused { service, status, user, from, count, first, last } in batch.all {
            self.add(Sort { service, status, user, from }, Count { count, first, last });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(batch: &Batch) -> u64 {
        batch.lost + batch.all.iter().map(|one| one.count).sum::<u64>()
    }

    #[test]
    fn refusals_are_counted_by_sort_and_told_until_they_are_entered() {
        let refusals = Refusals::default();
        assert!(refusals.next().is_none());
        for n in 0..1000 {
            let from = [203, 0, 113, n as u8 % 2].into();
            refusals.note("app", 401, None, Some(from), n);
            refusals.note("app", 403, Some("ada"), Some(from), n);
        }
        let batch = refusals.next().unwrap();
        assert_eq!((batch.all.len(), sum(&batch)), (4, 2000));
        let ada = batch.all.iter().find(|one| one.user.is_some()).unwrap();
        assert!(ada.count == 500 && ada.first <= 1 && ada.last >= 998, "{ada:?}");
        refusals.note("app", 401, None, None, 5);
        assert!(refusals.next().is_none(), "one at a time");
        refusals.answered(batch.id, false);
        let again = refusals.next().unwrap();
        assert_eq!(sum(&again), 2001);
        refusals.again();
        let again = refusals.next().unwrap();
        assert_eq!(sum(&again), 2001);
        refusals.answered(batch.id, true);
        assert!(refusals.next().is_none(), "that was an answer to another");
        refusals.answered(again.id, true);
        assert!(refusals.next().is_none());
    }

    #[test]
    fn a_crowd_takes_no_more_place_than_there_is_and_is_counted_to_the_last() {
        let refusals = Refusals::default();
        for n in 0..50_000u32 {
            refusals.note("app", 401, None, Some(std::net::Ipv4Addr::from(0xcb00_0000 + n).into()), 1);
        }
        assert_eq!(refusals.held().sorts.len(), SORTS);
        let mut told = 0;
        while let Some(batch) = refusals.next() {
            assert!(batch.all.len() <= TOGETHER);
            told += sum(&batch);
            refusals.answered(batch.id, true);
        }
        assert_eq!(told, 50_000);
    }
}
