//! Diagnosis to plan: the steps of one action in their fixed order. Files come before postings and
//! words come last, so that a customer is never told what did not happen.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::offer::offers;
use super::record::{RunFacts, diagnosed_runs, foreign_maker, maker, run_facts};
use super::release::release_steps;
use super::{ActionKind, CaseState, Consent, Effect, Place, Plan, Step};
use crate::diagnose::{ChargeRestoration, Diagnosis, Flag, ItemActionKind};
use crate::draft;
use crate::ids::{CaseId, OutputId, RefundId, RunId};
use crate::ports::Ids;
use crate::scope::{Dossier, Scope};
use crate::support::{Claim, MessageKind};
use crate::work::OutputState;

/// What a plan is made from.
pub struct PlanInput<'a> {
    pub case_id: &'a CaseId,
    pub case_revision: i64,
    pub state: CaseState,
    pub kind: ActionKind,
    pub claim: &'a Claim,
    pub diagnosis: &'a Diagnosis,
    pub scope: &'a Scope,
    /// The answer as it will be sent, in the language of `locale`.
    pub answer: &'a str,
    pub locale: &'a str,
    /// Why an agent goes against the verdict (R53).
    pub reason: Option<&'a str>,
    /// What an agent wants restored against the verdict; not looked at where the verdict restores.
    pub agent_restorations: &'a [ChargeRestoration],
    /// What the customer agreed to, where a late result is released.
    pub consent: Option<&'a Consent>,
    /// Until when a file without a place is kept, where the diagnosis does not say (P13).
    pub hold_until: Option<Timestamp>,
    pub now: Timestamp,
    /// Source of the ids of outputs and refunds.
    pub ids: &'a dyn Ids,
}

/// Why no plan is made, for the agent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The action does not fit the verdict, or the case is closed.
    #[error("{} is not possible: {why}", kind.word())]
    NotOffered { kind: ActionKind, why: String },
    #[error("restoring against the verdict {verdict} needs a reason (R53)")]
    ReasonNeeded { verdict: &'static str },
    #[error("a late result is released only against a debit that the customer agreed to (P4): {why}")]
    ConsentNeeded { why: &'static str },
    /// The answer is empty, or tells what the requester must not know (P11).
    #[error("the answer can't be sent: {why}")]
    Answer { why: String },
    /// The record lacks what the diagnosis rests on: it must be diagnosed again.
    #[error("the record does not allow it: {why}")]
    Record { why: String },
    /// An item would get two remedies (P4).
    #[error("item {item} of {run} would be given both its file and its credits (P4)")]
    TwoRemedies { run: RunId, item: u32 },
}

pub(super) fn record(why: impl Into<String>) -> Refusal {
    Refusal::Record { why: why.into() }
}

/// The steps of an action, in order: files, moved and quarantined outputs, the incident,
/// restorations, the link, upstream cancellations, the owner's notice, the answer, the case.
///
/// # Errors
/// Where the action does not fit the verdict or the record, in words for the agent.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, Refusal> {
    let against = check_offer(input)?;
    check_answer(input)?;
    let mut steps = Vec::new();
    if input.kind == ActionKind::Release {
        steps.extend(release_steps(input)?);
    }
    if !against {
        steps.extend(file_steps(input)?);
        steps.extend(output_steps(input)?);
    }
    let restorations = if against { input.agent_restorations } else { &input.diagnosis.restorations };
    if against {
        restorations.iter().try_for_each(|restoration| check_not_delivered(input.scope, restoration))?;
    }
    steps.extend(restore_steps(input, restorations)?);
    if let (ActionKind::Link, to) = (input.kind, &input.diagnosis.linked_ticket) {
        let to = to.clone().ok_or_else(|| record("the older ticket to link to is not known"))?;
        steps.push(Step::Do { effect: Effect::LinkTicket { to } });
    }
    steps.extend(cancel_steps(input.scope, input.diagnosis));
    steps.extend(owner_steps(input, restorations)?);
    steps.extend(closing_steps(input, against));
    check_one_remedy(&steps)?;
    Ok(Plan {
        case_id: input.case_id.clone(),
        case_revision: input.case_revision,
        kind: input.kind,
        remedy: input.diagnosis.remedy,
        flags: input.diagnosis.flags.iter().copied().collect(),
        steps,
    })
}

