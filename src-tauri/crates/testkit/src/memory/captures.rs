//! Copies of our own: which files of providers are in the vault.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::ids::{AgentId, JobId, RunId};
use makegood_domain::ports::{Kept, StoreError, StoreResult, Unkept};
use makegood_domain::work::{ItemState, Job, JobItem, JobState, OutputState};

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

/// Jobs of which something may have to be saved, the newest first.
pub(super) fn unkept(record: &Record, since: Timestamp, limit: u32) -> Vec<Unkept> {
    let mut told: BTreeMap<JobId, (Timestamp, Unkept)> = BTreeMap::new();
    let mut tell = |job: &Job, at: Timestamp, made: bool| {
        if at < since {
            return;
        }
        let new = || (at, Unkept { job_id: job.id.clone(), run_id: job.run_id.clone(), made });
        let (known_at, known) = told.entry(job.id.clone()).or_insert_with(new);
        (*known_at, known.made) = (at.max(*known_at), known.made || made);
    };
    for job in record.jobs.values() {
        let is_answered = !matches!(job.state, JobState::LookupFailed | JobState::Unrecognised);
        for item in job.items.iter().filter(|item| is_only_there(record, job, item)) {
            let Some(looked_up_at) = job.looked_up_at else { continue };
            tell(job, cut(item.finished_at.or(job.finished_at).unwrap_or(looked_up_at)), is_answered);
        }
    }
    for row in record.deliveries.values() {
        let job = row.delivery.job_id.as_ref().and_then(|id| record.jobs.get(id));
        let known = job.filter(|job| row.run_id.as_ref() == Some(&job.run_id) && !job.state.is_terminal());
        if let Some(job) = known {
            tell(job, row.delivery.received_at, false);
        }
    }
    let mut rows: Vec<_> = told.into_iter().collect();
    rows.sort_by(|(id, (at, _)), (other, (other_at, _))| (Reverse(at), id).cmp(&(Reverse(other_at), other)));
    rows.into_iter().map(|(_, (_, row))| row).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

/// Whether a provider has a file of an item that is nowhere of ours.
fn is_only_there(record: &Record, job: &Job, item: &JobItem) -> bool {
    let is_there = item.file.as_ref().is_some_and(|file| file.exists_now != Some(false));
    if item.state != ItemState::Succeeded || !is_there {
        return false;
    }
    let is_saved = of(record, &job.id, item.item).any(|row| stands(record, row));
    let is_stored = record.outputs.values().any(|row| {
        let output = &row.output;
        let is_of_it = output.run_id == job.run_id && output.item == item.item;
        is_of_it && output.state == OutputState::Stored && !row.quarantined
    });
    !is_saved && !is_stored
}
