//! Postings of an account's balances, and what contradicts the ledger's arithmetic.

use makegood_domain::ids::AccountId;
use makegood_domain::ports::{PostingLine, StoreResult};
use sqlx::postgres::PgConnection;

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::signed;

statements! {
    POSTINGS = "SELECT p.id, p.at, p.kind, p.from_balance, p.to_balance, p.amount, p.charge_id,
            coalesce(p.refund_id, p.stray_id) AS refund_id
        FROM api.postings p WHERE p.id IN (
            SELECT id FROM api.postings WHERE from_balance IN (SELECT id FROM api.balances WHERE account_id = $1)
            UNION SELECT id FROM api.postings WHERE to_balance IN (SELECT id FROM api.balances WHERE account_id = $1))
        ORDER BY p.at DESC, p.id DESC LIMIT $2";
    BREAKS = "SELECT kind, subject FROM api.ledger_breaks LIMIT 20";
}

impl PgStore {
    pub(in crate::postgres) async fn read_postings(
        &self,
        account: &AccountId,
        limit: u64,
    ) -> StoreResult<Vec<PostingLine>> {
        let query = sqlx::query(POSTINGS).bind(account.as_str()).bind(signed(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::posting)
    }
}

/// What contradicts the ledger's arithmetic: normally nothing.
pub(in crate::postgres) async fn breaks(connection: &mut PgConnection) -> StoreResult<Vec<(String, String)>> {
    sqlx::query_as(BREAKS).fetch_all(connection).await.map_err(backend)
}
