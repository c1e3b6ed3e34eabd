//! Copies of our own: which files of providers are in the vault.

use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::ids::AgentId;
use makegood_domain::ports::{Kept, PLACED_NOT_AFTER, StoreError, StoreResult, Unkept};
use serde_json::json;
use sqlx::SqliteConnection;

use super::fault::{Worked, as_error, backend};
use super::rows::{document, micros};
use super::{SqliteStore, audit, findings, outputs};
use crate::assemble;

statements! {
    RUN_OF_JOB = "SELECT run_id FROM jobs WHERE id = ?1";
    /// Whoever found a file in the vault just before it was taken away must fetch it anew.
    IS_GOING = "SELECT EXISTS (SELECT 1 FROM removals WHERE sha256 = ?1 AND claimed_at <= ?2
        AND (removed_at IS NULL OR claimed_at > ?2 - ?3))";
    KEEP = "INSERT INTO captures (job_id, item, turn, run_id, sha256, captured_at, captured_by)
        SELECT ?1, ?2, 1 + count(*), ?3, ?4, ?5, ?6 FROM captures WHERE job_id = ?1 AND item = ?2";
    CAPTURE = "SELECT job_id, item, run_id, sha256, bytes, media_type, captured_at FROM standing_captures
        WHERE job_id = ?1 AND item = ?2";
    CAPTURES = "SELECT job_id, item, run_id, sha256, bytes, media_type, captured_at FROM standing_captures
        WHERE run_id IN (SELECT value FROM json_each(?1)) ORDER BY captured_at, job_id, item";
    /// Gone through whole, and only when a program begins: an index on it would cost every job that is told of.
    UNKEPT = "SELECT job_id, run_id, max(made) AS made FROM (
            SELECT j.id AS job_id, j.run_id, j.state NOT IN ('lookup_failed', 'unrecognised') AS made,
                coalesce(i.finished_at, j.finished_at, j.looked_up_at) AS told_at
            FROM jobs j JOIN job_items i ON i.job_id = j.id
            WHERE j.looked_up_at IS NOT NULL AND i.state = 'succeeded' AND i.file_bytes IS NOT NULL
                AND coalesce(i.file_exists_now, 1) = 1 AND coalesce(i.finished_at, j.finished_at, j.looked_up_at) >= ?1
                AND NOT EXISTS (SELECT 1 FROM standing_captures c WHERE c.job_id = j.id AND c.item = i.item)
                AND NOT EXISTS (SELECT 1 FROM outputs o WHERE o.run_id = j.run_id AND o.item = i.item
                    AND o.state = 'stored' AND o.quarantined_at IS NULL)
            UNION ALL
            SELECT j.id, j.run_id, 0, d.received_at FROM deliveries d JOIN jobs j ON j.id = d.job_id
            WHERE d.received_at >= ?1 AND d.run_id = j.run_id
                AND j.state NOT IN ('succeeded', 'failed', 'filtered', 'cancelled', 'not_found'))
        GROUP BY job_id, run_id ORDER BY max(told_at) DESC, job_id LIMIT ?2";
}

impl SqliteStore {
    pub(super) async fn write_capture(&self, capture: &Capture, by: &AgentId) -> StoreResult<Kept> {
        let mut tx = self.begin().await?;
        let kept = keep(&mut tx, capture, by).await.map_err(|fault| as_error(fault, capture.job_id.as_str()))?;
        tx.commit().await.map_err(backend)?;
        Ok(kept)
    }

    pub(super) async fn read_unkept_jobs(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<Unkept>> {
        let query = sqlx::query(UNKEPT).bind(micros(since)).bind(i64::from(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::unkept)
    }
}

/// The capture that stands afterwards, which is of the first of two files.
async fn keep(connection: &mut SqliteConnection, capture: &Capture, by: &AgentId) -> Worked<Kept> {
    let job = capture.job_id.as_str();
    let run: Option<String> = sqlx::query_scalar(RUN_OF_JOB).bind(job).fetch_optional(&mut *connection).await?;
    let Some(run) = run else {
        return Err(StoreError::NotFound { what: "job", id: job.to_owned() }.into());
    };
    if let Some(known) = known(connection, capture).await? {
        return Ok(Kept::Stands(known));
    }
    if is_going(connection, capture).await? {
        return Ok(Kept::Refused("the file was just taken out of the vault: fetch it again, an hour later".to_owned()));
    }
    outputs::keep_file(connection, &capture.file).await?;
    sqlx::query(KEEP)
        .bind(job)
        .bind(i64::from(capture.item))
        .bind(&run)
        .bind(&capture.file.sha256)
        .bind(micros(capture.captured_at))
        .bind(by.as_str())
        .execute(&mut *connection)
        .await?;
    let detail = document(&json!({ "job_id": job, "item": capture.item, "file": capture.file }))?;
    audit::add(connection, by.as_str(), "capture", &run, &detail, capture.captured_at).await?;
    findings::follow_ledger_of_run(connection, &run).await?;
    match known(connection, capture).await? {
        Some(kept) => Ok(Kept::Stands(kept)),
        None => Err(StoreError::Backend(format!("the capture of {job} is not there after it was written")).into()),
    }
}

async fn is_going(connection: &mut SqliteConnection, wanted: &Capture) -> Worked<bool> {
    let placed_not_after = i64::try_from(PLACED_NOT_AFTER.as_micros()).unwrap_or(i64::MAX);
    let query = sqlx::query_scalar(IS_GOING).bind(&wanted.file.sha256).bind(micros(wanted.captured_at));
    Ok(query.bind(placed_not_after).fetch_one(connection).await?)
}

async fn known(connection: &mut SqliteConnection, wanted: &Capture) -> Worked<Option<Capture>> {
    let query = sqlx::query(CAPTURE).bind(wanted.job_id.as_str()).bind(i64::from(wanted.item));
    let row = query.fetch_optional(connection).await?;
    Ok(row.as_ref().map(assemble::capture).transpose()?)
}

/// Of these runs, oldest first.
pub(super) async fn captures(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Capture>> {
    let rows = sqlx::query(CAPTURES).bind(runs).fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::capture)
}
