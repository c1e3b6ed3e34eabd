//! Dead letters, and how far files were read.

use makegood_domain::events::Origin;
use makegood_domain::ports::{DeadLetter, ImportPosition, StoreResult};

use crate::rows::Columns;

pub(crate) fn dead_letter(row: &impl Columns) -> StoreResult<DeadLetter> {
    let origin = match (row.opt_text("source")?, row.opt_text("event_id")?) {
        (Some(source), Some(id)) => Some(Origin { source, id }),
        _ => None,
    };
    Ok(DeadLetter {
        id: row.int("id")?,
        kind: row.text("kind")?,
        row_id: row.text("row_id")?,
        origin,
        time: row.opt_time("told_at")?,
        raw: row.text("raw")?,
        whole: row.flag("whole")?,
        reason: row.text("reason")?,
        waits_for: row.opt_text("lacks_kind")?.zip(row.opt_text("lacks_id")?),
        place: row.text("place")?,
        first_at: row.time("first_at")?,
        last_at: row.time("last_at")?,
        tries: row.count("tries")?,
        state: row.word("state")?,
    })
}

pub(crate) fn position(row: &impl Columns) -> StoreResult<ImportPosition> {
    Ok(ImportPosition { byte: row.count("byte")?, line: row.count("line")?, done: row.flag("done")? })
}
