//! Reviewing, confirming and asking after an action, on the wire.

use jiff::Timestamp;
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::ActionKind;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::approval::{ApprovalNeed, ApprovalView};
use super::preview::CanvasNode;

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewRequest {
    pub case_id: String,
    #[ts(type = "ActionKind")]
    pub kind: ActionKind,
    /// The answer as the agent edited it; null: as drafted.
    pub answer: Option<String>,
    /// Needed where a late result is released, and for nothing else.
    #[serde(default)]
    #[ts(optional)]
    pub consent: Option<ConsentGiven>,
}

/// The customer's agreement to be charged again for what was refunded (P4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConsentGiven {
    /// Who agreed: a name or an address, at most 200 characters.
    pub by: String,
    /// After the refund, and not in the future.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// In which message: its id at the help desk, or its words, at most 4000 characters.
    pub message: String,
}

/// A dry run: exactly what confirming will do. Nothing has been sent.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewSheet {
    pub case_id: String,
    pub case_revision: i64,
    #[ts(type = "ActionKind")]
    pub kind: ActionKind,
    /// `Recover 1 clip, restore 210 credits`.
    pub title: String,
    /// On the button: verb, object, amount.
    pub confirm_label: String,
    pub files: Vec<ReviewFile>,
    /// The nodes of the matched runs, before and after.
    pub canvas: Vec<CanvasNode>,
    pub postings: Vec<ReviewPosting>,
    pub restored_total: i64,
    pub charged_total: i64,
    /// Everything else that will happen, in order.
    pub effects: Vec<String>,
    pub message: Option<ReviewMessage>,
    pub cannot_be_undone: Vec<String>,
    pub checks: Vec<ReviewCheck>,
    /// Needed before confirming: the act goes against the verdict.
    pub needs_reason: bool,
    /// Over what the agent may do alone: a second person must say yes first. Null: not over.
    pub approval_need: Option<ApprovalNeed>,
    /// The newest request for exactly this money, whatever became of it.
    pub approval: Option<ApprovalView>,
    /// Binds the confirmation to this sheet.
    pub digest: String,
    #[ts(type = "string")]
    pub made_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewFile {
    pub run_id: String,
    pub item: u32,
    pub job_id: String,
    pub bytes: Option<u64>,
    pub sha256_prefix: String,
    pub project_id: String,
    /// `Spring lookbook / Shot 4 nd_2sg2s0`, `generation history`, `held until …`.
    pub place: String,
    #[ts(type = "string | null")]
    pub deadline: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewPosting {
    pub charge_id: String,
    pub run_id: String,
    pub items: Vec<u32>,
    pub balance_id: String,
    #[ts(type = "BalanceKind")]
    pub kind: BalanceKind,
    pub label: String,
    pub amount: i64,
    pub before: i64,
    pub after: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewMessage {
    pub to: String,
    pub locale: String,
    pub text: String,
    pub ready: bool,
    pub leaks: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewCheck {
    pub ok: bool,
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmRequest {
    pub case_id: String,
    #[ts(type = "ActionKind")]
    pub kind: ActionKind,
    pub answer: Option<String>,
    pub case_revision: i64,
    pub digest: String,
    /// `made_at` of the sheet: the plan is made again for that instant, from the facts of now.
    #[ts(type = "string")]
    pub reviewed_at: Timestamp,
    /// Made by the window before the first try; every retry uses the same one.
    pub key: String,
    pub reason: Option<String>,
    /// As it was reviewed.
    #[serde(default)]
    #[ts(optional)]
    pub consent: Option<ConsentGiven>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeState {
    Running,
    Done,
    Refused,
    FailedBeforeEffect,
    Unknown,
    /// Nothing was begun: a second person must say yes first. `approval_need` says why.
    ApprovalNeeded,
}

/// An action as it stands. `done` only after ledger and storage were read back.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActionView {
    pub key: String,
    #[ts(type = "ActionKind")]
    pub kind: ActionKind,
    pub title: String,
    pub state: OutcomeState,
    /// Why it was refused, failed, or is not known.
    pub why: Option<String>,
    /// Trying again can help.
    pub retry: bool,
    pub agent: String,
    #[ts(type = "string")]
    pub at: Timestamp,
    #[ts(type = "string | null")]
    pub finished_at: Option<Timestamp>,
    pub read_back: Vec<ReadBack>,
    /// This answer was given before, to the same key.
    pub repeated: bool,
    /// Set with `approval_needed`.
    pub approval_need: Option<ApprovalNeed>,
}

/// A proof: what the record says after the act, held against what was to be.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "what", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ReadBack {
    File { output_id: String, sha256: String, bytes: u64, matches: bool, place: String },
    Balance { balance_id: String, label: String, before: i64, after: i64, matches: bool },
    Other { text: String, matches: bool },
}

/// Progress of a running action; polled or told by the `changed` event.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActionKeyRequest {
    pub key: String,
}
