//! Cases with their tickets, attachments, messages and newest finding.

use makegood_domain::ids::{AttachmentId, CaseId};
use makegood_domain::ports::{AttachmentFile, CaseRecord, StoreError, StoreResult};
use sqlx::postgres::PgConnection;

use super::by_id;
use crate::assemble::{self, CaseParts};
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::{Columns, signed};

statements! {
    CASE = "SELECT c.id, c.state, c.assignee, c.opened_at, c.due_at, c.follow_up_at, c.revision,
            t.id AS ticket_id, t.subject, t.body, t.created_at, t.requester_user_id, t.requester_email,
            t.requester_locale, t.requester_timezone, t.desk
        FROM api.cases c JOIN api.tickets t ON t.id = c.ticket_id WHERE c.id = $1";
    MESSAGES = "SELECT id, ticket_id, kind, author, at, text FROM api.messages WHERE ticket_id = $1 ORDER BY seq";
    ATTACHMENTS = "SELECT id, name, kind, description FROM api.attachments WHERE ticket_id = $1 ORDER BY position";
    FILE = "SELECT a.name, a.media_type, b.bytes FROM api.attachments a LEFT JOIN api.blobs b ON b.sha256 = a.sha256
        WHERE a.id = $1";
    FINDING = "SELECT document FROM api.findings WHERE case_id = $1 ORDER BY seq DESC LIMIT 1";
    CHOSEN = "SELECT document FROM api.chosen_runs WHERE case_id = $1 ORDER BY seq DESC LIMIT 1";
    WITHOUT_FINDING = "SELECT id FROM api.cases WHERE finding_seq = 0 ORDER BY row_no LIMIT $1";
}

impl PgStore {
    pub(in crate::postgres) async fn read_case(&self, id: &CaseId) -> StoreResult<CaseRecord> {
        let mut tx = self.snapshot().await?;
        let record = record(&mut tx, id).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(record)
    }

    pub(in crate::postgres) async fn unread_cases(&self, limit: u64) -> StoreResult<Vec<CaseId>> {
        let query = sqlx::query_scalar(WITHOUT_FINDING).bind(signed(limit));
        let ids: Vec<String> = query.fetch_all(&self.pool).await.map_err(backend)?;
        Ok(ids.into_iter().map(CaseId).collect())
    }

    /// The bytes of an attachment; none where only its name came with the ticket.
    pub(in crate::postgres) async fn read_file(&self, id: &AttachmentId) -> StoreResult<AttachmentFile> {
        let query = sqlx::query_as(FILE).bind(id.as_str());
        let row: Option<(String, Option<String>, Option<Vec<u8>>)> =
            query.fetch_optional(&self.pool).await.map_err(backend)?;
        let (name, media_type, bytes) =
            row.ok_or_else(|| StoreError::NotFound { what: "attachment", id: id.0.clone() })?;
        Ok(AttachmentFile {
            id: id.clone(),
            name,
            media_type: media_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            bytes: bytes.unwrap_or_default(),
        })
    }
}

/// A case as of the instant of the connection's transaction.
pub(in crate::postgres) async fn record(connection: &mut PgConnection, id: &CaseId) -> StoreResult<CaseRecord> {
    let query = sqlx::query(CASE).bind(id.as_str());
    let row = query.fetch_optional(&mut *connection).await.map_err(backend)?;
    let row = row.ok_or_else(|| StoreError::NotFound { what: "case", id: id.0.clone() })?;
    let ticket = row.text("ticket_id")?;
    let attachments = by_id(connection, ATTACHMENTS, &ticket).await?;
    let messages = by_id(connection, MESSAGES, &ticket).await?;
    let finding = sqlx::query_scalar(FINDING).bind(id.as_str());
    let finding = finding.fetch_optional(&mut *connection).await.map_err(backend)?;
    let chosen = sqlx::query_scalar(CHOSEN).bind(id.as_str());
    let chosen_runs = chosen.fetch_optional(connection).await.map_err(backend)?;
    let parts = CaseParts {
        attachments: assemble::each(&attachments, assemble::attachment)?,
        messages: assemble::each(&messages, assemble::message)?,
        finding,
        chosen_runs,
    };
    assemble::case(&row, parts)
}
