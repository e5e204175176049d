//! Each rule alone, and two simulated years of all of them together.

mod authority;
mod rules;
mod world;

use proptest::prelude::*;
use time::Duration;

use super::Time;
use world::{Plan, World, days};

/// A lifetime, and the longest trouble that must not be felt.
const KINDS: [(i64, i64); 3] = [(64 * 24, 7 * 24), (45 * 24, 7 * 24), (160, 48)];

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
        for (lifetime, bearable) in KINDS {
            let plan = Plan { longest: Duration::hours(bearable), ari, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.violations(), &Vec::<String>::new(), "{}", world.story());
            prop_assert_eq!(&world.gaps(), &Vec::new(), "{} h: {}", lifetime, world.story());
            prop_assert!(world.most_failures_in_an_hour() < 5);
            prop_assert!(world.renewals() >= 720 * 24 / lifetime as usize, "{}", world.story());
        }
    }

    #[test]
    fn a_longer_outage_is_felt_no_longer_than_it_forces_and_after_an_alarm(seed in any::<u64>(), ari in any::<bool>()) {
        for (lifetime, bearable) in KINDS {
            let longest = Duration::hours(bearable * 5);
            let plan = Plan { longest, only_outages: true, ari, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.violations(), &Vec::<String>::new(), "{}", world.story());
            for (of, from, to) in world.gaps() {
                let outage = world.trouble_before(to);
                prop_assert!(outage.is_some_and(|end| to - end <= AFTER), "{from} to {to}: {}", world.story());
                prop_assert!(world.alarmed(of, from - days(60), from), "no alarm before {from}: {}", world.story());
            }
        }
    }

    #[test]
    fn a_second_authority_steps_in_before_a_gap(seed in any::<u64>()) {
        for (lifetime, bearable) in KINDS {
            let longest = Duration::hours(bearable * 5);
            let plan = Plan { longest, only_outages: true, second: true, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.gaps(), &Vec::new(), "{}", world.story());
            prop_assert_eq!(&world.violations(), &Vec::<String>::new(), "{}", world.story());
        }
    }

    #[test]
    fn suggestions_beyond_the_expiry_are_not_followed(seed in any::<u64>()) {
        for (lifetime, _) in KINDS {
            let plan = Plan { late_windows: true, calm: true, ..Plan::usual(Duration::hours(lifetime)) };
            let world = World::run(seed, &plan);
            prop_assert_eq!(&world.gaps(), &Vec::new(), "{}", world.story());
        }
    }
}

#[test]
fn a_revoked_certificate_is_replaced_when_the_authority_says_so() {
    for (lifetime, _) in KINDS {
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
