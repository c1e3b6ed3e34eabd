//! What the reconciler needs of a record: the runs to look at, what it found, what it did.
//!
//! The list of due runs holds what is open or changed, never history: a logical run is on it while
//! an item of it is charged and not settled, or while rows of it contradict each other.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Applied, StoreResult};
use crate::ids::{ActionKey, ChargeId, OutputId, RunId};
use crate::money::Credits;
use crate::plan::Effect;
use crate::scope::Scope;
use crate::words::words;

/// A logical run to look at, claimed by one reconciler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueRun {
    /// The first run of the logical run (P2).
    pub root: RunId,
    /// Posting of its first charge that has an open item: where the 24 hours start (P3). `None`
    /// where nothing is open and rows contradict each other.
    pub charged_at: Option<Timestamp>,
    /// How often it was looked at before.
    pub tries: u32,
}

/// How a look at a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum NextLook {
    /// Still open: look again then.
    At { at: Timestamp },
    /// Nothing more for a reconciler to do; `why` is for people. A change of the run brings it back.
    Parked { why: String },
    /// Settled, and its rows agree.
    Done,
}

words! {
    /// What a reconciler notices, apart from what it does about it (R16).
    DetectionKind {
        /// Charged, and no intact output (R12). The cause is a verdict's word.
        Orphan = "orphan",
        /// An output lies in a project of another account (P11).
        Misplaced = "misplaced",
        /// A stored file is damaged.
        Damaged = "damaged",
        /// A logical run was charged more than once.
        DuplicateCharge = "duplicate_charge",
        /// Rows that cannot be true together: delivered and refunded, a refund to a balance that
        /// did not give, a status against its postings.
        Contradiction = "contradiction",
    }
}

/// Something noticed, once: the first time counts. Identified by kind, subject and item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    pub kind: DetectionKind,
    /// A charge id for orphans and duplicates, an output id for misplaced and damaged files, the
    /// row's id for contradictions.
    pub subject: String,
    /// 0 where it concerns no single item.
    pub item: u32,
    pub run_id: RunId,
    pub charge_id: Option<ChargeId>,
    pub output_id: Option<OutputId>,
    /// Word of the cause: a verdict, or what contradicts what.
    pub cause: String,
    pub detail: String,
    pub detected_at: Timestamp,
    /// Set when the item was settled, or the rows agree again.
    pub closed_at: Option<Timestamp>,
}

/// What one pass did about one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderLine {
    pub provider: String,
    pub asked: u64,
    pub unanswered: u64,
    pub transferred: u64,
    pub restored: u64,
}

/// What a pass of the reconciler saw and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassReport {
    /// Given by the caller; one pass, one id.
    pub id: String,
    /// Who ran it: a host and process, for people.
    pub worker: String,
    pub started_at: Timestamp,
    /// `None` while it runs, and for ever where the program was stopped in the middle.
    pub finished_at: Option<Timestamp>,
    /// Logical runs looked at.
    pub looked_at: u64,
    /// Items whose file was transferred.
    pub transferred: u64,
    /// Items whose credits were restored, and how many credits.
    pub restored: u64,
    pub credits: Credits,
    /// Runs that wait for their provider or for the end of their window.
    pub waiting: u64,
    /// Runs whose state could not be found out.
    pub unknown: u64,
    /// Runs that are for people to settle.
    pub parked: u64,
    /// Detections that are new in this pass.
    pub detected: u64,
    pub incidents: u64,
    /// Posting of the oldest charge that is still open after the pass.
    pub oldest_open: Option<Timestamp>,
    pub by_provider: Vec<ProviderLine>,
    /// What kept the pass from looking at something, in plain words.
    pub problems: Vec<String>,
}

/// How well the 24-hour promise is kept (R11, R15).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseHealth {
    /// Charges with an open item, credits that are open, and the posting of the oldest.
    pub open_charges: u64,
    pub open_credits: Credits,
    pub oldest_open: Option<Timestamp>,
    /// Of those, for people to settle.
    pub parked: u64,
    /// Seconds from charge to refund, over refunds posted in the 7 days before: median, 90th
    /// percentile and worst. `None` without refunds.
    pub refund_seconds_p50: Option<i64>,
    pub refund_seconds_p90: Option<i64>,
    pub refund_seconds_worst: Option<i64>,
    /// Start and end of the last finished pass.
    pub last_pass: Option<(Timestamp, Timestamp)>,
}

/// What the list of due runs lacks or has too much, compared with all charges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullScan {
    pub charges: u64,
    pub open_charges: u64,
    /// Charges with an open item whose run is not on the list. Must be empty.
    pub missed: Vec<ChargeId>,
    /// Runs on the list with nothing open and nothing contradictory. Must be empty.
    pub superfluous: Vec<RunId>,
}

/// The reconciler's side of the record.
#[async_trait]
pub trait ReconcileStore: Send + Sync {
    /// Claims up to `limit` due runs for `worker` until `at + lease`: those whose next look is not
    /// after `at`, the earliest first, then by id. A run claimed by another worker is left out until
    /// that claim is over, so that several reconcilers share the work and a crashed one is
    /// continued by the next.
    async fn claim_due(
        &self,
        worker: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<DueRun>>;
    /// When the next look at any run is due that nobody has claimed at `at`: a sign to begin a pass, and
    /// nothing more. `None` where nothing waits for a look.
    async fn next_due(&self, at: Timestamp) -> StoreResult<Option<Timestamp>>;
    /// All facts of a logical run and of the account that was charged, as a scope whose requester is
    /// the owner of that account. `None` for an unknown run.
    async fn scope_of_run(&self, root: &RunId, as_of: Timestamp) -> StoreResult<Option<Scope>>;
    /// Ends the claim of `worker` with what comes next. Without effect where the claim is somebody
    /// else's by now; `Done` keeps a run on the list that is open all the same.
    async fn end_look(&self, root: &RunId, worker: &str, next: &NextLook, at: Timestamp) -> StoreResult<()>;
    /// Does one effect on behalf of the reconciler, with its journal, audit and outbox rows, in one
    /// transaction. The same (key, part) answers with the receipt it has, for ever. Only effects on
    /// items, outputs, incidents and upstream jobs; a restoration only of what is not settled.
    async fn settle(&self, key: &ActionKey, part: u32, effect: &Effect, at: Timestamp) -> StoreResult<Applied>;
    /// Keeps what was noticed; whether it is new. The first time of the same counts.
    async fn detect(&self, detection: &Detection) -> StoreResult<bool>;
    /// Newest first.
    async fn detections(&self, open_only: bool, limit: u64) -> StoreResult<Vec<Detection>>;
    /// What was ever noticed about these charges and their items, open or not, the first one first.
    async fn detections_of(&self, charges: &[ChargeId]) -> StoreResult<Vec<Detection>>;
    /// Closes those of a run that `still` no longer holds.
    async fn close_detections(&self, root: &RunId, still: &[Detection], at: Timestamp) -> StoreResult<u64>;
    /// Writes the report of a pass: at its start, and again at its end.
    async fn save_pass(&self, report: &PassReport) -> StoreResult<()>;
    /// Newest first.
    async fn passes(&self, limit: u64) -> StoreResult<Vec<PassReport>>;
    async fn promise(&self, at: Timestamp) -> StoreResult<PromiseHealth>;
    /// Compares the list with every charge there is: slow, bounded in memory.
    async fn full_scan(&self) -> StoreResult<FullScan>;
}
