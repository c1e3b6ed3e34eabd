//! Restoration: items, lines, postings and levels of one charge, in one go.

use std::collections::BTreeMap;

use makegood_domain::diagnose::{ChargeRestoration, RestoredItem};
use makegood_domain::ids::RefundId;
use makegood_domain::ledger::RefundKind;
use makegood_domain::money::{BalanceLine, Credits};
use makegood_domain::ports::{BalanceMove, Receipt};
use makegood_domain::settlement::{self, Refusal};
use sqlx::SqliteConnection;

use super::super::fault::{Worked, refused};
use super::super::items::{self, Note};
use super::super::rows::micros;
use super::super::{cases, detections, findings, ledger, refunds, rights, runs};
use super::Act;

statements! {
    CHARGE = "SELECT run_id, account_id FROM charges WHERE id = ?1";
    USED = "SELECT count(*) FROM refunds WHERE id = ?1";
}

pub(super) async fn restore(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    id: &RefundId,
    wanted: &ChargeRestoration,
    cause: &str,
) -> Worked<Receipt> {
    let total = check(connection, id, wanted).await?;
    for item in &wanted.items {
        clear_item(connection, act, wanted, item).await?;
    }
    let before = levels(connection, wanted).await?;
    let noticed = noticed(connection, wanted).await?;
    let (ticket, kind, cause) = match act.case {
        Some(case) => {
            rights::count(connection, act.agent, act.key, total, act.at).await?;
            (Some(cases::ticket_of(connection, case).await?), RefundKind::Manual, cause)
        }
        None => (None, RefundKind::Auto, noticed.as_ref().map_or(cause, |(_, cause)| cause.as_str())),
    };
    let head = refunds::Restoration {
        id: id.as_str(),
        key: &act.id("restore"),
        charge: wanted.charge_id.as_str(),
        account: wanted.account_id.as_str(),
        run: wanted.run_id.as_str(),
        ticket: ticket.as_deref(),
        kind,
        detected_at: noticed.as_ref().map_or(micros(act.at), |(at, _)| *at),
        cause,
        action: act.key.as_str(),
        at: act.at,
    };
    refunds::add_restoration(connection, &head).await?;
    write(connection, id.as_str(), wanted).await?;
    findings::follow_ledger_of_run(connection, wanted.run_id.as_str()).await?;
    if let Some(case) = act.case {
        findings::follow_ledger(connection, case.as_str()).await?;
    }
    let mut balances = Vec::new();
    for (balance, level) in &before {
        if let Some((kind, after)) = ledger::level(connection, balance).await? {
            balances.push(BalanceMove { balance_id: balance.as_str().into(), kind, before: *level, after });
        }
    }
    Ok(Receipt::Restored { refund_id: id.clone(), total, balances })
}

/// When and why a failure of one of the items was first noticed, apart from this posting (R16).
async fn noticed(connection: &mut SqliteConnection, wanted: &ChargeRestoration) -> Worked<Option<(i64, String)>> {
    let mut first: Option<(i64, String)> = None;
    for item in &wanted.items {
        let found = detections::of_item(connection, wanted.charge_id.as_str(), item.item).await?;
        if found.as_ref().is_some_and(|(at, _)| first.as_ref().is_none_or(|(before, _)| at < before)) {
            first = found;
        }
    }
    Ok(first)
}

/// What can be said before anything is touched. Returns the total.
async fn check(connection: &mut SqliteConnection, id: &RefundId, wanted: &ChargeRestoration) -> Worked<Credits> {
    let used: i64 = sqlx::query_scalar(USED).bind(id.as_str()).fetch_one(&mut *connection).await?;
    if used > 0 {
        return refused(format!("there is a refund {id} already"));
    }
    let charge: Option<(String, String)> =
        sqlx::query_as(CHARGE).bind(wanted.charge_id.as_str()).fetch_optional(&mut *connection).await?;
    let Some((run, account)) = charge else {
        return refused(format!("there is no charge {}", wanted.charge_id));
    };
    if account != wanted.account_id.as_str() {
        return refused(format!("charge {} was paid by another account", wanted.charge_id));
    }
    let root = runs::root_of(connection, &run.as_str().into()).await?;
    if root.is_none() || root != runs::root_of(connection, &wanted.run_id).await? {
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

/// Refuses an item that is settled or being recovered, and ends a lease that is over.
async fn clear_item(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    wanted: &ChargeRestoration,
    part: &RestoredItem,
) -> Worked<()> {
    let number = part.item;
    let Some(item) = items::item(connection, &wanted.charge_id, i64::from(number)).await? else {
        return refused(format!("charge {} has no item {number}", wanted.charge_id));
    };
    let what = format!("item {number} of charge {}", wanted.charge_id);
    match settlement::settle_by_refund(&item.stands, &act.by(), part.credits, act.at) {
        // The refund itself follows from its item, by a trigger.
        Ok((None, _)) => Ok(()),
        Ok((Some(fenced), _)) => {
            let note = Note { document: None, why: Some("the lease was over when the credits were restored") };
            items::write(connection, &item, &fenced, note, &act.by(), act.at).await
        }
        Err(Refusal::AbovePrice { price, refunded: 0, .. }) => refused(format!("{what} cost only {price}")),
        Err(refusal @ Refusal::NoRefund { .. }) => refused(format!("{what}: {refusal}")),
        Err(_) => {
            let first = items::who_was_first(connection, &item).await?;
            refused(format!("{what} can't be restored: {first}"))
        }
    }
}

/// The levels of the targets before.
async fn levels(connection: &mut SqliteConnection, wanted: &ChargeRestoration) -> Worked<BTreeMap<String, Credits>> {
    let mut levels = BTreeMap::new();
    for line in &wanted.lines {
        match ledger::level(connection, line.target.as_str()).await? {
            Some((_, level)) => levels.insert(line.target.0.clone(), level),
            None => return refused(format!("there is no balance {}", line.target)),
        };
    }
    Ok(levels)
}

async fn write(connection: &mut SqliteConnection, id: &str, wanted: &ChargeRestoration) -> Worked<()> {
    let (charge, account) = (wanted.charge_id.as_str(), wanted.account_id.as_str());
    let items: Vec<u32> = wanted.items.iter().map(|item| item.item).collect();
    let lines: Vec<BalanceLine> = wanted
        .lines
        .iter()
        .map(|line| BalanceLine { balance_id: line.target.clone(), kind: line.target_kind, amount: line.amount })
        .collect();
    refunds::write_lines_said(connection, id, &items, &lines).await?;
    for item in &wanted.items {
        refunds::add_item(connection, id, charge, account, i64::from(item.item), item.credits).await?;
    }
    for (line, part) in (0_u64..).zip(wanted.lines.iter().filter(|part| part.amount > 0)) {
        let move_ = (part.source.as_str(), part.target.as_str(), part.amount);
        refunds::add_line(connection, id, line, charge, account, move_).await?;
    }
    Ok(())
}
