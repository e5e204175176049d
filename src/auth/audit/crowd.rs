//! Refusals in bounds: whoever knocks can do it as often as they like, and must fill neither the disk nor the writer's queue.
//!
//! Of each sort (who, what, from which household, with which outcome) the first few are entered at once, as all else is. What comes beyond is counted,
//! and told by one entry in a while: how many more there were, from where, from when until when. Each person is counted by themselves, and those who
//! are not known together: nobody's flood takes anybody else's places.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;

use super::entry::{self, milliseconds};
use super::{Author, Note, Outcome};
use crate::web::household;

/// How often is told what was counted.
pub const EACH: Duration = Duration::from_secs(60);

/// Entered at once of one sort: so many, then one in this time.
const EACH_FIRST: i64 = 5;
const EACH_THEN: i64 = 60_000;
/// And of all sorts of one person together, or of all that are nobody's.
const ALL_FIRST: i64 = 100;
const ALL_THEN: i64 = 10_000;

/// Sorts of nobody's that are told apart at once, and of one person; of more than these only the number is known.
const SORTS: usize = 1024;
const SORTS_OF_ONE: usize = 64;
/// Told each by itself, those of the highest numbers; the others are told together, by outcome.
const APART: usize = 4;
/// Names of actions in an entry that tells of several.
const NAMES: usize = 12;

/// The action and object of an entry that tells of several sorts.
pub const SEVERAL: &str = "several";

/// Who counts: for each account by its number, and for those who are not known together.
#[derive(Default)]
pub struct Crowd(Mutex<HashMap<Option<i64>, Counts>>);

#[derive(Default)]
struct Counts {
    /// As the account was called last.
    name: String,
    sorts: HashMap<Sort, Count>,
    /// What found no place there, and what could not be told.
    others: HashMap<Outcome, More>,
    all: Pace,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sort {
    who: Author,
    from: IpAddr,
    action: String,
    outcome: Outcome,
}

#[derive(Default)]
struct Count {
    pace: Pace,
    more: More,
}

/// When the next one comes too early: it moves on with each that is let pass.
#[derive(Debug, Default, Clone, Copy)]
struct Pace(i64);

impl Pace {
    fn lets_pass(&mut self, now: i64, first: i64, then: i64) -> bool {
        let at = self.0.max(now);
        let early = at - now > then * (first - 1);
        if !early {
            self.0 = at + then;
        }
        !early
    }
}

/// What was only counted.
#[derive(Debug, Default, Clone)]
struct More {
    count: u64,
    first: i64,
    last: i64,
    /// Of several sorts: what was done, some of it; and of how many households it is known to be.
    actions: BTreeSet<String>,
    households: BTreeSet<IpAddr>,
}

impl More {
    fn add(&mut self, count: u64, first: i64, last: i64) {
        self.first = if self.count == 0 { first } else { self.first.min(first) };
        self.last = self.last.max(last);
        self.count += count;
    }

    fn join(&mut self, other: &More) {
        self.add(other.count, other.first, other.last);
        self.name(other.actions.iter().map(String::as_str), other.households.iter().copied());
    }

    fn name<'a>(&mut self, actions: impl Iterator<Item = &'a str>, households: impl Iterator<Item = IpAddr>) {
        for action in actions {
            if self.actions.len() < NAMES {
                self.actions.insert(action.to_owned());
            }
        }
        for household in households {
            if self.households.len() < SORTS {
                self.households.insert(household);
            }
        }
    }
}

impl Counts {
    fn at_once(&mut self, sort: Sort, most: usize, times: u64, now: i64) -> bool {
        if self.sorts.len() >= most && !self.sorts.contains_key(&sort) {
            self.sorts.retain(|_, count| count.more.count > 0 || count.pace.0 > now);
        }
        let Sort { action, from, outcome, .. } = sort.clone();
        let more = match self.sorts.len() < most || self.sorts.contains_key(&sort) {
            true => {
                let count = self.sorts.entry(sort).or_default();
                let soon = count.pace.lets_pass(now, EACH_FIRST, EACH_THEN);
                if soon && self.all.lets_pass(now, ALL_FIRST, ALL_THEN) {
                    return true;
                }
                &mut count.more
            }
            false => {
                if self.all.lets_pass(now, ALL_FIRST, ALL_THEN) {
                    return true;
                }
                self.others.entry(outcome).or_default()
            }
        };
        more.name([action.as_str()].into_iter(), [from].into_iter());
        more.add(times, now, now);
        false
    }

