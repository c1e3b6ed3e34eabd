//! Releasing a late result against a new debit (P4): refunds are taken back, and their items delivered by the
//! saved files, in one go.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{BalanceId, ChargeId, RefundId, RunId};
use makegood_domain::ledger::RefundState;
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::{Consent, ReleasedItem, Standing, covers};
use makegood_domain::ports::{BalanceMove, OutputFile, Receipt};
use makegood_domain::settlement::{self, By, State};

use super::delivery::{self, New};
use super::effects::Act;
use super::record::Record;
use super::{Worked, captures, cut, findings, items, ledger, limits, refunds, refused, runs};

/// Length of the lease within one unit of work: nobody sees it.
const INSTANT_LEASE: SignedDuration = SignedDuration::from_secs(1);

/// What is released, and against what.
pub(super) struct Release<'a> {
    pub run_id: &'a RunId,
    pub refund_ids: &'a [RefundId],
    pub amount: Credits,
    pub items: &'a [ReleasedItem],
    pub consent: &'a Consent,
}

pub(super) fn release(record: &mut Record, act: &Act<'_>, wanted: &Release<'_>) -> Worked<Receipt> {
    act.case()?;
    let run = wanted.run_id;
    let Some(root) = runs::root_of(record, run).cloned() else {
        return refused(format!("there is no run {run}"));
    };
    let Some((charge, account)) = items::first_charge(record, &root) else {
        return refused(format!("run {run} was never charged"));
    };
    check_items(record, &charge, wanted)?;
    check_refunds(record, act, &charge, wanted)?;
    let before = check_levels(record, wanted)?;
    for item in wanted.items {
        let mut saved = runs::of_root(record, &root).flat_map(|run| captures::standing(record, run));
        if !saved.any(|copy| copy.item == item.item && copy.file.sha256 == item.file.sha256) {
            return refused(format!("this file of item {} of {run} is not saved: look it up again", item.item));
        }
        delivery::check_account(record, &item.place, &account)?;
    }
    let by = By::Action(act.key.clone());
    for refund in wanted.refund_ids {
        refunds::take_back(record, refund, &by, act.at)?;
    }
    for item in wanted.items {
        deliver(record, act, &charge, wanted, item)?;
    }
    findings::follow_ledger_of_run(record, run);
    let after = |(balance_id, (kind, before, _)): (BalanceId, (BalanceKind, Credits, Credits))| {
        let after = ledger::level(record, &balance_id).map_or(before, |(_, level)| level);
        BalanceMove { balance_id, kind, before, after }
    };
    let balances = before.into_iter().map(after).collect();
    let outputs = wanted.items.iter().map(OutputFile::from).collect();
    Ok(Receipt::Redebited { total: wanted.amount, refund_ids: wanted.refund_ids.to_vec(), balances, outputs })
}

fn check_items(record: &Record, charge: &ChargeId, wanted: &Release<'_>) -> Worked<()> {
    for item in wanted.items.iter().map(|item| item.item) {
        match record.items.get(&(charge.clone(), item)) {
            None => return refused(format!("charge {charge} of {} has no item {item}", wanted.run_id)),
            Some(row) if row.stands.state != State::Refunded => {
                return refused(format!("item {item} of {} can't be released: {}", wanted.run_id, row.first));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_refunds(record: &Record, act: &Act<'_>, charge: &ChargeId, wanted: &Release<'_>) -> Worked<()> {
    let of_charge = record.refunds.values().filter(|row| row.refund.charge_id == *charge);
    let posted: Vec<_> = of_charge.filter(|row| row.refund.state == RefundState::Posted).collect();
    let standing: Vec<Standing> = posted
        .iter()
        .flat_map(|row| row.items.iter().map(|(item, amount)| (row.refund.id.clone(), *item, *amount)))
        .map(|(refund_id, item, amount)| Standing { refund_id, item, amount })
        .collect();
    let items: Vec<u32> = wanted.items.iter().map(|item| item.item).collect();
    if let Err(why) = covers(&standing, wanted.refund_ids, &items, wanted.amount) {
        return refused(why);
    }
    for number in items {
        let Some(row) = record.items.get(&(charge.clone(), number)) else { continue };
        let amounts: Vec<Credits> = standing.iter().filter(|row| row.item == number).map(|row| row.amount).collect();
        let until = cut(act.at.saturating_add(INSTANT_LEASE).unwrap_or(Timestamp::MAX));
        if let Err(refusal) = settlement::settle_by_release(&row.stands, &amounts, act.key, until, act.at) {
            return refused(format!("item {number} of {}: {refusal}", wanted.run_id));
        }
    }
    let taken = || posted.iter().filter(|row| wanted.refund_ids.contains(&row.refund.id));
    if let Some(stray) = taken().find(|row| !row.strays.is_empty()) {
        return refused(format!("a part of refund {} went astray: that comes first", stray.refund.id));
    }
    let newest = taken().map(|row| row.refund.posted_at).max().unwrap_or(act.at);
    if let Some(why) = wanted.consent.flaw(newest, act.at) {
        return refused(why);
    }
    limits::check_debit(record, act.agent, act.key, wanted.amount)
}

type Levels = BTreeMap<BalanceId, (BalanceKind, Credits, Credits)>;

/// Kind and level of each balance that the refunds went to, and what is taken from it.
fn check_levels(record: &Record, wanted: &Release<'_>) -> Worked<Levels> {
    let mut levels = Levels::new();
    for (_, target, amount) in
        wanted.refund_ids.iter().filter_map(|id| record.refunds.get(id)).flat_map(|row| &row.lines)
    {
        let Some((kind, level)) = ledger::level(record, target) else {
            return refused(format!("there is no balance {target}"));
        };
        levels.entry(target.clone()).or_insert((kind, level, 0)).2 += amount;
    }
    match levels.iter().find(|(_, (_, level, amount))| level < amount) {
        Some((balance, (_, level, amount))) => {
            refused(format!("balance {balance} has {level} credits, and {amount} would be taken: nothing was done"))
        }
        None => Ok(levels),
    }
}

fn deliver(
    record: &mut Record,
    act: &Act<'_>,
    charge: &ChargeId,
    wanted: &Release<'_>,
    item: &ReleasedItem,
) -> Worked<()> {
    let Some(row) = record.items.get(&(charge.clone(), item.item)).cloned() else {
        return refused(format!("charge {charge} has no item {}", item.item));
    };
    let until = cut(act.at.saturating_add(INSTANT_LEASE).unwrap_or(Timestamp::MAX));
    let next = match settlement::settle_by_place(&row.stands, act.key, until, act.at) {
        Ok((_, next)) => next,
        Err(refusal) => return refused(format!("item {} of {}: {refusal}", item.item, wanted.run_id)),
    };
    let new = New {
        run_id: wanted.run_id,
        item: item.item,
        epoch: next.epoch,
        output_id: &item.output_id,
        file: &item.file,
        place: &item.place,
    };
    delivery::store(record, act, &new)?;
    items::stand(
        record,
        charge,
        item.item,
        (next, &By::Action(act.key.clone())),
        Some(item.output_id.0.clone()),
        act.at,
    );
    Ok(())
}
