//! Ticket to finding: read, match, diagnose, draft. One path, for intake, for the window, for the
//! evaluation of labelled cases; there is no second opinion in code.

use jiff::Timestamp;
use makegood_domain::diagnose::{Evidence, diagnose};
use makegood_domain::draft::{AnswerInput, answer};
use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::matching::{match_run, overruled};
use makegood_domain::ports::{AttachmentFile, CaseRecord, Finding, NewCase, ReadingContext, StoreError};
use makegood_domain::scope::Scope;
use makegood_domain::support::Ticket;

use crate::contract::{ChooseRunsRequest, Nothing, Topic};
use crate::desk::Desk;
use crate::error::{Error, Result};

/// Business days until an answer is due (R23).
const ANSWER_BUSINESS_DAYS: u32 = 1;
/// Looks at one case, each of which somebody else can overtake.
const LOOKS_MAX: u32 = 4;

/// A case with everything that its finding rests on, read at one moment.
pub struct Examined {
    pub case: CaseRecord,
    pub scope: Scope,
    pub finding: Finding,
}

impl Desk {
    /// Takes a ticket in: opens its case (once) and examines it.
    ///
    /// # Errors
    /// When the record or the reader cannot be used; an odd ticket is no error.
    pub async fn take_in(&self, case_id: CaseId, ticket: Ticket, files: Vec<AttachmentFile>) -> Result<Examined> {
        let opened_at = self.now();
        let due_at = self.policy.calendar.after_business_days(ticket.created_at, ANSWER_BUSINESS_DAYS);
        let new = NewCase { case_id, ticket, files, due_at, opened_at };
        let (case, _) = self.store.open_case(&new).await?;
        self.examine(&case.id).await
    }

    /// Examines a case with the facts and the clock of now. The finding is kept if it says
    /// something else than the last one. A case that somebody changes at that moment is looked at
    /// again, a few times.
    ///
    /// # Errors
    /// When the case does not exist, or the record or the reader cannot be used.
    pub async fn examine(&self, case_id: &CaseId) -> Result<Examined> {
        for _ in 1..LOOKS_MAX {
            match self.examine_once(case_id).await {
                Err(Error::Store(StoreError::Stale { .. })) => {}
                ended => return ended,
            }
        }
        self.examine_once(case_id).await
    }

    async fn examine_once(&self, case_id: &CaseId) -> Result<Examined> {
        let mut case = self.store.case(case_id).await?;
        let now = self.now();
        let mut scope = self.store.scope(&case.ticket.requester, Some(&case.ticket.id), now).await?;
        self.note_mute_providers(&mut scope);
        let finding = self.find(&case, &scope, now).await?;
        let known = case.finding.as_ref().is_some_and(|last| says_the_same(last, &finding));
        if !known {
            case.revision = self.store.save_finding(&case.id, case.revision, &finding).await?;
            case.finding = Some(finding.clone());
            self.changed(Topic::Queue);
        }
        Ok(Examined { case, scope, finding })
    }

    /// What the rules make of a case at an instant. Keeps nothing.
    pub(crate) async fn find(&self, case: &CaseRecord, scope: &Scope, now: Timestamp) -> Result<Finding> {
        let context = ReadingContext {
            models: scope.models.clone(),
            projects: scope.projects.iter().filter(|project| scope.owns_project(&project.id)).cloned().collect(),
        };
        let claim = self.reader.read(&case.ticket, &context).await?;
        let run_match = match &case.chosen_runs {
            Some(chosen) => overruled(&chosen.run_ids, chosen.agent.as_str(), &claim, scope, &self.policy),
            None => match_run(&claim, scope, &self.policy),
        };
        let evidence = Evidence {
            claim: &claim,
            run_match: &run_match,
            scope,
            ticket_id: &case.ticket.id,
            ticket_created_at: case.ticket.created_at,
        };
        let diagnosis = diagnose(&evidence, &self.policy, now);
        let answer = answer(&AnswerInput { ticket: &case.ticket, claim: &claim, diagnosis: &diagnosis, scope, now });
        Ok(Finding {
            claim,
            reader: self.reader.name().to_owned(),
            run_match,
            diagnosis,
            answer: answer.text,
            answer_locale: answer.locale,
            answer_leaks: answer.leaks.iter().map(ToString::to_string).chain(answer.missing).collect(),
            policy_version: self.policy.version.clone(),
            found_at: now,
        })
    }

    /// Overrules the match: an agent says which run is meant, and why.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn choose_runs(&self, request: ChooseRunsRequest) -> Result<Nothing> {
        if request.reason.trim().is_empty() {
            return Err(Error::BadRequest("say why this run is the one: the choice is kept with its reason".into()));
        }
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let run_ids: Vec<RunId> = request.run_ids.into_iter().map(RunId).collect();
        if run_ids.is_empty() {
            return Err(Error::BadRequest("choose at least one run".into()));
        }
        for id in &run_ids {
            if !examined.scope.runs.iter().any(|dossier| dossier.run.id == *id) {
                return Err(Error::Refused(format!("run {id} is not in the requester's scope (P2)")));
            }
        }
        if examined.case.revision != request.case_revision {
            return Err(Error::Stale("the case changed since you looked at it; nothing was chosen".into()));
        }
        let chosen = makegood_domain::ports::ChosenRuns {
            run_ids,
            agent: self.agent.id.clone(),
            at: self.now(),
            reason: request.reason.trim().to_owned(),
        };
        self.store.choose_runs(&examined.case.id, request.case_revision, &chosen).await?;
        self.examine(&examined.case.id).await?;
        self.changed(Topic::Case { case_id: examined.case.id.0 });
        Ok(Nothing {})
    }
}

/// Whether two findings would be shown and acted on alike. When they were made does not matter,
/// and the end of a hold, which runs from the moment of looking (P13), neither.
fn says_the_same(a: &Finding, b: &Finding) -> bool {
    use makegood_domain::diagnose::{ItemActionKind, Remedy};
    let held = |finding: &Finding| {
        finding.diagnosis.remedy == Remedy::HoldAsset
            || finding.diagnosis.item_actions.iter().any(|row| row.action == ItemActionKind::Hold)
    };
    let plain = |finding: &Finding| {
        let mut finding = finding.clone();
        finding.found_at = Timestamp::UNIX_EPOCH;
        if held(&finding) {
            finding.diagnosis.follow_up_at = None;
            finding.answer = String::new();
        }
        finding
    };
    plain(a) == plain(b)
}
