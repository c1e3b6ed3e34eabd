//! Calls that fail when they are told to.

use makegood_domain::ports::StoreError;

/// The calls of the store's ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Import,
    Bury,
    DeadLetters,
    EndDeadLetter,
    ImportPosition,
    KeepPosition,
    Scope,
    RecordLookUp,
    Answers,
    OwnersOfJobs,
    KeepCapture,
    UnkeptJobs,
    Postings,
    Catalogue,
    Charges,
    OpenCase,
    Case,
    CasesWithoutFinding,
    SaveFinding,
    ChooseRuns,
    Assign,
    Queue,
    QueueCounts,
    Attachment,
    SaveDraft,
    Drafts,
    SavedViews,
    SaveView,
    DeleteView,
    BeginAction,
    Apply,
    FinishAction,
    Action,
    ActionsOf,
    UnfinishedActions,
    Audit,
    AuditVerify,
    Outbox,
    ClaimDue,
    ScopeOfRun,
    EndLook,
    Settle,
    Detect,
    Detections,
    CloseDetections,
    SavePass,
    Passes,
    NextDue,
    Promise,
    FullScan,
    Identity,
    People,
    PutPerson,
    AskApproval,
    DecideApproval,
    Approvals,
    KeepDeliveries,
    MatchDeliveries,
    Prune,
    NoteConnection,
    Deliveries,
    DeliveryBody,
    ClaimLetters,
    EndLetter,
    EnableEndpoint,
    Endpoints,
    FileReferences,
    KnownFiles,
    ClaimRemoval,
    EndRemoval,
    ClaimedRemovals,
    RecordId,
    Health,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing of it is kept.
    BeforeCommit,
    /// All of it is kept, and the caller is not told.
    LostAck,
}

impl Fault {
    /// The caller can't tell one from the other.
    pub(super) fn error(self) -> StoreError {
        StoreError::Unavailable("the link to the record was cut: whether it was done is not known".to_owned())
    }
}
