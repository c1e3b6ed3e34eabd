//! Refunds of the platform: what was said, what of it settles a charge, and what went astray (P4).

use jiff::Timestamp;
use makegood_domain::ids::{BalanceId, ChargeId, RefundId};
use makegood_domain::ledger::{Refund, RefundState};
use makegood_domain::money::Credits;
use makegood_domain::settlement::{self, By, Move, State};

use super::ledger::{self, Document};
use super::record::{Record, RefundRow};
use super::{Worked, items, refused};

/// What a refund does in the ledger.
#[derive(Default)]
struct Allocation {
    items: Vec<(u32, Credits)>,
    lines: Vec<(BalanceId, BalanceId, Credits)>,
    strays: Vec<(BalanceId, Credits)>,
}

/// Keeps a feed's refund, and settles as much as it may.
pub(super) fn add(record: &mut Record, row: &Refund, at: Timestamp) -> Worked<()> {
    if record.refunds.get(&row.id).is_some_and(|known| known.ours) {
        return Ok(()); // The platform tells what was done here; it is known better here.
    }
    if !record.charges.contains_key(&row.charge_id) {
        return refused(format!("there is no charge {}", row.charge_id));
    }
    if !record.runs.contains_key(&row.run_id) {
        return refused(format!("there is no run {}", row.run_id));
    }
    let allocation = allocate(record, row);
    for (number, amount) in &allocation.items {
        settle_item(record, &row.charge_id, *number, *amount, (&By::Platform, &row.id), at, row.posted_at)?;
    }
    let posted = Refund { state: RefundState::Posted, ..row.clone() };
    let Allocation { items, lines, strays } = allocation;
    for (source, target, amount) in &lines {
        return_line(record, &posted, (source, target), *amount)?;
    }
    for (target, amount) in &strays {
        let to = ledger::counted(record, target, row.posted_at);
        let document = Document::Stray(row.id.as_str());
        ledger::post(record, &document, row.posted_at, (ledger::STRAY.into(), to), *amount)?;
    }
    let new = RefundRow { refund: posted, ours: false, items, lines, strays, taken_back_at: None };
    record.refunds.put(row.id.clone(), new);
    record.refunds_of_charge.put((row.charge_id.clone(), row.id.clone()), ());
    if row.state == RefundState::Reversed {
        reverse(record, &row.id)?;
    }
    Ok(())
}

/// Divides a refund into what settles items of the charge and what settles nothing. A refund that
/// names no items covers the charge from its first item on.
fn allocate(record: &Record, row: &Refund) -> Allocation {
    let mut result = Allocation::default();
    let Some(charge) = record.charges.get(&row.charge_id) else { return result };
    let named = |number: u32| row.items.is_empty() || row.items.contains(&number);
    let open: Vec<(u32, &settlement::Item)> = items::items_of(record, &row.charge_id)
        .filter(|(number, item)| named(*number) && item.stands.state != State::Delivered)
        .map(|(number, item)| (number, &item.stands))
        .collect();
    let mut room: Credits = open.iter().map(|(_, item)| item.price - item.refunded).sum();
    let mut left: Vec<(&BalanceId, bool, Credits)> = charge
        .charge
        .sources
        .iter()
        .zip(&charge.restored)
        .map(|(source, restored)| {
            let quota = ledger::level(record, &source.balance_id).is_some_and(|(kind, _)| kind.is_quota());
            (&source.balance_id, quota, source.amount - restored)
        })
        .collect();
    for line in row.lines.iter().filter(|line| line.amount > 0) {
        let target = &line.balance_id;
        match ledger::owner(record, target) {
            Some(owner) if *owner == charge.charge.account_id => {}
            Some(_) => {
                result.strays.push((target.clone(), line.amount));
                continue;
            }
            None => continue,
        }
        // From the balance itself first, then from what other balances gave, quota first (P5).
        left.sort_by_key(|(balance, quota, _)| (*balance != target, !quota));
        let mut rest = line.amount;
        for (source, _, given) in &mut left {
            let part = rest.min(*given).min(room);
            if part > 0 {
                result.lines.push(((*source).clone(), target.clone(), part));
                *given -= part;
                room -= part;
                rest -= part;
            }
        }
        if rest > 0 {
            result.strays.push((target.clone(), rest));
        }
    }
    let mut settled: Credits = result.lines.iter().map(|line| line.2).sum();
    let nothing_to_pay = row.lines.iter().all(|line| line.amount == 0);
    for (number, item) in open {
        let part = settled.min(item.price - item.refunded);
        if part > 0 || (item.price == 0 && item.state != State::Refunded && nothing_to_pay) {
            result.items.push((number, part));
            settled -= part;
        }
    }
    result
}

