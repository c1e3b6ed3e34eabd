//! Order, filters, search and totals of the queue, and the indexes behind them.

use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{CaseStore, QueueLine, QueueOrder, QueueQuery};
use sqlx::{Execute, Row, SqliteConnection};

use super::world::{at, new_case, world};
use crate::queue::{Piece, QueueReader, Stretch, lines_of, totals_of};
use crate::sqlite::SqliteStore;
use crate::sqlite::queue::statement;

/// `count` cases straight into the table: every tenth settled, every third with a file to lose.
async fn fill(store: &SqliteStore, count: i64) {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO tickets (id, subject, body, created_at, requester_email)
        SELECT 'tck_' || i, 'No clip number ' || i, '', i, 'user' || (i % 997) || '@example.com' FROM n";
    sqlx::query(sql).bind(count).execute(&store.writer).await.unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO cases (id, ticket_id, state, opened_at, due_at, revision, desk, subject, customer, verdict, remedy,
            amount, file_deadline, saved, assignee, search_text)
        SELECT 'case_' || i, 'tck_' || i, CASE i % 10 WHEN 0 THEN 'settled' WHEN 1 THEN 'waiting' ELSE 'open' END,
            i, 1000000 - i, 1, CASE i % 2 WHEN 0 THEN 'mail' ELSE 'chat' END, 'No clip number ' || i,
            'user' || (i % 997) || '@example.com', CASE i % 4 WHEN 0 THEN 'webhook_lost' ELSE 'upload_failed' END,
            'recover_asset', i % 100, CASE i % 3 WHEN 0 THEN (i * 7919) % 100003 END, i % 6 = 0,
            CASE i % 5 WHEN 0 THEN 'ana' END,
            'no clip number ' || i || char(10) || 'user' || (i % 997) || '@example.com' || char(10) || 'tck_' || i
        FROM n";
    sqlx::query(sql).bind(count).execute(&store.writer).await.unwrap();
}

type Fits = fn(&QueueLine) -> bool;

fn open() -> QueueQuery {
    QueueQuery { states: vec![CaseState::Open, CaseState::Waiting], ..QueueQuery::default() }
}

/// Files that can still be lost, by deadline; then what is open, by due time; then the rest.
#[tokio::test]
async fn what_will_be_lost_first_is_first_on_every_page() {
    let store = world(vec![]).await;
    fill(&store, 300).await;
    let as_of = jiff::Timestamp::from_microsecond(50_000).unwrap();
    let key = |row: &QueueLine| {
        let can_be_lost = row.file_deadline.filter(|at| !row.saved && *at > as_of);
        match (row.state, can_be_lost) {
            (CaseState::Open, Some(at)) => (0, at, row.due_at),
            (CaseState::Open, None) => (1, row.due_at, row.due_at),
            _ => (2, row.due_at, row.due_at),
        }
    };
    let full = store.queue(&QueueQuery { limit: 500, as_of, ..open() }).await.unwrap();
    assert_eq!((full.total, full.lines.len()), (270, 200), "200 rows a page at most");
    let mut lines = Vec::new();
    for offset in (0..300).step_by(37) {
        let page = store.queue(&QueueQuery { offset, limit: 37, as_of, ..open() }).await.unwrap();
        lines.extend(page.lines);
    }
    assert_eq!(lines.len(), 270, "pages leave nothing out and repeat nothing");
    assert_eq!(lines[..200], full.lines[..]);
    let keys: Vec<_> = lines.iter().map(key).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let stretches: std::collections::BTreeSet<_> = keys.iter().map(|key| key.0).collect();
    assert_eq!(stretches.len(), 3, "all three stretches were there to be ordered");
}

#[tokio::test]
async fn filters_and_orders_agree_with_the_totals() {
    let store = world(vec![]).await;
    fill(&store, 200).await;
    let all = store.queue(&QueueQuery::default()).await.unwrap().lines;
    let table: Vec<(&str, QueueQuery, Fits)> = vec![
        ("all", QueueQuery::default(), |_| true),
        ("open", open(), |row| row.state != CaseState::Settled),
        ("settled", QueueQuery { states: vec![CaseState::Settled], ..QueueQuery::default() }, |row| {
            row.state == CaseState::Settled
        }),
        ("verdict", QueueQuery { verdicts: vec![Verdict::WebhookLost], ..QueueQuery::default() }, |row| {
            row.verdict == Some(Verdict::WebhookLost)
        }),
        ("no remedy", QueueQuery { remedies: vec![Remedy::AskForDetails], ..QueueQuery::default() }, |_| false),
        ("desk", QueueQuery { desks: vec!["mail".into()], ..open() }, |row| {
            row.desk == "mail" && row.state != CaseState::Settled
        }),
        ("mine", QueueQuery { assignee: Some("ana".into()), ..QueueQuery::default() }, |row| row.assignee.is_some()),
        ("word", QueueQuery { search: "Number 17".into(), ..QueueQuery::default() }, |row| {
            row.subject.contains("17") || row.customer.contains("17")
        }),
        ("mail address", QueueQuery { search: "USER42@".into(), ..QueueQuery::default() }, |row| {
            row.customer.contains("user42@")
        }),
        ("quotes", QueueQuery { search: "\"clip\" OR".into(), ..QueueQuery::default() }, |_| false),
        (
            "due",
            QueueQuery { due_before: Some(jiff::Timestamp::from_microsecond(999_900).unwrap()), ..open() },
            |row| row.due_at.as_microsecond() < 999_900 && row.state != CaseState::Settled,
        ),
    ];
    for (name, query, fits) in table {
        for order in [QueueOrder::LostFirst, QueueOrder::Due, QueueOrder::Newest, QueueOrder::Amount] {
            let page = store.queue(&QueueQuery { order, ..query.clone() }).await.unwrap();
            let wanted: Vec<_> = all.iter().filter(|row| fits(row)).collect();
            assert_eq!(page.total, u64::try_from(wanted.len()).unwrap(), "{name}");
            assert_eq!(page.lines.len(), wanted.len(), "{name} {order:?}");
            assert_eq!(page.stake, wanted.iter().filter_map(|row| row.amount).sum::<i64>(), "{name}");
        }
    }
    let counts = store.queue_counts().await.unwrap();
    assert_eq!(counts.by_state, [(CaseState::Open, 160), (CaseState::Waiting, 20)]);
    assert_eq!(counts.by_desk, [("chat".into(), 100), ("mail".into(), 80)]);
    assert_eq!(counts.by_verdict.len(), 2);
}

