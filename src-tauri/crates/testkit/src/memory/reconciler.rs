//! What the reconciler noticed, its reports, and how well the promise of 24 hours is kept.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ledger::RefundState;
use makegood_domain::ports::{Detection, FullScan, PassReport, PromiseHealth, StoreError, StoreResult};

use super::record::Record;
use super::{due, items, runs};

/// Refunds of how long ago count for the promise.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

fn place(row: &Detection) -> (String, String, u32) {
    (row.kind.word().to_owned(), row.subject.clone(), row.item)
}

/// Keeps what was noticed; the first time of the same counts.
pub(super) fn detect(record: &mut Record, new: &Detection) -> StoreResult<bool> {
    let key = place(new);
    if record.detections.contains_key(&key) {
        record.detections.edit(&key, |row| row.closed_at = None);
        return Ok(false);
    }
    let charged = new.charge_id.as_ref().is_none_or(|charge| record.charges.contains_key(charge));
    if !charged || !record.runs.contains_key(&new.run_id) {
        let why = "it refers to a run or a charge that is not there".to_owned();
        return Err(StoreError::Inconsistent { at: new.subject.clone(), why });
    }
    record.detections.put(key, new.clone());
    Ok(true)
}

/// Newest first.
pub(super) fn detections(record: &Record, open_only: bool, limit: u64) -> Vec<Detection> {
    let mut rows: Vec<Detection> =
        record.detections.values().filter(|row| !open_only || row.closed_at.is_none()).cloned().collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.detected_at), place(row)));
    rows.truncate(items::size(limit));
    rows
}

/// Of these charges, the first one first.
pub(super) fn detections_of(record: &Record, charges: &[ChargeId]) -> Vec<Detection> {
    let about = |row: &&Detection| row.charge_id.as_ref().is_some_and(|id| charges.contains(id));
    let mut rows: Vec<Detection> = record.detections.values().filter(about).cloned().collect();
    rows.sort_by_key(|row| (row.detected_at, place(row)));
    rows
}

/// Closes those of a logical run that `still` no longer holds.
pub(super) fn close_detections(record: &mut Record, root: &RunId, still: &[Detection], at: Timestamp) -> u64 {
    let still: BTreeSet<_> = still.iter().map(place).collect();
    let over: Vec<_> = record
        .detections
        .iter()
        .filter(|(key, row)| {
            row.closed_at.is_none() && runs::root_of(record, &row.run_id) == Some(root) && !still.contains(key)
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in &over {
        record.detections.edit(key, |row| row.closed_at = Some(at));
    }
    u64::try_from(over.len()).unwrap_or(u64::MAX)
}

/// The report of a finished pass is never edited.
pub(super) fn save_pass(record: &mut Record, report: &PassReport) -> StoreResult<()> {
    if record.passes.get(&report.id).is_some_and(|known| known.finished_at.is_some() && known != report) {
        let why = "the report of a finished pass is never edited".to_owned();
        return Err(StoreError::Inconsistent { at: report.id.clone(), why });
    }
    record.passes.put(report.id.clone(), report.clone());
    Ok(())
}

/// Newest first.
pub(super) fn passes(record: &Record, limit: u64) -> Vec<PassReport> {
    let mut rows: Vec<PassReport> = record.passes.values().cloned().collect();
    rows.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    rows.truncate(items::size(limit));
    rows
}

pub(super) fn promise(record: &Record, at: Timestamp) -> PromiseHealth {
    let mut health = PromiseHealth::default();
    let (mut open, mut parked) = (BTreeSet::new(), BTreeSet::new());
    for (root, due) in record.due.iter().filter(|(_, due)| due.charged_at.is_some()) {
        for item in due::open_items(record, root) {
            health.open_credits += item.owed;
            health.oldest_open = Some(health.oldest_open.map_or(item.posted_at, |oldest| oldest.min(item.posted_at)));
            if due.next_at.is_none() {
                parked.insert(item.charge.clone());
            }
            open.insert(item.charge);
        }
    }
    health.open_charges = u64::try_from(open.len()).unwrap_or(u64::MAX);
    health.parked = u64::try_from(parked.len()).unwrap_or(u64::MAX);
    let delays = delays(record, at);
    let nearest_rank = |percent: usize| delays.get((delays.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    health.refund_seconds_p50 = nearest_rank(50);
    health.refund_seconds_p90 = nearest_rank(90);
    health.refund_seconds_worst = delays.last().copied();
    let finished = record.passes.values().filter_map(|row| Some((row.finished_at?, row.started_at)));
    health.last_pass = finished.max_by_key(|(end, _)| *end).map(|(end, start)| (start, end));
    health
}

/// Seconds from charge to refund, of the refunds of the week before `at` that settle, in order.
fn delays(record: &Record, at: Timestamp) -> Vec<i64> {
    let since = at.saturating_sub(WEEK).unwrap_or(Timestamp::MIN);
    let mut delays: Vec<i64> = record
        .refunds
        .values()
        .filter(|row| row.refund.state == RefundState::Posted && !row.items.is_empty())
        .filter(|row| row.refund.posted_at > since && row.refund.posted_at <= at)
        .filter_map(|row| {
            let charge = record.charges.get(&row.refund.charge_id)?;
            Some((row.refund.posted_at.as_microsecond() - charge.charge.posted_at.as_microsecond()) / 1_000_000)
        })
        .collect();
    delays.sort_unstable();
    delays
}

/// Compares the list with every charge there is.
pub(super) fn full_scan(record: &Record) -> FullScan {
    let mut scan = FullScan::default();
    for (id, row) in record.charges.iter() {
        scan.charges += 1;
        if !items::items_of(record, id).any(|(_, item)| item.stands.owed() > 0) {
            continue;
        }
        scan.open_charges += 1;
        let root = runs::root_of(record, &row.charge.run_id);
        if root.and_then(|root| record.due.get(root)).is_none_or(|due| due.charged_at.is_none()) {
            scan.missed.push(ChargeId::clone(id));
        }
    }
    for root in record.due.keys() {
        if due::open_items(record, root).next().is_none() && !due::contradicts(record, root) {
            scan.superfluous.push(root.clone());
        }
    }
    scan
}
