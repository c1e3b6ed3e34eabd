//! Tickets about runs: those a feed told of, and the cases kept here (P12).

use makegood_domain::ids::RunId;
use makegood_domain::plan::CaseState;
use makegood_domain::ports::StoreResult;
use makegood_domain::support::{TicketLink, TicketStatus};

use super::by_key;
use crate::rows::Columns;

/// Tickets of elsewhere. `runs` holds `ticket_id` and `run_id`.
pub(crate) fn told_tickets<R: Columns>(rows: &[R], runs: &[R]) -> StoreResult<Vec<TicketLink>> {
    let mut runs = by_key(runs, "ticket_id", |row| Ok(RunId(row.text("run_id")?)))?;
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(TicketLink {
                created_at: row.time("created_at")?,
                status: row.word("status")?,
                run_ids: runs.remove(&id).unwrap_or_default(),
                outcome: row.opt_text("outcome")?,
                requester_user_id: row.opt_text("requester_user_id")?.map(|id| id.as_str().into()),
                id: id.as_str().into(),
            })
        })
        .collect()
}

/// Tickets with a case here. `runs` holds `case_id` and `run_id`.
pub(crate) fn our_tickets<R: Columns>(rows: &[R], runs: &[R]) -> StoreResult<Vec<TicketLink>> {
    let mut runs = by_key(runs, "case_id", |row| Ok(RunId(row.text("run_id")?)))?;
    rows.iter()
        .map(|row| {
            let state: CaseState = row.word("state")?;
            let open = matches!(state, CaseState::Open | CaseState::Waiting);
            Ok(TicketLink {
                id: row.text("id")?.as_str().into(),
                created_at: row.time("created_at")?,
                status: if open { TicketStatus::Open } else { TicketStatus::Closed },
                run_ids: runs.remove(&row.text("case_id")?).unwrap_or_default(),
                outcome: if open { None } else { row.opt_text("remedy")? },
                requester_user_id: row.opt_text("requester_user_id")?.map(|id| id.as_str().into()),
            })
        })
        .collect()
}
