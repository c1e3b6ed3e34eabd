//! A store with something between it and its caller: at each call, before it and after it, somebody
//! may wait, fail, or never come back; and instead of a call another one may be made, which is how a
//! bug is planted (`self_test`).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::capture::Capture;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{
    AccountId, ActionKey, AgentId, ApprovalId, AttachmentId, CaseId, ChargeId, JobId, ProviderId, RunId, TicketId,
};
use makegood_domain::keeping::FileReference;
use makegood_domain::plan::{Effect, Order, Plan};
use makegood_domain::ports::{
    ActionRecord, ActionState, ActionStore, Applied, Approval, ApprovalDecision, ApprovalRequest, ApprovalStore,
    AttachmentFile, AuditBreak, AuditLine, Begun, CaptureStore, CaseRecord, CaseStore, ChargeLine, ChargesWanted,
    ChosenRuns, ConnectionChange, DeadLetter, DeadLetterState, DeadLettersWanted, Decided, DeliveryLine, DeliveryStore,
    Detection, Draft, DraftSave, DueRun, EndpointState, FactStore, FileStore, Finding, FullScan, Identity,
    ImportPosition, ImportReport, IntakeStore, Kept, KnownFile, Letter, LetterEnd, LetterStore, NewCase, NewDelivery,
    NextLook, OutboxLine, PassReport, Person, PostingLine, PromiseHealth, Pruned, QueueCounts, QueuePage, QueueQuery,
    RawAnswer, ReconcileStore, Removal, SavedView, Store, StoreHealth, StoreResult, StoredAnswer, Told, Unkept, Unread,
};
use makegood_domain::scope::Scope;
use makegood_domain::support::Requester;
use makegood_domain::work::{Job, Model};

/// An effect on its way to the record, whoever sends it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    pub key: &'a ActionKey,
    /// Of an agent's action. `None`: it is the reconciler's, whose keys have no steps.
    pub step: Option<u32>,
    pub part: u32,
    pub effect: &'a Effect,
    pub at: Timestamp,
}

impl Sent<'_> {
    /// Sends it there.
    pub async fn to(self, store: &dyn Store) -> StoreResult<Applied> {
        match self.step {
            Some(step) => store.apply(self.key, step, self.part, self.effect, self.at).await,
            None => store.settle(self.key, self.part, self.effect, self.at).await,
        }
    }
}

/// Passes a call on: to the record, or first to the one place for all effects.
macro_rules! passed_on {
    ($self:ident, $store:ident, $name:ident($($argument:ident),*)) => { $store.$name($($argument),*).await };
    ($self:ident, $store:ident, $name:ident($($argument:ident),*) as $sent:expr) => { $self.effect($store, $sent).await };
}

/// Makes one trait of all calls of a record, each of which is passed on unless said otherwise, and a
/// store of everybody who stands between.
macro_rules! between {
    ($($port:ident { $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty $(as $sent:expr)?;)* })*) => {
        /// What happens around a call, and instead of it.
        #[async_trait]
        pub trait Between: Send + Sync {
            /// Before the call; an error keeps it from being made.
            async fn before(&self, _call: &'static str) -> StoreResult<()> {
                Ok(())
            }

            /// After the call, which is committed; an error keeps its answer from the caller.
            async fn after(&self, _call: &'static str) -> StoreResult<()> {
                Ok(())
            }

            /// An effect, be it an agent's or the reconciler's.
            async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
                sent.to(store).await
            }

            $($(async fn $name(&self, store: &dyn Store, $($argument: $kind),*) -> StoreResult<$answer> {
                passed_on!(self, store, $name($($argument),*) $(as $sent)?)
            })*)*
        }

        $(#[async_trait]
        impl $port for Through {
            $(async fn $name(&self, $($argument: $kind),*) -> StoreResult<$answer> {
                self.between.before(stringify!($name)).await?;
                let answer = self.between.$name(&*self.store, $($argument),*).await;
                self.between.after(stringify!($name)).await?;
                answer
            })*
        })*
    };
}

/// A store, and what is between it and its caller.
pub struct Through {
    pub store: Arc<dyn Store>,
    pub between: Arc<dyn Between>,
}

