//! Restoration: items, lines, postings and levels of one charge, in one go.

use std::collections::BTreeMap;
use std::mem;

use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::ids::RefundId;
use makegood_domain::ledger::RefundKind;
use makegood_domain::money::{BalanceKind, BalanceLine, Credits};
use makegood_domain::ports::{BalanceMove, Receipt, StoreError};
use makegood_domain::settlement::{self, Refusal};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::super::fault::{Worked, refused};
use super::super::items::{self, Item, Note};
use super::super::rows::{Columns, document, id_list, micros};
use super::super::script::Script;
use super::super::{cases, detections, findings, ledger, refunds, rights};
use super::Act;

statements! {
    /// The charge, the logical run that it is of, that of the run in question, and whether there is a
    /// refund of this id.
    CHARGE = "SELECT EXISTS (SELECT 1 FROM refunds WHERE id = ?3) AS used, c.account_id, paid.root_id,
            (SELECT root_id FROM runs WHERE id = ?2) AS wanted_root
        FROM (SELECT ?1 AS id) wanted
        LEFT JOIN charges c ON c.id = wanted.id LEFT JOIN runs paid ON paid.id = c.run_id";
}

/// Restores, and leaves the rows that follow from it to `script`'s end.
pub(super) async fn restore(
    script: &mut Script,
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    id: &RefundId,
    wanted: &ChargeRestoration,
    cause: &str,
) -> Worked<Receipt> {
    let targets = id_list(wanted.lines.iter().map(|line| line.target.as_str()));
    let items: Vec<u32> = wanted.items.iter().map(|item| item.item).collect();
    let charge = || wanted.charge_id.as_str().into();
    let mut ask = Script::default();
    ask.add(CHARGE, [charge(), wanted.run_id.as_str().into(), id.as_str().into()]);
    ask.add(items::ITEMS_OF, [charge()]);
    ask.add(ledger::LEVELS, [targets.as_str().into()]);
    ask.add(detections::OF_ITEMS, [charge(), document(&items)?.into()]);
    let mut told = ask.rows(connection).await?;
    let total = check(&told.one()?, id, wanted)?;
    clear_items(connection, act, wanted, &items::parse_all(&told.next())?).await?;
    let before = levels(&told.next(), wanted)?;
    let noticed =
        told.next().pop().map(|row| Ok::<_, StoreError>((row.int("detected_at")?, row.text("cause")?))).transpose()?;
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
    refunds::add_restoration(script, &head)?;
    write(script, id.as_str(), &items, wanted)?;
    script.add(findings::FOLLOW_LEDGER_OF_RUN, [wanted.run_id.as_str().into()]);
    if let Some(case) = act.case {
        script.add(findings::FOLLOW_LEDGER, [case.as_str().into()]);
    }
    script.add(ledger::LEVELS, [targets.into()]);
    let after = ledger::levels(&mem::take(script).rows(connection).await?.last())?;
    let moved = |(balance, (kind, after)): (String, (BalanceKind, Credits))| {
        let before = before.get(&balance).map(|(_, level)| *level)?;
        Some(BalanceMove { balance_id: balance.as_str().into(), kind, before, after })
    };
    Ok(Receipt::Restored { refund_id: id.clone(), total, balances: after.into_iter().filter_map(moved).collect() })
}

/// What can be said before anything is touched. Returns the total. `row`: with the columns of [`CHARGE`].
pub(in super::super) fn check(row: &SqliteRow, id: &RefundId, wanted: &ChargeRestoration) -> Worked<Credits> {
    if row.flag("used")? {
        return refused(format!("there is a refund {id} already"));
    }
    let Some(account) = row.opt_text("account_id")? else {
        return refused(format!("there is no charge {}", wanted.charge_id));
    };
    if account != wanted.account_id.as_str() {
        return refused(format!("charge {} was paid by another account", wanted.charge_id));
    }
    let root = row.opt_text("root_id")?;
    if root.is_none() || root != row.opt_text("wanted_root")? {
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

/// Refuses items that are settled or being recovered, and ends leases that are over.
async fn clear_items(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    wanted: &ChargeRestoration,
    items: &[Item],
) -> Worked<()> {
    for part in &wanted.items {
        let Some(item) = items.iter().find(|item| item.item == i64::from(part.item)) else {
            return refused(format!("charge {} has no item {}", wanted.charge_id, part.item));
        };
        clear_item(connection, act, item, part.credits).await?;
    }
    Ok(())
}

async fn clear_item(connection: &mut SqliteConnection, act: &Act<'_>, item: &Item, credits: Credits) -> Worked<()> {
    let what = format!("item {} of charge {}", item.item, item.charge_id);
    match settlement::settle_by_refund(&item.stands, &act.by(), credits, act.at) {
        // The refund itself follows from its item, by a trigger.
        Ok((None, _)) => Ok(()),
        Ok((Some(fenced), _)) => {
            let note = Note { document: None, why: Some("the lease was over when the credits were restored") };
            items::write(connection, item, &fenced, note, &act.by(), act.at).await
        }
        Err(Refusal::AbovePrice { price, refunded: 0, .. }) => refused(format!("{what} cost only {price}")),
        Err(refusal @ Refusal::NoRefund { .. }) => refused(format!("{what}: {refusal}")),
        Err(_) => {
            let first = items::who_was_first(connection, item).await?;
            refused(format!("{what} can't be restored: {first}"))
        }
    }
}

/// The levels of the targets before.
fn levels(rows: &[SqliteRow], wanted: &ChargeRestoration) -> Worked<BTreeMap<String, (BalanceKind, Credits)>> {
    let levels = ledger::levels(rows)?;
    match wanted.lines.iter().find(|line| !levels.contains_key(line.target.as_str())) {
        Some(line) => refused(format!("there is no balance {}", line.target)),
        None => Ok(levels),
    }
}

fn write(script: &mut Script, id: &str, items: &[u32], wanted: &ChargeRestoration) -> Worked<()> {
    let (charge, account) = (wanted.charge_id.as_str(), wanted.account_id.as_str());
    let lines: Vec<BalanceLine> = wanted
        .lines
        .iter()
        .map(|line| BalanceLine { balance_id: line.target.clone(), kind: line.target_kind, amount: line.amount })
        .collect();
    refunds::write_lines_said(script, id, items, &lines)?;
    for item in &wanted.items {
        refunds::add_item(script, id, charge, account, i64::from(item.item), item.credits);
    }
    for (line, part) in (0_u64..).zip(wanted.lines.iter().filter(|part| part.amount > 0)) {
        let move_ = (part.source.as_str(), part.target.as_str(), part.amount);
        refunds::add_line(script, id, line, charge, account, move_);
    }
    Ok(())
}
