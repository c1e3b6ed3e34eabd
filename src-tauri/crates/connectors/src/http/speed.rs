//! How fast a body comes, of a file or of an answer: one that drips is as good as stalled, and none goes on for ever
//! (reliability N3, N4). Pure; the time comes in.

use std::time::Duration;

use super::HttpError;

/// Slower than this over the window is as good as stalled.
const SLOWEST_BYTES_PER_SEC: u64 = 16 * 1024;
const WINDOW: Duration = Duration::from_secs(30);

/// When something was begun, and what was here of it at the beginning of the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speed {
    started: Duration,
    window: (Duration, u64),
}

impl Speed {
    /// Of what begins now, of which nothing is here.
    pub(super) fn since(started: Duration) -> Self {
        Self { started, window: (started, 0) }
    }

    /// Counts anew from here: whoever waited for an answer was not slow with its bytes.
    pub(super) fn begin_anew(&mut self, now: Duration, received: u64) {
        self.window = (now, received);
    }

    /// # Errors
    /// When it takes longer than `whole`.
    pub(super) fn in_time(&self, now: Duration, whole: Duration) -> Result<(), HttpError> {
        if now.saturating_sub(self.started) > whole {
            return Err(HttpError::Cut(format!("not all of it was here after {} s", whole.as_secs())));
        }
        Ok(())
    }

    /// # Errors
    /// When less came than is worth waiting for.
    pub(super) fn keeps_up(&mut self, now: Duration, received: u64) -> Result<(), HttpError> {
        let (since, before) = self.window;
        let passed = now.saturating_sub(since);
        if passed >= WINDOW {
            if received.saturating_sub(before) < SLOWEST_BYTES_PER_SEC * passed.as_secs() {
                return Err(HttpError::Cut(format!("less than {SLOWEST_BYTES_PER_SEC} bytes came in a second")));
            }
            self.window = (now, received);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drips_and_marathons_are_ended() {
        let secs = Duration::from_secs;
        let fresh = Speed::default;
        let limit = secs(900);
        assert!(fresh().keeps_up(secs(29), 1).is_ok());
        assert!(fresh().keeps_up(secs(30), 1).is_err());
        assert!(fresh().keeps_up(secs(30), 30 * SLOWEST_BYTES_PER_SEC).is_ok());
        let mut late = Speed::since(secs(100));
        late.begin_anew(secs(200), 1 << 20);
        assert!(late.keeps_up(secs(229), 1 << 20).is_ok() && late.keeps_up(secs(230), 1 << 20).is_err());
        assert!(late.in_time(secs(1_000), limit).is_ok() && late.in_time(secs(1_001), limit).is_err());
    }
}
