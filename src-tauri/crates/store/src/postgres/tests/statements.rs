use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::world::record;
use crate::postgres::{admin, open, reads, writes};

/// Every statement that this backend sends.
const ALL: &[(&str, &[(&str, &str)])] = &[
    ("open", open::STATEMENTS),
    ("admin", admin::STATEMENTS),
    ("scratch", admin::scratch::STATEMENTS),
    ("actions", reads::actions::STATEMENTS),
    ("audit", reads::audit::STATEMENTS),
    ("canvas", reads::canvas::STATEMENTS),
    ("captures", reads::captures::STATEMENTS),
    ("cases", reads::cases::STATEMENTS),
    ("catalogue", reads::catalogue::STATEMENTS),
    ("charges", reads::charges::STATEMENTS),
    ("deliveries", reads::deliveries::STATEMENTS),
    ("drafts", reads::drafts::STATEMENTS),
    ("files", reads::files::STATEMENTS),
    ("health", reads::health::STATEMENTS),
    ("jobs", reads::jobs::STATEMENTS),
    ("dead letters", reads::dead_letters::STATEMENTS),
    ("outbox", reads::outbox::STATEMENTS),
    ("outputs", reads::outputs::STATEMENTS),
    ("people", reads::people::STATEMENTS),
    ("postings", reads::postings::STATEMENTS),
    ("queue", reads::queue::STATEMENTS),
    ("received", reads::received::STATEMENTS),
    ("reconciler", reads::reconciler::STATEMENTS),
    ("refunds", reads::refunds::STATEMENTS),
    ("rights", reads::rights::STATEMENTS),
    ("runs", reads::runs::STATEMENTS),
    ("ticket_links", reads::ticket_links::STATEMENTS),
    ("write actions", writes::actions::STATEMENTS),
    ("write audit", writes::audit::STATEMENTS),
    ("write captures", writes::captures::STATEMENTS),
    ("write cases", writes::cases::STATEMENTS),
    ("write drafts", writes::drafts::STATEMENTS),
    ("write facts", writes::facts::STATEMENTS),
    ("write files", writes::files::STATEMENTS),
    ("write findings", writes::findings::STATEMENTS),
    ("write received", writes::received::STATEMENTS),
    ("write reconciler", writes::reconciler::STATEMENTS),
    ("write sweeps", writes::sweeps::STATEMENTS),
    ("write rights", writes::rights::STATEMENTS),
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
