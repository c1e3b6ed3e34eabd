//! What an adapter reads out of an answer, in the domain's words, and the rules that hold for all
//! providers: only a definite answer is a failure; what is not known is said to be unknown.

use jiff::{SignedDuration, Timestamp, Unit};
use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::kind::FileKind;

/// What an answer says about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub state: JobState,
    /// The job that the answer is about, where it says so.
    pub about: Option<JobId>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub pieces: Pieces,
    /// An item that the answer does not list may be there all the same: it holds an address that was not read as a
    /// file, or nothing in it has a known name.
    pub holds_more: bool,
    /// The provider's own words, or ours about them. For agents.
    pub error: Option<String>,
    /// Why the answer tells nothing of the job, where it does not.
    pub cause: Option<Cause>,
}

/// Why an answer tells nothing of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    KeyRefused,
    TooOften,
    /// It may be answered in a moment.
    Passing,
    /// The question itself was refused, and will be again.
    Refused,
    /// A passing fault, or the job's own; asking again tells.
    PassingOrFailed,
    /// 404 or 410 without a word of the provider's: it may be of anybody in between.
    Wordless,
    /// A file is gone, or belongs to another key.
    GoneOrWrongKey,
    /// The provider has given the service up.
    Retired,
}

/// What became of the items, as far as the answer tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pieces {
    /// The answer lists nothing: the items share the job's fate.
    #[default]
    Unlisted,
    /// In the order of the items, from the first. Items beyond the last were not returned.
    Listed(Vec<Piece>),
    /// They were made, and the provider no longer has them.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    File(Asset),
    /// Made, and withheld by a safety filter.
    Filtered,
    /// Not in the answer, though later ones are.
    Missing,
}

/// A file at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    /// As the provider gave it; a `data:` address holds the file itself.
    pub url: String,
    /// 0 where the provider does not tell.
    pub bytes: u64,
    pub available_until: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Whether it was found; `None` where that can't be told.
    pub exists_now: Option<bool>,
    /// What it is, where the provider says so: by its media type, or by the field that names it.
    pub kind: Option<FileKind>,
    /// Which file of the archive that lies at the address, the first being 1; `None` where it is the file itself.
    pub member: Option<u32>,
}

impl Reading {
    /// A reading that knows nothing but the state.
    #[must_use]
    pub fn of(state: JobState) -> Self {
        Self {
            state,
            about: None,
            started_at: None,
            finished_at: None,
            pieces: Pieces::Unlisted,
            holds_more: false,
            error: None,
            cause: None,
        }
    }

    /// The same, with words for agents.
    #[must_use]
    pub fn saying(self, words: impl Into<String>) -> Self {
        Self { error: Some(words.into()), ..self }
    }

    /// The answer can't be read by this version. Moves no credits.
    pub fn unrecognised(why: impl Into<String>) -> Self {
        Self::of(JobState::Unrecognised).saying(why)
    }

    /// Whether it says that there is nothing, in words or without: then it is asked again, before anything is made
    /// of it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.state == JobState::NotFound || self.cause == Some(Cause::Wordless)
    }

    /// Succeeded, with these files.
    #[must_use]
    pub fn with_files(assets: Vec<Asset>) -> Self {
        let pieces = Pieces::Listed(assets.into_iter().map(Piece::File).collect());
        Self { pieces, ..Self::of(JobState::Succeeded) }
    }
}

/// There is nothing to read: what that says of the job, and why. Becomes a [`Reading`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    pub state: JobState,
    pub why: String,
    pub cause: Option<Cause>,
}

impl Unread {
    /// The question could not be asked or answered.
    pub fn unanswered(why: impl Into<String>) -> Self {
        Self { state: JobState::LookupFailed, why: why.into(), cause: Some(Cause::Passing) }
    }

    /// The question can't be asked, or is refused each time.
    pub fn refused(why: impl Into<String>) -> Self {
        Self { state: JobState::LookupFailed, why: why.into(), cause: Some(Cause::Refused) }
    }

    /// The same, of a question beside the one about the job: that nothing is there without a word says nothing of the
    /// job, and there is nothing to be made sure of.
    #[must_use]
    pub fn of_another_question(self) -> Self {
        match self.cause {
            Some(Cause::Wordless) => Self { state: JobState::LookupFailed, cause: Some(Cause::Passing), ..self },
            _ => self,
        }
    }
}