    /// Takes what was counted: the sorts of the highest numbers each by itself, the others together by outcome.
    fn taken(&mut self) -> (Vec<(Sort, More)>, HashMap<Outcome, More>) {
        let mut counted: Vec<(Sort, More)> = Vec::new();
        for (sort, count) in &mut self.sorts {
            if count.more.count > 0 {
                counted.push((sort.clone(), std::mem::take(&mut count.more)));
            }
        }
        counted.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.action.cmp(&b.0.action)));
        let mut together = std::mem::take(&mut self.others);
        for (sort, more) in counted.split_off(counted.len().min(APART)) {
            together.entry(sort.outcome).or_default().join(&more);
        }
        (counted, together)
    }

    /// All of its paces are over: a new one would say the same.
    fn is_over(&self, now: i64) -> bool {
        self.all.0 <= now && self.others.is_empty() && self.sorts.values().all(|count| count.pace.0 <= now)
    }
}

impl Crowd {
    /// Whether a refusal is to be entered at once. Else it is counted, `times` over, and told later.
    pub fn at_once(
        &self,
        who: &Author,
        from: IpAddr,
        action: &str,
        outcome: Outcome,
        times: u64,
        now: OffsetDateTime,
    ) -> bool {
        let sort = Sort { who: who.clone(), from: household(from), action: action.to_owned(), outcome };
        let most = if who.user().is_some() { SORTS_OF_ONE } else { SORTS };
        let mut counts = self.counts();
        let counts = counts.entry(who.user()).or_default();
        who.name().clone_into(&mut counts.name);
        counts.at_once(sort, most, times, milliseconds(now))
    }

    /// What was counted since the last time, as notes; few of each person, whatever came.
    pub fn told(&self, now: OffsetDateTime) -> Told {
        let mut told = Told::default();
        let mut counts = self.counts();
        for (person, counts) in counts.iter_mut() {
            // By all of their tokens too.
            let whole = person.map_or(Author::Nobody, |id| Author::User { id, name: counts.name.clone() });
            let (counted, together) = counts.taken();
            for (sort, more) in counted {
                told.notes.push(note(now, sort.who, &shown(sort.from), &sort.action, sort.outcome, &more));
                told.owed.push((whole.clone(), sort.outcome, more));
            }
            for (outcome, more) in together {
                told.notes.push(note(now, whole.clone(), "", SEVERAL, outcome, &more));
                told.owed.push((whole.clone(), outcome, more));
            }
        }
        counts.retain(|_, counts| !counts.is_over(milliseconds(now)));
        told
    }