/// Whether the action goes against the verdict.
fn check_offer(input: &PlanInput<'_>) -> Result<bool, Refusal> {
    let offers = offers(input.diagnosis, input.state);
    let Some(offer) = offers.into_iter().find(|offer| offer.kind == input.kind) else {
        return Err(Refusal::NotOffered { kind: input.kind, why: "it is not offered".to_owned() });
    };
    if !offer.allowed {
        return Err(Refusal::NotOffered { kind: input.kind, why: offer.why_not });
    }
    if offer.needs_reason && input.reason.is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Refusal::ReasonNeeded { verdict: input.diagnosis.verdict.word() });
    }
    Ok(!offer.primary)
}

fn check_answer(input: &PlanInput<'_>) -> Result<(), Refusal> {
    if input.answer.trim().is_empty() {
        return Err(Refusal::Answer { why: "it is empty".to_owned() });
    }
    let leaks = draft::scan(input.answer, input.scope, input.claim);
    if leaks.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = leaks.iter().map(ToString::to_string).collect();
    Err(Refusal::Answer { why: format!("it names {}", named.join(", ")) })
}

fn facts<'a>(scope: &'a Scope, run: &RunId) -> Result<RunFacts<'a>, Refusal> {
    run_facts(scope, run).ok_or_else(|| record(format!("{run} is not in the requester's scope")))
}

fn file_steps(input: &PlanInput<'_>) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::new();
    for action in &input.diagnosis.item_actions {
        let held = match action.action {
            ItemActionKind::Recover => false,
            ItemActionKind::Hold => true,
            _ => continue,
        };
        let (run, item) = (facts(input.scope, &action.run)?, action.item);
        let place = match run.place() {
            Some(place) if !held => place,
            _ => hold(input, &run)?,
        };
        let step = match run.stored(item) {
            // The file of a deleted project is kept where it is stored (P10, P13).
            Some(output) if held => Step::Do { effect: Effect::Move { output_id: output.id.clone(), place } },
            Some(_) => return Err(record(format!("item {item} of {} is stored already", action.run))),
            None => {
                let fetch = run
                    .fetch(item)
                    .ok_or_else(|| record(format!("the provider has no file for item {item} of {}", action.run)))?;
                let output_id = OutputId::new(input.ids.new_id());
                Step::RecoverItem { run_id: action.run.clone(), item, fetch, place, output_id }
            }
        };
        steps.push(step);
    }
    let files_first = matches!(input.kind, ActionKind::Recover | ActionKind::Hold);
    if files_first && steps.is_empty() {
        return Err(record("the diagnosis names no file to fetch"));
    }
    Ok(steps)
}

fn hold(input: &PlanInput<'_>, run: &RunFacts<'_>) -> Result<Place, Refusal> {
    let until = input
        .diagnosis
        .follow_up_at
        .or(input.hold_until)
        .ok_or_else(|| record("it is not said until when the file is kept (P13)"))?;
    if until <= input.now {
        return Err(record(format!("the time to keep the file ended at {until}: diagnose again")));
    }
    Ok(Place::Hold { project_id: run.first.run.project_id.clone(), until })
}

