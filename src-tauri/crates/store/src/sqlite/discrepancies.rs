//! Facts that are true one by one and cannot be true together. They are kept, named, and closed
//! when they are gone; they change nothing.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::fault::Worked;
use super::rows::micros;

statements! {
    OPEN = "INSERT INTO discrepancies (kind, subject, detail, opened_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (kind, subject) DO UPDATE SET detail = excluded.detail, closed_at = NULL";
    CLOSE = "UPDATE discrepancies SET closed_at = ?3 WHERE kind = ?1 AND subject = ?2 AND closed_at IS NULL";
}

/// The platform both delivered and refunded an item.
pub(super) const DELIVERED_AND_REFUNDED: &str = "delivered_and_refunded";
/// A refund, or a part of it, that settles nothing.
pub(super) const STRAY_REFUND: &str = "stray_refund";
/// A balance's level is not what the platform says it is.
pub(super) const LEVEL_DIFFERS: &str = "level_differs";

pub(super) async fn open(
    connection: &mut SqliteConnection,
    kind: &str,
    subject: &str,
    detail: &str,
    at: Timestamp,
) -> Worked<()> {
    sqlx::query(OPEN).bind(kind).bind(subject).bind(detail).bind(micros(at)).execute(connection).await?;
    Ok(())
}

pub(super) async fn close(connection: &mut SqliteConnection, kind: &str, subject: &str, at: Timestamp) -> Worked<()> {
    sqlx::query(CLOSE).bind(kind).bind(subject).bind(micros(at)).execute(connection).await?;
    Ok(())
}
