//! How far an import is, on standard error while somebody looks.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::input::Input;

/// So often it is told.
const EVERY: Duration = Duration::from_millis(500);

/// Tells lines, rate, and the time that is left.
pub(super) struct Progress {
    is_seen: bool,
    begun: Instant,
    told: Instant,
    size: Option<u64>,
    read: Arc<AtomicU64>,
}

impl Progress {
    pub(super) fn new(input: &Input) -> Self {
        let now = Instant::now();
        let (size, read) = (input.size, Arc::clone(&input.read));
        Self { is_seen: std::io::stderr().is_terminal(), begun: now, told: now, size, read }
    }

    pub(super) fn tell(&mut self, lines: u64) {
        if !self.is_seen || self.told.elapsed() < EVERY {
            return;
        }
        self.told = Instant::now();
        let text = line(lines, self.begun.elapsed(), self.read.load(Ordering::Relaxed), self.size);
        // Nobody is hurt if it can't be shown.
        drop(write!(std::io::stderr(), "\r\x1b[K{text}"));
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.is_seen {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}

fn line(lines: u64, since: Duration, read: u64, size: Option<u64>) -> String {
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = lines.saturating_mul(1_000) / millis;
    let mut text = format!("{lines} lines · {rate} a second");
    if let Some(size) = size.filter(|size| *size > 0 && read > 0) {
        let read = read.min(size);
        let left = u128::from(millis) * u128::from(size - read) / u128::from(read) / 1_000;
        text.push_str(&format!(" · {} % · {}:{:02} left", read.saturating_mul(100) / size, left / 60, left % 60));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_follow_from_what_was_read() {
        for (lines, seconds, read, size, want) in [
            (0, 0, 0, Some(100), "0 lines · 0 a second"),
            (3_000, 2, 25, Some(100), "3000 lines · 1500 a second · 25 % · 0:06 left"),
            (3_000, 100, 50, Some(100), "3000 lines · 30 a second · 50 % · 1:40 left"),
            (10, 1, 200, Some(100), "10 lines · 10 a second · 100 % · 0:00 left"),
            (10, 1, 200, None, "10 lines · 10 a second"),
        ] {
            assert_eq!(line(lines, Duration::from_secs(seconds), read, size), want);
        }
    }
}
