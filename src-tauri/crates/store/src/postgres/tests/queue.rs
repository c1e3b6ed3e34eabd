//! The indexes behind the queue: at 100,000 cases a page reads the index of its order, and sorts nothing.

use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueOrder, QueueQuery};
use sqlx::{Executor, PgConnection};

use super::world::record;
use crate::postgres::PgStore;
use crate::postgres::reads::queue::statement;
use crate::queue::{Piece, QueueReader, Stretch, lines_of};

/// `count` cases straight into the table, past its triggers: every tenth settled, every third with a
/// file to lose.
const FILL: &str = "SET session_replication_role = replica;
    INSERT INTO record.cases (id, ticket_id, state, opened_at, due_at, revision, desk, subject, customer, verdict,
        remedy, amount, file_deadline, saved, assignee, search_text)
    SELECT 'case_' || i, 'tck_' || i, CASE i % 10 WHEN 0 THEN 'settled' WHEN 1 THEN 'waiting' ELSE 'open' END,
        i, 1000000 - i, 1, CASE i % 2 WHEN 0 THEN 'mail' ELSE 'chat' END, 'No clip', 'u@example.com',
        CASE i % 4 WHEN 0 THEN 'webhook_lost' ELSE 'upload_failed' END, 'recover_asset', i % 100,
        CASE i % 3 WHEN 0 THEN (i * 7919) % 100003 END, (i % 6 = 0)::int, CASE i % 5 WHEN 0 THEN 'ana' END, 'no clip'
    FROM generate_series(1, 100000) AS i;
    RESET session_replication_role;
    ANALYZE record.cases";

async fn explain(store: &PgStore, mut pieces: Vec<Piece>) -> String {
    pieces.insert(0, Piece::Sql("EXPLAIN (COSTS OFF) "));
    let mut sql = statement(pieces);
    let lines: Vec<String> = sql.build_query_scalar().fetch_all(&store.pool).await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn a_page_comes_out_of_the_index_of_its_order() {
    let store = record().await;
    store.pool.execute(sqlx::raw_sql(FILL)).await.unwrap();
    let open = vec![CaseState::Open, CaseState::Waiting];
    let as_of = jiff::Timestamp::from_microsecond(50_000).unwrap();
    for (states, order, stretch, index) in [
        (open.clone(), QueueOrder::LostFirst, Stretch::CanBeLost, "lost_first"),
        (open.clone(), QueueOrder::LostFirst, Stretch::Due, "due"),
        (open.clone(), QueueOrder::LostFirst, Stretch::Later, "due"),
        (open.clone(), QueueOrder::Due, Stretch::Whole, "due"),
        (open, QueueOrder::Newest, Stretch::Whole, "newest"),
        (vec![], QueueOrder::LostFirst, Stretch::CanBeLost, "lost_first"),
        (vec![], QueueOrder::LostFirst, Stretch::Due, "due"),
        (vec![], QueueOrder::LostFirst, Stretch::Later, "due"),
        (vec![], QueueOrder::Due, Stretch::Whole, "due"),
        (vec![], QueueOrder::Newest, Stretch::Whole, "newest"),
        (vec![CaseState::Settled], QueueOrder::Newest, Stretch::Whole, "newest"),
    ] {
        let query = QueueQuery { states: states.clone(), order, as_of, ..QueueQuery::default() };
        let plan = explain(&store, lines_of(PgConnection::DIALECT, &query, stretch, 50, 0).unwrap()).await;
        let name = format!("{order:?} {stretch:?} of {states:?}");
        // With the open ones alone or with all in it: either gives the order.
        let fits = [format!("Index Scan using cases_{index} "), format!("Index Scan using cases_all_{index} ")];
        assert!(fits.iter().any(|scan| plan.contains(scan)), "{name}: {plan}");
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{name}: {plan}");
    }
    store.close().await;
}
