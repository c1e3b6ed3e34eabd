//! The journal of actions.

use makegood_domain::ids::{ActionKey, CaseId};
use makegood_domain::ports::{ActionRecord, StoreResult};
use sqlx::postgres::{PgConnection, PgRow};

use super::{by_id, by_ids};
use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;

statements! {
    ONE = "SELECT key, digest, agent, at, reason, plan, state, why, retry, finished_at FROM api.actions
        WHERE key = $1";
    OF_CASE = "SELECT key, digest, agent, at, reason, plan, state, why, retry, finished_at FROM api.actions
        WHERE case_id = $1 ORDER BY at DESC, row_no DESC";
    UNFINISHED = "SELECT key, digest, agent, at, reason, plan, state, why, retry, finished_at FROM api.actions
        WHERE finished_at IS NULL ORDER BY at, row_no";
    STEPS = r#"SELECT key, step, part, at, receipt FROM api.action_steps
        WHERE key = ANY ($1) ORDER BY key COLLATE "C", step, part"#;
}

impl PgStore {
    pub(in crate::postgres) async fn read_action(&self, key: &ActionKey) -> StoreResult<Option<ActionRecord>> {
        let mut tx = self.snapshot().await?;
        let rows = by_id(&mut tx, ONE, key.as_str()).await?;
        let record = records(&mut tx, &rows).await?.pop();
        tx.rollback().await.map_err(backend)?;
        Ok(record)
    }

    pub(in crate::postgres) async fn read_actions_of(&self, case: &CaseId) -> StoreResult<Vec<ActionRecord>> {
        let mut tx = self.snapshot().await?;
        let rows = by_id(&mut tx, OF_CASE, case.as_str()).await?;
        let records = records(&mut tx, &rows).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(records)
    }

    pub(in crate::postgres) async fn read_unfinished(&self) -> StoreResult<Vec<ActionRecord>> {
        let mut tx = self.snapshot().await?;
        let rows = sqlx::query(UNFINISHED).fetch_all(&mut *tx).await.map_err(backend)?;
        let records = records(&mut tx, &rows).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(records)
    }
}

async fn records(connection: &mut PgConnection, rows: &[PgRow]) -> StoreResult<Vec<ActionRecord>> {
    let steps = by_ids(connection, STEPS, &assemble::texts(rows, "key")?).await?;
    assemble::actions(rows, &steps)
}
