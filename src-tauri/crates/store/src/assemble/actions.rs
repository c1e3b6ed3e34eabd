//! Actions with the receipts of their steps.

use makegood_domain::ids::{ActionKey, AgentId};
use makegood_domain::plan::Order;
use makegood_domain::ports::{ActionRecord, ActionState, StepReceipt, StoreError, StoreResult};

use super::by_key;
use crate::rows::{Columns, parse_document};

/// Actions with the receipts of their steps, in the order of both.
pub(crate) fn actions<R: Columns>(rows: &[R], steps: &[R]) -> StoreResult<Vec<ActionRecord>> {
    let mut receipts = by_key(steps, "key", step)?;
    rows.iter()
        .map(|row| {
            let key = row.text("key")?;
            Ok(ActionRecord {
                plan: parse_document(&row.text("plan")?, &key)?,
                state: state(row)?,
                receipts: receipts.remove(&key).unwrap_or_default(),
                finished_at: row.opt_time("finished_at")?,
                order: Order {
                    digest: row.text("digest")?,
                    agent: AgentId(row.text("agent")?),
                    at: row.time("at")?,
                    reason: row.opt_text("reason")?,
                    key: ActionKey(key),
                },
            })
        })
        .collect()
}

fn step(row: &impl Columns) -> StoreResult<StepReceipt> {
    let receipt = parse_document(&row.text("receipt")?, &row.text("key")?)?;
    Ok(StepReceipt { step: row.count("step")?, part: row.count("part")?, at: row.time("at")?, receipt })
}

/// The word of a state in the column `state`.
pub(crate) fn state_word(state: &ActionState) -> &'static str {
    match state {
        ActionState::Running => "running",
        ActionState::Done => "done",
        ActionState::Refused { .. } => "refused",
        ActionState::FailedBeforeEffect { .. } => "failed_before_effect",
        ActionState::Unknown { .. } => "unknown",
    }
}

fn state(row: &impl Columns) -> StoreResult<ActionState> {
    let why = row.opt_text("why")?.unwrap_or_default();
    Ok(match row.text("state")?.as_str() {
        "running" => ActionState::Running,
        "done" => ActionState::Done,
        "refused" => ActionState::Refused { why },
        "failed_before_effect" => {
            ActionState::FailedBeforeEffect { why, retry: row.opt_int("retry")?.is_some_and(|retry| retry != 0) }
        }
        "unknown" => ActionState::Unknown { why },
        other => {
            let why = format!("`{other}` is no state of an action");
            return Err(StoreError::Inconsistent { at: row.text("key")?, why });
        }
    })
}
