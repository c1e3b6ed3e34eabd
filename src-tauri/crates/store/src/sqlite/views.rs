//! Named views of the queue, per agent.

use makegood_domain::ids::AgentId;
use makegood_domain::ports::{SavedView, StoreResult};

use super::SqliteStore;
use super::fault::backend;
use super::rows::document;
use crate::assemble;

statements! {
    ALL = "SELECT name, query FROM saved_views WHERE agent = ?1 ORDER BY name";
    PUT = "INSERT INTO saved_views (agent, name, query) VALUES (?1, ?2, ?3)
        ON CONFLICT (agent, name) DO UPDATE SET query = excluded.query";
    DROP = "DELETE FROM saved_views WHERE agent = ?1 AND name = ?2";
}

impl SqliteStore {
    pub(super) async fn read_views(&self, agent: &AgentId) -> StoreResult<Vec<SavedView>> {
        let rows = sqlx::query(ALL).bind(agent.as_str()).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::saved_view)
    }

    pub(super) async fn put_view(&self, agent: &AgentId, view: &SavedView) -> StoreResult<()> {
        let put = sqlx::query(PUT).bind(agent.as_str()).bind(&view.name).bind(document(&view.query)?);
        let mut tx = self.begin().await?;
        put.execute(&mut *tx).await.map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    pub(super) async fn drop_view(&self, agent: &AgentId, name: &str) -> StoreResult<()> {
        let drop = sqlx::query(DROP).bind(agent.as_str()).bind(name);
        let mut tx = self.begin().await?;
        drop.execute(&mut *tx).await.map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}
