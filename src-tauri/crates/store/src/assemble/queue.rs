//! Lines and numbers of the queue.

use std::collections::BTreeMap;

use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::ids::AgentId;
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueCounts, QueueLine, StoreError, StoreResult};

use crate::rows::Columns;

pub(crate) fn line(row: &impl Columns) -> StoreResult<QueueLine> {
    Ok(QueueLine {
        case_id: row.text("id")?.as_str().into(),
        ticket_id: row.text("ticket_id")?.as_str().into(),
        subject: row.text("subject")?,
        customer: row.text("customer")?,
        desk: row.text("desk")?,
        state: row.word("state")?,
        assignee: row.opt_text("assignee")?.map(AgentId),
        verdict: row.opt_text("verdict")?.map(verdict).transpose()?,
        remedy: row.opt_text("remedy")?.map(remedy).transpose()?,
        amount: row.opt_int("amount")?,
        model: row.opt_text("model")?,
        file_deadline: row.opt_time("file_deadline")?,
        saved: row.flag("saved")?,
        due_at: row.time("due_at")?,
        follow_up_at: row.opt_time("follow_up_at")?,
        opened_at: row.time("opened_at")?,
    })
}

/// Sums of `cases` by `state`, `verdict` and `desk`, each apart.
pub(crate) fn counts<R: Columns>(rows: &[R]) -> StoreResult<QueueCounts> {
    let mut verdicts: BTreeMap<Verdict, u64> = BTreeMap::new();
    let mut desks: BTreeMap<String, u64> = BTreeMap::new();
    let mut states: BTreeMap<CaseState, u64> = BTreeMap::new();
    for row in rows {
        let cases: u64 = row.count("cases")?;
        if let Some(text) = row.opt_text("verdict")? {
            *verdicts.entry(verdict(text)?).or_default() += cases;
        }
        *desks.entry(row.text("desk")?).or_default() += cases;
        *states.entry(row.word("state")?).or_default() += cases;
    }
    Ok(QueueCounts {
        by_verdict: verdicts.into_iter().collect(),
        by_desk: desks.into_iter().collect(),
        by_state: states.into_iter().collect(),
    })
}

fn verdict(text: String) -> StoreResult<Verdict> {
    Verdict::from_word(&text).ok_or_else(|| unknown("verdict", text))
}

fn remedy(text: String) -> StoreResult<Remedy> {
    Remedy::from_word(&text).ok_or_else(|| unknown("remedy", text))
}

fn unknown(column: &str, text: String) -> StoreError {
    StoreError::Inconsistent { at: format!("cases.{column}"), why: format!("`{text}` is not known") }
}
