//! The ports of the domain, answered by this store. What each does is beside its SQL.

use std::collections::BTreeMap;

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

use super::fault::{as_error, backend};
use super::{SqliteStore, attachments, catalogue, charges, jobs, ledger};

#[async_trait]
impl FactStore for SqliteStore {
    async fn import(&self, facts: &[Fact], at: Timestamp) -> StoreResult<ImportReport> {
        let plain = |fact: &Fact| Told::new(fact.clone().into(), "facts");
        self.take(&facts.iter().map(plain).collect::<Vec<_>>(), at).await
    }
    async fn scope(
        &self,
        requester: &Requester,
        except_ticket: Option<&TicketId>,
        as_of: Timestamp,
    ) -> StoreResult<Scope> {
        self.read_scope(requester, except_ticket, as_of).await
    }
    async fn record_look_up(&self, job: &Job, raw: &[RawAnswer]) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        jobs::record(&mut tx, job, raw).await.map_err(|fault| as_error(fault, job.id.as_str()))?;
        tx.commit().await.map_err(backend)
    }
    async fn owners_of_jobs(&self, jobs: &[JobId]) -> StoreResult<BTreeMap<JobId, RunId>> {
        let mut connection = self.readers.acquire().await.map_err(backend)?;
        jobs::owners(&mut connection, jobs).await
    }
    async fn answers(&self, job: &JobId) -> StoreResult<Vec<StoredAnswer>> {
        let mut connection = self.readers.acquire().await.map_err(backend)?;
        jobs::answers(&mut connection, job).await
    }
    async fn postings(&self, account: &AccountId, limit: u64) -> StoreResult<Vec<PostingLine>> {
        let mut connection = self.readers.acquire().await.map_err(backend)?;
        ledger::postings(&mut connection, account, limit).await
    }
    async fn catalogue(&self) -> StoreResult<Vec<Model>> {
        let mut connection = self.readers.acquire().await.map_err(backend)?;
        catalogue::models(&mut connection).await
    }
    async fn charges(&self, wanted: &ChargesWanted) -> StoreResult<Vec<ChargeLine>> {
        let mut connection = self.readers.acquire().await.map_err(backend)?;
        charges::wanted(&mut connection, wanted).await
    }
}

#[async_trait]
impl IntakeStore for SqliteStore {
    async fn take(&self, told: &[Told], at: Timestamp) -> StoreResult<ImportReport> {
        self.import_told(told, at).await
    }
    async fn bury(&self, unread: &[Unread], at: Timestamp) -> StoreResult<()> {
        self.bury_unread(unread, at).await
    }
    async fn dead_letters(&self, wanted: &DeadLettersWanted) -> StoreResult<Vec<DeadLetter>> {
        self.read_dead_letters(wanted).await
    }
    async fn dead_letters_waiting_for(&self, rows: &[(String, String)], limit: u64) -> StoreResult<Vec<DeadLetter>> {
        self.read_dead_letters_waiting_for(rows, limit).await
    }
    async fn end_dead_letter(&self, id: i64, state: DeadLetterState, at: Timestamp) -> StoreResult<bool> {
        self.end_waiting_dead_letter(id, state, at).await
    }
    async fn import_position(&self, file: &str) -> StoreResult<Option<ImportPosition>> {
        self.read_position(file).await
    }
    async fn keep_position(&self, file: &str, position: &ImportPosition, at: Timestamp) -> StoreResult<()> {
        self.write_position(file, position, at).await
    }
}

