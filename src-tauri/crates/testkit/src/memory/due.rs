//! The list of runs to look at: what is open or contradicts itself, never history.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::RunId;
use makegood_domain::ledger::RefundState;
use makegood_domain::money::Credits;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{DueRun, NextLook};
use makegood_domain::settlement::State;
use makegood_domain::work::{OutputState, RunStatus};

use super::record::{Due, Record};
use super::{items, runs};

/// When a run is looked at again that was ended as done and is open all the same.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Who changed a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The platform or an agent: the reconciler has not seen it.
    ByOthers,
    ByReconciler,
}

/// An item that is charged, and neither delivered nor refunded in full.
pub(super) struct Open {
    pub charge: makegood_domain::ids::ChargeId,
    pub posted_at: Timestamp,
    pub owed: Credits,
}

/// The open items of a logical run.
pub(super) fn open_items<'a>(record: &'a Record, root: &'a RunId) -> impl Iterator<Item = Open> + 'a {
    runs::charges_of_root(record, root).flat_map(move |(id, row)| {
        let open = items::items_of(record, id).filter(|(_, item)| item.stands.owed() > 0);
        open.map(move |(_, item)| Open {
            charge: id.clone(),
            posted_at: row.charge.posted_at,
            owed: item.stands.owed(),
        })
    })
}

/// Whether rows of a logical run cannot be true together.
pub(super) fn contradicts(record: &Record, root: &RunId) -> bool {
    misplaced(record, root) || both(record, root) || stray(record, root) || status(record, root)
}

fn misplaced(record: &Record, root: &RunId) -> bool {
    runs::of_root(record, root).filter_map(|id| record.runs.get(id)).any(|row| {
        let home = runs::account_of(record, &row.run.project_id);
        runs::outputs_of(record, &row.run.id).any(|output| runs::account_of(record, &output.project_id) != home)
    })
}

/// A second charge that is refunded stands beside the first one that the same output delivered.
fn both(record: &Record, root: &RunId) -> bool {
    let all = || {
        runs::charges_of_root(record, root)
            .flat_map(|(id, row)| items::items_of(record, id).map(move |(number, item)| (row, number, item)))
    };
    all().filter(|(_, _, item)| item.stands.state == State::Refunded).any(|(charge, number, _)| {
        let delivered = all().any(|(_, other, item)| other == number && item.stands.state == State::Delivered);
        let account = Some(&charge.charge.account_id);
        !delivered
            && runs::outputs_of_root(record, root).any(|output| {
                output.item == number
                    && output.state == OutputState::Stored
                    && output.bytes > 0
                    && runs::account_of(record, &output.project_id) == account
            })
    })
}

/// The posted refunds of a charge.
fn posted<'a>(
    record: &'a Record,
    charge: &'a makegood_domain::ids::ChargeId,
) -> impl Iterator<Item = &'a super::record::RefundRow> + 'a {
    let from = (charge.clone(), makegood_domain::ids::RefundId::new(""));
    let keys = record.refunds_of_charge.range(from..).map(|(key, ())| key).take_while(move |key| key.0 == *charge);
    keys.filter_map(|(_, id)| record.refunds.get(id)).filter(|row| row.refund.state == RefundState::Posted)
}

fn stray(record: &Record, root: &RunId) -> bool {
    runs::charges_of_root(record, root).any(|(id, _)| {
        posted(record, id).any(|row| {
            let said: Credits = row.refund.lines.iter().map(|line| line.amount).sum();
            said != row.lines.iter().map(|line| line.2).sum::<Credits>()
        })
    })
}

fn status(record: &Record, root: &RunId) -> bool {
    runs::of_root(record, root).filter_map(|id| record.runs.get(id)).any(|row| {
        row.run.status == RunStatus::Refunded
            && runs::charges_of(record, &row.run.id).any(|(id, _)| posted(record, id).next().is_none())
    })
}

