//! Jobs with their items, and the answers of look-ups.

use makegood_domain::ids::JobId;
use makegood_domain::ports::{RawAnswer, StoreResult, StoredAnswer};
use makegood_domain::work::{Job, JobItem, ProviderFile};

use super::{by_key, each};
use crate::rows::Columns;

/// Jobs with their items, in the order of both.
pub(crate) fn jobs<R: Columns>(rows: &[R], items: &[R]) -> StoreResult<Vec<Job>> {
    let mut items = by_key(items, "job_id", job_item)?;
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(Job {
                run_id: row.text("run_id")?.as_str().into(),
                provider_id: row.text("provider_id")?.as_str().into(),
                submitted_at: row.time("submitted_at")?,
                state: row.word("state")?,
                processing_started_at: row.opt_time("processing_started_at")?,
                finished_at: row.opt_time("finished_at")?,
                items: items.remove(&id).unwrap_or_default(),
                error: row.opt_text("error")?,
                looked_up_at: row.opt_time("looked_up_at")?,
                locator: row.opt_text("locator")?,
                id: id.as_str().into(),
            })
        })
        .collect()
}

fn job_item(row: &impl Columns) -> StoreResult<JobItem> {
    let file = match row.opt_text("file_sha256_prefix")? {
        Some(sha256_prefix) => Some(ProviderFile {
            bytes: row.count("file_bytes")?,
            sha256_prefix,
            available_until: row.opt_time("file_available_until")?,
            exists_now: row.opt_int("file_exists_now")?.map(|exists| exists != 0),
        }),
        None => None,
    };
    Ok(JobItem { item: row.count("item")?, state: row.word("state")?, finished_at: row.opt_time("finished_at")?, file })
}

/// Stored answers of one job, in the order of the rows.
pub(crate) fn answers<R: Columns>(rows: &[R], job: &JobId) -> StoreResult<Vec<StoredAnswer>> {
    each(rows, |row| {
        Ok(StoredAnswer {
            id: row.int("id")?.to_string(),
            job_id: job.clone(),
            answer: RawAnswer {
                url: row.text("url")?,
                status: row.count("status")?,
                body: row.text("body")?,
                fetched_at: row.time("fetched_at")?,
            },
        })
    })
}
