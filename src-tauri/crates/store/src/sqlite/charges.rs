//! Charges with the prices of their items and the balances they drew from.

use makegood_domain::ledger::Charge;
use makegood_domain::money::Credits;
use makegood_domain::ports::{ChargeLine, ChargesWanted, StoreResult};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend, refused};
use super::rows::{micros, signed};
use crate::assemble;

statements! {
    ADD = "INSERT INTO charges (id, run_id, account_id, posted_at, total, idempotency_key)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    WANTED = "SELECT c.id, r.root_id, c.posted_at FROM charges c JOIN runs r ON r.id = c.run_id
        WHERE c.posted_at >= ?1 AND c.posted_at < ?2 AND (?3 IS NULL OR (c.posted_at, c.id) > (?3, ?4))
        ORDER BY c.posted_at, c.id LIMIT ?5";
    WANTED_OF_ACCOUNT = "SELECT c.id, r.root_id, c.posted_at FROM charges c JOIN runs r ON r.id = c.run_id
        WHERE c.account_id = ?6 AND c.posted_at >= ?1 AND c.posted_at < ?2
          AND (?3 IS NULL OR (c.posted_at, c.id) > (?3, ?4))
        ORDER BY c.posted_at, c.id LIMIT ?5";
    ADD_ITEM = "INSERT INTO charge_items (charge_id, item, price) VALUES (?1, ?2, ?3)";
    ADD_SOURCE = "INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    CHARGES = "SELECT id, run_id, account_id, posted_at, total, idempotency_key FROM charges
        WHERE run_id IN (SELECT value FROM json_each(?1)) ORDER BY posted_at, id";
    ITEMS = "SELECT i.charge_id, i.item, i.price FROM charges c JOIN charge_items i ON i.charge_id = c.id
        WHERE c.run_id IN (SELECT value FROM json_each(?1)) ORDER BY i.charge_id, i.item";
    SOURCES = "SELECT s.charge_id, s.balance_id, b.kind, s.amount
        FROM charges c JOIN charge_sources s ON s.charge_id = c.id JOIN balances b ON b.id = s.balance_id
        WHERE c.run_id IN (SELECT value FROM json_each(?1)) ORDER BY s.charge_id, s.line";
}

/// A page of posted charges.
pub(super) async fn wanted(connection: &mut SqliteConnection, wanted: &ChargesWanted) -> StoreResult<Vec<ChargeLine>> {
    // A further page begins at the posting that the last one ended with.
    let from = wanted.after.as_ref().map_or(wanted.from, |(at, _)| wanted.from.max(*at));
    let statement = if wanted.account.is_some() { WANTED_OF_ACCOUNT } else { WANTED };
    let query = sqlx::query(statement)
        .bind(micros(from))
        .bind(micros(wanted.until))
        .bind(wanted.after.as_ref().map(|(at, _)| micros(*at)))
        .bind(wanted.after.as_ref().map(|(_, id)| id.as_str()))
        .bind(signed(wanted.limit));
    let query = match &wanted.account {
        Some(account) => query.bind(account.as_str()),
        None => query,
    };
    let rows = query.fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::charge_line)
}

/// Posts a charge. Its items and its sources must each add up to its total.
pub(super) async fn add(connection: &mut SqliteConnection, row: &Charge) -> Worked<()> {
    check_sums(row)?;
    sqlx::query(ADD)
        .bind(row.id.as_str())
        .bind(row.run_id.as_str())
        .bind(row.account_id.as_str())
        .bind(micros(row.posted_at))
        .bind(row.total)
        .bind(&row.idempotency_key)
        .execute(&mut *connection)
        .await?;
    for item in &row.items {
        let add = sqlx::query(ADD_ITEM).bind(row.id.as_str()).bind(i64::from(item.item)).bind(item.credits);
        add.execute(&mut *connection).await?;
    }
    for (line, source) in (0_u64..).zip(&row.sources).filter(|(_, source)| source.amount != 0) {
        sqlx::query(ADD_SOURCE)
            .bind(row.id.as_str())
            .bind(signed(line))
            .bind(source.balance_id.as_str())
            .bind(row.account_id.as_str())
            .bind(source.amount)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// That items and sources each add up to the total.
pub(super) fn check_sums(row: &Charge) -> Worked<()> {
    let items = sum(row.items.iter().map(|item| item.credits));
    let sources = sum(row.sources.iter().map(|source| source.amount));
    if items != Some(row.total) {
        return refused(format!("its items do not add up to its total of {}", row.total));
    }
    if sources != Some(row.total) {
        return refused(format!("its sources do not add up to its total of {}", row.total));
    }
    Ok(())
}

fn sum(mut amounts: impl Iterator<Item = Credits>) -> Option<Credits> {
    amounts.try_fold(0, Credits::checked_add)
}

/// The charges of these runs, oldest first.
pub(super) async fn charges(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Charge>> {
    let items = sqlx::query(ITEMS).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let sources = sqlx::query(SOURCES).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let rows = sqlx::query(CHARGES).bind(runs).fetch_all(connection).await.map_err(backend)?;
    assemble::charges(&rows, &items, &sources)
}
