//! When to ask again: pure arithmetic over what a provider said and how often it was asked.

use std::time::Duration;

use jiff::Timestamp;

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
/// A date is compared with the answer's own `Date`, so that a wrong clock here does not matter; where
/// there is none, or junk, with ours, `now`.
#[must_use]
pub fn retry_after<'a>(
    values: impl IntoIterator<Item = &'a str>,
    answered: Option<&str>,
    now: Timestamp,
) -> Option<Duration> {
    let answered = answered.and_then(http_date).unwrap_or(now);
    values.into_iter().filter_map(|value| one(value.trim(), answered)).max()
}

fn one(value: &str, answered: Timestamp) -> Option<Duration> {
    if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() {
        // More digits than fit are a very long time, not junk.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = http_date(value)?.duration_since(answered);
    Duration::try_from(wait).ok()
}

/// An HTTP-date in any of the three forms that everybody has to read (RFC 9110, 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text.trim()).ok()?).ok()
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

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn retry_after_in_all_its_forms() {
        let now = at("2026-11-22T09:00:00Z");
        let date = Some("Sun, 22 Nov 2026 10:00:00 GMT");
        let secs = |s| Some(Duration::from_secs(s));
        for (values, answered, want) in [
            (vec!["30"], None, secs(30)),
            (vec![" 30 "], None, secs(30)),
            (vec!["0"], None, secs(0)),
            (vec!["1000000000"], None, secs(1_000_000_000)),
            (vec!["99999999999999999999999"], None, secs(u64::MAX)),
            (vec!["-5"], None, None),
            (vec!["+5"], None, None),
            (vec!["soon"], date, None),
            (vec![""], date, None),
            (vec!["1.5"], date, None),
            (vec!["1e3"], date, None),
            (vec!["Sun, 22 Nov 2026 10:02:00 GMT"], date, secs(120)),
            (vec!["Sunday, 22-Nov-26 10:02:00 GMT"], date, secs(120)),
            (vec!["Sun Nov 22 10:02:00 2026"], date, secs(120)),
            (vec!["Sun, 22 Nov 2026 09:59:00 GMT"], date, None),
            (vec!["Thu, 31 Dec 9998 23:59:59 GMT"], date, secs(251_575_423_199)),
            (vec!["Thu, 01 Jan 1970 00:00:00 GMT"], date, None),
            // By our clock where the answer has none: it is an hour behind theirs above.
            (vec!["Sun, 22 Nov 2026 10:02:00 GMT"], None, secs(3_720)),
            (vec!["Sun, 22 Nov 2026 10:02:00 GMT"], Some("today"), secs(3_720)),
            (vec!["Sun, 22 Nov 2026 10:02:00 GMT"], Some("Sunday, 22-Nov-26 10:00:00 GMT"), secs(120)),
            (vec!["Sun, 22 Nov 2026 08:59:59 GMT"], None, None),
            (vec!["5", "40"], None, secs(40)),
            (vec!["junk", "7"], None, secs(7)),
            (vec![], date, None),
        ] {
            assert_eq!(retry_after(values.clone(), answered, now), want, "{values:?} at {answered:?}");
        }
    }

    /// The examples of RFC 9110, 5.6.7, and what is near them.
    #[test]
    fn dates_are_read_in_all_three_forms() {
        for (text, want) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("1994-11-06T08:49:37Z")),
            (" Sun, 06 Nov 1994 08:49:37 GMT ", Some("1994-11-06T08:49:37Z")),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some("1994-11-06T08:49:37Z")),
            ("Sun Nov  6 08:49:37 1994", Some("1994-11-06T08:49:37Z")),
            ("Saturday, 01-Jan-00 00:00:00 GMT", Some("2000-01-01T00:00:00Z")),
            ("Sunday, 06-Nov-94 24:49:37 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 CET", None),
            ("Someday, 06-Nov-94 08:49:37 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("\u{6d4}, \u{6f0}\u{6f6}-Nov-94 08:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(http_date(text), want.map(at), "{text}");
        }
    }
}
