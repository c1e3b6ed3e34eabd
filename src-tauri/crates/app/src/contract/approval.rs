//! The second person on the wire: what an agent may do alone, and what somebody else said (R53).

use jiff::Timestamp;
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{ApprovalState, Role};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::ConsentGiven;

/// Who is at the window, and whether the record holds that person to it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IdentityView {
    pub id: String,
    pub name: String,
    #[ts(type = "Role[]")]
    pub roles: Vec<Role>,
    /// Credits in one posting, and in one UTC day, without a second person.
    pub per_posting: i64,
    pub per_day: i64,
    pub restored_today: i64,
    /// The database itself knows the login and refuses what it may not do. False: it can only be
    /// recorded who acted, and the window says so.
    pub enforced: bool,
}

/// Why an act needs a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalNeed {
    /// Credits that the act restores, or charges again.
    pub amount: i64,
    pub per_posting: i64,
    pub per_day: i64,
    pub restored_today: i64,
    /// Over which limit, or why an approval that is there does not do.
    pub why: String,
}

/// A request for a second person's yes, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    pub id: String,
    pub case_id: String,
    /// Subject of the case's ticket.
    pub subject: String,
    #[ts(type = "ApprovalState")]
    pub state: ApprovalState,
    pub amount: i64,
    pub reason: String,
    pub postings: Vec<ApprovalPosting>,
    /// Refunds that would be taken back for late results.
    pub releases: Vec<ApprovalRelease>,
    /// Sent back with a decision: what was looked at is what is decided.
    pub digest: String,
    pub asked_by: String,
    #[ts(type = "string")]
    pub asked_at: Timestamp,
    pub decided_by: Option<String>,
    #[ts(type = "string | null")]
    pub decided_at: Option<Timestamp>,
    pub note: Option<String>,
    /// Until when it can be decided, or a yes can be used.
    #[ts(type = "string | null")]
    pub expires_at: Option<Timestamp>,
    /// Key of the action that used it.
    pub used_by: Option<String>,
    /// The person at this window asked.
    pub mine: bool,
    /// The person at this window may decide it: an approver, and not who asked.
    pub can_decide: bool,
}

/// One line of what would be restored.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalPosting {
    pub charge_id: String,
    pub run_id: String,
    pub account_id: String,
    pub items: Vec<u32>,
    pub balance_id: String,
    #[ts(type = "BalanceKind")]
    pub kind: BalanceKind,
    pub label: String,
    pub amount: i64,
}

/// A release of late results as it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRelease {
    pub run_id: String,
    pub items: Vec<u32>,
    pub refund_ids: Vec<String>,
    /// What the customer is charged again.
    pub amount: i64,
    pub consent: ConsentGiven,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalsRequest {
    /// Only what waits or can still be used.
    pub open_only: bool,
    /// At most 200.
    pub limit: u64,
}

/// A person the record knows.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    pub id: String,
    pub name: String,
    #[ts(type = "Role[]")]
    pub roles: Vec<Role>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalsView {
    pub me: IdentityView,
    /// Everybody the record knows, by id: for names, and for who can decide.
    pub people: Vec<PersonView>,
    /// Newest first.
    pub rows: Vec<ApprovalView>,
    #[ts(type = "string")]
    pub now: Timestamp,
}

/// Asks a second person for what a review sheet shows.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AskApprovalRequest {
    /// Made by the window before the first try; every retry uses the same one.
    pub id: String,
    pub case_id: String,
    #[ts(type = "ActionKind")]
    pub kind: ActionKind,
    pub answer: Option<String>,
    pub case_revision: i64,
    /// `digest` and `made_at` of the sheet.
    pub digest: String,
    #[ts(type = "string")]
    pub reviewed_at: Timestamp,
    /// Why it should be restored, or charged again; the action must name the same reason.
    pub reason: String,
    /// As the sheet of a release was made with it.
    #[serde(default)]
    #[ts(optional)]
    pub consent: Option<ConsentGiven>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    Approve,
    Decline,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DecideApprovalRequest {
    pub id: String,
    pub digest: String,
    pub say: Say,
    pub note: Option<String>,
    /// Who decides, where the record cannot know who is at the window; null: who is connected.
    pub by: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawApprovalRequest {
    pub id: String,
    pub digest: String,
}
