//! The case screen, composed from one examination: everything on it comes from the same moment.

mod claim;
mod evidence;
mod head;
mod shots;
mod timeline;
mod usage;

use jiff::Timestamp;
use makegood_domain::diagnose::items::items;
use makegood_domain::draft::{NoteInput, Tried, escalation_note};
use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::matching::logical_runs;
use makegood_domain::money::Credits;
use makegood_domain::plan::{offers, restorable};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{ActionRecord, ActionState};
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::work::{Job, Output, Run};

use crate::canvas;
use crate::contract::{
    AnswerView, CandidateView, CaseDetail, CaseRequest, MatchView, MessageView, NoteTemplate, Offer, OutcomeState,
};
use crate::desk::Desk;
use crate::error::Result;
use crate::finding::Examined;
use crate::labels;
use crate::read_back::unproved_view;
use crate::requests::draft_view;

impl Desk {
    /// Everything that the case screen shows.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn case_detail(&self, request: CaseRequest) -> Result<CaseDetail> {
        let case_id = CaseId(request.case_id);
        let examined = self.examine(&case_id).await?;
        let actions = self.store.actions_of(&case_id).await?;
        let drafts = self.store.drafts(&case_id).await?;
        let noticed = self.store.detections_of(&usage::charges(&examined)).await?;
        let actions: Vec<_> = actions.iter().map(unproved_view).collect();
        let busy = actions.iter().any(|action| matches!(action.state, OutcomeState::Running | OutcomeState::Unknown));
        Ok(CaseDetail {
            head: head::head(&examined),
            verdict: Some(head::verdict(&examined)),
            claim_rows: claim::rows(&examined),
            timeline: timeline::timeline(&examined, &self.policy),
            usage: usage::usage(&examined, &noticed, &self.policy),
            canvas: canvas::canvas(&examined, &self.policy, None),
            history: evidence::history(&examined),
            jobs: self.jobs(&examined).await?,
            conversation: conversation(&examined),
            shots: shots::shots(&examined),
            match_view: match_view(&examined),
            offers: offer_views(&examined, against_verdict(&examined, &self.policy), busy),
            approval: self.newest_approval(&case_id, None).await?,
            answer: AnswerView {
                text: examined.finding.answer.clone(),
                locale: examined.finding.answer_locale.clone(),
                ready: examined.finding.answer_leaks.is_empty(),
                leaks: examined.finding.answer_leaks.clone(),
            },
            drafts: drafts.into_iter().map(draft_view).collect(),
            actions,
        })
    }

    /// A fresh escalation note from the facts of a case.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn note_template(&self, request: CaseRequest) -> Result<NoteTemplate> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let actions = self.store.actions_of(&examined.case.id).await?;
        let tried: Vec<Tried> = actions.iter().rev().map(tried).collect();
        let note = escalation_note(&NoteInput {
            ticket: &examined.case.ticket,
            claim: &examined.finding.claim,
            diagnosis: &examined.finding.diagnosis,
            scope: &examined.scope,
            now: examined.scope.as_of,
            tried: &tried,
            asked: None,
        });
        Ok(NoteTemplate { text: note })
    }
}

fn tried(record: &ActionRecord) -> Tried {
    let outcome = match &record.state {
        ActionState::Running => "not finished".to_owned(),
        ActionState::Done => "done, read back".to_owned(),
        ActionState::Refused { why } => format!("refused: {why}"),
        ActionState::FailedBeforeEffect { why, .. } => format!("failed before any effect: {why}"),
        ActionState::Unknown { why } => format!("not known: {why}"),
    };
    Tried { at: record.order.at, what: record.plan.kind.word().to_owned(), outcome }
}

/// The matched runs with the system's retries of them, oldest first; empty where none is matched.
fn matched_dossiers(examined: &Examined) -> Vec<&Dossier> {
    let diagnosis = &examined.finding.diagnosis;
    let ids: Vec<&RunId> = diagnosis.matched_run.iter().chain(&diagnosis.additional_runs).collect();
    examined
        .scope
        .runs
        .iter()
        .filter(|dossier| {
            ids.contains(&&dossier.run.id) || dossier.run.retry_of.as_ref().is_some_and(|first| ids.contains(&first))
        })
        .collect()
}

/// Where an output lies, in names: `Spring lookbook / Shot 4`.
pub(crate) fn place_of(examined: &Examined, output: &Output) -> String {
    evidence::place(examined, output)
}

