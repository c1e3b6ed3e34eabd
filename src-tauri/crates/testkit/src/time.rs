//! Time that a test sets, and ids that repeat.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{Clock, Ids};

/// A clock that moves when it is told to.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves on; at the end of time it stays there.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by).unwrap_or(*now);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// UUIDv7-shaped ids that count up from a seed: the same test makes the same ids.
#[derive(Debug)]
pub struct SeededIds {
    seed: u16,
    next: AtomicU64,
}

impl SeededIds {
    #[must_use]
    pub fn new(seed: u16) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }
}

impl Ids for SeededIds {
    fn new_id(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{:04x}-7000-8000-{:012x}", n >> 16, n & 0xffff, u64::from(self.seed) << 32 | n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_and_ids_repeat() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
        let ids = |seed| {
            let ids = SeededIds::new(seed);
            (0..3).map(|_| ids.new_id()).collect::<Vec<_>>()
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
        assert_eq!(ids(7)[0], "00000000-0001-7000-8000-000700000001");
    }
}
