//! Cases with their tickets, attachments, drafts and views.

use makegood_domain::ids::{AgentId, AttachmentId, CaseId, TicketId};
use makegood_domain::ports::{CaseRecord, Draft, SavedView, StoreResult};
use makegood_domain::support::{Attachment, Message, Requester, Ticket};

use crate::rows::{Columns, parse_document};

/// What is read beside the row of a case: documents as their JSON text.
pub(crate) struct CaseParts {
    pub attachments: Vec<Attachment>,
    pub messages: Vec<Message>,
    pub finding: Option<String>,
    pub chosen_runs: Option<String>,
}

/// A case with its ticket, messages and newest finding.
pub(crate) fn case(row: &impl Columns, parts: CaseParts) -> StoreResult<CaseRecord> {
    let id = row.text("id")?;
    let ticket = Ticket {
        id: TicketId(row.text("ticket_id")?),
        attachments: parts.attachments,
        subject: row.text("subject")?,
        body: row.text("body")?,
        created_at: row.time("created_at")?,
        requester: Requester {
            user_id: row.opt_text("requester_user_id")?.map(|id| id.as_str().into()),
            email: row.text("requester_email")?,
            locale: row.opt_text("requester_locale")?,
            timezone: row.opt_text("requester_timezone")?,
        },
        desk: row.opt_text("desk")?,
    };
    Ok(CaseRecord {
        ticket,
        messages: parts.messages,
        state: row.word("state")?,
        assignee: row.opt_text("assignee")?.map(AgentId),
        opened_at: row.time("opened_at")?,
        due_at: row.time("due_at")?,
        follow_up_at: row.opt_time("follow_up_at")?,
        revision: row.int("revision")?,
        finding: parts.finding.map(|text| parse_document(&text, &id)).transpose()?,
        chosen_runs: parts.chosen_runs.map(|text| parse_document(&text, &id)).transpose()?,
        id: CaseId(id),
    })
}

pub(crate) fn message(row: &impl Columns) -> StoreResult<Message> {
    Ok(Message {
        id: row.text("id")?.as_str().into(),
        ticket_id: row.text("ticket_id")?.as_str().into(),
        kind: row.word("kind")?,
        author: row.text("author")?,
        at: row.time("at")?,
        text: row.text("text")?,
    })
}

pub(crate) fn attachment(row: &impl Columns) -> StoreResult<Attachment> {
    Ok(Attachment {
        id: row.opt_text("id")?.map(AttachmentId),
        name: row.text("name")?,
        kind: row.text("kind")?,
        description: row.text("description")?,
    })
}

pub(crate) fn draft(row: &impl Columns) -> StoreResult<Draft> {
    Ok(Draft {
        case_id: row.text("case_id")?.as_str().into(),
        kind: row.word("kind")?,
        author: AgentId(row.text("author")?),
        text: row.text("text")?,
        revision: row.int("revision")?,
        saved_at: row.time("saved_at")?,
    })
}

pub(crate) fn saved_view(row: &impl Columns) -> StoreResult<SavedView> {
    let name = row.text("name")?;
    Ok(SavedView { query: parse_document(&row.text("query")?, &name)?, name })
}
