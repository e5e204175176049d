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

impl Cost {
    /// For a machine on which one hash with `memory_kib` and two passes takes so long: as many passes as fill [`AIM_MS`].
    pub fn tuned(memory_kib: u32, two_passes_ms: u64) -> Cost {
        let each = (two_passes_ms / 2).max(1);
        let passes = u32::try_from(AIM_MS / each).unwrap_or(MOST_PASSES).clamp(FLOOR.passes, MOST_PASSES);
        Cost { memory_kib: memory_kib.max(FLOOR.memory_kib), passes }
    }

    /// Whether a hash that was made with `self` should be made again with `other`. Memory that grew or shrank with the number of cores
    /// is no reason as long as the work stays about the same.
    pub fn is_weaker_than(self, other: Cost) -> bool {
        let work = |cost: Cost| u64::from(cost.memory_kib) * u64::from(cost.passes);
        self.memory_kib < FLOOR.memory_kib || self.passes < FLOOR.passes || work(self) * 4 < work(other) * 3
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
        for (memory, ms, passes) in [(64 << 10, 50, 4), (64 << 10, 400, 2), (32 << 10, 0, 12), (1, 100, 2)] {
            let cost = Cost::tuned(memory, ms);
            assert_eq!(cost.passes, passes, "{ms} ms");
            assert!(cost.memory_kib >= FLOOR.memory_kib);
        }
        assert!(FLOOR.is_weaker_than(Cost { memory_kib: 64 << 10, passes: 3 }));
        assert!(!Cost { memory_kib: 64 << 10, passes: 3 }.is_weaker_than(FLOOR));
        let (two, four) = (Cost { memory_kib: 64 << 10, passes: 3 }, Cost { memory_kib: 32 << 10, passes: 6 });
        assert!(!two.is_weaker_than(four) && !four.is_weaker_than(two), "cores were added, no more");
    }
}
