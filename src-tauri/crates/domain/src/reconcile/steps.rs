//! The effects of a decision, each under a key that follows from the facts alone.

use jiff::{SignedDuration, Timestamp};

use super::{Settlement, Transfer, Tried, View};
use crate::diagnose::{ChargeRestoration, Flag, ItemActionKind, RestoredItem, RestoredLine};
use crate::ids::{ActionKey, ChargeId, OutputId, RefundId};
use crate::money::Credits;
use crate::plan::{Effect, Place, run_facts};
use crate::work::OutputState;

/// P11: what lies with somebody else becomes unreachable there, the incident is opened, and one whole
/// copy of each item that is not refunded goes where it belongs. Never waits.
pub(super) fn incident(view: &View<'_>) -> Vec<Settlement> {
    let strays = &view.diagnosis.misplaced_outputs;
    if !view.diagnosis.flags.contains(&Flag::PrivacyIncident) || strays.is_empty() {
        return Vec::new();
    }
    let mut steps: Vec<Settlement> = strays.iter().map(|id| quarantine(view, id)).collect();
    steps.push(open(view, strays));
    let mut given = std::collections::BTreeSet::new();
    for id in strays {
        let Some(output) = view.run.outputs().find(|row| row.id == *id) else { continue };
        let whole = output.state == OutputState::Stored && output.bytes > 0;
        let wanted = view.action(output.item) == Some(ItemActionKind::Reattach);
        if whole && wanted && given.insert(output.item) {
            let effect = Effect::Move { output_id: id.clone(), place: place(view, false) };
            steps.push(Settlement { key: astray_key(view, id, "move"), item: output.item, effect });
        }
    }
    steps
}

fn quarantine(view: &View<'_>, id: &OutputId) -> Settlement {
    let reason = "lies in a project of another account (P11)".to_owned();
    let effect = Effect::Quarantine { output_id: id.clone(), reason };
    Settlement { key: astray_key(view, id, "quarantine"), item: 0, effect }
}

fn open(view: &View<'_>, strays: &[OutputId]) -> Settlement {
    let count = strays.len();
    let noun = if count == 1 { "output" } else { "outputs" };
    let verdict = view.diagnosis.verdict.word();
    let summary = format!("{verdict}: the reconciler found {count} {noun} in a project of another account");
    let effect = Effect::OpenIncident { run_id: Some(view.run.id().clone()), output_ids: strays.to_vec(), summary };
    // Never empty: the caller has looked.
    let first = strays.first().cloned().unwrap_or_else(|| OutputId::new(""));
    Settlement { key: astray_key(view, &first, "incident"), item: 0, effect }
}

/// An output goes astray to one place once; into another place, that is another incident.
fn astray_key(view: &View<'_>, id: &OutputId, act: &str) -> ActionKey {
    let output = view.run.outputs().find(|row| row.id == *id);
    let project = output.map_or("", |row| row.project_id.as_str());
    ActionKey(format!("rec-{id}-{project}-{act}"))
}

/// What it takes to give a lease back and to restore, on a slow link to the record.
const LAST_MINUTES: SignedDuration = SignedDuration::from_mins(5);

/// Files to bring now: those that the rules recover or hold, and that were not tried in this look.
pub(super) fn transfers(view: &View<'_>) -> Vec<Transfer> {
    let wanted = view.diagnosis.item_actions.iter().filter(|row| view.tried(row.item).is_none());
    wanted
        .filter_map(|row| match row.action {
            ItemActionKind::Recover => transfer(view, row.item, false),
            ItemActionKind::Hold => transfer(view, row.item, true),
            _ => None,
        })
        .collect()
}

fn transfer(view: &View<'_>, item: u32, hold: bool) -> Option<Transfer> {
    let fetch = run_facts(view.question.scope, view.question.root)?.fetch(item)?;
    let paid_by = view.first_charge().map_or(view.run.id().as_str(), ChargeId::as_str);
    let key = ActionKey(format!("rec-{paid_by}-{item}-file-{}", view.question.tries));
    let output_id = OutputId(format!("out-{key}"));
    let until = ends_at(view);
    Some(Transfer { key, item, fetch, place: place(view, hold), output_id, until })
}

