//! Runs.

use makegood_domain::ids::RunId;
use makegood_domain::ports::StoreResult;
use makegood_domain::work::Run;

use crate::rows::{Columns, parse_document};

/// A run, and the account of its project.
pub(crate) fn run(row: &impl Columns) -> StoreResult<(Run, String)> {
    let id = row.text("id")?;
    let run = Run {
        project_id: row.text("project_id")?.as_str().into(),
        node_id: row.text("node_id")?.as_str().into(),
        started_by: row.text("started_by")?.as_str().into(),
        model_id: row.text("model_id")?.as_str().into(),
        started_at: row.time("started_at")?,
        requested_items: row.count("requested_items")?,
        status: row.word("status")?,
        cancelled_at: row.opt_time("cancelled_at")?,
        retry_of: row.opt_text("retry_of")?.map(RunId),
        retry_initiator: row.opt_word("retry_initiator")?,
        params: parse_document(&row.text("params")?, &id)?,
        id: id.as_str().into(),
    };
    Ok((run, row.text("account_id")?))
}
