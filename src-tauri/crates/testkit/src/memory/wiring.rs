//! The ports of the domain, answered by the model. What each does is in the other files.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::capture::Capture;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{
    AccountId, ActionKey, AgentId, ApprovalId, AttachmentId, CaseId, ChargeId, JobId, ProviderId, RunId, TicketId,
};
use makegood_domain::keeping::FileReference;
use makegood_domain::ledger::Charge;
use makegood_domain::plan::{Effect, Order, Plan};
use makegood_domain::ports::{
    ActionRecord, ActionState, ActionStore, Applied, Approval, ApprovalDecision, ApprovalRequest, ApprovalStore,
    AttachmentFile, AuditBreak, AuditLine, Begun, CaptureStore, CaseRecord, CaseStore, ChargeLine, ChargesWanted,
    ChosenRuns, ConnectionChange, DeadLetter, DeadLetterState, DeadLettersWanted, Decided, DeliveryLine, DeliveryStore,
    Detection, Draft, DraftSave, DueRun, EndpointState, FactStore, FileStore, Finding, FullScan, Identity,
    ImportPosition, ImportReport, IntakeStore, Kept, KnownFile, Letter, LetterEnd, LetterStore, NewCase, NewDelivery,
    NextLook, OutboxLine, PassReport, Person, PostingLine, PromiseHealth, Pruned, QueueCounts, QueuePage, QueueQuery,
    RawAnswer, ReconcileStore, Removal, SavedView, Store, StoreError, StoreHealth, StoreResult, StoredAnswer, Told,
    Unkept, Unread,
};
use makegood_domain::scope::Scope;
use makegood_domain::support::Requester;
use makegood_domain::work::{Job, JobState, Model};

use super::record::Record;
use super::{
    MemoryStore, Op, approvals, captures, cases, cut, dead_letters, due, effects, files, findings, import, items,
    journal, ledger, letters, limits, proof, pruning, queue, received, reconciler, runs, scope, sweeps,
};

/// For work that stands where it succeeds.
fn always<T>(_: &T) -> bool {
    true
}

fn if_decided(decided: &Decided) -> bool {
    matches!(decided, Decided::Done(_))
}

fn if_done(applied: &Applied) -> bool {
    matches!(applied, Applied::Done(_))
}

#[async_trait]
impl FactStore for MemoryStore {
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
        self.read(Op::Scope, |record| Ok(scope::scope(record, requester, except_ticket, as_of)))
    }
    async fn record_look_up(&self, job: &Job, raw: &[RawAnswer]) -> StoreResult<()> {
        self.write(Op::RecordLookUp, always, |record| look_up(record, job, raw))
    }
    async fn owners_of_jobs(&self, jobs: &[JobId]) -> StoreResult<BTreeMap<JobId, RunId>> {
        self.read(Op::OwnersOfJobs, |record| {
            let known = jobs.iter().filter_map(|id| record.jobs.get(id));
            Ok(known.map(|job| (job.id.clone(), job.run_id.clone())).collect())
        })
    }
    async fn answers(&self, job: &JobId) -> StoreResult<Vec<StoredAnswer>> {
        self.read(Op::Answers, |record| {
            let own = record.look_ups.iter().filter(|(_, (known, _))| known == job);
            let mut rows: Vec<_> = own
                .map(|(number, (job, answer))| {
                    let row = StoredAnswer { id: number.to_string(), job_id: job.clone(), answer: answer.clone() };
                    (answer.fetched_at, *number, row)
                })
                .collect();
            rows.sort_by_key(|(at, number, _)| std::cmp::Reverse((*at, *number)));
            Ok(rows.into_iter().map(|(_, _, row)| row).collect())
        })
    }
    async fn postings(&self, account: &AccountId, limit: u64) -> StoreResult<Vec<PostingLine>> {
        self.read(Op::Postings, |record| Ok(ledger::postings(record, account, limit)))
    }
    async fn catalogue(&self) -> StoreResult<Vec<Model>> {
        self.read(Op::Catalogue, |record| Ok(record.models.values().cloned().collect()))
    }
    async fn charges(&self, wanted: &ChargesWanted) -> StoreResult<Vec<ChargeLine>> {
        self.read(Op::Charges, |record| Ok(charges(record, wanted)))
    }
}