#[async_trait]
impl CaptureStore for SqliteStore {
    async fn keep_capture(&self, capture: &Capture, by: &AgentId) -> StoreResult<Kept> {
        self.write_capture(capture, by).await
    }
    async fn unkept_jobs(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<Unkept>> {
        self.read_unkept_jobs(since, limit).await
    }
}

#[async_trait]
impl CaseStore for SqliteStore {
    async fn open_case(&self, new: &NewCase) -> StoreResult<(CaseRecord, bool)> {
        self.new_case(new).await
    }
    async fn case(&self, id: &CaseId) -> StoreResult<CaseRecord> {
        self.read_case(id).await
    }
    async fn cases_without_finding(&self, limit: u64) -> StoreResult<Vec<CaseId>> {
        self.unread_cases(limit).await
    }
    async fn save_finding(&self, id: &CaseId, revision: i64, finding: &Finding) -> StoreResult<i64> {
        self.keep_finding(id, revision, finding).await
    }
    async fn choose_runs(&self, id: &CaseId, revision: i64, chosen: &ChosenRuns) -> StoreResult<i64> {
        self.set_chosen_runs(id, revision, chosen).await
    }
    async fn assign(&self, id: &CaseId, agent: Option<&AgentId>, by: &AgentId, at: Timestamp) -> StoreResult<()> {
        self.set_assignee(id, agent, by, at).await
    }
    async fn queue(&self, query: &QueueQuery) -> StoreResult<QueuePage> {
        self.read_queue(query).await
    }
    async fn queue_counts(&self) -> StoreResult<QueueCounts> {
        self.count_queue().await
    }
    async fn attachment(&self, id: &AttachmentId) -> StoreResult<AttachmentFile> {
        let mut connection = self.readers.acquire().await.map_err(backend)?;
        attachments::file(&mut connection, id).await
    }
    async fn save_draft(&self, draft: &Draft, base_revision: i64) -> StoreResult<DraftSave> {
        self.keep_draft(draft, base_revision).await
    }
    async fn drafts(&self, id: &CaseId) -> StoreResult<Vec<Draft>> {
        self.read_drafts(id).await
    }
    async fn saved_views(&self, agent: &AgentId) -> StoreResult<Vec<SavedView>> {
        self.read_views(agent).await
    }
    async fn save_view(&self, agent: &AgentId, view: &SavedView) -> StoreResult<()> {
        self.put_view(agent, view).await
    }
    async fn delete_view(&self, agent: &AgentId, name: &str) -> StoreResult<()> {
        self.drop_view(agent, name).await
    }
}

#[async_trait]
impl ActionStore for SqliteStore {
    async fn begin_action(&self, order: &Order, plan: &Plan) -> StoreResult<Begun> {
        self.journal_begin(order, plan).await
    }
    async fn apply(
        &self,
        key: &ActionKey,
        step: u32,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        self.journal_apply(key, (step, part), effect, at).await
    }
    async fn finish_action(&self, key: &ActionKey, state: &ActionState, at: Timestamp) -> StoreResult<()> {
        self.journal_finish(key, state, at).await
    }
    async fn action(&self, key: &ActionKey) -> StoreResult<Option<ActionRecord>> {
        self.read_action(key).await
    }
    async fn actions_of(&self, case: &CaseId) -> StoreResult<Vec<ActionRecord>> {
        self.read_actions_of(case).await
    }
    async fn unfinished_actions(&self) -> StoreResult<Vec<ActionRecord>> {
        self.read_unfinished().await
    }
    async fn audit(&self, subject: Option<&str>, limit: u64) -> StoreResult<Vec<AuditLine>> {
        self.read_audit(subject, limit).await
    }
    async fn note_connection(
        &self,
        agent: &AgentId,
        provider: &ProviderId,
        change: ConnectionChange,
        outcome: &str,
        at: Timestamp,
    ) -> StoreResult<()> {
        let line = [agent.as_str(), change.word(), provider.as_str(), outcome];
        self.note_in_audit(line, at).await
    }
    async fn audit_verify(&self) -> StoreResult<Option<AuditBreak>> {
        self.verify_audit().await
    }
    async fn outbox(&self, limit: u64) -> StoreResult<Vec<OutboxLine>> {
        self.read_outbox(limit).await
    }
}

#[async_trait]
impl ReconcileStore for SqliteStore {
    async fn claim_due(
        &self,
        worker: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<DueRun>> {
        self.claim_due_runs(worker, limit, lease, at).await
    }
    async fn scope_of_run(&self, root: &RunId, as_of: Timestamp) -> StoreResult<Option<Scope>> {
        self.read_scope_of_run(root, as_of).await
    }
    async fn end_look(&self, root: &RunId, worker: &str, next: &NextLook, at: Timestamp) -> StoreResult<()> {
        self.end_claim(root, worker, next, at).await
    }
    async fn settle(&self, key: &ActionKey, part: u32, effect: &Effect, at: Timestamp) -> StoreResult<Applied> {
        self.settle_effect(key, part, effect, at).await
    }
    async fn detect(&self, detection: &Detection) -> StoreResult<bool> {
        self.keep_detection(detection).await
    }
    async fn detections(&self, open_only: bool, limit: u64) -> StoreResult<Vec<Detection>> {
        self.read_detections(open_only, limit).await
    }
    async fn detections_of(&self, charges: &[ChargeId]) -> StoreResult<Vec<Detection>> {
        self.read_detections_of(charges).await
    }
    async fn close_detections(&self, root: &RunId, still: &[Detection], at: Timestamp) -> StoreResult<u64> {
        self.end_detections(root, still, at).await
    }
    async fn save_pass(&self, report: &PassReport) -> StoreResult<()> {
        self.keep_pass(report).await
    }
    async fn passes(&self, limit: u64) -> StoreResult<Vec<PassReport>> {
        self.read_passes(limit).await
    }
    async fn next_due(&self, at: Timestamp) -> StoreResult<Option<Timestamp>> {
        self.read_next_due(at).await
    }
    async fn promise(&self, at: Timestamp) -> StoreResult<PromiseHealth> {
        self.read_promise(at).await
    }
    async fn full_scan(&self) -> StoreResult<FullScan> {
        self.scan_all().await
    }
}

#[async_trait]
impl ApprovalStore for SqliteStore {
    async fn identity(&self, said: &AgentId, at: Timestamp) -> StoreResult<Identity> {
        self.read_identity(said, at).await
    }
    async fn people(&self) -> StoreResult<Vec<Person>> {
        self.read_people().await
    }
    async fn put_person(&self, person: &Person, at: Timestamp) -> StoreResult<()> {
        self.keep_person(person, at).await
    }
    async fn ask_approval(&self, request: &ApprovalRequest) -> StoreResult<Decided> {
        self.ask(request).await
    }
    async fn decide_approval(
        &self,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        at: Timestamp,
    ) -> StoreResult<Decided> {
        self.decide(id, decision, at).await
    }
    async fn approvals(&self, open_only: bool, limit: u64, at: Timestamp) -> StoreResult<Vec<Approval>> {
        self.read_approvals(open_only, limit, at).await
    }
}

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn keep_deliveries(&self, deliveries: &[NewDelivery], at: Timestamp) -> StoreResult<Vec<bool>> {
        self.keep_received(deliveries, at).await
    }
    async fn prune(&self, limit: u32, at: Timestamp) -> StoreResult<Pruned> {
        self.prune_received(limit, at).await
    }
    async fn match_deliveries(&self, since: Timestamp, at: Timestamp) -> StoreResult<u64> {
        self.match_received(since, at).await
    }
    async fn deliveries(&self, limit: u64) -> StoreResult<Vec<DeliveryLine>> {
        self.read_received(limit).await
    }
    async fn delivery_body(&self, provider: &ProviderId, delivery_id: &str) -> StoreResult<Option<Vec<u8>>> {
        self.read_body(provider, delivery_id).await
    }
}

#[async_trait]
impl LetterStore for SqliteStore {
    async fn claim_letters(
        &self,
        endpoint: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<Letter>> {
        self.claim_due_letters(endpoint, limit, lease, at).await
    }
    async fn end_letter(
        &self,
        endpoint: &str,
        id: &str,
        end: &LetterEnd,
        all: &[String],
        at: Timestamp,
    ) -> StoreResult<bool> {
        self.end_try(endpoint, id, end, all, at).await
    }
    async fn enable_endpoint(&self, endpoint: &str, at: Timestamp) -> StoreResult<bool> {
        self.enable(endpoint, at).await
    }
    async fn endpoints(&self) -> StoreResult<Vec<EndpointState>> {
        self.read_endpoints().await
    }
}

#[async_trait]
impl FileStore for SqliteStore {
    async fn file_references(&self, sha256: &[String]) -> StoreResult<Vec<FileReference>> {
        self.read_file_references(sha256).await
    }
    async fn known_files(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<KnownFile>> {
        self.read_known_files(after, limit).await
    }
    async fn claim_removal(&self, removal: &Removal, at: Timestamp) -> StoreResult<bool> {
        self.claim_file(removal, at).await
    }
    async fn end_removal(&self, sha256: &str, at: Timestamp) -> StoreResult<bool> {
        self.end_file(sha256, at).await
    }
    async fn claimed_removals(&self, limit: u32) -> StoreResult<Vec<String>> {
        self.read_claimed_removals(limit).await
    }
    async fn record_id(&self) -> StoreResult<String> {
        self.read_record_id().await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn health(&self) -> StoreResult<StoreHealth> {
        self.read_health().await
    }
    async fn close(&self) {
        SqliteStore::close(self).await;
    }
}
