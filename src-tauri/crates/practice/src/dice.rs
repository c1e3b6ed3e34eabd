//! Seeded chance: every choice of the practice world comes from here, so that a seed is a world.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Letters of ids: no `i`, `l`, `o`, `u`, so that an id read aloud stays itself.
const ID_LETTERS: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A stream of choices. Two streams with different labels never influence one another, so adding
/// a choice in one part of the world leaves the other parts as they were.
pub struct Dice(ChaCha8Rng);

impl Dice {
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(label.as_bytes());
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A whole number from `low` to `high`, both included; `low` where the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low { low } else { self.0.random_range(low..=high) }
    }

    /// An index below `count`; 0 where there is nothing to choose from.
    pub fn index(&mut self, count: usize) -> usize {
        if count < 2 { 0 } else { self.0.random_range(0..count) }
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// One of several; `None` of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len()))
    }

    /// `prefix` and `length` letters.
    pub fn id(&mut self, prefix: &str, length: usize) -> String {
        let mut text = String::with_capacity(prefix.len() + length);
        text.push_str(prefix);
        for _ in 0..length {
            text.push(ID_LETTERS.get(self.index(ID_LETTERS.len())).copied().map_or('0', char::from));
        }
        text
    }

    /// A number of so many digits, as some providers count their jobs.
    pub fn digits(&mut self, length: usize) -> String {
        // A number begins with no zero.
        let digit = |place: usize| b"1234567890".get(self.index(9 + place.min(1))).copied().map_or('0', char::from);
        (0..length).map(digit).collect()
    }

    /// The text of a version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        self.0.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let text = hex::encode(bytes);
        [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_label_are_one_stream() {
        let draw = |seed, label| {
            let mut dice = Dice::new(seed, label);
            (dice.id("prj_", 8), dice.uuid(), dice.between(-5, 5))
        };
        assert_eq!(draw(7, "cast"), draw(7, "cast"));
        assert_ne!(draw(7, "cast"), draw(8, "cast"));
        assert_ne!(draw(7, "cast"), draw(7, "runs"));
    }

    #[test]
    fn uuids_are_version_4() {
        let text = Dice::new(1, "uuid").uuid();
        assert_eq!(text.len(), 36);
        assert_eq!(text.as_bytes()[14], b'4');
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
    }
}
