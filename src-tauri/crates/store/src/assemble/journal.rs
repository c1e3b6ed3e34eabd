//! Lines of the audit and of the outbox.

use makegood_domain::ids::CaseId;
use makegood_domain::ports::{AuditLine, OutboxLine, StoreResult};

use crate::rows::Columns;

pub(crate) fn audit_line(row: &impl Columns) -> StoreResult<AuditLine> {
    Ok(AuditLine {
        seq: row.int("seq")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        act: row.text("act")?,
        subject: row.text("subject")?,
        detail: row.text("detail")?,
        hash: row.text("hash")?,
    })
}

pub(crate) fn outbox_line(row: &impl Columns) -> StoreResult<OutboxLine> {
    Ok(OutboxLine {
        id: row.text("id")?,
        at: row.time("at")?,
        kind: row.text("kind")?,
        case_id: row.opt_text("case_id")?.map(CaseId),
        summary: row.text("summary")?,
        state: row.text("state")?,
    })
}
