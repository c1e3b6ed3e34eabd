//! Charges with the prices of their items and the balances they drew from.

use makegood_domain::ports::{ChargeLine, ChargesWanted, StoreResult};
use sqlx::postgres::PgConnection;

use crate::assemble;
use crate::postgres::fault::backend;
use crate::postgres::rows::{micros, signed};

statements! {
    CHARGES = r#"SELECT id, run_id, account_id, posted_at, total, idempotency_key FROM api.charges
        WHERE run_id = ANY ($1) ORDER BY posted_at, id COLLATE "C""#;
    WANTED = r#"SELECT c.id, r.root_id, c.posted_at FROM api.charges c JOIN api.runs r ON r.id = c.run_id
        WHERE c.posted_at >= $1 AND c.posted_at < $2
          AND ($3::bigint IS NULL OR (c.posted_at, c.id COLLATE "C") > ($3, $4::text COLLATE "C"))
        ORDER BY c.posted_at, c.id COLLATE "C" LIMIT $5"#;
    WANTED_OF_ACCOUNT = r#"SELECT c.id, r.root_id, c.posted_at FROM api.charges c JOIN api.runs r ON r.id = c.run_id
        WHERE c.account_id = $6 AND c.posted_at >= $1 AND c.posted_at < $2
          AND ($3::bigint IS NULL OR (c.posted_at, c.id COLLATE "C") > ($3, $4::text COLLATE "C"))
        ORDER BY c.posted_at, c.id COLLATE "C" LIMIT $5"#;
    ITEMS = r#"SELECT i.charge_id, i.item, i.price FROM api.charges c JOIN api.charge_items i ON i.charge_id = c.id
        WHERE c.run_id = ANY ($1) ORDER BY i.charge_id COLLATE "C", i.item"#;
    SOURCES = r#"SELECT s.charge_id, s.balance_id, b.kind, s.amount
        FROM api.charges c JOIN api.charge_sources s ON s.charge_id = c.id JOIN api.balances b ON b.id = s.balance_id
        WHERE c.run_id = ANY ($1) ORDER BY s.charge_id COLLATE "C", s.line"#;
}

/// A page of posted charges.
pub(in crate::postgres) async fn wanted(
    connection: &mut PgConnection,
    wanted: &ChargesWanted,
) -> StoreResult<Vec<ChargeLine>> {
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