/// A transfer that is begun in good time may take as long as it is allowed to, but not far into the time in
/// which the run is settled: who dies then must have others left to take over. One that is begun later has
/// one lease, and in the window it leaves time to return the credits.
fn ends_at(view: &View<'_>) -> Timestamp {
    let later = |at: Timestamp, by: SignedDuration| at.saturating_add(by).unwrap_or(Timestamp::MAX);
    let longest = later(view.now, view.policy.longest_transfer());
    if !view.in_window() {
        return longest;
    }
    let settled = view.settle_at().max(later(view.now, view.policy.item_lease()));
    let in_time = view.window_end().saturating_sub(LAST_MINUTES).unwrap_or(Timestamp::MIN);
    longest.min(settled).min(in_time)
}

/// Where a file of the run goes; on hold where there is no room or no project (P13).
fn place(view: &View<'_>, hold: bool) -> Place {
    let there = run_facts(view.question.scope, view.question.root).and_then(|facts| facts.place());
    let until = view.now.saturating_add(view.policy.hold()).unwrap_or(Timestamp::MAX);
    let held = Place::Hold { project_id: view.run.head().project_id.clone(), until };
    there.filter(|_| !hold).unwrap_or(held)
}

/// Credits to return now: an item of a charge each, so that an item that somebody else has keeps no
/// other one back.
pub(super) fn restorations(view: &View<'_>) -> Vec<Settlement> {
    if view.is_pay_doubtful() {
        return Vec::new();
    }
    let cause = view.diagnosis.verdict.word();
    let parts = view.diagnosis.restorations.iter().flat_map(by_item);
    parts
        .filter(|part| part.items.iter().all(|row| view.tried(row.item) != Some(Tried::Refused)))
        .map(|restoration| {
            let item = restoration.items.first().map_or(0, |row| row.item);
            let key = restore_key(view, &restoration.charge_id, item);
            let refund_id = RefundId(format!("rfd-{key}"));
            Settlement { item, effect: Effect::Restore { refund_id, restoration, cause: cause.to_owned() }, key }
        })
        .collect()
}

/// The number of refunds that the item had before, also reversed ones: after a reversal it is another
/// restoration (R40).
fn restore_key(view: &View<'_>, charge: &ChargeId, item: u32) -> ActionKey {
    let of_item = |refund: &&&crate::ledger::Refund| {
        refund.charge_id == *charge && (refund.items.is_empty() || refund.items.contains(&item))
    };
    let refunds = view.run.refunds();
    let number = refunds.iter().filter(of_item).count();
    ActionKey(format!("rec-{charge}-{item}-{number}"))
}

/// Splits a restoration by item: the items in order take from the balances in order (P5), so that the
/// parts together are exactly the whole.
pub(super) fn by_item(whole: &ChargeRestoration) -> Vec<ChargeRestoration> {
    let mut lines: Vec<RestoredLine> = whole.lines.clone();
    whole
        .items
        .iter()
        .map(|item| ChargeRestoration { items: vec![item.clone()], lines: take(&mut lines, item), ..whole.clone() })
        .collect()
}

fn take(lines: &mut [RestoredLine], item: &RestoredItem) -> Vec<RestoredLine> {
    let mut left: Credits = item.credits;
    let mut taken = Vec::new();
    for line in lines.iter_mut().filter(|line| line.amount > 0) {
        let amount = left.min(line.amount);
        if amount <= 0 {
            break;
        }
        line.amount -= amount;
        left -= amount;
        taken.push(RestoredLine { amount, ..line.clone() });
    }
    taken
}

/// P8: jobs that need not go on, because their items were given up.
pub(super) fn cancels(view: &View<'_>) -> Vec<Settlement> {
    if !view.diagnosis.flags.contains(&Flag::CancelUpstream) {
        return Vec::new();
    }
    let jobs = view.run.jobs();
    jobs.iter()
        .filter(|job| !job.state.is_terminal())
        .map(|job| {
            let (provider_id, job_id) = (job.provider_id.clone(), job.id.clone());
            let key = ActionKey(format!("rec-{provider_id}-{job_id}-cancel"));
            Settlement { key, item: 0, effect: Effect::CancelUpstream { provider_id, job_id } }
        })
        .collect()
}
