//! How fast bytes arrive, and how long the rest takes: computed from what was seen when, over a window
//! that slides with the present. A transfer that stands still slows down to nothing as the window passes.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// What is older than this says nothing about now.
const WINDOW: SignedDuration = SignedDuration::from_secs(10);
/// Sightings closer together than this are one: the newest.
const STEP: SignedDuration = SignedDuration::from_millis(250);
/// A rate over less than this is noise.
const LEAST: SignedDuration = SignedDuration::from_millis(500);

/// When how many bytes were here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    at: Timestamp,
    bytes: u64,
}

/// The sightings of one transfer. At most some 40 are kept, however long it takes.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// In the order of time; the first one may be older than the window, so that it is spanned.
    seen: VecDeque<Seen>,
}

impl Pace {
    /// A transfer that begins with so many bytes that are here already: those did not arrive now.
    pub(super) fn begun(at: Timestamp, bytes: u64) -> Self {
        Self { seen: VecDeque::from([Seen { at, bytes }]) }
    }

    /// So many bytes are here at `at`. A clock that was set back starts the window anew.
    pub(super) fn note(&mut self, at: Timestamp, bytes: u64) {
        if self.seen.back().is_some_and(|last| at < last.at) {
            self.seen.clear();
        }
        let steps = self.seen.len();
        // The very first sighting stays: from it on the rate is told.
        let close = steps > 1 && self.seen.get(steps - 2).is_some_and(|before| at.duration_since(before.at) < STEP);
        if close {
            self.seen.pop_back();
        }
        self.seen.push_back(Seen { at, bytes });
        while self.seen.get(1).is_some_and(|second| at.duration_since(second.at) >= WINDOW) {
            self.seen.pop_front();
        }
    }

    /// Bytes a second over the last ten seconds, at `now`; `None` until half a second was seen.
    pub(super) fn rate(&self, now: Timestamp) -> Option<u64> {
        let last = self.seen.back()?;
        let spanned = self.seen.iter().rev().find(|seen| now.duration_since(seen.at) >= WINDOW);
        let first = spanned.or_else(|| self.seen.front())?;
        let span = now.duration_since(first.at);
        if span < LEAST {
            return None;
        }
        let millis = u128::try_from(span.as_millis()).ok().filter(|millis| *millis > 0)?;
        let bytes = u128::from(last.bytes.saturating_sub(first.bytes));
        u64::try_from(bytes * 1_000 / millis).ok()
    }
}

/// Whole seconds until the rest is here, rounded up; `None` where nothing arrives.
pub(super) fn left(received: u64, total: u64, rate: u64) -> Option<u64> {
    (rate > 0).then(|| total.saturating_sub(received).div_ceil(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).expect("an instant of our time")
    }

    /// Sightings in milliseconds and bytes, asked at a time: the rate.
    fn rate(seen: &[(i64, u64)], asked: i64) -> Option<u64> {
        let mut pace = Pace::begun(at(seen[0].0), seen[0].1);
        seen[1..].iter().for_each(|(millis, bytes)| pace.note(at(*millis), *bytes));
        pace.rate(at(asked))
    }

    #[test]
    fn the_rate_is_what_came_within_the_window() {
        for (seen, asked, wanted) in [
            (&[(0, 0)][..], 0, None),
            (&[(0, 0), (100, 5_000)], 400, None),
            (&[(0, 0), (1_000, 4_000)], 1_000, Some(4_000)),
            // What was here before did not arrive now.
            (&[(0, 9_000), (1_000, 10_000)], 1_000, Some(1_000)),
            // Nothing more comes: it slows down, and stands when the window is over.
            (&[(0, 0), (1_000, 8_000)], 4_000, Some(2_000)),
            (&[(0, 0), (1_000, 8_000)], 11_000, Some(0)),
            // Slow for long, fast now: the last ten seconds count.
            (&[(0, 0), (20_000, 200), (30_000, 100_200)], 30_000, Some(10_000)),
            // Nothing at all yet.
            (&[(0, 0)], 3_000, Some(0)),
        ] {
            assert_eq!(rate(seen, asked), wanted, "{seen:?} at {asked}");
        }
    }

    #[test]
    fn many_sightings_are_few_and_tell_the_same() {
        let mut pace = Pace::begun(at(0), 0);
        (1..=60_000_u64).for_each(|milli| pace.note(at(i64::try_from(milli).expect("small")), milli * 7));
        assert!(pace.seen.len() <= 60, "{}", pace.seen.len());
        let told = pace.rate(at(60_000)).expect("a rate");
        assert!((6_990..=7_010).contains(&told), "{told}");
    }

    #[test]
    fn a_clock_that_goes_back_tells_nothing_until_it_can() {
        let mut pace = Pace::begun(at(10_000), 0);
        pace.note(at(11_000), 1_000);
        pace.note(at(2_000), 1_500);
        assert_eq!(pace.rate(at(2_100)), None);
        pace.note(at(3_000), 2_500);
        assert_eq!(pace.rate(at(3_000)), Some(1_000));
    }

    #[test]
    fn the_time_left_is_rounded_up_and_none_where_nothing_arrives() {
        for (received, total, rate, wanted) in [
            (0, 100, 10, Some(10)),
            (95, 100, 10, Some(1)),
            (100, 100, 10, Some(0)),
            (110, 100, 10, Some(0)),
            (0, 100, 0, None),
        ] {
            assert_eq!(left(received, total, rate), wanted, "{received} of {total} at {rate}");
        }
    }
}
