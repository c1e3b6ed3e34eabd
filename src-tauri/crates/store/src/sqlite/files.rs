//! Files of the vault: what refers to them, and which are taken away.

use jiff::Timestamp;
use makegood_domain::keeping::FileReference;
use makegood_domain::ports::{KnownFile, Removal, StoreError, StoreResult};
use sqlx::SqliteConnection;

use super::fault::{Worked, as_error, backend};
use super::rows::{document, micros, signed};
use super::{SqliteStore, audit, findings};
use crate::assemble;

statements! {
    REFERENCES = "SELECT vault, id, run_id, hold_until, quarantined_at, NULL AS captured_at FROM outputs
        WHERE vault IN (SELECT value FROM json_each(?1))
        UNION ALL SELECT sha256, NULL, run_id, NULL, NULL, captured_at FROM captures
        WHERE sha256 IN (SELECT value FROM json_each(?1))
        ORDER BY vault, id NULLS LAST, run_id, captured_at";
    /// An output that was stored after the removal brought the file anew.
    KNOWN = "SELECT sha256, max(bytes) AS bytes FROM (
            SELECT * FROM (SELECT o.vault AS sha256, f.bytes FROM outputs o JOIN files f ON f.sha256 = o.vault
                WHERE o.vault IS NOT NULL AND o.vault > ?1
                    AND NOT EXISTS (SELECT 1 FROM removals r WHERE r.sha256 = o.vault AND r.claimed_at >= o.stored_at)
                GROUP BY o.vault ORDER BY o.vault LIMIT ?2)
            UNION ALL SELECT * FROM (SELECT sha256, bytes FROM standing_captures WHERE sha256 > ?1
                GROUP BY sha256 ORDER BY sha256 LIMIT ?2))
        GROUP BY sha256 ORDER BY sha256 LIMIT ?2";
    KEEP = "INSERT INTO files (sha256, bytes, media_type) VALUES (?1, max(?2, 1), 'application/octet-stream')
        ON CONFLICT (sha256) DO NOTHING";
    IS_CLAIMED = "SELECT EXISTS (SELECT 1 FROM removals WHERE sha256 = ?1 AND removed_at IS NULL)";
    IS_NEEDED = "SELECT EXISTS (SELECT 1 FROM outputs WHERE vault = ?1 AND CASE
            WHEN hold_until IS NULL AND quarantined_at IS NULL THEN 1
            ELSE max(coalesce(hold_until, 0), coalesce(quarantined_at + ?3, 0)) > ?2 END)
        OR EXISTS (SELECT 1 FROM captures WHERE sha256 = ?1 AND captured_at + ?3 > ?2)";
    CLAIM_AGAIN = "UPDATE removals SET claimed_at = ?2, removed_at = NULL, why = ?3 WHERE sha256 = ?1";
    CLAIM = "INSERT INTO removals (sha256, claimed_at, why) VALUES (?1, ?2, ?3)";
    END = "UPDATE removals SET removed_at = max(?2, claimed_at) WHERE sha256 = ?1 AND removed_at IS NULL";
    /// Runs of which a copy of this file was saved.
    SAVED_RUNS = "SELECT DISTINCT run_id FROM captures WHERE sha256 = ?1 ORDER BY run_id";
    CLAIMED = "SELECT sha256 FROM removals WHERE removed_at IS NULL ORDER BY sha256 LIMIT ?1";
    RECORD_ID = "SELECT id FROM this_record";
}

impl SqliteStore {
    pub(super) async fn read_file_references(&self, sha256: &[String]) -> StoreResult<Vec<FileReference>> {
        let wanted = document(&sha256)?;
        let rows = sqlx::query(REFERENCES).bind(wanted).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::file_reference)
    }

    pub(super) async fn read_known_files(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<KnownFile>> {
        let query = sqlx::query(KNOWN).bind(after.unwrap_or_default()).bind(i64::from(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::known_file)
    }

    pub(super) async fn read_record_id(&self) -> StoreResult<String> {
        sqlx::query_scalar(RECORD_ID).fetch_one(&self.readers).await.map_err(backend)
    }

    pub(super) async fn claim_file(&self, removal: &Removal, at: Timestamp) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let claimed = claim(&mut tx, removal, at).await.map_err(|fault| as_error(fault, &removal.sha256))?;
        tx.commit().await.map_err(backend)?;
        Ok(claimed)
    }

    pub(super) async fn end_file(&self, sha256: &str, at: Timestamp) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let ended = end(&mut tx, sha256, at).await.map_err(|fault| as_error(fault, sha256))?;
        tx.commit().await.map_err(backend)?;
        Ok(ended)
    }

    pub(super) async fn read_claimed_removals(&self, limit: u32) -> StoreResult<Vec<String>> {
        sqlx::query_scalar(CLAIMED).bind(i64::from(limit)).fetch_all(&self.readers).await.map_err(backend)
    }
}

/// The queue hears that what was saved is saved no longer.
async fn end(connection: &mut SqliteConnection, sha256: &str, at: Timestamp) -> Worked<bool> {
    let ended = sqlx::query(END).bind(sha256).bind(micros(at)).execute(&mut *connection).await?;
    let runs: Vec<String> = sqlx::query_scalar(SAVED_RUNS).bind(sha256).fetch_all(&mut *connection).await?;
    for run in runs {
        findings::follow_ledger_of_run(connection, &run).await?;
    }
    Ok(ended.rows_affected() > 0)
}

async fn claim(connection: &mut SqliteConnection, removal: &Removal, at: Timestamp) -> Worked<bool> {
    let (sha256, why) = (&removal.sha256, &removal.why);
    let hold = i64::try_from(removal.hold.as_micros()).map_err(|error| StoreError::Backend(error.to_string()))?;
    let is_claimed: bool = sqlx::query_scalar(IS_CLAIMED).bind(sha256).fetch_one(&mut *connection).await?;
    if is_claimed {
        return Ok(true);
    }
    let needed = sqlx::query_scalar(IS_NEEDED).bind(sha256).bind(micros(at)).bind(hold);
    if needed.fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    sqlx::query(KEEP).bind(sha256).bind(signed(removal.bytes)).execute(&mut *connection).await?;
    let again = sqlx::query(CLAIM_AGAIN).bind(sha256).bind(micros(at)).bind(why).execute(&mut *connection).await?;
    if again.rows_affected() == 0 {
        sqlx::query(CLAIM).bind(sha256).bind(micros(at)).bind(why).execute(&mut *connection).await?;
    }
    audit::add(connection, removal.by.as_str(), "remove_file", sha256, why, at).await?;
    Ok(true)
}
