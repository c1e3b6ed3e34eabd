//! Webhooks of providers: who sent one, and what it says. What arrives is judged by its bytes before
//! anything of it is read; a delivery is never more than a reason to ask the provider, so nothing that
//! somebody posts to an open address can move credits.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::ids::{JobId, ProviderId, RunId, WebhookId};

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
    /// The caller's own name for it, where the provider tells one and it is another: the platform may know the job
    /// by either.
    pub own_id: Option<JobId>,
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

    /// Why a delivery will be refused whatever its body is, by its headers: one that the signature needs is missing,
    /// comes twice, is malformed, or is too old. So nobody waits for a body that proves nothing. The arrival's body is
    /// not looked at.
    fn refuses_head(&self, arrival: &Arrival<'_>) -> Option<String>;

    /// Judges the raw bytes. Reads nothing of the body.
    async fn verify(&self, arrival: &Arrival<'_>) -> Proof;

    /// Reads what was judged before. What cannot be read is a delivery about no job; it is kept as it came.
    fn read(&self, arrival: &Arrival<'_>) -> Notice;
}

/// A delivery to keep, judged and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    pub provider_id: ProviderId,
    pub endpoint: Option<String>,
    pub delivery_id: String,
    pub job_id: Option<JobId>,
    pub event: Option<String>,
    /// Only what is proven is evidence; the rest is a hint to look.
    pub proven: bool,
    /// Those that the proof rests on, for who must show it again later.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub received_at: Timestamp,
}

/// A delivery as it is kept, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryLine {
    pub provider_id: ProviderId,
    pub endpoint: Option<String>,
    pub delivery_id: String,
    pub job_id: Option<JobId>,
    /// Of our own table of jobs, never of the body. `None` while no such job is known.
    pub run_id: Option<RunId>,
    pub event: Option<String>,
    pub proven: bool,
    pub bytes: u64,
    pub received_at: Timestamp,
}

/// How long the bytes of a delivery are kept. Senders try for three days at the most, and accept no signature that
/// is older than five minutes: after a month they can only be asked for as evidence.
pub const BODIES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long it is remembered which deliveries came and which events were taken, so that the same one again has no
/// effect. Nobody sends one so late; an old event can't undo a newer one even then.
pub const NAMES_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What was let go of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Deliveries of which only the bytes went.
    pub bodies: u64,
    pub deliveries: u64,
    pub events: u64,
    /// Others are as old: the next call goes on with them.
    pub more: bool,
}

/// What providers sent, kept as it came, and led to the run that it is about.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Keeps deliveries in one unit of work and tells, one by one, which were not known before. A delivery
    /// that is known has no effect, whatever its body says now. One whose job is known makes the run due at
    /// once, if it is on the list; if it is proven, it becomes a webhook fact of the run too. One whose job
    /// is not known waits, and is led to the run when the job is.
    async fn keep_deliveries(&self, deliveries: &[NewDelivery], at: Timestamp) -> StoreResult<Vec<bool>>;

    /// Leads deliveries that wait to jobs that became known at the same moment, and says how many. Looks at
    /// those received since `since`, up to 10,000.
    async fn match_deliveries(&self, since: Timestamp, at: Timestamp) -> StoreResult<u64>;

    /// Newest first.
    async fn deliveries(&self, limit: u64) -> StoreResult<Vec<DeliveryLine>>;

    /// Lets go of what is older than it is kept: the bytes of deliveries after [`BODIES_KEPT`], deliveries and the
    /// names of events after [`NAMES_KEPT`]. Of each the oldest, `limit` of them and what came in the same instant.
    /// A delivery that led to a run with which a case is concerned is evidence, and stays whole.
    async fn prune(&self, limit: u32, at: Timestamp) -> StoreResult<Pruned>;

    /// The bytes as they came; `None` for a delivery that is not kept, or of which they are not.
    async fn delivery_body(&self, provider: &ProviderId, delivery_id: &str) -> StoreResult<Option<Vec<u8>>>;
}

/// The id under which a delivery is a webhook fact of its run.
#[must_use]
pub fn webhook_id(provider: &ProviderId, delivery_id: &str) -> WebhookId {
    WebhookId(format!("delivery/{provider}/{delivery_id}"))
}
