//! Tickets and the cases made of them.

use jiff::Timestamp;
use makegood_domain::ids::{AgentId, CaseId};
use makegood_domain::ports::{AttachmentFile, CaseRecord, ChosenRuns, NewCase, StoreResult};
use makegood_domain::support::Ticket;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, at, document, said};
use crate::postgres::PgStore;
use crate::postgres::fault::{Worked, as_error};
use crate::postgres::link::Argument;
use crate::postgres::rows::micros;

statements! {
    KEEP_BLOB = "SELECT to_jsonb(api.keep_blob($1))";
    OPEN = "SELECT api.open_case($1::jsonb)";
    CHOOSE_RUNS = "SELECT api.choose_runs($1, $2, $3::jsonb, $4)";
    ASSIGN = "SELECT api.assign($1, $2, $3, $4)";
}

#[derive(Deserialize)]
struct Opened {
    case_id: CaseId,
    is_new: bool,
}

impl PgStore {
    pub(in crate::postgres) async fn new_case(&self, new: &NewCase) -> StoreResult<(CaseRecord, bool)> {
        let opened = self.open(new).await.map_err(|fault| as_error(fault, new.ticket.id.as_str()))?;
        Ok((self.read_case(&opened.case_id).await?, opened.is_new))
    }

    async fn open(&self, new: &NewCase) -> Worked<Opened> {
        let mut attachments = Vec::new();
        for attachment in &new.ticket.attachments {
            let file = new.files.iter().find(|file| Some(&file.id) == attachment.id.as_ref());
            attachments.push(json!({
                "id": attachment.id, "name": attachment.name, "kind": attachment.kind,
                "description": attachment.description,
                "media_type": file.map(|file| &file.media_type),
                "sha256": match file { Some(file) => self.keep_bytes(file).await?, None => Value::Null },
            }));
        }
        let said_new = document(&json!({
            "case_id": new.case_id,
            "opened_at": micros(new.opened_at),
            "due_at": micros(new.due_at),
            "search_text": search_text(&new.case_id, &new.ticket),
            "ticket": columns(&new.ticket),
            "attachments": attachments,
        }))?;
        Ok(answer(self.call(OPEN, &[said(&said_new)]).await?, "open_case")?)
    }

    async fn keep_bytes(&self, file: &AttachmentFile) -> Worked<Value> {
        self.call(KEEP_BLOB, &[Argument::Bytes(Some(&file.bytes))]).await
    }

    pub(in crate::postgres) async fn set_chosen_runs(
        &self,
        id: &CaseId,
        revision: i64,
        chosen: &ChosenRuns,
    ) -> StoreResult<i64> {
        let choice = document(chosen)?;
        let arguments = [said(id.as_str()), Argument::Int(Some(revision)), said(&choice), at(chosen.at)];
        let revision = self.call(CHOOSE_RUNS, &arguments).await.map_err(|fault| as_error(fault, id.as_str()))?;
        answer(revision, "choose_runs")
    }

    pub(in crate::postgres) async fn set_assignee(
        &self,
        id: &CaseId,
        agent: Option<&AgentId>,
        by: &AgentId,
        when: Timestamp,
    ) -> StoreResult<()> {
        let agent = Argument::Text(agent.map(AgentId::as_str));
        let arguments = [said(id.as_str()), agent, said(by.as_str()), at(when)];
        self.call(ASSIGN, &arguments).await.map_err(|fault| as_error(fault, id.as_str()))?;
        Ok(())
    }
}

/// A ticket as the columns of its row.
fn columns(ticket: &Ticket) -> Value {
    json!({
        "id": ticket.id,
        "subject": ticket.subject,
        "body": ticket.body,
        "created_at": micros(ticket.created_at),
        "requester_user_id": ticket.requester.user_id,
        "requester_email": ticket.requester.email,
        "requester_locale": ticket.requester.locale,
        "requester_timezone": ticket.requester.timezone,
        "desk": ticket.desk,
    })
}

/// What the queue's search looks at before there is a finding.
pub(super) fn search_text(id: &CaseId, ticket: &Ticket) -> String {
    [ticket.subject.as_str(), ticket.requester.email.as_str(), ticket.id.as_str(), id.as_str()]
        .join("\n")
        .to_lowercase()
}
