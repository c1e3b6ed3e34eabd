//! Copies of our own.

use makegood_domain::capture::Capture;
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{StoreResult, Unkept};

use crate::rows::Columns;

pub(crate) fn capture(row: &impl Columns) -> StoreResult<Capture> {
    Ok(Capture {
        run_id: row.text("run_id")?.as_str().into(),
        job_id: row.text("job_id")?.as_str().into(),
        item: row.count("item")?,
        file: StoredFile {
            sha256: row.text("sha256")?,
            bytes: row.count("bytes")?,
            media_type: row.text("media_type")?,
        },
        captured_at: row.time("captured_at")?,
    })
}

pub(crate) fn unkept(row: &impl Columns) -> StoreResult<Unkept> {
    Ok(Unkept {
        job_id: row.text("job_id")?.as_str().into(),
        run_id: row.text("run_id")?.as_str().into(),
        made: row.int("made")? > 0,
    })
}