    /// What could not be entered is told the next time.
    pub fn owe(&self, told: Told) {
        let mut counts = self.counts();
        for (who, outcome, more) in &told.owed {
            let counts = counts.entry(who.user()).or_default();
            who.name().clone_into(&mut counts.name);
            counts.others.entry(*outcome).or_default().join(more);
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Option<i64>, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be entered, and what it was made of.
#[derive(Default)]
pub struct Told {
    pub notes: Vec<Note>,
    owed: Vec<(Author, Outcome, More)>,
}

fn note(at: OffsetDateTime, who: Author, source: &str, action: &str, outcome: Outcome, more: &More) -> Note {
    let mut detail = json!({
        "more": more.count,
        "first": entry::words(more.first),
        "last": entry::words(more.last),
    });
    if action == SEVERAL {
        detail["actions"] = json!(more.actions);
        detail["households"] = json!(more.households.len());
        detail["not all told apart"] = json!(more.households.len() >= SORTS);
    }
    Note {
        at,
        who,
        source: source.into(),
        action: action.into(),
        object: format!("{} more like it", more.count),
        outcome,
        took: Duration::ZERO,
        request: String::new(),
        detail,
    }
}

/// A household as it is written: an address, or a network of IPv6.
pub fn shown(household: IpAddr) -> String {
    match household {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOON: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    fn came(crowd: &Crowd, address: u32, action: &str, at: OffsetDateTime) -> bool {
        let address = IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + address));
        crowd.at_once(&Author::Nobody, address, action, Outcome::Refused, 1, at)
    }

    fn sum(told: &Told) -> u64 {
        told.notes.iter().map(|note| note.detail["more"].as_u64().unwrap()).sum()
    }

    #[test]
    fn the_first_of_each_sort_are_entered_at_once_and_the_others_counted() {
        let crowd = Crowd::default();
        let at_once = (0..1000).filter(|_| came(&crowd, 1, "login.login", NOON)).count();
        assert_eq!(at_once, 5);
        assert!(came(&crowd, 2, "login.login", NOON) && came(&crowd, 1, "me.me", NOON));
        let later = NOON + Duration::from_millis(59_500);
        assert!(!came(&crowd, 1, "login.login", later));
        let told = crowd.told(later);
        assert_eq!((told.notes.len(), sum(&told)), (1, 996));
        let note = &told.notes[0];
        assert_eq!((note.source.as_str(), note.action.as_str()), ("10.0.0.1", "login.login"));
        assert_eq!(note.detail["first"], "2026-11-26T12:00:00.000Z");
        assert_eq!(note.detail["last"], "2026-11-26T12:00:59.500Z");
        assert!(crowd.told(later).notes.is_empty(), "told once");
        crowd.owe(told);
        assert_eq!(sum(&crowd.told(later)), 996, "what could not be entered is told again");
    }

    #[test]
    fn however_many_there_are_few_are_entered_and_none_is_forgotten() {
        let crowd = Crowd::default();
        let mut at_once = 0;
        for n in 0..50_000u32 {
            at_once += u64::from(came(&crowd, n % 7000, ["login.login", "me.me"][n as usize % 2], NOON));
        }
        assert_eq!(at_once, 100);
        assert!(crowd.counts()[&None].sorts.len() <= SORTS);
        let told = crowd.told(NOON);
        assert!(told.notes.len() <= APART + 3, "{}", told.notes.len());
        assert_eq!(at_once + sum(&told), 50_000);
        let last = told.notes.last().unwrap();
        assert_eq!((last.action.as_str(), &last.detail["actions"]), (SEVERAL, &json!(["login.login", "me.me"])));
        // A day later there is place again.
        let tomorrow = NOON + Duration::from_secs(86_400);
        assert!(came(&crowd, 9999, "x", tomorrow) && crowd.counts()[&None].sorts.len() < SORTS);
    }

    #[test]
    fn a_household_of_ipv6_is_one() {
        let crowd = Crowd::default();
        let come = |n: u16| {
            let address = IpAddr::from([0x2001, 0xdb8, 1, 2, n, n, n, n]);
            crowd.at_once(&Author::Nobody, address, "x", Outcome::Refused, 1, NOON)
        };
        assert_eq!((0..100).filter(|n| come(*n)).count(), 5);
        assert_eq!(crowd.told(NOON).notes[0].source, "2001:db8:1:2::/64");
    }

    #[test]
    fn each_person_is_counted_by_themselves_and_forgotten_when_they_are_quiet() {
        let crowd = Crowd::default();
        let user = |id: i64| Author::User { id, name: format!("user-{id}") };
        let token = Author::Token { id: 1, name: "user-1".into(), token: "t1".into() };
        let come = |who: &Author, n: u8, action: &str| {
            crowd.at_once(who, IpAddr::from([10, 0, 0, n]), action, Outcome::Refused, 1, NOON)
        };
        for n in 0..20_000u32 {
            came(&crowd, n, "login.login", NOON);
        }
        let at_once = |who: &Author| (0..1000).filter(|_| come(who, 1, "users.list")).count();
        assert_eq!((at_once(&user(1)), at_once(&token), at_once(&user(2))), (5, 5, 5));
        // From many addresses, and by many ways: no more than a hundred of one person.
        let many = (0..=255).flat_map(|n| ["a", "b", "c"].map(|action| come(&user(3), n, action)));
        assert_eq!(many.filter(|at_once| *at_once).count(), 100);
        assert_eq!(crowd.counts()[&Some(3)].sorts.len(), SORTS_OF_ONE);
        let told = crowd.told(NOON);
        let of = |who: &Author| told.notes.iter().filter(|note| note.who == *who).collect::<Vec<_>>();
        for who in [user(1), token, user(2)] {
            let notes = of(&who);
            assert_eq!((notes.len(), &notes[0].detail["more"]), (1, &json!(995)), "{who:?}");
        }
        let notes = of(&user(3));
        let sum: u64 = notes.iter().map(|note| note.detail["more"].as_u64().unwrap()).sum();
        assert_eq!((notes.len(), sum), (1, 256 * 3 - 100), "more sorts than are told apart: together");
        crowd.owe(told);
        let later = NOON + Duration::from_secs(3600);
        let told = crowd.told(later);
        let names: BTreeSet<_> = told.notes.iter().map(|note| note.who.name().to_owned()).collect();
        assert_eq!(names, ["", "user-1", "user-2", "user-3"].map(str::to_owned).into());
        assert!(crowd.counts().is_empty(), "whoever has been quiet for long is forgotten");
    }
}
