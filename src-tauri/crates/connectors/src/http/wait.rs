//! When to ask again: pure arithmetic over what a provider said and how often it was asked.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// The smallest and the largest step of the back-off (reliability 2.1).
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// The wait before try `attempt + 1`, `attempt` from 1, with full jitter: anything between nothing
/// and a bound that doubles. `chance` is of `[0, 1)`.
#[must_use]
pub fn backoff(attempt: u32, chance: f64) -> Duration {
    let bound = FIRST.saturating_mul(2_u32.saturating_pow(attempt.min(16))).min(LONGEST);
    bound.mul_f64(chance.clamp(0.0, 1.0))
}

/// What a `Retry-After` header asks for. Several headers: the longest counts, so that the provider
/// is never asked earlier than it wanted. Junk and the past ask for nothing.
///
/// A date is compared with the answer's own `Date`, so that a wrong clock here does not matter.
#[must_use]
pub fn retry_after<'a>(values: impl IntoIterator<Item = &'a str>, answered: Option<&str>) -> Option<Duration> {
    let answered = answered.and_then(http_date);
    values.into_iter().filter_map(|value| one(value.trim(), answered)).max()
}

fn one(value: &str, answered: Option<Timestamp>) -> Option<Duration> {
    if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() {
        // More digits than fit are a very long time, not junk.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = http_date(value)?.duration_since(answered?);
    Duration::try_from(wait).ok()
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_bound() {
        let ms = |attempt, chance| backoff(attempt, chance).as_millis();
        assert_eq!((ms(1, 1.0), ms(2, 1.0), ms(3, 1.0), ms(9, 1.0)), (1_000, 2_000, 4_000, 20_000));
        assert_eq!((ms(1, 0.0), ms(2, 0.5), ms(u32::MAX, 1.0)), (0, 1_000, 20_000));
    }

    #[test]
    fn retry_after_in_all_its_forms() {
        let date = Some("Sun, 22 Nov 2026 10:00:00 GMT");
        let secs = |s| Some(Duration::from_secs(s));
        for (values, answered, want) in [
            (vec!["30"], None, secs(30)),
            (vec![" 30 "], None, secs(30)),
            (vec!["0"], None, secs(0)),
            (vec!["1000000000"], None, secs(1_000_000_000)),
            (vec!["99999999999999999999999"], None, secs(u64::MAX)),
            (vec!["-5"], None, None),
            (vec!["soon"], date, None),
            (vec![""], date, None),
            (vec!["1.5"], date, None),
            (vec!["Sun, 22 Nov 2026 10:02:00 GMT"], date, secs(120)),
            (vec!["Sun, 22 Nov 2026 09:59:00 GMT"], date, None),
            (vec!["Sun, 22 Nov 2026 10:02:00 GMT"], None, None),
            (vec!["5", "40"], None, secs(40)),
            (vec!["junk", "7"], None, secs(7)),
            (vec![], date, None),
        ] {
            assert_eq!(retry_after(values.clone(), answered), want, "{values:?} at {answered:?}");
        }
    }
}
