//! What the reconciler noticed and looks at.

use makegood_domain::ports::{ChargeLine, Detection, DueRun, StoreResult};

use crate::rows::Columns;

pub(crate) fn detection(row: &impl Columns) -> StoreResult<Detection> {
    Ok(Detection {
        kind: row.word("kind")?,
        subject: row.text("subject")?,
        item: row.count("item")?,
        run_id: row.text("run_id")?.as_str().into(),
        charge_id: row.opt_text("charge_id")?.map(|id| id.as_str().into()),
        output_id: row.opt_text("output_id")?.map(|id| id.as_str().into()),
        cause: row.text("cause")?,
        detail: row.text("detail")?,
        detected_at: row.time("detected_at")?,
        closed_at: row.opt_time("closed_at")?,
    })
}

/// Claimed runs, the earliest look first, then by id: an update tells its rows in no order.
pub(crate) fn due_runs<R: Columns>(rows: &[R]) -> StoreResult<Vec<DueRun>> {
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let root = row.text("root_id")?.as_str().into();
        let run = DueRun { root, charged_at: row.opt_time("charged_at")?, tries: row.count("tries")? };
        claimed.push((row.int("next_at")?, run));
    }
    claimed.sort_by(|(next, run), (other_next, other)| (next, &run.root).cmp(&(other_next, &other.root)));
    Ok(claimed.into_iter().map(|(_, run)| run).collect())
}

/// A charge with the logical run that it is of.
pub(crate) fn charge_line(row: &impl Columns) -> StoreResult<ChargeLine> {
    Ok(ChargeLine {
        id: row.text("id")?.as_str().into(),
        root: row.text("root_id")?.as_str().into(),
        posted_at: row.time("posted_at")?,
    })
}
