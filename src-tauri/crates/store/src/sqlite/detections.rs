//! What the reconciler noticed, apart from what it did about it (R16). The first time counts.

use jiff::Timestamp;
use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ports::{Detection, StoreResult};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::{as_error, backend};
use super::rows::{document, micros, signed};
use crate::assemble;

statements! {
    KNOWN = "SELECT closed_at FROM detections WHERE kind = ?1 AND subject = ?2 AND item = ?3";
    ADD = "INSERT INTO detections (kind, subject, item, run_id, charge_id, output_id, cause, detail, detected_at,
            closed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    REOPEN = "UPDATE detections SET closed_at = NULL WHERE kind = ?1 AND subject = ?2 AND item = ?3";
    NEWEST = "SELECT kind, subject, item, run_id, charge_id, output_id, cause, detail, detected_at, closed_at
        FROM detections WHERE ?1 = 0 OR closed_at IS NULL
        ORDER BY detected_at DESC, kind, subject, item LIMIT ?2";
    OF_CHARGES = "SELECT kind, subject, item, run_id, charge_id, output_id, cause, detail, detected_at, closed_at
        FROM detections WHERE charge_id IN (SELECT value FROM json_each(?1))
        ORDER BY detected_at, kind, subject, item";
    OPEN_OF_RUN = "SELECT d.kind, d.subject, d.item, d.run_id, d.charge_id, d.output_id, d.cause, d.detail,
            d.detected_at, d.closed_at
        FROM runs r JOIN detections d ON d.run_id = r.id WHERE r.root_id = ?1 AND d.closed_at IS NULL";
    CLOSE = "UPDATE detections SET closed_at = ?4 WHERE kind = ?1 AND subject = ?2 AND item = ?3";
    /// The first that concerns one of these items of a charge, or the charge as a whole.
    OF_ITEMS = "SELECT detected_at, cause FROM detections
        WHERE charge_id = ?1 AND (item = 0 OR item IN (SELECT value FROM json_each(?2)))
            AND kind IN ('orphan', 'damaged', 'duplicate_charge')
        ORDER BY detected_at, item LIMIT 1";
}

impl SqliteStore {
    pub(super) async fn keep_detection(&self, new: &Detection) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let kind = new.kind.word();
        let query = sqlx::query_as(KNOWN).bind(kind).bind(&new.subject).bind(i64::from(new.item));
        let known: Option<(Option<i64>,)> = query.fetch_optional(&mut *tx).await.map_err(backend)?;
        match known {
            Some((None,)) => return Ok(false),
            // It is so again; when it was first noticed stays.
            Some((Some(_),)) => {
                let reopen = sqlx::query(REOPEN).bind(kind).bind(&new.subject).bind(i64::from(new.item));
                reopen.execute(&mut *tx).await.map_err(backend)?;
            }
            None => add(&mut tx, new).await?,
        }
        tx.commit().await.map_err(backend)?;
        Ok(known.is_none())
    }

    pub(super) async fn read_detections(&self, open_only: bool, limit: u64) -> StoreResult<Vec<Detection>> {
        let query = sqlx::query(NEWEST).bind(open_only).bind(signed(limit));
        assemble::each(&query.fetch_all(&self.readers).await.map_err(backend)?, assemble::detection)
    }

    pub(super) async fn read_detections_of(&self, charges: &[ChargeId]) -> StoreResult<Vec<Detection>> {
        let query = sqlx::query(OF_CHARGES).bind(document(&charges)?);
        assemble::each(&query.fetch_all(&self.readers).await.map_err(backend)?, assemble::detection)
    }

    pub(super) async fn end_detections(&self, root: &RunId, still: &[Detection], at: Timestamp) -> StoreResult<u64> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(OPEN_OF_RUN).bind(root.as_str()).fetch_all(&mut *tx).await.map_err(backend)?;
        let mut closed = 0;
        for row in &rows {
            let open = assemble::detection(row)?;
            let same =
                |other: &Detection| (other.kind, &other.subject, other.item) == (open.kind, &open.subject, open.item);
            if still.iter().any(same) {
                continue;
            }
            let close = sqlx::query(CLOSE).bind(open.kind.word()).bind(&open.subject).bind(i64::from(open.item));
            close.bind(micros(at)).execute(&mut *tx).await.map_err(backend)?;
            closed += 1;
        }
        tx.commit().await.map_err(backend)?;
        Ok(closed)
    }
}

async fn add(connection: &mut SqliteConnection, new: &Detection) -> StoreResult<()> {
    let add = sqlx::query(ADD)
        .bind(new.kind.word())
        .bind(&new.subject)
        .bind(i64::from(new.item))
        .bind(new.run_id.as_str())
        .bind(new.charge_id.as_ref().map(|id| id.as_str()))
        .bind(new.output_id.as_ref().map(|id| id.as_str()))
        .bind(&new.cause)
        .bind(&new.detail)
        .bind(micros(new.detected_at))
        .bind(new.closed_at.map(micros));
    add.execute(connection).await.map_err(|error| as_error(error.into(), &new.subject))?;
    Ok(())
}
