//! The store: the record of facts, cases, money and what was done. Two backends, one behaviour.
//!
//! Each method is one unit of work: committed whole or not at all. The rules that protect money
//! (one remedy an item, no restoration above a price or to a balance that did not give) are held
//! by the backend's keys, constraints and triggers, whatever its callers do.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ActionStore, ApprovalStore, CaptureStore, DeliveryStore, FileStore, IntakeStore, LetterStore, RawAnswer,
    ReconcileStore,
};
use crate::diagnose::{Diagnosis, Remedy, Verdict};
use crate::feed::Fact;
use crate::ids::{AccountId, AgentId, AttachmentId, CaseId, ChargeId, JobId, RunId, TicketId};
use crate::matching::RunMatch;
use crate::money::Credits;
use crate::plan::CaseState;
use crate::scope::Scope;
use crate::support::{Claim, Message, Requester, Ticket};
use crate::words::words;
use crate::work::Job;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing by that id.
    #[error("there is no {what} {id}")]
    NotFound { what: &'static str, id: String },
    /// Somebody was faster: re-read and decide again.
    #[error("{what} {id} has changed meanwhile")]
    Stale { what: &'static str, id: String },
    /// Rows that should be impossible.
    #[error("the record contradicts itself at {at}: {why}")]
    Inconsistent { at: String, why: String },
    /// The database could not be used; the text says which and why, for people.
    #[error("{0}")]
    Unavailable(String),
    #[error("the database failed: {0}")]
    Backend(String),
}

pub type StoreResult<T> = Result<T, StoreError>;

/// What taking a fact did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    Added,
    Updated,
    /// It was there already, with the same content.
    Unchanged,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    pub added: u64,
    /// Rows that were there already, with the same content.
    pub unchanged: u64,
    pub updated: u64,
    pub rejected: Vec<RejectedFact>,
    /// What became of each fact, in the order of the batch; `None`: it was rejected.
    pub outcomes: Vec<Option<Taken>>,
}

impl ImportReport {
    /// Counts what became of the facts of a batch.
    #[must_use]
    pub fn new(outcomes: Vec<Option<Taken>>, rejected: Vec<RejectedFact>) -> Self {
        let (mut added, mut updated, mut unchanged) = (0, 0, 0);
        for taken in outcomes.iter().flatten() {
            match taken {
                Taken::Added => added += 1,
                Taken::Updated => updated += 1,
                Taken::Unchanged => unchanged += 1,
            }
        }
        Self { added, unchanged, updated, rejected, outcomes }
    }

    /// What became of the facts of this batch and of another one after it.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        let count = u64::try_from(self.outcomes.len()).unwrap_or(u64::MAX);
        let moved = |fact: RejectedFact| RejectedFact { index: fact.index.saturating_add(count), ..fact };
        self.rejected.extend(next.rejected.into_iter().map(moved));
        self.outcomes.extend(next.outcomes);
        Self {
            added: self.added + next.added,
            unchanged: self.unchanged + next.unchanged,
            updated: self.updated + next.updated,
            ..self
        }
    }
}

/// A fact that was not taken, kept in the dead letters with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedFact {
    /// Place in the batch, from 0.
    pub index: u64,
    pub kind: String,
    pub id: String,
    pub reason: String,
    /// It lacks a row that it refers to, or credits, and both can still come: worth another try.
    pub lacks: bool,
}

/// Bytes of an attachment, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentFile {
    pub id: AttachmentId,
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// A ticket to open a case for. Opening the same ticket twice opens one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    pub case_id: CaseId,
    pub ticket: Ticket,
    pub files: Vec<AttachmentFile>,
    /// End of the business day in which an answer is due (R23).
    pub due_at: Timestamp,
    pub opened_at: Timestamp,
}

/// What the rules made of a case, kept as a whole; the newest one counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub claim: Claim,
    /// Which reader made the claim: `rules`, `given`.
    pub reader: String,
    pub run_match: RunMatch,
    pub diagnosis: Diagnosis,
    /// The answer, ready or not, and what keeps it from being ready.
    pub answer: String,
    pub answer_locale: String,
    pub answer_leaks: Vec<String>,
    pub policy_version: String,
    pub found_at: Timestamp,
}

impl Finding {
    /// Whether it comes to the same as another, whatever was seen for it, and when: then what was reviewed
    /// by the one can be done by the other.
    #[must_use]
    pub fn comes_to_the_same(&self, other: &Self) -> bool {
        let mut other = other.clone();
        other.found_at = self.found_at;
        other.diagnosis.reasons.clone_from(&self.diagnosis.reasons);
        *self == other
    }
}

