//! Keeps to a provider's stated limit of questions in a time. Pure; the time comes in.

use std::collections::VecDeque;
use std::time::Duration;

/// At most so many questions in any stretch of so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub most: u32,
    pub per: Duration,
}

/// When the last questions were asked, or will be.
#[derive(Debug)]
pub struct Turns {
    rate: Rate,
    /// In order; of the last stretch only.
    taken: VecDeque<Duration>,
}

impl Turns {
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { rate, taken: VecDeque::new() }
    }

    /// Takes the next turn; how long it is until then.
    pub fn take(&mut self, now: Duration) -> Duration {
        let most = usize::try_from(self.rate.most.max(1)).unwrap_or(usize::MAX);
        while self.taken.front().is_some_and(|at| at.saturating_add(self.rate.per) <= now) {
            self.taken.pop_front();
        }
        // One may go as soon as the one `most` turns before it is a whole stretch ago.
        let before = self.taken.len().checked_sub(most).and_then(|index| self.taken.get(index));
        let at = before.map_or(now, |before| before.saturating_add(self.rate.per)).max(now);
        self.taken.push_back(at);
        at.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn turns_are_given_as_long_as_the_limit_lasts() {
        let mut turns = Turns::new(Rate { most: 2, per: ms(1000) });
        assert_eq!((turns.take(ms(0)), turns.take(ms(100))), (ms(0), ms(0)));
        assert_eq!(turns.take(ms(200)), ms(800), "until the first is a second ago");
        assert_eq!(turns.take(ms(200)), ms(900), "and who comes next waits for the second");
        assert_eq!(turns.take(ms(200)), ms(1800));
        assert_eq!(turns.take(ms(5000)), ms(0), "after a rest nobody waits");
    }

    #[test]
    fn in_no_stretch_there_are_more_than_allowed() {
        let rate = Rate { most: 7, per: ms(1000) };
        let mut turns = Turns::new(rate);
        let (mut now, mut asked) = (ms(0), Vec::new());
        for step in 0..500_u64 {
            now += ms(step * 37 % 211);
            asked.push(now + turns.take(now));
        }
        assert!(asked.is_sorted());
        for window in asked.windows(8) {
            assert!(window[7] - window[0] >= rate.per, "{window:?}");
        }
        assert!(turns.taken.len() <= asked.len());
    }
}
