//! Actions: what was ordered, how far it has come, and the effects that prove it.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AuditBreak, AuditLine, ConnectionChange, OutboxLine, StoreResult};
use crate::ids::{ActionKey, AgentId, CaseId, MessageId, OutputId, ProviderId, RefundId, TicketId};
use crate::money::Credits;
use crate::plan::{ActionKind, CaseState, Effect, Order, Plan, ReleasedItem};

/// Where an action stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ActionState {
    /// Begun; steps are being done, or the program stopped in the middle.
    Running,
    Done,
    /// The record did not allow it, or it can never be done. Nothing was done, or `why` names the steps that were.
    Refused {
        why: String,
    },
    /// An outside step failed before anything was changed.
    FailedBeforeEffect {
        why: String,
        retry: bool,
    },
    /// Whether it happened is not known; ask again with the same key.
    Unknown {
        why: String,
    },
}

/// What a step left behind: what the store committed, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "receipt", rename_all = "snake_case")]
pub enum Receipt {
    Leased {
        epoch: i64,
        until: Timestamp,
    },
    Delivered {
        output_id: OutputId,
        sha256: String,
        bytes: u64,
    },
    Released,
    Restored {
        refund_id: RefundId,
        total: Credits,
        balances: Vec<BalanceMove>,
    },
    /// Refunds were taken back, and their items delivered.
    Redebited {
        total: Credits,
        refund_ids: Vec<RefundId>,
        balances: Vec<BalanceMove>,
        outputs: Vec<OutputFile>,
    },
    Moved {
        output_id: OutputId,
    },
    Quarantined {
        output_id: OutputId,
    },
    Incident {
        id: String,
    },
    Linked {
        to: TicketId,
    },
    Queued {
        what: String,
        outbox_id: String,
    },
    Said {
        message_id: MessageId,
    },
    CaseSet {
        state: CaseState,
    },
}

/// An output, and the file that it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    pub output_id: OutputId,
    /// SHA-256 in hex.
    pub sha256: String,
    pub bytes: u64,
}

impl From<&ReleasedItem> for OutputFile {
    fn from(item: &ReleasedItem) -> Self {
        Self { output_id: item.output_id.clone(), sha256: item.file.sha256.clone(), bytes: item.file.bytes }
    }
}

/// A balance before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceMove {
    pub balance_id: crate::ids::BalanceId,
    pub kind: crate::money::BalanceKind,
    pub before: Credits,
    pub after: Credits,
}

/// A journalled action: asked with the same key, it is always the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRecord {
    pub order: Order,
    pub plan: Plan,
    pub state: ActionState,
    /// Receipts of the steps done, by step number from 0; a recovery has several.
    pub receipts: Vec<StepReceipt>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReceipt {
    pub step: u32,
    /// Part of the step, from 0: a recovery leases (0), then delivers (1) or releases (1).
    pub part: u32,
    pub at: Timestamp,
    pub receipt: Receipt,
}

/// How the beginning of an action went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    New,
    /// The key was used for exactly this; here is how it stands.
    Existing(Box<ActionRecord>),
    /// The key was used for something else (I4).
    KeyConflict,
    /// The case changed since the plan was made.
    CaseChanged {
        revision: i64,
    },
    /// It restores more than the agent may alone, and no approval for exactly this is there that is
    /// unused and not too old (R53, I11). Nothing was journalled.
    ApprovalNeeded {
        amount: Credits,
        /// Why, in plain words: over the limit of a posting or of the day, or approved too long ago.
        why: String,
    },
    /// Another action on this case is running or its outcome is unknown.
    Busy {
        key: ActionKey,
        kind: ActionKind,
    },
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Done(StepReceipt),
    /// The record forbids it, in plain words: who or what was first.
    Refused(String),
}

/// Actions: the journal, and the effects it proves.
#[async_trait]
pub trait ActionStore: Send + Sync {
    /// Journals the intent before anything is done.
    async fn begin_action(&self, order: &Order, plan: &Plan) -> StoreResult<Begun>;
    /// Does one effect, its journal row, its audit row and its outbox row in one transaction. The
    /// same (key, step, part) answers with the receipt it has, for ever.
    async fn apply(
        &self,
        key: &ActionKey,
        step: u32,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied>;
    async fn finish_action(&self, key: &ActionKey, state: &ActionState, at: Timestamp) -> StoreResult<()>;
    async fn action(&self, key: &ActionKey) -> StoreResult<Option<ActionRecord>>;
    /// All of a case, newest first.
    async fn actions_of(&self, case: &CaseId) -> StoreResult<Vec<ActionRecord>>;
    /// Begun, not finished: to be resumed on start.
    async fn unfinished_actions(&self) -> StoreResult<Vec<ActionRecord>>;
    async fn audit(&self, subject: Option<&str>, limit: u64) -> StoreResult<Vec<AuditLine>>;
    /// Seals the lines that no seal covers yet, and says how many. A record that chains each line as it
    /// is written has none to seal.
    async fn seal(&self, _at: Timestamp) -> StoreResult<u64> {
        Ok(0)
    }
    /// Writes down that a person did this about a provider's connection, and what came of it in a few words. A
    /// key is never among them.
    async fn note_connection(
        &self,
        agent: &AgentId,
        provider: &ProviderId,
        change: ConnectionChange,
        outcome: &str,
        at: Timestamp,
    ) -> StoreResult<()>;
    /// The first broken line, if any.
    async fn audit_verify(&self) -> StoreResult<Option<AuditBreak>>;
    async fn outbox(&self, limit: u64) -> StoreResult<Vec<OutboxLine>>;
}
