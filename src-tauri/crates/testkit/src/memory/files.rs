//! Files of the vault: what refers to them, and which are taken away.

use jiff::Timestamp;
use makegood_domain::keeping::FileReference;
use makegood_domain::plan::Place;
use makegood_domain::ports::{KnownFile, PLACED_NOT_AFTER, Removal};

use super::record::{OutputRow, Record, RemovalRow};
use super::{Worked, cut, effects, items, refused};

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
        output_id: row.output.id.clone(),
        run_id: row.output.run_id.clone(),
        hold_until: row.hold_until,
        quarantined_at: row.quarantined_at,
    };
    wanted.into_iter().flat_map(|sha256| of(record, sha256).map(|row| reference(row, sha256))).collect()
}

/// The files of outputs that were stored after the last removal of their content.
pub(super) fn known(record: &Record, after: Option<&str>, limit: u32) -> Vec<KnownFile> {
    let ours = record.outputs.values().filter(|row| row.ours);
    let mut files: Vec<KnownFile> = ours
        .filter_map(|row| Some((row.output.sha256.clone()?, row)))
        .filter(|(sha256, _)| after.is_none_or(|after| sha256.as_str() > after))
        .filter(|(sha256, row)| record.removals.get(sha256).is_none_or(|gone| gone.claimed_at < row.output.stored_at))
        .map(|(sha256, row)| KnownFile { sha256, bytes: row.output.bytes })
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
    record.removals.put(sha256.clone(), RemovalRow { claimed_at: at, removed_at: None });
    effects::audit(record, removal.by.as_str(), "remove_file", sha256, &removal.why, at);
    true
}

pub(super) fn end(record: &mut Record, sha256: &str, at: Timestamp) -> bool {
    let key = sha256.to_owned();
    let is_claimed = record.removals.get(&key).is_some_and(|row| row.removed_at.is_none());
    if is_claimed {
        record.removals.edit(&key, |row| row.removed_at = Some(at.max(row.claimed_at)));
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
