//! How fast passwords, codes and links may be guessed: by who really asks, and by the account that is asked for.
//!
//! Pure but for its lock: time is an argument. Only the address of the connection counts ([`crate::web::Caller`]), so no header can matter.
//!
//! | who asks | counts on | so that |
//! |---|---|---|
//! | a stranger | their household (an IPv4 address, a /64) and the account, one count of all strangers | neither one machine with a list of names nor many machines with one name get far |
//! | somebody in the home's network | this household with this account; much later this household, and, for a short pause at most, this account for all who are near | nobody elsewhere can keep the owner out, no device at home can try one name after the other, and many of them do not guess without an end |
//! | from where this account signed in before | the first two of these | nobody near can make the owner wait, either |

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::web::household;

/// Counts that are kept at most; beyond it those that weigh least are forgotten.
const MOST: usize = 20_000;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    Password,
    /// A second factor, after the right password.
    Code,
    /// The setup link, an invitation.
    Link,
    /// A new account where registration is open.
    Register,
}

/// One attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub what: What,
    /// The address at the other end of the connection.
    pub from: IpAddr,
    /// The account's name as it was given, where there is one; whether there is such an account makes no difference.
    pub account: Option<&'a str>,
    pub place: Place,
}

/// How far whoever tries is from the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Outside,
    /// In the home's network, or on this machine.
    Near,
    /// From where this account signed in before, wherever that is.
    Known,
}

impl Place {
    /// Whoever is not outside has the near ones' places, and waits as they do.
    pub fn is_near(self) -> bool {
        self != Place::Outside
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Household(What, IpAddr),
    /// One that is near. Not this machine: a tunnel's visitors all come from here.
    Home(What, IpAddr),
    Account(What, [u8; 32]),
    /// For all who are near and have not signed in from there.
    Near(What, [u8; 32]),
    Pair(What, IpAddr, [u8; 32]),
}

/// How much is free, and how it goes on.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// Attempts without a pause.
    free: u32,
    /// The longest pause; the first is a second, each next one twice as long.
    longest_ms: i64,
    /// One attempt is forgiven in this time.
    forgives_ms: i64,
}

