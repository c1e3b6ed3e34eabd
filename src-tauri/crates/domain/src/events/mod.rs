//! The platform's facts as CloudEvents 1.0: what a product sends to Makegood, whichever way it comes.
//!
//! An event carries one row whole, as it stands now, in `data`; `type` says of what, and with which
//! version of the fields ([`TYPES`]). Whoever tells a row twice changes nothing. `source` and `id` name
//! the telling, so that one that is delivered again, even after a newer one, is not taken again.
//!
//! Types have no reversed domain in front, which the specification recommends and does not ask for:
//! Makegood is a program that everybody runs for themselves, and owns no domain that could vouch for a
//! name. They name no verb (`run.started`), because the receiver needs none: whatever happened, the row
//! is told as it is afterwards. The version is part of the type, because receivers are chosen by it.
//!
//! What is not known here is harmless: extension attributes are passed over, and so are fields of `data`
//! that no version names. What is missing or of the wrong form is refused, with its path.

mod binary;
mod kinds;
mod outgoing;
#[cfg(test)]
mod schema;
mod structured;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::feed::Fact;

pub use binary::from_binary;
pub use kinds::{EventType, SCHEMA, TYPES, type_of};
pub use outgoing::{
    AssetDelivered, AssetMoved, AssetQuarantined, AssetReleased, BalanceTold, CancelRequested, CreditsRestored,
    OUTGOING, Outgoing, OutgoingType, is_told, outgoing_type_of,
};
pub use structured::{parse_batch, parse_line, parse_structured};

/// The version of CloudEvents that is read.
pub const SPECVERSION: &str = "1.0";

/// Bytes of one event. A job of 1,000 items with their files has some 200,000.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a batch.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Events of a batch.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// Bytes of an attribute, such as `source`, and of the id of a row.
pub const ATTRIBUTE_BYTES_MAX: usize = 1_024;
/// Bytes that are kept of what is too long to be an event.
const EXCERPT_BYTES_MAX: usize = 4 * 1024;

/// Which telling an event is. Two events of the same source and id are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub source: String,
    pub id: String,
}

/// One fact, and how it was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `None` for a plain fact, which is known by its content alone.
    pub origin: Option<Origin>,
    /// When the sender says that it was so.
    pub time: Option<Timestamp>,
    /// What the sender calls the row. For people: the row's id is in the fact.
    pub subject: Option<String>,
    pub fact: Fact,
}

/// A sender whose clock is further ahead says nothing by its times.
const CLOCK_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

impl Event {
    /// As of when it says that the row is so: its time, else `at`, when it came. Of two tellings of a row the
    /// later one counts, in whatever order they come, and of two of the same instant the one that comes last.
    #[must_use]
    pub fn told_at(&self, at: Timestamp) -> Timestamp {
        let latest = at.saturating_add(CLOCK_AHEAD_MAX).unwrap_or(Timestamp::MAX);
        self.time.filter(|time| *time <= latest).unwrap_or(at)
    }
}

impl From<Fact> for Event {
    fn from(fact: Fact) -> Self {
        Self { origin: None, time: None, subject: None, fact }
    }
}

/// How an HTTP message carries events, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `application/cloudevents+json`: read with [`parse_structured`].
    Structured,
    /// `application/cloudevents-batch+json`: read with [`parse_batch`].
    Batch,
    /// Anything else: the attributes are in headers, and the body is the data. Read with [`from_binary`].
    Binary,
}

impl Mode {
    /// # Errors
    /// A format of CloudEvents that is not JSON.
    pub fn of(content_type: Option<&str>) -> Result<Self, Unreadable> {
        let said = content_type.unwrap_or_default();
        let media = media_type(said);
        match media.as_str() {
            "application/cloudevents+json" => Ok(Self::Structured),
            "application/cloudevents-batch+json" => Ok(Self::Batch),
            other if other.starts_with("application/cloudevents") => Err(Unreadable::new(
                "content-type",
                format!("events come as JSON, application/cloudevents+json, and not as {}", excerpt(said, 100)),
            )),
            _ => Ok(Self::Binary),
        }
    }
}

/// Why something is no event that can be taken, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Unreadable {
    /// The attribute, or the path into the data: `data.items[0].credits`.
    pub field: String,
    pub why: String,
    /// What came, to be kept; its beginning where it was too long.
    pub raw: String,
}

impl Unreadable {
    fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into(), raw: String::new() }
    }

    /// With what came. Bytes that are no text are kept as the sign for what cannot be shown.
    fn of(mut self, came: &[u8]) -> Self {
        let whole = came.len() <= EVENT_BYTES_MAX;
        let kept = if whole { came } else { came.get(..EXCERPT_BYTES_MAX).unwrap_or(came) };
        self.raw = String::from_utf8_lossy(kept).into_owned();
        self
    }
}

/// `application/json` of `Application/JSON; charset=utf-8`.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The beginning of a text that somebody else wrote, for a message.
fn excerpt(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
