//! What both of MiniMax's video APIs have in common: their codes, which say more than the HTTP
//! status, their regions, and the word that an address for callbacks is tried with.

use makegood_domain::work::JobState;
use serde_json::Value;

use super::reading::{Cause, Reading};

/// One account lives in one region; which, its key does not tell.
pub const REGIONS: &[&str] = &["api.minimax.io", "api.minimaxi.com", "api.minimax.cn"];

/// What a code says; `None` where it is not documented. `words` are MiniMax's own beside it.
#[must_use]
pub fn meaning(code: i64, words: &str) -> Option<Reading> {
    let failed = |cause| Reading { cause: Some(cause), ..Reading::of(JobState::LookupFailed) };
    let reading = match code {
        1000 | 1001 | 1013 | 1024 | 1033 => failed(Cause::Passing),
        // A limit of requests, of tokens, of connections, of growth, of the plan's hours.
        1002 | 1039 | 1041 | 2045 | 2056 => failed(Cause::TooOften),
        1004 | 2049 => failed(Cause::KeyRefused),
        // An empty balance, a model that the plan is without.
        1008 | 1028 | 1030 | 2061 => failed(Cause::Refused),
        // The input's and the output's content.
        1026 | 1027 => Reading::of(JobState::Filtered),
        2013 if names_an_id(words) => Reading::of(JobState::NotFound),
        2013 => failed(Cause::Refused),
        _ => return None,
    };
    Some(reading.saying(format!("code {code}: {words}")))
}

/// An id that MiniMax does not take is one that it does not know, or no longer.
fn names_an_id(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let names = ["task_id", "task id", "file_id", "file id", "task", "file"].iter().any(|name| words.contains(name));
    let denies =
        ["invalid task", "invalid file", "not found", "not exist", "expired"].iter().any(|no| words.contains(no));
    names && denies
}

/// The code at the end of a text: `… (2013)`.
#[must_use]
pub fn code_in(words: &str) -> Option<i64> {
    let (_, code) = words.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    code.trim().parse().ok()
}

/// Whether a document is the question that an address for callbacks has to answer before it gets
/// any.
#[must_use]
pub fn is_challenge(document: &Value) -> bool {
    document.get("challenge").is_some_and(|word| !word.is_null()) && document.get("status").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_the_same_in_both_versions() {
        use JobState::{Filtered, LookupFailed, NotFound};
        for (code, words, state, cause) in [
            (1000, "unknown error", LookupFailed, Some(Cause::Passing)),
            (1002, "rate limit", LookupFailed, Some(Cause::TooOften)),
            (1004, "login fail", LookupFailed, Some(Cause::KeyRefused)),
            (2049, "invalid api key", LookupFailed, Some(Cause::KeyRefused)),
            (1008, "insufficient balance", LookupFailed, Some(Cause::Refused)),
            (1026, "input new_sensitive", Filtered, None),
            (1027, "output new_sensitive", Filtered, None),
            (2013, "invalid params, invalid task_id", NotFound, None),
            (2013, "invalid params, Task does not exist", NotFound, None),
            (2013, "invalid params, file_id not found", NotFound, None),
            (2013, "invalid params, prompt is required", LookupFailed, Some(Cause::Refused)),
            (2013, "invalid params, first_frame_image: the file is too large", LookupFailed, Some(Cause::Refused)),
        ] {
            let reading = meaning(code, words).expect("a documented code");
            assert_eq!((reading.state, reading.cause), (state, cause), "{code} {words}");
            assert_eq!(reading.error, Some(format!("code {code}: {words}")));
        }
        assert_eq!(meaning(4711, "new"), None);
    }

    #[test]
    fn codes_stand_at_the_end() {
        for (words, want) in [
            ("rate limit, please retry later (1002)", Some(1002)),
            ("(2) of (2013) ", Some(2013)),
            ("no code", None),
            ("(soon)", None),
            ("(1002) and more", None),
            ("", None),
        ] {
            assert_eq!(code_in(words), want, "{words}");
        }
    }
}
