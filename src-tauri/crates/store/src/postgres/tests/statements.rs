use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::world::record;
use crate::postgres::open;

/// Every statement that this backend sends.
const ALL: &[(&str, &[(&str, &str)])] = &[("open", open::STATEMENTS)];

#[tokio::test]
async fn every_statement_prepares_on_a_fresh_schema() {
    let store = record().await;
    let mut connection = store.pool.acquire().await.unwrap();
    for (file, statements) in ALL {
        for (name, sql) in *statements {
            let prepared = connection.prepare(AssertSqlSafe(*sql).into_sql_str()).await;
            assert!(prepared.is_ok(), "{file}::{name}: {prepared:?}");
        }
    }
}
