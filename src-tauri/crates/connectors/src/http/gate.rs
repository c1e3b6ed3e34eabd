//! Keeps one provider from being pressed while it struggles: a budget of retries, a breaker that
//! opens after failures in a row, and the provider's own "not before". Pure; the time comes in.

use std::time::Duration;

/// Failed calls in a row that open the breaker, and how long it then stays open (reliability 2.1).
const FAILURES_OPEN: u32 = 5;
const OPEN_FOR: Duration = Duration::from_secs(20);
/// Retries that may be made before any call succeeded, and what a call that succeeded adds: in the
/// long run one retry to ten calls.
const BUDGET: f64 = 10.0;
const EARNED: f64 = 0.1;

/// Whether a provider may be asked now.
#[derive(Debug)]
pub struct Gate {
    retries_left: f64,
    failures: u32,
    closed_until: Duration,
    why: Shut,
}

/// Why a gate is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// The provider asked not to be asked before then.
    Asked,
    /// It failed too often in a row.
    Failing,
}

impl Default for Gate {
    fn default() -> Self {
        Self { retries_left: BUDGET, failures: 0, closed_until: Duration::ZERO, why: Shut::Asked }
    }
}

impl Gate {
    /// Whether a call may be made at `now`.
    ///
    /// # Errors
    /// With the reason, and how long it stays shut.
    pub fn enter(&mut self, now: Duration) -> Result<(), (Shut, Duration)> {
        if now < self.closed_until {
            return Err((self.why, self.closed_until.saturating_sub(now)));
        }
        if self.failures >= FAILURES_OPEN {
            // One probe: until it is answered, or the time is over again, everyone else waits.
            self.closed_until = now.saturating_add(OPEN_FOR);
            self.why = Shut::Failing;
        }
        Ok(())
    }

    /// The provider answered, whatever it said.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        if self.why == Shut::Failing {
            self.closed_until = Duration::ZERO;
        }
        self.retries_left = (self.retries_left + EARNED).min(BUDGET);
    }

    /// The provider could not be reached, or broke, for all tries of a call.
    pub fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_OPEN {
            self.shut(now.saturating_add(OPEN_FOR), Shut::Failing);
        }
    }

    /// The provider asked for patience.
    pub fn asked_to_wait(&mut self, now: Duration, wait: Duration) {
        self.shut(now.saturating_add(wait), Shut::Asked);
    }

    /// Takes one retry from the budget, if there is one.
    pub fn take_retry(&mut self) -> bool {
        let has = self.retries_left >= 1.0;
        if has {
            self.retries_left -= 1.0;
        }
        has
    }

    fn shut(&mut self, until: Duration, why: Shut) {
        if until > self.closed_until {
            self.closed_until = until;
            self.why = why;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn opens_after_five_failures_and_lets_one_probe_through() {
        let mut gate = Gate::default();
        for _ in 0..4 {
            assert_eq!(gate.enter(at(1)), Ok(()));
            gate.failed(at(1));
        }
        assert_eq!(gate.enter(at(1)), Ok(()));
        gate.failed(at(1));
        assert_eq!(gate.enter(at(2)), Err((Shut::Failing, at(19))));
        assert_eq!(gate.enter(at(21)), Ok(()), "the probe");
        assert_eq!(gate.enter(at(21)), Err((Shut::Failing, at(20))), "nobody beside the probe");
        gate.succeeded();
        assert_eq!(gate.enter(at(21)), Ok(()));
    }

    #[test]
    fn success_between_failures_keeps_it_open() {
        let mut gate = Gate::default();
        for _ in 0..20 {
            gate.failed(at(1));
            gate.succeeded();
        }
        assert_eq!(gate.enter(at(1)), Ok(()));
    }

    #[test]
    fn is_never_asked_earlier_than_wanted() {
        let mut gate = Gate::default();
        gate.asked_to_wait(at(10), at(300));
        gate.asked_to_wait(at(10), at(5));
        gate.succeeded();
        assert_eq!(gate.enter(at(100)), Err((Shut::Asked, at(210))));
        assert_eq!(gate.enter(at(310)), Ok(()));
        gate.asked_to_wait(at(310), Duration::MAX);
        assert!(gate.enter(at(1_000_000)).is_err());
    }

    #[test]
    fn retries_are_a_tenth_of_the_calls() {
        let mut gate = Gate::default();
        let mut retries = 0;
        for _ in 0..1_000 {
            gate.succeeded();
            retries += u32::from(gate.take_retry());
        }
        assert!((100..=111).contains(&retries), "{retries} retries");
    }
}