/// What keeps a logical run on the list: its first charge with an open item, or rows that contradict
/// each other (then the inner value is none).
fn reasons(record: &Record, root: &RunId) -> Option<Option<Timestamp>> {
    let charged_at = open_items(record, root).map(|open| open.posted_at).min();
    (charged_at.is_some() || contradicts(record, root)).then_some(charged_at)
}

/// Brings the list in line with a logical run, after a change of it.
pub(super) fn follow(record: &mut Record, root: &RunId, changed: Changed, at: Timestamp) {
    let Some(charged_at) = reasons(record, root) else {
        record.due.remove(root);
        return;
    };
    if !record.due.contains_key(root) {
        let due = Due { charged_at, next_at: Some(at), tries: 0, claim: None, touched: false };
        record.due.put(root.clone(), due);
        return;
    }
    record.due.edit(root, |due| {
        due.charged_at = charged_at;
        if changed == Changed::ByOthers {
            due.next_at = Some(due.next_at.map_or(at, |next| next.min(at)));
            due.touched = due.claim.is_some();
        }
    });
}

/// The same after an effect, for the logical run that it changed; other effects change none.
pub(super) fn follow_effect(record: &mut Record, effect: &Effect, changed: Changed, at: Timestamp) {
    let run = match effect {
        Effect::Deliver { run_id, .. } | Effect::ReleaseItem { run_id, .. } | Effect::Release { run_id, .. } => {
            Some(run_id)
        }
        Effect::Restore { restoration, .. } => record.charges.get(&restoration.charge_id).map(|row| &row.charge.run_id),
        Effect::Move { output_id, .. } | Effect::Quarantine { output_id, .. } => {
            record.outputs.get(output_id).map(|row| &row.output.run_id)
        }
        _ => None,
    };
    if let Some(root) = run.and_then(|run| runs::root_of(record, run)).cloned() {
        follow(record, &root, changed, at);
    }
}

/// Claims up to `limit` due runs, the earliest first, then by id.
pub(super) fn claim(record: &mut Record, worker: &str, limit: u32, until: Timestamp, at: Timestamp) -> Vec<DueRun> {
    let free = |due: &Due| due.claim.as_ref().is_none_or(|(_, until)| *until <= at);
    let mut found: Vec<(Timestamp, RunId)> = record
        .due
        .iter()
        .filter_map(|(root, due)| Some((due.next_at.filter(|next| *next <= at && free(due))?, root.clone())))
        .collect();
    found.sort();
    found.truncate(items::size(u64::from(limit)));
    let mut claimed = Vec::new();
    for (_, root) in found {
        let Some(due) = record.due.get(&root) else { continue };
        claimed.push(DueRun { root: root.clone(), charged_at: due.charged_at, tries: due.tries });
        record.due.edit(&root, |due| {
            due.claim = Some((worker.to_owned(), until));
            due.tries += 1;
            due.touched = false;
        });
    }
    claimed
}

/// When the next look is due at a run that nobody has claimed.
pub(super) fn next(record: &Record, at: Timestamp) -> Option<Timestamp> {
    let free = record.due.values().filter(|due| due.claim.as_ref().is_none_or(|(_, until)| *until <= at));
    free.filter_map(|due| due.next_at).min()
}

/// Ends a claim with what comes next; without effect where it is somebody else's by now.
pub(super) fn end(record: &mut Record, root: &RunId, worker: &str, next: &NextLook, at: Timestamp) {
    let Some(due) = record.due.get(root) else { return };
    if due.claim.as_ref().is_none_or(|(holder, _)| holder != worker) {
        return;
    }
    let touched = due.touched;
    let Some(charged_at) = reasons(record, root) else {
        record.due.remove(root);
        return;
    };
    let next_at = match next {
        // What was decided rests on what is no longer so.
        _ if touched => Some(at),
        NextLook::At { at: next } => Some(super::cut(*next)),
        NextLook::Parked { .. } => None,
        NextLook::Done => Some(at.saturating_add(LOOK_AGAIN).unwrap_or(at)),
    };
    record.due.edit(root, |due| {
        due.charged_at = charged_at;
        due.next_at = next_at;
        due.claim = None;
        due.touched = false;
    });
}
