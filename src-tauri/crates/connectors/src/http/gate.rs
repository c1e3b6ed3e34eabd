//! Keeps one provider from being pressed while it struggles: a budget of retries, a breaker that
//! opens after failures in a row, and the provider's own "not before". Pure; the time comes in.

use std::time::Duration;

/// Failed calls in a row that open the breaker, and how long it then stays open (reliability 2.1).
const FAILURES_OPEN: u32 = 5;
const OPEN_FOR: Duration = Duration::from_secs(20);
/// Retries that may be made before any call succeeded, and what a call that succeeded adds: together no more
/// than one retry to ten calls in a thousand of them.
const BUDGET: f64 = 10.0;
const EARNED: f64 = 0.09;

/// Whether a provider may be asked now.
#[derive(Debug)]
pub struct Gate {
    retries_left: f64,
    failures: u32,
    /// Kept apart: who forgets the failures still keeps the pause that was asked for.
    asked_until: Duration,
    failing_until: Duration,
}

/// A gate at one moment, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateState {
    pub retries_left: u32,
    pub retries_max: u32,
    /// Failed calls in a row, and how many open the breaker.
    pub failures: u32,
    pub failures_max: u32,
    pub shut: Option<(Shut, Duration)>,
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
        Self { retries_left: BUDGET, failures: 0, asked_until: Duration::ZERO, failing_until: Duration::ZERO }
    }
}

impl Gate {
    /// Whether a call may be made at `now`.
    ///
    /// # Errors
    /// With the reason, and how long it stays shut.
    pub fn enter(&mut self, now: Duration) -> Result<(), (Shut, Duration)> {
        if let Some(shut) = self.shut(now) {
            return Err(shut);
        }
        if self.failures >= FAILURES_OPEN {
            // One probe: until it is answered, or the time is over again, everyone else waits.
            self.failing_until = now.saturating_add(OPEN_FOR);
        }
        Ok(())
    }

    /// The provider answered, whatever it said.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.failing_until = Duration::ZERO;
        self.retries_left = (self.retries_left + EARNED).min(BUDGET);
    }

    /// The provider could not be reached, or broke, for all tries of a call.
    pub fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_OPEN {
            self.failing_until = now.saturating_add(OPEN_FOR);
        }
    }

    /// The provider asked for patience.
    pub fn asked_to_wait(&mut self, now: Duration, wait: Duration) {
        self.asked_until = self.asked_until.max(now.saturating_add(wait));
    }

    /// Takes one retry from the budget, if there is one.
    pub fn take_retry(&mut self) -> bool {
        let has = self.retries_left >= 1.0;
        if has {
            self.retries_left -= 1.0;
        }
        has
    }

    /// What people see of it at `now`.
    #[must_use]
    pub fn state(&self, now: Duration) -> GateState {
        GateState {
            retries_left: whole(self.retries_left),
            retries_max: whole(BUDGET),
            failures: self.failures,
            failures_max: FAILURES_OPEN,
            shut: self.shut(now),
        }
    }

    /// Forgets the failures and fills the budget. Who asked for a pause still gets it.
    pub fn reset(&mut self) {
        *self = Self { asked_until: self.asked_until, ..Self::default() };
    }

    /// Why it is shut at `now`, and for how long.
    fn shut(&self, now: Duration) -> Option<(Shut, Duration)> {
        let (why, until) = if self.asked_until >= self.failing_until {
            (Shut::Asked, self.asked_until)
        } else {
            (Shut::Failing, self.failing_until)
        };
        let left = until.saturating_sub(now);
        (!left.is_zero()).then_some((why, left))
    }
}

/// Whole retries of a budget, which is never negative and never large.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and BUDGET")]
fn whole(budget: f64) -> u32 {
    budget as u32
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
        assert!((95..=100).contains(&retries), "{retries} retries");
    }

    #[test]
    fn tells_what_it_would_say() {
        let mut gate = Gate::default();
        let fresh = GateState { retries_left: 10, retries_max: 10, failures: 0, failures_max: 5, shut: None };
        assert_eq!(gate.state(at(0)), fresh);
        for _ in 0..5 {
            assert!(gate.take_retry());
            gate.failed(at(1));
        }
        let open = GateState { retries_left: 5, failures: 5, shut: Some((Shut::Failing, at(19))), ..fresh };
        assert_eq!(gate.state(at(2)), open);
        assert_eq!(gate.state(at(21)), GateState { shut: None, ..open }, "the probe may go");
    }

    #[test]
    fn a_reset_forgets_failures_and_keeps_the_pause_that_was_asked_for() {
        let mut gate = Gate::default();
        gate.asked_to_wait(at(1), at(10));
        for _ in 0..5 {
            gate.take_retry();
            gate.failed(at(1));
        }
        assert_eq!(gate.enter(at(2)), Err((Shut::Failing, at(19))), "the longer one is told");
        gate.reset();
        assert_eq!(gate.enter(at(2)), Err((Shut::Asked, at(9))));
        assert_eq!((gate.enter(at(11)), gate.state(at(11)).retries_left), (Ok(()), 10));
    }
}
