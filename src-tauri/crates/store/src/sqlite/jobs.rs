//! The providers' side: jobs, their items, and the answers of look-ups.

use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::ids::{JobId, RunId};
use makegood_domain::ports::{RawAnswer, StoreResult, StoredAnswer};
use makegood_domain::work::{Job, JobState};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{Columns as _, id_list, micros, signed, word};
use crate::assemble;

statements! {
    PUT = "INSERT INTO jobs (id, run_id, provider_id, submitted_at, state, processing_started_at,
            finished_at, error, looked_up_at, locator) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, provider_id = excluded.provider_id,
            submitted_at = excluded.submitted_at, state = excluded.state,
            processing_started_at = excluded.processing_started_at, finished_at = excluded.finished_at,
            error = excluded.error, looked_up_at = excluded.looked_up_at,
            locator = coalesce(excluded.locator, jobs.locator)";
    /// A failed look-up says nothing about the job: what was known of it stays.
    PUT_FAILED_LOOK_UP = "UPDATE jobs SET state = 'lookup_failed', error = ?2, looked_up_at = ?3 WHERE id = ?1";
    KNOWN_SINCE = "SELECT looked_up_at FROM jobs WHERE id = ?1";
    /// Whether its provider said its last word, or answered at ?2 or later. A failed look-up is no answer.
    IS_ANSWERED = "SELECT count(*) FROM jobs WHERE id = ?1 AND looked_up_at IS NOT NULL AND state <> 'lookup_failed'
        AND (looked_up_at >= ?2 OR state IN ('succeeded', 'failed', 'filtered', 'cancelled', 'not_found'))";
    CLEAR_ITEMS = "DELETE FROM job_items WHERE job_id = ?1";
    ADD_ITEM = "INSERT INTO job_items (job_id, item, state, finished_at, file_bytes, file_sha256_prefix,
            file_available_until, file_exists_now) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    JOBS = "SELECT id, run_id, provider_id, submitted_at, state, processing_started_at, finished_at, error,
            looked_up_at, locator
        FROM jobs WHERE run_id IN (SELECT value FROM json_each(?1)) ORDER BY submitted_at, id";
    ITEMS = "SELECT i.job_id, i.item, i.state, i.finished_at, i.file_bytes, i.file_sha256_prefix,
            i.file_available_until, i.file_exists_now
        FROM jobs j JOIN job_items i ON i.job_id = j.id
        WHERE j.run_id IN (SELECT value FROM json_each(?1)) ORDER BY i.job_id, i.item";
    OWNERS = "SELECT id, run_id FROM jobs WHERE id IN (SELECT value FROM json_each(?1))";
    ADD_ANSWER = "INSERT INTO look_ups (job_id, url, status, body, fetched_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    ANSWERS = "SELECT id, url, status, body, fetched_at FROM look_ups WHERE job_id = ?1
        ORDER BY fetched_at DESC, id DESC";
}

/// Keeps what a feed says of a job as of `told_at`: it is nobody's look-up, whatever instant it names, and says
/// nothing new of a job whose provider said its last word, or answered since.
pub(super) async fn hear(connection: &mut SqliteConnection, row: &Job, told_at: Timestamp) -> Worked<()> {
    let asked = sqlx::query_scalar(IS_ANSWERED).bind(row.id.as_str()).bind(micros(told_at));
    let answered: i64 = asked.fetch_one(&mut *connection).await?;
    if answered > 0 { Ok(()) } else { put(connection, row, None).await }
}

/// Keeps a word about a job; `asked_at`: when its provider said it, `None` where a feed did.
async fn put(connection: &mut SqliteConnection, row: &Job, asked_at: Option<Timestamp>) -> Worked<()> {
    sqlx::query(PUT)
        .bind(row.id.as_str())
        .bind(row.run_id.as_str())
        .bind(row.provider_id.as_str())
        .bind(micros(row.submitted_at))
        .bind(word(&row.state)?)
        .bind(row.processing_started_at.map(micros))
        .bind(row.finished_at.map(micros))
        .bind(&row.error)
        .bind(asked_at.map(micros))
        .bind(&row.locator)
        .execute(&mut *connection)
        .await?;
    sqlx::query(CLEAR_ITEMS).bind(row.id.as_str()).execute(&mut *connection).await?;
    for item in &row.items {
        let file = item.file.as_ref();
        sqlx::query(ADD_ITEM)
            .bind(row.id.as_str())
            .bind(i64::from(item.item))
            .bind(word(&item.state)?)
            .bind(item.finished_at.map(micros))
            .bind(file.map(|file| signed(file.bytes)))
            .bind(file.map(|file| file.sha256_prefix.as_str()))
            .bind(file.and_then(|file| file.available_until).map(micros))
            .bind(file.and_then(|file| file.exists_now))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Keeps what a look-up answered, unless a newer answer is known, and the raw texts in any case.
/// `at` is the newest instant among the raw texts where the job itself names none.
pub(super) async fn record(connection: &mut SqliteConnection, row: &Job, raw: &[RawAnswer]) -> Worked<()> {
    let fetched = raw.iter().map(|answer| answer.fetched_at).max();
    let at = row.looked_up_at.or(fetched).unwrap_or(row.submitted_at);
    let known: Option<Option<i64>> =
        sqlx::query_scalar(KNOWN_SINCE).bind(row.id.as_str()).fetch_optional(&mut *connection).await?;
    match known {
        Some(Some(known)) if known > micros(at) => {}
        Some(_) if row.state == JobState::LookupFailed => {
            let put = sqlx::query(PUT_FAILED_LOOK_UP).bind(row.id.as_str()).bind(&row.error).bind(micros(at));
            put.execute(&mut *connection).await?;
        }
        _ => put(connection, row, Some(at)).await?,
    }
    for answer in raw {
        sqlx::query(ADD_ANSWER)
            .bind(row.id.as_str())
            .bind(&answer.url)
            .bind(i64::from(answer.status))
            .bind(&answer.body)
            .bind(micros(answer.fetched_at))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The jobs of these runs with their items, oldest submission first.
pub(super) async fn jobs(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Job>> {
    let items = sqlx::query(ITEMS).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let rows = sqlx::query(JOBS).bind(runs).fetch_all(connection).await.map_err(backend)?;
    assemble::jobs(&rows, &items)
}

/// Of these jobs those that are known, each with its run.
pub(super) async fn owners(connection: &mut SqliteConnection, jobs: &[JobId]) -> StoreResult<BTreeMap<JobId, RunId>> {
    let ids: Vec<String> = jobs.iter().map(|job| job.0.clone()).collect();
    let rows = sqlx::query(OWNERS).bind(id_list(&ids)).fetch_all(connection).await.map_err(backend)?;
    rows.iter().map(|row| Ok((JobId(row.text("id")?), RunId(row.text("run_id")?)))).collect()
}

/// The stored answers of a job, newest first.
pub(super) async fn answers(connection: &mut SqliteConnection, job: &JobId) -> StoreResult<Vec<StoredAnswer>> {
    let rows = sqlx::query(ANSWERS).bind(job.as_str()).fetch_all(connection).await.map_err(backend)?;
    assemble::answers(&rows, job)
}
