//! People, and requests for a second person's yes.

use makegood_domain::ids::{ActionKey, AgentId, ApprovalId};
use makegood_domain::ports::{Approval, ApprovalRequest, Person, StoreResult};

use crate::rows::{Columns, parse_document};

pub(crate) fn person(row: &impl Columns) -> StoreResult<Person> {
    let id = row.text("id")?;
    Ok(Person {
        name: row.text("name")?,
        roles: parse_document(&row.text("roles")?, &id)?,
        per_posting: row.int("per_posting")?,
        per_day: row.int("per_day")?,
        id: AgentId(id),
    })
}

pub(crate) fn approval(row: &impl Columns) -> StoreResult<Approval> {
    let id = row.text("id")?;
    Ok(Approval {
        request: ApprovalRequest {
            case_id: row.text("case_id")?.as_str().into(),
            restorations: parse_document(&row.text("restorations")?, &id)?,
            releases: parse_document(&row.text("releases")?, &id)?,
            digest: row.text("digest")?,
            amount: row.int("amount")?,
            reason: row.text("reason")?,
            asked_by: AgentId(row.text("asked_by")?),
            asked_at: row.time("asked_at")?,
            id: ApprovalId(id),
        },
        subject: row.text("subject")?,
        state: row.word("state")?,
        decided_by: row.opt_text("decided_by")?.map(AgentId),
        decided_at: row.opt_time("decided_at")?,
        note: row.opt_text("note")?,
        expires_at: row.opt_time("expires_at")?,
        used_by: row.opt_text("used_by")?.map(ActionKey),
    })
}
