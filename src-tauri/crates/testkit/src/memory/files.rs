//! Files of the vault: what refers to them, and which are taken away.

use jiff::Timestamp;
use makegood_domain::keeping::FileReference;
use makegood_domain::plan::{Place, StoredFile};
use makegood_domain::ports::{KnownFile, PLACED_NOT_AFTER, Removal};

use super::record::{OutputRow, Record, RemovalRow};
use super::{Worked, cut, effects, findings, items, refused};

/// A file as it was told of first: what its hash says it is does not change.
pub(super) fn first_told(record: &mut Record, file: &StoredFile) -> StoredFile {
    if let Some(known) = record.files.get(&file.sha256) {
        return known.clone();
    }
    record.files.put(file.sha256.clone(), file.clone());
    file.clone()
}

/// The outputs that have our copy of a file.
fn of<'a>(record: &'a Record, sha256: &'a str) -> impl Iterator<Item = &'a OutputRow> {
    record.outputs.values().filter(move |row| row.ours && row.output.sha256.as_deref() == Some(sha256))
}

pub(super) fn references(record: &Record, sha256: &[String]) -> Vec<FileReference> {
    let mut wanted: Vec<&String> = sha256.iter().collect();
    wanted.sort();
    wanted.dedup();
    let reference = |row: &OutputRow, sha256: &str| FileReference {
        sha256: sha256.to_owned(),
        output_id: Some(row.output.id.clone()),
        run_id: row.output.run_id.clone(),
        captured_at: None,
        hold_until: row.hold_until,
        quarantined_at: row.quarantined_at,
    };
    let of_file = |sha256: &String| {
        let outputs = of(record, sha256).map(|row| reference(row, sha256));
        outputs.chain(captured(record, sha256)).collect::<Vec<_>>()
    };
    wanted.into_iter().flat_map(of_file).collect()
}

/// What was saved of a file, also long ago.
fn captured(record: &Record, sha256: &str) -> Vec<FileReference> {
    let rows = record.captures.values().filter(|row| row.file.sha256 == sha256);
    let mut references: Vec<FileReference> = rows
        .map(|row| FileReference {
            sha256: sha256.to_owned(),
            output_id: None,
            run_id: row.run_id.clone(),
            captured_at: Some(row.captured_at),
            hold_until: None,
            quarantined_at: None,
        })
        .collect();
    references.sort_by_key(|row| (row.run_id.clone(), row.captured_at));
    references
}

/// The files of outputs and captures that came after the last removal of their content.
pub(super) fn known(record: &Record, after: Option<&str>, limit: u32) -> Vec<KnownFile> {
    let ours = record.outputs.values().filter(|row| row.ours);
    let outputs = ours.filter_map(|row| Some((row.output.sha256.clone()?, row.output.bytes, row.output.stored_at)));
    let captures = record.captures.values().map(|row| (row.file.sha256.clone(), row.file.bytes, row.captured_at));
    let mut files: Vec<KnownFile> = outputs
        .chain(captures)
        .filter(|(sha256, ..)| after.is_none_or(|after| sha256.as_str() > after))
        .filter(|(sha256, _, since)| record.removals.get(sha256).is_none_or(|gone| gone.claimed_at < *since))
        .map(|(sha256, bytes, _)| KnownFile { sha256, bytes })
        .collect();
    files.sort_by(|one, other| one.sha256.cmp(&other.sha256));
    files.dedup_by(|one, other| one.sha256 == other.sha256);
    files.truncate(items::size(u64::from(limit)));
    files
}

pub(super) fn claim(record: &mut Record, removal: &Removal, at: Timestamp) -> bool {
    let sha256 = &removal.sha256;
    if record.removals.get(sha256).is_some_and(|row| row.removed_at.is_none()) {
        return true;
    }
    let is_needed = |row: &FileReference| row.end(removal.hold).is_none_or(|end| end > at);
    if references(record, std::slice::from_ref(sha256)).iter().any(is_needed) {
        return false;
    }
    let media_type = "application/octet-stream".to_owned();
    first_told(record, &StoredFile { sha256: sha256.clone(), bytes: removal.bytes.max(1), media_type });
    record.removals.put(sha256.clone(), RemovalRow { claimed_at: at, removed_at: None });
    effects::audit(record, removal.by.as_str(), "remove_file", sha256, &removal.why, at);
    true
}

pub(super) fn end(record: &mut Record, sha256: &str, at: Timestamp) -> bool {
    let key = sha256.to_owned();
    let is_claimed = record.removals.get(&key).is_some_and(|row| row.removed_at.is_none());
    if is_claimed {
        record.removals.edit(&key, |row| row.removed_at = Some(at.max(row.claimed_at)));
        for reference in captured(record, sha256) {
            findings::follow_ledger_of_run(record, &reference.run_id);
        }
    }
    is_claimed
}

pub(super) fn claimed(record: &Record, limit: u32) -> Vec<String> {
    let under_way = record.removals.iter().filter(|(_, row)| row.removed_at.is_none());
    under_way.map(|(sha256, _)| sha256.clone()).take(items::size(u64::from(limit))).collect()
}

/// Refuses an output of a file that was just taken away: whoever found it there must fetch it anew.
pub(super) fn check_new(record: &Record, sha256: &str, at: Timestamp) -> Worked<()> {
    let is_going = |row: &RemovalRow| {
        let free = row.claimed_at.saturating_add(PLACED_NOT_AFTER).unwrap_or(Timestamp::MAX);
        row.claimed_at <= at && (row.removed_at.is_none() || free > at)
    };
    match record.removals.get(&sha256.to_owned()).is_some_and(is_going) {
        true => refused("the file was just taken out of the vault: fetch it again, an hour later"),
        false => Ok(()),
    }
}

/// Refuses to show a file that was taken away and did not come again.
pub(super) fn check_there(record: &Record, row: &OutputRow) -> Worked<()> {
    let Some(sha256) = row.output.sha256.as_ref().filter(|_| row.ours) else { return Ok(()) };
    let Some(gone) = record.removals.get(sha256) else { return Ok(()) };
    if of(record, sha256).any(|row| row.output.stored_at > gone.claimed_at) {
        return Ok(());
    }
    refused("its file was taken out of the vault when its time there was over")
}

/// Until when a place keeps a file, where it is no real one.
pub(super) fn hold_of(place: &Place) -> Option<Timestamp> {
    match place {
        Place::Hold { until, .. } => Some(cut(*until)),
        _ => None,
    }
}
