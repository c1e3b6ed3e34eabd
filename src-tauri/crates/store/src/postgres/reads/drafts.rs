//! Texts that agents are writing, and their views of the queue.

use makegood_domain::ids::{AgentId, CaseId};
use makegood_domain::ports::{Draft, SavedView, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;

statements! {
    DRAFTS = r#"SELECT case_id, kind, author, text, revision, saved_at FROM api.drafts WHERE case_id = $1
        ORDER BY kind COLLATE "C", author COLLATE "C""#;
    VIEWS = r#"SELECT name, query FROM api.saved_views WHERE agent = $1 ORDER BY name COLLATE "C""#;
}

impl PgStore {
    pub(in crate::postgres) async fn read_drafts(&self, id: &CaseId) -> StoreResult<Vec<Draft>> {
        let rows = sqlx::query(DRAFTS).bind(id.as_str()).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::draft)
    }

    pub(in crate::postgres) async fn read_views(&self, agent: &AgentId) -> StoreResult<Vec<SavedView>> {
        let rows = sqlx::query(VIEWS).bind(agent.as_str()).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::saved_view)
    }
}
