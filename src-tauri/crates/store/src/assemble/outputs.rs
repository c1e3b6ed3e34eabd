//! Stored files.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::Output;

use crate::rows::Columns;

pub(crate) fn output(row: &impl Columns) -> StoreResult<Output> {
    Ok(Output {
        id: row.text("id")?.as_str().into(),
        run_id: row.text("run_id")?.as_str().into(),
        item: row.count("item")?,
        project_id: row.text("project_id")?.as_str().into(),
        node_id: row.opt_text("node_id")?.map(|id| id.as_str().into()),
        stored_at: row.time("stored_at")?,
        bytes: row.count("bytes")?,
        state: row.word("state")?,
        in_history: row.flag("in_history")?,
        on_canvas: row.flag("on_canvas")?,
        sha256: row.opt_text("sha256")?,
    })
}