/// A case as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRecord {
    pub id: CaseId,
    pub ticket: Ticket,
    pub messages: Vec<Message>,
    pub state: CaseState,
    pub assignee: Option<AgentId>,
    pub opened_at: Timestamp,
    pub due_at: Timestamp,
    pub follow_up_at: Option<Timestamp>,
    /// Raised by every change that an agent should have seen before acting.
    pub revision: i64,
    pub finding: Option<Finding>,
    /// An agent's choice of run, and why: overrules the match.
    pub chosen_runs: Option<ChosenRuns>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenRuns {
    pub run_ids: Vec<RunId>,
    pub agent: AgentId,
    pub at: Timestamp,
    pub reason: String,
}

words! {
    /// Sort orders of the queue. `LostFirst`: files by deadline, then business-day due.
    QueueOrder {
        LostFirst = "lost_first",
        Due = "due",
        Newest = "newest",
        Amount = "amount",
    }
}

#[expect(clippy::derivable_impls, reason = "the vocabulary macro derives no default")]
impl Default for QueueOrder {
    fn default() -> Self {
        Self::LostFirst
    }
}

/// What of the queue is wanted. Empty lists filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueQuery {
    pub states: Vec<CaseState>,
    pub verdicts: Vec<Verdict>,
    pub remedies: Vec<Remedy>,
    pub desks: Vec<String>,
    pub assignee: Option<AgentId>,
    pub due_before: Option<Timestamp>,
    pub deadline_before: Option<Timestamp>,
    /// Words that subject, customer, ticket, case, run or project must contain.
    pub search: String,
    pub order: QueueOrder,
    /// Which deadlines are over: what is gone can no longer be lost, and stands with the rest.
    #[serde(default)]
    pub as_of: Timestamp,
    /// At most 200 rows.
    pub offset: u64,
    pub limit: u64,
}

/// A line of the queue. Amount: what the run was charged and is still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueLine {
    pub case_id: CaseId,
    pub ticket_id: TicketId,
    pub subject: String,
    pub customer: String,
    pub desk: String,
    pub state: CaseState,
    pub assignee: Option<AgentId>,
    pub verdict: Option<Verdict>,
    pub remedy: Option<Remedy>,
    pub amount: Option<Credits>,
    pub model: Option<String>,
    /// Set while a file can be lost: deadline of the earliest produced, undelivered item.
    pub file_deadline: Option<Timestamp>,
    /// Our own copy is in the vault.
    pub saved: bool,
    pub due_at: Timestamp,
    pub follow_up_at: Option<Timestamp>,
    pub opened_at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueuePage {
    pub total: u64,
    /// Sum of the amounts of all lines that fit.
    pub stake: Credits,
    pub lines: Vec<QueueLine>,
}

/// Numbers beside the queue's views: cases by verdict, desk and state, of all that is not settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    pub by_verdict: Vec<(Verdict, u64)>,
    pub by_desk: Vec<(String, u64)>,
    pub by_state: Vec<(CaseState, u64)>,
}

words! {
    DraftKind {
        EscalationNote = "escalation_note",
        InternalNote = "internal_note",
        Reply = "reply",
    }
}

/// Text that an agent is writing. Never lost, never silently overwritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub case_id: CaseId,
    pub kind: DraftKind,
    pub author: AgentId,
    pub text: String,
    pub revision: i64,
    pub saved_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftSave {
    Saved {
        revision: i64,
    },
    /// Written from elsewhere since; both texts are kept.
    Conflict {
        theirs: Draft,
    },
}

/// A named view of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    pub name: String,
    pub query: QueueQuery,
}

/// One line of the audit: who did what to which row, chained to the line before by hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub seq: i64,
    pub at: Timestamp,
    pub actor: String,
    pub act: String,
    pub subject: String,
    pub detail: String,
    pub hash: String,
}

/// Why a chain of audit lines is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    pub seq: i64,
    pub why: String,
}

/// One posting of the ledger, for showing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingLine {
    pub id: String,
    pub at: Timestamp,
    pub kind: String,
    pub from: String,
    pub to: String,
    pub amount: Credits,
    pub charge_id: Option<String>,
    pub refund_id: Option<String>,
}

/// A stored look-up answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub id: String,
    pub job_id: JobId,
    pub answer: RawAnswer,
}

