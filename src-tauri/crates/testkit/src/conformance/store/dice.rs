//! Random choices that repeat: the same seed, the same choices (SplitMix64).

pub(super) struct Dice(u64);

impl Dice {
    /// Seeds are scattered first: else one seed's choices would be the next one's, a place further.
    pub(super) fn new(seed: u64) -> Self {
        let mut scattered = Self(seed ^ 0x5851_f42d_4c95_7f2d);
        Self(scattered.next() ^ seed.rotate_left(32))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to one below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    pub(super) fn between(&mut self, first: i64, last: i64) -> i64 {
        let span = last.saturating_sub(first).saturating_add(1);
        first.saturating_add_unsigned(self.below(u64::try_from(span).unwrap_or(1)))
    }

    pub(super) fn number(&mut self, first: u32, last: u32) -> u32 {
        u32::try_from(self.between(i64::from(first), i64::from(last))).unwrap_or(first)
    }

    /// Once in `times`.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let place = usize::try_from(self.below(u64::try_from(from.len()).unwrap_or(1))).unwrap_or_default();
        match from.get(place) {
            Some(picked) => picked.clone(),
            None => panic!("nothing to pick from"),
        }
    }
}
