//! What every store must do, on PostgreSQL.

use async_trait::async_trait;
use makegood_domain::ports::FactStore as _;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::world::{at, base, record};
use crate::behaviour::Seen;
use crate::postgres::PgStore;

/// A record that has taken the base facts.
async fn store() -> PgStore {
    let store = record().await;
    assert_eq!(store.import(&base(), at(1000)).await.unwrap().rejected, vec![]);
    store
}

#[async_trait]
impl Seen for PgStore {
    async fn empty() -> Self {
        record().await
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let mut looking = looking(self).await;
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *looking).await.unwrap()
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let mut looking = looking(self).await;
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *looking).await.unwrap()
    }
}

/// For a look at the views by their names alone.
async fn looking(store: &PgStore) -> Transaction<'_, Postgres> {
    let mut looking = store.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL search_path = api").execute(&mut *looking).await.unwrap();
    looking
}

every_behaviour!(super::store);
every_seen_behaviour!(crate::postgres::PgStore);