impl Key {
    fn budget(&self) -> Budget {
        const MINUTE: i64 = 60_000;
        match self {
            Key::Household(What::Register, _) => Budget { free: 5, longest_ms: 60 * MINUTE, forgives_ms: 10 * MINUTE },
            Key::Household(..) => Budget { free: 10, longest_ms: 15 * MINUTE, forgives_ms: 2 * MINUTE },
            Key::Home(..) => Budget { free: 60, longest_ms: MINUTE / 2, forgives_ms: 5000 },
            Key::Account(..) => Budget { free: 10, longest_ms: 15 * MINUTE, forgives_ms: 2 * MINUTE },
            // So large that no family gets there, and so short that it keeps nobody out.
            Key::Near(..) => Budget { free: 100, longest_ms: MINUTE / 2, forgives_ms: MINUTE / 2 },
            // Whoever guesses from inside the home is known by face.
            Key::Pair(..) => Budget { free: 10, longest_ms: MINUTE, forgives_ms: MINUTE / 2 },
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Count {
    /// Failures, less what was forgiven, in thousandths.
    weight: i64,
    /// Of the last attempt that was let through.
    at: i64,
}

impl Count {
    /// As it is at `now`, with what is forgiven by then.
    fn at(self, now: i64, budget: Budget) -> Count {
        // A clock that was set back forgives nothing and holds up nobody longer.
        let passed = now.saturating_sub(self.at).max(0);
        let forgiven = passed.saturating_mul(1000) / budget.forgives_ms;
        Count { weight: self.weight.saturating_sub(forgiven).max(0), at: now }
    }

    /// Milliseconds from the last attempt to the next one.
    fn pause(self, budget: Budget) -> i64 {
        let over = self.weight / 1000 - i64::from(budget.free);
        match u32::try_from(over) {
            Err(_) => 0,
            Ok(over) => 1000_i64.checked_shl(over.min(40)).unwrap_or(i64::MAX).min(budget.longest_ms),
        }
    }
}

/// Let through: counted as a failure until it is told that it was none.
#[derive(Debug)]
#[must_use]
pub struct Pass(Vec<Key>);

/// The counts of one process.
#[derive(Default)]
pub struct Brakes(Mutex<HashMap<Key, Count>>);

impl Brakes {
    /// Whether an attempt may be made at `now` (milliseconds since 1970); else how long to wait. An attempt that has to wait is not counted.
    pub fn ask(&self, attempt: Attempt<'_>, now: i64) -> Result<Pass, Duration> {
        let keys = keys(attempt);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = keys.iter().filter_map(|key| {
            let (count, budget) = (counts.get(key)?, key.budget());
            // The pause is that of the weight as it was, so that forgiving does not cut a pause short.
            let left = count.pause(budget).saturating_sub(now.saturating_sub(count.at).max(0));
            (left > 0).then_some(left)
        });
        if let Some(wait) = wait.max() {
            return Err(Duration::from_millis(wait.unsigned_abs()));
        }
        for key in &keys {
            let budget = key.budget();
            let count = counts.get(key).map_or(Count { weight: 0, at: now }, |count| count.at(now, budget));
            counts.insert(key.clone(), Count { weight: count.weight + 1000, ..count });
        }
        if counts.len() > MOST {
            make_room(&mut counts, now);
        }
        Ok(Pass(keys))
    }

    /// The attempt was not judged: it counts as not made.
    pub fn undone(&self, pass: &Pass) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &pass.0 {
            if let Some(count) = counts.get_mut(key) {
                count.weight = count.weight.saturating_sub(1000).max(0);
            }
        }
    }

    /// The attempt was a good one: it is taken back, and what was counted of this household with this account is forgotten. What strangers
    /// have tried on the account stays.
    pub fn good(&self, pass: Pass) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in pass.0 {
            match key {
                Key::Pair(..) => {
                    counts.remove(&key);
                }
                _ => {
                    if let Some(count) = counts.get_mut(&key) {
                        count.weight = count.weight.saturating_sub(1000).max(0);
                    }
                }
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn keys(attempt: Attempt<'_>) -> Vec<Key> {
    let Attempt { what, from, account, place } = attempt;
    let house = household(from);
    // Names are long and chosen by whoever asks: what is kept has one length.
    let account = account.map(|name| super::secrets::digest(&name.trim().to_lowercase()));
    let Some(account) = account else { return vec![Key::Household(what, house)] };
    if place == Place::Outside {
        return vec![Key::Household(what, house), Key::Account(what, account)];
    }
    let mut keys = vec![Key::Pair(what, house, account)];
    if !house.is_loopback() {
        keys.push(Key::Home(what, house));
    }
    if place == Place::Near {
        keys.push(Key::Near(what, account));
    }
    keys
}

/// Forgets what is forgiven, and of the rest a tenth: those that weigh least. Who tries many addresses or names once each pushes out their
/// own, not those that were tried often.
fn make_room(counts: &mut HashMap<Key, Count>, now: i64) {
    counts.retain(|key, count| count.at(now, key.budget()).weight > 0);
    if counts.len() <= MOST - MOST / 10 {
        return;
    }
    let mut weights: Vec<i64> = counts.iter().map(|(key, count)| count.at(now, key.budget()).weight).collect();
    weights.sort_unstable();
    let mut surplus = counts.len() - (MOST - MOST / 10);
    let limit = weights.get(surplus).copied().unwrap_or(i64::MAX);
    counts.retain(|key, count| {
        let goes = surplus > 0 && count.at(now, key.budget()).weight <= limit;
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADMIN: &str = "admin";

    fn attempt(from: &str, account: &'static str, near: bool) -> Attempt<'static> {
        let place = if near { Place::Near } else { Place::Outside };
        Attempt { what: What::Password, from: from.parse().unwrap(), account: Some(account), place }
    }

    /// How many of `tries` come through when one is made each `every` milliseconds.
    fn through(brakes: &Brakes, tries: i64, every: i64, with: impl Fn(i64) -> Attempt<'static>) -> usize {
        (0..tries).filter(|n| brakes.ask(with(*n), n * every).is_ok()).count()
    }

    #[test]
    fn hostile_20_one_machine_is_slowed_down_exponentially_whatever_names_it_tries() {
        let brakes = Brakes::default();
        let names: [&'static str; 4] = ["a", "b", "c", "d"];
        // A day of a try each second.
        let day = through(&brakes, 86_400, 1000, |n| attempt("203.0.113.9", names[n as usize % 4], false));
        assert!((50..800).contains(&day), "{day}");
        let first = Brakes::default();
        let quick = through(&first, 1000, 1, |_| attempt("203.0.113.9", "a", false));
        assert_eq!(quick, 10);
        let same_house = attempt("2001:db8:1:2::1", "a", false);
        let house = Brakes::default();
        for n in 0..10 {
            let _ = house.ask(same_house, n).unwrap();
        }
        assert!(house.ask(attempt("2001:db8:1:2:ffff::1", "b", false), 12).is_err(), "a /64 is one household");
        assert!(house.ask(attempt("2001:db8:1:3::1", "b", false), 12).is_ok());
    }

    #[test]
    fn hostile_20_many_machines_do_not_get_far_with_one_name_and_do_not_lock_its_owner_out() {
        let brakes = Brakes::default();
        let from = |n: i64| IpAddr::from([198, 18, (n >> 8) as u8, n as u8]);
        let stranger = |n: i64| Attempt { from: from(n), ..attempt("198.18.0.1", ADMIN, false) };
        let came_through = through(&brakes, 60_000, 100, stranger);
        assert!(came_through < 100, "{came_through} of 60,000 in 100 minutes");
        let now = 60_000 * 100;
        assert!(brakes.ask(stranger(60_001), now).is_err(), "strangers wait");
        for owner in ["192.168.1.5", "2001:db8:77::5"] {
            let pass = brakes.ask(attempt(owner, ADMIN, true), now).expect("the owner does not");
            brakes.good(pass);
        }
        assert!(brakes.ask(stranger(60_002), now + 1).is_err(), "and what the owner does makes strangers no freer");
        assert!(brakes.ask(attempt("203.0.113.200", "berta", false), now).is_ok(), "other accounts are as before");
    }

    #[test]
    fn who_is_near_waits_a_minute_at_most_and_starts_anew_after_the_right_password() {
        let brakes = Brakes::default();
        let near = attempt("192.168.1.5", ADMIN, true);
        let mut now = 0;
        let mut longest = 0;
        for _ in 0..100 {
            match brakes.ask(near, now) {
                Ok(_) => now += 1,
                Err(wait) => {
                    longest = longest.max(wait.as_millis());
                    now += i64::try_from(wait.as_millis()).unwrap();
                }
            }
        }
        assert!((30_000..=60_000).contains(&longest), "{longest}");
        let pass = loop {
            match brakes.ask(near, now) {
                Ok(pass) => break pass,
                Err(wait) => now += i64::try_from(wait.as_millis()).unwrap(),
            }
        };
        brakes.good(pass);
        assert_eq!(through(&brakes, 100, 0, |_| near), 10);
    }

    #[test]
    fn hostile_20_a_device_at_home_does_not_try_one_name_after_the_other() {
        let brakes = Brakes::default();
        let names: Vec<&'static str> = (0..400).map(|n| &*Box::leak(format!("name{n}").into_boxed_str())).collect();
        let tried = through(&brakes, 400, 10, |n| attempt("192.168.1.66", names[n as usize], true));
        assert!(tried < 70, "{tried}");
        assert!(brakes.ask(attempt("192.168.1.5", ADMIN, true), 5000).is_ok(), "another device is as free as before");
        let here = through(&brakes, 400, 10, |n| attempt("127.0.0.1", names[n as usize], true));
        assert_eq!(here, 400, "what comes by a tunnel is of many people");
    }

    #[test]
    fn hostile_20_many_near_addresses_do_not_guess_without_an_end_and_keep_nobody_out() {
        for what in [What::Password, What::Code] {
            let brakes = Brakes::default();
            let from = |n: i64| IpAddr::from([10, 0, (n >> 8) as u8, n as u8]);
            let tries = |n: i64| Attempt { what, from: from(n % 50_000), ..attempt("10.0.0.1", ADMIN, true) };
            // Five hours of ten tries a second.
            let tried = through(&brakes, 180_000, 100, tries);
            assert!((600..800).contains(&tried), "{tried}");
            let now = 180_000 * 100;
            let wait = brakes.ask(tries(180_001), now).unwrap_err();
            assert!(wait <= Duration::from_secs(30), "{wait:?}");
            let owner = Attempt { what, place: Place::Known, ..attempt("10.0.200.1", ADMIN, true) };
            assert!(brakes.ask(owner, now).is_ok(), "who signed in from there before does not wait for them");
            let berta = Attempt { what, ..attempt("10.0.200.2", "berta", true) };
            assert!(brakes.ask(berta, now).is_ok(), "other accounts are as before");
            // A new device of the owner's waits for the others' pause, and no longer.
            let new = Attempt { what, ..attempt("10.0.200.3", ADMIN, true) };
            assert!(brakes.ask(new, now).is_err() && brakes.ask(new, now + 30_000).is_ok());
            // Forgiven over time.
            let free = (0..100).filter(|n| brakes.ask(tries(*n), now + 3_600_000 * 2 + n).is_ok()).count();
            assert_eq!(free, 100);
        }
    }

    #[test]
    fn hostile_31_the_table_is_bounded_and_what_was_tried_often_stays() {
        let brakes = Brakes::default();
        for n in 0..12 {
            let _ = brakes.ask(attempt("203.0.113.9", ADMIN, false), n);
        }
        for n in 0..60_000_u32 {
            let from = IpAddr::from([10, (n >> 16) as u8, (n >> 8) as u8, n as u8]);
            let _ = brakes.ask(Attempt { from, account: None, ..attempt("10.0.0.1", "x", false) }, 20);
        }
        assert!(brakes.len() <= MOST);
        assert!(brakes.ask(attempt("203.0.113.9", "other", false), 21).is_err());
    }

    proptest! {
        #[test]
        fn no_order_of_attempts_and_times_makes_anybody_wait_longer_than_its_bound(
            steps in prop::collection::vec((0..4u8, any::<bool>(), -10_000_000i64..10_000_000), 1..200)
        ) {
            let brakes = Brakes::default();
            let mut now = 0i64;
            for (house, near, passes) in steps {
                now += passes;
                let from = IpAddr::from([10, 0, 0, house]);
                match brakes.ask(Attempt { from, ..attempt("10.0.0.1", ADMIN, near) }, now) {
                    Ok(pass) if house == 0 => brakes.good(pass),
                    Ok(_) => {}
                    Err(wait) => {
                        let longest = if near { 60 } else { 900 };
                        prop_assert!(wait <= Duration::from_secs(longest));
                    }
                }
            }
        }
    }
}
