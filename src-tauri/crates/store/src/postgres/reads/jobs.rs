//! The providers' side: jobs, their items, and the answers of look-ups.

use makegood_domain::ids::JobId;
use makegood_domain::ports::{StoreResult, StoredAnswer};
use sqlx::postgres::PgConnection;

use super::by_id;
use crate::assemble;

statements! {
    JOBS = r#"SELECT id, run_id, provider_id, submitted_at, state, processing_started_at, finished_at, error,
            looked_up_at, locator
        FROM api.jobs WHERE run_id = ANY ($1) ORDER BY submitted_at, id COLLATE "C""#;
    ITEMS = r#"SELECT i.job_id, i.item, i.state, i.finished_at, i.file_bytes, i.file_sha256_prefix,
            i.file_available_until, i.file_exists_now
        FROM api.jobs j JOIN api.job_items i ON i.job_id = j.id
        WHERE j.run_id = ANY ($1) ORDER BY i.job_id COLLATE "C", i.item"#;
    ANSWERS = "SELECT id, url, status, body, fetched_at FROM api.look_ups WHERE job_id = $1
        ORDER BY fetched_at DESC, id DESC";
}

/// The stored answers of a job, newest first.
pub(in crate::postgres) async fn answers(connection: &mut PgConnection, job: &JobId) -> StoreResult<Vec<StoredAnswer>> {
    let rows = by_id(connection, ANSWERS, job.as_str()).await?;
    assemble::answers(&rows, job)
}