impl From<Unread> for Reading {
    fn from(unread: Unread) -> Self {
        Self { cause: unread.cause, ..Self::of(unread.state).saying(unread.why) }
    }
}

/// Reads a body of a 2xx answer, or says why there is nothing to read: the meaning of statuses
/// that all providers share.
///
/// 404 and 410 are *not found*, whatever the reason (no provider tells them apart). How much of that is believed is
/// decided by what comes with them, as credits go back for it:
///
/// * an error in JSON is the provider's;
/// * a page is of somebody in between, whatever its status;
/// * nothing, or a few words: some providers answer so, and some proxies. 410 is said of nothing that was never there,
///   and no proxy is known that says it by itself. 404 is [`Cause::Wordless`], and stands only where the provider
///   answers otherwise ([`super::witness`]).
///
/// Everything else of 4xx and 5xx says something about the question, nothing about the job.
///
/// # Errors
/// What is known without a body to read.
pub fn body_of<'a, T: Deserialize<'a>>(status: u16, body: &'a [u8]) -> Result<T, Unread> {
    let words = || said(body).map_or_else(|| format!("HTTP {status}"), |words| format!("HTTP {status}: {words}"));
    let failed = |cause, why| (JobState::LookupFailed, Some(cause), why);
    let (state, cause, why) = match status {
        200..=299 => match serde_json::from_slice(body) {
            Ok(read) => return Ok(read),
            Err(error) => {
                (JobState::Unrecognised, None, format!("HTTP {status} with a body that can't be read: {error}"))
            }
        },
        404 | 410 if is_of_an_api(body) => (JobState::NotFound, None, words()),
        404 | 410 if is_page(body) => failed(Cause::Passing, format!("HTTP {status} with a page, of whoever made it")),
        404 | 410 => {
            let state = if status == 410 { JobState::NotFound } else { JobState::LookupFailed };
            (state, Some(Cause::Wordless), format!("HTTP {status} without a word of the provider's"))
        }
        401 | 403 => failed(Cause::KeyRefused, format!("the key was not accepted: {}", words())),
        429 => failed(Cause::TooOften, format!("asked too often: {}", words())),
        501 | 505 => failed(Cause::Refused, words()),
        408 | 425 | 500.. => failed(Cause::Passing, words()),
        _ => failed(Cause::Refused, words()),
    };
    Err(Unread { state, why, cause })
}

/// Whether a body is an object of JSON, or, as Google has it at times, a list of such.
pub fn is_of_an_api(body: &[u8]) -> bool {
    match serde_json::from_slice(body) {
        Ok(Value::Object(_)) => true,
        Ok(Value::Array(list)) => !list.is_empty() && list.iter().all(Value::is_object),
        _ => false,
    }
}

/// Whether a body is markup, and so of no provider's API.
pub fn is_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The words of an error body, wherever the provider keeps them.
pub fn said(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    words_in(&value)
}

/// Words of an error value: a text, or the first of the usual fields that holds one.
pub fn words_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Array(list) => list.iter().find_map(words_in),
        Value::Object(fields) => ["detail", "message", "msg", "error", "failure", "title"]
            .iter()
            .find_map(|name| words_in(fields.get(*name)?)),
        _ => None,
    }
}

/// Above this a count of Unix time is of milliseconds: as seconds it would be in the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// An instant, or nothing where the provider wrote something else: a strange date does not make an
/// answer unreadable. Read are RFC 3339, and Unix time in seconds or milliseconds, as a number or
/// as a text.
///
/// # Errors
/// Never for JSON.
pub fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(moment_in(&Value::deserialize(from)?))
}

/// The instant that a value tells; see [`moment`].
#[must_use]
pub fn moment_in(value: &Value) -> Option<Timestamp> {
    let text = value.as_str().map(str::trim);
    if let Some(at) = text.and_then(|text| text.parse().ok()) {
        return Some(at);
    }
    let count = value.as_f64().or_else(|| text?.parse().ok()).filter(|count| *count > 0.0)?;
    let seconds = if count < MILLISECONDS_FROM { count } else { count / 1000.0 };
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since).ok()?.round(Unit::Millisecond).ok()
}

/// A whole number, written as a number or as a text: a code, an index.
///
/// # Errors
/// Never for JSON.
pub fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok())))
}