/// Where what a run makes is to go, in names.
pub(crate) fn place_of_run(examined: &Examined, run: &Run) -> String {
    evidence::named(examined, &run.project_id, Some(&run.node_id))
}

/// When a file is deleted at its provider, and whether that is only assumed (P7).
fn file_deadline(examined: &Examined, policy: &Policy, job: &Job, item: u32) -> Option<(Timestamp, bool)> {
    let run = logical_runs(&examined.scope).into_iter().find(|run| run.contains(&job.run_id))?;
    let views = items(&run, &examined.scope, policy, examined.scope.as_of);
    let made = views.into_iter().find(|view| view.item == item)?.made?;
    (made.job.id == job.id).then_some(())?;
    Some((made.deadline?, made.assumed))
}

fn model_name(scope: &Scope, dossier: &Dossier) -> String {
    scope
        .model(&dossier.run.model_id)
        .map_or_else(|| dossier.run.model_id.0.clone(), |model| model.display_name.clone())
}

fn conversation(examined: &Examined) -> Vec<MessageView> {
    let view = |message: &makegood_domain::support::Message| MessageView {
        id: message.id.0.clone(),
        kind: message.kind,
        author: message.author.clone(),
        at: message.at,
        text: message.text.clone(),
    };
    examined.case.messages.iter().map(view).collect()
}

fn match_view(examined: &Examined) -> MatchView {
    let found = &examined.finding.run_match;
    let candidate = |candidate: &makegood_domain::matching::Candidate| {
        let dossier = examined.scope.runs.iter().find(|dossier| dossier.run.id == candidate.run_id)?;
        let scope = &examined.scope;
        Some(CandidateView {
            run_id: candidate.run_id.0.clone(),
            matched: candidate.matched,
            troubled: candidate.troubled,
            project: scope.project(&dossier.run.project_id).map_or_else(String::new, |row| row.name.clone()),
            node: scope.node(&dossier.run.node_id).map_or_else(String::new, |row| row.label.clone()),
            model: model_name(scope, dossier),
            started_at: dossier.run.started_at,
            credits: dossier.charges.iter().map(|charge| charge.total).sum(),
            reasons_for: candidate.reasons_for.iter().map(|reason| reason.text.clone()).collect(),
            reasons_against: candidate.reasons_against.iter().map(|reason| reason.text.clone()).collect(),
        })
    };
    let chosen = examined.case.chosen_runs.as_ref();
    MatchView {
        explanation: found.explanation.clone(),
        matched: found.matched.iter().map(|id| id.0.clone()).collect(),
        candidates: found.candidates.iter().filter_map(candidate).collect(),
        chosen_by: chosen.map(|chosen| chosen.agent.0.clone()),
        chosen_reason: chosen.map(|chosen| chosen.reason.clone()),
    }
}

/// Credits that can be given back where the verdict gives none (R53).
fn against_verdict(examined: &Examined, policy: &Policy) -> Credits {
    let charges = restorable(&examined.scope, &examined.finding.diagnosis, policy, examined.scope.as_of);
    charges.iter().flat_map(|charge| &charge.lines).map(|line| line.amount).fold(0, Credits::saturating_add)
}

/// What can be done. While an action runs, or its outcome is not known, nothing else can (I13).
fn offer_views(examined: &Examined, against: Credits, busy: bool) -> Vec<Offer> {
    let diagnosis = &examined.finding.diagnosis;
    let credits = diagnosis.restored_total();
    offers(diagnosis, examined.case.state)
        .into_iter()
        // Against a verdict only what is really there to be given back.
        .filter(|offer| !offer.needs_reason || against > 0)
        .map(|offer| {
            let label = match (offer.allowed, offer.kind) {
                (true, _) if offer.needs_reason => format!("Restore {against} credits against the verdict"),
                (true, makegood_domain::plan::ActionKind::Restore) => format!("Restore {credits} credits"),
                (true, makegood_domain::plan::ActionKind::Recover) if credits > 0 => {
                    format!("Recover, restore {credits} credits")
                }
                (true, makegood_domain::plan::ActionKind::Recover) => "Recover output".to_owned(),
                (_, kind) => labels::action(kind).to_owned(),
            };
            let why_not = if busy {
                Some("another action on this case is not finished: check it first".to_owned())
            } else {
                (!offer.allowed).then_some(offer.why_not)
            };
            Offer {
                kind: offer.kind,
                label,
                primary: offer.primary,
                allowed: offer.allowed && !busy,
                needs_reason: offer.needs_reason,
                why_not,
            }
        })
        .collect()
}
