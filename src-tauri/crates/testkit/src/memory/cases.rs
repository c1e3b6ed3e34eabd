//! Tickets, the cases made of them, drafts and views.

use jiff::Timestamp;
use makegood_domain::ids::{AgentId, AttachmentId, CaseId};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{
    AttachmentFile, CaseRecord, ChosenRuns, Draft, DraftSave, NewCase, SavedView, StoreError, StoreResult,
};
use makegood_domain::support::Ticket;

use super::record::{CaseRow, Record};
use super::{effects, items};

fn not_found(id: &CaseId) -> StoreError {
    StoreError::NotFound { what: "case", id: id.0.clone() }
}

pub(super) fn row<'a>(record: &'a Record, id: &CaseId) -> StoreResult<&'a CaseRow> {
    record.cases.get(id).ok_or_else(|| not_found(id))
}

pub(super) fn case(record: &Record, id: &CaseId) -> StoreResult<CaseRecord> {
    let row = row(record, id)?;
    Ok(CaseRecord {
        id: id.clone(),
        ticket: row.ticket.clone(),
        messages: row.messages.clone(),
        state: row.state,
        assignee: row.assignee.clone(),
        opened_at: row.opened_at,
        due_at: row.due_at,
        follow_up_at: row.follow_up_at,
        revision: row.revision,
        finding: row.finding.clone(),
        chosen_runs: row.chosen.clone(),
    })
}

/// The case of the ticket, new or not.
pub(super) fn open(record: &mut Record, new: &NewCase) -> StoreResult<(CaseRecord, bool)> {
    if let Some(known) = record.case_of_ticket.get(&new.ticket.id) {
        return Ok((case(record, known)?, false));
    }
    let taken = |why: &str| StoreError::Inconsistent { at: new.ticket.id.0.clone(), why: why.to_owned() };
    if record.cases.contains_key(&new.case_id) {
        return Err(taken("the id is of another ticket's case"));
    }
    for attachment in &new.ticket.attachments {
        let Some(id) = &attachment.id else { continue };
        if record.attachments.contains_key(id) {
            return Err(taken("an attachment's id is another one's"));
        }
        let file = new.files.iter().find(|file| file.id == *id).cloned();
        let named = || AttachmentFile {
            id: id.clone(),
            name: attachment.name.clone(),
            media_type: "application/octet-stream".to_owned(),
            bytes: Vec::new(),
        };
        let file = file.map(|file| AttachmentFile { name: attachment.name.clone(), ..file });
        record.attachments.put(id.clone(), file.unwrap_or_else(named));
    }
    let row_no = record.case_order.add(new.case_id.clone());
    record.case_of_ticket.put(new.ticket.id.clone(), new.case_id.clone());
    let row = CaseRow {
        row_no,
        ticket: new.ticket.clone(),
        messages: Vec::new(),
        state: CaseState::Open,
        assignee: None,
        opened_at: new.opened_at,
        due_at: new.due_at,
        follow_up_at: None,
        revision: 1,
        finding: None,
        chosen: None,
        model: None,
        amount: None,
        file_deadline: None,
        saved: false,
        search_text: search_text(&new.case_id, &new.ticket),
    };
    record.cases.put(new.case_id.clone(), row);
    Ok((case(record, &new.case_id)?, true))
}

/// What the queue's search looks at before there is a finding.
pub(super) fn search_text(id: &CaseId, ticket: &Ticket) -> String {
    [ticket.subject.as_str(), ticket.requester.email.as_str(), ticket.id.as_str(), id.as_str()]
        .join("\n")
        .to_lowercase()
}

pub(super) fn without_finding(record: &Record, limit: u64) -> Vec<CaseId> {
    let unread = |id: &&CaseId| record.cases.get(*id).is_some_and(|row| row.finding.is_none());
    record.case_order.values().filter(unread).take(items::size(limit)).cloned().collect()
}

/// Refuses where somebody changed the case since `revision`.
pub(super) fn check_revision(record: &Record, id: &CaseId, revision: i64) -> StoreResult<()> {
    if row(record, id)?.revision == revision {
        return Ok(());
    }
    Err(StoreError::Stale { what: "case", id: id.0.clone() })
}

/// Raises the revision: there is something that an agent should see before acting.
pub(super) fn raise(record: &mut Record, id: &CaseId) -> i64 {
    record.cases.edit(id, |row| row.revision += 1);
    record.cases.get(id).map_or(0, |row| row.revision)
}

pub(super) fn choose(record: &mut Record, id: &CaseId, revision: i64, chosen: &ChosenRuns) -> StoreResult<i64> {
    check_revision(record, id, revision)?;
    record.cases.edit(id, |row| row.chosen = Some(chosen.clone()));
    effects::audit(record, chosen.agent.as_str(), "choose_runs", id.as_str(), &chosen.reason, chosen.at);
    Ok(raise(record, id))
}

pub(super) fn assign(
    record: &mut Record,
    id: &CaseId,
    agent: Option<&AgentId>,
    by: &AgentId,
    at: Timestamp,
) -> StoreResult<()> {
    row(record, id)?;
    record.cases.edit(id, |row| row.assignee = agent.cloned());
    effects::audit(record, by.as_str(), "assign", id.as_str(), agent.map_or("nobody", AgentId::as_str), at);
    Ok(())
}

pub(super) fn attachment(record: &Record, id: &AttachmentId) -> StoreResult<AttachmentFile> {
    let file = record.attachments.get(id).cloned();
    file.ok_or_else(|| StoreError::NotFound { what: "attachment", id: id.0.clone() })
}

/// Each agent has one text of each kind a case; a text that lost against a newer one is kept too.
pub(super) fn save_draft(record: &mut Record, draft: &Draft, base_revision: i64) -> StoreResult<DraftSave> {
    let key = (draft.case_id.clone(), draft.kind, draft.author.clone());
    let known = record.drafts.get(&key).cloned();
    let current = known.as_ref().map_or(0, |known| known.revision);
    if known.as_ref().is_some_and(|known| known.text == draft.text) {
        return Ok(DraftSave::Saved { revision: current });
    }
    if !record.cases.contains_key(&draft.case_id) {
        let why = format!("there is no case {}", draft.case_id);
        return Err(StoreError::Inconsistent { at: "drafts".to_owned(), why });
    }
    record.draft_history.add(draft.clone());
    if let Some(theirs) = known.filter(|_| current != base_revision) {
        return Ok(DraftSave::Conflict { theirs });
    }
    let revision = current + 1;
    record.drafts.put(key, Draft { revision, ..draft.clone() });
    Ok(DraftSave::Saved { revision })
}

pub(super) fn drafts(record: &Record, id: &CaseId) -> Vec<Draft> {
    let mut rows: Vec<Draft> = record.drafts.values().filter(|row| row.case_id == *id).cloned().collect();
    rows.sort_by_key(|row| (row.kind.word(), row.author.clone()));
    rows
}

pub(super) fn views(record: &Record, agent: &AgentId) -> Vec<SavedView> {
    let own = record.views.range((agent.clone(), String::new())..).take_while(|(key, _)| key.0 == *agent);
    own.map(|((_, name), query)| SavedView { name: name.clone(), query: query.clone() }).collect()
}