/// A page of posted charges.
fn charges(record: &Record, wanted: &ChargesWanted) -> Vec<ChargeLine> {
    let fits = |charge: &&Charge| {
        let of_account = wanted.account.as_ref().is_none_or(|id| charge.account_id == *id);
        let after = wanted.after.as_ref().is_none_or(|(at, id)| (charge.posted_at, &charge.id) > (*at, id));
        of_account && after && charge.posted_at >= wanted.from && charge.posted_at < wanted.until
    };
    let found = record.charges.values().map(|row| &row.charge).filter(fits);
    let mut lines: Vec<ChargeLine> = found
        .filter_map(|charge| {
            let root = runs::root_of(record, &charge.run_id)?.clone();
            Some(ChargeLine { id: charge.id.clone(), root, posted_at: charge.posted_at })
        })
        .collect();
    lines.sort_by(|a, b| (a.posted_at, &a.id).cmp(&(b.posted_at, &b.id)));
    lines.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
    lines
}

/// Keeps what a look-up answered, unless a newer answer is known, and the raw texts in any case. A
/// failed look-up says nothing about the job: what was known of it stays.
fn look_up(record: &mut Record, job: &Job, raw: &[RawAnswer]) -> StoreResult<()> {
    let fetched = raw.iter().map(|answer| answer.fetched_at).max();
    let at = job.looked_up_at.or(fetched).unwrap_or(job.submitted_at);
    let known = record.jobs.get(&job.id).map(|known| known.looked_up_at);
    match known {
        Some(Some(known)) if known > at => {}
        Some(_) if job.state == JobState::LookupFailed => record.jobs.edit(&job.id, |known| {
            known.state = JobState::LookupFailed;
            known.error.clone_from(&job.error);
            known.looked_up_at = Some(at);
        }),
        _ => {
            if !record.runs.contains_key(&job.run_id) || !record.providers.contains_key(&job.provider_id) {
                let why = "it refers to a run or a provider that is not there".to_owned();
                return Err(StoreError::Inconsistent { at: job.id.0.clone(), why });
            }
            import::put_job(record, job, Some(at));
        }
    }
    for answer in raw {
        record.look_ups.add((job.id.clone(), answer.clone()));
    }
    Ok(())
}

#[async_trait]
impl IntakeStore for MemoryStore {
    async fn take(&self, told: &[Told], at: Timestamp) -> StoreResult<ImportReport> {
        self.write(Op::Import, always, |record| import::import(record, told, cut(at)))
    }
    async fn bury(&self, unread: &[Unread], at: Timestamp) -> StoreResult<()> {
        self.write(Op::Bury, always, |record| {
            unread.iter().for_each(|letter| dead_letters::bury_unread(record, letter, cut(at)));
            Ok(())
        })
    }
    async fn dead_letters(&self, wanted: &DeadLettersWanted) -> StoreResult<Vec<DeadLetter>> {
        self.read(Op::DeadLetters, |record| Ok(dead_letters::letters(record, wanted)))
    }
    async fn dead_letters_waiting_for(&self, rows: &[(String, String)], limit: u64) -> StoreResult<Vec<DeadLetter>> {
        self.read(Op::DeadLetters, |record| Ok(dead_letters::waiting_for(record, rows, limit)))
    }
    async fn end_dead_letter(&self, id: i64, state: DeadLetterState, at: Timestamp) -> StoreResult<bool> {
        self.write(Op::EndDeadLetter, |ended| *ended, |record| Ok(dead_letters::end(record, id, state, cut(at))))
    }
    async fn import_position(&self, file: &str) -> StoreResult<Option<ImportPosition>> {
        self.read(Op::ImportPosition, |record| Ok(record.positions.get(file).cloned()))
    }
    async fn keep_position(&self, file: &str, position: &ImportPosition, _at: Timestamp) -> StoreResult<()> {
        self.write(Op::KeepPosition, always, |record| {
            record.positions.put(file.to_owned(), position.clone());
            Ok(())
        })
    }
}

