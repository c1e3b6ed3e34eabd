//! The journal of actions: the intent before anything is done, a receipt for each effect, the end.
//! The same key always gets the same answer.

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, CaseId};
use makegood_domain::plan::{Effect, Order, Plan, belongs};
use makegood_domain::ports::{
    ActionRecord, ActionState, Applied, ApprovalState, AuditBreak, AuditLine, Begun, StepReceipt, StoreError,
    StoreResult,
};

use super::effects::{self, Act};
use super::limits::{self, Permit};
use super::record::{ActionRow, Done, Record};
use super::{Halt, cases, items};

pub(super) fn begin(record: &mut Record, order: &Order, plan: &Plan) -> StoreResult<Begun> {
    if let Some(known) = action(record, &order.key) {
        let same = known.order.digest == order.digest && known.plan.case_id == plan.case_id;
        return Ok(if same { Begun::Existing(Box::new(known)) } else { Begun::KeyConflict });
    }
    if steps_of_sweep(record, &order.key) {
        return Ok(Begun::KeyConflict);
    }
    let revision = cases::row(record, &plan.case_id)?.revision;
    if revision != plan.case_revision {
        return Ok(Begun::CaseChanged { revision });
    }
    let open = record.actions.values().find(|row| row.plan.case_id == plan.case_id && row.finished_at.is_none());
    if let Some(row) = open {
        return Ok(Begun::Busy { key: row.order.key.clone(), kind: row.plan.kind });
    }
    let approval = match limits::permit(record, order, plan) {
        Permit::Needed { amount, why } => return Ok(Begun::ApprovalNeeded { amount, why }),
        Permit::Approved(id) => Some(id),
        Permit::Free => None,
    };
    let row = ActionRow { order: order.clone(), plan: plan.clone(), state: ActionState::Running, finished_at: None };
    record.actions.put(order.key.clone(), row);
    record.action_order.add(order.key.clone());
    effects::audit(record, order.agent.as_str(), "begin_action", plan.case_id.as_str(), order.key.as_str(), order.at);
    if let Some(id) = approval {
        record.approvals.edit(&id, |row| {
            row.state = ApprovalState::Used;
            row.used_by = Some(order.key.clone());
        });
    }
    Ok(Begun::New)
}

pub(super) fn apply(
    record: &mut Record,
    key: &ActionKey,
    (step, part): (u32, u32),
    effect: &Effect,
    at: Timestamp,
) -> StoreResult<Applied> {
    let place = (key.clone(), step, part);
    if let Some(known) = record.action_steps.get(&place) {
        return Ok(if known.effect == *effect {
            Applied::Done(known.receipt.clone())
        } else {
            Applied::Refused(format!("step {step}.{part} of action {key} was done already, with another effect"))
        });
    }
    let action = record.actions.get(key).ok_or_else(|| not_found(key))?.clone();
    if action.finished_at.is_some() {
        return Ok(Applied::Refused(format!("action {key} is over")));
    }
    if !belongs(&action.plan, step, part, effect) {
        return Ok(Applied::Refused(format!("step {step} of the plan of action {key} is another one")));
    }
    let act = Act { key, agent: &action.order.agent, case: Some(&action.plan.case_id), step, part, at };
    match effects::run(record, &act, effect) {
        Ok(receipt) => {
            let receipt = StepReceipt { step, part, at, receipt };
            record.action_steps.put(place, Done { effect: effect.clone(), receipt: receipt.clone() });
            Ok(Applied::Done(receipt))
        }
        Err(Halt::Refused(why)) => Ok(Applied::Refused(why)),
        Err(Halt::Failed(error)) => Err(error),
    }
}

pub(super) fn finish(record: &mut Record, key: &ActionKey, state: &ActionState, at: Timestamp) -> StoreResult<()> {
    let row = record.actions.get(key).ok_or_else(|| not_found(key))?;
    if row.state == *state {
        return Ok(());
    }
    if row.finished_at.is_some() {
        return Err(StoreError::Stale { what: "action", id: key.0.clone() });
    }
    let (agent, case) = (row.order.agent.clone(), row.plan.case_id.clone());
    let over = !matches!(state, ActionState::Running | ActionState::Unknown { .. });
    record.actions.edit(key, |row| {
        row.state = state.clone();
        row.finished_at = over.then_some(at);
    });
    if *state == ActionState::Done {
        cases::raise(record, &case);
    }
    effects::audit(record, agent.as_str(), "finish_action", case.as_str(), key.as_str(), at);
    Ok(())
}

/// Whether the key is one of the reconciler's.
fn steps_of_sweep(record: &Record, key: &ActionKey) -> bool {
    record.sweep_steps.range((key.clone(), 0)..).next().is_some_and(|((known, _), _)| known == key)
}

fn not_found(key: &ActionKey) -> StoreError {
    StoreError::NotFound { what: "action", id: key.0.clone() }
}

pub(super) fn action(record: &Record, key: &ActionKey) -> Option<ActionRecord> {
    let row = record.actions.get(key)?;
    let steps = record.action_steps.range((key.clone(), 0, 0)..).take_while(|(place, _)| place.0 == *key);
    Some(ActionRecord {
        order: row.order.clone(),
        plan: row.plan.clone(),
        state: row.state.clone(),
        receipts: steps.map(|(_, done)| done.receipt.clone()).collect(),
        finished_at: row.finished_at,
    })
}

/// Actions in the order in which they were begun, by their instant first.
fn in_order(record: &Record, wanted: impl Fn(&ActionRow) -> bool) -> Vec<ActionRecord> {
    let keys = record.action_order.values().filter(|key| record.actions.get(key).is_some_and(&wanted));
    let mut rows: Vec<ActionRecord> = keys.filter_map(|key| action(record, key)).collect();
    rows.sort_by_key(|row| row.order.at);
    rows
}

/// All of a case, newest first.
pub(super) fn actions_of(record: &Record, case: &CaseId) -> Vec<ActionRecord> {
    let mut rows = in_order(record, |row| row.plan.case_id == *case);
    rows.reverse();
    rows
}

pub(super) fn unfinished(record: &Record) -> Vec<ActionRecord> {
    in_order(record, |row| row.finished_at.is_none())
}

/// Newest first.
pub(super) fn audit(record: &Record, subject: Option<&str>, limit: u64) -> Vec<AuditLine> {
    let lines = record.audit.values().rev().filter(|line| subject.is_none_or(|subject| line.subject == subject));
    lines.take(items::size(limit)).cloned().collect()
}

/// The first line that does not follow the one before it.
pub(super) fn audit_verify(record: &Record) -> Option<AuditBreak> {
    let (mut seq, mut before) = (0, "");
    for line in record.audit.values() {
        seq += 1;
        if line.seq != seq || line.hash != effects::hash(before, line) {
            return Some(AuditBreak { seq, why: "it was changed after it was written".to_owned() });
        }
        before = &line.hash;
    }
    None
}
