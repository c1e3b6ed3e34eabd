//! Where the record is, and whether it is whole.

use makegood_domain::ports::{StoreError, StoreHealth, StoreResult};

use super::postings;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;

statements! {
    VERSION = "SELECT current_setting('server_version')";
    SCHEMA = "SELECT coalesce(max(number), 0) FROM api.schema_migrations";
}

impl PgStore {
    pub(in crate::postgres) async fn read_health(&self) -> StoreResult<StoreHealth> {
        let mut tx = self.snapshot().await?;
        let version: String = sqlx::query_scalar(VERSION).fetch_one(&mut *tx).await.map_err(backend)?;
        let schema: i64 = sqlx::query_scalar(SCHEMA).fetch_one(&mut *tx).await.map_err(backend)?;
        let breaks = postings::breaks(&mut tx).await?;
        tx.rollback().await.map_err(backend)?;
        if let Some((kind, subject)) = breaks.into_iter().next() {
            return Err(StoreError::Inconsistent { at: subject, why: format!("the ledger does not add up: {kind}") });
        }
        Ok(StoreHealth { backend: "postgresql".to_owned(), version, schema, location: self.location.clone() })
    }
}
