//! Each rule alone, and two simulated years of all of them together.

mod authority;
mod rules;
mod world;

use proptest::prelude::*;
use time::Duration;

use super::Time;
use world::{Plan, World, days};

/// A lifetime, the longest trouble that must not be felt, and how long before a gap there is an alarm at the least; all in hours. A week is
/// what somebody who is on holiday needs to come back to it; of six days no week is left, but a night and a day are, wherever it falls.
const KINDS: [(i64, i64, i64); 3] = [(64 * 24, 7 * 24, 7 * 24), (45 * 24, 7 * 24, 7 * 24), (160, 48, 36)];

fn begin() -> Time {
    time::macros::datetime!(2026-11-26 04:00 UTC)
}

/// The time that passes between the end of trouble and a certificate, at the most: a short wait, its spread, a look and an order, and all
/// that once more where the first order meets a refused nonce.
const AFTER: Duration = Duration::minutes(2 * (10 + 1 + 10 + 2));

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_years_of_trouble_leave_no_gap(seed in any::<u64>(), ari in any::<bool>()) {
        for (lifetime, bearable, _) in KINDS {
            let longest = Duration::hours(bearable);
            let plan = Plan { longest, room: longest, ari, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.violations(), &Vec::<String>::new(), "{}", world.story());
            prop_assert_eq!(&world.gaps(), &Vec::new(), "{} h: {}", lifetime, world.story());
            prop_assert!(world.most_failures_in_an_hour() < 5);
            prop_assert!(!ari || world.kinds_of_windows() >= 4, "windows moved in too few ways");
            prop_assert!(world.renewals() >= 720 * 24 / lifetime as usize, "{}", world.story());
        }
    }

    #[test]
    fn a_longer_outage_is_felt_no_longer_than_it_forces_and_after_an_alarm(seed in any::<u64>(), ari in any::<bool>()) {
        for (lifetime, bearable, warned) in KINDS {
            let (longest, room) = (Duration::hours(bearable * 5), Duration::hours(bearable));
            let plan = Plan { longest, room, only_outages: true, ari, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.violations(), &Vec::<String>::new(), "{}", world.story());
            prop_assert!(world.most_failures_in_an_hour() < 5);
            for (of, from, to) in world.gaps() {
                // What nobody could have avoided: from the expiry to the end of the outage in which it fell.
                let forced = world.outage_at(from, AFTER).map(|end| (end - from).max(Duration::ZERO));
                prop_assert!(forced.is_some_and(|forced| to - from <= forced + AFTER), "{from} to {to}, forced {forced:?}: {}", world.story());
                let since = world.issued_before(of, from);
                let before = from - Duration::hours(warned);
                prop_assert!(world.alarmed(of, since, before), "no alarm from {since} to {before}: {}", world.story());
            }
        }
    }

    #[test]
    fn a_second_authority_steps_in_before_a_gap(seed in any::<u64>()) {
        for (lifetime, bearable, _) in KINDS {
            let (longest, room) = (Duration::hours(bearable * 5), Duration::hours(bearable));
            let plan = Plan { longest, room, only_outages: true, second: true, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.gaps(), &Vec::new(), "{}", world.story());
            prop_assert_eq!(&world.violations(), &Vec::<String>::new(), "{}", world.story());
            prop_assert!(world.most_failures_in_an_hour() < 5);
        }
    }

    #[test]
    fn suggestions_beyond_the_expiry_are_not_followed(seed in any::<u64>()) {
        for (lifetime, _, _) in KINDS {
            let plan = Plan { late_windows: true, calm: true, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.gaps(), &Vec::new(), "{}", world.story());
        }
    }
}

#[test]
fn a_revoked_certificate_is_replaced_when_the_authority_says_so() {
    for (lifetime, _, _) in KINDS {
        let plan = Plan { revoke: true, calm: true, ..Plan::usual(Duration::hours(lifetime)) };
        let world = World::run(7, &plan);
        assert!(!world.revoked.is_empty());
        for (of, at, replaced) in &world.revoked {
            let within = replaced.map(|t| t - *at);
            // The authority says "ask again in six hours".
            assert!(within.is_some_and(|d| d <= Duration::hours(6) + AFTER), "{of} {at} {within:?}\n{}", world.story());
        }
    }
}

#[test]
fn five_hundred_new_names_are_ordered_within_all_limits() {
    let plan = Plan { certificates: 500, calm: true, years: 0.01, ..Plan::usual(days(64)) };
    let world = World::run(3, &plan);
    assert_eq!(world.violations(), Vec::<String>::new());
    assert_eq!(world.renewals(), 500, "{}", world.story());
}
