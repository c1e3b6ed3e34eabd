//! Seeded chance: a seed is a run, and the same seed is the same run.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A stream of choices. Streams with different labels never influence one another.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(label.as_bytes());
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A number below `count`; 0 where there is nothing to choose from.
    pub fn below(&mut self, count: u64) -> u64 {
        if count < 2 { 0 } else { self.0.random_range(0..count) }
    }

    /// An index below `count`; 0 where there is nothing to choose from.
    pub fn index(&mut self, count: usize) -> usize {
        if count < 2 { 0 } else { self.0.random_range(0..count) }
    }

    /// From `low` to `high`, both included; `low` where the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low { low } else { self.0.random_range(low..=high) }
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill(&mut bytes[..]);
        bytes
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_label_are_one_stream() {
        let draw = |seed, label| {
            let mut dice = Dice::new(seed, label);
            (dice.below(1_000_000), dice.index(1_000), dice.chance(50))
        };
        assert_eq!(draw(7, "cuts"), draw(7, "cuts"));
        assert_ne!(draw(7, "cuts"), draw(8, "cuts"));
        assert_ne!(draw(7, "cuts"), draw(7, "kills"));
    }
}
