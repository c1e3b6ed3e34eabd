//! SQLite: a durable, idempotent restoration against a bare transaction that inserts the same rows, and
//! many at once against one after the other.
//!
//! The bare transaction is on a copy of the record, through the same driver with the same settings: the same tables
//! and indexes with the same rows in them, one sync of the log. It asks nothing, checks nothing but keys, and inserts
//! what a restoration inserted; the six rows that a restoration changes (item, source, two levels, the reconciler's
//! list and count) it leaves as they are.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use makegood_domain::feed::Fact;
use makegood_domain::ports::{Applied, FactStore as _, ReconcileStore as _};
use makegood_store::sqlite::SqliteStore;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use crate::{ROUNDS, median, rows, tell, world};

const ACCOUNTS: u64 = 100;
/// Restorations of one measurement.
const PART: u64 = 150;
/// Restorations at once where commits are shared.
const AT_ONCE: u64 = 32;

/// Three measurements a round.
const RUNS: u64 = PART * (ROUNDS as u64 + 1) * 3;

pub async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("record.sqlite"), folder.path().join("bare.sqlite"));
    fill(&path).await;
    let mut bare = bare_record(&path, &copy).await;
    let store = Arc::new(SqliteStore::open(&path).await.expect("a record"));
    let mut next = 0;
    let (mut alone, mut reference, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let first = next;
        let took = one_after_the_other(&store, &mut next).await;
        let inserts = made(folder.path(), first, next).await;
        let start = Instant::now();
        for insert in &inserts {
            rows::insert(&mut bare, insert).await;
        }
        let reference_took = start.elapsed().as_secs_f64();
        let shared_took = at_once(&store, &mut next).await;
        // The first round warms up.
        if round > 0 {
            alone.push(took);
            reference.push(reference_took);
            shared.push(shared_took);
        }
    }
    let each = |took: &[f64]| PART as f64 / median(took.to_vec());
    let ratio = |a: &[f64], b: &[f64]| median(a.iter().zip(b).map(|(a, b)| a / b).collect());
    tell(
        "SQLite: restorations, one by one, to bare inserts",
        each(&alone),
        each(&reference),
        ratio(&reference, &alone),
        "≥ 0.8",
    );
    tell("SQLite: restorations, 32 at once, to one by one", each(&shared), each(&alone), ratio(&alone, &shared), "≥ 6");
}

async fn fill(path: &Path) {
    let store = SqliteStore::open(path).await.expect("a record");
    let mut facts: Vec<Fact> = world::people(ACCOUNTS);
    facts.extend((0..RUNS).flat_map(|n| world::run(n, ACCOUNTS)));
    for batch in world::batches(&facts) {
        let report = store.import(batch, world::start()).await.expect("an import");
        assert!(report.rejected.is_empty(), "{:?}", report.rejected.first());
    }
    store.close().await;
}

/// The same rows without rules: no triggers, no foreign keys. As durable as the record, which is closed.
async fn bare_record(record: &Path, copy: &Path) -> SqliteConnection {
    std::fs::copy(record, copy).expect("a copy");
    let mut connection = connect(copy).await;
    let triggers: Vec<String> =
        sqlx::query_scalar("SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'")
            .fetch_all(&mut connection)
            .await
            .expect("the triggers");
    for drop in triggers {
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.expect("a trigger dropped");
    }
    connection
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-16000")
        .statement_cache_capacity(256);
    SqliteConnection::connect_with(&options).await.expect("a connection")
}

async fn one_after_the_other(store: &SqliteStore, next: &mut u64) -> f64 {
    let start = Instant::now();
    for _ in 0..PART {
        restore(store, *next).await;
        *next += 1;
    }
    start.elapsed().as_secs_f64()
}

async fn at_once(store: &Arc<SqliteStore>, next: &mut u64) -> f64 {
    let first = *next;
    *next += PART;
    let start = Instant::now();
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for n in (first..first + PART).filter(|n| n % AT_ONCE == task) {
                    restore(&store, n).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    start.elapsed().as_secs_f64()
}

async fn restore(store: &SqliteStore, n: u64) {
    let effect = world::restoration(n, ACCOUNTS);
    let applied = store.settle(&world::key(n), 0, &effect, world::later()).await.expect("an answer");
    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
}

/// The rows of the restorations `first..next`, read from the record.
async fn made(folder: &Path, first: u64, next: u64) -> Vec<Vec<rows::Insert>> {
    let mut connection = connect(&folder.join("record.sqlite")).await;
    let mut inserts = Vec::new();
    for n in first..next {
        let key = world::key(n);
        inserts.push(rows::of_restoration(&mut connection, &format!("rfd_{n}"), key.as_str()).await);
    }
    inserts
}
