//! Balances and postings. Levels are moved by triggers; here are only the documents behind them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::ids::AccountId;
use makegood_domain::ledger::Balance;
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::ports::{PostingLine, StoreResult};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Worked, backend, refused};
use super::rows::{Columns, micros, signed, word};
use crate::assemble;

statements! {
    BALANCE = "SELECT account_id, level, opening, opening_at FROM balances WHERE id = ?1";
    ADD_BALANCE = "INSERT INTO balances (id, account_id, kind, position, opening, opening_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    RENEW_BALANCE = "UPDATE balances SET kind = ?2, position = ?3, opening = ?4, opening_at = ?5 WHERE id = ?1";
    ADD_OPENING = "INSERT INTO openings (balance_id, line, opening, opening_at, delta, at)
        SELECT ?1, coalesce(max(line) + 1, 0), ?2, ?3, ?4, ?5 FROM openings WHERE balance_id = ?1";
    /// What documents dated from an instant on took from a balance and gave to it.
    MOVED_SINCE = "SELECT
        (SELECT coalesce(sum(l.amount), 0) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
            WHERE l.target = ?1 AND r.state = 'posted' AND r.posted_at >= ?2)
      + (SELECT coalesce(sum(s.amount), 0) FROM strays s JOIN refunds r ON r.id = s.refund_id
            WHERE s.target = ?1 AND r.state = 'posted' AND r.posted_at >= ?2)
      - (SELECT coalesce(sum(s.amount), 0) FROM charge_sources s JOIN charges c ON c.id = s.charge_id
            WHERE s.balance_id = ?1 AND c.posted_at >= ?2)
      - (SELECT coalesce(sum(l.amount), 0) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
            JOIN released_refunds k ON k.refund_id = r.id JOIN releases e ON e.id = k.release_id
            WHERE l.target = ?1 AND r.posted_at < ?2 AND e.at >= ?2)";
    /// Balances of customers, and their levels.
    LEVELS = "SELECT id, kind, level FROM balances
        WHERE id IN (SELECT value FROM json_each(?1)) AND opening_at IS NOT NULL ORDER BY id";
    POSTINGS = "SELECT p.id, p.at, p.kind, p.from_balance, p.to_balance, p.amount, p.charge_id,
            coalesce(p.refund_id, p.stray_id) AS refund_id
        FROM postings p WHERE p.id IN (
            SELECT id FROM postings WHERE from_balance IN (SELECT id FROM balances WHERE account_id = ?1)
            UNION SELECT id FROM postings WHERE to_balance IN (SELECT id FROM balances WHERE account_id = ?1))
        ORDER BY p.at DESC, p.id DESC LIMIT ?2";
    BREAKS = "SELECT kind, subject FROM ledger_breaks LIMIT 20";
}

/// Keeps a balance of an account. A new count (another `opening` or `opening_at`) is posted as the
/// difference to what is known, so that later charges and refunds still count.
pub(super) async fn put_balance(
    connection: &mut SqliteConnection,
    account: &AccountId,
    position: i64,
    row: &Balance,
    at: Timestamp,
) -> Worked<()> {
    let known = sqlx::query(BALANCE).bind(row.id.as_str()).fetch_optional(&mut *connection).await?;
    let since = micros(row.opening_at);
    let Some(known) = known else {
        sqlx::query(ADD_BALANCE)
            .bind(row.id.as_str())
            .bind(account.as_str())
            .bind(word(&row.kind)?)
            .bind(position)
            .bind(row.opening)
            .bind(since)
            .execute(&mut *connection)
            .await?;
        return add_opening(connection, row, row.opening, at).await;
    };
    if known.opt_text("account_id")?.as_deref() != Some(account.as_str()) {
        return refused(format!("balance {} belongs to another account", row.id));
    }
    sqlx::query(RENEW_BALANCE)
        .bind(row.id.as_str())
        .bind(word(&row.kind)?)
        .bind(position)
        .bind(row.opening)
        .bind(since)
        .execute(&mut *connection)
        .await?;
    if (known.opt_int("opening")?, known.opt_int("opening_at")?) == (Some(row.opening), Some(since)) {
        return Ok(());
    }
    let moved: i64 =
        sqlx::query_scalar(MOVED_SINCE).bind(row.id.as_str()).bind(since).fetch_one(&mut *connection).await?;
    add_opening(connection, row, row.opening + moved - known.int("level")?, at).await
}

async fn add_opening(connection: &mut SqliteConnection, row: &Balance, delta: Credits, at: Timestamp) -> Worked<()> {
    sqlx::query(ADD_OPENING)
        .bind(row.id.as_str())
        .bind(row.opening)
        .bind(micros(row.opening_at))
        .bind(delta)
        .bind(micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Kind and level of each row of [`LEVELS`], by balance.
pub(super) fn levels(rows: &[SqliteRow]) -> StoreResult<BTreeMap<String, (BalanceKind, Credits)>> {
    rows.iter().map(|row| Ok((row.text("id")?, (row.word("kind")?, row.int("level")?)))).collect()
}

/// Postings that touch an account's balances, newest first.
pub(super) async fn postings(
    connection: &mut SqliteConnection,
    account: &AccountId,
    limit: u64,
) -> StoreResult<Vec<PostingLine>> {
    let query = sqlx::query(POSTINGS).bind(account.as_str()).bind(signed(limit));
    let rows = query.fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::posting)
}

/// What contradicts the ledger's arithmetic: normally nothing.
pub(super) async fn breaks(connection: &mut SqliteConnection) -> StoreResult<Vec<(String, String)>> {
    sqlx::query_as(BREAKS).fetch_all(connection).await.map_err(backend)
}
