//! The smaller requests and answers.

use jiff::Timestamp;
use makegood_domain::ports::DraftKind;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::approval::IdentityView;
use super::case::DraftView;
use super::queue::SavedView;

/// No argument.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Nothing {}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    pub version: String,
    pub workspace: String,
    /// Banner of the workspace, if it has one.
    pub banner: Option<String>,
    pub agent: AgentView,
    pub identity: IdentityView,
    pub policy: PolicyView,
    pub store: StoreView,
    #[ts(type = "string")]
    pub now: Timestamp,
    /// When this program was started: what was begun before it and is under way now was resumed.
    #[ts(type = "string")]
    pub started_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AgentView {
    pub id: String,
    pub name: String,
    /// Credits that this agent may restore in one posting.
    pub limit: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    pub version: String,
    pub numbers: Vec<PolicyNumber>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyNumber {
    pub name: String,
    pub value: String,
    pub unit: String,
    pub rule: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StoreView {
    pub backend: String,
    pub version: String,
    pub schema: i64,
    pub location: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CaseRequest {
    pub case_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RawAnswerRequest {
    pub job_id: String,
    pub answer_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RawAnswerView {
    pub url: String,
    pub status: u16,
    pub body: String,
    #[ts(type = "string")]
    pub fetched_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChooseRunsRequest {
    pub case_id: String,
    pub case_revision: i64,
    pub run_ids: Vec<String>,
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClaimCaseRequest {
    pub case_id: String,
    /// False gives the case back.
    pub claim: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LookUpResult {
    pub asked: u32,
    pub changed: bool,
    /// What could not be asked, in plain words.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SaveDraftRequest {
    pub case_id: String,
    #[ts(type = "DraftKind")]
    pub kind: DraftKind,
    pub text: String,
    /// The revision that the text was based on; 0 for a new draft.
    pub base_revision: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SaveDraftResult {
    Saved {
        revision: i64,
        #[ts(type = "string")]
        saved_at: Timestamp,
    },
    Conflict {
        theirs: DraftView,
    },
}

/// A fresh escalation note for a case, from its facts.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NoteTemplate {
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedViews {
    pub views: Vec<SavedView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewNameRequest {
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditRequest {
    /// Id of a case, charge, run, output; null: all.
    pub subject: Option<String>,
    pub limit: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    pub lines: Vec<AuditRow>,
    /// The first line at which the chain of hashes breaks; null: whole.
    pub broken: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditRow {
    pub seq: i64,
    #[ts(type = "string")]
    pub at: Timestamp,
    pub actor: String,
    pub act: String,
    pub subject: String,
    pub detail: String,
    pub hash: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OutboxView {
    pub rows: Vec<OutboxRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OutboxRow {
    pub id: String,
    #[ts(type = "string")]
    pub at: Timestamp,
    pub kind: String,
    pub case_id: Option<String>,
    pub summary: String,
    pub state: String,
}