/// An id, written as a text or as a number.
///
/// # Errors
/// Never for JSON.
pub fn id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A text, or nothing where something else was written.
///
/// # Errors
/// Never for JSON.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A count, written as a number or as a text.
///
/// # Errors
/// Never for JSON.
pub fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())))
}

/// A value, or its default where the provider wrote something else.
///
/// # Errors
/// Never for JSON.
pub fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statuses_mean_the_same_everywhere() {
        for (status, body, want) in [
            (404, "{}", JobState::NotFound),
            (410, r#"{"detail":"gone"}"#, JobState::NotFound),
            (404, r#"[{"error":{"code":404}}]"#, JobState::NotFound),
            (404, "<html><h1>404 Not Found</h1></html>", JobState::LookupFailed),
            (410, "\u{feff}\n <!doctype html>", JobState::LookupFailed),
            (410, "", JobState::NotFound),
            (410, "Gone", JobState::NotFound),
            (200, "<html>", JobState::Unrecognised),
            (200, "[]", JobState::Unrecognised),
            (204, "", JobState::Unrecognised),
            (301, "", JobState::LookupFailed),
            (400, "{}", JobState::LookupFailed),
            (401, "{}", JobState::LookupFailed),
            (403, "{}", JobState::LookupFailed),
            (422, "{}", JobState::LookupFailed),
            (429, "{}", JobState::LookupFailed),
            (500, "{}", JobState::LookupFailed),
            (503, "<html>", JobState::LookupFailed),
        ] {
            let read = body_of::<serde_json::Map<String, Value>>(status, body.as_bytes());
            assert_eq!(read.expect_err("no job in it").state, want, "{status} {body}");
        }
    }

    #[test]
    fn nothing_there_without_a_word_is_told_from_a_page() {
        use JobState::{LookupFailed, NotFound};
        for (status, body, want) in [
            (404, "", (LookupFailed, Some(Cause::Wordless))),
            (404, "404 page not found\n", (LookupFailed, Some(Cause::Wordless))),
            (404, "null", (LookupFailed, Some(Cause::Wordless))),
            (404, "[]", (LookupFailed, Some(Cause::Wordless))),
            (404, "{}", (NotFound, None)),
            (404, "<Error><Code>NoSuchKey</Code></Error>", (LookupFailed, Some(Cause::Passing))),
            (410, "", (NotFound, Some(Cause::Wordless))),
            (410, "<p>", (LookupFailed, Some(Cause::Passing))),
        ] {
            let unread = body_of::<serde_json::Map<String, Value>>(status, body.as_bytes()).expect_err("no job in it");
            assert_eq!((unread.state, unread.cause), want, "{status} {body}");
            let reading = Reading::from(unread);
            assert_eq!(reading.is_missing(), want.1 != Some(Cause::Passing), "{status} {body}");
        }
    }

    #[test]
    fn moments_are_read_in_every_usual_form() {
        let at = "2026-03-01T08:00:00Z";
        for (value, want) in [
            (json!("2026-03-01T08:00:00Z"), Some(at)),
            (json!("2026-03-01T09:00:00+01:00"), Some(at)),
            (json!(1_772_352_000), Some(at)),
            (json!(1_772_352_000_000_u64), Some(at)),
            (json!("1772352000"), Some(at)),
            (json!("1772352000000"), Some(at)),
            (json!(1_772_352_000.25), Some("2026-03-01T08:00:00.25Z")),
            (json!(0), None),
            (json!(-5), None),
            (json!(1e300), None),
            (json!("soon"), None),
            (json!(null), None),
            (json!({}), None),
        ] {
            assert_eq!(moment_in(&value).map(|at| at.to_string()).as_deref(), want, "{value}");
        }
    }

    #[test]
    fn words_are_found_where_providers_keep_them() {
        for (body, want) in [
            (r#"{"detail":"a"}"#, Some("a")),
            (r#"{"detail":[{"loc":["body"],"msg":"b","type":"t"}]}"#, Some("b")),
            (r#"{"error":{"code":404,"message":"c"}}"#, Some("c")),
            (r#"{"error":"d"}"#, Some("d")),
            (r#""e""#, Some("e")),
            (r#"{"detail":"","title":"f"}"#, Some("f")),
            ("{}", None),
            ("<html>", None),
        ] {
            assert_eq!(said(body.as_bytes()).as_deref(), want, "{body}");
        }
    }
}
