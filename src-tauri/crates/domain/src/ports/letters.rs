//! What Makegood did, told to the platform: letters of the outbox to endpoints, at least once, each with
//! the same id however often it is sent.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::StoreResult;

/// A post that has not ended after this was not taken.
pub const POST_LIMIT: SignedDuration = SignedDuration::from_secs(15);

/// An endpoint that takes nothing for this long is not tried any more.
pub const ENDURED: SignedDuration = SignedDuration::from_hours(5 * 24);

/// A letter on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The same for every try and every endpoint.
    pub id: String,
    pub at: Timestamp,
    /// One of [`OUTGOING`](crate::events::OUTGOING).
    pub kind: String,
    /// The effect, its receipt and who did it, as JSON.
    pub payload: String,
    /// Tries before this one that ended.
    pub tries: u32,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterEnd {
    /// The endpoint answered 2xx.
    Sent,
    /// It did not, and is tried again then.
    Again { at: Timestamp, why: String },
    /// This letter was tried often enough.
    GivenUp { why: String },
    /// The endpoint says that it is no more (410): nothing is sent to it any longer.
    Gone { why: String },
}

/// How an endpoint does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointState {
    pub name: String,
    /// Letters that have been tried and not taken.
    pub waiting: u64,
    pub given_up: u64,
    /// Since when every try failed.
    pub failing_since: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    /// What the last failed try said.
    pub why: Option<String>,
}

/// The outbox, as far as the platform is told of it.
#[async_trait]
pub trait LetterStore: Send + Sync {
    /// Claims up to `limit` letters for an endpoint until `at + lease`, the earliest first: those that it was
    /// never sent and those whose next try is due. None for an endpoint that is disabled. A claim is no try yet.
    async fn claim_letters(
        &self,
        endpoint: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<Letter>>;

    /// Ends a try, which counts from now on. Among `all` endpoints that are told, a letter is sent when none waits for it any more.
    /// Whether the endpoint was disabled by this: it is gone, or took nothing for [`ENDURED`].
    async fn end_letter(
        &self,
        endpoint: &str,
        id: &str,
        end: &LetterEnd,
        all: &[String],
        at: Timestamp,
    ) -> StoreResult<bool>;

    /// Tries a disabled endpoint again, from the first letter that it did not take; whether it is known.
    async fn enable_endpoint(&self, endpoint: &str, at: Timestamp) -> StoreResult<bool>;

    /// By name.
    async fn endpoints(&self) -> StoreResult<Vec<EndpointState>>;
}

/// How an endpoint took a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It answered 2xx.
    Taken,
    /// It answered 410: it is no more.
    Gone,
    /// It answered something else, or nothing. `wait`: what it asked for.
    NotTaken { why: String, wait: Option<SignedDuration> },
}

/// Carries letters to the endpoints that an operator has set up, signed.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Their names.
    fn endpoints(&self) -> Vec<String>;

    /// Posts a body under the letter's id, and waits for [`POST_LIMIT`] at the most. `at` is the time of this try, which is signed too.
    async fn post(&self, endpoint: &str, id: &str, body: &str, at: Timestamp) -> Posted;
}
