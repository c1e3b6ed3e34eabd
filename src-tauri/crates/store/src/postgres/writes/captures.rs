//! Keeping that a file of a provider is in the vault.

use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::ids::{AgentId, JobId, RunId};
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{Kept, StoreResult};
use serde::Deserialize;

use super::{answer, at, document, said};
use crate::postgres::PgStore;
use crate::postgres::fault::as_error;
use crate::rows::instant;

statements! {
    KEEP = "SELECT api.keep_capture($1::jsonb, $2, $3)";
}

/// What the function tells.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Stands(Standing),
    Refused(String),
}

/// A capture as the function tells it.
#[derive(Deserialize)]
struct Standing {
    run_id: RunId,
    job_id: JobId,
    item: u32,
    file: StoredFile,
    captured_at: i64,
}

impl PgStore {
    pub(in crate::postgres) async fn write_capture(&self, capture: &Capture, by: &AgentId) -> StoreResult<Kept> {
        let whole = document(capture)?;
        let arguments = [said(&whole), said(by.as_str()), at(capture.captured_at)];
        let kept = self.call(KEEP, &arguments).await.map_err(|fault| as_error(fault, capture.job_id.as_str()))?;
        let standing = match answer(kept, "keep_capture")? {
            Answer::Stands(standing) => standing,
            Answer::Refused(why) => return Ok(Kept::Refused(why)),
        };
        let Standing { run_id, job_id, item, file, captured_at } = standing;
        let captured_at: Timestamp = instant(captured_at, "the instant of a capture")?;
        Ok(Kept::Stands(Capture { run_id, job_id, item, file, captured_at }))
    }
}
