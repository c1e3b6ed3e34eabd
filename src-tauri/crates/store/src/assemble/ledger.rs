//! Charges, refunds and postings.

use makegood_domain::ids::ChargeId;
use makegood_domain::ledger::{Charge, ItemPrice, Refund};
use makegood_domain::money::BalanceLine;
use makegood_domain::ports::{PostingLine, StoreResult};

use super::by_key;
use crate::rows::Columns;

/// Charges with the prices of their items and the balances they drew from, in the order of each.
pub(crate) fn charges<R: Columns>(rows: &[R], items: &[R], sources: &[R]) -> StoreResult<Vec<Charge>> {
    let mut items =
        by_key(items, "charge_id", |row| Ok(ItemPrice { item: row.count("item")?, credits: row.int("price")? }))?;
    let mut sources = by_key(sources, "charge_id", balance_line)?;
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(Charge {
                run_id: row.text("run_id")?.as_str().into(),
                account_id: row.text("account_id")?.as_str().into(),
                posted_at: row.time("posted_at")?,
                total: row.int("total")?,
                items: items.remove(&id).unwrap_or_default(),
                sources: sources.remove(&id).unwrap_or_default(),
                idempotency_key: row.text("idempotency_key")?,
                id: ChargeId(id),
            })
        })
        .collect()
}

/// Refunds as they were said, with their items and lines, in the order of each.
pub(crate) fn refunds<R: Columns>(rows: &[R], items: &[R], lines: &[R]) -> StoreResult<Vec<Refund>> {
    let mut items = by_key(items, "refund_id", |row| row.count("item"))?;
    let mut lines = by_key(lines, "refund_id", balance_line)?;
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(Refund {
                charge_id: row.text("charge_id")?.as_str().into(),
                run_id: row.text("run_id")?.as_str().into(),
                posted_at: row.time("posted_at")?,
                state: row.word("state")?,
                kind: row.word("kind")?,
                items: items.remove(&id).unwrap_or_default(),
                lines: lines.remove(&id).unwrap_or_default(),
                ticket_id: row.opt_text("ticket_id")?.map(|id| id.as_str().into()),
                detected_at: row.opt_time("detected_at")?,
                cause: row.opt_text("cause")?,
                id: id.as_str().into(),
            })
        })
        .collect()
}

fn balance_line(row: &impl Columns) -> StoreResult<BalanceLine> {
    Ok(BalanceLine {
        balance_id: row.text("balance_id")?.as_str().into(),
        kind: row.word("kind")?,
        amount: row.int("amount")?,
    })
}

pub(crate) fn posting(row: &impl Columns) -> StoreResult<PostingLine> {
    Ok(PostingLine {
        id: row.int("id")?.to_string(),
        at: row.time("at")?,
        kind: row.text("kind")?,
        from: row.text("from_balance")?,
        to: row.text("to_balance")?,
        amount: row.int("amount")?,
        charge_id: row.opt_text("charge_id")?,
        refund_id: row.opt_text("refund_id")?,
    })
}
