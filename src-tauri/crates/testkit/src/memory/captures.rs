//! Copies of our own: which files of providers are in the vault.

use makegood_domain::capture::Capture;
use makegood_domain::ids::{AgentId, JobId, RunId};
use makegood_domain::ports::{Kept, StoreError, StoreResult};

use super::record::Record;
use super::{Halt, cut, effects, files, findings};

/// Of one item of a job, oldest first. Only the last one can stand.
fn of<'a>(record: &'a Record, job: &JobId, item: u32) -> impl DoubleEndedIterator<Item = &'a Capture> {
    let (first, last) = ((job.clone(), item, 0), (job.clone(), item, u32::MAX));
    record.captures.range(first..=last).map(|(_, row)| row)
}

/// Whether its file was not taken out of the vault since.
fn stands(record: &Record, capture: &Capture) -> bool {
    record.removals.get(&capture.file.sha256).is_none_or(|row| row.claimed_at < capture.captured_at)
}

/// Those of a run that stand.
pub(super) fn standing<'a>(record: &'a Record, run: &'a RunId) -> impl Iterator<Item = &'a Capture> {
    record.captures.values().filter(move |row| row.run_id == *run && stands(record, row))
}

/// The capture that stands afterwards, which is of the first of two files.
pub(super) fn keep(record: &mut Record, capture: &Capture, by: &AgentId) -> StoreResult<Kept> {
    let Some(run_id) = record.jobs.get(&capture.job_id).map(|job| job.run_id.clone()) else {
        return Err(StoreError::NotFound { what: "job", id: capture.job_id.0.clone() });
    };
    let last = of(record, &capture.job_id, capture.item).next_back();
    if let Some(known) = last.filter(|known| stands(record, known)) {
        return Ok(Kept::Stands(known.clone()));
    }
    let captured_at = cut(capture.captured_at);
    match files::check_new(record, &capture.file.sha256, captured_at) {
        Ok(()) => {}
        Err(Halt::Refused(why)) => return Ok(Kept::Refused(why)),
        Err(Halt::Failed(error)) => return Err(error),
    }
    if capture.item == 0 || capture.file.bytes == 0 || capture.file.sha256.chars().count() != 64 {
        let why = "a capture has an item, a SHA-256 and a length".to_owned();
        return Err(StoreError::Inconsistent { at: capture.job_id.0.clone(), why });
    }
    let file = files::first_told(record, &capture.file);
    let kept = Capture { run_id: run_id.clone(), captured_at, file, ..capture.clone() };
    let turn = u32::try_from(of(record, &capture.job_id, capture.item).count()).unwrap_or(u32::MAX);
    record.captures.put((capture.job_id.clone(), capture.item, turn), kept.clone());
    let detail = serde_json::json!({ "job_id": capture.job_id, "item": capture.item, "file": capture.file });
    effects::audit(record, by.as_str(), "capture", run_id.as_str(), &detail.to_string(), captured_at);
    findings::follow_ledger_of_run(record, &run_id);
    Ok(Kept::Stands(kept))
}
