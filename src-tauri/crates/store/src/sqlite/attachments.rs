//! Files that came with tickets. Bytes are kept once, by content.

use makegood_domain::ids::{AttachmentId, TicketId};
use makegood_domain::ports::{AttachmentFile, StoreError, StoreResult};
use makegood_domain::support::Attachment;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::signed;
use crate::assemble;

statements! {
    KEEP_BYTES = "INSERT INTO blobs (sha256, bytes) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING";
    ADD = "INSERT INTO attachments (ticket_id, position, id, name, kind, description, media_type, sha256)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    OF_TICKET = "SELECT id, name, kind, description FROM attachments WHERE ticket_id = ?1 ORDER BY position";
    FILE = "SELECT a.name, a.media_type, b.bytes FROM attachments a LEFT JOIN blobs b ON b.sha256 = a.sha256
        WHERE a.id = ?1";
}

/// Keeps the attachments of a new ticket with the files that came along; the others are known by name.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    ticket: &TicketId,
    attachments: &[Attachment],
    files: &[AttachmentFile],
) -> Worked<()> {
    for (position, attachment) in (0_u64..).zip(attachments) {
        let file = files.iter().find(|file| Some(&file.id) == attachment.id.as_ref());
        let sha256 = file.map(|file| hex::encode(Sha256::digest(&file.bytes)));
        if let (Some(file), Some(sha256)) = (file, &sha256) {
            sqlx::query(KEEP_BYTES).bind(sha256).bind(&file.bytes).execute(&mut *connection).await?;
        }
        sqlx::query(ADD)
            .bind(ticket.as_str())
            .bind(signed(position))
            .bind(attachment.id.as_ref().map(AttachmentId::as_str))
            .bind(&attachment.name)
            .bind(&attachment.kind)
            .bind(&attachment.description)
            .bind(file.map(|file| file.media_type.as_str()))
            .bind(sha256)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The attachments of a ticket, in order.
pub(super) async fn of_ticket(connection: &mut SqliteConnection, ticket: &str) -> StoreResult<Vec<Attachment>> {
    let rows = sqlx::query(OF_TICKET).bind(ticket).fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::attachment)
}

/// The bytes of an attachment; none where only its name came with the ticket.
pub(super) async fn file(connection: &mut SqliteConnection, id: &AttachmentId) -> StoreResult<AttachmentFile> {
    let query = sqlx::query_as(FILE).bind(id.as_str());
    let row: Option<(String, Option<String>, Option<Vec<u8>>)> =
        query.fetch_optional(connection).await.map_err(backend)?;
    let (name, media_type, bytes) = row.ok_or_else(|| StoreError::NotFound { what: "attachment", id: id.0.clone() })?;
    Ok(AttachmentFile {
        id: id.clone(),
        name,
        media_type: media_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
        bytes: bytes.unwrap_or_default(),
    })
}