/// Moves what lies in a wrong place of its owner. What lies with somebody else is first made
/// unreachable there, every copy of it; one of each item that the diagnosis gives back then goes to
/// its owner (P11). Moving an output makes it reachable again, at its new place.
fn output_steps(input: &PlanInput<'_>) -> Result<Vec<Step>, Refusal> {
    let diagnosis = input.diagnosis;
    let incident = diagnosis.flags.contains(&Flag::PrivacyIncident);
    let (mut steps, mut about, mut moved) = (Vec::new(), None, BTreeSet::new());
    for output_id in &diagnosis.misplaced_outputs {
        let in_scope = maker(input.scope, output_id);
        let dossier = in_scope
            .or_else(|| foreign_maker(input.scope, output_id))
            .ok_or_else(|| record(format!("the misplaced output {output_id} is not in the record")))?;
        about = about.or_else(|| Some(dossier.run.id.clone()));
        if incident {
            let reason = "lies in a project of another account (P11)".to_owned();
            steps.push(Step::Do { effect: Effect::Quarantine { output_id: output_id.clone(), reason } });
        }
        if in_scope.is_some()
            && let Some(place) = place_of_output(input, dossier, output_id, &mut moved)?
        {
            steps.push(Step::Do { effect: Effect::Move { output_id: output_id.clone(), place } });
        }
    }
    if matches!(input.kind, ActionKind::Reattach | ActionKind::Quarantine) && steps.is_empty() {
        return Err(record("the diagnosis names no misplaced output"));
    }
    // A run that an older ticket settles has its incident there (P12).
    if incident && input.kind != ActionKind::Link {
        let output_ids = diagnosis.misplaced_outputs.clone();
        let (verdict, count) = (diagnosis.verdict.word(), output_ids.len());
        let noun = if count == 1 { "output" } else { "outputs" };
        let summary =
            format!("{verdict}: {count} {noun} found in a project of another account, and made unreachable there");
        let run_id = about.or_else(|| diagnosis.matched_run.clone());
        steps.push(Step::Do { effect: Effect::OpenIncident { run_id, output_ids, summary } });
    }
    Ok(steps)
}

/// Where a misplaced output of a run in scope goes; `None` where it stays: its item is not given
/// back, or another copy of it was moved already.
fn place_of_output(
    input: &PlanInput<'_>,
    dossier: &Dossier,
    output_id: &OutputId,
    moved: &mut BTreeSet<(RunId, u32)>,
) -> Result<Option<Place>, Refusal> {
    let run = facts(input.scope, &dossier.run.id)?;
    let Some(output) = run.outputs().find(|row| row.id == *output_id) else { return Ok(None) };
    let whole = output.state == OutputState::Stored && output.bytes > 0;
    let given = input.diagnosis.item_actions.iter().any(|row| {
        let same_run = run.all.iter().any(|member| member.run.id == row.run);
        same_run && row.item == output.item && row.action == ItemActionKind::Reattach
    });
    if !whole || !given || !moved.insert((run.first.run.id.clone(), output.item)) {
        return Ok(None);
    }
    run.place().map_or_else(|| hold(input, &run), Ok).map(Some)
}

fn restore_steps(input: &PlanInput<'_>, restorations: &[ChargeRestoration]) -> Result<Vec<Step>, Refusal> {
    if input.kind == ActionKind::Restore && restorations.is_empty() {
        return Err(record("it is not said what is to be restored"));
    }
    restorations.iter().map(|restoration| restore_step(input, restoration)).collect()
}

fn restore_step(input: &PlanInput<'_>, restoration: &ChargeRestoration) -> Result<Step, Refusal> {
    let charge = &restoration.charge_id;
    let by_items: Option<i64> =
        restoration.items.iter().try_fold(0_i64, |sum, item| sum.checked_add(item.credits.max(0)));
    let by_lines: Option<i64> =
        restoration.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount.max(0)));
    if by_items.is_none_or(|sum| sum == 0) || by_items != by_lines {
        return Err(record(format!("items and balances of the restoration of {charge} do not add up")));
    }
    if restoration.items.iter().any(|item| item.credits <= 0) || restoration.lines.iter().any(|line| line.amount <= 0) {
        return Err(record(format!("the restoration of {charge} has an amount that is not above zero")));
    }
    let dossier = input.scope.runs.iter().find(|row| row.charges.iter().any(|posted| posted.id == *charge));
    let posted = dossier.and_then(|row| row.charges.iter().find(|posted| posted.id == *charge));
    let Some(posted) = posted.filter(|posted| posted.account_id == restoration.account_id) else {
        return Err(record(format!("there is no charge {charge} of account {} in scope", restoration.account_id)));
    };
    if by_items.is_some_and(|sum| sum > posted.total) {
        return Err(record(format!("more would be restored of {charge} than its {} credits", posted.total)));
    }
    let cause = input.diagnosis.verdict.word().to_owned();
    let refund_id = RefundId::new(input.ids.new_id());
    Ok(Step::Do { effect: Effect::Restore { refund_id, restoration: restoration.clone(), cause } })
}

