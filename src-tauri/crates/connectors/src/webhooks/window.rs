//! The replay window: what was signed longer ago than this is not believed any more, so that a recorded
//! delivery is worth nothing the next day. Five minutes either side, as Standard Webhooks and fal have it.

use jiff::Timestamp;

use super::Refusal;

/// Seconds either side of our clock.
pub const WINDOW_SECONDS: i64 = 300;

/// Whether a time of signing, as the header writes it, is near enough to `now`.
///
/// # Errors
/// When it is no whole number of seconds in plain digits, or too far away.
pub fn check(header: &'static str, seconds: &str, now: Timestamp) -> Result<(), Refusal> {
    let malformed = Refusal::Malformed { header, wanted: "a number of seconds" };
    let plain = !seconds.is_empty() && seconds.len() <= 12 && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let signed: i64 = if plain { seconds.parse().map_err(|_| malformed)? } else { return Err(malformed) };
    let age = now.as_second().saturating_sub(signed);
    match age {
        age if age > WINDOW_SECONDS => Err(Refusal::TooOld { seconds: age, limit: WINDOW_SECONDS }),
        age if age < -WINDOW_SECONDS => Err(Refusal::TooNew { seconds: age.saturating_neg(), limit: WINDOW_SECONDS }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_either_side_and_no_second_more() {
        let now = Timestamp::from_second(1_763_632_800).expect("an instant");
        let refused = |text: &str| check("t", text, now).expect_err(text).to_string();
        for text in ["1763632800", "1763632500", "1763633100"] {
            assert_eq!(check("t", text, now), Ok(()), "{text}");
        }
        assert!(refused("1763632499").contains("signed 301 s ago"));
        assert!(refused("1763633101").contains("301 s in the future"));
        assert!(refused("0").contains("ago"));
        for text in ["", " 1763632800", "+1763632800", "1763632800.0", "17636328e2", "٣", "9999999999999"] {
            assert!(refused(text).contains("not a number of seconds"), "{text}");
        }
    }
}
