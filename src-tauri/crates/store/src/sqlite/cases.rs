//! Tickets and the cases made of them.

use jiff::Timestamp;
use makegood_domain::ids::{AgentId, CaseId, TicketId};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{CaseRecord, ChosenRuns, NewCase, StoreError, StoreResult};
use makegood_domain::support::{MessageKind, Ticket};
use sqlx::SqliteConnection;

use super::fault::{Fault, Worked, as_error, backend, refused};
use super::rows::{Columns, document, micros, signed, word};
use super::{SqliteStore, attachments, audit, findings};
use crate::assemble::{self, CaseParts};

statements! {
    ADD_TICKET = "INSERT INTO tickets (id, subject, body, created_at, requester_user_id, requester_email,
            requester_locale, requester_timezone, desk) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    ADD_CASE = "INSERT INTO cases (id, ticket_id, state, opened_at, due_at, revision, desk, subject, customer,
            search_text) VALUES (?1, ?2, 'open', ?3, ?4, 1, ?5, ?6, ?7, ?8)";
    OF_TICKET = "SELECT id FROM cases WHERE ticket_id = ?1";
    CASE = "SELECT c.id, c.state, c.assignee, c.opened_at, c.due_at, c.follow_up_at, c.revision,
            t.id AS ticket_id, t.subject, t.body, t.created_at, t.requester_user_id, t.requester_email,
            t.requester_locale, t.requester_timezone, t.desk
        FROM cases c JOIN tickets t ON t.id = c.ticket_id WHERE c.id = ?1";
    MESSAGES = "SELECT id, ticket_id, kind, author, at, text FROM messages WHERE ticket_id = ?1 ORDER BY seq";
    ADD_MESSAGE = "INSERT INTO messages (id, ticket_id, seq, kind, author, at, locale, text)
        SELECT ?1, ?2, coalesce(max(seq) + 1, 0), ?3, ?4, ?5, ?6, ?7 FROM messages WHERE ticket_id = ?2";
    WITHOUT_FINDING = "SELECT id FROM cases WHERE finding_seq = 0 ORDER BY row_no LIMIT ?1";
    CHOSEN = "SELECT document FROM chosen_runs WHERE case_id = ?1 ORDER BY seq DESC LIMIT 1";
    CHOOSE = "INSERT INTO chosen_runs (case_id, seq, document)
        SELECT ?1, coalesce(max(seq) + 1, 0), ?2 FROM chosen_runs WHERE case_id = ?1";
    REVISION = "SELECT revision FROM cases WHERE id = ?1";
    RAISE = "UPDATE cases SET revision = revision + 1 WHERE id = ?1 RETURNING revision";
    ASSIGN = "UPDATE cases SET assignee = ?2 WHERE id = ?1";
    SET_STATE = "UPDATE cases SET state = ?2, follow_up_at = ?3 WHERE id = ?1";
    SET_LINK = "UPDATE cases SET linked_to = ?2 WHERE id = ?1";
    TICKET_OF = "SELECT t.id FROM cases c JOIN tickets t ON t.id = c.ticket_id WHERE c.id = ?1";
}

impl SqliteStore {
    pub(super) async fn new_case(&self, new: &NewCase) -> StoreResult<(CaseRecord, bool)> {
        let mut tx = self.begin().await?;
        let query = sqlx::query_scalar(OF_TICKET).bind(new.ticket.id.as_str());
        let known: Option<String> = query.fetch_optional(&mut *tx).await.map_err(backend)?;
        let is_new = known.is_none();
        let id = match known {
            Some(id) => CaseId(id),
            None => {
                add(&mut tx, new).await.map_err(|fault| as_error(fault, new.ticket.id.as_str()))?;
                new.case_id.clone()
            }
        };
        let record = record(&mut tx, &id).await?;
        tx.commit().await.map_err(backend)?;
        Ok((record, is_new))
    }

    pub(super) async fn read_case(&self, id: &CaseId) -> StoreResult<CaseRecord> {
        let mut tx = self.snapshot().await?;
        let record = record(&mut tx, id).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(record)
    }

    pub(super) async fn unread_cases(&self, limit: u64) -> StoreResult<Vec<CaseId>> {
        let query = sqlx::query_scalar(WITHOUT_FINDING).bind(signed(limit));
        let ids: Vec<String> = query.fetch_all(&self.readers).await.map_err(backend)?;
        Ok(ids.into_iter().map(CaseId).collect())
    }

    pub(super) async fn set_chosen_runs(&self, id: &CaseId, revision: i64, chosen: &ChosenRuns) -> StoreResult<i64> {
        let mut tx = self.begin().await?;
        check_revision(&mut tx, id, revision).await?;
        let choose = sqlx::query(CHOOSE).bind(id.as_str()).bind(document(chosen)?);
        choose.execute(&mut *tx).await.map_err(backend)?;
        let revision = raise(&mut tx, id).await?;
        let detail = document(chosen)?;
        audit::add(&mut tx, chosen.agent.as_str(), "choose_runs", id.as_str(), &detail, chosen.at).await?;
        tx.commit().await.map_err(backend)?;
        Ok(revision)
    }

    pub(super) async fn set_assignee(
        &self,
        id: &CaseId,
        agent: Option<&AgentId>,
        by: &AgentId,
        at: Timestamp,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        let assign = sqlx::query(ASSIGN).bind(id.as_str()).bind(agent.map(AgentId::as_str));
        let done = assign.execute(&mut *tx).await.map_err(backend)?;
        if done.rows_affected() == 0 {
            return Err(not_found(id));
        }
        let detail = document(&agent)?;
        audit::add(&mut tx, by.as_str(), "assign", id.as_str(), &detail, at).await?;
        tx.commit().await.map_err(backend)
    }
}

