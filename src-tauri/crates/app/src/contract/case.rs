//! One case on the wire: everything that the case screen shows, ready to be drawn.

use jiff::Timestamp;
use makegood_domain::diagnose::{Flag, ItemActionKind, Remedy, Verdict};
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::{ActionKind, CaseState};
use makegood_domain::ports::DraftKind;
use makegood_domain::support::MessageKind;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::action::ActionView;
use super::approval::ApprovalView;
use super::preview::CanvasNode;
use super::queue::{FileDeadline, Tone};

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CaseDetail {
    pub head: CaseHead,
    pub verdict: Option<VerdictView>,
    pub claim_rows: Vec<ClaimRow>,
    pub timeline: Timeline,
    pub usage: UsageView,
    /// The nodes that the matched runs were to fill, as they are now.
    pub canvas: Vec<CanvasNode>,
    pub history: Vec<HistoryRow>,
    pub jobs: Vec<JobView>,
    pub conversation: Vec<MessageView>,
    pub shots: Vec<Shot>,
    pub match_view: MatchView,
    pub offers: Vec<Offer>,
    /// Newest first; the first one decides what the case bar shows.
    pub actions: Vec<ActionView>,
    /// The newest request for a second person's yes, and until when it can be used.
    pub approval: Option<ApprovalView>,
    pub answer: AnswerView,
    pub drafts: Vec<DraftView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CaseHead {
    pub case_id: String,
    pub ticket_id: String,
    pub subject: String,
    pub desk: String,
    #[ts(type = "CaseState")]
    pub state: CaseState,
    /// Sent back with every act: an older one is refused.
    pub revision: i64,
    pub assignee: Option<String>,
    pub customer: String,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    /// The customer's wall clock now: `New York 11:20`.
    pub local_time: Option<String>,
    #[ts(type = "string")]
    pub created_at: Timestamp,
    #[ts(type = "string")]
    pub due_at: Timestamp,
    #[ts(type = "string | null")]
    pub follow_up_at: Option<Timestamp>,
    pub balances: Vec<BalanceView>,
    /// When the facts below were read from the record.
    #[ts(type = "string")]
    pub as_of: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BalanceView {
    pub balance_id: String,
    #[ts(type = "BalanceKind")]
    pub kind: BalanceKind,
    pub label: String,
    pub current: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerdictView {
    #[ts(type = "Verdict")]
    pub verdict: Verdict,
    pub label: String,
    pub tone: Tone,
    #[ts(type = "Remedy")]
    pub remedy: Remedy,
    pub remedy_label: String,
    /// The chain in a few words: `charged 320`, `finished 18:12:14`, `3 uploads failed`.
    pub chain: Vec<String>,
    pub reasons: Vec<ReasonView>,
    pub would_change: Vec<String>,
    #[ts(type = "Flag[]")]
    pub flags: Vec<Flag>,
    pub item_actions: Vec<ItemActionView>,
    pub credits_to_restore: i64,
    pub run_billable_after: Option<i64>,
    pub file: FileDeadline,
    #[ts(type = "string | null")]
    pub follow_up_at: Option<Timestamp>,
    #[ts(type = "string")]
    pub found_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ItemActionView {
    pub run_id: String,
    pub item: u32,
    #[ts(type = "ItemActionKind")]
    pub action: ItemActionKind,
    pub credits: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReasonView {
    /// The rule of the policy: `P3`.
    pub rule: String,
    pub text: String,
    pub facts: Vec<FactView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FactView {
    pub source: String,
    pub id: String,
    #[ts(type = "string | null")]
    pub at: Option<Timestamp>,
    pub says: String,
}

/// Whether what was claimed and what was found agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    Agrees,
    Contradicts,
    /// Near, or cannot be told.
    Unsure,
    /// The customer did not say.
    NotSaid,
}

/// One line of claim against finding.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRow {
    /// `project`, `time`, `model`, `amount`, `refund`, `provider`, `output`.
    pub field: String,
    /// In the customer's words; empty if not said.
    pub said: String,
    pub agreement: Agreement,
    /// Id of the row that answers, for copying.
    pub id: String,
    pub found: String,
    /// Beside the finding, muted.
    pub remark: String,
    #[ts(type = "string")]
    pub as_of: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// Named holes: `finished, never stored`.
    pub gaps: Vec<Gap>,
    #[ts(type = "string")]
    pub now: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// `ticket`, `charge`, `provider`, `webhook`, `storage`, `refund`.
    pub name: String,
    pub label: String,
    /// Shown when there are no events: `none posted`.
    pub empty: String,
    pub events: Vec<TimelineEvent>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEvent {
    #[ts(type = "string")]
    pub at: Timestamp,
    /// For spans: provider computing, file kept.
    #[ts(type = "string | null")]
    pub until: Option<Timestamp>,
    pub label: String,
    pub tone: Tone,
    pub id: String,
    pub detail: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    #[ts(type = "string")]
    pub from: Timestamp,
    #[ts(type = "string")]
    pub until: Timestamp,
    pub label: String,
}

/// The Billing usage rows of the matched runs.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    pub account_id: Option<String>,
    pub rows: Vec<UsageRow>,
    /// Charges minus refunds of the matched runs.
    pub billable: Option<i64>,
    #[ts(type = "string")]
    pub as_of: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    Deduction,
    Detection,
    Refund,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageRow {
    pub kind: UsageKind,
    pub id: String,
    pub run_id: String,
    #[ts(type = "string | null")]
    pub at: Option<Timestamp>,
    /// Signed: deductions below 0, refunds above.
    pub credits: i64,
    /// `70 quota + 140 wallet`, `file can be recovered`, `not due`.
    pub text: String,
    pub parts: Vec<UsagePart>,
    pub tone: Tone,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsagePart {
    pub balance_id: String,
    pub label: String,
    pub credits: i64,
}

/// An item in the generation history of the project, around the matched run.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    pub run_id: String,
    pub item: u32,
    pub model: String,
    pub node: String,
    pub project: String,
    #[ts(type = "string")]
    pub started_at: Timestamp,
    pub credits: i64,
    pub state: String,
    pub tone: Tone,
    /// `Spring lookbook / Shot 4`, `history only`, `nowhere`.
    pub place: String,
    pub output_id: Option<String>,
    pub matched: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    pub job_id: String,
    pub run_id: String,
    pub provider_id: String,
    pub provider_name: String,
    pub state: String,
    pub tone: Tone,
    pub error: Option<String>,
    #[ts(type = "string")]
    pub submitted_at: Timestamp,
    #[ts(type = "string | null")]
    pub finished_at: Option<Timestamp>,
    /// When the provider was last asked; null: only the platform's feed is known.
    #[ts(type = "string | null")]
    pub looked_up_at: Option<Timestamp>,
    pub items: Vec<JobItemView>,
    /// A look-up can be made from here.
    pub can_look_up: bool,
    /// Ids of stored raw answers, newest first.
    pub answers: Vec<AnswerRef>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRef {
    pub id: String,
    pub url: String,
    pub status: u16,
    #[ts(type = "string")]
    pub fetched_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobItemView {
    pub item: u32,
    pub state: String,
    pub tone: Tone,
    pub bytes: Option<u64>,
    pub sha256_prefix: String,
    pub exists_now: Option<bool>,
    #[ts(type = "string | null")]
    pub deadline: Option<Timestamp>,
    /// `documented 48 h`, `assumed 7 days`.
    pub retention: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    pub id: String,
    #[ts(type = "MessageKind")]
    pub kind: MessageKind,
    pub author: String,
    #[ts(type = "string")]
    pub at: Timestamp,
    pub text: String,
}

/// A screenshot of the ticket, what was read in it, and the row it proves.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Shot {
    pub attachment_id: Option<String>,
    pub name: String,
    pub media_type: String,
    /// The text in it, as read.
    pub text: String,
    pub reads: Vec<ShotRead>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ShotRead {
    /// `project`, `time`, `model`, `amount`.
    pub field: String,
    pub value: String,
    pub agreement: Agreement,
    /// The row it is held against.
    pub against: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MatchView {
    pub explanation: String,
    pub matched: Vec<String>,
    pub candidates: Vec<CandidateView>,
    /// The agent who chose, if one did.
    pub chosen_by: Option<String>,
    pub chosen_reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CandidateView {
    pub run_id: String,
    pub matched: bool,
    pub troubled: bool,
    pub project: String,
    pub node: String,
    pub model: String,
    #[ts(type = "string")]
    pub started_at: Timestamp,
    pub credits: i64,
    pub reasons_for: Vec<String>,
    pub reasons_against: Vec<String>,
}

/// Something that can be done, or why it can't.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    #[ts(type = "ActionKind")]
    pub kind: ActionKind,
    /// Verb, object, amount: `Restore 320 credits`.
    pub label: String,
    pub primary: bool,
    pub allowed: bool,
    /// It goes against the verdict: the sheet asks why (R53).
    pub needs_reason: bool,
    pub why_not: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AnswerView {
    pub text: String,
    pub locale: String,
    pub ready: bool,
    /// What keeps it from being sent.
    pub leaks: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DraftView {
    #[ts(type = "DraftKind")]
    pub kind: DraftKind,
    pub text: String,
    pub author: String,
    pub revision: i64,
    #[ts(type = "string")]
    pub saved_at: Timestamp,
}
