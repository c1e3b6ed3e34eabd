//! What history costs the reconciler: a pass over 1,000 open items beside 10 million settled runs, against
//! the same pass beside 100,000; and the full scan of all of it against the bare anti-join.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use makegood_domain::ports::{FactStore as _, NextLook, ReconcileStore};
use makegood_store::postgres::{self, PgSettings, PgStore};
use makegood_store::sqlite::SqliteStore;
use makegood_testkit::postgres::{Cluster, SUPERUSER};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::postgres::{OPEN_RUNS, cluster};
use crate::{ROUNDS, Wanted, median, world};

const ACCOUNTS: u64 = 1_000;
/// Open items of a pass.
const OPEN: u64 = 1_000;
/// Runs that were started at one node of the canvas: who makes more takes another node.
const AT_A_NODE: u64 = 100;
/// Settled runs are put in by so many at a time.
const CHUNK: u64 = 500_000;

/// Charged items without a settlement: what an orphan scan without a list would have to ask.
const ANTI_JOIN: &str = "SELECT count(*) FROM charge_items i
    WHERE NOT EXISTS (SELECT 1 FROM item_settlements s WHERE s.charge_id = i.charge_id AND s.item = i.item)";

/// Rows of settled runs: charged, delivered, in the project of who paid. As an import leaves them, but
/// for what neither the pass nor the scan reads.
const SETTLED: [&str; 8] = [
    "INSERT INTO nodes SELECT DISTINCT nd, prj, nd, 'active', NULL FROM settled WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO runs SELECT id, id, prj, nd, usr, 'veo', at, 1, 'succeeded', NULL, NULL, NULL, '{}' FROM settled",
    "INSERT INTO charges SELECT chg, id, acc, at, 10, id FROM settled",
    "INSERT INTO charge_items (charge_id, item, price, state, seq) SELECT chg, 1, 10, 'delivered', 1 FROM settled",
    "INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) SELECT chg, 0, bal, acc, 10 FROM settled",
    "INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
        SELECT chg, 1, 1, 'delivered', 0, 'feed', out, at FROM settled",
    "INSERT INTO item_settlements SELECT chg, 1, 'delivered', out FROM settled",
    "INSERT INTO outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas, origin)
        SELECT out, id, 1, prj, nd, at, 9, 'stored', 1, 1, 'feed' FROM settled",
];

/// The same on PostgreSQL.
const SETTLED_THERE: &str = include_str!("settled_runs.sql");

pub async fn measure(wanted: &Wanted) {
    let folder = tempfile::tempdir().expect("a folder");
    let (few, many) = ((wanted.history / 100).max(1), wanted.history);
    let short = sqlite(&folder.path().join("short.sqlite"), few).await;
    let long = sqlite(&folder.path().join("long.sqlite"), many).await;
    compare("SQLite", few, many, &short, &long).await;
    drop((short, long));
    let cluster = cluster();
    let short = on_postgres(&cluster, few).await;
    let long = on_postgres(&cluster, many).await;
    compare("PostgreSQL", few, many, &short, &long).await;
}

/// Passes in turn over both; the median ratio counts.
async fn compare(name: &str, few: u64, many: u64, short: &History, long: &History) {
    let (mut passes, mut scans, mut took) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (one, other) = (pass(short).await, pass(long).await);
        if round > 0 {
            passes.push(other / one);
            took.push(other);
        }
    }
    println!(
        "{name}: a pass over {OPEN} open items, beside {many} settled {:>7.1} ms   to beside {few} {:>6.2} ×   ≤ 1.3",
        median(took) * 1000.0,
        median(passes),
    );
    // Once each to warm up, then three: a scan takes its time.
    let (mut took, mut bare_took) = (Vec::new(), Vec::new());
    for round in 0..=3 {
        let (bare, scan) = (anti_join(long).await, scan(long, many + OPEN).await);
        if round > 0 {
            scans.push(scan / bare);
            took.push(scan);
            bare_took.push(bare);
        }
    }
    println!(
        "{name}: full scan of {many} runs {:>7.1} s   anti-join {:>7.1} s   {:>6.2} ×   ≤ 2",
        median(took),
        median(bare_took),
        median(scans),
    );
}

/// A record with history, and a second way to it for the bare reference.
struct History {
    store: Arc<dyn ReconcileStore>,
    bare: Bare,
}

enum Bare {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Bare {
    /// Everything is due again, for the next pass.
    async fn due_again(&self) {
        const AGAIN: &str = "UPDATE due_runs SET next_at = 0";
        match self {
            Self::Sqlite(pool) => drop(pool.execute(AGAIN).await.expect("due again")),
            Self::Postgres(pool) => drop(pool.execute(AGAIN).await.expect("due again")),
        }
    }

    /// The clock of the record: a server's is its own.
    async fn clock(&self) -> Timestamp {
        const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        match self {
            Self::Sqlite(_) => world::later(),
            Self::Postgres(pool) => {
                let micros = sqlx::query_scalar(NOW).fetch_one(pool).await.expect("a clock");
                Timestamp::from_microsecond(micros).expect("an instant")
            }
        }
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let count = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        };
        count.expect("a count")
    }
}

