//! Webhooks of providers: who sent one, and what it says. What arrives is judged by its bytes before
//! anything of it is read; a delivery is never more than a reason to ask the provider, so nothing that
//! somebody posts to an open address can move credits.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ids::{JobId, ProviderId};

/// A webhook call as it came, before anybody has read it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// As the product's catalogue names it; from the address that was called.
    pub provider: &'a ProviderId,
    /// Which of several addresses of the same provider, each with a secret of its own.
    pub endpoint: Option<&'a str>,
    /// Names in lower case, in the order in which they came. One name can come twice.
    pub headers: &'a [(String, String)],
    /// The bytes, exactly.
    pub body: &'a [u8],
    pub at: Timestamp,
}

/// Whether a delivery comes from whom it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Signed by the provider, whole, and sent within the replay window.
    Proven,
    /// This provider signs nothing: a hint to look, and no evidence.
    Unproven,
    /// Not from the provider, altered on its way, or too old to be no replay.
    Refused { why: String },
    /// The provider's keys could not be had, so nobody can tell. The sender should try again.
    Undecided { why: String },
}

/// What a delivery says, as far as it concerns us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The provider's name for the job; `None` for events that are about no job.
    pub job_id: Option<JobId>,
    /// The same for every repetition of one delivery. Where the provider gives none, a digest of the body.
    pub delivery_id: String,
    /// The provider's own word for what happened: `completed`, `video.generated`.
    pub event: Option<String>,
    /// A word that must be answered with itself before the provider sends anything.
    pub challenge: Option<String>,
}

/// Tells proven deliveries from others, and reads them.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Whether anything is expected at this address at all.
    fn expects(&self, provider: &ProviderId, endpoint: Option<&str>) -> bool;

    /// Judges the raw bytes. Reads nothing of the body.
    async fn verify(&self, arrival: &Arrival<'_>) -> Proof;

    /// Reads what was judged before. What cannot be read is a delivery about no job; it is kept as it came.
    fn read(&self, arrival: &Arrival<'_>) -> Notice;
}