#[async_trait]
impl CaptureStore for MemoryStore {
    async fn keep_capture(&self, capture: &Capture, by: &AgentId) -> StoreResult<Kept> {
        self.write(Op::KeepCapture, always, |record| captures::keep(record, capture, by))
    }
    async fn unkept_jobs(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<Unkept>> {
        self.read(Op::UnkeptJobs, |record| Ok(captures::unkept(record, cut(since), limit)))
    }
}

#[async_trait]
impl CaseStore for MemoryStore {
    async fn open_case(&self, new: &NewCase) -> StoreResult<(CaseRecord, bool)> {
        self.write(Op::OpenCase, always, |record| cases::open(record, new))
    }
    async fn case(&self, id: &CaseId) -> StoreResult<CaseRecord> {
        self.read(Op::Case, |record| cases::case(record, id))
    }
    async fn cases_without_finding(&self, limit: u64) -> StoreResult<Vec<CaseId>> {
        self.read(Op::CasesWithoutFinding, |record| Ok(cases::without_finding(record, limit)))
    }
    async fn save_finding(&self, id: &CaseId, revision: i64, finding: &Finding) -> StoreResult<i64> {
        self.write(Op::SaveFinding, always, |record| findings::save(record, id, revision, finding))
    }
    async fn choose_runs(&self, id: &CaseId, revision: i64, chosen: &ChosenRuns) -> StoreResult<i64> {
        self.write(Op::ChooseRuns, always, |record| cases::choose(record, id, revision, chosen))
    }
    async fn assign(&self, id: &CaseId, agent: Option<&AgentId>, by: &AgentId, at: Timestamp) -> StoreResult<()> {
        self.write(Op::Assign, always, |record| cases::assign(record, id, agent, by, cut(at)))
    }
    async fn queue(&self, query: &QueueQuery) -> StoreResult<QueuePage> {
        self.read(Op::Queue, |record| Ok(queue::page(record, query)))
    }
    async fn queue_counts(&self) -> StoreResult<QueueCounts> {
        self.read(Op::QueueCounts, |record| Ok(queue::counts(record)))
    }
    async fn attachment(&self, id: &AttachmentId) -> StoreResult<AttachmentFile> {
        self.read(Op::Attachment, |record| cases::attachment(record, id))
    }
    async fn save_draft(&self, draft: &Draft, base_revision: i64) -> StoreResult<DraftSave> {
        self.write(Op::SaveDraft, always, |record| cases::save_draft(record, draft, base_revision))
    }
    async fn drafts(&self, id: &CaseId) -> StoreResult<Vec<Draft>> {
        self.read(Op::Drafts, |record| Ok(cases::drafts(record, id)))
    }
    async fn saved_views(&self, agent: &AgentId) -> StoreResult<Vec<SavedView>> {
        self.read(Op::SavedViews, |record| Ok(cases::views(record, agent)))
    }
    async fn save_view(&self, agent: &AgentId, view: &SavedView) -> StoreResult<()> {
        self.write(Op::SaveView, always, |record| {
            record.views.put((agent.clone(), view.name.clone()), view.query.clone());
            Ok(())
        })
    }
    async fn delete_view(&self, agent: &AgentId, name: &str) -> StoreResult<()> {
        self.write(Op::DeleteView, always, |record| {
            record.views.remove(&(agent.clone(), name.to_owned()));
            Ok(())
        })
    }
}

#[async_trait]
impl ActionStore for MemoryStore {
    async fn begin_action(&self, order: &Order, plan: &Plan) -> StoreResult<Begun> {
        let order = Order { at: cut(order.at), ..order.clone() };
        self.write(Op::BeginAction, |begun| *begun == Begun::New, |record| journal::begin(record, &order, plan))
    }
    async fn apply(
        &self,
        key: &ActionKey,
        step: u32,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        self.write(Op::Apply, if_done, |record| journal::apply(record, key, (step, part), effect, cut(at)))
    }
    async fn finish_action(&self, key: &ActionKey, state: &ActionState, at: Timestamp) -> StoreResult<()> {
        self.write(Op::FinishAction, always, |record| journal::finish(record, key, state, cut(at)))
    }
    async fn action(&self, key: &ActionKey) -> StoreResult<Option<ActionRecord>> {
        self.read(Op::Action, |record| Ok(journal::action(record, key)))
    }
    async fn actions_of(&self, case: &CaseId) -> StoreResult<Vec<ActionRecord>> {
        self.read(Op::ActionsOf, |record| Ok(journal::actions_of(record, case)))
    }
    async fn unfinished_actions(&self) -> StoreResult<Vec<ActionRecord>> {
        self.read(Op::UnfinishedActions, |record| Ok(journal::unfinished(record)))
    }
    async fn audit(&self, subject: Option<&str>, limit: u64) -> StoreResult<Vec<AuditLine>> {
        self.read(Op::Audit, |record| Ok(journal::audit(record, subject, limit)))
    }
    async fn note_connection(
        &self,
        agent: &AgentId,
        provider: &ProviderId,
        change: ConnectionChange,
        outcome: &str,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.write(Op::NoteConnection, always, |record| {
            effects::audit(record, agent.as_str(), change.word(), provider.as_str(), outcome, cut(at));
            Ok(())
        })
    }
    async fn audit_verify(&self) -> StoreResult<Option<AuditBreak>> {
        self.read(Op::AuditVerify, |record| Ok(journal::audit_verify(record)))
    }
    async fn outbox(&self, limit: u64) -> StoreResult<Vec<OutboxLine>> {
        self.read(Op::Outbox, |record| Ok(record.outbox.values().rev().take(items::size(limit)).cloned().collect()))
    }
}

#[async_trait]
impl ReconcileStore for MemoryStore {
    async fn claim_due(
        &self,
        worker: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<DueRun>> {
        let until = at.checked_add(lease).map_err(|error| StoreError::Backend(error.to_string()))?;
        self.write(Op::ClaimDue, always, |record| Ok(due::claim(record, worker, limit, cut(until), cut(at))))
    }
    async fn scope_of_run(&self, root: &RunId, as_of: Timestamp) -> StoreResult<Option<Scope>> {
        self.read(Op::ScopeOfRun, |record| Ok(scope::of_run(record, root, as_of)))
    }
    async fn end_look(&self, root: &RunId, worker: &str, next: &NextLook, at: Timestamp) -> StoreResult<()> {
        self.write(Op::EndLook, always, |record| {
            due::end(record, root, worker, next, cut(at));
            Ok(())
        })
    }
    async fn settle(&self, key: &ActionKey, part: u32, effect: &Effect, at: Timestamp) -> StoreResult<Applied> {
        self.write(Op::Settle, if_done, |record| sweeps::settle(record, key, part, effect, cut(at)))
    }
    async fn detect(&self, detection: &Detection) -> StoreResult<bool> {
        self.write(Op::Detect, always, |record| reconciler::detect(record, detection))
    }
    async fn detections(&self, open_only: bool, limit: u64) -> StoreResult<Vec<Detection>> {
        self.read(Op::Detections, |record| Ok(reconciler::detections(record, open_only, limit)))
    }
    async fn detections_of(&self, charges: &[ChargeId]) -> StoreResult<Vec<Detection>> {
        self.read(Op::Detections, |record| Ok(reconciler::detections_of(record, charges)))
    }
    async fn close_detections(&self, root: &RunId, still: &[Detection], at: Timestamp) -> StoreResult<u64> {
        self.write(Op::CloseDetections, always, |record| Ok(reconciler::close_detections(record, root, still, cut(at))))
    }
    async fn save_pass(&self, report: &PassReport) -> StoreResult<()> {
        self.write(Op::SavePass, always, |record| reconciler::save_pass(record, report))
    }
    async fn passes(&self, limit: u64) -> StoreResult<Vec<PassReport>> {
        self.read(Op::Passes, |record| Ok(reconciler::passes(record, limit)))
    }
    async fn next_due(&self, at: Timestamp) -> StoreResult<Option<Timestamp>> {
        self.read(Op::NextDue, |record| Ok(due::next(record, cut(at))))
    }
    async fn promise(&self, at: Timestamp) -> StoreResult<PromiseHealth> {
        self.read(Op::Promise, |record| Ok(reconciler::promise(record, cut(at))))
    }
    async fn full_scan(&self) -> StoreResult<FullScan> {
        self.read(Op::FullScan, |record| Ok(reconciler::full_scan(record)))
    }
}

#[async_trait]
impl ApprovalStore for MemoryStore {
    async fn identity(&self, said: &AgentId, at: Timestamp) -> StoreResult<Identity> {
        self.read(Op::Identity, |record| Ok(limits::identity(record, said, at)))
    }
    async fn people(&self) -> StoreResult<Vec<Person>> {
        self.read(Op::People, |record| Ok(record.people.values().cloned().collect()))
    }
    async fn put_person(&self, person: &Person, at: Timestamp) -> StoreResult<()> {
        self.write(Op::PutPerson, always, |record| {
            record.people.put(person.id.clone(), person.clone());
            effects::audit(record, "owner", "put_person", person.id.as_str(), &person.name, cut(at));
            Ok(())
        })
    }
    async fn ask_approval(&self, request: &ApprovalRequest) -> StoreResult<Decided> {
        self.write(Op::AskApproval, if_decided, |record| approvals::ask(record, request))
    }
    async fn decide_approval(
        &self,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        at: Timestamp,
    ) -> StoreResult<Decided> {
        self.write(Op::DecideApproval, if_decided, |record| approvals::decide(record, id, decision, cut(at)))
    }
    async fn approvals(&self, open_only: bool, limit: u64, at: Timestamp) -> StoreResult<Vec<Approval>> {
        self.read(Op::Approvals, |record| Ok(approvals::list(record, open_only, limit, cut(at))))
    }
}

#[async_trait]
impl DeliveryStore for MemoryStore {
    async fn keep_deliveries(&self, deliveries: &[NewDelivery], at: Timestamp) -> StoreResult<Vec<bool>> {
        self.write(Op::KeepDeliveries, always, |record| Ok(received::keep(record, deliveries, cut(at))))
    }
    async fn prune(&self, limit: u32, at: Timestamp) -> StoreResult<Pruned> {
        self.write(Op::Prune, always, |record| Ok(pruning::prune(record, limit, cut(at))))
    }
    /// Nothing is written at the same moment here.
    async fn match_deliveries(&self, _since: Timestamp, _at: Timestamp) -> StoreResult<u64> {
        self.read(Op::MatchDeliveries, |_| Ok(0))
    }
    async fn deliveries(&self, limit: u64) -> StoreResult<Vec<DeliveryLine>> {
        self.read(Op::Deliveries, |record| Ok(received::newest(record, limit)))
    }
    async fn delivery_body(&self, provider: &ProviderId, delivery_id: &str) -> StoreResult<Option<Vec<u8>>> {
        let key = (provider.clone(), delivery_id.to_owned());
        self.read(Op::DeliveryBody, |record| Ok(record.deliveries.get(&key).and_then(|row| row.body.clone())))
    }
}

#[async_trait]
impl LetterStore for MemoryStore {
    async fn claim_letters(
        &self,
        endpoint: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<Letter>> {
        let until = at.checked_add(lease).map_err(|error| StoreError::Backend(error.to_string()))?;
        self.write(Op::ClaimLetters, always, |record| Ok(letters::claim(record, endpoint, limit, cut(until), cut(at))))
    }
    async fn end_letter(
        &self,
        endpoint: &str,
        id: &str,
        end: &LetterEnd,
        all: &[String],
        at: Timestamp,
    ) -> StoreResult<bool> {
        self.write(Op::EndLetter, always, |record| Ok(letters::end(record, endpoint, id, end, all, cut(at))))
    }
    async fn enable_endpoint(&self, endpoint: &str, at: Timestamp) -> StoreResult<bool> {
        self.write(Op::EnableEndpoint, always, |record| Ok(letters::enable(record, endpoint, cut(at))))
    }
    async fn endpoints(&self) -> StoreResult<Vec<EndpointState>> {
        self.read(Op::Endpoints, |record| Ok(letters::endpoints(record)))
    }
}

#[async_trait]
impl FileStore for MemoryStore {
    async fn file_references(&self, sha256: &[String]) -> StoreResult<Vec<FileReference>> {
        self.read(Op::FileReferences, |record| Ok(files::references(record, sha256)))
    }
    async fn known_files(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<KnownFile>> {
        self.read(Op::KnownFiles, |record| Ok(files::known(record, after, limit)))
    }
    async fn claim_removal(&self, removal: &Removal, at: Timestamp) -> StoreResult<bool> {
        self.write(Op::ClaimRemoval, always, |record| Ok(files::claim(record, removal, cut(at))))
    }
    async fn end_removal(&self, sha256: &str, at: Timestamp) -> StoreResult<bool> {
        self.write(Op::EndRemoval, always, |record| Ok(files::end(record, sha256, cut(at))))
    }
    async fn claimed_removals(&self, limit: u32) -> StoreResult<Vec<String>> {
        self.read(Op::ClaimedRemovals, |record| Ok(files::claimed(record, limit)))
    }
    async fn record_id(&self) -> StoreResult<String> {
        self.read(Op::RecordId, |_| Ok(self.id()))
    }
}

#[async_trait]
impl Store for MemoryStore {
    /// Nothing is held open.
    async fn close(&self) {}
    async fn health(&self) -> StoreResult<StoreHealth> {
        self.read(Op::Health, |record| match proof::breaks(record).into_iter().next() {
            Some(why) => Err(StoreError::Inconsistent { at: "the ledger".to_owned(), why }),
            None => Ok(StoreHealth {
                backend: "memory".to_owned(),
                version: "1".to_owned(),
                schema: 0,
                location: "memory".to_owned(),
            }),
        })
    }
}