/// What a pass asks of the record: claims in batches, the scope of each run, the end of each look.
async fn pass(history: &History) -> f64 {
    let now = history.bare.clock().await;
    let start = Instant::now();
    let mut looked_at = 0;
    loop {
        let lease = jiff::SignedDuration::from_mins(30);
        let due = history.store.claim_due("bench", 100, lease, now).await.expect("a claim");
        if due.is_empty() {
            break;
        }
        for run in due {
            let scope = history.store.scope_of_run(&run.root, now).await.expect("a scope").expect("a run");
            assert_eq!(scope.runs.len(), 1);
            looked_at += 1;
            let next = NextLook::At { at: now + jiff::SignedDuration::from_hours(24) };
            history.store.end_look(&run.root, "bench", &next, now).await.expect("an end");
        }
    }
    let took = start.elapsed().as_secs_f64();
    assert_eq!(looked_at, OPEN, "a pass looks at what is open and at nothing else");
    history.bare.due_again().await;
    took
}

async fn anti_join(history: &History) -> f64 {
    let start = Instant::now();
    let open = history.bare.count(ANTI_JOIN).await;
    assert_eq!(u64::try_from(open).expect("a count"), OPEN);
    start.elapsed().as_secs_f64()
}

async fn scan(history: &History, charges: u64) -> f64 {
    let start = Instant::now();
    let scan = history.store.full_scan().await.expect("a scan");
    assert_eq!((scan.charges, scan.open_charges), (charges, OPEN));
    assert!(scan.missed.is_empty() && scan.superfluous.is_empty(), "{scan:?}");
    start.elapsed().as_secs_f64()
}

async fn sqlite(path: &Path, settled: u64) -> History {
    let store = SqliteStore::open(path).await.expect("a record");
    for batch in world::batches(&world::people(ACCOUNTS)) {
        store.import(batch, world::start()).await.expect("an import");
    }
    store.close().await;
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let bare = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a connection");
    let start = Instant::now();
    put_in(&bare, settled).await;
    println!("SQLite: {settled} settled runs put in within {:.0} s", start.elapsed().as_secs_f64());
    let store = SqliteStore::open(path).await.expect("a record");
    let open: Vec<_> = (0..OPEN).flat_map(|n| world::run(n, ACCOUNTS)).collect();
    for batch in world::batches(&open) {
        let report = store.import(batch, world::start()).await.expect("an import");
        assert!(report.rejected.is_empty(), "{:?}", report.rejected.first());
    }
    History { store: Arc::new(store), bare: Bare::Sqlite(bare) }
}

/// The same on a server: open runs as the other measurements put them in, and settled ones.
async fn on_postgres(cluster: &Cluster, settled: u64) -> History {
    let record = cluster.empty_database().expect("a database");
    let settings = PgSettings::new(cluster.url(&record, SUPERUSER));
    postgres::migrate(&settings).await.expect("a schema");
    let start = Instant::now();
    let variables = format!("\\set accounts {ACCOUNTS}\n\\set balance ''\n");
    let open = format!("{variables}\\set first 0\n\\set last {}\n{OPEN_RUNS}", OPEN - 1);
    cluster.sql(&record, &open).expect("open runs");
    for first in (0..settled).step_by(usize::try_from(CHUNK).expect("a number")) {
        let last = (first + CHUNK).min(settled) - 1;
        let filled = ACCOUNTS * AT_A_NODE;
        let sql = format!("{variables}\\set filled {filled}\n\\set first {first}\n\\set last {last}\n{SETTLED_THERE}");
        cluster.sql(&record, &sql).expect("settled runs");
    }
    cluster.sql(&record, "VACUUM (FREEZE, ANALYZE)").expect("statistics");
    println!("PostgreSQL: {settled} settled runs put in within {:.0} s", start.elapsed().as_secs_f64());
    let store = PgStore::connect(&settings).await.expect("a store");
    let options: PgConnectOptions = cluster.url(&record, SUPERUSER).parse().expect("an address");
    let bare = PgPool::connect_with(options.options([("search_path", "record")])).await.expect("a connection");
    History { store: Arc::new(store), bare: Bare::Postgres(bare) }
}

/// Puts settled runs in past the triggers, which would make their postings one by one; then the triggers
/// are back.
async fn put_in(bare: &SqlitePool, settled: u64) {
    let triggers: Vec<(String, String)> = sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .fetch_all(bare)
        .await
        .expect("triggers");
    for (name, _) in &triggers {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(bare).await.expect("a trigger dropped");
    }
    sqlx::raw_sql("PRAGMA synchronous = OFF").execute(bare).await.expect("a pragma");
    let mut first = 0;
    while first < settled {
        let last = (first + CHUNK).min(settled) - 1;
        let (at, accounts, filled) = (world::start().as_microsecond(), ACCOUNTS, ACCOUNTS * AT_A_NODE);
        let numbers = format!(
            "CREATE TEMP TABLE settled AS WITH RECURSIVE n (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last})
             SELECT printf('old_%09d', n) AS id, printf('chg_old_%09d', n) AS chg, printf('out_old_%09d', n) AS out,
                'prj_' || (n % {accounts}) AS prj,
                'nd_' || (n % {accounts}) || CASE WHEN n < {filled} THEN '' ELSE '_' || (n / {filled}) END AS nd, 'usr_' || (n % {accounts}) AS usr,
                'acc_' || (n % {accounts}) AS acc, 'bal_' || (n % {accounts}) AS bal, {at} + n * 1000000 AS at FROM n"
        );
        let sql = format!("BEGIN; {numbers}; {}; DROP TABLE settled; COMMIT", SETTLED.join("; "));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(bare).await.expect("settled runs");
        first += CHUNK;
    }
    for (_, sql) in triggers {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(bare).await.expect("a trigger made again");
    }
    sqlx::raw_sql("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)").execute(bare).await.expect("a checkpoint");
}