/// Every order of the open queue comes out of its index, without sorting; totals touch no rows.
#[tokio::test]
async fn pages_come_from_indexes() {
    let store = world(vec![]).await;
    let table = [
        (QueueOrder::LostFirst, Stretch::CanBeLost, "lost_first"),
        (QueueOrder::LostFirst, Stretch::Due, "due"),
        (QueueOrder::LostFirst, Stretch::Later, "due"),
        (QueueOrder::Due, Stretch::Whole, "due"),
        (QueueOrder::Newest, Stretch::Whole, "newest"),
        (QueueOrder::Amount, Stretch::Whole, "amount"),
    ];
    for states in [open().states, vec![]] {
        for (order, stretch, index) in table {
            let query = QueueQuery { states: states.clone(), order, ..QueueQuery::default() };
            let plan = explain(&store, lines_of(SqliteConnection::DIALECT, &query, stretch, 50, 0).unwrap()).await;
            assert!(plan.contains("cases_") && plan.contains(index), "{order:?} {stretch:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{order:?} {stretch:?}: {plan}");
        }
        let query = QueueQuery { states, ..QueueQuery::default() };
        let plan = explain(&store, totals_of(SqliteConnection::DIALECT, &query, Stretch::Whole).unwrap()).await;
        assert!(plan.contains("USING COVERING INDEX cases_"), "{plan}");
    }
}

async fn explain(store: &SqliteStore, pieces: Vec<Piece>) -> String {
    let sql = statement(pieces).build().sql().as_str().to_owned();
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(&store.writer).await;
    rows.unwrap().iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_case_is_found_by_what_its_ticket_says() {
    let store = world(vec![]).await;
    let mut new = new_case("c1");
    new.ticket.subject = "Ärger mit Übergröße 東京".into();
    store.open_case(&new).await.unwrap();
    for (search, found) in [("übergröße", 1), ("ÄRGER", 1), ("東京", 1), ("ana@ c1", 1), ("c1 nothing", 0), ("  ", 1)]
    {
        let page = store.queue(&QueueQuery { search: search.into(), ..QueueQuery::default() }).await.unwrap();
        assert_eq!(page.total, found, "{search}");
    }
    assert_eq!(store.queue(&QueueQuery::default()).await.unwrap().lines[0].opened_at, at(600));
}

/// Prints what a page costs at 100,000 cases: `cargo test -p makegood-store --release -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "measures, asserts nothing about time"]
async fn a_page_of_100_000() {
    let store = world(vec![]).await;
    fill(&store, 100_000).await;
    let queries = [
        ("open, lost first", QueueQuery { limit: 50, ..open() }),
        ("all, due", QueueQuery { limit: 50, order: QueueOrder::Due, ..QueueQuery::default() }),
        ("open, amount, page 1000", QueueQuery { limit: 50, offset: 50_000, order: QueueOrder::Amount, ..open() }),
        (
            "desk and verdict",
            QueueQuery { limit: 50, desks: vec!["mail".into()], verdicts: vec![Verdict::UploadFailed], ..open() },
        ),
        (
            "settled, newest",
            QueueQuery {
                limit: 50,
                states: vec![CaseState::Settled],
                order: QueueOrder::Newest,
                ..QueueQuery::default()
            },
        ),
        ("search, few", QueueQuery { limit: 50, search: "tck_99123".into(), ..open() }),
        ("search, all", QueueQuery { limit: 50, search: "clip".into(), ..open() }),
        ("search, two letters", QueueQuery { limit: 50, search: "no".into(), ..open() }),
    ];
    for (name, query) in queries {
        let mut best = std::time::Duration::MAX;
        let mut total = 0;
        for _ in 0..7 {
            let start = std::time::Instant::now();
            total = store.queue(&query).await.unwrap().total;
            best = best.min(start.elapsed());
        }
        println!("{name}: {total} fit, {:.1} ms", best.as_secs_f64() * 1000.0);
    }
    let start = std::time::Instant::now();
    store.queue_counts().await.unwrap();
    println!("counts: {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
}