/// Against the verdict nothing is restored whose file is there or can be had (P4). With the
/// verdict this is settled by diagnosis, which knows the exception: the second charge of an item.
fn check_not_delivered(scope: &Scope, restoration: &ChargeRestoration) -> Result<(), Refusal> {
    let run = facts(scope, &restoration.run_id)?;
    let id = &run.first.run.id;
    for item in restoration.items.iter().map(|row| row.item) {
        if run.stored(item).is_some() {
            return Err(record(format!("item {item} of {id} is stored: it is not paid back (P4)")));
        }
        if run.fetch(item).is_some() {
            return Err(record(format!("the file of item {item} of {id} still exists: recovery comes first (P4)")));
        }
    }
    Ok(())
}

fn cancel_steps(scope: &Scope, diagnosis: &Diagnosis) -> Vec<Step> {
    if !diagnosis.flags.contains(&Flag::CancelUpstream) {
        return Vec::new();
    }
    let runs = diagnosed_runs(scope, diagnosis);
    let jobs = runs.iter().flat_map(|run| &run.all).flat_map(|dossier| &dossier.jobs);
    jobs.filter(|job| !job.state.is_terminal())
        .map(|job| Step::Do {
            effect: Effect::CancelUpstream { provider_id: job.provider_id.clone(), job_id: job.id.clone() },
        })
        .collect()
}

fn owner_steps(input: &PlanInput<'_>, restorations: &[ChargeRestoration]) -> Result<Vec<Step>, Refusal> {
    if !input.diagnosis.flags.contains(&Flag::RequesterNotMember) {
        return Ok(Vec::new());
    }
    let run = diagnosed_runs(input.scope, input.diagnosis)
        .into_iter()
        .next()
        .ok_or_else(|| record("the run whose workspace owner is to be told is not in the record"))?;
    let account_id = run.first.account_id.clone();
    let text = draft::owner_notice(input.scope, input.diagnosis, restorations);
    Ok(vec![Step::Do { effect: Effect::TellOwner { account_id, text } }])
}

fn closing_steps(input: &PlanInput<'_>, against: bool) -> [Step; 2] {
    let say = Effect::Say { kind: MessageKind::Reply, text: input.answer.to_owned(), locale: input.locale.to_owned() };
    // A restoration against the verdict ends the wait that the verdict asked for.
    let follow_up_at = if against { None } else { input.diagnosis.follow_up_at };
    let state = match input.kind {
        ActionKind::Link => CaseState::Linked,
        ActionKind::Ask => CaseState::Waiting,
        _ if follow_up_at.is_some() => CaseState::Waiting,
        _ => CaseState::Settled,
    };
    [Step::Do { effect: say }, Step::Do { effect: Effect::SetCase { state, follow_up_at } }]
}

fn check_one_remedy(steps: &[Step]) -> Result<(), Refusal> {
    let mut recovered = BTreeSet::new();
    for step in steps {
        if let Step::RecoverItem { run_id, item, .. } = step
            && !recovered.insert((run_id, *item))
        {
            return Err(record(format!("item {item} of {run_id} is named twice")));
        }
    }
    for step in steps {
        let Step::Do { effect: Effect::Restore { restoration, .. } } = step else { continue };
        for item in &restoration.items {
            if recovered.contains(&(&restoration.run_id, item.item)) {
                return Err(Refusal::TwoRemedies { run: restoration.run_id.clone(), item: item.item });
            }
        }
    }
    Ok(())
}