/// Settles an item by a refund, ending a lease that is over, or that the platform has overtaken.
pub(super) fn settle_item(
    record: &mut Record,
    charge: &ChargeId,
    number: u32,
    amount: Credits,
    (by, refund): (&By, &RefundId),
    at: Timestamp,
    posted_at: Timestamp,
) -> Worked<()> {
    let Some(row) = record.items.get(&(charge.clone(), number)) else {
        return refused(format!("charge {charge} has no item {number}"));
    };
    match settlement::settle_by_refund(&row.stands, by, amount, at) {
        Ok((_, refunded)) => {
            items::stand(record, charge, number, (refunded, by), Some(refund.0.clone()), posted_at);
            Ok(())
        }
        Err(settlement::Refusal::Settled(_) | settlement::Refusal::Leased { .. }) => {
            refused(format!("item {number} of charge {charge} can't be restored: {}", row.first))
        }
        Err(refusal) => refused(format!("item {number} of charge {charge} can't be restored: {refusal}")),
    }
}

/// Returns credits from a source of the charge to a target.
pub(super) fn return_line(
    record: &mut Record,
    refund: &Refund,
    (source, target): (&BalanceId, &BalanceId),
    amount: Credits,
) -> Worked<()> {
    let Some(row) = record.charges.get(&refund.charge_id).cloned() else {
        return refused(format!("there is no charge {}", refund.charge_id));
    };
    let place = row.charge.sources.iter().position(|line| line.balance_id == *source && line.amount > 0);
    let given = place.and_then(|place| Some((place, row.charge.sources.get(place)?, row.restored.get(place)?)));
    let Some((place, line, restored)) = given else {
        return refused(format!("charge {} took nothing from balance {source}", refund.charge_id));
    };
    if restored + amount > line.amount {
        return refused("more would be restored than the balance gave");
    }
    if ledger::owner(record, target) != Some(&row.charge.account_id) {
        return refused(format!("balance {target} belongs to another account"));
    }
    record.charges.edit(&refund.charge_id, |row| {
        if let Some(restored) = row.restored.get_mut(place) {
            *restored += amount;
        }
    });
    let to = ledger::counted(record, target, refund.posted_at);
    let from = ledger::usage(&row.charge.account_id);
    ledger::post(record, &Document::Refund(refund.id.as_str()), refund.posted_at, (from, to), amount)
}

/// Takes a posted refund back at an instant: the balances that it went to pay it, as they are counted by then.
pub(super) fn take_back(record: &mut Record, id: &RefundId, by: &By, at: Timestamp) -> Worked<()> {
    let Some(row) = record.refunds.get(id).filter(|row| row.refund.state == RefundState::Posted).cloned() else {
        return refused(format!("refund {id} stands no longer"));
    };
    record.refunds.edit(id, |row| {
        row.refund.state = RefundState::Reversed;
        row.taken_back_at = Some(at);
    });
    let Some(account) = record.charges.get(&row.refund.charge_id).map(|row| row.charge.account_id.clone()) else {
        return refused(format!("there is no charge {}", row.refund.charge_id));
    };
    for (_, target, amount) in &row.lines {
        let from = ledger::counted(record, target, at);
        ledger::post(record, &Document::Reversal(id.as_str()), at, (from, ledger::usage(&account)), *amount)?;
    }
    owe_again(record, &row, by, at)
}

/// Reverses a posted refund: its items are owed again, its credits are taken back.
pub(super) fn reverse(record: &mut Record, id: &RefundId) -> Worked<()> {
    let Some(row) = record.refunds.get(id).filter(|row| row.refund.state == RefundState::Posted).cloned() else {
        return Ok(());
    };
    record.refunds.edit(id, |row| row.refund.state = RefundState::Reversed);
    let posted: Vec<_> = record
        .postings
        .values()
        .filter(|posting| posting.line.refund_id.as_ref() == Some(&id.0))
        .map(|posting| {
            (
                posting.line.kind == "stray",
                posting.line.at,
                posting.from.clone(),
                posting.to.clone(),
                posting.line.amount,
            )
        })
        .collect();
    for (stray, at, from, to, amount) in posted {
        let document = if stray { Document::StrayReversal(id.as_str()) } else { Document::Reversal(id.as_str()) };
        ledger::post(record, &document, at, (to, from), amount)?;
    }
    let posted_at = row.refund.posted_at;
    owe_again(record, &row, &By::Platform, posted_at)
}

/// What a refund that stands no longer had settled is owed again.
fn owe_again(record: &mut Record, row: &RefundRow, by: &By, at: Timestamp) -> Worked<()> {
    let id = &row.refund.id;
    let charge = &row.refund.charge_id;
    for (source, _, amount) in &row.lines {
        record.charges.edit(charge, |row| {
            let sources = row.charge.sources.iter().zip(&mut row.restored);
            for (_, restored) in sources.filter(|(line, _)| line.balance_id == *source && line.amount > 0) {
                *restored -= amount;
            }
        });
    }
    for (number, amount) in &row.items {
        let Some(item) = record.items.get(&(charge.clone(), *number)) else { continue };
        let next = match settlement::step(&item.stands, &Move::Reverse { amount: *amount }, at) {
            Ok(next) => next,
            Err(refusal) => return refused(refusal.to_string()),
        };
        if next.state == State::Reversed {
            items::stand(record, charge, *number, (next, by), Some(id.0.clone()), at);
        } else {
            record.items.edit(&(charge.clone(), *number), |item| item.stands = next);
        }
    }
    Ok(())
}