between! {
    FactStore {
        fn import(facts: &[Fact], at: Timestamp) -> ImportReport;
        fn scope(requester: &Requester, except_ticket: Option<&TicketId>, as_of: Timestamp) -> Scope;
        fn record_look_up(job: &Job, raw: &[RawAnswer]) -> ();
        fn answers(job: &JobId) -> Vec<StoredAnswer>;
        fn postings(account: &AccountId, limit: u64) -> Vec<PostingLine>;
        fn catalogue() -> Vec<Model>;
        fn charges(wanted: &ChargesWanted) -> Vec<ChargeLine>;
        fn owners_of_jobs(jobs: &[JobId]) -> BTreeMap<JobId, RunId>;
    }
    IntakeStore {
        fn take(told: &[Told], at: Timestamp) -> ImportReport;
        fn bury(unread: &[Unread], at: Timestamp) -> ();
        fn dead_letters(wanted: &DeadLettersWanted) -> Vec<DeadLetter>;
        fn dead_letters_waiting_for(rows: &[(String, String)], limit: u64) -> Vec<DeadLetter>;
        fn end_dead_letter(id: i64, state: DeadLetterState, at: Timestamp) -> bool;
        fn import_position(file: &str) -> Option<ImportPosition>;
        fn keep_position(file: &str, position: &ImportPosition, at: Timestamp) -> ();
    }
    CaptureStore {
        fn keep_capture(capture: &Capture, by: &AgentId) -> Kept;
        fn unkept_jobs(since: Timestamp, limit: u32) -> Vec<Unkept>;
    }
    CaseStore {
        fn open_case(new: &NewCase) -> (CaseRecord, bool);
        fn case(id: &CaseId) -> CaseRecord;
        fn cases_without_finding(limit: u64) -> Vec<CaseId>;
        fn save_finding(id: &CaseId, revision: i64, finding: &Finding) -> i64;
        fn choose_runs(id: &CaseId, revision: i64, chosen: &ChosenRuns) -> i64;
        fn assign(id: &CaseId, agent: Option<&AgentId>, by: &AgentId, at: Timestamp) -> ();
        fn queue(query: &QueueQuery) -> QueuePage;
        fn queue_counts() -> QueueCounts;
        fn attachment(id: &AttachmentId) -> AttachmentFile;
        fn save_draft(draft: &Draft, base_revision: i64) -> DraftSave;
        fn drafts(id: &CaseId) -> Vec<Draft>;
        fn saved_views(agent: &AgentId) -> Vec<SavedView>;
        fn save_view(agent: &AgentId, view: &SavedView) -> ();
        fn delete_view(agent: &AgentId, name: &str) -> ();
    }
    ActionStore {
        fn begin_action(order: &Order, plan: &Plan) -> Begun;
        fn apply(key: &ActionKey, step: u32, part: u32, effect: &Effect, at: Timestamp) -> Applied
            as Sent { key, step: Some(step), part, effect, at };
        fn finish_action(key: &ActionKey, state: &ActionState, at: Timestamp) -> ();
        fn action(key: &ActionKey) -> Option<ActionRecord>;
        fn actions_of(case: &CaseId) -> Vec<ActionRecord>;
        fn unfinished_actions() -> Vec<ActionRecord>;
        fn audit(subject: Option<&str>, limit: u64) -> Vec<AuditLine>;
        fn seal(at: Timestamp) -> u64;
        fn note_connection(
            agent: &AgentId,
            provider: &ProviderId,
            change: ConnectionChange,
            outcome: &str,
            at: Timestamp
        ) -> ();
        fn audit_verify() -> Option<AuditBreak>;
        fn outbox(limit: u64) -> Vec<OutboxLine>;
    }
    ReconcileStore {
        fn claim_due(worker: &str, limit: u32, lease: SignedDuration, at: Timestamp) -> Vec<DueRun>;
        fn scope_of_run(root: &RunId, as_of: Timestamp) -> Option<Scope>;
        fn end_look(root: &RunId, worker: &str, next: &NextLook, at: Timestamp) -> ();
        fn settle(key: &ActionKey, part: u32, effect: &Effect, at: Timestamp) -> Applied
            as Sent { key, step: None, part, effect, at };
        fn detect(detection: &Detection) -> bool;
        fn detections(open_only: bool, limit: u64) -> Vec<Detection>;
        fn detections_of(charges: &[ChargeId]) -> Vec<Detection>;
        fn close_detections(root: &RunId, still: &[Detection], at: Timestamp) -> u64;
        fn save_pass(report: &PassReport) -> ();
        fn passes(limit: u64) -> Vec<PassReport>;
        fn next_due(at: Timestamp) -> Option<Timestamp>;
        fn promise(at: Timestamp) -> PromiseHealth;
        fn full_scan() -> FullScan;
    }
    ApprovalStore {
        fn identity(said: &AgentId, at: Timestamp) -> Identity;
        fn people() -> Vec<Person>;
        fn put_person(person: &Person, at: Timestamp) -> ();
        fn ask_approval(request: &ApprovalRequest) -> Decided;
        fn decide_approval(id: &ApprovalId, decision: &ApprovalDecision, at: Timestamp) -> Decided;
        fn approvals(open_only: bool, limit: u64, at: Timestamp) -> Vec<Approval>;
    }
    DeliveryStore {
        fn keep_deliveries(deliveries: &[NewDelivery], at: Timestamp) -> Vec<bool>;
        fn prune(limit: u32, at: Timestamp) -> Pruned;
        fn match_deliveries(since: Timestamp, at: Timestamp) -> u64;
        fn deliveries(limit: u64) -> Vec<DeliveryLine>;
        fn delivery_body(provider: &ProviderId, delivery_id: &str) -> Option<Vec<u8>>;
    }
    LetterStore {
        fn claim_letters(endpoint: &str, limit: u32, lease: SignedDuration, at: Timestamp) -> Vec<Letter>;
        fn end_letter(endpoint: &str, id: &str, end: &LetterEnd, all: &[String], at: Timestamp) -> bool;
        fn enable_endpoint(endpoint: &str, at: Timestamp) -> bool;
        fn endpoints() -> Vec<EndpointState>;
    }
    FileStore {
        fn file_references(sha256: &[String]) -> Vec<FileReference>;
        fn known_files(after: Option<&str>, limit: u32) -> Vec<KnownFile>;
        fn claim_removal(removal: &Removal, at: Timestamp) -> bool;
        fn end_removal(sha256: &str, at: Timestamp) -> bool;
        fn claimed_removals(limit: u32) -> Vec<String>;
        fn record_id() -> String;
    }
}

#[async_trait]
impl Store for Through {
    async fn health(&self) -> StoreResult<StoreHealth> {
        self.between.before("health").await?;
        let answer = self.store.health().await;
        self.between.after("health").await?;
        answer
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
