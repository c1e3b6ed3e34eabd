//! The reconciler on the wire: whether the 24-hour promise is kept, and what the passes did.

use jiff::Timestamp;
use makegood_domain::ports::DetectionKind;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The reconciler's screen, of one instant.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReconcilerView {
    #[ts(type = "string")]
    pub now: Timestamp,
    pub schedule: ScheduleView,
    pub promise: PromiseView,
    /// The pass that runs now, wherever it runs.
    pub running: Option<PassView>,
    /// Newest first, finished or not.
    pub passes: Vec<PassView>,
    /// What was noticed and is not settled, newest first.
    pub detections: Vec<DetectionView>,
}

/// When the reconciler runs, and whether it is late (R11).
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
    /// Minutes between two passes that this program starts by itself; null: it starts none.
    pub every_minutes: Option<i64>,
    /// Why this program starts none, for people; null where it does.
    pub off_because: Option<String>,
    /// The policy's cadence in minutes: a last pass older than this is overdue.
    pub cadence_minutes: i64,
    #[ts(type = "string | null")]
    pub last_started_at: Option<Timestamp>,
    #[ts(type = "string | null")]
    pub last_finished_at: Option<Timestamp>,
    /// Nobody has finished a pass within the cadence.
    pub overdue: bool,
    #[ts(type = "string | null")]
    pub overdue_since: Option<Timestamp>,
}

/// How well the promise is kept (R1, R15).
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PromiseView {
    /// The policy's window, in hours from the posting of a charge.
    pub window_hours: i64,
    pub open_charges: u64,
    pub open_credits: i64,
    /// Of the open charges, those that are for people to settle.
    pub parked: u64,
    #[ts(type = "string | null")]
    pub oldest_open: Option<Timestamp>,
    /// Until when the oldest open charge was promised to be settled.
    #[ts(type = "string | null")]
    pub oldest_due_at: Option<Timestamp>,
    /// The oldest open charge is past its window.
    pub broken: bool,
    /// From charge to refund, of refunds in the last 7 days, in seconds; null without refunds.
    pub refund_seconds_p50: Option<i64>,
    pub refund_seconds_p90: Option<i64>,
    pub refund_seconds_worst: Option<i64>,
    /// The worst of them was over the window.
    pub worst_broken: bool,
}

/// One pass of the reconciler.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PassView {
    pub id: String,
    /// Who ran it: a program, host and process.
    pub worker: String,
    #[ts(type = "string")]
    pub started_at: Timestamp,
    /// Null while it runs, and for ever where the program was stopped in the middle.
    #[ts(type = "string | null")]
    pub finished_at: Option<Timestamp>,
    pub looked_at: u64,
    pub transferred: u64,
    pub restored: u64,
    pub credits: i64,
    pub waiting: u64,
    pub unknown: u64,
    pub parked: u64,
    pub detected: u64,
    pub incidents: u64,
    #[ts(type = "string | null")]
    pub oldest_open: Option<Timestamp>,
    pub by_provider: Vec<PassProvider>,
    pub problems: Vec<String>,
}

/// What a pass did about one provider.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PassProvider {
    pub provider: String,
    pub asked: u64,
    pub unanswered: u64,
    pub transferred: u64,
    pub restored: u64,
}

/// Something that the reconciler noticed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DetectionView {
    #[ts(type = "DetectionKind")]
    pub kind: DetectionKind,
    /// The kind in a few words: `No output`.
    pub label: String,
    /// Id of the charge, output or row that it is about.
    pub subject: String,
    /// 0 where it concerns no single item.
    pub item: u32,
    pub run_id: String,
    pub charge_id: Option<String>,
    pub output_id: Option<String>,
    pub cause: String,
    /// The cause in a few words: `Upload failed`.
    pub cause_label: String,
    pub detail: String,
    #[ts(type = "string")]
    pub detected_at: Timestamp,
    #[ts(type = "string | null")]
    pub closed_at: Option<Timestamp>,
}

/// Starts a pass now.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileRequest {
    /// Id of the pass, made by the window before the first try: asked again, the same pass is told.
    pub id: String,
}
