use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::world::record;
use crate::postgres::{open, reads};

/// Every statement that this backend sends.
const ALL: &[(&str, &[(&str, &str)])] = &[
    ("open", open::STATEMENTS),
    ("canvas", reads::canvas::STATEMENTS),
    ("catalogue", reads::catalogue::STATEMENTS),
    ("charges", reads::charges::STATEMENTS),
    ("deliveries", reads::deliveries::STATEMENTS),
    ("health", reads::health::STATEMENTS),
    ("jobs", reads::jobs::STATEMENTS),
    ("outputs", reads::outputs::STATEMENTS),
    ("people", reads::people::STATEMENTS),
    ("postings", reads::postings::STATEMENTS),
    ("refunds", reads::refunds::STATEMENTS),
    ("runs", reads::runs::STATEMENTS),
];

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
