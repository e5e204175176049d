//! Randomness as an argument: whoever makes a secret takes a [`Random`], so that tests own it.

use rand::Rng;

/// Gives bytes that nobody can guess.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The generator of this thread, seeded by the kernel; the only place that asks it for a secret.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// So many random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        let all: std::collections::BTreeSet<[u8; 16]> = (0..1000).map(|_| bytes(&SystemRandom)).collect();
        assert_eq!(all.len(), 1000);
    }
}
