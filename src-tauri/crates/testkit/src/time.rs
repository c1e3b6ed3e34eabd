//! Time that a test sets, and ids that repeat.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{Clock, Ids};

/// A clock that moves when it is told to, and wakes those who wait for it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Moment>);

#[derive(Debug)]
struct Moment {
    now: Timestamp,
    asleep: Vec<Waker>,
}

impl ManualClock {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Moment { now, asleep: Vec::new() }))
    }

    fn moment(&self) -> MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, now: Timestamp) {
        let asleep = {
            let mut moment = self.moment();
            moment.now = now;
            std::mem::take(&mut moment.asleep)
        };
        asleep.into_iter().for_each(Waker::wake);
    }

    /// Moves on; at the end of time it stays there.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now();
        self.set(now.saturating_add(by).unwrap_or(now));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.moment().now
    }

    async fn sleep_until(&self, instant: Timestamp) {
        std::future::poll_fn(|context| {
            let mut moment = self.moment();
            if moment.now >= instant {
                return Poll::Ready(());
            }
            moment.asleep.push(context.waker().clone());
            Poll::Pending
        })
        .await;
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
