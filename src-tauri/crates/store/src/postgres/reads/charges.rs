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
        WHERE ($1::text IS NULL OR c.account_id = $1) AND c.posted_at >= $2 AND c.posted_at < $3
          AND ($4::bigint IS NULL OR (c.posted_at, c.id COLLATE "C") > ($4, $5::text COLLATE "C"))
        ORDER BY c.posted_at, c.id COLLATE "C" LIMIT $6"#;
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
    let rows = sqlx::query(WANTED)
        .bind(wanted.account.as_ref().map(|id| id.as_str()))
        .bind(micros(wanted.from))
        .bind(micros(wanted.until))
        .bind(wanted.after.as_ref().map(|(at, _)| micros(*at)))
        .bind(wanted.after.as_ref().map(|(_, id)| id.as_str()))
        .bind(signed(wanted.limit))
        .fetch_all(connection)
        .await
        .map_err(backend)?;
    assemble::each(&rows, assemble::charge_line)
}