fn not_found(id: &CaseId) -> StoreError {
    StoreError::NotFound { what: "case", id: id.0.clone() }
}

async fn add(connection: &mut SqliteConnection, new: &NewCase) -> Worked<()> {
    let ticket = &new.ticket;
    let requester = &ticket.requester;
    sqlx::query(ADD_TICKET)
        .bind(ticket.id.as_str())
        .bind(&ticket.subject)
        .bind(&ticket.body)
        .bind(micros(ticket.created_at))
        .bind(requester.user_id.as_ref().map(|id| id.as_str()))
        .bind(&requester.email)
        .bind(&requester.locale)
        .bind(&requester.timezone)
        .bind(&ticket.desk)
        .execute(&mut *connection)
        .await?;
    attachments::add(connection, &ticket.id, &ticket.attachments, &new.files).await?;
    sqlx::query(ADD_CASE)
        .bind(new.case_id.as_str())
        .bind(ticket.id.as_str())
        .bind(micros(new.opened_at))
        .bind(micros(new.due_at))
        .bind(ticket.desk.as_deref().unwrap_or_default())
        .bind(&ticket.subject)
        .bind(&requester.email)
        .bind(search_text(&new.case_id, ticket))
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// What the queue's search looks at before there is a finding.
pub(super) fn search_text(id: &CaseId, ticket: &Ticket) -> String {
    [ticket.subject.as_str(), ticket.requester.email.as_str(), ticket.id.as_str(), id.as_str()]
        .join("\n")
        .to_lowercase()
}

/// A case with its ticket, messages and newest finding.
pub(super) async fn record(connection: &mut SqliteConnection, id: &CaseId) -> StoreResult<CaseRecord> {
    let query = sqlx::query(CASE).bind(id.as_str());
    let row = query.fetch_optional(&mut *connection).await.map_err(backend)?.ok_or_else(|| not_found(id))?;
    let ticket = row.text("ticket_id")?;
    let attachments = attachments::of_ticket(connection, &ticket).await?;
    let messages = sqlx::query(MESSAGES).bind(&ticket).fetch_all(&mut *connection).await.map_err(backend)?;
    let finding = findings::newest_document(connection, id).await?;
    let chosen = sqlx::query_scalar(CHOSEN).bind(id.as_str());
    let chosen_runs = chosen.fetch_optional(connection).await.map_err(backend)?;
    let messages = assemble::each(&messages, assemble::message)?;
    assemble::case(&row, CaseParts { attachments, messages, finding, chosen_runs })
}

/// A message that an agent adds to a ticket.
pub(super) struct NewMessage<'a> {
    pub id: &'a str,
    pub kind: MessageKind,
    pub author: &'a str,
    pub locale: &'a str,
    pub text: &'a str,
    pub at: Timestamp,
}

/// Adds a message to the ticket of a case.
pub(super) async fn say(connection: &mut SqliteConnection, id: &CaseId, message: &NewMessage<'_>) -> Worked<()> {
    let ticket = ticket_of(connection, id).await?;
    sqlx::query(ADD_MESSAGE)
        .bind(message.id)
        .bind(ticket)
        .bind(word(&message.kind)?)
        .bind(message.author)
        .bind(micros(message.at))
        .bind(message.locale)
        .bind(message.text)
        .execute(connection)
        .await?;
    Ok(())
}

/// The ticket of a case.
pub(super) async fn ticket_of(connection: &mut SqliteConnection, id: &CaseId) -> Worked<String> {
    let ticket: Option<String> = sqlx::query_scalar(TICKET_OF).bind(id.as_str()).fetch_optional(connection).await?;
    ticket.ok_or_else(|| Fault::Failed(not_found(id)))
}

/// Moves a case on.
pub(super) async fn set_state(
    connection: &mut SqliteConnection,
    id: &CaseId,
    state: CaseState,
    follow_up_at: Option<Timestamp>,
) -> Worked<()> {
    let set = sqlx::query(SET_STATE).bind(id.as_str()).bind(word(&state)?).bind(follow_up_at.map(micros));
    set.execute(connection).await?;
    Ok(())
}

/// Notes the older ticket that goes on with the case's matter (P12).
pub(super) async fn set_link(connection: &mut SqliteConnection, id: &CaseId, to: &TicketId) -> Worked<()> {
    if ticket_of(connection, id).await? == to.as_str() {
        return refused("a ticket can't be linked to itself");
    }
    sqlx::query(SET_LINK).bind(id.as_str()).bind(to.as_str()).execute(connection).await?;
    Ok(())
}

/// The revision of a case.
pub(super) async fn revision(connection: &mut SqliteConnection, id: &CaseId) -> StoreResult<i64> {
    let query = sqlx::query_scalar(REVISION).bind(id.as_str());
    query.fetch_optional(connection).await.map_err(backend)?.ok_or_else(|| not_found(id))
}

/// Refuses where somebody changed the case since `revision`.
pub(super) async fn check_revision(connection: &mut SqliteConnection, id: &CaseId, known: i64) -> StoreResult<()> {
    if revision(connection, id).await? == known {
        return Ok(());
    }
    Err(StoreError::Stale { what: "case", id: id.0.clone() })
}

/// Raises the revision: there is something that an agent should see before acting.
pub(super) async fn raise(connection: &mut SqliteConnection, id: &CaseId) -> StoreResult<i64> {
    let query = sqlx::query_scalar(RAISE).bind(id.as_str());
    query.fetch_optional(connection).await.map_err(backend)?.ok_or_else(|| not_found(id))
}
