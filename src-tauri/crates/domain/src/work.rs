//! What the product did for a customer: catalogue, canvas, runs, and what became of each item.
//!
//! Field names are those of the feed (`feed`), so that a row reads the same on the wire, in a
//! labelled case and here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{
    AccountId, JobId, ModelId, NodeId, OutputId, ProjectId, ProviderId, RunId, UserId, WebhookId, WorkspaceId,
};

/// How a provider's retention is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RetentionSource {
    Documented,
    Contract,
    Unknown,
}

/// A provider as the product's catalogue knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Provider {
    pub id: ProviderId,
    /// Hours that a finished file is kept; `None` where nobody says (P7: 7 days are assumed).
    pub retention_hours: Option<i64>,
    pub retention_source: RetentionSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Media {
    Video,
    Image,
    Lipsync,
    Audio,
}

/// Whether a model answers with the result or with a job id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnswerMode {
    Sync,
    Async,
}

/// A model of the catalogue, with the names that customers use for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Model {
    pub id: ModelId,
    pub display_name: String,
    pub family: String,
    pub aliases: Vec<String>,
    pub provider_id: ProviderId,
    pub media: Media,
    pub mode: AnswerMode,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub timezone: Option<String>,
    pub locale: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    Owner,
    Admin,
    Member,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    Active,
    Left,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Member {
    pub user_id: UserId,
    pub role: MemberRole,
    pub status: MemberStatus,
    pub left_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    pub account_id: AccountId,
    pub members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Active,
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    pub account_id: AccountId,
    pub workspace_id: Option<WorkspaceId>,
    pub status: Presence,
    pub deleted_at: Option<Timestamp>,
}

/// A box on the canvas. Which outputs it shows follows from the outputs, not from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Node {
    pub id: NodeId,
    pub project_id: ProjectId,
    pub label: String,
    pub status: Presence,
    pub deleted_at: Option<Timestamp>,
}

/// The product's own word for a run's state. Shown, never believed (P4: it settles nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Running,
    AwaitingResult,
    PostProcessingFailed,
    Succeeded,
    Cancelled,
    Refunded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RetryInitiator {
    System,
    Customer,
}

/// More items than any product sells in one run. What says more is refused where it is told, and where a row says
/// so all the same, no more than these are followed: a number in a row is no reason to fill the memory.
pub const RUN_ITEMS_MAX: u32 = 1_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    pub id: RunId,
    pub project_id: ProjectId,
    pub node_id: NodeId,
    pub started_by: UserId,
    pub model_id: ModelId,
    pub started_at: Timestamp,
    /// Items asked for, numbered from 1.
    #[cfg_attr(test, schemars(range(max = RUN_ITEMS_MAX)))]
    pub requested_items: u32,
    pub status: RunStatus,
    pub cancelled_at: Option<Timestamp>,
    pub retry_of: Option<RunId>,
    pub retry_initiator: Option<RetryInitiator>,
    /// Resolution, seconds and the like, for showing.
    #[serde(default)]
    pub params: serde_json::Value,
}

/// What a look-up of a job answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Processing,
    Succeeded,
    Failed,
    Filtered,
    Cancelled,
    NotFound,
    /// The question could not be asked or answered. Says nothing about the job (P9).
    LookupFailed,
    /// The provider used a word that the adapter does not know. Kept raw, moves no credits.
    Unrecognised,
}

impl Run {
    /// How many items are followed: what was asked for, within [`RUN_ITEMS_MAX`].
    #[must_use]
    pub fn items(&self) -> u32 {
        self.requested_items.min(RUN_ITEMS_MAX)
    }
}

impl JobState {
    /// Whether the provider has said its last word.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Filtered | Self::Cancelled | Self::NotFound)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    Succeeded,
    Failed,
    Filtered,
    NotReturned,
    Processing,
}

/// A file at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProviderFile {
    /// Length in bytes; 0 where the provider does not tell.
    pub bytes: u64,
    /// First characters of the SHA-256 in hex; empty where the provider does not tell.
    pub sha256_prefix: String,
    /// The deadline that the provider itself gives.
    pub available_until: Option<Timestamp>,
    /// Whether the look-up found the file; `None`: the provider cannot tell.
    pub exists_now: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JobItem {
    #[cfg_attr(test, schemars(range(max = RUN_ITEMS_MAX)))]
    pub item: u32,
    pub state: ItemState,
    pub finished_at: Option<Timestamp>,
    pub file: Option<ProviderFile>,
}

/// The provider's side of a run, as the newest look-up answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Job {
    pub id: JobId,
    pub run_id: RunId,
    pub provider_id: ProviderId,
    pub submitted_at: Timestamp,
    pub state: JobState,
    pub processing_started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub items: Vec<JobItem>,
    /// The provider's own words about a failure. For agents only.
    pub error: Option<String>,
    /// When its provider was asked and said this. `None`: nobody asked, the platform told of it. In a feed it
    /// counts for nothing: only a look-up that was made here is one.
    #[serde(default)]
    pub looked_up_at: Option<Timestamp>,
    /// Where the connector finds the job again (endpoint, model path), as kept at submission.
    #[serde(default)]
    pub locator: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WebhookResult {
    Accepted,
    Duplicate,
    Timeout,
    Rejected,
}

/// Where a result was put, or a delivery was routed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Route {
    pub project_id: ProjectId,
    pub node_id: NodeId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Webhook {
    pub id: WebhookId,
    pub job_id: JobId,
    pub run_id: RunId,
    pub received_at: Timestamp,
    pub attempts: u32,
    pub result: WebhookResult,
    pub routed_to: Option<Route>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UploadResult {
    Ok,
    NetworkError,
    Timeout,
    QuotaExceeded,
}

/// One try to bring a finished file into the product's storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Upload {
    pub run_id: RunId,
    #[cfg_attr(test, schemars(range(max = RUN_ITEMS_MAX)))]
    pub item: u32,
    pub attempted_at: Timestamp,
    pub result: UploadResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutputState {
    Stored,
    Corrupt,
    /// The result came after the refund and is kept back (P4).
    Held,
}

/// The stored file of an item, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Output {
    pub id: OutputId,
    pub run_id: RunId,
    #[cfg_attr(test, schemars(range(max = RUN_ITEMS_MAX)))]
    pub item: u32,
    pub project_id: ProjectId,
    /// Where on the canvas; `None`: in the generation history only.
    pub node_id: Option<NodeId>,
    pub stored_at: Timestamp,
    pub bytes: u64,
    pub state: OutputState,
    pub in_history: bool,
    pub on_canvas: bool,
    /// SHA-256 in hex, where the platform told it or Makegood stored the file.
    #[serde(default)]
    pub sha256: Option<String>,
}
