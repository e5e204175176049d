//! How much work one guess of a password is.

use argon2::{Algorithm, Argon2, Params, Version};

/// Parameters of Argon2id; one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

/// OWASP's least (Password Storage Cheat Sheet): 19 MiB, two passes.
pub const FLOOR: Cost = Cost { memory_kib: 19 << 10, passes: 2 };

/// What is aimed at for one hash, in milliseconds.
const AIM_MS: u64 = 100;
/// A machine so fast, or a clock so wrong, that more would be asked is not believed.
const MOST_PASSES: u32 = 12;

/// What a hash may take on a slower machine than the one that its cost was found on, as often as what is aimed at.
const TOO_SLOW: u64 = 3;

/// How long one hash with so much memory and [`FLOOR`]'s passes takes on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub memory_kib: u32,
    pub ms: u64,
}

impl Probe {
    /// As many passes as fill [`AIM_MS`].
    pub fn cost(self) -> Cost {
        let each = (self.ms / u64::from(FLOOR.passes)).max(1);
        let passes = u32::try_from(AIM_MS / each).unwrap_or(MOST_PASSES).clamp(FLOOR.passes, MOST_PASSES);
        Cost { memory_kib: self.memory_kib.max(FLOOR.memory_kib), passes }
    }

    /// Milliseconds that a hash with this cost takes here.
    pub fn takes(self, cost: Cost) -> u64 {
        let probe = Cost { memory_kib: self.memory_kib, passes: FLOOR.passes };
        self.ms.saturating_mul(cost.work()) / probe.work().max(1)
    }

    /// The cost from now on, where the home has found one before: never less than that, unless this machine is too slow for it.
    pub fn beside(self, kept: Option<Cost>) -> Cost {
        let found = self.cost();
        match kept {
            Some(kept) if self.takes(kept) <= AIM_MS * TOO_SLOW && !kept.is_weaker_than(found) => kept,
            _ => found,
        }
    }
}

impl Cost {
    /// As the home keeps it.
    pub fn text(self) -> String {
        format!("m={},t={}", self.memory_kib, self.passes)
    }

    /// What [`Cost::text`] has written, where it is one that could have been found: others are not believed.
    pub fn read(text: &str) -> Option<Cost> {
        let (memory, passes) = text.strip_prefix("m=")?.split_once(",t=")?;
        let cost = Cost { memory_kib: memory.parse().ok()?, passes: passes.parse().ok()? };
        let believed = (FLOOR.memory_kib..=super::places::memory_kib(1)).contains(&cost.memory_kib)
            && (FLOOR.passes..=MOST_PASSES).contains(&cost.passes);
        believed.then_some(cost)
    }

    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// Whether a hash that was made with `self` should be made again with `other`. Memory that grew or shrank with the number of cores
    /// is no reason as long as the work stays about the same.
    pub fn is_weaker_than(self, other: Cost) -> bool {
        self.memory_kib < FLOOR.memory_kib || self.passes < FLOOR.passes || self.work() * 4 < other.work() * 3
    }

    /// The cost that a hash was made with.
    pub fn of(params: &Params) -> Cost {
        Cost { memory_kib: params.m_cost(), passes: params.t_cost() }
    }

    /// MiB that one hash takes, rounded up.
    pub fn mib(self) -> u32 {
        self.memory_kib.div_ceil(1024)
    }

    pub(super) fn argon2(self) -> Argon2<'static> {
        // Refused only where memory or passes are below what Argon2 itself allows.
        let params = Params::new(self.memory_kib.max(Params::MIN_M_COST), self.passes.max(1), 1, None);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_fits_the_machine_and_never_falls_below_the_floor() {
        for (memory_kib, ms, passes) in [(64 << 10, 50, 4), (64 << 10, 400, 2), (32 << 10, 0, 12), (1, 100, 2)] {
            let cost = Probe { memory_kib, ms }.cost();
            assert_eq!(cost.passes, passes, "{ms} ms");
            assert!(cost.memory_kib >= FLOOR.memory_kib);
        }
        assert!(FLOOR.is_weaker_than(Cost { memory_kib: 64 << 10, passes: 3 }));
        assert!(!Cost { memory_kib: 64 << 10, passes: 3 }.is_weaker_than(FLOOR));
        let (two, four) = (Cost { memory_kib: 64 << 10, passes: 3 }, Cost { memory_kib: 32 << 10, passes: 6 });
        assert!(!two.is_weaker_than(four) && !four.is_weaker_than(two), "cores were added, no more");
    }

    #[test]
    fn a_start_never_goes_below_what_was_found_but_on_a_machine_that_is_too_slow_for_it() {
        let probe = |ms| Probe { memory_kib: 64 << 10, ms };
        let cost = |passes| Cost { memory_kib: 64 << 10, passes };
        for (ms, kept, then) in [
            (50, None, 4),
            // A busy start, and one that is a little faster.
            (90, Some(4), 4),
            (145, Some(4), 4),
            (45, Some(4), 4),
            // A faster machine; one that would take more than 300 ms.
            (25, Some(4), 8),
            (160, Some(4), 2),
            (400, Some(2), 2),
        ] {
            assert_eq!(probe(ms).beside(kept.map(cost)), cost(then), "{ms} ms, {kept:?} before");
        }
        assert_eq!((probe(50).takes(cost(4)), Probe { memory_kib: 32 << 10, ms: 50 }.takes(cost(4))), (100, 200));
    }

    #[test]
    fn what_is_kept_is_read_back_and_what_nobody_found_is_not_believed() {
        for cost in [FLOOR, Cost { memory_kib: 64 << 10, passes: 12 }] {
            assert_eq!(Cost::read(&cost.text()), Some(cost));
        }
        for text in ["", "m=1,t=1", "m=65536,t=1", "m=4294967295,t=2", "m=65536,t=4294967295", "m=65536", "65536,4"] {
            assert_eq!(Cost::read(text), None, "{text}");
        }
    }
}
