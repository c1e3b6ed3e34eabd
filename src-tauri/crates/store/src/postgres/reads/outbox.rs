//! What waits to be sent outside.

use makegood_domain::ports::{OutboxLine, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::signed;

statements! {
    NEWEST = "SELECT id, at, kind, case_id, summary, state FROM api.outbox ORDER BY seq DESC LIMIT $1";
}

impl PgStore {
    pub(in crate::postgres) async fn read_outbox(&self, limit: u64) -> StoreResult<Vec<OutboxLine>> {
        let rows = sqlx::query(NEWEST).bind(signed(limit)).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::outbox_line)
    }
}
