//! The providers' side: jobs, their items, and the answers of look-ups.

use std::collections::BTreeMap;

use makegood_domain::ids::{JobId, RunId};
use makegood_domain::ports::{StoreResult, StoredAnswer};
use sqlx::postgres::PgConnection;

use super::{by_id, by_ids};
use crate::assemble;
use crate::rows::Columns as _;

statements! {
    JOBS = r#"SELECT id, run_id, provider_id, submitted_at, state, processing_started_at, finished_at, error,
            looked_up_at, locator
        FROM api.jobs WHERE run_id = ANY ($1) ORDER BY submitted_at, id COLLATE "C""#;
    ITEMS = r#"SELECT i.job_id, i.item, i.state, i.finished_at, i.file_bytes, i.file_sha256_prefix,
            i.file_available_until, i.file_exists_now
        FROM api.jobs j JOIN api.job_items i ON i.job_id = j.id
        WHERE j.run_id = ANY ($1) ORDER BY i.job_id COLLATE "C", i.item"#;
    OWNERS = "SELECT id, run_id FROM api.jobs WHERE id = ANY ($1)";
    ANSWERS = "SELECT id, url, status, body, fetched_at FROM api.look_ups WHERE job_id = $1
        ORDER BY fetched_at DESC, id DESC";
}

/// Of these jobs those that are known, each with its run.
pub(in crate::postgres) async fn owners(
    connection: &mut PgConnection,
    jobs: &[JobId],
) -> StoreResult<BTreeMap<JobId, RunId>> {
    let ids: Vec<String> = jobs.iter().map(|job| job.0.clone()).collect();
    let rows = by_ids(connection, OWNERS, &ids).await?;
    rows.iter().map(|row| Ok((JobId(row.text("id")?), RunId(row.text("run_id")?)))).collect()
}

/// The stored answers of a job, newest first.
pub(in crate::postgres) async fn answers(connection: &mut PgConnection, job: &JobId) -> StoreResult<Vec<StoredAnswer>> {
    let rows = by_id(connection, ANSWERS, job.as_str()).await?;
    assemble::answers(&rows, job)
}
