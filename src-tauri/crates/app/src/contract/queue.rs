//! The queue on the wire.

use jiff::Timestamp;
use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::QueueOrder;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What of the queue is wanted; empty lists filter nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct QueueFilter {
    #[ts(type = "CaseState[]")]
    pub states: Vec<CaseState>,
    #[ts(type = "Verdict[]")]
    pub verdicts: Vec<Verdict>,
    #[ts(type = "Remedy[]")]
    pub remedies: Vec<Remedy>,
    pub desks: Vec<String>,
    /// Only cases that the agent at this window has claimed.
    pub mine: bool,
    /// Only cases due by the end of today.
    pub due_today: bool,
    /// Only cases whose file is deleted within 24 hours.
    pub file_at_risk: bool,
    /// Words that subject, customer, ticket, case, run or project must contain.
    pub search: String,
    #[ts(type = "QueueOrder")]
    pub order: QueueOrder,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QueueRequest {
    pub filter: QueueFilter,
    pub offset: u64,
    /// At most 200.
    pub limit: u64,
}

/// Which head a row stands under when the order is `lost_first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QueueSection {
    /// A file that only the provider has will be deleted.
    FileDeletesFirst,
    /// Nothing left to lose at a provider: the business day orders.
    BusinessDayEndsFirst,
    /// Parked or settled.
    Later,
}

/// The five forms of the file deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum FileDeadline {
    /// Runs until then; `share`, in percent, is what is left of the retention (in a case) or of a day (in the queue).
    Running {
        #[ts(type = "string")]
        until: Timestamp,
        share: u8,
    },
    /// Our own copy is in the vault.
    Saved,
    /// Deleted at the provider.
    Gone {
        #[ts(type = "string")]
        at: Timestamp,
    },
    /// No file was made, or none is missing.
    None,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QueueRow {
    pub case_id: String,
    pub ticket_id: String,
    pub section: QueueSection,
    pub subject: String,
    pub customer: String,
    pub desk: String,
    #[ts(type = "CaseState")]
    pub state: CaseState,
    pub assignee: Option<String>,
    #[ts(type = "Verdict | null")]
    pub verdict: Option<Verdict>,
    /// The verdict in a few words: `Upload failed`.
    pub verdict_label: String,
    pub tone: Tone,
    #[ts(type = "Remedy | null")]
    pub remedy: Option<Remedy>,
    /// Credits that the run was charged and that are still billed.
    pub amount: Option<i64>,
    pub model: Option<String>,
    pub file: FileDeadline,
    #[ts(type = "string")]
    pub due_at: Timestamp,
    #[ts(type = "string | null")]
    pub follow_up_at: Option<Timestamp>,
    #[ts(type = "string")]
    pub opened_at: Timestamp,
}

/// Rank of a state: shape and colour follow from it, the word stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Ok,
    Info,
    Warn,
    Bad,
    Neutral,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QueueWindow {
    pub total: u64,
    /// Credits at stake in all rows that fit the filter.
    pub stake: i64,
    pub offset: u64,
    pub rows: Vec<QueueRow>,
    #[ts(type = "string")]
    pub as_of: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    pub word: String,
    pub label: String,
    pub count: u64,
}

/// Numbers beside views and filters, of all cases that are not settled.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QueueCounts {
    pub verdicts: Vec<Count>,
    pub desks: Vec<Count>,
    pub states: Vec<Count>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    pub name: String,
    pub filter: QueueFilter,
}