/// A message or notice that waits to be sent outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxLine {
    pub id: String,
    pub at: Timestamp,
    pub kind: String,
    pub case_id: Option<CaseId>,
    pub summary: String,
    pub state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHealth {
    pub backend: String,
    pub version: String,
    pub schema: i64,
    pub location: String,
}

/// Which posted charges are wanted: of `[from, until)`, in the order of their posting, then of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargesWanted {
    /// Only those of this account.
    pub account: Option<AccountId>,
    pub from: Timestamp,
    pub until: Timestamp,
    /// Only those after this one: the next page.
    pub after: Option<(Timestamp, ChargeId)>,
    pub limit: u64,
}

/// A posted charge, and the logical run that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeLine {
    pub id: ChargeId,
    pub root: RunId,
    pub posted_at: Timestamp,
}

/// Facts in, facts out.
#[async_trait]
pub trait FactStore: Send + Sync {
    /// Takes plain facts, known by their content alone, as [`IntakeStore::take`] does.
    async fn import(&self, facts: &[Fact], at: Timestamp) -> StoreResult<ImportReport>;
    /// All that matching and diagnosis of this requester's ticket may look at.
    async fn scope(
        &self,
        requester: &Requester,
        except_ticket: Option<&TicketId>,
        as_of: Timestamp,
    ) -> StoreResult<Scope>;
    /// Keeps a look-up's answer: the job's newest state, and the raw texts behind it.
    async fn record_look_up(&self, job: &Job, raw: &[RawAnswer]) -> StoreResult<()>;
    /// Of these jobs those that are known, each with its run.
    async fn owners_of_jobs(&self, jobs: &[JobId]) -> StoreResult<BTreeMap<JobId, RunId>>;
    /// Newest first.
    async fn answers(&self, job: &JobId) -> StoreResult<Vec<StoredAnswer>>;
    /// Postings that touch an account's balances, newest first.
    async fn postings(&self, account: &crate::ids::AccountId, limit: u64) -> StoreResult<Vec<PostingLine>>;
    async fn catalogue(&self) -> StoreResult<Vec<crate::work::Model>>;
    /// Posted charges, a page at a time, for exports.
    async fn charges(&self, wanted: &ChargesWanted) -> StoreResult<Vec<ChargeLine>>;
}

/// Cases, drafts and the queue.
#[async_trait]
pub trait CaseStore: Send + Sync {
    /// The case of the ticket, new or not, and whether it is new.
    async fn open_case(&self, new: &NewCase) -> StoreResult<(CaseRecord, bool)>;
    async fn case(&self, id: &CaseId) -> StoreResult<CaseRecord>;
    async fn cases_without_finding(&self, limit: u64) -> StoreResult<Vec<CaseId>>;
    /// Keeps a finding if the case is still at `revision`; returns the new revision. A finding
    /// that says the same as the last one changes no revision.
    async fn save_finding(&self, id: &CaseId, revision: i64, finding: &Finding) -> StoreResult<i64>;
    async fn choose_runs(&self, id: &CaseId, revision: i64, chosen: &ChosenRuns) -> StoreResult<i64>;
    async fn assign(&self, id: &CaseId, agent: Option<&AgentId>, by: &AgentId, at: Timestamp) -> StoreResult<()>;
    async fn queue(&self, query: &QueueQuery) -> StoreResult<QueuePage>;
    async fn queue_counts(&self) -> StoreResult<QueueCounts>;
    async fn attachment(&self, id: &AttachmentId) -> StoreResult<AttachmentFile>;
    async fn save_draft(&self, draft: &Draft, base_revision: i64) -> StoreResult<DraftSave>;
    async fn drafts(&self, id: &CaseId) -> StoreResult<Vec<Draft>>;
    async fn saved_views(&self, agent: &AgentId) -> StoreResult<Vec<SavedView>>;
    async fn save_view(&self, agent: &AgentId, view: &SavedView) -> StoreResult<()>;
    async fn delete_view(&self, agent: &AgentId, name: &str) -> StoreResult<()>;
}

/// The record, whole.
#[async_trait]
pub trait Store:
    FactStore
    + IntakeStore
    + CaptureStore
    + CaseStore
    + ActionStore
    + ReconcileStore
    + ApprovalStore
    + DeliveryStore
    + LetterStore
    + FileStore
{
    async fn health(&self) -> StoreResult<StoreHealth>;

    /// Closes the connections after what is under way; a file's log is folded into it. Whoever ends
    /// without it loses nothing, and leaves that to the next one.
    async fn close(&self);
}
