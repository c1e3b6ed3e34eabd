//! The small reads and writes around a case: drafts, views, audit, outbox, raw answers.

use makegood_domain::diagnose::Verdict;
use makegood_domain::ids::{AgentId, CaseId, JobId};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{self, Draft, DraftSave, QueueQuery, StoreError};

use crate::contract::*;
use crate::desk::Desk;
use crate::error::{Error, Result};

/// Longest text of a draft, in bytes; a help desk takes less.
const DRAFT_BYTES_MAX: usize = 256 * 1024;
/// Audit lines in one answer.
const AUDIT_LINES_MAX: u64 = 1_000;
const OUTBOX_LINES_MAX: u64 = 500;

impl Desk {
    /// Who works here, on which record, with which policy.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn app_info(&self, _: Nothing) -> Result<AppInfo> {
        let identity = self.identity(self.now()).await?;
        let health = self.health.get_or_try_init(|| self.store.health()).await?.clone();
        Ok(AppInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workspace: self.workspace.name.clone(),
            banner: self.workspace.banner.clone(),
            agent: AgentView {
                id: self.agent.id.0.clone(),
                name: self.agent.name.clone(),
                limit: identity.person.per_posting,
            },
            identity: crate::approve::identity_view(identity),
            policy: crate::policy_view::policy_view(&self.policy),
            store: StoreView {
                backend: health.backend,
                version: health.version,
                schema: health.schema,
                location: health.location,
            },
            now: self.now(),
            started_at: self.started_at,
        })
    }

    /// Keeps a draft; a text written elsewhere meanwhile is shown, not overwritten.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn save_draft(&self, request: SaveDraftRequest) -> Result<SaveDraftResult> {
        if request.text.len() > DRAFT_BYTES_MAX {
            return Err(Error::BadRequest(format!(
                "the text has {} bytes, a draft can have {DRAFT_BYTES_MAX}",
                request.text.len()
            )));
        }
        let saved_at = self.now();
        let draft = Draft {
            case_id: CaseId(request.case_id.clone()),
            kind: request.kind,
            author: self.agent.id.clone(),
            text: request.text,
            revision: request.base_revision,
            saved_at,
        };
        Ok(match self.store.save_draft(&draft, request.base_revision).await? {
            DraftSave::Saved { revision } => SaveDraftResult::Saved { revision, saved_at },
            DraftSave::Conflict { theirs } => SaveDraftResult::Conflict { theirs: draft_view(theirs) },
        })
    }

    /// The agent's own views of the queue.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn saved_views(&self, _: Nothing) -> Result<SavedViews> {
        let views = self.store.saved_views(&self.agent.id).await?;
        Ok(SavedViews { views: views.into_iter().map(|view| wire_view(view, &self.agent.id)).collect() })
    }

    /// Keeps a view under its name; the same name is replaced.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn save_view(&self, view: SavedView) -> Result<Nothing> {
        let name = view.name.trim();
        if name.is_empty() || name.chars().count() > 60 {
            return Err(Error::BadRequest("a view needs a name of at most 60 characters".into()));
        }
        let filter = &view.filter;
        // Instants are relative in a view: "due today" means the day it is looked at.
        let query = QueueQuery {
            due_before: filter.due_today.then_some(jiff::Timestamp::UNIX_EPOCH),
            deadline_before: filter.file_at_risk.then_some(jiff::Timestamp::UNIX_EPOCH),
            ..self.query_of(filter, 0, 0, jiff::Timestamp::UNIX_EPOCH)
        };
        self.store.save_view(&self.agent.id, &ports::SavedView { name: name.to_owned(), query }).await?;
        Ok(Nothing {})
    }

    /// Forgets a view; one that is not there is no error.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn delete_view(&self, request: ViewNameRequest) -> Result<Nothing> {
        self.store.delete_view(&self.agent.id, &request.name).await?;
        Ok(Nothing {})
    }

    /// A provider's answer as it came.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn raw_answer(&self, request: RawAnswerRequest) -> Result<RawAnswerView> {
        let answers = self.store.answers(&JobId(request.job_id)).await?;
        let found = answers.into_iter().find(|stored| stored.id == request.answer_id);
        let stored = found.ok_or(StoreError::NotFound { what: "raw answer", id: request.answer_id })?;
        Ok(RawAnswerView {
            url: stored.answer.url,
            status: stored.answer.status,
            body: stored.answer.body,
            fetched_at: stored.answer.fetched_at,
        })
    }

    /// Takes a case, or gives it back.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn claim_case(&self, request: ClaimCaseRequest) -> Result<Nothing> {
        let case_id = CaseId(request.case_id);
        let agent = request.claim.then_some(&self.agent.id);
        self.store.assign(&case_id, agent, &self.agent.id, self.now()).await?;
        self.changed(Topic::Case { case_id: case_id.0 });
        self.changed(Topic::Queue);
        Ok(Nothing {})
    }

    /// The newest audit lines, and whether the chain of all of them is whole.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn audit(&self, request: AuditRequest) -> Result<AuditView> {
        let lines = self.store.audit(request.subject.as_deref(), request.limit.min(AUDIT_LINES_MAX)).await?;
        let broken = self.store.audit_verify().await?;
        Ok(AuditView {
            lines: lines
                .into_iter()
                .map(|line| AuditRow {
                    seq: line.seq,
                    at: line.at,
                    actor: line.actor,
                    act: line.act,
                    subject: line.subject,
                    detail: line.detail,
                    hash: line.hash,
                })
                .collect(),
            broken: broken.map(|found| format!("line {}: {}", found.seq, found.why)),
        })
    }

    /// What waits to be sent outside, newest first.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn outbox(&self, _: Nothing) -> Result<OutboxView> {
        let lines = self.store.outbox(OUTBOX_LINES_MAX).await?;
        Ok(OutboxView {
            rows: lines
                .into_iter()
                .map(|line| OutboxRow {
                    id: line.id,
                    at: line.at,
                    kind: line.kind,
                    case_id: line.case_id.map(|id| id.0),
                    summary: line.summary,
                    state: line.state,
                })
                .collect(),
        })
    }
}

pub(crate) fn draft_view(draft: Draft) -> DraftView {
    DraftView {
        kind: draft.kind,
        text: draft.text,
        author: draft.author.0,
        revision: draft.revision,
        saved_at: draft.saved_at,
    }
}

fn wire_view(view: ports::SavedView, me: &AgentId) -> SavedView {
    let query = view.query;
    let states: Vec<CaseState> = query.states;
    let verdicts: Vec<Verdict> = query.verdicts;
    SavedView {
        name: view.name,
        filter: QueueFilter {
            states,
            verdicts,
            remedies: query.remedies,
            desks: query.desks,
            mine: query.assignee.as_ref() == Some(me),
            due_today: query.due_before.is_some(),
            file_at_risk: query.deadline_before.is_some(),
            search: query.search,
            order: query.order,
        },
    }
}
