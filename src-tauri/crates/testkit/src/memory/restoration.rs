//! Restoration: items, lines, postings and levels of one charge, in one go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::ids::{BalanceId, RefundId};
use makegood_domain::ledger::{Refund, RefundKind, RefundState};
use makegood_domain::money::{BalanceKind, BalanceLine, Credits};
use makegood_domain::ports::{BalanceMove, DetectionKind, Receipt};
use makegood_domain::settlement::By;

use super::effects::Act;
use super::record::{Record, RefundRow};
use super::{Worked, findings, ledger, limits, refunds, refused, runs};

pub(super) fn restore(
    record: &mut Record,
    act: &Act<'_>,
    id: &RefundId,
    wanted: &ChargeRestoration,
    cause: &str,
) -> Worked<Receipt> {
    let total = check(record, id, wanted)?;
    let before = levels(record, wanted)?;
    let noticed = wanted.items.iter().filter_map(|item| noticed(record, wanted, item.item)).min_by_key(|(at, _)| *at);
    let detected_at = Some(noticed.as_ref().map_or(act.at, |(at, _)| *at));
    let (ticket_id, kind, cause) = match act.case {
        Some(case) => {
            limits::count(record, act.agent, act.key, total, act.at)?;
            let ticket = record.cases.get(case).map(|row| row.ticket.id.clone());
            (ticket, RefundKind::Manual, cause.to_owned())
        }
        None => (None, RefundKind::Auto, noticed.map_or_else(|| cause.to_owned(), |(_, cause)| cause)),
    };
    let refund = Refund {
        id: id.clone(),
        charge_id: wanted.charge_id.clone(),
        run_id: wanted.run_id.clone(),
        posted_at: act.at,
        state: RefundState::Posted,
        kind,
        items: wanted.items.iter().map(|item| item.item).collect(),
        lines: wanted.lines.iter().map(said).collect(),
        ticket_id,
        detected_at,
        cause: Some(cause),
    };
    write(record, act, wanted, refund)?;
    findings::follow_ledger_of_run(record, &wanted.run_id);
    if let Some(case) = act.case {
        findings::follow_ledger(record, case);
    }
    let after = |(balance, (kind, before)): (BalanceId, (BalanceKind, Credits))| {
        let after = ledger::level(record, &balance).map_or(before, |(_, level)| level);
        BalanceMove { balance_id: balance, kind, before, after }
    };
    Ok(Receipt::Restored { refund_id: id.clone(), total, balances: before.into_iter().map(after).collect() })
}

fn said(line: &makegood_domain::diagnose::RestoredLine) -> BalanceLine {
    BalanceLine { balance_id: line.target.clone(), kind: line.target_kind, amount: line.amount }
}

fn write(record: &mut Record, act: &Act<'_>, wanted: &ChargeRestoration, refund: Refund) -> Worked<()> {
    let by = By::Action(act.key.clone());
    let mut items = Vec::new();
    for item in &wanted.items {
        if items.iter().any(|(number, _)| *number == item.item) {
            return refused(format!("item {} is named twice", item.item));
        }
        let charge = &wanted.charge_id;
        refunds::settle_item(record, charge, item.item, item.credits, (&by, &refund.id), act.at, act.at)?;
        items.push((item.item, item.credits));
    }
    let mut lines = Vec::new();
    for line in wanted.lines.iter().filter(|line| line.amount > 0) {
        refunds::return_line(record, &refund, (&line.source, &line.target), line.amount)?;
        lines.push((line.source.clone(), line.target.clone(), line.amount));
    }
    let id = refund.id.clone();
    record.refunds_of_charge.put((wanted.charge_id.clone(), id.clone()), ());
    record.refunds.put(id, RefundRow { refund, ours: true, items, lines, strays: Vec::new(), taken_back_at: None });
    Ok(())
}

/// What can be said before anything is touched. Returns the total.
fn check(record: &Record, id: &RefundId, wanted: &ChargeRestoration) -> Worked<Credits> {
    if record.refunds.contains_key(id) {
        return refused(format!("there is a refund {id} already"));
    }
    let Some(charge) = record.charges.get(&wanted.charge_id) else {
        return refused(format!("there is no charge {}", wanted.charge_id));
    };
    if charge.charge.account_id != wanted.account_id {
        return refused(format!("charge {} was paid by another account", wanted.charge_id));
    }
    let root = runs::root_of(record, &charge.charge.run_id);
    if root.is_none() || root != runs::root_of(record, &wanted.run_id) {
        return refused(format!("charge {} is not of run {}", wanted.charge_id, wanted.run_id));
    }
    let items = sum(wanted.items.iter().map(|item| item.credits));
    let lines = sum(wanted.lines.iter().map(|line| line.amount));
    match (items, lines) {
        (Some(items), Some(lines)) if items == lines && items > 0 => Ok(items),
        (Some(0), Some(0)) => refused("there is nothing to restore"),
        _ => refused(format!("the items and lines of the restoration of {} do not add up", wanted.charge_id)),
    }
}

/// The sum of amounts, none of which may be below 0.
fn sum(mut amounts: impl Iterator<Item = Credits>) -> Option<Credits> {
    amounts.try_fold(0, |sum: Credits, part| if part < 0 { None } else { sum.checked_add(part) })
}

/// The levels of the targets before.
fn levels(record: &Record, wanted: &ChargeRestoration) -> Worked<BTreeMap<BalanceId, (BalanceKind, Credits)>> {
    let mut levels = BTreeMap::new();
    for line in &wanted.lines {
        match ledger::level(record, &line.target) {
            Some(level) => levels.insert(line.target.clone(), level),
            None => return refused(format!("there is no balance {}", line.target)),
        };
    }
    Ok(levels)
}

/// When and why a failure of an item was first noticed, apart from this posting (R16).
pub(super) fn noticed(record: &Record, wanted: &ChargeRestoration, item: u32) -> Option<(Timestamp, String)> {
    let kinds = [DetectionKind::Orphan, DetectionKind::Damaged, DetectionKind::DuplicateCharge];
    let rows = record.detections.values().filter(|row| {
        row.charge_id.as_ref() == Some(&wanted.charge_id)
            && (row.item == item || row.item == 0)
            && kinds.contains(&row.kind)
    });
    rows.min_by_key(|row| row.detected_at).map(|row| (row.detected_at, row.cause.clone()))
}
